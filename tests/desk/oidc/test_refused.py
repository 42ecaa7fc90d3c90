"""Answers of an identity provider that do not hold: tokens, answers to another sign-in, keys, a provider that is down or points elsewhere."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from disclosure_etl.desk.standing import Desk
from disclosure_etl.office import Office
from tests.desk.conftest import PASSWORD
from tests.desk.oidc.conftest import browser, is_in, person, refusals, sent, signed_in
from tests.desk.oidc.identity_provider import CLIENT, EC, OTHER_EC, OTHER_RSA, RSA, IdentityProvider

# -- what does not hold

HOUR = timedelta(hours=1)
SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"claims": {"exp": timedelta(minutes=-2)}}, "expired"),
    "without an end": ({"claims": {"exp": None}}, "claim exp"),
    "an end that is no number": ({"claims": {"exp": "tomorrow"}}, "claim exp"),
    "from the future": ({"claims": {"iat": HOUR}}, "claim iat"),
    "not yet": ({"claims": {"nbf": HOUR}}, "claim nbf"),
    "of long ago": ({"claims": {"iat": -HOUR}}, "claim iat"),
    "for somebody else": ({"claims": {"aud": "other"}}, "claim aud"),
    "for somebody else among others": ({"claims": {"aud": ["other", "third"]}}, "claim aud"),
    "for many without saying for whom": ({"claims": {"aud": [CLIENT, "other"]}}, "claim azp"),
    "given to somebody else": ({"claims": {"azp": "other"}}, "claim azp"),
    "by somebody else": ({"claims": {"iss": "https://elsewhere.example"}}, "claim iss"),
    "by an issuer with a slash": ({"claims": {"iss": "SLASH"}}, "claim iss"),
    "in answer to another sign-in": ({"claims": {"nonce": "another"}}, "claim nonce"),
    "in answer to none": ({"claims": {"nonce": None}}, "claim nonce"),
    "about nobody": ({"claims": {"sub": None}}, "claim sub"),
    "about somebody of a long name": ({"claims": {"sub": "s" * 300}}, "claim sub"),
    "without a login": ({"claims": {"preferred_username": None}}, "no claim preferred_username"),
    "not signed": ({"alg": "none"}, "token: UnsupportedAlgorithmError"),
    "signed by another key under that name": ({"signs": OTHER_RSA, "header": {"kid": "r1"}}, "signature"),
    "signed by a key that is not known": ({"signs": OTHER_RSA}, "unknown key"),
    "of another algorithm than its key": ({"signs": RSA, "header": {"kid": "e1"}}, "unknown key"),
    "bringing its own key": (
        {"signs": OTHER_EC, "alg": "ES256", "header": {"jwk": OTHER_EC.as_dict(private=False)}}, "unknown key",
    ),
    "no token": ({"token": "a.b"}, "token: "),
    "a token of anything": ({"token": "eyJhbGciOiJSUzI1NiJ9.W10.AAAA"}, "signature"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_a_token_that_does_not_hold_lets_nobody_in(
    app: FastAPI, office: Office, provider: IdentityProvider, name: str
) -> None:
    spoilt, why = SPOILT[name]
    for field, value in spoilt.items():
        setattr(provider, field, value)
    if provider.claims.get("iss") == "SLASH":
        provider.claims = {"iss": f"{provider.issuer}/"}
    http = browser(app)
    answer = signed_in(http)

    assert answer.status_code == 401 and "重新登录" in answer.text
    assert not is_in(http) and "disclosure_session" not in http.cookies
    assert [one.startswith(why) for one in refusals(office)] == [True], refusals(office)
    assert not person(office).bound


def test_the_public_key_is_no_secret_to_sign_with(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    provider.alg = "HS256"

    assert signed_in(browser(app)).status_code == 401
    assert refusals(office) == ["token: UnsupportedAlgorithmError"]


def test_an_answer_to_another_sign_in_is_refused(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    mine, theirs = browser(app), browser(app)
    answer = sent(theirs)
    sent(mine)

    assert mine.get(answer).status_code == 401
    assert browser(app).get(answer).status_code == 401  # a browser in which nothing was begun
    assert refusals(office) == []  # neither answers anything that was begun
    assert "token" not in provider.asked


def test_an_answer_counts_once(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    http = browser(app)
    answer = sent(http)
    kept = http.cookies["disclosure_sign_in"]
    assert http.get(answer).status_code == 303

    assert http.get(answer).status_code == 401
    http.cookies.set("disclosure_sign_in", kept, domain="desk.local")
    assert http.get(answer).status_code == 401
    assert refusals(office) == ["replayed"]
    assert provider.asked.count("token") == 1


def test_a_code_that_was_used_elsewhere_is_refused(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    http = browser(app)
    answer = sent(http)
    provider._codes.clear()

    assert http.get(answer).status_code == 401
    assert refusals(office) == ["code refused: invalid_grant"]


@pytest.mark.parametrize("spoilt", ["", "x.y", "cut", "late"])
def test_what_the_browser_kept_must_be_ours_and_fresh(app: FastAPI, desk: Desk, office: Office, spoilt: str) -> None:
    http = browser(app)
    answer = sent(http)
    kept = http.cookies["disclosure_sign_in"]
    if spoilt == "late":
        desk.seals.now = lambda: time.time() + 601
    else:
        http.cookies.clear()
        http.cookies.set("disclosure_sign_in", kept[:-3] if spoilt == "cut" else spoilt)

    assert http.get(answer).status_code == 401
    assert refusals(office) == []


def test_what_the_browser_keeps_tells_it_nothing(app: FastAPI, desk: Desk) -> None:
    http = browser(app)
    answer = http.get("/login/oidc")
    begun = desk.seals.open(http.cookies["disclosure_sign_in"])
    assert begun is not None

    assert not any(one in answer.headers["set-cookie"] for one in (begun.state, begun.nonce, begun.verifier))
    assert begun.verifier not in answer.headers["location"]
    assert {"httponly", "samesite=lax"} <= {one.strip().lower() for one in answer.headers["set-cookie"].split(";")}


@pytest.mark.parametrize(
    ("error", "why"), [("access_denied", "access_denied"), ("<script>", "?"), ("login_required",) * 2]
)
def test_whoever_the_provider_turns_away_is_told(
    app: FastAPI, office: Office, provider: IdentityProvider, error: str, why: str
) -> None:
    provider.error = error
    answer = signed_in(browser(app))

    assert answer.status_code == 401 and "<script>" not in answer.text
    assert ("没有完成" in answer.text) == (error == "access_denied")
    assert refusals(office) == [why]


def test_another_issuer_in_the_answer_is_refused(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    http = browser(app)
    answer = sent(http)
    assert httpx.URL(answer).params["iss"] == provider.issuer

    assert http.get(httpx.URL(answer).copy_set_param("iss", "https://elsewhere.example")).status_code == 401
    assert refusals(office) == ["iss"]


# -- its keys


def test_a_new_key_is_fetched_once_and_not_again_and_again(
    app: FastAPI, desk: Desk, office: Office, provider: IdentityProvider
) -> None:
    signed_in(browser(app))
    ticks = time.monotonic()
    desk.provider.ticking = lambda: ticks
    provider.keys, provider.signs = [OTHER_RSA], OTHER_RSA
    ticks += 31
    assert signed_in(browser(app)).status_code == 303
    assert provider.asked.count("keys") == 2

    provider.signs, provider.header = RSA, {"kid": "r9"}
    for _ in range(3):
        assert signed_in(browser(app)).status_code == 401
    assert provider.asked.count("keys") == 2  # within half a minute nobody asks again
    assert set(refusals(office)) == {"unknown key"}


def test_a_key_that_was_withdrawn_counts_no_more(app: FastAPI, desk: Desk, provider: IdentityProvider) -> None:
    signed_in(browser(app))
    provider.keys = [EC]
    ticks = time.monotonic() + 901
    desk.provider.ticking = lambda: ticks

    assert signed_in(browser(app)).status_code == 401


# -- where it cannot be reached


def test_while_the_provider_is_down_passwords_still_work(app: FastAPI, desk: Desk, provider: IdentityProvider) -> None:
    provider.down = True
    for language, told in (("zh", "暂时无法使用"), ("en", "cannot be used just now")):
        http = browser(app)
        http.get(f"/language/{language}")
        answer = http.get("/login/oidc")
        assert answer.status_code == 503 and told in answer.text
    assert provider.asked.count("discovery") == 1  # the second did not wait for it

    http = browser(app)
    assert http.post("/login", data={"login": "admin", "password": PASSWORD}).status_code == 303
    provider.down = False
    desk.provider._at.clear()
    assert signed_in(browser(app)).status_code == 303


@pytest.mark.parametrize(
    "document",
    [{"issuer": "https://elsewhere.example"}, {"token_endpoint": "http://elsewhere.example/token"}, {"jwks_uri": None},
     {"jwks_uri": "https://user:secret@elsewhere.example/keys"}, {"authorization_endpoint": "javascript:alert(1)"}],
)  # fmt: skip
def test_a_provider_that_points_elsewhere_is_not_followed(
    app: FastAPI, provider: IdentityProvider, document: dict[str, Any]
) -> None:
    provider.document = document

    assert browser(app).get("/login/oidc").status_code == 503


def test_a_provider_that_is_not_there_or_never_answers(app: FastAPI, desk: Desk) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"http://127.0.0.1:{silent.getsockname()[1]}"
        desk.provider.settings = desk.provider.settings.model_copy(update={"issuer": where, "timeout_seconds": 0.3})
        began = time.monotonic()
        assert browser(app).get("/login/oidc").status_code == 503
        assert time.monotonic() - began < 2
    desk.provider._at.clear()
    assert browser(app).get("/login/oidc").status_code == 503

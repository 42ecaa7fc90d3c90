"""Signing in with the identity provider, against one that is served on this machine: who comes in, what does not hold, who is nobody here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.calendar import StoryClock
from disclosure_etl.desk.accounts import NewPerson, create, set_password, use_provider
from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.provider import provider_of
from disclosure_etl.desk.standing import Desk
from disclosure_etl.office import Office
from disclosure_etl.settings import load_settings
from flows.running import run_period
from schemas.errors import ConfigError, UserError
from schemas.people import Role
from tests.conftest import Said
from tests.desk.browsing import Sitting, chromium
from tests.desk.conftest import NOW, PASSWORD, serving
from tests.desk.identity_provider import CLIENT, EC, OTHER_EC, OTHER_RSA, RSA, SECRET, IdentityProvider
from tests.factories import contract, make_office

HOME = "http://desk"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """A provider that is served."""
    one = IdentityProvider()
    with serving(one.app()) as address:
        one.issuer = address
        yield one


def office_with(folder: Path, url: str | None, *lines: str, **environment: str) -> Office:
    """An office whose desk has these settings."""
    (folder / "config").mkdir(exist_ok=True)
    text = "office: {bureau: shiju}\ndesk:\n" + "".join(f"  {line}\n" for line in lines)
    (folder / "config" / "settings.yaml").write_text(text, encoding="utf-8")
    given = {"DESK_OIDC": SECRET, **({"DISCLOSURE_WAREHOUSE": url} if url else {}), **environment}
    return Office(load_settings(folder / "config", given, folder), StoryClock(NOW))


def lines_of(provider: IdentityProvider, home: str = HOME) -> tuple[str, ...]:
    """The desk's settings with that provider."""
    return (
        f"public_url: {home}", "oidc:", f"  issuer: {provider.issuer}", f"  client_id: {CLIENT}",
        "  client_secret: {secret: DESK_OIDC}", "  label_zh: 市统一身份认证", "  timeout_seconds: 2",
    )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, provider: IdentityProvider, request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with that provider: an administrator with a password, and Sun, whom the provider may send. On each database where
    the test asks for `warehouse_url`, else on SQLite."""
    url = request.getfixturevalue("warehouse_url") if "warehouse_url" in request.fixturenames else None
    made = office_with(tmp_path, url, *lines_of(provider))
    create(made, NewPerson("admin", "王芳", Role.ADMINISTRATOR), PASSWORD, must_change=False)
    create(made, NewPerson("sun", "孙明", Role.STEWARD), None)
    yield made
    made.warehouse.close()


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    one = Desk(office, run_period)
    yield one
    one.jobs.close()


@pytest.fixture
def app(desk: Desk) -> FastAPI:
    return create_app(desk)


def browser(app: FastAPI) -> TestClient:
    return TestClient(app, base_url=HOME, headers={"Origin": HOME}, follow_redirects=False)


def sent(http: TestClient, next: str = "/") -> str:
    """On to the provider, and what it sends the browser back with."""
    on = http.get("/login/oidc", params={"next": next})
    assert on.status_code == 303, on.text
    back = httpx.get(on.headers["location"], follow_redirects=False, trust_env=False).headers["location"]
    assert back.startswith(f"{HOME}/login/oidc/callback?")
    return back


def signed_in(http: TestClient, next: str = "/") -> httpx.Response:
    return http.get(sent(http, next))


def is_in(http: TestClient) -> bool:
    return http.get("/account").status_code == 200


def refusals(office: Office) -> list[str]:
    return [one.details["why"] for one in office.warehouse.audit_events("sign_in_refused")]


def person(office: Office, login: str = "sun") -> Any:
    return office.warehouse.person_by_login(login)[0]


# -- who comes in


@pytest.mark.usefixtures("warehouse_url")
def test_whoever_the_provider_sends_is_in_and_bound(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    http = browser(app)
    assert "市统一身份认证" in http.get("/login").text
    answer = signed_in(http, "/months?family=x")

    assert (answer.status_code, answer.headers["location"]) == (303, "/months?family=x")
    assert "disclosure_sign_in" not in http.cookies
    assert "孙明" in http.get("/account").text
    assert person(office).bound
    [bound] = office.warehouse.audit_events("person_changed", "sun")
    assert bound.details["identity"] == {"issuer": provider.issuer, "subject": "subject-of-sun"}
    assert office.warehouse.audit_events("signed_in", "sun")


def test_a_session_is_as_any_other(app: FastAPI, office: Office) -> None:
    http = browser(app)
    signed_in(http)
    desk = app.state.desk
    who = desk._visitor(http.cookies["disclosure_session"])

    assert "httponly" in signed_in(http).headers["set-cookie"].lower()
    assert desk._visitor(who.session) is None  # the browser's earlier session has ended
    who = desk._visitor(http.cookies["disclosure_session"])
    assert http.post("/logout", data={"csrf": who.csrf}).status_code == 303
    assert not is_in(http)


def test_later_it_is_the_subject_that_counts_not_the_login(app: FastAPI, provider: IdentityProvider) -> None:
    signed_in(browser(app))
    provider.login = "sun.married"
    http = browser(app)

    signed_in(http)
    assert "孙明" in http.get("/account").text


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")])
def test_keys_of_each_kind_are_taken(app: FastAPI, provider: IdentityProvider, key: Any, alg: str) -> None:
    provider.signs, provider.alg = key, alg
    http = browser(app)

    assert signed_in(http).status_code == 303 and is_in(http)


def test_a_secret_in_the_form_where_the_provider_wants_it_so(app: FastAPI, provider: IdentityProvider) -> None:
    provider.ways = ("client_secret_post",)

    assert signed_in(browser(app)).status_code == 303


def test_a_key_without_a_name_is_taken_where_it_is_the_only_one(app: FastAPI, provider: IdentityProvider) -> None:
    provider.header = {"kid": None}
    assert signed_in(browser(app)).status_code == 303

    provider.keys.append(OTHER_RSA)
    app.state.desk.provider._at.clear()
    assert signed_in(browser(app)).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [{"aud": [CLIENT]}, {"aud": [CLIENT, "other"], "azp": CLIENT}, {"azp": CLIENT}, {"exp": timedelta(seconds=-30)}],
)
def test_what_the_standard_allows_is_taken(app: FastAPI, provider: IdentityProvider, claims: dict[str, Any]) -> None:
    provider.claims = claims

    assert signed_in(browser(app)).status_code == 303


@pytest.mark.parametrize(
    "where",
    ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example", "", "x"],
)
def test_nobody_is_sent_elsewhere_afterwards(app: FastAPI, where: str) -> None:
    assert signed_in(browser(app), where).headers["location"] == "/"


@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_real_browser_with_the_provider_on_another_site(
    tmp_path: Path, provider: IdentityProvider, width: int
) -> None:
    provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
    waiting = serving(FastAPI())
    home = f"http://127.0.0.1:{waiting.listening.getsockname()[1]}"
    office = office_with(tmp_path, None, *lines_of(provider, home))
    create(office, NewPerson("sun", "孙明", Role.AUDITOR), None)
    desk = Desk(office, run_period)
    waiting.server.config.app = create_app(desk)
    with waiting as address, chromium() as opened:
        page = opened.new_context(viewport={"width": width, "height": 900}, locale="zh-CN").new_page()
        sun = Sitting(page, address)
        page.on("console", lambda told: sun.complaints.append(told.text))
        sun.go("/record?kind=signed_in")
        sun.usable()
        page.get_by_role("link", name="市统一身份认证").click()
        page.wait_for_url(f"{home}/record?kind=signed_in")
        assert "sun" in page.locator("tbody").inner_text()
        page.get_by_role("button", name="退出").click()
        page.wait_for_url(f"{home}/login")
        assert sun.complaints == []
    desk.jobs.close()
    office.warehouse.close()


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
    assert refusals(office) == ["state", "nothing was begun"]
    assert "token" not in provider.asked


def test_an_answer_counts_once(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    http = browser(app)
    answer = sent(http)
    kept = http.cookies["disclosure_sign_in"]
    assert http.get(answer).status_code == 303

    assert http.get(answer).status_code == 401
    http.cookies.set("disclosure_sign_in", kept, domain="desk.local")
    assert http.get(answer).status_code == 401
    assert refusals(office) == ["nothing was begun", "replayed"]
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
    assert refusals(office) == ["nothing was begun"]


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


# -- who is nobody here


@pytest.mark.usefixtures("warehouse_url")
def test_nobody_gets_an_account_by_signing_in(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    provider.login = "stranger\x00"
    before = office.warehouse.people()
    answer = signed_in(browser(app))

    assert answer.status_code == 401 and "没有可供您使用的账号" in answer.text
    assert browser(app).post("/login", data={"login": "stranger\x00", "password": PASSWORD}).status_code == 401
    assert refusals(office) == ["unknown", "unknown"]
    assert office.warehouse.people() == before


def test_an_account_with_a_password_is_not_the_providers(
    app: FastAPI, office: Office, provider: IdentityProvider
) -> None:
    provider.login = "admin"

    assert signed_in(browser(app)).status_code == 401
    assert refusals(office) == ["has a password"] and not person(office, "admin").bound


def test_an_account_without_a_password_opens_to_none(app: FastAPI) -> None:
    for password in ("", "None", PASSWORD):
        assert browser(app).post("/login", data={"login": "sun", "password": password}).status_code == 401


def test_a_closed_account_stays_closed(app: FastAPI, office: Office) -> None:
    http = browser(app)
    signed_in(http)
    office.warehouse.change_person(person(office).key, {"active": False})

    assert not is_in(http)
    assert signed_in(browser(app)).status_code == 401
    assert refusals(office) == ["closed"]


@pytest.mark.usefixtures("warehouse_url")
def test_somebody_else_with_the_same_login_is_refused(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    signed_in(browser(app))
    provider.subject = "subject-of-somebody-else"

    assert signed_in(browser(app)).status_code == 401
    [event] = office.warehouse.audit_events("sign_in_refused")
    assert event.subject == "sun"
    assert event.details["why"] == "another identity" and event.details["subject"] == "subject-of-somebody-else"


@pytest.mark.usefixtures("warehouse_url")
def test_an_account_is_bound_anew_when_the_administrator_says_so(
    app: FastAPI, office: Office, provider: IdentityProvider
) -> None:
    old = browser(app)
    signed_in(old)
    assert use_provider(office, person(office))
    assert not use_provider(office, person(office))
    assert not is_in(old)
    provider.subject = "subject-at-the-new-provider"

    assert signed_in(browser(app)).status_code == 303


def test_a_password_takes_the_account_from_the_provider(app: FastAPI, office: Office) -> None:
    signed_in(browser(app))
    set_password(office, person(office), PASSWORD, must_change=False)

    assert not person(office).bound
    assert signed_in(browser(app)).status_code == 401


def test_too_many_failures_from_an_address_close_it(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    provider.login = "stranger"
    for _ in range(30):
        signed_in(browser(app))
    asked = len(provider.asked)
    answer = browser(app).get("/login/oidc/callback?code=x&state=y")

    assert "过多" in answer.text and len(provider.asked) == asked
    assert len(refusals(office)) == 30


def test_guessing_at_the_callback_closes_no_login(app: FastAPI, office: Office) -> None:
    for _ in range(6):
        browser(app).get("/login/oidc/callback?code=x&state=y")

    assert signed_in(browser(app)).status_code == 303


# -- the administrator


def test_the_administrators_page(app: FastAPI, office: Office, provider: IdentityProvider) -> None:
    http = browser(app)
    http.post("/login", data={"login": "admin", "password": PASSWORD})
    csrf = app.state.desk._visitor(http.cookies["disclosure_session"]).csrf
    made = http.post("/people", data={"csrf": csrf, "login": "zhou", "name": "周", "role": "auditor", "way": "oidc"})
    assert made.status_code == 200 and 'class="once"' not in made.text
    assert not person(office, "zhou").has_password
    provider.login, provider.subject = "zhou", "subject-of-zhou"
    signed_in(browser(app))
    assert "已绑定" in http.get("/people").text

    key = person(office, "zhou").key
    assert http.post(f"/people/{key}/oidc", data={"csrf": csrf}).status_code == 303
    assert not person(office, "zhou").bound


# -- passwords off


@pytest.fixture
def without_passwords(tmp_path: Path, provider: IdentityProvider, office: Office) -> Iterator[FastAPI]:
    url = office.settings.environment.get("DISCLOSURE_WAREHOUSE")
    made = office_with(tmp_path, url, "passwords: false", *lines_of(provider))
    desk = Desk(made, run_period)
    yield create_app(desk)
    desk.jobs.close()
    made.warehouse.close()


def test_without_passwords_the_provider_is_the_only_way(without_passwords: FastAPI) -> None:
    app = without_passwords
    assert 'type="password"' not in browser(app).get("/login").text
    answer = browser(app).post("/login", data={"login": "admin", "password": PASSWORD})
    assert answer.status_code == 403 and "disclosure_session" not in answer.cookies
    with pytest.raises(UserError, match="passwords is false"):
        create(app.state.desk.office, NewPerson("zhou", "周", Role.AUDITOR), PASSWORD)
    with pytest.raises(UserError, match="passwords is false"):
        set_password(app.state.desk.office, person(app.state.desk.office), PASSWORD, must_change=True)

    assert signed_in(browser(app)).status_code == 303


# -- settings

REFUSED = {
    "nobody could sign in": (("passwords: false",), "nobody could sign in"),
    "no address to come back to": (("oidc: {issuer: 'https://id.example', client_id: x}",), "takes desk.public_url"),
    "an issuer that anybody can play": (
        ("public_url: http://desk", "oidc: {issuer: 'http://id.example', client_id: x}"), "must be an https address",
    ),
    "a secret in the file": (
        ("public_url: http://desk", "oidc: {issuer: 'https://id.example', client_id: x, client_secret: hush-hush}"),
        "must be {secret: NAME}",
    ),
    "no openid": (
        ("public_url: http://desk", "oidc: {issuer: 'https://id.example', client_id: x, scopes: [profile]}"), "openid",
    ),
    "an address with a path": (("public_url: http://desk/sub",), "without a path"),
    "an address that is none": (("public_url: desk",), "without a path"),
    "TLS at one end": (("public_url: https://desk",), "must agree"),
    "a proxy that is everybody": (("proxies: ['*']",), "could be forged"),
    "a network that is everybody": (("proxies: [0.0.0.0/0]",), "could be forged"),
    "a proxy by name": (("proxies: [proxy.example]",), "could be forged"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_settings_by_which_nobody_or_anybody_would_come_in(tmp_path: Path, name: str) -> None:
    lines, told = REFUSED[name]
    with pytest.raises(ConfigError) as raised:
        office_with(tmp_path, None, *lines)

    assert told in raised.value.message.en and "settings.yaml:" in raised.value.message.zh
    assert "hush" not in raised.value.message.en + raised.value.message.zh


def test_a_secret_or_authority_that_is_nowhere(tmp_path: Path) -> None:
    oidc = "oidc: {issuer: 'https://id.example', client_id: x, client_secret: {secret: DESK_OIDC}%s}"
    with pytest.raises(ConfigError, match="needs 'DESK_OIDC'"):
        provider_of(office_with(tmp_path, None, "public_url: http://desk", oidc % "", DESK_OIDC=""))
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("nowhere.pem", "ca.pem"):
        with pytest.raises(ConfigError, match="ca_file"):
            provider_of(office_with(tmp_path, None, "public_url: http://desk", oidc % f", ca_file: {name}"))


def test_doctor_tries_the_provider(
    tmp_path: Path, provider: IdentityProvider, say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_office(tmp_path)
    office_with(tmp_path, None, *lines_of(provider))
    monkeypatch.setenv("DESK_OIDC", SECRET)
    for down in (False, True):
        provider.down = down
        found = say("--now", "2014-03-06", "doctor", "--json").json
        contract("doctor").validate(found)
        assert [one["ok"] for one in found if one["what"] == "oidc"] == [not down]


def test_no_secret_is_in_any_file_answer_or_log(
    app: FastAPI,
    desk: Desk,
    office: Office,
    provider: IdentityProvider,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    http, texts = browser(app), []
    for step in ("/login", "/login/oidc"):
        texts.append(http.get(step))
    answer = sent(http)
    begun = desk.seals.open(http.cookies["disclosure_sign_in"])
    texts += [http.get(answer), http.get("/account"), browser(app).get(answer)]
    provider.signs = OTHER_RSA
    texts.append(signed_in(browser(app)))
    code = httpx.URL(answer).params["code"]
    hidden = [SECRET, code, begun.verifier, begun.nonce, http.cookies["disclosure_session"]]

    for secret in hidden[:3]:
        assert not any(secret in one.text + str(one.headers) for one in texts)
    office.warehouse.close()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or not any(one.encode() in path.read_bytes() for one in hidden), path
    told = caplog.text + str(office.warehouse.audit_events()) + repr(desk.provider) + repr(desk)
    assert not any(one in told for one in hidden)

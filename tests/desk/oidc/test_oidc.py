"""Signing in with the identity provider: who comes in, who is nobody here, what the administrator does, and that no secret is left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from disclosure_etl.desk.accounts import NewPerson, create, set_password, use_provider
from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.standing import Desk
from disclosure_etl.office import Office
from flows.running import run_period
from schemas.errors import UserError
from schemas.people import Role
from tests.desk.browsing import Sitting, chromium
from tests.desk.conftest import PASSWORD, serving
from tests.desk.oidc.conftest import browser, is_in, lines_of, office_with, person, refusals, sent, signed_in
from tests.desk.oidc.identity_provider import CLIENT, EC, OTHER_RSA, RSA, SECRET, IdentityProvider

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
        page.context.close()
        assert sun.complaints == []
    desk.jobs.close()
    office.warehouse.close()


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


def test_what_answers_nothing_closes_no_door_and_is_not_recorded(app: FastAPI, office: Office) -> None:
    for number in range(31):
        http = browser(app)
        if number % 2:
            http.get("/login/oidc")
        assert http.get("/login/oidc/callback?code=x&state=y").status_code == 401

    assert refusals(office) == []
    assert browser(app).post("/login", data={"login": "admin", "password": PASSWORD}).status_code == 303
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


# -- secrets


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

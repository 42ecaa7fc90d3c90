"""The door: who comes in, who does not, how long a session lasts, and that nothing of another site's comes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk.accounts import NewPerson, create
from schemas.errors import UserError
from schemas.people import Role
from tests.desk.conftest import PASSWORD, Client, sign_in


def visitor(app: FastAPI, **headers: str) -> TestClient:
    return TestClient(app, base_url="http://desk", headers={"Origin": "http://desk", **headers}, follow_redirects=False)


def test_a_page_leads_to_the_door_and_back(app: FastAPI) -> None:
    asked = visitor(app).get("/months/2014-01?show=all")

    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=/months/2014-01%3Fshow%3Dall"


@pytest.mark.parametrize(("login", "password"), [("wang", "wrong"), ("nobody", PASSWORD), ("wang", ""), ("", "")])
def test_who_has_no_account_or_another_password_stays_out(app: FastAPI, login: str, password: str) -> None:
    answer = visitor(app).post("/login", data={"login": login, "password": password})

    assert answer.status_code == 401
    assert "登录名或密码不正确" in answer.text
    assert "disclosure_session" not in answer.cookies


def test_after_five_failures_the_right_password_does_not_help_for_a_while(app: FastAPI) -> None:
    http = visitor(app)
    for _ in range(5):
        http.post("/login", data={"login": "wang", "password": "guess"})

    assert "过多" in http.post("/login", data={"login": "wang", "password": PASSWORD}).text
    assert http.post("/login", data={"login": "li", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("where", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"])
def test_nobody_is_sent_elsewhere_through_us(app: FastAPI, where: str) -> None:
    answer = visitor(app).post("/login", data={"login": "wang", "password": PASSWORD, "next": where})

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://elsewhere"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_a_form_of_another_site_is_refused(app: FastAPI, headers: dict[str, str]) -> None:
    http = visitor(app, **headers)

    assert http.post("/login", data={"login": "wang", "password": PASSWORD}).status_code == 403


def test_a_form_without_the_sessions_word_is_refused(steward: Client) -> None:
    assert steward.http.post("/logout").status_code == 403
    assert steward.http.post("/logout", data={"csrf": "guess"}).status_code == 403
    assert steward.get("/account").status_code == 200


def test_whoever_signs_out_is_out(steward: Client) -> None:
    secret = steward.http.cookies["disclosure_session"]
    assert steward.post("/logout").status_code == 303

    steward.http.cookies.set("disclosure_session", secret)
    assert steward.get("/account").status_code == 303


def test_a_session_ends_when_nobody_uses_it(app: FastAPI, steward: Client) -> None:
    desk, now = app.state.desk, app.state.desk.office.clock()
    later = now + timedelta(minutes=desk.settings.idle_minutes + 1)
    object.__setattr__(desk.office, "clock", lambda: later)

    assert steward.get("/account").status_code == 303
    object.__setattr__(desk.office, "clock", lambda: now)
    assert steward.get("/account").status_code == 303  # it does not come to life again


def test_whoever_loses_the_account_is_out_at_once(app: FastAPI, steward: Client) -> None:
    warehouse = app.state.desk.office.warehouse
    found = warehouse.person_by_login("wang")
    assert found is not None
    warehouse.change_person(found[0].key, {"active": False})

    assert steward.get("/account").status_code == 303
    assert visitor(app).post("/login", data={"login": "wang", "password": PASSWORD}).status_code == 401


def test_the_last_administrator_stays(app: FastAPI) -> None:
    warehouse = app.state.desk.office.warehouse
    found = warehouse.person_by_login("admin")
    assert found is not None
    with pytest.raises(UserError, match="administrator"):
        warehouse.change_person(found[0].key, {"role": "auditor"})
    assert warehouse.person_by_login("admin")[0].role is Role.ADMINISTRATOR


def test_another_password_ends_all_other_sessions(app: FastAPI, steward: Client) -> None:
    other = sign_in(app, "wang")
    new = {"current": PASSWORD, "new": "another long word", "again": "another long word"}
    assert steward.post("/account/password", new).status_code == 303

    assert steward.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert visitor(app).post("/login", data={"login": "wang", "password": PASSWORD}).status_code == 401


def test_a_password_that_somebody_else_chose_is_changed_first(app: FastAPI) -> None:
    create(app.state.desk.office, NewPerson("new", "新人", Role.STEWARD), PASSWORD)
    client = sign_in(app, "new")

    assert client.get("/months").headers["location"] == "/account"


def test_a_login_that_is_taken_is_refused(app: FastAPI) -> None:
    with pytest.raises(UserError, match="taken"):
        create(app.state.desk.office, NewPerson("wang", "另一人", Role.STEWARD), PASSWORD)


def test_every_answer_has_the_headers(app: FastAPI, steward: Client) -> None:
    for answer in (steward.get("/months/2014-01"), visitor(app).get("/nowhere"), visitor(app).get("/static/desk.css")):
        assert "default-src 'none'" in answer.headers["content-security-policy"], answer.url
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_signing_in_and_out_is_recorded_without_any_secret(app: FastAPI, as_: Callable[[str], Client]) -> None:
    as_("li").post("/logout")
    events = app.state.desk.office.warehouse.audit_events()

    kinds = [one.kind for one in events if one.actor == "li" or one.subject == "li"]
    assert kinds[-1] == "signed_in" or "signed_in" in kinds
    assert any(one.kind == "signed_out" for one in events)
    assert not any(PASSWORD in str(one.details) or "argon2" in str(one.details) for one in events)
    assert replace(events[0]) == events[0]

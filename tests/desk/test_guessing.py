"""Guessing passwords: how often, by how many at once, and what the answers and the record tell of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from argon2 import Type
from fastapi import FastAPI

from disclosure_etl.desk import signing_in
from disclosure_etl.desk.accounts import NewPerson, create
from disclosure_etl.office import Office
from schemas.errors import UserError
from schemas.people import Role
from tests import quick_passwords
from tests.desk.conftest import PASSWORD, Client
from tests.desk.test_door import visitor


def test_a_guess_does_not_tell_whether_there_is_such_a_login(app: FastAPI, office: Office, monkeypatch: Any) -> None:
    closed = create(office, NewPerson("closed", "旧人", Role.STEWARD), PASSWORD, must_change=False)
    office.warehouse.change_person(closed.key, {"active": False})
    without = create(office, NewPerson("without", "无码", Role.STEWARD), PASSWORD)
    office.warehouse.change_person(without.key, {"password": None})
    verified: list[str] = []
    fits = signing_in._fits
    monkeypatch.setattr(signing_in, "_fits", lambda kept, password: verified.append(kept) or fits(kept, password))

    told, costs = set(), set()
    for login in ("wang", "nobody", "closed", "without", "no\x00body", "x" * 300):
        password = PASSWORD if login == "closed" else "a wrong one"
        for _ in range(7):
            answer = visitor(app).post("/login", data={"login": login, "password": password})
            told.add((answer.status_code, answer.text.replace(login, "LOGIN").replace("no\ufffdbody", "LOGIN")))
        assert len(verified) == 5  # each time as much work, and none of it once the login is closed
        costs |= {one.rsplit("$", 2)[0] for one in verified}
        verified.clear()
        office.warehouse.clock.set(office.warehouse.clock() + timedelta(minutes=16))

    assert len(costs) == 1  # a hash of the same kind and cost for each
    assert len({text for _, text in told}) == 2  # one page for a guess, one for too many
    assert {status for status, _ in told} == {401}


def test_a_guess_costs_what_owasp_asks_for() -> None:
    hasher = quick_passwords.of_a_real_desk

    assert hasher.type is Type.ID and hasher.memory_cost >= 19 * 1024 and hasher.time_cost >= 2


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(office: Office) -> None:
    def guess(number: int) -> str:
        with pytest.raises(UserError) as raised:
            signing_in.sign_in(office.warehouse, "wang", f"guess {number}", "10.0.0.9", "")
        return raised.value.message.en

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(guess, range(12)))

    assert sum("do not fit" in one for one in told) == 5
    assert len(office.warehouse.audit_events("sign_in_refused")) == 5


def test_the_current_password_is_guessed_no_more_often_than_at_the_door(
    app: FastAPI, office: Office, steward: Client, monkeypatch: Any
) -> None:
    at_once, most, fits = 0, 0, signing_in._fits

    def counted(kept: str, password: str) -> bool:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return fits(kept, password)
        finally:
            at_once -= 1

    monkeypatch.setattr(signing_in, "_fits", counted)
    new = {"new": "another long word", "again": "another long word"}
    office.warehouse.clock.set(office.warehouse.clock() + timedelta(minutes=1))  # what failed since they signed in
    with ThreadPoolExecutor(12) as pool:
        told = list(
            pool.map(lambda n: steward.post("/account/password", {"current": f"guess {n}", **new}).text, range(12))
        )

    assert most == 1
    assert sum("现在的密码不正确" in one for one in told) == 5 and sum("过多" in one for one in told) == 7
    assert [one.subject for one in office.warehouse.audit_events("sign_in_refused")] == ["wang"] * 5
    assert "过多" in steward.post("/account/password", {"current": PASSWORD, **new}).text
    assert visitor(app).post("/login", data={"login": "wang", "password": PASSWORD}).status_code == 401


def test_one_address_does_not_try_every_login(app: FastAPI, office: Office) -> None:
    http = visitor(app)
    for number in range(30):
        http.post("/login", data={"login": f"somebody{number}", "password": PASSWORD})

    assert "过多" in http.post("/login", data={"login": "wang", "password": PASSWORD}).text
    office.warehouse.clock.set(office.warehouse.clock() + timedelta(minutes=16))
    assert http.post("/login", data={"login": "wang", "password": PASSWORD}).status_code == 303


def test_what_was_typed_as_a_login_that_nobody_has_is_not_kept(app: FastAPI, office: Office) -> None:
    for _ in range(2):
        visitor(app).post("/login", data={"login": "my password by mistake", "password": ""})
    first, second = office.warehouse.audit_events("sign_in_refused")

    assert first.subject == second.subject and first.subject.startswith("?") and "password" not in first.subject

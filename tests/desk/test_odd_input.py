"""What no page of ours sends: signs that no database takes, numbers that it does not know, years and names that cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.standing import Desk
from disclosure_etl.desk.tokens import issue
from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.conftest import Client, haidian_corrected, sign_in
from tests.desk.test_signing_off import finished

CASES = "/months/2014-01/cases"
BIG = 10**25


@pytest.fixture
def app_on(office_on: Office) -> Iterator[FastAPI]:
    """The desk on each database: what one takes, the other refuses."""
    desk = Desk(office_on, run_period)
    yield create_app(desk)
    desk.jobs.close()


def test_a_nul_in_an_address_is_no_fault(app_on: FastAPI, office_on: Office) -> None:
    head, reporter = sign_in(app_on, "li"), sign_in(app_on, "hd")
    for name in ("q", "bureau", "rule", "block", "owner"):
        assert head.get(f"{CASES}?{name}=%00").status_code == 422, name
    for name in ("actor", "kind", "subject"):
        assert head.get(f"/record?{name}=a%00b").status_code == 422, name
    for path in (
        f"{CASES}/%00",
        "/months/2014-01/returns/%00/notice",
        "/runs/%00",
        "/static/%00",
        "/months/2014-01%00",
    ):
        assert head.get(path).status_code == 404, path
    for path in ("/own/sent/%00", "/own/returns/2014-01/%00/notice"):
        assert reporter.get(path).status_code == 404, path
    bearer = {"Authorization": f"Bearer {issue(office_on, '平台', 'haidian', None)[0]}"}
    answer = TestClient(app_on).get("/api/v1/submissions/%00", headers=bearer)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_a_nul_in_a_form_is_no_fault(app_on: FastAPI) -> None:
    steward = sign_in(app_on, "wang")
    case = f"{CASES}/{re.search(r'cases/([0-9a-f]{16})', steward.get(CASES).text)[1]}"

    assert steward.post(f"{case}/comment", {"text": "已\0电话核实"}).status_code == 303
    assert "已\ufffd电话核实" in steward.get(case).text
    chosen = {"id": "\0", "shown": "\0:1", "reason": "已电话核实"}
    assert steward.post("/months/2014-01/acknowledge", chosen).status_code == 409


def test_numbers_that_no_database_knows_are_no_fault(app_on: FastAPI) -> None:
    head, admin = sign_in(app_on, "li"), sign_in(app_on, "admin")
    for number in (BIG, 2**62, 2**40):
        assert head.get(f"/record?at={number}").status_code == 422
        assert head.get(f"/calendar?year={number}&at={number}").status_code == 200
        for path in (f"/people/{number}", f"/people/{number}/password", f"/tokens/{number}/revoke"):
            assert admin.post(path, {"role": "steward"}).status_code == 422, path
    for number in (2**31 - 1, 0, -(2**40)):
        assert head.get(f"/record?at={number}").status_code == 200
        assert admin.post(f"/tokens/{number}/revoke").status_code in (404, 422), number


@pytest.mark.parametrize("year", [0, -1, 1899, 2100, 9999, 10_000, BIG])
def test_a_year_that_cannot_be_is_no_fault(steward: Client, year: int) -> None:
    for path in ("lock", "reopen", "reopen/second"):
        assert steward.post(f"/years/{year}/{path}", {"reason": "年度终了"}).status_code in (404, 422), path
    assert steward.get(f"/calendar?year={year}").status_code == 200


@pytest.mark.parametrize("year", [1900, 2012, 2099])
def test_a_year_with_nothing_in_it_is_not_locked(office: Office, steward: Client, year: int) -> None:
    answer = steward.post(f"/years/{year}/lock", {"reason": "年度终了"})

    assert answer.status_code == 422 and "还不能办理" in answer.text
    assert office.warehouse.last_lock(office.settings.family, year) is None


@pytest.mark.parametrize(
    "name",
    ["a/b.xlsx", "a\\b.xlsx", "长" * 100 + ".xlsx", "x" * 300 + ".xlsx", "..", "a/..", ".hidden.xlsx", "~$a.xlsx"],
)
def test_a_trial_of_whatever_name_is_one(app: FastAPI, office: Office, steward: Client, name: str) -> None:
    answer = steward.post("/months/2014-01/upload", files={"file": (name, haidian_corrected(office))})

    assert answer.status_code == 303
    assert "采用并重跑" in finished(steward, where := answer.headers["location"])
    assert any(
        "2014-01" in one.text.en for one in app.state.desk.jobs.get(where[len("/runs/") :]).result.rehearsed.would
    )

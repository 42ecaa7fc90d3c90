"""The database is away, or somebody writes into it for long: it is told as something that passes, to nobody with its address."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk import standing
from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.standing import Desk
from disclosure_etl.desk.tokens import issue
from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.conftest import JANUARY, PASSWORD, Client, haidian_corrected, sign_in
from tests.desk.test_deciding import CASES
from tests.desk.test_signing_off import finished
from tests.factories import FAMILY


@pytest.fixture
def anybody(app: FastAPI) -> TestClient:
    """Somebody who is not signed in."""
    return TestClient(app, base_url="http://desk", headers={"Origin": "http://desk"}, follow_redirects=False)


@pytest.fixture
def take_away(office: Office) -> Callable[[], str]:
    """Take the database away; where it was."""

    def taken() -> str:
        office.warehouse.close()
        file = Path(str(office.warehouse.engine.url.database))
        file.rename(f"{file}.away")
        file.mkdir()
        return str(file)

    return taken


def test_a_database_that_is_away_is_told_in_both_languages_and_its_address_to_the_log_alone(
    steward: Client, anybody: TestClient, take_away: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    place = take_away()

    with caplog.at_level(logging.WARNING):
        first = steward.get("/months/2014-01")
        steward.http.cookies.set("language", "en")
        answers = [
            first,
            steward.get("/months/2014-01"),
            anybody.post("/login", data={"login": "wang", "password": PASSWORD}),
            steward.post("/months/2014-01/cases/0123456789abcdef/waive", {"seen": "", "reason": "核实无误"}),
        ]

    assert [one.status_code for one in answers] == [503] * 4
    assert all(int(one.headers["retry-after"]) > 0 for one in answers)
    assert "数据库暂时无法使用" in answers[0].text and "数据库暂时无法使用" in answers[2].text
    assert "The database cannot be used just now" in answers[1].text
    assert not any(place in one.text or "warehouse" in one.text for one in answers)
    assert sum(place in one.getMessage() for one in caplog.records) == 4


def test_more_at_once_than_the_database_takes_are_told_so(office: Office, steward: Client) -> None:
    engine = office.warehouse.engine
    engine.pool._timeout = 0.1  # of its own accord it waits half a minute
    with ExitStack() as others:
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            others.enter_context(engine.connect())
        answer = steward.get("/months/2014-01")

    assert answer.status_code == 503 and "同时使用的人太多" in answer.text
    assert steward.get("/months/2014-01").status_code == 200


def test_who_has_the_office_is_told_to_the_log_of_a_run_that_could_not_begin(
    office: Office, steward: Client, caplog: pytest.LogCaptureFixture
) -> None:
    own = office.settings.file.model_copy(update={"run_patience_seconds": 0.1})
    object.__setattr__(office, "settings", replace(office.settings, file=own))
    with office.alone("consolidate 2014-02"), caplog.at_level(logging.WARNING):
        shown = finished(steward, steward.post("/months/2014-01/rerun").headers["location"])

    assert "另一个运行正在进行" in shown and "consolidate 2014-02" not in shown
    assert any(
        "consolidate 2014-02" in one.getMessage() and str(os.getpid()) in one.getMessage() for one in caplog.records
    )


def test_the_api_answers_503_and_the_same_succeeds_later(
    office: Office, app: FastAPI, take_away: Callable[[], str]
) -> None:
    token, _ = issue(office, "t", "haidian", None)
    api = TestClient(app)
    headers = {"Authorization": f"Bearer {token}", "X-File-Name": "a.xlsx", "Content-Type": "application/octet-stream"}
    data = haidian_corrected(office)
    place = take_away()

    answers = [
        api.get("/api/v1/submissions", headers=headers),
        api.post("/api/v1/submissions", headers=headers, content=data),
    ]

    for one in answers:
        assert one.status_code == 503 and int(one.headers["retry-after"]) > 0
        assert one.headers["content-type"] == "application/problem+json" and place not in one.text
        assert {"zh", "en"} == set(one.json()["detail"])
    Path(place).rmdir()
    Path(f"{place}.away").rename(place)
    assert api.post("/api/v1/submissions", headers=headers, content=data).status_code == 202


def test_while_somebody_tries_a_file_out_pages_are_had_at_once_and_signing_in_is_told_as_busy(
    office_on: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "_PATIENCE", 0.5)
    desk = Desk(office_on, run_period)
    app = create_app(desk)
    steward, reporter = sign_in(app, "wang"), sign_in(app, "hd")
    monkeypatch.setattr(standing, "_SEEN_AGAIN", timedelta(seconds=-1))  # each request notes its session
    anybody = TestClient(app, base_url="http://desk", headers={"Origin": "http://desk"}, follow_redirects=False)
    case = CASES + "/" + re.search(r'cases/([0-9a-f]{16})"', steward.get(CASES).text)[1]
    before = time.monotonic()

    with office_on.rehearsing():
        pages = [steward.get("/months/2014-01"), steward.get("/months/2014-01/cases"), reporter.get("/own")]
        right = anybody.post("/login", data={"login": "zhao", "password": PASSWORD})
        wrong = anybody.post("/login", data={"login": "zhao", "password": "not the password"})
        said = steward.post(f"{case}/comment", {"text": "写了很久的留言"})
        took = time.monotonic() - before

    assert [one.status_code for one in pages] == [200] * 3
    for one in (right, wrong):
        assert one.status_code == 503 and "数据库正忙" in one.text and int(one.headers["retry-after"]) > 0
    assert said.status_code == 503 and "写了很久的留言</textarea>" in said.text
    assert took < 10
    assert anybody.post("/login", data={"login": "zhao", "password": PASSWORD}).status_code == 303
    key = next(one.key for one in office_on.warehouse.people() if one.login == "wang")
    assert office_on.warehouse.last_visit(key, FAMILY, JANUARY) is None
    steward.get("/months/2014-01")
    assert office_on.warehouse.last_visit(key, FAMILY, JANUARY) is not None
    desk.jobs.close()

"""The output folder cannot be written: what was decided is told as decided, and its files are written by what publishes next."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI

from disclosure_etl import signing
from disclosure_etl.office import Office
from disclosure_etl.reports.publishing import begin_publishing, table_path
from disclosure_etl.warehouse import LOCK, YearLock
from schemas.periods import Frequency, Period
from tests.desk.conftest import JANUARY, Client
from tests.desk.test_deciding import CASES, case, seen
from tests.desk.test_signing_off import WITHOUT, hash_shown, newest, two_people
from tests.factories import FAMILY

__all__ = ["case"]


@pytest.fixture
def spoil(office: Office) -> Callable[[], Callable[[], None]]:
    """Make the output folder one that cannot be written; what is given mends it."""
    begin_publishing(office)
    folder = office.settings.reports_path

    def spoilt() -> Callable[[], None]:
        folder.rename(f"{folder}.kept")
        folder.write_text("no folder")

        def mend() -> None:
            folder.unlink()
            shutil.move(f"{folder}.kept", folder)

        return mend

    return spoilt


def told(answer: httpx.Response) -> str:
    """What a page after a form tells once."""
    return bytes.fromhex(unquote(answer.cookies["notice"])).decode()


def test_a_decision_is_told_as_decided_and_the_next_one_writes_its_tables(
    office: Office,
    steward: Client,
    case: str,
    spoil: Callable[[], Callable[[], None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    mend = spoil()

    answer = steward.post(f"{case}/waive", {"seen": seen(steward, case), "reason": "核实无误"})

    assert answer.status_code == 303 and answer.headers["location"] == CASES
    assert "已接受" in told(answer) and "没有写成" in told(answer)
    assert len(office.warehouse.waivers(FAMILY)) == 3
    assert any(one.exc_info for one in caplog.records)  # why, for whoever mends it
    mend()
    unwritten = office.warehouse.consolidation(FAMILY, JANUARY)
    assert not table_path(office, unwritten).exists()
    again = steward.post(f"{case}/unwaive", {"seen": seen(steward, case), "reason": "看错了"})
    assert "没有写成" not in told(again)
    assert table_path(office, unwritten).exists()


def test_the_second_word_ends_the_proposal_all_the_same(
    app: FastAPI, office: Office, as_: Callable[[str], Client], spoil: Callable[[], Callable[[], None]]
) -> None:
    two_people(app)
    wang, li = as_("wang"), as_("li")
    shown = hash_shown(wang.get("/months/2014-01/sign-off"))
    wang.post("/months/2014-01/sign-off", WITHOUT | {"content_hash": shown})
    number = office.warehouse.open_proposal("sign_off", FAMILY, JANUARY).number
    spoil()

    answer = li.post("/months/2014-01/sign-off/second", {"number": number, "answer": "sign"})

    assert answer.status_code == 303 and "没有写成" in told(answer)
    assert newest(office).signed is not None
    assert office.warehouse.open_proposal("sign_off", FAMILY, JANUARY) is None


def test_reopening_ends_the_proposal_all_the_same(
    office: Office,
    as_: Callable[[str], Client],
    spoil: Callable[[], Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = Period(Frequency.YEARLY, 2013, 1)
    office.warehouse.lock_year(YearLock(LOCK, FAMILY, 2013, "li", None, "年度终了", office.clock()))
    assert as_("wang").post("/years/2013/reopen", {"reason": "更正"}).status_code == 303
    waits = office.warehouse.open_proposal("reopen", FAMILY, whole)
    followed = SimpleNamespace(consolidations=(office.warehouse.consolidation(FAMILY, JANUARY),))
    reopened = SimpleNamespace(hindrances=(), followed=followed)
    monkeypatch.setattr(signing, "reopen_year", lambda *_: reopened)
    spoil()

    answer = as_("li").post("/years/2013/reopen/second", {"number": waits.number, "answer": "reopen"})

    assert answer.status_code == 303 and "没有写成" in told(answer)
    assert office.warehouse.open_proposal("reopen", FAMILY, whole) is None

"""A corrected file in the steward's hands: what it would change is seen first, nothing changes before, and it is taken once."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI

from disclosure_etl.desk import corrections
from disclosure_etl.office import Office
from schemas.errors import UserError
from tests.desk.conftest import JANUARY, Client, haidian_corrected
from tests.desk.test_own import everything, rows
from tests.desk.test_signing_off import finished
from tests.factories import default_form, return_bytes, some_figures


def tried(steward: Client, data: bytes) -> str:
    answer = steward.post("/months/2014-01/upload", files={"file": ("海淀更正.xlsx", data)})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_trial_tells_what_would_change_and_changes_nothing(office: Office, steward: Client) -> None:
    before = rows(office)

    shown = finished(steward, tried(steward, haidian_corrected(office)))

    assert "海淀更正.xlsx" in shown and "采用并重跑" in shown and "2014-01" in shown
    assert rows(office) == before
    assert office.warehouse.consolidation(office.settings.family, JANUARY).version == 1


def test_it_is_taken_once(office: Office, steward: Client) -> None:
    where = tried(steward, haidian_corrected(office))
    finished(steward, where)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: steward.post(f"{where}/take"), range(4)))
    (taken,) = [one for one in answers if one.status_code == 303]
    finished(steward, taken.headers["location"])
    late = [one for one in answers if one is not taken] + [steward.post(f"{where}/take")]
    assert [one.status_code for one in late] == [409] * 4 and all("已经采用" in one.text for one in late)

    one = office.warehouse.consolidation(office.settings.family, JANUARY)
    assert one.version == 2
    assert next(state.status for state in one.bureaus if state.bureau == "haidian") == "accepted"
    kept = [name for name in everything(office.settings.uploads_path) if name.endswith(".xlsx")]
    assert len(kept) == 1 and len(office.warehouse.uploads("haidian")) == 1


def test_what_nobody_took_is_kept_for_a_week(office: Office, steward: Client) -> None:
    where = tried(steward, haidian_corrected(office))
    finished(steward, where)
    (folder,) = (office.settings.uploads_path / corrections._TRIALS).iterdir()
    for days, is_there in ((6, True), (8, False)):
        then = time.time() - days * 86400
        os.utime(folder, (then, then))
        finished(steward, tried(steward, haidian_corrected(office)))
        assert folder.exists() == is_there

    answer = steward.post(f"{where}/take")
    assert answer.status_code == 409 and "重新上传" in answer.text


def test_an_old_trial_that_is_being_taken_is_not_taken_away(office: Office, steward: Client) -> None:
    finished(steward, tried(steward, haidian_corrected(office)))
    (folder,) = (office.settings.uploads_path / corrections._TRIALS).iterdir()
    then = time.time() - 8 * 86400
    os.utime(folder, (then, then))

    with corrections._claimed(folder) as claimed:
        corrections._forget_the_old(office)
        assert [path.name for path in claimed.iterdir()] == ["海淀更正.xlsx"]


def test_a_file_of_nobody_is_not_taken(steward: Client) -> None:
    where = tried(steward, b"\xff\xd8\xff\xe0 a photograph")
    shown = finished(steward, where)

    assert "无法读取" in shown
    assert steward.post(f"{where}/take").status_code == 422


def test_what_cannot_be_kept_can_be_taken_later(
    office: Office, steward: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tried(steward, haidian_corrected(office))
    finished(steward, where)

    def full(*_: object) -> None:
        raise UserError("磁盘已满。", "The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(corrections, "receive", full)
        assert steward.post(f"{where}/take").status_code == 422
    assert steward.post(f"{where}/take").status_code == 303


def test_what_is_taken_while_its_month_is_being_rerun_is_taken_by_another_run(
    app: FastAPI, office: Office, steward: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    dongcheng = return_bytes(default_form(), JANUARY, "dongcheng", "东城分局", some_figures(default_form(), 1), 5)
    trials = [tried(steward, data) for data in (haidian_corrected(office), dongcheng)]
    for where in trials:
        finished(steward, where)
    rerun, looked, may_end = app.state.desk.rerun, threading.Event(), threading.Event()

    def slow(*given: Any, **options: Any) -> Any:
        done = rerun(*given, **options)
        looked.set()
        assert may_end.wait(30)
        return done

    monkeypatch.setattr(app.state.desk, "rerun", slow)
    first = steward.post(f"{trials[0]}/take").headers["location"]
    assert looked.wait(30)
    second = steward.post(f"{trials[1]}/take").headers["location"]
    third = steward.post("/months/2014-01/rerun").headers["location"]  # one that waits is enough
    may_end.set()
    finished(steward, second)

    assert first != second == third
    for bureau in ("haidian", "dongcheng"):
        assert len(office.warehouse.returns(office.settings.family, JANUARY, bureau)) == 2

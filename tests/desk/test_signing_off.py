"""Signing a month off at the desk: what stands in the way, by whom, that nobody signs what they did not see; years and runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from disclosure_etl.desk import signing_off
from disclosure_etl.office import Office
from disclosure_etl.warehouse import LOCK, REOPEN, YearLock
from flows.running import run_period
from schemas.consolidation import VersionStatus
from schemas.periods import Period
from tests.desk.conftest import JANUARY, Client, send_correction
from tests.factories import FAMILY

WITHOUT = {"missing": "yanqing", "acknowledge": "已电话核实", "without_held": "true"}


def newest(office: Office):
    return office.warehouse.frozen_versions(office.settings.family, [JANUARY])[-1]


def hash_shown(answer: httpx.Response) -> str:
    return re.search(r'name="content_hash" value="([0-9a-f]{64})"', answer.text)[1]


def two_people(app: FastAPI) -> None:
    desk = app.state.desk
    settings = desk.office.settings
    file = settings.file.model_copy(
        update={"sign_off": settings.file.sign_off.model_copy(update={"two_persons": True})}
    )
    object.__setattr__(desk.office, "settings", replace(settings, file=file))


def test_what_stands_in_the_way_is_listed_with_where_to_go(steward: Client) -> None:
    shown = steward.get("/months/2014-01/sign-off")

    assert 'href="/months/2014-01/cases?severity=error&amp;state=open"' in shown.text
    assert "海淀分局" in shown.text and "延庆分局" in shown.text


def test_nobody_signs_over_held_blocks_or_unnamed_bureaus(office: Office, steward: Client) -> None:
    shown = hash_shown(steward.get("/months/2014-01/sign-off"))

    for left_out in WITHOUT:
        sent = {name: value for name, value in WITHOUT.items() if name != left_out} | {"content_hash": shown}
        if left_out == "acknowledge":
            continue  # the month has no warning: nothing to acknowledge
        assert steward.post("/months/2014-01/sign-off", sent).status_code == 422, left_out
    assert newest(office).status is VersionStatus.PROVISIONAL


def test_a_sign_off_leads_to_its_receipt(office: Office, steward: Client) -> None:
    shown = hash_shown(steward.get("/months/2014-01/sign-off"))
    answer = steward.post("/months/2014-01/sign-off", WITHOUT | {"content_hash": shown})
    assert answer.headers["location"] == "/months/2014-01/receipt", answer.text

    signed, receipt = newest(office), steward.get("/months/2014-01/receipt").text
    assert signed.signed.by == "wang的姓名(wang)"
    assert signed.content_hash in receipt
    (event,) = office.warehouse.audit_events("sign")
    assert event.hash in receipt and event.actor == "wang的姓名(wang)"
    again = steward.post("/months/2014-01/sign-off", WITHOUT | {"content_hash": shown})
    assert again.status_code == 303
    assert len(office.warehouse.audit_events("sign")) == 1


def test_nobody_signs_a_version_that_they_did_not_see(office: Office, steward: Client) -> None:
    shown = hash_shown(steward.get("/months/2014-01/sign-off"))
    send_correction(office)
    run_period(office, office.settings.family, JANUARY, command="rerun")

    answer = steward.post("/months/2014-01/sign-off", WITHOUT | {"content_hash": shown})

    assert answer.status_code == 409
    assert newest(office).status is VersionStatus.PROVISIONAL


LOST = [{"active": False}, {"role": "auditor"}]


def lose(office: Office, login: str, change: dict[str, Any]) -> None:
    """Somebody loses the account, or what comes with its role."""
    office.warehouse.change_person(office.warehouse.person_by_login(login)[0].key, change)


def test_where_two_sign_one_is_not_enough_and_nobody_is_two(
    app: FastAPI, office: Office, as_: Callable[[str], Client]
) -> None:
    two_people(app)
    wang, li = as_("wang"), as_("li")
    shown = hash_shown(wang.get("/months/2014-01/sign-off"))
    wang.post("/months/2014-01/sign-off", WITHOUT | {"content_hash": shown})
    number = office.warehouse.open_proposal("sign_off", office.settings.family, JANUARY).number
    assert newest(office).signed is None

    own = wang.post("/months/2014-01/sign-off/second", {"number": number, "answer": "sign"})
    assert own.status_code == 403
    assert newest(office).signed is None

    assert li.post("/months/2014-01/sign-off/second", {"number": number, "answer": "sign"}).status_code == 303
    signed = newest(office).signed
    assert (signed.by, signed.second) == ("wang的姓名(wang)", "li的姓名(li)")
    late = li.post("/months/2014-01/sign-off/second", {"number": number, "answer": "sign"})
    assert late.status_code == 409


def test_of_two_first_words_the_earlier_stands_and_the_later_is_told(
    app: FastAPI, office: Office, as_: Callable[[str], Client]
) -> None:
    two_people(app)
    wang, li = as_("wang"), as_("li")
    shown = {"content_hash": hash_shown(wang.get("/months/2014-01/sign-off"))}
    assert wang.post("/months/2014-01/sign-off", WITHOUT | shown | {"note": "一月"}).status_code == 303
    assert wang.post("/months/2014-01/sign-off", WITHOUT | shown | {"note": "一月份"}).status_code == 303  # one's own
    late = li.post("/months/2014-01/sign-off", WITHOUT | shown | {"note": "月报"})

    assert late.status_code == 409 and "wang的姓名(wang) 已于 2014-03-06 09:00 先行提出" in late.text
    waits = office.warehouse.open_proposal("sign_off", FAMILY, JANUARY)
    assert (waits.by, waits.details["note"]) == ("wang的姓名(wang)", "一月份")
    answer = li.post("/months/2014-01/sign-off/second", {"number": waits.number, "answer": "sign"})
    assert answer.status_code == 303 and newest(office).signed.second == "li的姓名(li)"


@pytest.mark.parametrize("change", LOST)
def test_a_first_word_that_counts_no_longer_hinders_nobody(
    app: FastAPI, office: Office, as_: Callable[[str], Client], change: dict[str, Any]
) -> None:
    two_people(app)
    wang, li = as_("wang"), as_("li")
    shown = {"content_hash": hash_shown(wang.get("/months/2014-01/sign-off"))}
    wang.post("/months/2014-01/sign-off", WITHOUT | shown)
    lose(office, "wang", change)

    assert li.post("/months/2014-01/sign-off", WITHOUT | shown).status_code == 303
    assert office.warehouse.open_proposal("sign_off", FAMILY, JANUARY).by == "li的姓名(li)"


def test_of_two_who_give_the_first_word_at_the_same_moment_one_does(
    app: FastAPI, office: Office, as_: Callable[[str], Client]
) -> None:
    two_people(app)
    people = [as_(login) for login in ("wang", "zhao", "li")]
    shown = {"content_hash": hash_shown(people[0].get("/months/2014-01/sign-off"))}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda one: one.post("/months/2014-01/sign-off", WITHOUT | shown), people))

    assert sorted(one.status_code for one in answers) == [303, 409, 409]


def test_the_first_word_for_reopening_a_year_is_not_overwritten(office: Office, as_: Callable[[str], Client]) -> None:
    year = Period.parse("2013")
    office.warehouse.lock_year(YearLock(LOCK, FAMILY, 2013, "li", None, "年度终了", office.clock()))
    wang, li = as_("wang"), as_("li")
    assert wang.post("/years/2013/reopen", {"reason": "更正五月"}).status_code == 303
    late = li.post("/years/2013/reopen", {"reason": "更正六月"})

    assert late.status_code == 409 and "wang的姓名(wang)" in late.text and "更正六月" in late.text
    assert office.warehouse.open_proposal("reopen", FAMILY, year).details["reason"] == "更正五月"


def test_a_word_for_reopening_is_about_the_lock_that_was_seen(office: Office, as_: Callable[[str], Client]) -> None:
    year, at = Period.parse("2013"), office.clock()
    wang, li = as_("wang"), as_("li")

    def locked(action: str, minutes: int) -> None:
        second = "li" if action == REOPEN else None
        office.warehouse.lock_year(
            YearLock(action, FAMILY, 2013, "wang", second, "年度终了", at + timedelta(minutes=minutes))
        )

    locked(LOCK, 0)
    assert wang.post("/years/2013/reopen", {"reason": "更正五月"}).status_code == 303
    number = office.warehouse.open_proposal("reopen", FAMILY, year).number
    locked(REOPEN, 1)  # from the command line
    locked(LOCK, 2)

    late = li.post("/years/2013/reopen/second", {"number": number, "answer": "reopen"})
    assert late.status_code == 409 and "情况有了变化" in late.text
    assert office.warehouse.last_lock(FAMILY, 2013).action == LOCK
    assert wang.post("/years/2013/reopen", {"reason": "更正五月"}).status_code == 303
    locked(REOPEN, 3)
    locked(LOCK, 4)
    assert li.post("/years/2013/reopen", {"reason": "更正六月"}).status_code == 303  # wang's was about another lock
    assert office.warehouse.open_proposal("reopen", FAMILY, year).by == "li的姓名(li)"


def test_a_first_word_while_the_month_is_signed_is_told_so(
    app: FastAPI, office: Office, as_: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    two_people(app)
    wang, li = as_("wang"), as_("li")
    shown = {"content_hash": hash_shown(wang.get("/months/2014-01/sign-off"))}
    wang.post("/months/2014-01/sign-off", WITHOUT | shown)
    number = office.warehouse.open_proposal("sign_off", FAMILY, JANUARY).number
    weighed = signing_off.signing.hindrances_of

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.undo()
        assert li.post("/months/2014-01/sign-off/second", {"number": number, "answer": "sign"}).status_code == 303
        return weighed(*arguments)

    monkeypatch.setattr(signing_off.signing, "hindrances_of", meanwhile)
    answer = wang.post("/months/2014-01/sign-off", WITHOUT | shown)

    assert answer.status_code in (409, 422)  # signed, it has nothing left to say
    assert office.warehouse.open_proposal("sign_off", FAMILY, JANUARY) is None


def test_a_word_for_an_older_version_is_worth_nothing(
    app: FastAPI, office: Office, as_: Callable[[str], Client]
) -> None:
    two_people(app)
    wang, li = as_("wang"), as_("li")
    shown = hash_shown(wang.get("/months/2014-01/sign-off"))
    wang.post("/months/2014-01/sign-off", WITHOUT | {"content_hash": shown})
    number = office.warehouse.open_proposal("sign_off", office.settings.family, JANUARY).number
    send_correction(office)
    run_period(office, office.settings.family, JANUARY, command="rerun")

    answer = li.post("/months/2014-01/sign-off/second", {"number": number, "answer": "sign"})

    assert answer.status_code == 409
    assert newest(office).signed is None
    assert office.warehouse.open_proposal("sign_off", office.settings.family, JANUARY) is None


@pytest.mark.parametrize("change", LOST)
def test_the_word_of_somebody_who_may_no_longer_sign_is_worth_nothing(
    app: FastAPI, office: Office, as_: Callable[[str], Client], change: dict[str, Any]
) -> None:
    two_people(app)
    wang, li = as_("wang"), as_("li")
    shown = hash_shown(wang.get("/months/2014-01/sign-off"))
    wang.post("/months/2014-01/sign-off", WITHOUT | {"content_hash": shown})
    number = office.warehouse.open_proposal("sign_off", office.settings.family, JANUARY).number
    lose(office, "wang", change)

    answer = li.post("/months/2014-01/sign-off/second", {"number": number, "answer": "sign"})

    assert answer.status_code == 409 and "没有签发权限" in answer.text
    assert newest(office).signed is None
    assert office.warehouse.open_proposal("sign_off", office.settings.family, JANUARY) is None


@pytest.mark.parametrize("change", LOST)
def test_a_year_is_not_reopened_by_somebody_who_may_no_longer_sign(
    office: Office, as_: Callable[[str], Client], change: dict[str, Any]
) -> None:
    family, year = office.settings.family, Period.parse("2013")
    office.warehouse.lock_year(YearLock(LOCK, family, 2013, "li", None, "年度终了", office.clock()))
    wang, li = as_("wang"), as_("li")
    assert wang.post("/years/2013/reopen", {"reason": "更正"}).status_code == 303
    number = office.warehouse.open_proposal("reopen", family, year).number
    lose(office, "wang", change)

    answer = li.post("/years/2013/reopen/second", {"number": number, "answer": "reopen"})

    assert answer.status_code == 409 and "没有签发权限" in answer.text
    assert office.warehouse.last_lock(family, 2013).action == LOCK
    assert office.warehouse.open_proposal("reopen", family, year) is None


def test_a_year_that_is_not_final_is_not_locked(steward: Client) -> None:
    answer = steward.post("/years/2014/lock", {"reason": "年度终了"})

    assert answer.status_code == 422
    assert "2014-01" in answer.text
    assert 'href="/months/2014-01/sign-off"' in answer.text  # where it is dealt with
    assert 'href="/months/2014-03"' in answer.text
    assert "disclosure-etl" not in answer.text  # the pages have no command line
    assert "年度终了</textarea>" in answer.text
    assert steward.post("/years/2014/lock", {"reason": " "}).status_code == 422
    assert steward.post("/years/2014/reopen", {"reason": "更正"}).status_code == 409


def finished(client: Client, where: str) -> str:
    """What a run's page says once it is over."""
    for _ in range(600):
        shown = client.get(where).text
        if "hx-trigger" not in shown:
            return shown
        time.sleep(0.05)
    raise AssertionError("the run does not end")


def test_a_rerun_takes_a_correction_and_tells_what_came_of_it(office: Office, steward: Client) -> None:
    send_correction(office)
    answer = steward.post("/months/2014-01/rerun")

    shown = finished(steward, answer.headers["location"])

    assert "2014-01" in shown and "2014-02" in shown
    assert newest(office).version == 2
    states = {
        state.bureau: state.status for state in office.warehouse.consolidation(office.settings.family, JANUARY).bureaus
    }
    assert states["haidian"] == "accepted"
    assert office.warehouse.audit_events("load")[-1].actor == "wang"


def test_a_second_press_starts_no_second_run(steward: Client) -> None:
    first, second = (steward.post("/months/2014-01/rerun").headers["location"] for _ in range(2))

    finished(steward, second)
    assert first == second or "hx-trigger" not in steward.get(first).text


def test_nobody_watches_the_run_of_another(steward: Client, as_: Callable[[str], Client]) -> None:
    where = steward.post("/months/2014-01/rerun").headers["location"]

    assert as_("zhao").get(where).status_code == 404
    finished(steward, where)


def test_a_program_fault_of_a_run_is_told_as_one_and_shows_nothing_of_itself(
    app: FastAPI, steward: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(app.state.desk, "rerun", broken)
    shown = finished(steward, steward.post("/months/2014-01/rerun").headers["location"])

    assert "程序故障" in shown and "secret" not in shown


def test_what_is_signed_is_shown_with_what_is_held_in_it(office: Office, steward: Client) -> None:
    """Nobody answers by name for a number that they have not seen."""
    shown = steward.get("/months/2014-01/sign-off").text.split('id="totals"')[1]
    version = office.warehouse.consolidation(office.settings.family, JANUARY)
    figures = {one.indicator: one for one in version.figures if one.column == "month"}
    rows = dict(re.findall(r'<tr><th scope="row">([^<]+)</th><td class="number">([^<]+)</td>', shown))

    assert rows["接受咨询"] == f"{figures['enquiries'].value:,}*"  # Haidian's are held
    assert rows["主动公开政府信息"] == f"{figures['publications'].value:,}"
    assert "* 含暂存板块的填报数" in shown

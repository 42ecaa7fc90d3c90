"""A bureau at its own pages: what is due, checking that stores nothing, sending, its notices and deltas; and nothing of others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from disclosure_etl.office import Office
from flows.running import run_period
from schemas.periods import Period
from tests.desk.conftest import FEBRUARY, JANUARY, Client, haidian_corrected
from tests.factories import default_form, return_bytes, some_figures, with_slip


@pytest.fixture
def haidian(as_: Callable[[str], Client]) -> Client:
    """The reporter of Haidian."""
    return as_("hd")


def everything(folder: Path) -> dict[str, str]:
    """Every file below a folder, and what is in it; the database by its rows."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "warehouse.sqlite" not in path.name
    }


def rows(office: Office) -> dict[str, int]:
    with office.warehouse.copied() as copy:
        return {name: len(list(lines)) for name, _, lines in copy.tables()}


def sent(data: bytes, name: str = "海淀.xlsx") -> dict:
    return {"files": {"file": (name, data)}}


def test_it_sees_what_is_due_and_how_it_stands(haidian: Client) -> None:
    shown = haidian.get("/own").text

    assert "2014-01" in shown and "部分暂存" in shown and "2014-03" in shown
    month = haidian.get("/own/months/2014-01").text
    assert "各分项合计 10" in month and "接受咨询" in month


def test_a_month_that_nobody_consolidated_has_no_figures_and_leads_no_further_than_today(haidian: Client) -> None:
    shown = haidian.get("/own/months/2014-03").text

    assert "这个月还没有汇总" in shown
    assert "受理申请" not in shown  # February's cumulatives are no figures of March
    assert "/own/months/2014-02" in shown
    assert "/own/months/2014-04" not in shown


def test_the_year_begins_where_the_office_does_and_with_what_was_sent(office: Office, haidian: Client) -> None:
    strip = r'class="code">([0-9-]+)<'
    assert re.findall(strip, haidian.get("/own").text) == ["2014-01", "2014-02", "2014-03"]
    form, november = default_form(), Period.parse("2013-11")
    haidian.post("/own/send", **sent(return_bytes(form, november, "haidian", "海淀分局", some_figures(form, 11), 1)))

    shown = haidian.get("/own").text
    assert re.findall(strip, shown) == ["2013-11", "2014-01", "2014-02", "2014-03"]
    assert "已报,待汇总" in shown


def test_checking_stores_nothing_at_all(office: Office, haidian: Client, tmp_path: Path) -> None:
    form = default_form()
    wrong = return_bytes(form, JANUARY, "haidian", "海淀分局", with_slip(), 2)
    before = everything(tmp_path), rows(office)

    answer = haidian.post("/own/check", **sent(wrong))

    assert answer.status_code == 200 and "各分项合计 10" in answer.text
    assert (everything(tmp_path), rows(office)) == before


def test_what_is_sent_is_taken_by_the_next_run(office: Office, haidian: Client) -> None:
    answer = haidian.post("/own/send", **sent(haidian_corrected(office)))
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert "已收到" in haidian.get(where).text and "已报,待汇总" in haidian.get("/own").text

    run_period(fresh(office), office.settings.family, JANUARY, command="rerun")

    states = office.warehouse.consolidation(office.settings.family, JANUARY).bureaus
    assert next(one.status for one in states if one.bureau == "haidian") == "accepted"
    assert "已认定" in haidian.get("/own").text and "已认定" in haidian.get(where).text


def fresh(office: Office) -> Office:
    """The office as a run of its own would open it: sources are looked for once."""
    return Office(office.settings, office.clock)


@pytest.mark.parametrize("where", ["/own/check", "/own/send"])
def test_nobody_sends_the_return_of_another_bureau(office: Office, haidian: Client, where: str) -> None:
    form = default_form()
    other = return_bytes(form, JANUARY, "dongcheng", "东城分局", some_figures(form), 2)

    assert haidian.post(where, **sent(other)).status_code == 422
    assert office.warehouse.uploads("haidian") == []
    assert not office.settings.uploads_path.exists()


def test_a_file_larger_than_the_limit_is_refused(office: Office, haidian: Client) -> None:
    limits = office.settings.file.limits.model_copy(update={"max_bytes": 1000})
    object.__setattr__(office.settings, "file", office.settings.file.model_copy(update={"limits": limits}))

    assert haidian.post("/own/send", **sent(b"x" * 1001)).status_code == 413
    assert office.warehouse.uploads("haidian") == []


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nothing", b"\xff\xd8\xff\xe0 a photograph", "没有表".encode()])
def test_what_cannot_be_read_is_told(haidian: Client, data: bytes) -> None:
    answer = haidian.post("/own/check", **sent(data))

    assert answer.status_code == 200
    assert "无法读取" in answer.text or "没有" in answer.text


def test_the_template_is_prefilled_and_its_own(haidian: Client) -> None:
    answer = haidian.get("/own/template/2014-03")

    assert answer.status_code == 200 and answer.content[:2] == b"PK"


def test_deltas_are_confirmed_once_and_only_as_they_were_seen(office: Office, haidian: Client) -> None:
    form = default_form()
    figures = some_figures(form, 1)
    for name in ("litigation.received", "litigation.upheld"):
        for column in ("month", "year_to_date"):
            figures[(name, column)] += 1
    haidian.post("/own/send", **sent(return_bytes(form, JANUARY, "haidian", "海淀分局", figures, 2)))
    run_period(fresh(office), office.settings.family, JANUARY, command="rerun")
    seen = re.search(r'name="seen" value="([0-9a-f]{16})"', haidian.get("/own").text)
    assert seen is not None

    assert haidian.post("/own/deltas", {"seen": "0" * 16, "reason": "一月更正"}).status_code == 409
    assert haidian.post("/own/deltas", {"seen": seen[1], "reason": "一月更正"}).status_code == 303
    assert 'name="seen"' not in haidian.get("/own").text
    assert haidian.post("/own/deltas", {"seen": seen[1], "reason": "一月更正"}).status_code == 409
    states = office.warehouse.consolidation(office.settings.family, FEBRUARY).bureaus
    assert not next(one.stale for one in states if one.bureau == "haidian")


def test_a_return_that_was_sent_back_is_told_with_its_notice(
    office: Office, haidian: Client, steward: Client, as_: Callable[[str], Client]
) -> None:
    listed = steward.get("/months/2014-01/cases").text
    case = "/months/2014-01/cases/" + re.search(r'cases/([0-9a-f]{16})"', listed)[1]
    shown = re.search(r'name="seen" value="([0-9a-f]{16})"', steward.get(case).text)[1]
    steward.post(f"{case}/return", {"seen": shown, "reason": "分项与总数不符"})

    front = haidian.get("/own").text
    where = re.search(r'href="(/own/returns/[^"]+/notice)"', front)[1]
    assert "分项与总数不符" in front
    for path in (where, f"{where}.docx", where.removesuffix("notice") + "workbook"):
        assert haidian.get(path).status_code == 200, path
        assert as_("dc").get(path).status_code == 404, path


def test_nothing_of_another_bureau_stands_on_its_pages(office: Office, haidian: Client) -> None:
    others = [
        word
        for one in office.bureaus.bureaus
        if one.code not in ("haidian", office.settings.bureau)
        for word in (one.code, one.name_zh)
    ]
    for path in ("/own", "/own/months/2014-01", "/own/months/2014-02", "/account"):
        shown = haidian.get(path).text
        assert [word for word in others if word in shown] == [], path

"""The month at a glance and the year as a calendar: what is shown, in which order, found how, and what changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from disclosure_etl.decisions import Word, waive_many
from disclosure_etl.desk import months, shown
from disclosure_etl.office import Office
from flows.running import run_period
from schemas.periods import Period
from schemas.records import Severity
from tests.desk.conftest import FEBRUARY, JANUARY, Client, send_correction
from tests.factories import default_form, return_bytes, send, some_figures


def rows(text: str) -> list[str]:
    """The bureaus of a page, in order."""
    return [part.split(">")[1].split("<")[0] for part in text.split('<th scope="row"><a ')[1:]]


def test_what_needs_a_person_comes_first(steward: Client) -> None:
    shown = rows(steward.get("/months/2014-01").text)

    assert shown[:2] == ["海淀分局", "延庆分局"]
    assert len(shown) == 17


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("show=missing", ["延庆分局"]),
        ("show=held", ["海淀分局"]),
        ("q=海淀", ["海淀分局"]),
        ("q=HAIDIAN", ["海淀分局"]),
        ("q=nobody", []),
    ],
)
def test_bureaus_are_found(steward: Client, query: str, expected: list[str]) -> None:
    assert rows(steward.get(f"/months/2014-01?{query}").text) == expected


def test_more_than_a_screenful_is_paged_and_begins_with_what_needs_a_look(
    steward: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(months, "A_SCREENFUL", 5)

    assert rows(steward.get("/months/2014-01").text) == ["海淀分局", "延庆分局"]
    pages = [rows(steward.get(f"/months/2014-01?show=all&at={at}").text) for at in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [5, 5, 5, 2]
    assert len({bureau for page in pages for bureau in page}) == 17
    assert rows(steward.get("/months/2014-01?show=all&at=99").text) == pages[3]


def test_what_changed_since_the_last_visit_is_told_once(office: Office, steward: Client) -> None:
    assert "自您上次查看" not in steward.get("/months/2014-01").text
    send_correction(office)
    run_period(office, office.settings.family, JANUARY, command="rerun")

    assert "固化新版本" in steward.get("/months/2014-01").text
    assert "自您上次查看" not in steward.get("/months/2014-01").text


def test_a_month_that_nobody_consolidated_says_so(steward: Client, as_: Callable[[str], Client]) -> None:
    shown = steward.get("/months/2014-03")

    assert shown.status_code == 200 and "还没有汇总" in shown.text
    assert "/months/2014-03/rerun" in shown.text
    assert "/months/2014-03/rerun" not in as_("shen").get("/months/2014-03").text


@pytest.mark.parametrize("code", ["2014-13", "nonsense", "2014-01'; DROP TABLE"])
def test_what_is_no_month_is_told_as_that(steward: Client, code: str) -> None:
    assert steward.get(f"/months/{code}").status_code == 422


def test_the_calendar_has_every_bureau_and_month(steward: Client) -> None:
    shown = steward.get("/calendar?year=2014").text

    assert shown.count('<th scope="row">') == 17 + 1
    assert "/months/2014-01/cases?bureau=haidian" in shown
    assert shown.count("○") >= 1


def test_pages_speak_english_where_it_is_chosen(steward: Client) -> None:
    steward.get("/language/en?next=/months/2014-01")
    shown = steward.get("/months/2014-01").text

    assert '<html lang="en">' in shown
    assert "Take corrections and rerun" in shown and "Haidian" in shown


def test_the_table_is_the_one_that_was_written(office: Office, steward: Client) -> None:
    from disclosure_etl.reports.publishing import table_path

    one = office.warehouse.consolidation(office.settings.family, JANUARY)

    assert steward.get("/months/2014-01/table.xlsx").content == table_path(office, one).read_bytes()


def test_a_longer_period_is_its_months(office: Office, steward: Client) -> None:
    run_period(office, office.settings.family, Period.parse("2014Q1"))
    shown = steward.get("/months/2014Q1").text

    assert rows(shown) == ["2014-01", "2014-02", "2014-03"]
    assert 'href="/months/2014-01/cases?severity=error"' in shown
    assert "没有汇总" in shown and "/months/2014Q1/sign-off" in shown
    assert "/months/2014Q1/rerun" not in shown


def test_what_is_wrong_with_a_return_as_a_whole_stands_beside_its_state(office: Office, steward: Client) -> None:
    form = default_form()
    figures = some_figures(form, 2)
    data = return_bytes(form, FEBRUARY, "dongcheng", "东城分局", figures, 2, preparer="张三", checker="张三")
    send(office, "dongcheng_2014-02_r2.xlsx", data)
    run_period(office, office.settings.family, FEBRUARY)
    shown = steward.get("/months/2014-02?q=dongcheng").text

    assert 'class="whole" href="/months/2014-02/cases?bureau=dongcheng"' in shown


def test_an_error_whose_cause_alone_was_let_stand_is_a_case(office: Office, steward: Client) -> None:
    """By the command line one failure of a case can be accepted, and what has its cause goes on holding the block."""
    family = office.settings.family
    found = office.warehouse.failures(family, JANUARY, "haidian")
    main = next(one for one in found if one.failure.case is None and one.failure.severity is Severity.ERROR)
    attached = {one.failure.id for one in found if one.failure.case == main.failure.id}
    assert attached
    waive_many(office, family, [main], (JANUARY, JANUARY), Word("王芳", "电话核实"))

    assert set(office.warehouse.open_cases(family, JANUARY)) >= attached
    assert office.warehouse.open_by_severity(family, [JANUARY])[JANUARY.code, Severity.ERROR] == len(attached)
    assert 'class="count">' in steward.get("/months/2014-01?q=haidian").text


@pytest.mark.parametrize(
    ("value", "scale", "told"),
    [
        (None, 0, "—"),
        (1234567, 0, "1,234,567"),
        (3050, 2, "30.50"),
        (471170, 2, "4,711.70"),
        (-5, 2, "−0.05"),
        (300, 2, "3.00"),
    ],
)
def test_figures_are_written_with_all_their_places(value: int | None, scale: int, told: str) -> None:
    assert shown._figure(value, scale) == told

"""The month at a glance and the year as a calendar: what is shown, in which order, found how, and what changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from disclosure_etl.desk import months
from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.conftest import JANUARY, Client, send_correction


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

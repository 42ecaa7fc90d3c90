"""The other pages in a real browser: a case decided with and without JavaScript, axe. Days of roles have files of their own."""

from __future__ import annotations

import pytest

from disclosure_etl.office import Office
from flows.running import run_period
from schemas.periods import Period
from tests.desk.browsing import chromium, sitting
from tests.desk.conftest import JANUARY


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_case_is_looked_at_and_decided(served: str, office: Office, script: bool) -> None:
    with chromium() as browser, sitting(browser, served, script=script) as wang:
        page = wang.page
        wang.sign_in("wang")
        wang.go("/months/2014-01/cases")
        page.locator("[data-row]").first.click()
        assert page.locator("td.asked mark").count() == 4
        page.get_by_label("理由").fill("电话核实无误")
        page.get_by_role("button", name="照原样接受").click()
        page.wait_for_url("**/cases")
        assert "没有待定的条目" in page.content()
        assert len(office.warehouse.waivers(office.settings.family)) == 3


@pytest.mark.parametrize("width", [1280, 390])
def test_a_longer_period_is_for_everybody(served: str, office: Office, width: int) -> None:
    run_period(Office(office.settings, office.clock), office.settings.family, Period.parse("2014Q1"))
    with chromium() as browser, sitting(browser, served, width=width) as wang:
        wang.sign_in("wang")
        wang.go("/months/2014Q1")
        wang.usable()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("login", "paths"),
    [
        ("wang", ("/months/2014-01/cases?state=all", "CASE", "/months/2014-01/upload")),
        ("admin", ("/people", "/record")),
        ("hd", ("/own", "/own/months/2014-01")),
    ],
)
def test_the_pages_are_usable_by_everybody(
    served: str, office: Office, login: str, paths: tuple[str, ...], width: int
) -> None:
    case = office.warehouse.open_cases(office.settings.family, JANUARY)[0]
    with chromium() as browser, sitting(browser, served, width=width) as person:
        person.sign_in(login)
        for path in paths:
            person.go(path if path != "CASE" else f"/months/2014-01/cases/{case}")
            person.usable()
            overflow = person.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, (path, overflow)

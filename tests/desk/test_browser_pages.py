"""The other pages in a real browser: a case decided with and without JavaScript, a reporter's and an administrator's day, axe."""

from __future__ import annotations

import pytest

from disclosure_etl.office import Office
from flows.running import run_period
from schemas.periods import Period
from tests.desk.browsing import chromium, sitting
from tests.desk.conftest import JANUARY, haidian_corrected
from tests.factories import default_form, return_bytes, with_slip


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_a_case_is_looked_at_and_decided(served: str, office: Office, script: bool) -> None:
    with chromium() as browser, sitting(browser, served, script=script) as wang:
        page = wang.page
        wang.sign_in("wang")
        wang.go("/months/2014-01/cases")
        page.locator("[data-row]").first.click()
        assert page.locator("td.asked mark").count() == 4
        page.get_by_label("理由").fill("电话核实无误")
        page.get_by_role("button", name="确认无误,接受").click()
        page.wait_for_url("**/cases")
        assert "没有符合条件" in page.content()
        assert len(office.warehouse.waivers(office.settings.family)) == 3


def test_a_reporters_day(served: str, office: Office) -> None:
    form = default_form()
    wrong = {
        "name": "海淀.xlsx",
        "mimeType": "",
        "buffer": return_bytes(form, JANUARY, "haidian", "海淀分局", with_slip(), 2),
    }
    right = {"name": "海淀.xlsx", "mimeType": "", "buffer": haidian_corrected(office)}
    with chromium() as browser, sitting(browser, served) as reporter:
        page = reporter.page
        reporter.sign_in("hd")
        reporter.usable()
        page.get_by_label("报表文件").set_input_files(wrong)
        page.get_by_role("button", name="先校验,不报送").click()
        assert "各分项合计 10" in page.content()
        reporter.usable()
        page.get_by_role("link", name="返回").click()
        page.get_by_label("报表文件").set_input_files(right)
        page.get_by_role("button", name="报送", exact=True).click()
        page.get_by_text("已收到").wait_for()
        run_period(Office(office.settings, office.clock), office.settings.family, JANUARY, command="rerun")
        reporter.go("/own/months/2014-01")
        assert "已认定" in page.locator("h1").inner_text()
        reporter.usable()


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


def test_an_administrator_makes_an_account(served: str, office: Office) -> None:
    with chromium() as browser, sitting(browser, served) as admin:
        page = admin.page
        admin.sign_in("admin")
        made = page.locator("form[action='/people']")
        made.get_by_label("登录名").fill("sun")
        made.get_by_label("姓名").fill("孙明")
        made.get_by_role("button", name="建立").click()
        assert len(page.locator("code.once").inner_text()) >= 12
        assert office.warehouse.person_by_login("sun") is not None

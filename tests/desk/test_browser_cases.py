"""A steward goes through cases in a real browser: with and without JavaScript, by the keyboard, wide and narrow."""

from __future__ import annotations

import pytest

from disclosure_etl.office import Office
from tests.desk.browsing import Sitting, chromium, sitting
from tests.desk.conftest import JANUARY
from tests.factories import FAMILY

CASES, WARNINGS = "/months/2014-01/cases", "/months/2014-02/cases"


def narrow_enough(wang: Sitting) -> None:
    """Nothing of the page stands beside the screen."""
    beside = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert wang.page.evaluate(beside) <= 0, wang.page.url


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_from_the_list_to_a_return_sent_back_and_taken_back(served: str, office: Office, script: bool) -> None:
    with chromium() as browser, sitting(browser, served, script=script) as wang:
        page = wang.page
        wang.sign_in("wang")
        wang.go("/months/2014-01")
        page.get_by_role("link", name="逐条审核").click()
        page.get_by_label("级别").select_option("error")
        page.get_by_role("button", name="筛选").click()
        page.get_by_role("link", name="「接受咨询」本月填报 9").click()
        assert page.locator("td.asked mark").all_inner_texts()[0].startswith("9")
        page.get_by_label("说一句").fill("已去电海淀分局")
        page.get_by_role("button", name="留言").click()
        page.get_by_role("button", name="归我经办").click()
        assert page.get_by_label("经办").input_value() == str(office.warehouse.person_by_login("wang")[0].key)  # type: ignore[index]
        page.get_by_label("理由").fill("分项与总数不符")
        page.get_by_role("button", name="退回更正").click()
        assert "已退回" in page.get_by_role("status").inner_text()
        assert [one.state.value for one in office.warehouse.returns(FAMILY, JANUARY, "haidian")] == ["returned"]
        assert "海淀分局:已退回" in page.get_by_role("status").inner_text()
        page.get_by_role("link", name="看该条").click()
        page.get_by_role("link", name="退回通知与带批注的工作簿").click()
        assert "关于退回2014年1月" in page.locator("h1").inner_text()
        with page.expect_download() as kept:
            page.get_by_role("link", name="下载通知 .docx").click()
        assert kept.value.suggested_filename.endswith(".docx")
        page.go_back()
        page.get_by_label("撤销退回的理由").fill("误退")
        page.get_by_role("button", name="撤销退回").click()
        assert [one.state.value for one in office.warehouse.returns(FAMILY, JANUARY, "haidian")] == ["partly_held"]
        assert page.locator("ol.course li").count() == 3  # given, sent back, taken back


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_many_warnings_are_acknowledged_at_once(served: str, office: Office, script: bool) -> None:
    with chromium() as browser, sitting(browser, served, script=script) as wang:
        page = wang.page
        wang.sign_in("wang")
        wang.go(WARNINGS)
        if script:
            page.get_by_label("全选本页警告").check()
        else:
            for box in page.locator("input[name=id]").all()[:3]:
                box.check()
        page.get_by_label("一并确认所选警告,理由").fill("逐家核实")
        page.get_by_role("button", name="确认所选").click()
        number = 16 if script else 3
        assert f"已确认 {number} 条警告" in page.get_by_role("status").inner_text()
        assert len(office.warehouse.waivers(FAMILY)) == number


def test_the_keyboard_goes_from_case_to_case(served: str, office: Office) -> None:
    with chromium() as browser, sitting(browser, served) as wang:
        page = wang.page
        wang.sign_in("wang")
        wang.go(WARNINGS)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{WARNINGS}/*")
        first = page.url
        page.keyboard.press("j")
        page.wait_for_url(lambda url: url != first)
        second = page.url
        page.keyboard.press("k")
        page.wait_for_url(first)
        page.get_by_label("理由").focus()
        page.keyboard.type("jk核实无误")  # somebody writes: no keys
        page.keyboard.press("Tab")
        assert page.url == first
        page.get_by_role("button", name="数字属实,接受").press("Enter")
        page.wait_for_url(second)
        assert [one.reason for one in office.warehouse.waivers(FAMILY)] == ["jk核实无误"]


@pytest.mark.parametrize("width", [1280, 390])
def test_cases_are_usable_by_everybody(served: str, width: int) -> None:
    with chromium() as browser, sitting(browser, served, width=width) as wang:
        page = wang.page
        wang.sign_in("wang")
        wang.go(CASES)
        page.locator("a[data-row]").first.click()
        page.get_by_label("理由").fill("分项与总数不符")
        page.get_by_role("button", name="退回更正").click()
        for path in (CASES, f"{CASES}?state=returned", f"{CASES}?state=waived", WARNINGS):
            wang.go(path)
            wang.usable()
            narrow_enough(wang)
        wang.go(f"{CASES}?state=returned")
        for step in ("case", "notice"):
            link = "a[data-row]" if step == "case" else ".decide a.button"
            page.locator(link).first.click()
            wang.usable()
            narrow_enough(wang)
        wang.go(WARNINGS)
        page.locator("a[data-row]").first.click()
        page.locator("details summary").first.click()
        wang.usable()
        narrow_enough(wang)

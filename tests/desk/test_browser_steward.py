"""A steward's day in a real browser, from signing in to the sign-off; with and without JavaScript, wide and narrow."""

from __future__ import annotations

import pytest

from disclosure_etl.office import Office
from tests.desk.browsing import chromium, sitting
from tests.desk.conftest import JANUARY, send_correction


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_from_signing_in_to_the_sign_off(served: str, office: Office, script: bool) -> None:
    with chromium() as browser, sitting(browser, served, script=script) as wang:
        page = wang.page
        wang.sign_in("wang")
        wang.go("/months/2014-01")
        assert page.locator("tbody th").first.inner_text() == "海淀分局"
        send_correction(office)
        page.get_by_role("button", name="收取更正并重跑").click()
        page.get_by_role("link", name="看本月").wait_for(timeout=30_000)
        page.get_by_role("link", name="看本月").click()
        assert "第 2 版" in page.locator(".sub").inner_text()
        page.get_by_role("link", name="签发", exact=True).click()
        page.get_by_label("延庆分局").check()
        if page.get_by_label("一并确认的理由").count():
            page.get_by_label("一并确认的理由").fill("已电话核实")
        page.get_by_role("button", name="签发", exact=True).click()
        page.wait_for_url("**/receipt")
        assert office.warehouse.frozen_versions(office.settings.family, [JANUARY])[-1].content_hash in page.content()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_stewards_pages_are_usable_by_everybody(served: str, width: int) -> None:
    with chromium() as browser, sitting(browser, served, width=width) as wang:
        wang.go("/login")
        wang.usable()
        wang.sign_in("wang")
        for path in (
            "/months/2014-01",
            "/months/2014-03",
            "/calendar?year=2014",
            "/months/2014-01/sign-off",
            "/account",
        ):
            wang.go(path)
            wang.usable()
            overflow = wang.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, (path, overflow)


def test_the_keyboard_goes_through_the_rows(served: str) -> None:
    with chromium() as browser, sitting(browser, served) as wang:
        wang.sign_in("wang")
        wang.go("/months/2014-01")
        wang.page.keyboard.press("j")
        wang.page.keyboard.press("j")
        assert wang.page.evaluate("document.activeElement.textContent") == "延庆分局"
        wang.page.keyboard.press("/")
        wang.page.keyboard.type("海淀")
        wang.page.keyboard.press("Enter")
        wang.page.wait_for_url("**q=*")
        assert wang.page.locator("tbody th").all_inner_texts() == ["海淀分局"]

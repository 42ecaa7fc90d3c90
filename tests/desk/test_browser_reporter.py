"""A reporter's day in a real browser, from signing in to signing out: both languages, wide and narrow, with and without JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import FilePayload

from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.browsing import WAYS, Sitting, chromium, sitting
from tests.desk.conftest import JANUARY
from tests.factories import FAMILY, default_form, return_bytes, some_figures, with_slip

NAME = "海淀分局2014年1月报表-更正.xlsx"


def run(office: Office) -> None:
    """A run of its own, as the schedule starts one."""
    run_period(Office(office.settings, office.clock), FAMILY, JANUARY, command="rerun")


def corrected() -> bytes:
    """January without its slip, and with one lawsuit more, which February's cumulatives have to follow."""
    figures = some_figures(default_form(), 1)
    for name in ("litigation.received", "litigation.upheld"):
        for column in ("month", "year_to_date"):
            figures[(name, column)] += 1
    return return_bytes(default_form(), JANUARY, "haidian", "海淀分局", figures, 2)


def give(hd: Sitting, data: bytes, name: str, *, to: str) -> None:
    """Choose a file and press a button."""
    file: FilePayload = {"name": name, "mimeType": "", "buffer": data}
    hd.page.get_by_label(hd.t("报表文件", "The file of the return")).set_input_files(file)
    hd.page.get_by_role("button", name=to, exact=True).click()
    hd.page.wait_for_load_state()


@pytest.mark.parametrize(("language", "width", "script"), WAYS)
def test_from_what_is_due_to_the_figures_as_they_count(
    served: str, office: Office, language: str, width: int, script: bool
) -> None:
    form = default_form()
    with chromium() as browser, sitting(browser, served, script=script, width=width, language=language) as hd:
        page, t = hd.page, hd.t
        check, send = t("先校验,不报送", "Check only; nothing is stored"), t("报送", "Send")
        hd.go("/own")
        hd.looked_at()
        hd.sign_in("hd")
        assert page.url.endswith("/own")
        hd.looked_at()
        # What is due, and the workbook for it.
        january = page.locator("section", has=page.locator("#month-2014-01"))
        assert t("各分项合计 10", "the parts add to 10") in january.inner_text()
        with page.expect_download() as kept:
            january.get_by_role("link", name=t("下载填报表", "Download the workbook")).click()
        assert kept.value.suggested_filename.endswith(".xlsx")
        # Another bureau's file is refused where files are chosen.
        other = return_bytes(form, JANUARY, "dongcheng", "东城分局", some_figures(form), 2)
        for button in (check, send):
            give(hd, other, "报表.xlsx", to=button)
            hd.refused(422)
            assert t("其他单位的报表", "another bureau's") in page.get_by_role("alert").inner_text()
            hd.looked_at()
        # Checked, wrong and right: nothing is kept of it.
        give(hd, return_bytes(form, JANUARY, "haidian", "海淀分局", with_slip(), 2), NAME, to=check)
        assert t("部分板块须更正", "some blocks to be corrected") in page.locator("main").inner_text()
        hd.looked_at()
        give(hd, corrected(), NAME, to=check)
        assert t("校验通过", "passes the check") in page.locator("main").inner_text()
        assert office.warehouse.uploads("haidian") == []
        hd.looked_at()
        # Sent: a page of its own, which may be loaded again.
        give(hd, corrected(), NAME, to=send)
        (sent,) = office.warehouse.uploads("haidian")
        assert page.url.endswith(f"/own/sent/{sent.key}")
        assert t("已收到", "was received") in page.get_by_role("status").inner_text()
        hd.looked_at()
        page.reload()
        assert office.warehouse.uploads("haidian") == [sent]
        assert page.get_by_role("status").count() == 0
        assert t("已报,待汇总", "sent, waits for a run") in page.locator("h1").inner_text()
        # Taken by a run: what came of it, and what follows.
        run(office)
        page.reload()
        assert t("已认定", "accepted") in page.locator("h1").inner_text()
        page.get_by_role("link", name=t("返回", "back")).click()
        hd.looked_at()
        assert page.locator("table.deltas tbody tr").count() == 2
        page.get_by_label(t("说明", "Why")).fill("一月更正")
        page.get_by_role("button", name=t("确认以上各数", "Confirm them all")).click()
        assert t("已确认", "Confirmed") in page.get_by_role("status").inner_text()
        assert page.locator("table.deltas").count() == 0
        hd.looked_at()
        page.locator(".year-strip").get_by_role("link", name="2014-02").click()
        litigation = page.get_by_role("row", name=t("本月受理诉讼", "Received 1"), exact=False)
        assert litigation.first.locator("td").all_inner_texts() == ["1", "3"]
        hd.looked_at()
        hd.sign_out()
        hd.looked_at()


@pytest.mark.parametrize(("language", "width", "script"), WAYS[1:3])
def test_what_was_sent_back_is_told_with_its_notice(
    served: str, office: Office, language: str, width: int, script: bool
) -> None:
    with chromium() as browser:
        with sitting(browser, served) as wang:
            wang.sign_in("wang")
            wang.go("/months/2014-01/cases")
            wang.page.locator("a[data-row]").first.click()
            wang.page.get_by_label("理由").fill("分项与总数不符")
            wang.page.get_by_role("button", name="退回更正").click()
            wang.page.wait_for_url("**/cases")
        with sitting(browser, served, script=script, width=width, language=language) as hd:
            page, t = hd.page, hd.t
            hd.sign_in("hd")
            assert "分项与总数不符" in page.locator(".attention").inner_text()
            hd.looked_at()
            page.get_by_role("link", name=t("退回通知与批注", "The notice and the comments")).click()
            hd.looked_at()
            for link in (
                t("下载通知 .docx", "The notice as .docx"),
                t("下载带批注的工作簿", "The workbook with comments"),
            ):
                with page.expect_download() as kept:
                    page.get_by_role("link", name=link).click()
                assert kept.value.path().stat().st_size > 1000


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_comes_to_sending_before_the_months(served: str, width: int) -> None:
    with chromium() as browser, sitting(browser, served, width=width) as hd:
        hd.sign_in("hd")
        order = hd.page.evaluate(
            "[...document.querySelectorAll('main a, main button, main input:not([type=hidden])')].map((one) => one.textContent || one.id)"
        )
        assert order.index("file") < order.index("报送") < next(i for i, one in enumerate(order) if "下载填报表" in one)


def test_no_month_is_shown_that_nobody_consolidated(served: str) -> None:
    with chromium() as browser, sitting(browser, served) as hd:
        hd.sign_in("hd")
        assert hd.page.locator(".year-strip .code").all_inner_texts() == ["2014-01", "2014-02", "2014-03"]
        hd.go("/own/months/2014-03")
        assert "这个月还没有汇总" in hd.page.locator("main").inner_text()
        assert hd.page.locator(".switch a").all_inner_texts() == ["← 2014-02", "本单位"]  # April has not begun

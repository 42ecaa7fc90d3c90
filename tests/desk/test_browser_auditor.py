"""An auditor's day in a real browser: everything is read, nothing can be pressed that changes it, and the record is verified."""

from __future__ import annotations

import pytest

from disclosure_etl.office import Office
from tests.desk.browsing import WAYS, Sitting, chromium, sitting

MONTH, CASES = "/months/2014-01", "/months/2014-01/cases"
_MAY_PRESS = {"/logout", "/record/verify", "/account/password", "/account/sessions/end"}


def read_only(shen: Sitting) -> None:
    """The page as it stands is usable, and has no form that would change anything."""
    shen.looked_at()
    forms = shen.page.locator("form[method=post]").all()
    assert {one.get_attribute("action") or "" for one in forms} <= _MAY_PRESS, shen.page.url
    assert shen.page.locator("[formaction]").count() == 0


@pytest.mark.parametrize(("language", "width", "script"), WAYS)
def test_from_the_month_to_the_record(served: str, office: Office, language: str, width: int, script: bool) -> None:
    with (
        chromium() as browser,
        sitting(browser, served) as wang,
        sitting(browser, served, script=script, width=width, language=language) as shen,
    ):
        page, t = shen.page, shen.t
        shen.sign_in("shen")
        assert page.url.endswith("/months/2014-02")
        read_only(shen)
        # A month with its figures, and a case with its file, rule and decisions.
        shen.go(MONTH)
        read_only(shen)
        with page.expect_download() as kept:
            page.get_by_role("link", name=t("下载汇总表", "Download the table")).click()
        assert kept.value.suggested_filename == "汇总表-2014-01-v1.xlsx"
        page.get_by_role("link", name=t("逐条审核", "Review the cases")).click()
        read_only(shen)
        page.locator("a[data-row]").first.click()
        read_only(shen)
        assert page.locator("td.asked mark").count() == 4
        # A return that was sent back: its notice.
        wang.sign_in("wang")
        wang.go(CASES)
        wang.page.locator("a[data-row]").first.click()
        wang.page.get_by_label("理由").fill("分项与总数不符")
        wang.page.get_by_role("button", name="退回更正").click()
        wang.page.wait_for_url("**/cases")
        page.reload()
        page.get_by_role("link", name=t("退回通知", "the notice")).click()
        read_only(shen)
        assert "海淀分局" in page.locator("article").inner_text()
        # A month without figures, a year, and one's own account.
        for path in ("/months/2014-03", "/calendar?year=2014", "/calendar?year=2012", "/account"):
            shen.go(path)
            read_only(shen)
        # The record, what is in an event, and whether the chain holds.
        shen.go("/record")
        page.locator("summary").first.click()
        read_only(shen)
        head = office.warehouse.audit_head()
        assert head is not None
        page.get_by_label(t("曾打印过的摘要(可不填)", "a hash that was printed (may be empty)")).fill(head.hash)
        page.get_by_role("button", name=t("核对链", "Verify the chain")).click()
        assert t("链完整", "The chain holds") in page.get_by_role("status").inner_text()
        read_only(shen)
        page.get_by_label(t("曾打印过的摘要(可不填)", "a hash that was printed (may be empty)")).fill("0" * 64)
        page.get_by_role("button", name=t("核对链", "Verify the chain")).click()
        assert t("可能被改写过", "may have been rewritten") in page.get_by_role("alert").inner_text()
        page.get_by_label(t("类别", "kind")).select_option("return_back")
        page.get_by_role("button", name=t("筛选", "Filter")).click()
        assert page.locator("table.record tbody tr").count() == 1
        read_only(shen)

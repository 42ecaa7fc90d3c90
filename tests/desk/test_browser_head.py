"""A head's days in a real browser: what is in the way of a month, the second signature, the receipt, a year locked and reopened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from fastapi import FastAPI

from disclosure_etl import signing
from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.standing import Desk
from disclosure_etl.office import Office
from flows.running import run_period
from schemas.periods import Period
from tests.desk.browsing import WAYS, Sitting, chromium, sitting
from tests.desk.conftest import JANUARY, enrol, send_correction, serving
from tests.desk.test_signing_off import two_people
from tests.factories import FAMILY, ZONE, office_of, send_month

MONTH, SIGN = "/months/2014-01", "/months/2014-01/sign-off"


def press(who: Sitting, zh: str, en: str) -> None:
    """Press a button."""
    who.page.get_by_role("button", name=who.t(zh, en), exact=True).click()
    who.page.wait_for_load_state()


@pytest.mark.parametrize(("language", "width", "script"), WAYS)
def test_a_second_signature_from_what_is_in_the_way_to_the_record(
    app: FastAPI, served: str, office: Office, language: str, width: int, script: bool
) -> None:
    two_people(app)
    with (
        chromium() as browser,
        sitting(browser, served, script=script, width=width, language=language) as li,
        sitting(browser, served, language=language) as wang,
    ):
        page, t = li.page, li.t
        li.sign_in("li")
        li.go(MONTH)
        li.looked_at()
        page.get_by_role("link", name=t("签发", "Sign off"), exact=True).click()
        way = page.locator("section", has=page.locator("#way"))
        assert t("海淀分局", "Haidian Sub-bureau") in way.inner_text()
        li.looked_at()
        # What was said stays there when it is refused.
        page.get_by_label(t("延庆分局", "Yanqing Sub-bureau")).check()
        page.get_by_label(t("说明(可不填)", "A note (may be left empty)")).fill("一月数已核对")
        press(li, "提请第二人", "Ask the second person")
        li.refused(422)
        assert t("还不能签发", "It cannot be signed off yet") in page.get_by_role("alert").inner_text()
        assert page.get_by_label(t("延庆分局", "Yanqing Sub-bureau")).is_checked()
        assert page.get_by_label(t("说明(可不填)", "A note (may be left empty)")).input_value() == "一月数已核对"
        li.looked_at()
        way.get_by_role("link").first.click()
        assert page.locator("a[data-row]").count() == 1
        # The first word is a steward's, once the correction is in.
        send_correction(office)
        run_period(Office(office.settings, office.clock), FAMILY, JANUARY, command="rerun")
        wang.sign_in("wang")
        wang.go(SIGN)
        wang.page.get_by_label(t("延庆分局", "Yanqing Sub-bureau")).check()
        wang.page.get_by_label(t("说明(可不填)", "A note (may be left empty)")).fill("一月数已核对")
        press(wang, "提请第二人", "Ask the second person")
        assert wang.page.get_by_role("button", name=t("同意并签发", "Agree, and sign off")).count() == 0
        wang.looked_at()
        # The second one sees what the first one said, and signs.
        li.go(MONTH)
        assert t("等待第二人", "a second person is waited for") in page.locator(".waits").inner_text()
        li.looked_at()
        page.get_by_role("link", name=t("签发", "Sign off"), exact=True).click()
        told = page.locator("main").inner_text()
        assert "wang的姓名" in told
        assert "一月数已核对" in told
        assert t("延庆分局", "Yanqing Sub-bureau") in told
        li.looked_at()
        press(li, "同意并签发", "Agree, and sign off")
        assert page.url.endswith("/months/2014-01/receipt")
        signed = office.warehouse.frozen_versions(FAMILY, [JANUARY])[-1]
        (event,) = office.warehouse.audit_events("sign")
        receipt = page.locator("main").inner_text()
        assert all(one in receipt for one in (signed.content_hash, event.hash, "wang的姓名(wang)", "li的姓名(li)"))
        li.looked_at()
        with page.expect_download() as kept:
            page.get_by_role("link", name=t("下载汇总表", "Download the table")).click()
        assert kept.value.suggested_filename == "汇总表-2014-01-v2.xlsx"
        # The record has it, and holds.
        page.get_by_role("link", name=t("到记录", "To the record")).click()
        li.looked_at()
        page.get_by_label(t("曾打印过的摘要(可不填)", "a hash that was printed (may be empty)")).fill(event.hash)
        press(li, "核对链", "Verify the chain")
        assert t("链完整", "The chain holds") in page.get_by_role("status").inner_text()
        li.looked_at()
        li.go(MONTH)
        assert page.get_by_role("link", name=t("签发", "Sign off"), exact=True).count() == 0
        assert page.get_by_role("link", name=t("签发单", "The receipt")).count() == 1
        li.looked_at()


def test_who_does_not_agree_says_so(app: FastAPI, served: str, office: Office) -> None:
    two_people(app)
    with chromium() as browser, sitting(browser, served) as wang, sitting(browser, served, script=False) as li:
        wang.sign_in("wang")
        wang.go("/months/2014-01/sign-off")
        wang.page.get_by_label("延庆分局").check()
        wang.page.get_by_label("将暂存的板块排除在终稿之外").check()
        press(wang, "提请第二人", "")
        li.sign_in("li")
        li.go(SIGN)
        assert "排除在终稿之外" in li.page.locator("dl").inner_text()
        press(li, "不同意,退回", "")
        assert "已退回提请" in li.page.get_by_role("status").inner_text()
        assert office.warehouse.open_proposal("sign_off", FAMILY, JANUARY) is None


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an office of three bureaus whose twelve months of 2013 are final."""
    folder = tmp_path_factory.mktemp("year")
    office = of_three(folder)
    for month in Period.parse("2013").parts(office.forms.frequency_of(FAMILY)):
        send_month(office, month)
        run_period(office, FAMILY, month)
        signed = signing.sign_off(office, FAMILY, month, signing.Wish("王芳", acknowledge="核实"))
        assert signed.signed is not None, signed.hindrances
    enrol(office)
    office.warehouse.close()
    return folder


def of_three(folder: Path) -> Office:
    """The office on the day on which its year is closed."""
    return office_of(folder, None, "shiju", "haidian", "dongcheng", now=datetime(2014, 2, 20, 9, tzinfo=ZONE))


@pytest.fixture
def closing(year: Path, tmp_path: Path) -> Iterator[tuple[str, Office]]:
    """Its desk, served: the address, and the office."""
    import shutil

    shutil.copytree(year, tmp_path, dirs_exist_ok=True)
    office = of_three(tmp_path)
    desk = Desk(office, run_period)
    with serving(create_app(desk)) as address:
        yield address, office
    desk.jobs.close()
    office.warehouse.close()


@pytest.mark.parametrize(("language", "width", "script"), WAYS)
def test_a_year_is_locked_and_opened_again_by_two(
    closing: tuple[str, Office], language: str, width: int, script: bool
) -> None:
    address, office = closing
    with (
        chromium() as browser,
        sitting(browser, address, script=script, width=width, language=language) as li,
        sitting(browser, address, language=language) as wang,
    ):
        page, t = li.page, li.t
        li.sign_in("li")
        li.go("/calendar?year=2013")
        li.looked_at()
        # The year itself is not added up: the page says so, and leads there.
        page.get_by_label(t("锁定的理由", "Why to lock it")).fill("年度终了")
        press(li, "锁定年度", "Lock the year")
        li.refused(422)
        assert t("尚未汇总", "not consolidated yet") in page.get_by_role("alert").inner_text()
        assert page.get_by_label(t("锁定的理由", "Why to lock it")).input_value() == "年度终了"
        li.looked_at()
        page.get_by_role("alert").get_by_role("link", name="2013").click()
        li.looked_at()
        press(li, "收取报表并汇总", "Take returns and consolidate")
        page.get_by_role("link", name=t("看本月", "See the month")).click(timeout=60_000)
        assert page.locator('a[href^="/months/2013/cases"]').count() == 0  # a year has no cases of its own
        li.looked_at()
        page.get_by_role("link", name=t("签发", "Sign off"), exact=True).click()
        li.looked_at()
        press(li, "签发", "Sign off")
        assert page.url.endswith("/months/2013/receipt")
        # Locked by one.
        li.go("/calendar?year=2013")
        page.get_by_label(t("锁定的理由", "Why to lock it")).fill("年度终了")
        press(li, "锁定年度", "Lock the year")
        assert t("已锁定", "is locked") in page.get_by_role("status").inner_text()
        assert "年度终了" in page.locator("section", has=page.locator("#year")).inner_text()
        li.looked_at()
        # Opened again by two, with a reason.
        page.get_by_label(t("重新打开的理由", "Why to open it again")).fill("法院改判")
        press(li, "提请重新打开", "Ask to open it again")
        assert page.get_by_role("button", name=t("同意,重新打开", "Agree, and open it again")).count() == 0
        li.looked_at()
        wang.sign_in("wang")
        wang.go("/calendar?year=2013")
        assert "法院改判" in wang.page.locator("main").inner_text()
        wang.looked_at()
        press(wang, "同意,重新打开", "Agree, and open it again")
        assert t("已重新打开", "is open again") in wang.page.get_by_role("status").inner_text()
        lock = office.warehouse.last_lock(FAMILY, 2013)
        assert lock is not None
        assert (lock.by, lock.second, lock.reason) == ("li的姓名(li)", "wang的姓名(wang)", "法院改判")
        # All of it is in the record.
        li.go("/record")
        kinds = " ".join(page.locator("table.record tbody tr").all_inner_texts())
        assert all(
            one in kinds for one in (t("锁定年度", "the year was locked"), t("重新打开年度", "the year was reopened"))
        )
        li.looked_at()

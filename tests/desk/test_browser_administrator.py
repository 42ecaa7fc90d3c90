"""An administrator's day in a real browser: accounts made, reset and closed, a token made and revoked, and all of it in the record."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from disclosure_etl.office import Office
from tests.desk.browsing import WAYS, Sitting, chromium, sitting


def shown_once(admin: Sitting) -> str:
    """The secret that the page shows, which is gone when the page is opened again."""
    secret = admin.page.locator("code.once").inner_text()
    admin.looked_at()
    admin.go("/people")
    assert secret not in admin.page.content()
    return secret


def row_of(admin: Sitting, login: str) -> Locator:
    """The line of an account."""
    return admin.page.locator("table.people tr", has=admin.page.get_by_role("rowheader", name=login, exact=True))


@pytest.mark.parametrize(("language", "width", "script"), WAYS)
def test_an_account_and_a_token_from_their_making_to_their_end(
    served: str, office: Office, language: str, width: int, script: bool
) -> None:
    with (
        chromium() as browser,
        sitting(browser, served, script=script, width=width, language=language) as admin,
        sitting(browser, served, language=language) as sun,
    ):
        page, t = admin.page, admin.t
        admin.sign_in("admin")
        assert page.url.endswith("/people")
        admin.looked_at()
        # Made; what is missing is said, and what was typed stays.
        made = page.locator("form[action='/people']")
        made.get_by_label(t("登录名", "login")).fill("sun")
        made.get_by_label(t("姓名", "name"), exact=False).last.fill("孙明")
        made.get_by_role("button", name=t("建立账号", "Make the account")).click()
        admin.refused(422)
        assert t("请为填报人员选择单位", "Choose the bureau of the reporter") in page.get_by_role("alert").inner_text()
        assert made.get_by_label(t("登录名", "login")).input_value() == "sun"
        admin.looked_at()
        made.get_by_label(t("单位(填报人员)", "bureau (of a reporter)")).select_option("haidian")
        made.get_by_role("button", name=t("建立账号", "Make the account")).click()
        first = shown_once(admin)
        # Reset: the first password opens nothing any more, the second one leads to choosing one's own.
        row_of(admin, "sun").get_by_role("button", name=t("重设密码 sun", "New password sun")).click()
        second = shown_once(admin)
        for password, fits in ((first, False), (second, True)):
            sun.go("/login")
            sun.page.fill("#login", "sun")
            sun.page.fill("#password", password)
            sun.page.keyboard.press("Enter")
            sun.page.wait_for_load_state()
            if not fits:
                sun.page.get_by_role("alert").wait_for()
                sun.refused(401)
        sun.page.wait_for_url("**/account")
        sun.looked_at()
        # Closed: signed out everywhere, and no way in.
        admin.go("/people")
        row_of(admin, "sun").get_by_role("checkbox").uncheck()
        row_of(admin, "sun").get_by_role("button", name=t("保存 sun", "Save sun")).click()
        assert "sun" in page.get_by_role("status").inner_text()
        admin.looked_at()
        sun.page.reload()
        assert "/login" in sun.page.url
        # A token, shown once, and revoked.
        tokens = page.locator("form[action='/tokens']")
        tokens.get_by_label(t("名称", "name")).fill("海淀平台")
        tokens.get_by_label(t("单位", "bureau")).select_option("haidian")
        tokens.get_by_role("button", name=t("颁发令牌", "Issue a token")).click()
        secret = shown_once(admin)
        api = {"headers": {"Authorization": f"Bearer {secret}"}}
        assert page.request.get(f"{served}/api/v1/submissions", **api).status == 200
        page.get_by_role("button", name=t("作废 海淀平台", "Revoke 海淀平台")).click()
        assert t("已作废", "is revoked") in page.get_by_role("status").inner_text()
        assert page.request.get(f"{served}/api/v1/submissions", **api).status == 401
        admin.looked_at()
        # The record has each step, and none of the secrets.
        page.get_by_role("link", name=t("记录", "Record")).click()
        kinds = page.locator("table.record tbody tr").all_inner_texts()
        for word in (t("新账号", "an account was made"), t("账号变更", "an account was changed"),
                     t("颁发令牌", "a token was issued"), t("作废令牌", "a token was revoked")):  # fmt: skip
            assert any(word in one for one in kinds), word
        assert not any(one in page.content() for one in (first, second, secret))
        admin.looked_at()
        admin.sign_out()
        assert office.warehouse.person_by_login("sun")[0].active is False  # type: ignore[index]

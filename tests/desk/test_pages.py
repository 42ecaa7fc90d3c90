"""Every page that a role comes to by links: in the language that was chosen, and without a link or button that would be refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from disclosure_etl.desk.access import GRANTED, Need
from disclosure_etl.desk.tokens import issue
from disclosure_etl.office import Office
from tests.desk.conftest import JANUARY, PEOPLE, Client, haidian_corrected
from tests.desk.walking import Page, need_at, pages_of
from tests.factories import default_form, return_bytes, some_figures, with_slip

FIRST = {
    "wang": "/months/2014-01",
    "li": "/months/2014-01",
    "shen": "/months/2014-01",
    "admin": "/people",
    "hd": "/own",
}


def happened(office: Office, as_: Callable[[str], Client]) -> None:
    """Something of everything: a return sent back with a comment, an upload, a token, a sign-off."""
    wang, hd = as_("wang"), as_("hd")
    case = "/months/2014-01/cases/" + re.search(r'cases/([0-9a-f]{16})"', wang.get("/months/2014-01/cases").text)[1]
    seen = re.search(r'name="seen" value="([0-9a-f]{16})"', wang.get(case).text)[1]
    wang.post(f"{case}/comment", {"text": "已去电"})
    wang.post(f"{case}/return", {"seen": seen, "reason": "分项与总数不符"})
    hd.post("/own/send", files={"file": ("海淀.xlsx", haidian_corrected(office))})
    issue(office, "海淀平台", "haidian", None)
    assert office.warehouse.uploads("haidian")


def data_of(office: Office) -> list[str]:
    """What people and bureaus wrote: names, files, reasons; the same in both languages."""
    people = [word for login in PEOPLE for word in (f"{login}的姓名", login)]
    files = [f"{one.code}_2014-0{month}.xlsx" for one in office.bureaus.bureaus for month in (1, 2)]
    bureaus = [one.code for one in office.bureaus.bureaus] + [one.name_zh for one in office.bureaus.bureaus]
    return [*people, *files, *bureaus, "海淀.xlsx", "海淀平台", "已去电", "分项与总数不符", "统计表", "testclient"]


_CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff01-\uff60]")
# Names of things that have no other: kinds of files, a hash function, what the record calls its subjects and the machine's user.
_LATIN = re.compile(
    r"\b[a-z_-]+(?::[\w.]+)+|\b(?:copy|xlsx|docx|SHA|bureau-monthly|root|API|[vrJjKk]\d*|[A-Z]{1,2}\d+|2014|2013)\b|\.xlsx|\.docx"
)


@pytest.mark.parametrize("login", FIRST)
def test_pages_speak_one_language_and_offer_nothing_that_would_be_refused(
    office: Office, as_: Callable[[str], Client], login: str
) -> None:
    happened(office, as_)
    client, data, may = as_(login), data_of(office), GRANTED[PEOPLE[login][0]] | {Need.OPEN}
    for language in ("en", "zh"):
        client.http.cookies.set("language", language)
        found = pages_of(client, FIRST[login])
        assert len(found) > 2
        for path, page in found.items():
            assert strange(page, language, data) == [], (path, language)
            for method, where in [*(("GET", one) for one in page.links), *(("POST", one) for one in page.posts)]:
                assert need_at(method, where) in may, (path, method, where)


def strange(page: Page, language: str, data: list[str]) -> list[str]:
    """What a page says that is not of its language."""
    assert page.language == {"en": "en", "zh": "zh-CN"}[language]
    if language == "en":
        return [one for one in page.says(data) if _CJK.search(one)]
    return [one for one in page.says(data) if re.search(r"[A-Za-z]{2,}", _LATIN.sub("", one))]


# What somebody does in vain, or what is answered at once: by whom, where, with what in the form, and the status.
ANSWERS: list[tuple[str, str, dict[str, str], int]] = [
    ("hd", "/own/check", {"file": "with a slip"}, 200),
    ("hd", "/own/check", {"file": "nothing"}, 200),
    ("hd", "/own/check", {"file": "of another"}, 422),
    ("hd", "/own/send", {"file": "empty"}, 422),
    ("hd", "/own/send", {}, 422),
    ("hd", "/own/deltas", {"seen": "0", "reason": "更正"}, 409),
    ("hd", "/people", {}, 403),
    ("hd", "/nowhere", {}, 404),
    ("li", "/months/2014-01/sign-off", {}, 409),
    ("li", "/months/2014-01/sign-off", {"content_hash": "NEWEST"}, 422),
    ("li", "/months/2014-01/sign-off/second", {}, 409),
    ("li", "/years/2014/lock", {"reason": "年度终了"}, 422),
    ("li", "/years/2014/lock", {}, 422),
    ("li", "/years/2014/reopen", {"reason": "更正"}, 409),
    ("li", "/record/verify", {"anchor": "0" * 64}, 200),
    ("li", "/record/verify", {"anchor": "0"}, 200),
    ("shen", "/record/verify", {}, 200),
    ("admin", "/people", {"login": "sun", "name": "孙明", "role": "reporter"}, 422),
    ("admin", "/people", {"login": "wang", "name": "孙明", "role": "steward"}, 422),
    ("admin", "/people", {"login": "sun", "name": "孙明", "role": "steward"}, 200),
    ("admin", "/tokens", {"name": "平台", "bureau": "haidian", "ends": "soon"}, 422),
    ("admin", "/tokens", {"name": "平台", "bureau": "haidian"}, 200),
    ("admin", "/account/password", {"current": "x"}, 422),
]


def file_of(which: str) -> dict[str, Any]:
    """A file in a form."""
    form = default_form()
    data = {
        "with a slip": return_bytes(form, JANUARY, "haidian", "海淀分局", with_slip(), 2),
        "of another": return_bytes(form, JANUARY, "dongcheng", "东城分局", some_figures(form), 2),
        "nothing": b"nothing",
        "empty": b"",
    }
    return {"files": {"file": ("海淀.xlsx", data[which])}}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_answers_speak_one_language_too(office: Office, as_: Callable[[str], Client], language: str) -> None:
    data = [*data_of(office), "孙明", "平台", "年度终了", "更正", "sun", "soon", "bureaus.yaml", "config/layouts"]
    clients = {login: as_(login) for login in sorted({login for login, *_ in ANSWERS})}
    newest = office.warehouse.frozen_versions(office.settings.family, [JANUARY])[-1].content_hash
    for login, path, sent, status in ANSWERS:
        clients[login].http.cookies.set("language", language)
        form = {name: newest if text == "NEWEST" else text for name, text in sent.items() if name != "file"}
        answer = clients[login].post(path, form, **(file_of(sent["file"]) if "file" in sent else {}))
        assert answer.status_code == status, (path, sent, answer.text)
        assert strange(Page(path, answer.text), language, data) == [], (path, sent)

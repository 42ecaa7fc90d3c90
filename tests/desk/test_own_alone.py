"""Nothing of another bureau, and nothing that stewards say among themselves, reaches a bureau: planted, and looked for everywhere."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk.tokens import issue
from disclosure_etl.office import Office
from flows.running import run_period
from schemas.periods import Period
from tests.desk.conftest import FEBRUARY, JANUARY, Client, haidian_corrected
from tests.desk.walking import pages_of
from tests.factories import FAMILY, default_form, return_bytes, send, some_figures, with_slip

OTHERS = ["东城", "dongcheng", "Dongcheng", "dc的姓名", "7777", "7,777", "8888", "8,888", "8889", "植入"]
AMONG_STEWARDS = ["内部留言", "内部理由", "内部说明", "zhao"]


def planted(office: Office, as_: Callable[[str], Client]) -> list[str]:
    """Dongcheng sends, is sent back and waived; stewards talk of Haidian and of Dongcheng. Returned: every word to look for."""
    form, wang, zhao = default_form(), as_("wang"), as_("zhao")
    figures = some_figures(form, 1)
    for column in ("month", "year_to_date"):
        figures[("publications", column)] = figures[("publications.full_text", column)] = Decimal(7777)
        figures[("publications.business", column)] = Decimal(7775)
        figures[("enquiries", column)], figures[("enquiries.on_site", column)] = Decimal(8888), Decimal(8885)  # and 4
    data = return_bytes(form, JANUARY, "dongcheng", "东城分局", figures, 2, preparer="植入甲")
    send(office, "dongcheng_植入乙_2014-01_r2.xlsx", data)
    send(office, "haidian_2014-01_r2.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", with_slip(), 2))
    run_period(Office(office.settings, office.clock), FAMILY, JANUARY, command="rerun")
    for bureau in ("haidian", "dongcheng"):
        for period in (JANUARY, FEBRUARY):
            case = case_of(zhao, bureau, period)
            zhao.post(f"{case}/comment", {"text": f"内部留言{bureau}"})
            zhao.post(f"{case}/assign", {"seen": seen_at(zhao, case), "to": key_of(office, "zhao")})
    decide(zhao, case_of(zhao, "haidian", FEBRUARY), "waive", "内部理由")
    decide(zhao, case_of(zhao, "dongcheng", JANUARY), "waive", "内部理由")
    decide(wang, case_of(wang, "haidian", JANUARY), "return", "分项与总数不符")
    decide(wang, case_of(wang, "dongcheng", FEBRUARY), "return", "植入丙")
    note = {"missing": "yanqing", "without_held": "true", "note": "内部说明", "acknowledge": "内部理由"}
    shown = re.search(r'name="content_hash" value="([0-9a-f]+)"', wang.get("/months/2014-01/sign-off").text)
    wang.post("/months/2014-01/sign-off", {**note, "content_hash": shown[1] if shown else ""})
    assert "内部说明" in wang.get("/months/2014-01/receipt").text
    dc = as_("dc")
    other = return_bytes(form, FEBRUARY, "dongcheng", "东城分局", some_figures(form, 2), 2)
    assert dc.post("/own/send", files={"file": ("植入丁.xlsx", other)}).status_code == 303
    issue(office, "植入戊", "dongcheng", None)
    total = next(
        one.value
        for one in office.warehouse.consolidation(FAMILY, JANUARY).figures
        if (one.indicator, one.column, one.measure) == ("publications", "month", "count")
    )
    assert total is not None
    assert total > 7777
    return [
        *OTHERS,
        *AMONG_STEWARDS,
        f"{total:,}",
        f"{total}",
        *(one.key for one in office.warehouse.uploads("dongcheng")),
    ]


def case_of(steward: Client, bureau: str, period: Period) -> str:
    listed = steward.get(f"/months/{period}/cases?bureau={bureau}").text
    return re.search(r'data-row href="(/months/[^"]+/cases/[0-9a-f]{16})"', listed)[1]


def decide(steward: Client, case: str, what: str, reason: str) -> None:
    answer = steward.post(f"{case}/{what}", {"seen": seen_at(steward, case), "reason": reason})
    assert answer.status_code == 303, answer.text


def seen_at(steward: Client, case: str) -> str:
    return re.search(r'name="seen" value="([0-9a-f]+)"', steward.get(case).text)[1]


def key_of(office: Office, login: str) -> str:
    return str(office.warehouse.person_by_login(login)[0].key)


def said(answer: httpx.Response) -> str:
    """Everything that an answer says: its head, its text, or what is in the parts of a document."""
    text = answer.text
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as document:
            text = "\n".join(document.read(name).decode("utf-8", "replace") for name in document.namelist())
    return "\n".join([str(answer.headers), text])


def stands_in(text: str, word: str) -> bool:
    """Whether a word that was planted is said. A short one counts only by itself: four figures also come up by chance inside
    a random key."""
    if word.isascii() and len(word) < 8:
        return re.search(rf"(?<![0-9A-Za-z]){re.escape(word)}(?![0-9A-Za-z])", text) is not None
    return word in text


def own_pages(hd: Client) -> Iterator[tuple[str, httpx.Response]]:
    """Every page and download that a bureau comes to by links, in both languages."""
    for language in ("zh", "en"):
        hd.http.cookies.set("language", language)
        found = pages_of(hd, "/own", "/account")
        for path in sorted({*found, *(one.partition("#")[0] for page in found.values() for one in page.links)}):
            if path.startswith(("/own", "/account")):
                yield f"{path} ({language})", hd.get(path)


def answers(office: Office, app: FastAPI, hd: Client) -> Iterator[tuple[str, httpx.Response]]:
    """Every page and download that Haidian comes to, what its forms answer, and what the API says to its token."""
    yield from own_pages(hd)
    form = default_form()
    for data in (
        haidian_corrected(office),
        return_bytes(form, JANUARY, "haidian", "海淀分局", with_slip(), 3),
        b"nothing",
    ):
        for where in ("/own/check", "/own/send"):
            yield where, hd.post(where, files={"file": ("海淀.xlsx", data)})
    run_period(Office(office.settings, office.clock), FAMILY, JANUARY, command="rerun")
    yield from own_pages(hd)
    http = TestClient(app, base_url="http://desk")
    headers = {"Authorization": f"Bearer {issue(office, '海淀平台', 'haidian', None)[0]}"}
    sent = http.post("/api/v1/submissions", content=haidian_corrected(office), headers=headers)
    yield "POST /api/v1/submissions", sent
    yield "/api/v1/submissions", http.get("/api/v1/submissions?limit=200", headers=headers)
    yield "/api/v1/openapi.json", http.get("/api/v1/openapi.json")
    for one in office.warehouse.uploads("haidian"):
        yield one.key, http.get(f"/api/v1/submissions/{one.key}", headers=headers)
    for one in office.warehouse.uploads("dongcheng"):
        refused = http.get(f"/api/v1/submissions/{one.key}", headers=headers)
        assert refused.status_code == 404
        page = hd.get(f"/own/sent/{one.key}")
        assert page.status_code == 404
        yield "another's", refused


def test_what_is_planted_is_found_nowhere(app: FastAPI, office: Office, as_: Callable[[str], Client]) -> None:
    words = planted(office, as_)
    known = as_("wang").get("/months/2014-01/cases?state=all").text
    assert "Dongcheng" in known or "东城" in known  # a steward sees it
    figures = [word for word in words if "," in word]
    assert any(stands_in(said(as_("wang").get("/months/2014-01/sign-off")), figure) for figure in figures)

    found = list(answers(office, app, as_("hd")))

    asked = [path for path, _ in found]
    assert all(
        any(part in path for path in asked)
        for part in ("/own/sent/", "/notice (", "/notice.docx", "/workbook", "/template/")
    )
    assert {answer.status_code for _, answer in found} <= {200, 202, 303, 404}
    leaks = [(path, word) for path, answer in found for word in words if stands_in(said(answer), word)]
    assert leaks == []


@pytest.mark.parametrize("where", ["/own/check", "/own/send"])
def test_another_bureaus_file_is_refused_at_the_form_in_clear_words(
    office: Office, as_: Callable[[str], Client], where: str
) -> None:
    form, hd = default_form(), as_("hd")
    other = return_bytes(form, JANUARY, "dongcheng", "东城分局", some_figures(form), 2, preparer="植入甲")

    answer = hd.post(where, files={"file": ("报表.xlsx", other)})

    assert answer.status_code == 422
    assert "报表.xlsx 写明是其他单位的报表" in answer.text
    assert 'name="file"' in answer.text  # the form is there to choose another
    assert [word for word in OTHERS if stands_in(answer.text, word)] == []  # what stands in the file is not told
    assert office.warehouse.uploads("haidian") == []

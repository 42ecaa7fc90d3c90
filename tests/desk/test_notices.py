"""What a bureau gets when its return is sent back: the notice as an official document, and its own workbook with comments."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment

from disclosure_etl.desk.notices import commented
from disclosure_etl.office import Office
from schemas.errors import UserError
from tests.desk.conftest import JANUARY, Client
from tests.factories import FAMILY

CASES = "/months/2014-01/cases"


@pytest.fixture
def case(steward: Client) -> str:
    """The path of the one open case of January."""
    return CASES + "/" + re.search(r'cases/([0-9a-f]{16})"', steward.get(CASES).text)[1]


def seen(client: Client, case: str) -> str:
    return re.search(r'name="seen" value="([0-9a-f]{16})"', client.get(case).text)[1]


def test_what_was_accepted_is_in_no_notice(office: Office, steward: Client, case: str) -> None:
    other = re.findall(r'<a href="(/months/2014-01/cases/[0-9a-f]{16})">', steward.get(case).text)[0]
    steward.post(f"{other}/waive", {"seen": seen(steward, other), "reason": "累计数无误"})
    steward.post(f"{case}/return", {"seen": seen(steward, case), "reason": "请更正"})
    [one] = office.warehouse.returns(FAMILY, JANUARY, "haidian")
    book = load_workbook(io.BytesIO(steward.get(f"/months/2014-01/returns/{one.digest}/workbook").content))

    assert book["统计表"]["C19"].comment is not None
    assert book["统计表"]["D20"].comment is None


def test_the_notice_is_laid_out_as_an_official_document(office: Office, steward: Client, case: str) -> None:
    steward.post(f"{case}/return", {"seen": seen(steward, case), "reason": "请更正"})
    [one] = office.warehouse.returns(FAMILY, JANUARY, "haidian")
    made = Document(io.BytesIO(steward.get(f"/months/2014-01/returns/{one.digest}/notice.docx").content))
    section, title, body = made.sections[0], made.paragraphs[0], made.paragraphs[2]

    assert (round(section.page_width.mm), round(section.top_margin.mm), round(section.left_margin.mm)) == (210, 37, 28)
    assert (title.alignment, title.runs[0].font.size.pt) == (WD_ALIGN_PARAGRAPH.CENTER, 22)
    assert body.runs[0].font.size.pt == 16
    fonts = [each.runs[0]._element.rPr.rFonts.get(qn("w:eastAsia")) for each in (title, body)]
    assert fonts == ["方正小标宋简体", "仿宋_GB2312"]


def test_comments_go_to_the_first_cell_of_a_merged_one_beside_what_stands_there(office: Office) -> None:
    book = Workbook()
    book.active.title = "统计表"
    book.active.merge_cells("B2:C3")
    book.active["B2"].comment = Comment("单位自己的批注", "张敏")
    kept = io.BytesIO()
    book.save(kept)
    one = replace(office.warehouse.failures(FAMILY, JANUARY)[0].failure, cells=("统计表!C3", "别的表!A1"))
    commented_book = load_workbook(io.BytesIO(commented(kept.getvalue(), [one], "市局")))

    text = commented_book["统计表"]["B2"].comment.text
    assert "单位自己的批注" in text and one.message.zh in text


@pytest.mark.parametrize("data", [b"a,b\n1,2\n", b"PK\x03\x04 broken", b"PK", b"%PDF-1.7"])
def test_what_is_no_workbook_has_no_comments(data: bytes) -> None:
    with pytest.raises(UserError, match=r"no \.xlsx"):
        commented(data, [], "市局")


def test_where_the_bytes_are_gone_the_notice_is_there_and_the_workbook_says_why(
    office: Office, steward: Client, case: str
) -> None:
    steward.post(f"{case}/return", {"seen": seen(steward, case), "reason": "请更正"})
    [one] = office.warehouse.returns(FAMILY, JANUARY, "haidian")
    office.raw_store.path(one.digest).chmod(0o644)
    base = f"/months/2014-01/returns/{one.digest}"

    assert steward.get(f"/months/2014-01/returns/{'0' * 64}/notice").status_code == 404
    assert steward.get(f"{base}/notice").status_code == 200
    office.raw_store.path(one.digest).unlink()
    assert steward.get(f"{base}/notice.docx").status_code == 200  # the notice needs no bytes
    gone = steward.get(f"{base}/workbook")
    assert gone.status_code == 422 and "原始库" in gone.text

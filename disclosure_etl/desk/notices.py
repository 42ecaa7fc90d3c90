"""What a bureau gets when its return is sent back: the notice (退回通知) as a page's text and as .docx, and its own workbook with
the messages as comments in the very cells.

Layout of the .docx: A4, top 37 mm, left 28 mm, title 22 pt 小标宋, body 16 pt 仿宋 (GB/T 9704). Not here: deciding to send it back.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zipfile import BadZipFile

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from schemas.cases import cases_among
from schemas.errors import UserError
from schemas.records import Failure, Severity

_TITLE_FONT, _BODY_FONT = "方正小标宋简体", "仿宋_GB2312"
_IN_SHEET = re.compile(r"(.*)!([A-Z]{1,3}\d+)", re.DOTALL)
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice: to whom, of which return, why, what fails in it, by whom and when."""

    bureau: str
    period: str
    file: str
    reason: str
    failures: tuple[Failure, ...]
    office: str
    day: date
    number: int

    @property
    def title(self) -> str:
        """What stands over it."""
        return f"关于退回{self.period_words}政府信息公开统计报表的通知"

    @property
    def period_words(self) -> str:
        """The period as a notice says it."""
        year, _, rest = self.period.partition("-")
        return f"{year}年{int(rest)}月" if rest.isdigit() else self.period

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The text, without title, address and signature."""
        told = [one for one in self.failures if one.severity is not Severity.NOTICE]
        main = cases_among(told)
        listed = []
        for number, one in enumerate(main[:_SHOWN], 1):
            beside = [other.message.zh for other in told if other.case == one.id]
            listed.append(f"{number}.{one.message.zh}" + (f"同一原因引起的还有:{''.join(beside)}" if beside else ""))
        more = [f"其余{len(main) - _SHOWN}条从略。"] if len(main) > _SHOWN else []
        name = self.file.rpartition("/")[2]
        return (
            f"你单位报送的{self.period_words}统计报表({name})经核对退回更正。理由:{self.reason}",
            *(["报表中需要核对的内容如下:"] if listed else []),
            *listed,
            *more,
            "请核对后以更大的修订号重新报送;所附工作簿已在有关单元格内加批注。",
        )


def notice_docx(one: Notice) -> bytes:
    """The notice as a document."""
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.left_margin = Mm(37), Mm(28)
    section.bottom_margin, section.right_margin = Mm(35), Mm(26)
    title = document.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.keep_with_next = True
    _write(title, one.title, _TITLE_FONT, 22)
    document.add_paragraph()
    _body(document.add_paragraph(), f"{one.bureau}:")
    for text in one.paragraphs:
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.first_line_indent = Pt(32)
        _body(paragraph, text)
    document.add_paragraph()
    for text in (one.office, f"{one.day.year}年{one.day.month}月{one.day.day}日"):
        paragraph = document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        _body(paragraph, text)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _body(paragraph: Paragraph, text: str) -> None:
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    paragraph.paragraph_format.line_spacing = Pt(28)
    paragraph.paragraph_format.space_after = Pt(0)
    _write(paragraph, text, _BODY_FONT, 16)


def _write(paragraph: Paragraph, text: str, font: str, size: int) -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size = font, Pt(size)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def commented(data: bytes, failures: Sequence[Failure], by: str) -> bytes:
    """A workbook with the messages of failures as comments in their cells; its figures stay as they were sent.

    Raises:
        UserError: it is no .xlsx, in which alone comments can be written.
    """
    from openpyxl import load_workbook
    from openpyxl.comments import Comment

    if data[:2] != b"PK":
        raise _no_workbook()
    try:
        book = load_workbook(io.BytesIO(data))
    except (KeyError, ValueError, TypeError, OSError, BadZipFile) as error:
        raise _no_workbook() from error
    worksheets = {sheet.title: sheet for sheet in book.worksheets}  # a sheet of a chart has no cells
    told: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in failures:
        for place in one.cells:
            if (found := _IN_SHEET.fullmatch(place)) is not None and found[1] in worksheets:
                told[found[1], _anchor(worksheets[found[1]], found[2])].append(one.message.zh)
    for (name, address), texts in told.items():
        cell = worksheets[name][address]
        before = [cell.comment.text] if cell.comment is not None else []  # what the bureau wrote there stays
        comment = Comment("\n".join(dict.fromkeys((*before, *texts))), by)
        comment.width, comment.height = 360, 120
        cell.comment = comment
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _anchor(sheet: Any, address: str) -> str:
    """The cell that can have a comment: of a merged range its first."""
    ranges = (one for one in sheet.merged_cells.ranges if address in one)
    found = next(ranges, None)
    return found.start_cell.coordinate if found is not None else address


def _no_workbook() -> UserError:
    return UserError(
        "这份报表不是 .xlsx 工作簿,不能在单元格内加批注;请随退回通知告知单位。",
        "This return is no .xlsx workbook, in which alone comments can be written; tell the bureau by the notice.",
    )

"""The workbook of a return, made from its form: blank with openings for a bureau to fill in, or filled with figures.

Here is what stands on a sheet: title, header, one table or several below each other, and how to fill them in. Not here: the
tables themselves (`template_tables`), reading such a workbook back (`interpreter`), or where openings come from
(`warehouse`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from disclosure_etl.intake.template_checks import RIGHT, Figures
from disclosure_etl.intake.template_lists import Rows, write_list
from disclosure_etl.intake.template_styles import Styles
from disclosure_etl.intake.template_tables import TableWriter, letters
from schemas.compiling import constraint_table
from schemas.forms import Form, Table
from schemas.periods import Period

_HEADER_ROWS = (
    (("bureau", "填报单位"), ("bureau_code", "单位代码")),
    (("period", "统计时期"), ("revision", "修订号")),
    (("preparer", "填报人"), ("checker", "审核人")),
    (("signer", "负责人"), ("filled_on", "填报日期")),
    (("telephone", "联系电话"), ("nil", "{now}无数据")),
)
_LOCKED = frozenset({"bureau", "bureau_code", "period"})
_HOW = "填写:浅黄格填写,其余自动生成。总数请按实际填写,勿用公式;没有发生的填 0,空白表示不详。校验格变红时请先核对。"
_NOTE = (
    f"{_HOW}\n"
    f"零报告:{{now}}确无任何数据时,在「{{now}}无数据」处选 {RIGHT},{{below}}各项留空。\n"
    "更正:已报出的表如需更正,改好后将「修订号」加 1,整份重报。"
)
_NOTE_FURTHER = f"{_HOW}\n零报告、更正:见工作表「{{first}}」。"  # the boxes for these stand on the first sheet
_NOTE_LABEL = "情况说明(如有需要说明的,请写在此处):"
_LONGEST_NAME = 31  # of a sheet, in a workbook
_LABEL_WIDTH, _WIDEST_LABEL, _CHECK_WIDTH = 26.0, 40.0, 16.0  # in letters
_FEW_COLUMNS = 6  # columns up to which each has room to spare
_UPRIGHT = 100  # letters that A4 upright takes at a readable size
_ROWS_UPRIGHT, _ROWS_LYING = 75, 45  # that still fit one page


@dataclass(frozen=True)
class Filling:
    """What stands in the workbook: header texts by field, figures by (indicator, column), rows of lists, each a text or day by
    column, and what the bureau says of its figures."""

    header: Mapping[str, str]
    figures: Figures = field(default_factory=dict)
    rows: Mapping[str, Rows] = field(default_factory=dict)
    note: str = ""


def workbook(form: Form, period: Period, filling: Filling) -> bytes:
    """The return as an .xlsx file; the same input gives the same bytes.

    Cells without a figure are blank. Formulas carry their results, so that a reader sees what a spreadsheet would show.
    """
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": f"{form.title.zh} {period}", "created": _created(period)})
    rules = constraint_table(form, period)
    styles = Styles(book)
    sheets = _sheets(form)
    first = next(iter(sheets))[:_LONGEST_NAME]
    for index, (name, tables) in enumerate(sheets.items()):
        with_codes = any(item.number for table in tables for block in table.blocks for item in block.indicators)
        sheet = book.add_worksheet(name[:_LONGEST_NAME])
        writers = [TableWriter(sheet, styles, form, table, rules, filling.figures, with_codes) for table in tables]
        _write(sheet, styles, form, writers, period, filling if index == 0 else None, first)
    for one in form.lists:
        write_list(book.add_worksheet(one.sheet.zh[:_LONGEST_NAME]), styles, one, filling.rows.get(one.code, ()))
    book.close()
    return buffer.getvalue()


def _created(period: Period) -> datetime:
    """The file's own date: a fixed one, so that equal content is equal bytes."""
    return datetime(period.start.year, period.start.month, 1)  # noqa: DTZ001 - the format knows no time zone


def _sheets(form: Form) -> dict[str, list[Table]]:
    """The tables on each sheet, by its name."""
    sheets: dict[str, list[Table]] = {}
    for table in form.tables:
        sheets.setdefault((table.sheet or table.title).zh, []).append(table)
    return sheets


def _write(
    sheet: Worksheet,
    styles: Styles,
    form: Form,
    writers: Sequence[TableWriter],
    period: Period,
    filling: Filling | None,
    first: str,
) -> None:
    """`filling`, for its header and note, on the sheet called `first` only."""
    header = None if filling is None else filling.header
    # The header takes four columns, and no table's checks stand among another's figures.
    printed = max(0 if header is None else 4, *(writer.printed for writer in writers))
    title = form.title.zh if len(form.tables) == 1 else f"{form.title.zh} {sheet.get_name()}"
    sheet.merge_range(0, 0, 0, printed - 1, f"{title}({form.version}版)", styles.title)
    sheet.set_row(0, 30)
    row = 1
    if header is not None:
        _header(sheet, styles, period, header)
        row += len(_HEADER_ROWS) + 1
    alone = len(writers) == 1
    top = row
    widths = _widths(writers, printed, with_header=header is not None)
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    for writer in writers:
        if not alone:
            sheet.write_string(row, 0, writer.table.title.zh, styles.table)
            row += 1
        end = writer.write(row, printed)
        writer.set_heights(row, widths[0], widths[-1])
        row = end + (0 if alone else 1)
    checks = max(len(writer.check_columns) for writer in writers)
    if checks:
        sheet.set_column(printed, printed + checks - 1, _CHECK_WIDTH)
    if filling is not None:
        _note(sheet, styles, row, printed - 1, sum(widths), filling.note)
        row += 1
    now, below = period.frequency.this_zh, "下面" if len(_sheets(form)) == 1 else "各表"
    how = _NOTE.format(now=now, below=below) if header is not None else _NOTE_FURTHER.format(first=first)
    sheet.merge_range(row, 0, row, printed - 1, how, styles.note)
    sheet.set_row(row, _height(how, sum(widths)))
    sheet.freeze_panes(top + 1 if alone else 0, writers[0].first_column)
    _set_up_print(sheet, row, printed, widths, top if alone else 0)
    sheet.protect("", {"select_locked_cells": True, "format_columns": True})


def _note(sheet: Worksheet, styles: Styles, row: int, last_column: int, width: float, note: str) -> None:
    """The box for what the bureau has to say of its figures."""
    text = _NOTE_LABEL + note
    sheet.merge_range(row, 0, row, last_column, text, styles.said)
    sheet.set_row(row, max(36.0, _height(text, width)))


def _height(text: str, width: float) -> float:
    """What a text of lines takes, in points, in so many letters' width."""
    return 17.0 * sum(math.ceil(letters(line) / (width - 2)) for line in text.split("\n")) + 2


def _widths(writers: Sequence[TableWriter], printed: int, *, with_header: bool) -> list[float]:
    """The widths, in letters, of the columns that are printed."""
    label = min(max(_LABEL_WIDTH, *(writer.label_letters + 2 for writer in writers)), _WIDEST_LABEL)
    # In the second column also stands the bureau's name, in the header.
    second = 18.0 if with_header else 8.0
    figure = 14.0 if printed <= _FEW_COLUMNS else 11.0
    return [label, second, *[figure] * (printed - 2)]


def _set_up_print(sheet: Worksheet, last_row: int, printed: int, widths: Sequence[float], heading: int) -> None:
    """A4, one page wide, without the checks; its heading again on each page."""
    landscape = sum(widths) > _UPRIGHT
    if landscape:
        sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.5)
    sheet.print_area(0, 0, last_row, printed - 1)
    sheet.fit_to_pages(1, 1 if last_row < (_ROWS_LYING if landscape else _ROWS_UPRIGHT) else 0)
    sheet.repeat_rows(heading)
    sheet.center_horizontally()


def _header(sheet: Worksheet, styles: Styles, period: Period, header: Mapping[str, str]) -> None:
    texts = {"period": period.code, "revision": "1", **header}
    now = period.frequency.this_zh
    for offset, pair in enumerate(_HEADER_ROWS):
        for (name, label), at in zip(pair, (0, 2), strict=True):
            style = styles.fixed if name in _LOCKED else styles.open
            sheet.write_string(1 + offset, at, label.format(now=now), styles.field)
            sheet.write(1 + offset, at + 1, texts.get(name, ""), style)
            if name == "nil":
                sheet.data_validation(1 + offset, at + 1, 1 + offset, at + 1, {
                    "validate": "list", "source": [RIGHT], "input_title": "零报告",
                    "input_message": f"{now}确无任何数据时选 {RIGHT},下面各项留空。",
                })  # fmt: skip

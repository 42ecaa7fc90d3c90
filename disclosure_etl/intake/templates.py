"""The workbook of a return, made from its form: blank with openings for a bureau to fill in, or filled with figures.

Here is what stands on a sheet: title, header, one table or several below each other, and how to fill them in. Not here: the
tables themselves (`template_tables`), reading such a workbook back (`interpreter`), or where openings come from
(`warehouse`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from disclosure_etl.intake.template_checks import RIGHT, Figures
from disclosure_etl.intake.template_lists import Rows, write_list
from disclosure_etl.intake.template_styles import Styles
from disclosure_etl.intake.template_tables import TableWriter
from schemas.compiling import constraint_table
from schemas.forms import Form, Table
from schemas.periods import Period

_HEADER_ROWS = (
    (("bureau", "填报单位"), ("bureau_code", "单位代码")),
    (("period", "统计时期"), ("revision", "修订号")),
    (("preparer", "填报人"), ("checker", "审核人")),
    (("signer", "负责人"), ("filled_on", "填报日期")),
    (("telephone", "联系电话"), ("nil", "本月无数据")),
)
_LOCKED = frozenset({"bureau", "bureau_code", "period"})
_NOTE = (
    "填写:浅黄格填写,其余自动生成。总数请按实际填写,勿用公式;没有发生的填 0,空白表示不详。校验格变红时请先核对。\n"
    f"零报告:本月确无任何数据时,在「本月无数据」处选 {RIGHT},下面各项留空。\n"
    "更正:已报出的表如需更正,改好后将「修订号」加 1,整份重报。"
)
_LONGEST_NAME = 31  # of a sheet, in a workbook


@dataclass(frozen=True)
class Filling:
    """What stands in the workbook: header texts by field, figures by (indicator, column), and rows of lists, each a text
    or day by column."""

    header: Mapping[str, str]
    figures: Figures = field(default_factory=dict)
    rows: Mapping[str, Rows] = field(default_factory=dict)


def workbook(form: Form, period: Period, filling: Filling) -> bytes:
    """The return as an .xlsx file; the same input gives the same bytes.

    Cells without a figure are blank. Formulas carry their results, so that a reader sees what a spreadsheet would show.
    """
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"title": f"{form.title.zh} {period}", "created": _created(period)})
    rules = constraint_table(form, period)
    styles = Styles(book)
    for index, (name, tables) in enumerate(_sheets(form).items()):
        with_codes = any(item.number for table in tables for block in table.blocks for item in block.indicators)
        sheet = book.add_worksheet(name[:_LONGEST_NAME])
        writers = [TableWriter(sheet, styles, form, table, rules, filling.figures, with_codes) for table in tables]
        _write(sheet, styles, form, writers, period, filling.header if index == 0 else None)
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
    header: Mapping[str, str] | None,
) -> None:
    width = max(writer.width for writer in writers)
    title = form.title.zh if len(form.tables) == 1 else f"{form.title.zh} {sheet.get_name()}"
    sheet.merge_range(0, 0, 0, width - 1, f"{title}({form.version}版)", styles.title)
    sheet.set_row(0, 30)
    row = 1
    if header is not None:
        _header(sheet, styles, period, header)
        row += len(_HEADER_ROWS) + 1
    alone = len(writers) == 1
    top = row
    for writer in writers:
        if not alone:
            sheet.write_string(row, 0, writer.table.title.zh, styles.table)
            row += 1
        row = writer.write(row) + (0 if alone else 1)
    sheet.merge_range(row, 0, row, width - 1, _NOTE, styles.note)
    sheet.set_row(row, 52)
    for writer in writers:
        writer.set_widths()
    sheet.freeze_panes(top + 1 if alone else 0, writers[0].first_column)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    if alone:
        sheet.repeat_rows(top)
    sheet.protect("", {"select_locked_cells": True, "format_columns": True})


def _header(sheet: Worksheet, styles: Styles, period: Period, header: Mapping[str, str]) -> None:
    texts = {"period": period.code, "revision": "1", **header}
    for offset, pair in enumerate(_HEADER_ROWS):
        for (name, label), at in zip(pair, (0, 2), strict=True):
            style = styles.fixed if name in _LOCKED else styles.open
            sheet.write_string(1 + offset, at, label, styles.field)
            sheet.write(1 + offset, at + 1, texts.get(name, ""), style)
            if name == "nil":
                sheet.data_validation(1 + offset, at + 1, 1 + offset, at + 1, {
                    "validate": "list", "source": [RIGHT], "input_title": "零报告",
                    "input_message": f"本月确无任何数据时选 {RIGHT},下面各项留空。",
                })  # fmt: skip

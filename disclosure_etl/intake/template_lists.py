"""The sheet of a list in a workbook: its headings, and open rows below them. Not here: reading it back (`listed`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from xlsxwriter.worksheet import Worksheet

from disclosure_etl.intake.template_styles import Styles
from schemas.itemlists import ItemList

Rows = Sequence[Mapping[str, str | date]]  # what stands in each row, by column

_OPEN_ROWS = 200
_EARLIEST = datetime(1990, 1, 1)  # noqa: DTZ001 - the format knows no time zone; a day before it is a slip of the year


def write_list(sheet: Worksheet, styles: Styles, one: ItemList, rows: Rows) -> None:
    """Headings in the first row, then rows to be filled in; a column of dates admits dates only."""
    last = max(_OPEN_ROWS, len(rows))
    for at, column in enumerate(one.columns):
        sheet.write_string(0, at, column.label.zh, styles.head)
        style = styles.day if column.kind == "date" else styles.words
        for row in range(1, last + 1):
            value = rows[row - 1].get(column.code) if row <= len(rows) else None
            if value is None:
                sheet.write_blank(row, at, None, style)
            elif isinstance(value, date):
                sheet.write_datetime(row, at, value, style)
            else:
                sheet.write_string(row, at, value, style)
        if column.kind == "date":
            sheet.data_validation(1, at, last, at, {
                "validate": "date", "criteria": ">=", "value": _EARLIEST, "error_title": "请填日期",
                "error_message": f"「{column.label.zh}」请填日期,如 2014-05-03。",
            })  # fmt: skip
    sheet.set_column(0, len(one.columns) - 1, 24)
    sheet.freeze_panes(1, 0)
    sheet.protect("", {"select_locked_cells": True, "format_columns": True})

"""The sheets 合计 of the 汇总表: all consolidated figures, a row an indicator, each table under its own columns.

Not here: the figures by bureau (`summary`), what a sheet looks like (`summary_formats`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from disclosure_etl.reports.summary_account import is_coarser
from disclosure_etl.reports.summary_formats import A4, Formats, print_page, row_height
from schemas.consolidation import ConsolidatedFigure, Consolidation
from schemas.forms import Column, Form, Indicator, Table

HELD_MEANS = "红色斜体为暂存板块的填报数:照填报数计入合计,未经认定。"
_LABEL_WIDTH, _UNIT_WIDTH = 34.0, 8.0  # in letters
_UPRIGHT = 100  # letters that A4 upright takes at a readable size
_ROWS_UPRIGHT, _ROWS_LYING = 75, 45  # that are made to fit one page

_Figures = Mapping[tuple[str, str], ConsolidatedFigure]


def of_period(label: str, coarser: bool) -> str:
    """A label of the form in a table of a coarser period, which is no month's."""
    return label.replace("本月", "本期") if coarser else label


def decimal(value: int, scale: int) -> float:
    """A figure as a spreadsheet takes it."""
    return value / 10**scale  # of whole numbers, so the nearest float


def parts_of(form: Form) -> set[str]:
    """The indicators that are a part of another."""
    parts = {part for item in form.indicators.values() for one in item.breakdowns for part in one.parts}
    return parts | {item.code for item in form.indicators.values() if item.subset_of}


def sheet_name(name: str) -> str:
    """A name that a spreadsheet takes: 31 characters, none of those that stand for something in formulas."""
    return re.sub(r"[\[\]:*?/\\]", "-", name)[:31]


def totals(book: Workbook, formats: Formats, title: str, form: Form, one: Consolidation) -> None:
    """A sheet for each sheet of the form, its tables below each other, with shares of the stated totals."""
    sheets: dict[str, list[Table]] = {}
    for table in form.tables:
        sheets.setdefault((table.sheet or table.title).zh, []).append(table)
    for name, tables in sheets.items():
        called = "合计" if len(sheets) == 1 else sheet_name(f"合计 {name}")
        _Totals(book.add_worksheet(called), formats, form, one).write(title, called, tables)


class _Totals:
    def __init__(self, sheet: Worksheet, formats: Formats, form: Form, one: Consolidation) -> None:
        self.sheet, self.formats, self.form = sheet, formats, form
        self.coarser, self.parts = is_coarser(form, one), parts_of(form)
        self.figures: _Figures = {(figure.indicator, figure.column): figure for figure in one.figures}

    def write(self, title: str, called: str, tables: Sequence[Table]) -> None:
        sheet = self.sheet
        sheet.write_string(0, 0, title, self.formats.title)
        sheet.write_string(1, 0, HELD_MEANS, self.formats.note)
        columns = [self._columns(table) for table in tables]
        widest = max(2 + len(own) + _has_shares(table) for table, own in zip(tables, columns, strict=True))
        figure_width = 14.0 if widest <= 6 else 11.0
        row = 2
        for table, own in zip(tables, columns, strict=True):
            if len(tables) > 1:
                sheet.write_string(row, 0, table.title.zh, self.formats.title)
                row += 1
            row = self._table(row, table, own, figure_width) + (len(tables) > 1)
        sheet.set_column(0, 0, _LABEL_WIDTH)
        sheet.set_column(1, 1, _UNIT_WIDTH)
        sheet.set_column(2, widest - 1, figure_width)
        sheet.freeze_panes(3 if len(tables) == 1 else 2, 1)
        landscape = _LABEL_WIDTH + _UNIT_WIDTH + (widest - 2) * figure_width > _UPRIGHT
        print_page(sheet, f"{title}:{called}", [HELD_MEANS], paper=A4, landscape=landscape)
        sheet.print_area(2, 0, row - 1, widest - 1)
        if len(tables) == 1:
            sheet.repeat_rows(2)
        sheet.fit_to_pages(1, 1 if row <= (_ROWS_LYING if landscape else _ROWS_UPRIGHT) else 0)

    def _columns(self, table: Table) -> list[Column]:
        return [column for column in table.columns if not (self.coarser and column.cumulates)]

    def _table(self, row: int, table: Table, columns: Sequence[Column], figure_width: float) -> int:
        """One table from `row` on; the row after its last."""
        sheet, formats = self.sheet, self.formats
        shares = _has_shares(table)
        heads = ["指标", "单位", *(of_period(column.label.zh, self.coarser) for column in columns)]
        heads += ["占比(%)"] * shares
        for at, head in enumerate(heads):
            sheet.write_string(row, at, head, formats.head)
        sheet.set_row(row, max(18, row_height(heads[2:], [figure_width] * len(heads[2:]))))
        row += 1
        for block in table.blocks:
            sheet.merge_range(row, 0, row, len(heads) - 1, block.label.zh, formats.block)
            row += 1
            for item in block.indicators:
                if item.heading is not None:
                    heading = of_period(item.heading.zh, self.coarser)
                    sheet.merge_range(row, 0, row, len(heads) - 1, heading, formats.bold)
                    row += 1
                self._indicator(row, item, columns)
                if shares:
                    self._write_share(row, len(heads) - 1, item)
                row += 1
        return row

    def _indicator(self, row: int, item: Indicator, columns: Sequence[Column]) -> None:
        formats, whole = self.formats, bool(item.breakdowns)
        style = formats.part if item.code in self.parts else formats.bold if whole else formats.text
        label = of_period(item.label.zh, self.coarser)
        self.sheet.write_string(row, 0, label, style)
        if (height := row_height([label], [_LABEL_WIDTH])) > 18:
            self.sheet.set_row(row, height)
        self.sheet.write_string(row, 1, item.unit, formats.centre)
        for at, column in enumerate(columns, 2):
            figure = self.figures.get((item.code, column.code))
            if figure is None or figure.value is None:
                self.sheet.write_blank(row, at, None, formats.text)
            else:
                number = formats.number(figure.scale, held=not figure.validated, sum_of_parts=whole)
                self.sheet.write_number(row, at, decimal(figure.value, figure.scale), number)

    def _write_share(self, row: int, at: int, item: Indicator) -> None:
        share = _share(self.form, item, {place: figure.value for place, figure in self.figures.items()})
        if share is None:
            self.sheet.write_blank(row, at, None, self.formats.text)
        else:
            style = self.formats.number(-int(share.as_tuple().exponent))
            self.sheet.write_number(row, at, float(share), style)


def _has_shares(table: Table) -> bool:
    return any(one.shares for block in table.blocks for item in block.indicators for one in item.breakdowns)


def _share(form: Form, part: Indicator, values: Mapping[tuple[str, str], int | None]) -> Decimal | None:
    for whole in form.indicators.values():
        for breakdown in whole.breakdowns:
            if breakdown.shares and part.code in breakdown.parts:
                for column in breakdown.shares.columns:
                    total, count = values.get((whole.code, column)), values.get((part.code, column))
                    if total and count is not None:
                        places = Decimal(1).scaleb(-breakdown.shares.decimals)
                        return (Decimal(count) * 100 / Decimal(total)).quantize(places, ROUND_HALF_UP)
    return None

"""One table of a workbook: heading, blocks and rows, inputs that admit numbers only, shares and checks beside them.

Totals are typed; beside each stands a locked check cell that turns red on a mismatch and that no reader takes for data.
Shares are formulas. Not here: the formulas of checks (`template_checks`), what else stands on the sheet (`templates`).
"""

from __future__ import annotations

import math
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from disclosure_etl.intake.template_checks import WRONG, Figures, check_formula, check_result, checked_by
from disclosure_etl.intake.template_styles import Styles
from schemas.constraints import ConstraintTable
from schemas.forms import Column, Form, Indicator, Table

_ORDINALS = "一二三四五六七八九十"
_LARGEST = 10**12  # what a signed figure lies within: a validation needs bounds


class TableWriter:
    """Writes one table. `with_codes`: the sheet has a column for the codes that the form prints."""

    def __init__(
        self,
        sheet: Worksheet,
        styles: Styles,
        form: Form,
        table: Table,
        rules: ConstraintTable,
        figures: Figures,
        with_codes: bool,
    ) -> None:
        self.sheet, self.styles, self.form, self.table = sheet, styles, form, table
        self.figures = figures
        self.code_column = 1 if with_codes else None
        self.unit_column = 2 if with_codes else 1
        self.first_column = self.unit_column + 1
        self.columns = {column.code: self.first_column + index for index, column in enumerate(table.columns)}
        shared = {
            code for block in table.blocks for item in block.indicators for b in item.breakdowns if b.shares
            for code in b.shares.columns
        }  # fmt: skip
        at = self.first_column + len(table.columns)
        self.share_columns = {
            column.code: at + n for n, column in enumerate(c for c in table.columns if c.code in shared)
        }
        self.printed = at + len(
            self.share_columns
        )  # what is filled in and shown on paper; the checks stand right of it
        self.checks = checked_by(rules, table.code)
        self.check_columns: dict[str, int] = {}
        self.parents = _parents(table)
        self.rows: dict[str, int] = {}

    def write(self, top: int, checks_at: int) -> int:
        """Write the table with its heading in row `top` and its checks from column `checks_at` on; the row after its last.
        Rows are placed first, since formulas point forward."""
        checked = [column.code for column in self.table.columns if any(code == column.code for _, code in self.checks)]
        self.check_columns = {code: checks_at + n for n, code in enumerate(checked)}
        end = self._place_rows(top + 1)
        self._head(top)
        self._body()
        self._checks()
        if self.check_columns:
            first, last = min(self.check_columns.values()), max(self.check_columns.values())
            self.sheet.conditional_format(top + 1, first, end - 1, last, {
                "type": "text", "criteria": "begins with", "value": WRONG, "format": self.styles.wrong,
            })  # fmt: skip
        return end

    @property
    def label_letters(self) -> int:
        """The longest label of a row, in letters of a column's width, its indent included."""
        items = (item for block in self.table.blocks for item in block.indicators)
        return max(letters(_label(item)) + 2 * self._depth(item) for item in items)

    def set_heights(self, top: int, label_width: float, figure_width: float) -> None:
        """Rows high enough for labels and headings that take several lines."""
        heads = [letters(column.label.zh) for column in self.table.columns]
        if (lines := max(_lines(one, figure_width) for one in heads)) > 1:
            self.sheet.set_row(top, 15 * lines + 3)
        for block in self.table.blocks:
            for item in block.indicators:
                if (lines := _lines(letters(_label(item)) + 2 * self._depth(item), label_width)) > 1:
                    self.sheet.set_row(self.rows[item.code], 15 * lines)

    def _place_rows(self, first: int) -> int:
        row = first
        for block in self.table.blocks:
            row += 1  # its title
            for item in block.indicators:
                row += item.heading is not None
                self.rows[item.code] = row
                row += 1
        return row

    def _head(self, row: int) -> None:
        write = self.sheet.write_string
        write(row, 0, "指标", self.styles.head)
        if self.code_column is not None:
            write(row, self.code_column, "代码", self.styles.head)
        write(row, self.unit_column, "单位", self.styles.head)
        for column in self.table.columns:
            write(row, self.columns[column.code], column.label.zh, self.styles.head)
            if column.code in self.share_columns:
                write(row, self.share_columns[column.code], "占比(%)", self.styles.head)
            if column.code in self.check_columns:
                write(row, self.check_columns[column.code], f"{column.label.zh}校验", self.styles.head)

    def _body(self) -> None:
        last = self.printed - 1
        for index, block in enumerate(self.table.blocks):
            first = block.indicators[0]
            title_row = self.rows[first.code] - (2 if first.heading else 1)
            number = _ORDINALS[index] if index < len(_ORDINALS) else str(index + 1)
            self.sheet.merge_range(title_row, 0, title_row, last, f"{number}、{block.label.zh}", self.styles.block)
            for item in block.indicators:
                if item.heading is not None:
                    style = self.styles.heading(self._heading_depth(item))
                    at = self.rows[item.code] - 1
                    self.sheet.merge_range(at, 0, at, last, item.heading.zh, style)
                self._indicator(item)

    def _depth(self, item: Indicator) -> int:
        depth, above = 1, item.code
        while (above := self.parents.get(above, "")) and depth < 5:
            depth += 1
        return depth

    def _heading_depth(self, item: Indicator) -> int:
        """Above the first part a heading is of all parts, and stands where their whole does; further on it is of some."""
        items = self.form.indicators.values()
        begins = any(one.parts[0] == item.code for whole in items for one in whole.breakdowns)
        return max(1, self._depth(item) - begins)

    def _indicator(self, item: Indicator) -> None:
        row = self.rows[item.code]
        self.sheet.write_string(row, 0, _label(item), self.styles.label(self._depth(item)))
        if self.code_column is not None:
            self.sheet.write_string(row, self.code_column, item.number or "", self.styles.unit)
        self.sheet.write_string(row, self.unit_column, item.unit, self.styles.unit)
        for column in self.table.columns:
            at = self.columns[column.code]
            figure = self.figures.get((item.code, column.code))
            style = self.styles.figure(item.decimals)
            if figure is None:
                self.sheet.write_blank(row, at, None, style)
            else:
                self.sheet.write_number(row, at, float(figure), style)
            self.sheet.data_validation(row, at, row, at, _validation(item, column))
        for code, at in self.share_columns.items():
            self._share(item, code, row, at)
        for at in self.check_columns.values():
            self.sheet.write_blank(row, at, None, self.styles.check)

    def _share(self, item: Indicator, column: str, row: int, at: int) -> None:
        for whole in self.form.indicators.values():
            for breakdown in whole.breakdowns:
                if breakdown.shares and column in breakdown.shares.columns and item.code in breakdown.parts:
                    total, part = self._at(whole.code, column), self._at(item.code, column)
                    places = breakdown.shares.decimals
                    # IF evaluates what it chooses only, so a text (—) or a zero below the line is never computed with.
                    formula = (
                        f"=IF(AND(ISNUMBER({total}),ISNUMBER({part})),"
                        f'IF({total}=0,"",ROUND({part}/{total}*100,{places})),"")'
                    )
                    style = self.styles.figure(places, locked=True)
                    value = self._share_value(whole.code, item.code, column, places)
                    self.sheet.write_formula(row, at, formula, style, value)
                    return
        self.sheet.write_blank(row, at, None, self.styles.none)

    def _share_value(self, whole: str, part: str, column: str, places: int) -> float | str:
        total, count = self.figures.get((whole, column)), self.figures.get((part, column))
        if not total or count is None:
            return ""
        return float((count * 100 / total).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))

    def _at(self, indicator: str, column: str) -> str:
        return xl_rowcol_to_cell(self.rows[indicator], self.columns[column])

    def _checks(self) -> None:
        """A check cell beside every figure that others imply: the table's rules, written as formulas."""
        for (indicator, column), rules in self.checks.items():
            self.sheet.write_formula(
                self.rows[indicator], self.check_columns[column], check_formula(rules, self._at), self.styles.check,
                check_result(rules, self.figures),
            )  # fmt: skip


def letters(text: str) -> int:
    """How wide a text is, in letters; a Chinese one is two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in text)


def _lines(wide: int, width: float) -> int:
    return math.ceil(wide / (width - 1))


def _label(item: Indicator) -> str:
    return f"其中:{item.label.zh}" if item.subset_of else item.label.zh


def _parents(table: Table) -> dict[str, str]:
    """The whole of each part, for indenting."""
    parents: dict[str, str] = {}
    for block in table.blocks:
        for item in block.indicators:
            parents.update({part: item.code for breakdown in item.breakdowns for part in breakdown.parts})
            if item.subset_of:
                parents[item.code] = item.subset_of
    return parents


def _validation(item: Indicator, column: Column) -> dict[str, object]:
    whole = item.decimals == 0
    bounds = {"criteria": ">=", "value": 0}
    if column.signed:
        bounds = {"criteria": "between", "minimum": -_LARGEST, "maximum": _LARGEST}
    kind = "整数" if whole else "数"
    allowed = f"{kind},减少的填负数" if column.signed else f"不小于 0 的{kind}"
    return {
        "validate": "integer" if whole else "decimal",
        **bounds,
        "error_title": "请填数字",
        "error_message": f"「{item.label.zh}」请填{allowed}(单位:{item.unit})。",
    }

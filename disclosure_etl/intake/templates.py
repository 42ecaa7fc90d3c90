"""The workbook of a return, made from its form: blank with openings for a bureau to fill in, or filled with figures.

Totals are typed; beside each stands a locked check cell that turns red on a mismatch and that no reader takes for data.
Shares are formulas. Not here: reading such a workbook back (`interpreter`), or where openings come from (`warehouse`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from schemas.compiling import constraint_table
from schemas.constraints import Constraint, ConstraintTable, Kind, Relation
from schemas.forms import Form, Indicator, Table
from schemas.periods import Period

_HEADER_ROWS = (
    (("bureau", "填报单位"), ("bureau_code", "单位代码")),
    (("period", "统计时期"), ("revision", "修订号")),
    (("preparer", "填报人"), ("checker", "审核人")),
    (("signer", "负责人"), ("filled_on", "填报日期")),
    (("telephone", "联系电话"), ("nil", "本月无数据")),
)
_LOCKED = frozenset({"bureau", "bureau_code", "period"})
_CHECKED = (Kind.BREAKDOWN, Kind.ROW_TOTAL, Kind.BALANCE, Kind.SUBSET, Kind.OUTCOMES, Kind.YEAR_TO_DATE)
_RIGHT = "√"
_ORDINALS = "一二三四五六七八九十"
Figures = Mapping[tuple[str, str], Decimal]


@dataclass(frozen=True)
class Filling:
    """What stands in the workbook: header texts by field, and figures by (indicator, column)."""

    header: Mapping[str, str]
    figures: Figures = field(default_factory=dict)


def workbook(form: Form, period: Period, filling: Filling) -> bytes:
    """The return as an .xlsx file; the same input gives the same bytes.

    Cells without a figure are blank. Formulas carry their results, so that a reader sees what a spreadsheet would show.
    """
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"title": f"{form.title.zh} {period}", "created": _created(period)})
    table = constraint_table(form, period)
    styles = _Styles(book)
    for index, sheet_of in enumerate(form.tables):
        _Sheet(book.add_worksheet(sheet_of.title.zh), styles, form, sheet_of, table, filling).write(period, index == 0)
    book.close()
    return buffer.getvalue()


def _created(period: Period) -> datetime:
    """The file's own date: a fixed one, so that equal content is equal bytes."""
    return datetime(period.start.year, period.start.month, 1)  # noqa: DTZ001 - the format knows no time zone


class _Styles:
    """Cell formats of the workbook, made once."""

    def __init__(self, book: Workbook) -> None:
        base = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
        boxed = {**base, "border": 1, "border_color": "#9AA5B1"}
        self._book, self._boxed = book, boxed
        self._inputs: dict[tuple[int, bool], object] = {}
        self._labels: dict[int, object] = {}
        self.title = book.add_format({**base, "font_size": 16, "bold": True, "align": "center"})
        self.head = book.add_format({**boxed, "bold": True, "align": "center", "bg_color": "#E8EDF3"})
        self.field = book.add_format({**base, "align": "right", "font_color": "#52606D"})
        self.fixed = book.add_format({**base, "bottom": 1, "num_format": "@"})
        self.open = book.add_format({**base, "bottom": 1, "num_format": "@", "locked": False, "bg_color": "#FFFBEA"})
        self.block = book.add_format({**boxed, "bold": True, "bg_color": "#F5F7FA"})
        self.unit = book.add_format({**boxed, "align": "center"})
        self.check = book.add_format({**base, "font_color": "#3E7B4F", "font_size": 10})
        self.wrong = book.add_format({"font_color": "#FFFFFF", "bg_color": "#C62828", "bold": True})
        self.none = book.add_format({**boxed, "bg_color": "#F5F7FA"})
        self.note = book.add_format(
            {**base, "font_size": 9, "font_color": "#52606D", "text_wrap": True, "valign": "top"}
        )

    def figure(self, decimals: int, locked: bool = False) -> object:
        """An input (or, locked, a computed) cell with as many decimals as its indicator prints."""
        key = (decimals, locked)
        if key not in self._inputs:
            code = "0" if decimals == 0 else "0." + "0" * decimals
            look = {"bg_color": "#F5F7FA"} if locked else {"locked": False, "bg_color": "#FFFBEA"}
            self._inputs[key] = self._book.add_format({**self._boxed, "num_format": code, **look})
        return self._inputs[key]

    def label(self, depth: int) -> object:
        """A row label, indented under its whole."""
        if depth not in self._labels:
            self._labels[depth] = self._book.add_format({**self._boxed, "indent": depth})
        return self._labels[depth]


class _Sheet:
    """One table on its worksheet."""

    def __init__(
        self, sheet: Worksheet, styles: _Styles, form: Form, table: Table, rules: ConstraintTable, filling: Filling
    ) -> None:
        self.sheet, self.styles, self.form, self.table = sheet, styles, form, table
        self.rules, self.filling = rules, filling
        self.columns = {column.code: 2 + index for index, column in enumerate(table.columns)}
        shared = {
            code for block in table.blocks for item in block.indicators for b in item.breakdowns if b.shares
            for code in b.shares.columns
        }  # fmt: skip
        at = 2 + len(table.columns)
        self.share_columns = {
            column.code: at + n for n, column in enumerate(c for c in table.columns if c.code in shared)
        }
        at += len(self.share_columns)
        self.check_columns = {column.code: at + n for n, column in enumerate(table.columns)}
        self.width = at + len(self.check_columns)
        self.rows: dict[str, int] = {}

    def write(self, period: Period, with_header: bool) -> None:
        """Write everything; rows are placed first, since formulas point forward."""
        top = 1 + (len(_HEADER_ROWS) + 1 if with_header else 0)
        self._place_rows(top + 1)
        version = f"({self.form.version}版)"
        title = self.form.title.zh if len(self.form.tables) == 1 else f"{self.form.title.zh} {self.table.title.zh}"
        self.sheet.merge_range(0, 0, 0, self.width - 1, f"{title}{version}", self.styles.title)
        self.sheet.set_row(0, 30)
        if with_header:
            self._header(period)
        self._head(top)
        self._body()
        self._checks()
        self._finish(top)

    def _place_rows(self, first: int) -> None:
        row = first
        for block in self.table.blocks:
            row += 1  # its title
            for item in block.indicators:
                self.rows[item.code] = row
                row += 1

    def _header(self, period: Period) -> None:
        texts = {"period": period.code, "revision": "1", **self.filling.header}
        for offset, pair in enumerate(_HEADER_ROWS):
            for (name, label), at in zip(pair, (0, 2), strict=True):
                style = self.styles.fixed if name in _LOCKED else self.styles.open
                self.sheet.write_string(1 + offset, at, label, self.styles.field)
                self.sheet.write(1 + offset, at + 1, texts.get(name, ""), style)
                if name == "nil":
                    self.sheet.data_validation(1 + offset, at + 1, 1 + offset, at + 1, {
                        "validate": "list", "source": [_RIGHT], "input_title": "零报告",
                        "input_message": "本月确无任何数据时选 √,下面各项留空。",
                    })  # fmt: skip

    def _head(self, row: int) -> None:
        write = self.sheet.write_string
        write(row, 0, "指标", self.styles.head)
        write(row, 1, "单位", self.styles.head)
        for column in self.table.columns:
            write(row, self.columns[column.code], column.label.zh, self.styles.head)
            if column.code in self.share_columns:
                write(row, self.share_columns[column.code], "占比(%)", self.styles.head)
            write(row, self.check_columns[column.code], f"{column.label.zh}校验", self.styles.head)

    def _body(self) -> None:
        parents = _parents(self.table)
        last = self.width - 1 - len(self.check_columns)
        for index, block in enumerate(self.table.blocks):
            title_row = self.rows[block.indicators[0].code] - 1
            number = _ORDINALS[index] if index < len(_ORDINALS) else str(index + 1)
            self.sheet.merge_range(title_row, 0, title_row, last, f"{number}、{block.label.zh}", self.styles.block)
            for item in block.indicators:
                self._indicator(item, parents)

    def _indicator(self, item: Indicator, parents: Mapping[str, str]) -> None:
        row = self.rows[item.code]
        depth, above = 1, item.code
        while (above := parents.get(above, "")) and depth < 5:
            depth += 1
        label = f"其中:{item.label.zh}" if item.subset_of else item.label.zh
        self.sheet.write_string(row, 0, label, self.styles.label(depth))
        self.sheet.write_string(row, 1, item.unit, self.styles.unit)
        for column in self.table.columns:
            at = self.columns[column.code]
            figure = self.filling.figures.get((item.code, column.code))
            style = self.styles.figure(item.decimals)
            if figure is None:
                self.sheet.write_blank(row, at, None, style)
            else:
                self.sheet.write_number(row, at, float(figure), style)
            self.sheet.data_validation(row, at, row, at, _validation(item))
        for code, at in self.share_columns.items():
            self._share(item, code, row, at)

    def _share(self, item: Indicator, column: str, row: int, at: int) -> None:
        for whole in self.form.indicators.values():
            for breakdown in whole.breakdowns:
                if breakdown.shares and column in breakdown.shares.columns and item.code in breakdown.parts:
                    total, part = self._at(whole.code, column), self._at(item.code, column)
                    places = breakdown.shares.decimals
                    formula = f'=IF(OR(N({total})=0,{part}=""),"",ROUND({part}/{total}*100,{places}))'
                    style = self.styles.figure(places, locked=True)
                    self.sheet.write_formula(
                        row, at, formula, style, self._share_value(whole.code, item.code, column, places)
                    )
                    return
        self.sheet.write_blank(row, at, None, self.styles.none)

    def _share_value(self, whole: str, part: str, column: str, places: int) -> float | str:
        total, count = self.filling.figures.get((whole, column)), self.filling.figures.get((part, column))
        if not total or count is None:
            return ""
        return float((count * 100 / total).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))

    def _at(self, indicator: str, column: str) -> str:
        return xl_rowcol_to_cell(self.rows[indicator], self.columns[column])

    def _checks(self) -> None:
        """A check cell beside every figure that others imply: the table's rules, written as formulas."""
        beside: dict[tuple[int, int], list[Constraint]] = {}
        for rule in self.rules.constraints:
            inside = all(term.cell.table == self.table.code for term in rule.terms)
            if rule.kind in _CHECKED and not rule.waits and inside:
                beside.setdefault((self.rows[rule.indicator], self.check_columns[rule.column]), []).append(rule)
        for (row, at), rules in beside.items():
            formula = '"' + _RIGHT + '"'
            for rule in reversed(rules):
                formula = f"IF({self._wrong(rule)},{self._shown(rule)},{formula})"
            own = " ".join(
                f'{self._at(term.cell.indicator, term.cell.column)}<>"",' for rule in rules for term in rule.terms
            )
            present = "OR(" + own.replace(" ", "").rstrip(",") + ")"
            self.sheet.write_formula(
                row, at, f'=IF({present},{formula},"")', self.styles.check, self._check_value(rules)
            )

    def _sum(self, rule: Constraint) -> str:
        return "".join(
            f"{'+' if term.coefficient > 0 else '-'}N({self._at(term.cell.indicator, term.cell.column)})"
            for term in rule.terms
        )

    def _wrong(self, rule: Constraint) -> str:
        # Amounts are decimals to a spreadsheet: a difference below the smallest unit is its arithmetic, not the clerk's.
        total = f"ROUND({self._sum(rule)},4)"
        return f"{total}<>0" if rule.relation is Relation.EQUAL else f"{total}>0"

    def _shown(self, rule: Constraint) -> str:
        if rule.relation is Relation.AT_MOST:
            return '"×超出所属总数"'
        implied = "".join(
            f"{'+' if -rule.terms[-1].coefficient * term.coefficient > 0 else '-'}"
            f"N({self._at(term.cell.indicator, term.cell.column)})"
            for term in rule.terms[:-1]
        )
        return f'"×应为"&ROUND({implied},4)'

    def _check_value(self, rules: list[Constraint]) -> str:
        figures = self.filling.figures
        if not any((term.cell.indicator, term.cell.column) in figures for rule in rules for term in rule.terms):
            return ""
        for rule in rules:
            values = [
                term.coefficient * figures.get((term.cell.indicator, term.cell.column), Decimal(0))
                for term in rule.terms
            ]
            if rule.relation is Relation.EQUAL and sum(values, Decimal(0)):
                implied = sum(values[:-1], Decimal(0)) * -rule.terms[-1].coefficient
                return f"×应为{implied.normalize():f}"
            if rule.relation is Relation.AT_MOST and sum(values, Decimal(0)) > 0:
                return "×超出所属总数"
        return _RIGHT

    def _finish(self, top: int) -> None:
        sheet = self.sheet
        bottom = max(self.rows.values())
        first, last = min(self.check_columns.values()), max(self.check_columns.values())
        sheet.conditional_format(top + 1, first, bottom, last, {
            "type": "text", "criteria": "begins with", "value": "×", "format": self.styles.wrong,
        })  # fmt: skip
        sheet.merge_range(
            bottom + 1, 0, bottom + 1, self.width - 1,
            "浅黄格填写,其余自动生成。总数请按实际填写,勿用公式;没有发生的填 0,空白表示不详。校验格变红时请先核对。",
            self.styles.note,
        )  # fmt: skip
        sheet.set_row(bottom + 1, 30)
        sheet.set_column(0, 0, 26)
        sheet.set_column(1, 1, 18)
        sheet.set_column(2, last, 14)
        sheet.set_column(first, last, 16)
        sheet.freeze_panes(top + 1, 2)
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(top)
        sheet.protect("", {"select_locked_cells": True, "format_columns": True})


def _parents(table: Table) -> dict[str, str]:
    """The whole of each part, for indenting."""
    parents: dict[str, str] = {}
    for block in table.blocks:
        for item in block.indicators:
            parents.update({part: item.code for breakdown in item.breakdowns for part in breakdown.parts})
            if item.subset_of:
                parents[item.code] = item.subset_of
    return parents


def _validation(item: Indicator) -> dict[str, object]:
    whole = item.decimals == 0
    return {
        "validate": "integer" if whole else "decimal",
        "criteria": ">=",
        "value": 0,
        "error_title": "请填数字",
        "error_message": f"「{item.label.zh}」请填不小于 0 的{'整数' if whole else '数'}(单位:{item.unit})。",
    }

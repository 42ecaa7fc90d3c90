"""汇总表: a consolidation as a workbook: bureaus × indicators with their sum, how every bureau stands, and the failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from pathlib import Path

import xlsxwriter
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from disclosure_etl.warehouse import StoredFailure
from schemas.consolidation import BureauFigure, Consolidation
from schemas.forms import Form, Indicator
from schemas.periods import Period
from schemas.records import Status

_STATUS = {
    "accepted": "已认定", "partly_held": "部分暂存", "held": "暂存", "missing": "未报", "failed": "程序故障",
    "superseded": "已被替代", "unreadable": "无法读取", "duplicate": "重复", "misdirected": "误投", "other_period": "其他时期",
}  # fmt: skip
_VERSION = {"provisional": "初步数", "final": "终稿", "locked": "已锁定", "unverified": "未经核实"}


def summary_path(folder: Path, one: Consolidation) -> Path:
    """Where the table of a version is written: one folder a period, one file a version."""
    return folder / one.period / f"汇总表-{one.period}-v{one.version}.xlsx"


def summary_workbook(
    form: Form, one: Consolidation, figures: Sequence[BureauFigure], failures: Sequence[StoredFailure]
) -> bytes:
    """The workbook. `figures` are the bureaus' that count; failures are listed as they come."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    formats = _Formats(book)
    period = Period.parse(one.period)
    title = f"{period.label_zh}{form.title.zh}汇总表({_VERSION[one.status.value]},第 {one.version} 版)"
    columns = form.own_columns
    for code in columns:
        sheet = book.add_worksheet("汇总表" if len(columns) == 1 else f"汇总表 {form.columns[code].label.zh}")
        sheet.write_string(0, 0, title, formats.title)
        own = [figure for figure in figures if figure.column == code and figure.value is not None]
        _table(sheet, formats, form, one, own, code)
    _totals(book, formats, title, form, one)
    _states(book, formats, form, one)
    _failures(book, formats, failures, {state.bureau: state.name_zh for state in one.bureaus})
    book.close()
    return buffer.getvalue()


class _Formats:
    def __init__(self, book: Workbook) -> None:
        base = {"font_name": "宋体", "font_size": 10, "valign": "vcenter"}
        boxed = {**base, "border": 1, "border_color": "#9AA5B1"}
        self.title = book.add_format({**base, "font_size": 15, "bold": True})
        self.note = book.add_format({**base, "font_color": "#52606D"})
        self.head = book.add_format(
            {**boxed, "bold": True, "align": "center", "text_wrap": True, "bg_color": "#E8EDF3"}
        )
        self.text = book.add_format(boxed)
        self.wrap = book.add_format({**boxed, "text_wrap": True, "valign": "top"})
        self.absent = book.add_format({**boxed, "font_color": "#9E2A2B", "align": "center"})
        self._book, self._boxed = book, boxed
        self._numbers: dict[tuple[int, bool, bool], object] = {}

    def number(self, decimals: int, held: bool = False, total: bool = False) -> object:
        key = (decimals, held, total)
        if key not in self._numbers:
            look: dict[str, object] = {"num_format": "#,##0" + ("." + "0" * decimals if decimals else "")}
            if held:
                look |= {"font_color": "#9E2A2B", "italic": True, "bg_color": "#FDECEA"}
            if total:
                look |= {"bold": True, "top": 2}
            self._numbers[key] = self._book.add_format({**self._boxed, **look})
        return self._numbers[key]


def _decimal(value: int, scale: int) -> float:
    return float(Decimal(value).scaleb(-scale))


def _table(
    sheet: Worksheet, formats: _Formats, form: Form, one: Consolidation, figures: Sequence[BureauFigure], column: str
) -> None:
    """Bureaus × indicators of one column, the sum below. `figures` are those of the column that have a value."""
    sheet.write_string(1, 0, f"{_account(one)};红色斜体为暂存板块的填报数,未经认定。", formats.note)
    indicators = list(form.indicators.values())
    place = {item.code: at for at, item in enumerate(indicators, 2)}
    sheet.write_string(3, 0, "单位", formats.head)
    sheet.write_string(3, 1, "状态", formats.head)
    at = 2
    for block in form.blocks:
        last = at + len(block.indicators) - 1
        if last > at:
            sheet.merge_range(2, at, 2, last, block.label.zh, formats.head)
        else:
            sheet.write_string(2, at, block.label.zh, formats.head)
        at = last + 1
    for item in indicators:
        sheet.write_string(3, place[item.code], f"{item.label.zh}({item.unit})", formats.head)
    rows = {state.bureau: row for row, state in enumerate(one.bureaus, 4)}
    for state in one.bureaus:
        row = rows[state.bureau]
        sheet.write_string(row, 0, state.name_zh, formats.text)
        absent = state.status in ("missing", "held")
        sheet.write_string(row, 1, _STATUS[state.status], formats.absent if absent else formats.text)
    for figure in figures:
        if figure.value is not None and figure.bureau in rows and figure.indicator in place:
            style = formats.number(figure.scale, held=not figure.validated)
            sheet.write_number(
                rows[figure.bureau], place[figure.indicator], _decimal(figure.value, figure.scale), style
            )
    bottom = 4 + len(one.bureaus)
    sheet.write_string(bottom, 0, "合计", formats.head)
    sheet.write_string(bottom, 1, "", formats.head)
    for total in one.figures:
        if total.column == column and total.value is not None:
            style = formats.number(total.scale, held=not total.validated, total=True)
            sheet.write_number(bottom, place[total.indicator], _decimal(total.value, total.scale), style)
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 1 + len(indicators), 9.5)
    sheet.set_row(3, 44)
    sheet.freeze_panes(4, 2)
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.set_print_scale(60)
    sheet.repeat_columns(0, 1)
    sheet.repeat_rows(2, 3)
    sheet.set_v_pagebreaks(_page_breaks(form))


_COLUMNS_A_PAGE = 22  # indicators that A3 landscape takes beside the bureaus


def _page_breaks(form: Form) -> list[int]:
    """The columns at which a printed page ends: blocks stay whole where they fit."""
    breaks, filled, at = [], 0, 2
    for block in form.blocks:
        if filled and filled + len(block.indicators) > _COLUMNS_A_PAGE:
            breaks.append(at)
            filled = 0
        filled += len(block.indicators)
        at += len(block.indicators)
    return breaks


def _totals(book: Workbook, formats: _Formats, title: str, form: Form, one: Consolidation) -> None:
    """All consolidated figures, a row an indicator, with shares of the stated totals."""
    sheet = book.add_worksheet("合计")
    sheet.write_string(0, 0, title, formats.title)
    columns = list(form.columns.values())
    heads = ["指标", "单位", *(column.label.zh for column in columns), "占比(%)"]
    for at, head in enumerate(heads):
        sheet.write_string(2, at, head, formats.head)
    values = {(figure.indicator, figure.column): figure for figure in one.figures}
    for row, item in enumerate(form.indicators.values(), 3):
        sheet.write_string(row, 0, item.label.zh, formats.text)
        sheet.write_string(row, 1, item.unit, formats.text)
        for at, column in enumerate(columns, 2):
            figure = values.get((item.code, column.code))
            if figure is None or figure.value is None:
                sheet.write_blank(row, at, None, formats.text)
            else:
                style = formats.number(figure.scale, held=not figure.validated)
                sheet.write_number(row, at, _decimal(figure.value, figure.scale), style)
        share = _share(form, item, {place: figure.value for place, figure in values.items()})
        if share is None:
            sheet.write_blank(row, 2 + len(columns), None, formats.text)
        else:
            sheet.write_number(row, 2 + len(columns), float(share), formats.number(-int(share.as_tuple().exponent)))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 2 + len(columns), 12)
    sheet.freeze_panes(3, 1)


def _share(form: Form, part: Indicator, values: dict[tuple[str, str], int | None]) -> Decimal | None:
    for whole in form.indicators.values():
        for breakdown in whole.breakdowns:
            if breakdown.shares and part.code in breakdown.parts:
                for column in breakdown.shares.columns:
                    total, count = values.get((whole.code, column)), values.get((part.code, column))
                    if total and count is not None:
                        places = Decimal(1).scaleb(-breakdown.shares.decimals)
                        return (Decimal(count) * 100 / Decimal(total)).quantize(places, ROUND_HALF_UP)
    return None


def _states(book: Workbook, formats: _Formats, form: Form, one: Consolidation) -> None:
    sheet = book.add_worksheet("各单位情况")
    labels = {block.code: block.label.zh for block in form.blocks}
    heads = ("单位", "状态", "暂存板块", "修订号", "收到时间", "迟报", "错误", "警告", "提示", "待判")
    for at, head in enumerate(heads):
        sheet.write_string(0, at, head, formats.head)
    for row, state in enumerate(one.bureaus, 1):
        received = (
            state.received_at.astimezone(one.frozen_at.tzinfo).strftime("%Y-%m-%d %H:%M") if state.received_at else ""
        )
        texts = (
            state.name_zh,
            _STATUS[state.status] + ("(待复核)" if state.stale else ""),
            "、".join(labels.get(code, code) for code in state.held_blocks),
            str(state.revision or ""),
            received,
            "是" if state.late else "",
        )
        for at, text in enumerate(texts):
            sheet.write_string(row, at, text, formats.text)
        for at, count in enumerate((state.errors, state.warnings, state.notices, state.not_assessable), len(texts)):
            sheet.write_number(row, at, count, formats.number(0))
    sheet.set_column(0, 5, 16)
    sheet.freeze_panes(1, 1)


def _failures(book: Workbook, formats: _Formats, failures: Sequence[StoredFailure], names: Mapping[str, str]) -> None:
    sheet = book.add_worksheet("未通过的校验")
    for at, head in enumerate(("单位", "程度", "规则", "说明", "单元格", "影响", "文件")):
        sheet.write_string(0, at, head, formats.head)
    for row, one in enumerate(failures, 1):
        failure = one.failure
        impact = f"{failure.impact:.4%}" if failure.impact else ""
        texts = (
            names.get(one.bureau or "", one.bureau or ""), failure.severity.label_zh, failure.rule, failure.message.zh, "、".join(failure.cells),
            impact, one.file,
        )  # fmt: skip
        for at, text in enumerate(texts):
            sheet.write_string(row, at, text, formats.wrap)
    for at, width in enumerate((12, 8, 34, 70, 30, 10, 28)):
        sheet.set_column(at, at, width)
    sheet.freeze_panes(1, 0)


def _account(one: Consolidation) -> str:
    counts = "、".join(
        f"{_STATUS[status.value]} {one.counts[status]}"
        for status in Status
        if one.counts[status] and status is not Status.OTHER_PERIOD
    )
    missing = f";未报 {len(one.missing)} 家" if one.missing else ""
    return f"收到:{counts or '无'}{missing};覆盖率 {one.coverage:.1%}"

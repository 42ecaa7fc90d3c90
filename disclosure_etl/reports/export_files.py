"""An export as a file: CSV, a workbook, or JSON. A row a line of the tree and figure.

Not here: which lines there are (`by_tree`), which figures (`exported`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

import xlsxwriter

from disclosure_etl.reports.by_tree import Line, LineKind
from disclosure_etl.reports.exported import Exported
from disclosure_etl.reports.summary_totals import decimal
from schemas.errors import Language, Message
from schemas.values import figure_text

BOM = "\ufeff"  # by which a spreadsheet knows that Chinese is UTF-8
_COMMANDING = ("=", "+", "-", "@", "\t", "\r")  # what begins so is calculated by the spreadsheet that opens it
HEADS = (
    Message("时期", "period"), Message("版本", "version"), Message("机构树", "tree"), Message("层级", "level"),
    Message("代码", "code"), Message("单位", "bureau"), Message("类别", "kind"), Message("说明", "note"),
    Message("指标代码", "indicator"), Message("指标", "label"), Message("栏代码", "column"), Message("栏", "column label"),
    Message("计量单位", "unit"), Message("数值", "value"), Message("已认定", "validated"),
)  # fmt: skip
_VALUE = 13  # the place of the figure in a row
KINDS = {
    LineKind.OWN: Message("本级", "own"),
    LineKind.SUBTOTAL: Message("小计", "subtotal"),
    LineKind.UNASSIGNED: Message("未归属", "unassigned"),
    LineKind.TOTAL: Message("合计", "total"),
}
_YES, _NO = Message("是", "yes"), Message("否", "no")


def export_csv(found: Sequence[Exported], language: Language) -> str:
    """The rows as CSV that a spreadsheet opens as it is meant: Chinese legible, figures as numbers, texts as texts."""
    out = io.StringIO()
    out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([head.in_language(language) for head in HEADS])
    for row, scale in _rows(found, language):
        number = row[_VALUE]
        cells = [_harmless(str(cell)) if at != _VALUE else cell for at, cell in enumerate(row)]
        cells[_VALUE] = "" if number is None else figure_text(number, scale)
        writer.writerow(cells)
    return out.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_COMMANDING) else text


def export_workbook(found: Sequence[Exported], language: Language) -> bytes:
    """The same rows as a workbook, with a filter and names indented by their level."""
    buffer = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(buffer, options)
    if found:  # not when it was written: the same figures are the same file
        book.set_properties({"created": max(one.consolidation.frozen_at.astimezone(UTC) for one in found)})
    sheet = book.add_worksheet("数据" if language == "zh" else "figures")
    head = book.add_format({"bold": True, "bottom": 1})
    indented = [book.add_format({"indent": level}) for level in range(16)]
    bold, held = book.add_format({"bold": True}), book.add_format({"italic": True, "font_color": "#C00000"})
    sheet.freeze_panes(1, 0)
    for at, width in enumerate((9, 6, 11, 6, 14, 24, 8, 16, 30, 22, 14, 12, 9, 12, 8)):
        sheet.set_column(at, at, width)
    for at, one in enumerate(HEADS):
        sheet.write_string(0, at, one.in_language(language), head)
    count = 0
    sums = {KINDS[kind].in_language(language) for kind in LineKind if kind is not LineKind.OWN}
    for count, (row, scale) in enumerate(_rows(found, language), 1):
        style = bold if row[6] in sums else None
        for at, cell in enumerate(row):
            if at == _VALUE:
                if cell is not None:
                    sheet.write_number(
                        count, at, decimal(cell, scale), style if row[-1] == _YES.in_language(language) else held
                    )
            elif isinstance(cell, int):
                sheet.write_number(count, at, cell)
            elif cell:
                sheet.write_string(count, at, cell, indented[min(row[3], 15)] if at == 5 else None)
    sheet.autofilter(0, 0, max(count, 1), len(HEADS) - 1)
    book.close()
    return buffer.getvalue()


def _rows(found: Sequence[Exported], language: Language) -> Iterator[tuple[list[Any], int]]:
    """Every row, and the scale of its figure."""
    for one in found:
        labels = {
            (cell.indicator, cell.column): (
                cell.indicator, _label(one.form.indicators[cell.indicator].label, language), cell.column,
                _label(one.form.columns[cell.column].label, language), one.form.indicators[cell.indicator].unit,
            )
            for cell in one.cells
        }  # fmt: skip
        common = [one.consolidation.period, one.consolidation.version, one.tree_day.isoformat()]
        for line in one.lines:
            told = [
                *common, line.level, line.code, line.name.in_language(language), KINDS[line.kind].in_language(language),
                _note(line).in_language(language),
            ]  # fmt: skip
            for cell in one.cells:
                place = (cell.indicator, cell.column)
                value, validated = line.values[place]
                word = "" if value is None else (_YES if validated else _NO).in_language(language)
                yield [*told, *labels[place], value, word], cell.scale


def _label(label: Any, language: Language) -> str:
    return label.zh if language == "zh" else label.en


def _note(line: Line) -> Message:
    """What is to be said of a line: what became of the bureau, who is in it, whether it is counted above."""
    zh = [line.note.zh] if line.note else []
    en = [line.note.en] if line.note else []
    if line.includes not in ((), (line.code,)):
        zh.append(f"含{'、'.join(name.zh for name in line.included)}")
        en.append(f"with {', '.join(name.en for name in line.included)}")
    if line.is_contained:
        zh.append("已含在上级数中")
        en.append("inside the figure of one above")
    return Message(";".join(zh), "; ".join(en))


def export_object(family: str, found: Sequence[Exported]) -> dict[str, Any]:
    """The same as JSON; figures as numbers where they are whole, else as decimal text."""
    return {
        "family": family,
        "periods": [
            {
                "period": one.consolidation.period,
                "version": one.consolidation.version,
                "status": one.consolidation.status.value,
                "form": one.consolidation.form,
                "tree_day": one.tree_day.isoformat(),
                "lines": [_line_object(one, line) for line in one.lines],
            }
            for one in found
        ],
    }


def _line_object(one: Exported, line: Line) -> dict[str, Any]:
    def figure(value: int | None, scale: int) -> int | str | None:
        return value if value is None or scale == 0 else figure_text(value, scale)

    return {
        "level": line.level,
        "code": line.code or None,
        "name": {"zh": line.name.zh, "en": line.name.en},
        "kind": line.kind.value,
        "note": {"zh": line.note.zh, "en": line.note.en} if line.note else None,
        "includes": list(line.includes),
        "contained": line.is_contained,
        "figures": [
            {
                "indicator": cell.indicator,
                "column": cell.column,
                "value": figure(line.values[cell.indicator, cell.column][0], cell.scale),
                "validated": line.values[cell.indicator, cell.column][1],
            }
            for cell in one.cells
        ],
    }

"""Units of measure as a return tells them, held against those that the form prescribes.

Figures in another unit are not converted, and not taken in silence either. A multiple (万元) or a unit of another kind is an
error of its block; another word for one thing counted (件 for 条) is only told. Not here: units within a figure (`figures`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from schemas.documents import Grid
from schemas.errors import Message
from schemas.forms import Form
from schemas.records import Finding, Severity

_COUNTED = frozenset({"条", "件", "次", "个", "篇", "项", "份", "起", "宗", "部", "期", "场", "件次", "人次"})
_NOTHING = frozenset({"", "/", "-", "—", "无"})
_WORD = re.compile(r"[^\s()/、,,;;]+")


class Told(NamedTuple):
    """A unit that a label tells of an indicator, and where."""

    indicator: str
    unit: str
    place: tuple[int, int]


class UnitCell(NamedTuple):
    """A cell in a column of units: whose it is, where, and what should stand there."""

    indicator: str
    row: int
    column: int
    own: str


def carries_scale(unit: str, own: str) -> bool:
    """Whether `unit` is a multiple of `own`: 万元 of 元."""
    return unit != own and unit.endswith(own) and unit[0] in "十百千万亿"


def _severity(written: str, own: str) -> Severity | None:
    """What it is worth that a unit is written like this; None where it is the right one or none."""
    text = unicodedata.normalize("NFKC", written).strip()
    if text in _NOTHING or text == own or own in _WORD.findall(text):
        return None
    return Severity.WARNING if text in _COUNTED and own in _COUNTED else Severity.ERROR


def unit_findings(form: Form, grid: Grid, told: tuple[Told, ...], cells: tuple[UnitCell, ...]) -> list[Finding]:
    """Units in a grid that are not the form's."""
    found = []
    for one in told:
        if severity := _severity(one.unit, form.indicators[one.indicator].unit):
            found.append(_finding(form, one.indicator, one.unit, grid.locator(*one.place), severity))
    values = grid.values
    for indicator, row, column, own in cells:
        line = values[row]
        written = line[column] if column < len(line) else None
        if written != own and isinstance(written, str) and (severity := _severity(written, own)):
            found.append(_finding(form, indicator, written.strip(), grid.locator(row, column), severity))
    return found


def _finding(form: Form, indicator: str, written: str, locator: str, severity: Severity) -> Finding:
    item = form.indicators[indicator]
    holds = severity is Severity.ERROR
    return Finding(
        "return:unit",
        Message(
            f"「{item.label.zh}」的计量单位写作「{written}」({locator}),本表规定为「{item.unit}」。"
            + ("不作换算,该板块暂存;请按规定单位填报后重报。" if holds else "请核对所填是否按规定单位。"),
            f"The unit of {item.label.en} is written '{written}' ({locator}); this form prescribes '{item.unit}'. "
            + (
                "Nothing is converted and the block is held: fill in figures in the unit prescribed and send again."
                if holds
                else "Make sure that the figures are in the unit prescribed."
            ),
        ),
        (locator,),
        (written,),
        item.unit,
        severity,
        form.block_of[indicator],
        (indicator,),
    )

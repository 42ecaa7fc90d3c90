"""Units of measure as a return tells them, held against those that the form prescribes.

A multiple (万元 for 元) that all of them tell alike is converted, and a warning says so: a label that is wrong costs a factor
of 10,000. A unit of another kind, or two that contradict each other, is an error of its block; another word for one thing
counted (件 for 条) is only told. Not here: how a unit is written with a number (`written_numbers`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from disclosure_etl.intake.written_numbers import counts_alike, split_unit
from schemas.documents import Grid
from schemas.errors import Message
from schemas.forms import Form
from schemas.records import Finding, Severity

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
    (power, counted), (own_power, own_counted) = split_unit(unit), split_unit(own)
    return counted == own_counted and power != own_power


def in_unit(written: str | None, own: str, told: str = "") -> int | None:
    """The power of ten that brings a number into the unit `own`; None where what is counted is another thing.

    Args:
        written: the unit behind the number, whose scale is in it already (35000 of 3.5万元); None where there is none, and
            then it is in `told`, or where nothing is told in `own`.
    """
    own_power, own_counted = split_unit(own)
    if written is None:
        return split_unit(told)[0] - own_power if told else 0
    counted = split_unit(written)[1]
    return -own_power if not counted or counts_alike(counted, own_counted) else None


def _severity(written: str, own: str) -> Severity | None:
    """What it is worth that a unit is written like this; None where it is the right one or none."""
    text = unicodedata.normalize("NFKC", written).strip()
    if text in _NOTHING or text == own or own in _WORD.findall(text):
        return None
    return Severity.WARNING if counts_alike(text, own) else Severity.ERROR


def units_told(
    form: Form, grid: Grid, told: tuple[Told, ...], cells: tuple[UnitCell, ...]
) -> tuple[list[Finding], dict[str, str]]:
    """What is found of the units in a grid that are not the form's; and the multiples that figures are converted from, by
    indicator."""
    if not told and not cells:
        return [], {}
    foreign: list[tuple[Told, Severity]] = []
    own_too: set[str] = set()
    for one in told:
        own = form.indicators[one.indicator].unit
        if severity := _severity(one.unit, own):
            foreign.append((one, severity))
        elif one.unit == own:
            own_too.add(one.indicator)
    values = grid.values
    for indicator, row, column, own in cells:
        line = values[row]
        written = line[column] if column < len(line) else None
        if written == own:
            own_too.add(indicator)
        elif isinstance(written, str) and (severity := _severity(written, own)):
            foreign.append((Told(indicator, _plain(written), (row, column)), severity))
    converted = _multiples(form, [one for one, _ in foreign], own_too) if foreign else {}
    findings = []
    for one, severity in foreign:
        taken = one.indicator in converted
        severity = Severity.WARNING if taken else severity
        findings.append(_finding(form, one.indicator, one.unit, grid.locator(*one.place), severity, taken))
    return findings, converted


def _plain(written: str) -> str:
    return unicodedata.normalize("NFKC", written).strip().strip("()")


def _multiples(form: Form, foreign: list[Told], own_too: set[str]) -> dict[str, str]:
    """The one multiple that everything tells of an indicator, for those of which nothing tells another."""
    units: dict[str, set[str]] = {}
    for one in foreign:
        units.setdefault(one.indicator, set()).add(one.unit)
    return {
        code: unit
        for code, told in units.items()
        if len(told) == 1
        and code not in own_too
        and carries_scale(unit := next(iter(told)), form.indicators[code].unit)
    }


def _finding(form: Form, indicator: str, written: str, locator: str, severity: Severity, converted: bool) -> Finding:
    item = form.indicators[indicator]
    if converted:
        said = Message(
            "已换算为规定单位;请核对数字确以所写单位填报。",
            "The figures are converted; make sure that they are in the unit that is written.",
        )
    elif severity is Severity.ERROR:
        said = Message(
            "不作换算,该板块暂存;请按规定单位填报后重报。",
            "Nothing is converted and the block is held: fill in figures in the unit prescribed and send again.",
        )
    else:
        said = Message("请核对所填是否按规定单位。", "Make sure that the figures are in the unit prescribed.")
    return Finding(
        "return:unit",
        Message(
            f"「{item.label.zh}」的计量单位写作「{written}」({locator}),本表规定为「{item.unit}」。{said.zh}",
            f"The unit of {item.label.en} is written '{written}' ({locator}); this form prescribes '{item.unit}'. {said.en}",
        ),
        (locator,),
        (written,),
        item.unit,
        severity,
        form.block_of[indicator],
        (indicator,),
    )

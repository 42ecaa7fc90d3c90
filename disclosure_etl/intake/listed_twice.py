"""What is found of an indicator whose row stands twice in a table. Not here: which rows those are (`rows`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.errors import Message
from schemas.forms import Form
from schemas.records import Finding, Severity


class Again(NamedTuple):
    """A cell that has a figure in both rows: its position, where the figure taken stands, where the other does and what it
    says, and whether they differ."""

    position: int
    first: str
    second: str
    text: str
    differs: bool


def listed_twice(form: Form, again: Sequence[Again], texts: Sequence[str]) -> list[Finding]:
    """One finding a row: where figures differ, of those; otherwise that the row stands there twice.

    Args:
        texts: of the figures taken, by position.
    """
    rows: dict[str, list[Again]] = {}
    for one in again:
        rows.setdefault(form.cells[one.position].indicator, []).append(one)
    found = []
    for code, own in rows.items():
        differing = [one for one in own if one.differs]
        told = differing or own
        item, cell = form.indicators[code], form.cells[told[0].position]
        zh, en = [], []
        for one in told:
            column, taken = form.columns[form.cells[one.position].column].label, texts[one.position]
            if differing:
                zh.append(f"{column.zh} {one.first} 为 {taken or '空白'}、{one.second} 为 {one.text}")
                en.append(f"{column.en}: {one.first} has {taken or 'nothing'}, {one.second} has {one.text}")
            else:
                zh.append(f"{one.first} 与 {one.second}")
                en.append(f"{one.first} and {one.second}")
        if differing:
            says_zh = f"数字不同:{';'.join(zh)}。无法判断以哪个为准,该板块暂存;请合并为一行后重报。"
            says_en = (
                f"with different figures: {'; '.join(en)}. Which counts cannot be told, so the block is held: make one row "
                "of them and send again."
            )
        else:
            says_zh = f"数字相同({'、'.join(zh)}),只计一次。请删去多余的一行,并核对是否漏列了别的指标。"
            says_en = (
                f"with the same figures ({', '.join(en)}), which count once. Delete one row, and make sure that no other "
                "indicator was left out."
            )
        found.append(
            Finding(
                "return:listed_twice",
                Message(f"「{item.label.zh}」在表中列了两次,{says_zh}", f"{item.label.en} is listed twice, {says_en}"),
                tuple(place for one in told for place in (one.first, one.second)),
                tuple(text for one in told for text in (texts[one.position], one.text)),
                None,
                Severity.ERROR if differing else Severity.WARNING,
                cell.block,
                (code,),
                cell.column if len(told) == 1 else None,
            )
        )
    return found

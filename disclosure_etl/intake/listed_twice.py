"""What is found of an indicator whose row stands twice in a table. Not here: which rows those are (`rows`)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import Message
from schemas.forms import Form
from schemas.records import Finding, Severity


def listed_twice(form: Form, again: Sequence[tuple[int, str, str, str, bool]], texts: Sequence[str]) -> list[Finding]:
    """One finding a cell that has a figure in both rows.

    Args:
        again: (position, locator of the figure taken, locator and text of the other, whether they differ).
        texts: of the figures taken, by position.
    """
    found = []
    for position, first, second, other, differs in again:
        cell = form.cells[position]
        item, column = form.indicators[cell.indicator], form.columns[cell.column].label
        taken = texts[position]
        if differs:
            says_zh = f"数字不同:{first} 为 {taken or '空白'},{second} 为 {other}。无法判断以哪个为准,该板块暂存;请合并为一行后重报。"
            says_en = (
                f"with different figures: {first} has {taken or 'nothing'}, {second} has {other}. Which counts cannot be "
                "told, so the block is held: make one row of them and send again."
            )
        else:
            says_zh = (
                f"数字相同({first} 与 {second} 均为 {other}),只计一次。请删去多余的一行,并核对是否漏列了别的指标。"
            )
            says_en = (
                f"with the same figure ({other} in {first} and {second}), which counts once. Delete one row, and make sure "
                "that no other indicator was left out."
            )
        found.append(
            Finding(
                "return:listed_twice",
                Message(
                    f"「{item.label.zh}」{column.zh}在表中列了两次,{says_zh}",
                    f"{item.label.en}, {column.en}, is listed twice, {says_en}",
                ),
                (first, second),
                (taken, other),
                None,
                Severity.ERROR if differs else Severity.WARNING,
                cell.block,
                (cell.indicator,),
                cell.column,
            )
        )
    return found

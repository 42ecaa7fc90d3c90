"""Which grid of a document gives which table, where several have it.

A table is taken as a whole from one grid, the one with the return's header before others; figures of two grids are never put
together cell by cell, except where they have no indicator in common (a table that goes on on the next sheet). Not here:
where things stand within a grid (`layout`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from disclosure_etl.intake.header import header_places, text_at
from disclosure_etl.intake.layout import Layout, Scan
from schemas.documents import Grid
from schemas.errors import Message
from schemas.forms import Form
from schemas.records import Finding

_IDENTITY = ("bureau", "bureau_code", "period")


@dataclass
class Reading:
    """One grid of a document with the layout found in it."""

    grid: Grid
    found: Scan
    layout: Layout


@dataclass(frozen=True)
class Sources:
    """What is taken from where: per reading the tables that it gives, and the tables that another has already given."""

    gives: Sequence[frozenset[str]]
    rivals: Sequence[frozenset[str]]

    def is_rival(self, at: int) -> bool:
        """Whether a reading repeats only what others give: then its header says nothing of this return either."""
        return bool(self.rivals[at]) and not self.gives[at]


def sources(form: Form, readings: Sequence[Reading]) -> Sources:
    """Decide for each table."""
    nothing: frozenset[str] = frozenset()
    if len(readings) == 1:
        return Sources((readings[0].layout.tables,), (nothing,))
    gives, rivals = [nothing] * len(readings), [nothing] * len(readings)
    weights = [_weight(reading) for reading in readings]
    for table in form.tables:
        having = [at for at, reading in enumerate(readings) if table.code in reading.layout.tables]
        having.sort(key=lambda at: (-weights[at], -readings[at].layout.found, at))
        taken: set[str] = set()
        for at in having:
            own = _indicators(form, readings[at].layout, table.code)
            if taken & own:
                rivals[at] |= {table.code}
            else:
                gives[at] |= {table.code}
                taken |= own
    return Sources(gives, rivals)


def _weight(reading: Reading) -> int:
    places = header_places(reading.grid, reading.layout.fields)
    return sum(name in places for name in _IDENTITY)


def _indicators(form: Form, layout: Layout, table: str) -> set[str]:
    return {
        cell.indicator
        for cell, place in zip(form.cells, layout.slots, strict=True)
        if place is not None and cell.table == table
    }


def header_of(readings: Sequence[Reading], taken: Sources) -> tuple[dict[str, str], dict[str, str]]:
    """The header's texts and their cells: from the grids with tables first, then from a cover sheet, never from a grid that
    only repeats a table."""
    texts: dict[str, str] = {}
    cells: dict[str, str] = {}
    order = (
        sorted(range(len(readings)), key=lambda at: not taken.gives[at]) if len(readings) > 1 else range(len(readings))
    )
    for at in order:
        if taken.is_rival(at):
            continue
        grid = readings[at].grid
        for name, (place, inline) in header_places(grid, readings[at].layout.fields).items():
            if name not in texts:
                texts[name] = inline if inline is not None else text_at(grid, place)
                cells[name] = grid.locator(*place)
    return texts, cells


def two_tables(taken: Sequence[str], rival: str, examples: Sequence[tuple[str, str, str, str]]) -> Finding:
    """A second grid with other figures for the same table.

    Args:
        taken: the sheets that were read; rival: the sheet that differs; examples: (locator, text) here and there, of
            every figure that differs.
    """
    first, first_text, second, second_text = examples[0]
    names = "、".join(taken)
    return Finding(
        "return:two_tables",
        Message(
            f"工作表「{names}」和「{rival}」有同一张表而数字不同({len(examples)} 处,如 {first} 为 {first_text or '空白'},"
            f"{second} 为 {second_text})。以哪张为准无法判断,整份暂存;请只保留本期的一张后重报。",
            f"The sheets '{', '.join(taken)}' and '{rival}' hold the same table with different figures ({len(examples)}, such "
            f"as {first}: {first_text or 'nothing'}, {second}: {second_text}). Which counts cannot be told, so the return "
            "is held: keep only this period's sheet and send again.",
        ),
        (first, second),
        (first_text, second_text),
    )

"""The figures of a version as they stand on its form, block by block: what somebody signs. Not here: files of them (`reports`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.consolidation import ConsolidatedFigure, Consolidation
from schemas.errors import Message
from schemas.forms import Block, Form


@dataclass(frozen=True, slots=True)
class Totals:
    """A block's figures of all bureaus: the names of its columns, and of each indicator its name and a figure a column."""

    block: Message
    columns: tuple[Message, ...]
    rows: tuple[tuple[Message, tuple[ConsolidatedFigure | None, ...]], ...]


def totals_of(form: Form, one: Consolidation) -> Iterator[Totals]:
    """The figures of a version; rows and columns without any are left out."""
    figures = {(each.indicator, each.column): each for each in one.figures}
    for table in form.tables:
        for block in table.blocks:
            columns = [
                each for each in table.columns if any((item.code, each.code) in figures for item in block.indicators)
            ]
            if columns:
                heads = tuple(Message(each.label.zh, each.label.en) for each in columns)
                yield Totals(
                    Message(block.label.zh, block.label.en),
                    heads,
                    tuple(_rows(block, [each.code for each in columns], figures)),
                )


def _rows(
    block: Block, columns: list[str], figures: dict[tuple[str, str], ConsolidatedFigure]
) -> Iterator[tuple[Message, tuple[ConsolidatedFigure | None, ...]]]:
    for item in block.indicators:
        own = tuple(figures.get((item.code, code)) for code in columns)
        if any(own):
            yield Message(item.label.zh, item.label.en), own

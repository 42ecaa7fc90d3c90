"""Whose blocks count in some periods, by submission, so that facts can be added up a submission at a time.

Joining facts with `current_block` would go through a submission as often as it has blocks. Not here: whose block counts
(`settling`), or what comes of the figures (`figures`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, cast, func, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_form, dim_indicator, dim_period
from disclosure_etl.warehouse.tables import consolidation_member, current_block, fact_observation, submission
from schemas.periods import Period
from schemas.states import State


class Member(NamedTuple):
    """A block of a submission that counts for its bureau, and whether it was accepted."""

    bureau: str
    block: str
    submission: int
    accepted: bool


class FactCell(NamedTuple):
    """What a fact's cell is; `place` is its indicator and column."""

    place: tuple[str, str]
    measure: str
    scale: int
    block: str


@dataclass(frozen=True, slots=True)
class Counting:
    """Submissions of which the same blocks count; whether they are accepted, by block."""

    blocks: Mapping[str, bool]
    submissions: Sequence[int]


def members_of(connection: Connection, family: str, period: Period, *, without_held: bool = False) -> list[Member]:
    """What counts in a period; `without_held`: only what is accepted and was not sent back."""
    statement = (
        select(
            current_block.c.bureau_code, current_block.c.block, current_block.c.submission_id, current_block.c.accepted
        )
        .join(dim_period, dim_period.c.id == current_block.c.period_id)
        .where(current_block.c.family == family, dim_period.c.code == period.code)
    )
    if without_held:
        sent_back = select(submission.c.id).where(submission.c.status == State.RETURNED.value)
        statement = statement.where(current_block.c.accepted, current_block.c.submission_id.not_in(sent_back))
    return [Member(*row) for row in connection.execute(statement)]


def members_of_version(connection: Connection, key: int) -> list[Member]:
    """What the frozen version of this key is made of."""
    member = consolidation_member.c
    rows = connection.execute(
        select(member.bureau_code, member.block, member.submission_id, member.accepted).where(
            member.consolidation_id == key
        )
    )
    return [Member(*row) for row in rows]


def fact_cells(connection: Connection, family: str) -> dict[int, FactCell]:
    """The cells of a family that are added up, of all its forms, by their keys."""
    rows = connection.execute(
        select(
            dim_cell.c.id, dim_indicator.c.code, dim_cell.c.column_code, dim_cell.c.measure, dim_cell.c.scale,
            dim_cell.c.block,
        )
        .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
        .join(dim_form, dim_form.c.id == dim_cell.c.form_id)
        .where(dim_form.c.family == family, dim_cell.c.measure != "share")
    )  # fmt: skip
    return {row.id: FactCell((row.code, row.column_code), row.measure, row.scale, row.block) for row in rows}


def counting(members: Sequence[Member]) -> list[Counting]:
    """The submissions that count, those together of which the same blocks do: mostly all of them."""
    blocks: dict[int, dict[str, bool]] = {}
    for one in members:
        blocks.setdefault(one.submission, {})[one.block] = one.accepted
    alike: dict[frozenset[tuple[str, bool]], list[int]] = {}
    for key, own in blocks.items():
        alike.setdefault(frozenset(own.items()), []).append(key)
    return [Counting(dict(own), submissions) for own, submissions in alike.items()]


def added_up(
    connection: Connection, cells: Mapping[int, FactCell], members: Sequence[Member]
) -> Iterator[tuple[FactCell, int | None, bool]]:
    """What counts, added up over all bureaus: cell, sum, accepted; a cell comes more than once."""
    for group in counting(members):
        for part in in_parts(group.submissions):
            rows = connection.execute(
                select(fact_observation.c.cell_id, cast(func.sum(fact_observation.c.value), type_=BigInteger))
                .where(fact_observation.c.submission_id.in_(part))
                .group_by(fact_observation.c.cell_id)
            )
            for key, value in rows:
                if (cell := cells.get(key)) is not None and cell.block in group.blocks:
                    yield cell, value, group.blocks[cell.block]


def each_fact(
    connection: Connection,
    cells: Mapping[int, FactCell],
    members: Sequence[Member],
    instead: Mapping[tuple[int, int], int | None],
) -> Iterator[tuple[str, FactCell, int | None, bool]]:
    """What counts of each bureau, in these cells: bureau, cell, figure, accepted.

    Args:
        instead: by submission and cell, a figure that stands in the place of the stored one.
    """
    bureaus = {one.submission: one.bureau for one in members}
    for group in counting(members):
        wanted = {key: cell for key, cell in cells.items() if cell.block in group.blocks}
        for part in in_parts(group.submissions):
            rows = connection.execute(
                select(fact_observation.c.submission_id, fact_observation.c.cell_id, fact_observation.c.value).where(
                    fact_observation.c.submission_id.in_(part), fact_observation.c.cell_id.in_(list(wanted))
                )
            )
            for sent, key, value in rows:
                cell = wanted[key]
                figure = instead.get((sent, key), value) if instead else value
                yield bureaus[sent], cell, figure, group.blocks[cell.block]

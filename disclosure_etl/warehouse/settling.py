"""Which submission's block counts, and the state that this puts each submission in.

Not here: storing either beside `current_block` (`loading`, `moves`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.sql import tuple_

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.connection import bulk
from disclosure_etl.warehouse.return_decisions import UNDECIDED, Standing, standing_of
from disclosure_etl.warehouse.tables import current_block, submission, submission_block
from schemas.states import State


class Settled(NamedTuple):
    """The bureaus of which the accepted blocks changed, and the state that each submission is now to be in."""

    changed: set[str]
    states: dict[int, str]


def settle(connection: Connection, family: str, period_key: int, bureaus: Collection[str]) -> Settled:
    """Settle which submission's block counts for these bureaus, and in which state every submission is.

    A block's newest accepted revision counts (by revision number, then arrival); where none was ever accepted, the
    newest held one, as reported. A return held as a whole never counts, nor does one that was withdrawn; one that was
    reinstated counts as if it had come again then.
    """
    changed: set[str] = set()
    states: dict[int, str] = {}
    for part in in_parts(sorted(bureaus), 400):
        own = _settle(connection, family, period_key, part)
        changed |= own.changed
        states |= own.states
    return Settled(changed, states)


def _settle(connection: Connection, family: str, period_key: int, bureaus: Sequence[str]) -> Settled:
    scope = (submission.c.family == family, submission.c.period_id == period_key, submission.c.bureau_code.in_(bureaus))
    rows = connection.execute(
        select(
            submission.c.id, submission.c.bureau_code, submission.c.revision, submission.c.arrival,
            submission.c.whole_return_held, submission.c.fault,
        )
        .where(*scope)
    ).all()  # fmt: skip
    decided = standing_of(connection, scope)
    sent = sorted(rows, key=lambda one: decided.get(one.id, UNDECIDED).rank(one))
    blocks: defaultdict[int, list[tuple[str, bool, bool]]] = defaultdict(list)
    verdicts = connection.execute(
        select(
            submission_block.c.submission_id,
            submission_block.c.block,
            submission_block.c.accepted,
            submission_block.c.stale,
        )
        .join(submission, submission.c.id == submission_block.c.submission_id)
        .where(*scope)
    )
    for key, block, accepted, stale in verdicts.all():
        blocks[key].append((block, accepted, stale))
    current: dict[tuple[str, str], tuple[int, bool, bool]] = {}
    withdrawn = {key for key, standing in decided.items() if standing.is_withdrawn}
    for one in sent:
        if one.whole_return_held or one.id in withdrawn:
            continue
        for block, accepted, stale in blocks[one.id]:
            # What was never judged counts for nothing; what was accepted before a fault of the program stays accepted.
            if one.fault is not None and not accepted:
                continue
            place = (one.bureau_code, block)
            if accepted or place not in current or not current[place][1]:
                current[place] = (one.id, accepted, stale)
    changed = _replace_current(connection, family, period_key, bureaus, current)
    counted = {key for key, _, _ in current.values()}
    # What came after the newest return that counts, and is held as a whole, was not superseded by it: somebody has to see it.
    newest = {
        one.bureau_code: order
        for order, one in enumerate(sent)
        if not one.whole_return_held and one.fault is None and one.id not in withdrawn
    }
    states = {}
    for order, one in enumerate(sent):
        judgements = [accepted for _, accepted, _ in blocks[one.id]]
        superseded = one.id not in counted and order < newest.get(one.bureau_code, -1)
        states[one.id] = _state(one, judgements, decided.get(one.id, UNDECIDED), superseded=superseded).value
    return Settled(changed, states)


def _state(one, accepted: list[bool], standing: Standing, *, superseded: bool) -> State:  # one: a row of submission
    if standing.is_withdrawn:
        return State.WITHDRAWN
    if one.fault is not None:
        return State.FAILED
    if superseded:
        return State.SUPERSEDED
    if standing.is_returned:
        return State.RETURNED
    if one.whole_return_held or not any(accepted):
        return State.HELD
    return State.ACCEPTED if all(accepted) else State.PARTLY_HELD


def _replace_current(
    connection: Connection,
    family: str,
    period_key: int,
    bureaus: Sequence[str],
    current: Mapping[tuple[str, str], tuple[int, bool, bool]],
) -> set[str]:
    scope = (
        current_block.c.family == family,
        current_block.c.period_id == period_key,
        current_block.c.bureau_code.in_(bureaus),
    )
    stored = connection.execute(select(current_block).where(*scope))
    before = {(row.bureau_code, row.block): (row.submission_id, row.accepted, row.stale) for row in stored}
    gone = [place for place in before if before[place] != current.get(place)]
    for part in in_parts(gone, 200):
        connection.execute(
            delete(current_block).where(*scope, tuple_(current_block.c.bureau_code, current_block.c.block).in_(part))
        )
    fresh = [place for place in current if before.get(place) != current[place]]
    rows = ((family, period_key, *place, *current[place]) for place in fresh)
    bulk(
        connection,
        current_block,
        rows,
        ["family", "period_id", "bureau_code", "block", "submission_id", "accepted", "stale"],
    )

    def accepted(entry: tuple[int, bool, bool] | None) -> int | None:
        return entry[0] if entry is not None and entry[1] else None

    return {place[0] for place in {*gone, *fresh} if accepted(before.get(place)) != accepted(current.get(place))}

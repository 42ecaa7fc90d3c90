"""What the naive model shows of a month: figures, how every bureau stands, counts; and what it proposes after a correction.

No assertion, and nothing of the product, in here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from tests.model.naive import OUT, Naive, rules_of
from tests.model.paper import BLOCK_OF, CLOSING, INDICATORS, MONTH, MONTHS, OPENING, SO_FAR, Cell

Figure = tuple[int | None, bool]  # a figure, and whether all of it was accepted


class Stands(NamedTuple):
    """How a bureau stands in a month."""

    bureau: str
    status: str
    stale: bool
    held: tuple[str, ...]
    revision: int | None
    errors: int
    notices: int
    open: int


@dataclass(frozen=True)
class Shown:
    """What a version of a month says. `members`: whose block counts, of which bytes, accepted or not."""

    figures: dict[Cell, Figure]
    bureaus: tuple[Stands, ...]
    missing: tuple[str, ...]
    restated: tuple[tuple[int, str, int], ...]
    members: frozenset[tuple[str, str, str, bool]]


def shown(model: Naive, month: int) -> Shown:
    """A month as it is now."""
    owing = model.tree.owing(month)
    others = sorted({one.bureau for one in model.returns[month]} - set(owing))
    listed = [*owing, *(one for one in others if model.current(month, one))]
    bureaus = tuple(_stands(model, month, bureau) for bureau in listed)
    return Shown(
        figures(model, month),
        bureaus,
        tuple(one.bureau for one in bureaus if one.status == "missing"),
        tuple((one.number, one.bureau, one.amount) for one in model.restated if one.month == month),
        frozenset(
            (bureau, block, one.digest, one.accepted[block])
            for bureau in {one.bureau for one in model.returns[month]}
            for block, one in model.current(month, bureau).items()
        ),
    )


def _stands(model: Naive, month: int, bureau: str) -> Stands:
    taking_part = [one for one in model.in_order(month, bureau) if one.state not in OUT]
    if not taking_part:
        return Stands(bureau, "missing", False, (), None, 0, 0, 0)
    current = model.current(month, bureau)
    newest = taking_part[-1]
    return Stands(
        bureau,
        newest.state,
        any(one.stale[block] for block, one in current.items()),
        tuple(sorted(block for block, one in current.items() if not one.accepted[block])),
        newest.paper.revision,
        sum(failing.waiver is None for one in taking_part for failing in one.failing),
        sum(one.notices for one in taking_part),
        newest.open,
    )


def figures(model: Naive, month: int) -> dict[Cell, Figure]:
    """A month's consolidated figures."""
    found: dict[Cell, Figure] = {}
    year = [at for at in range(month + 1) if MONTHS[at][:4] == MONTHS[month][:4]]
    for code in INDICATORS:
        own = [_added(model, at, code) for at in year]
        found[code, MONTH] = own[-1]
        if code == OPENING:
            found[code, SO_FAR] = own[0]
        elif code == CLOSING:
            found[code, SO_FAR] = own[-1]
        else:
            booked = [r.amount for r in model.restated if r.month in year and r.cell == (code, SO_FAR)]
            known = [value for value, _ in own if value is not None]
            total = sum(known) if known else None
            total = total if not booked else (total or 0) + sum(booked)
            found[code, SO_FAR] = total, all(sure for _, sure in own)
    return found


def _added(model: Naive, month: int, code: str) -> Figure:
    if month not in model.consolidated:
        return None, False
    counting = [model.current(month, one) for one in sorted({one.bureau for one in model.returns[month]})]
    block = BLOCK_OF[code]
    own = [one[block] for one in counting if block in one]
    known = [value for one in own if (value := one.figures[code, MONTH]) is not None]
    return (sum(known) if known else None), all(one.accepted[block] for one in own)


def quarter(model: Naive, months: range) -> dict[Cell, Figure]:
    """The consolidated figures of a quarter."""
    found: dict[Cell, Figure] = {}
    for code in INDICATORS:
        own = [_added(model, at, code) for at in months]
        if code in (OPENING, CLOSING):
            found[code, MONTH] = own[0] if code == OPENING else own[-1]
            continue
        booked = [r.amount for r in model.restated if r.month in months and r.cell == (code, SO_FAR)]
        known = [value for value, _ in own if value is not None] + ([sum(booked)] if booked else [])
        found[code, MONTH] = (sum(known) if known else None), all(sure for _, sure in own)
    return found


def counts(model: Naive, month: int) -> dict[str, int]:
    """Every receipt of a month under one status."""
    found: Counter[str] = Counter()
    states = {one.digest: one.state for one in model.returns[month]}
    seen: set[str] = set()
    for one in model.receipts:
        if one.month != month:
            continue
        again = one.digest in seen
        seen.add(one.digest)
        if one.digest in states:
            state = states[one.digest]
            found["duplicate" if again and state not in OUT else state] += 1
        elif one.replaced:
            found["superseded"] += 1
        else:
            found["held" if one.paper is None or model.is_owed(one.paper) else "misdirected"] += 1
    return dict(found)


class Proposed(NamedTuple):
    """What an accepted figure follows to be."""

    bureau: str
    month: int
    cell: Cell
    reported: int
    proposed: int


def proposals(model: Naive) -> list[Proposed]:
    """What later accepted figures would have to be, from the first that no longer follows on: each opening, closing and
    cumulative."""
    months = range(len(MONTHS))
    stale = [(month, one.bureau) for month in months for one in _bureaus(model, month) if one.stale]
    if not stale:
        return []
    begin = min(month for month, _ in stale)
    names = {bureau for _, bureau in stale}
    changed: dict[tuple[str, Cell], int] = {}  # the month before's
    found: list[Proposed] = []
    for month in range(begin, len(MONTHS)):
        names |= {one for one in model.tree.codes() if names & set(model.tree.before(one, month))}
        now: dict[tuple[str, Cell], int] = {}
        for bureau in sorted(names):
            own = _changes(model, month, bureau, changed)
            now |= {(bureau, cell): amount for cell, amount in own.items()}
            is_nil = any(one.paper.nil and one.accepted[block] for block, one in model.current(month, bureau).items())
            for cell, amount in own.items():
                reported = model.accepted(bureau, month, cell)
                if reported is not None and not is_nil:
                    found.append(Proposed(bureau, month, cell, reported, reported + amount))
        changed = now
    return found


def _bureaus(model: Naive, month: int) -> list[Stands]:
    return [_stands(model, month, bureau) for bureau in sorted({one.bureau for one in model.returns[month]})]


def _changes(model: Naive, month: int, bureau: str, before: dict[tuple[str, Cell], int]) -> dict[Cell, int]:
    failing = {
        (one.rule, one.column): one.difference
        for block, sent in model.current(month, bureau).items()
        for one in sent.failing
        if sent.accepted[block] and one.block == block and one.waiver is None
    }
    rules = list(rules_of(month))
    order = [one for one in rules if one.code == "opening:cases"]
    order += [one for one in rules if one.code == "balance:cases" and one.column == MONTH]
    order += [one for one in rules if one.code.startswith("year-to-date")]
    changes: dict[Cell, int] = {}
    for rule in order:
        last, shift, known = rule.terms[-1][1], 0, True
        for at, (sign, cell) in enumerate(rule.terms[:-1]):
            if rule.looks_back and at == 0:
                shift += sign * sum(before.get((one, cell), 0) for one in model.tree.before(bureau, month))
            else:
                shift += sign * changes.get(cell, 0)
                known = known and model.accepted(bureau, month, cell) is not None
        if rule.code != "balance:cases":
            shift += failing.get((rule.code, rule.column), 0)
        if shift and known and model.accepted(bureau, month, last) is not None:
            changes[last] = shift
    return changes


def is_whole(model: Naive, month: int, bureau: str) -> bool:
    """Whether a bureau's deltas of a month may be confirmed: one return takes part, with nothing held."""
    taking_part = [one for one in model.in_order(month, bureau) if one.state not in OUT]
    return len(taking_part) == 1 and taking_part[0].state == "accepted"

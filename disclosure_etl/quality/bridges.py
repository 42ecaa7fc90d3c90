"""What bureaus begin with that merged, were split or got a new code: the figures of those before them, and the failures of
what several took over together.

Pure functions over what was looked up. Not here: who took over from whom (`succession`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from disclosure_etl.quality import messages
from disclosure_etl.quality.failures import Found, Places, Told
from disclosure_etl.quality.messages import Facts, Named
from disclosure_etl.succession import Changeover, Origins
from schemas.constraints import Constraint, Kind, Source, Term
from schemas.errors import Message
from schemas.forms import Cell
from schemas.kernels import BRIDGED
from schemas.records import NO_DECIMALS, Batch, Bridge, Heir, History, Submission
from schemas.values import UNKNOWN, figure_text


def carried_over(
    found: History, asked: Sequence[str | None], count: int, origins: Sequence[Origins], over: Sequence[Changeover]
) -> History:
    """The history of the first `count` of the bureaus that were `asked` about, with those before them in their place.

    A figure is the sum over all of them, and unknown as soon as one of theirs is; of several that share what was left none
    has a figure of its own, but the sum before (`predecessors:`).

    Args:
        found: one entry each of `asked`, everybody's that is needed among them.
        origins: whose figures are whose, a step back each (`succession.origins`); over: the changeovers of the period.
    """
    at = {code: row for row, code in enumerate(asked) if code is not None}
    own = list(asked[:count])
    figures = {name: values[:count].copy() for name, values in found.figures.items()}
    if origins:
        for name, values in found.figures.items():
            if name.startswith(Source.PREVIOUS):
                _replaced(figures[name], values, own, origins[0], at)
    shares = {code: one for one in over if one.is_divided for code in one.successors}
    if any(code in shares for code in own):
        before = {code: one.predecessors for code, one in shares.items()}
        for name, values in found.figures.items():
            if name.startswith(Source.PREVIOUS):
                summed = np.full(count, UNKNOWN)
                _replaced(summed, values, own, before, at)
                figures[Source.PREDECESSORS + name.removeprefix(Source.PREVIOUS)] = summed
        figures[BRIDGED] = np.array([code in shares for code in own], np.int64)
    past = None if found.past is None else found.past[:, :count].copy()
    if past is not None and found.past is not None:
        for step, whose in enumerate(origins[: len(past)]):
            _replaced(past[step], found.past[step], own, whose, at)
    return replace(found, figures=figures, past=past)


def _replaced(
    into: np.ndarray, values: np.ndarray, bureaus: Sequence[str | None], whose: Origins, at: Mapping[str, int]
) -> None:
    """Write into the rows of `bureaus` that are in `whose` the sum over those; unknown where there are none."""
    if not whose:
        return
    for row, code in enumerate(bureaus):
        if code is None or code not in whose:
            continue
        theirs = values[[at[one] for one in whose[code]]]
        unknown = (theirs == UNKNOWN).any(axis=0) if len(theirs) else True
        into[row] = np.where(unknown, UNKNOWN, np.where(theirs == UNKNOWN, 0, theirs).sum(axis=0))


def siblings_figures(
    everybody: Batch, cells: Sequence[Cell], siblings: Mapping[str, Sequence[str]], bureaus: Sequence[str | None]
) -> dict[str, np.ndarray]:
    """The columns `siblings:` of the wide frame for `bureaus`: the sum over the others that share with them what was left,
    of what each sent last; unknown while one of them has not sent it. Empty where nobody here shares anything."""
    if not any(code in siblings for code in bureaus):
        return {}
    newest = everybody.newest_rows()
    at = [cell.position for cell in cells]
    known = np.where(everybody.decimals[:, at] != NO_DECIMALS, everybody.numbers[:, at], UNKNOWN)
    sums = np.full((len(bureaus), len(cells)), UNKNOWN)
    for row, code in enumerate(bureaus):
        others = siblings.get(code or "", ())
        if others and all(other in newest for other in others):
            theirs = known[[newest[other] for other in others]]
            sums[row] = np.where((theirs == UNKNOWN).any(axis=0), UNKNOWN, theirs.sum(axis=0))
    return {Source.SIBLINGS + cell.name: sums[:, place] for place, cell in enumerate(cells)}


def bridges_told(
    over: Sequence[Changeover], names: Mapping[str, Message], everybody: Batch | None = None
) -> dict[str, Bridge]:
    """By successor: whose balances it begins with, for messages. `names` are of all bureaus concerned."""
    newest = everybody.newest_rows() if everybody is not None and any(one.is_divided for one in over) else {}
    told: dict[str, Bridge] = {}
    for one in over:
        own = [names[code] for code in one.predecessors]
        before = Message("、".join(name.zh for name in own), ", ".join(name.en for name in own))
        sent = (
            {code: everybody.submissions[newest[code]] for code in one.successors if code in newest}
            if everybody
            else {}
        )
        heirs = tuple(Heir(code, names[code], sent.get(code)) for code in one.successors) if one.is_divided else ()
        told |= {code: Bridge(before, heirs) for code in one.successors}
    return told


def found_bridge_failures(places: Places) -> Iterator[Found]:
    """Every failing place of what several took over: at each of them."""
    outcome = places.verdicts.outcomes.get(Kind.BRIDGE)
    if outcome is None or not outcome.fails.any():
        return
    rules = places.rules.table.of_kind(Kind.BRIDGE)
    for row, at in zip(*(axis.tolist() for axis in np.nonzero(outcome.fails)), strict=True):
        yield _failure(places, row, at, rules[at], int(outcome.difference[row, at]))


def _failure(places: Places, row: int, at: int, rule: Constraint, lacking: int) -> Found:
    one = places.batch.submissions[row]
    bridge = places.bridge(one)
    assert bridge is not None
    own = [term for term in rule.terms if term.source is Source.OWN]
    last, scale = own[-1], own[-1].cell.scale
    total = places.term(one, row, next(term for term in rule.terms if term.source is Source.PREDECESSORS))
    parts = [_part(places, heir, own, one) for heir in bridge.heirs]
    off = figure_text(-lacking, scale)  # how much more they begin with than was left
    closings = int(places.history.figures[rule.terms[0].name][row])
    facts = Facts(
        [*parts, replace(total, whose=None)], places.column_label(rule.column), total.text, off,
        more={"sum": figure_text(closings - lacking, scale) if closings != UNKNOWN else "—"},
    )  # fmt: skip
    message = messages.bridged_message(messages.RULES[Kind.BRIDGE], facts, bridge.predecessors)
    told = Told(
        rule.code, rule.kind, rule.severity, message, tuple(dict.fromkeys(term.cell.indicator for term in rule.terms)),
        rule.legal, expected=total.text, difference=off, impact=places.impact(lacking, last.cell),
    )  # fmt: skip
    return Found(row, places.failure(row, last.cell, facts.figures, told), at, lacking)


def _part(places: Places, heir: Heir, own: Sequence[Term], one: Submission) -> Named:
    """What one of the successors begins with: as written; of a stock what follows from it and from what came and went. Only
    the return's own cells are told, since the others' are in other files."""
    sent = one if heir.bureau == one.bureau else heir.sent
    last = own[-1].cell
    if sent is None:
        return replace(places.named(one, last, heir.name), text="", cell="")
    named = places.named(sent, last, heir.name)
    if len(own) > 1:
        known = all(sent.decimals[term.cell.position] != NO_DECIMALS for term in own)
        number = -sum(term.coefficient * sent.numbers[term.cell.position] for term in own)
        named = replace(named, text=figure_text(number, last.scale) if known else "")
    return named if sent is one else replace(named, cell="")

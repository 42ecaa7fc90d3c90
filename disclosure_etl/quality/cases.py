"""Which failures of a return have one cause: they are one case for whoever has to look at it.

A change of one figure that makes several failed equations hold, and breaks more than it mends of none, is their cause. A cumulative
that is off as its month is, says the same again; so does a figure that is odd beside its last months and beside last year, and a total
that is odd as one of its parts is. Not here: proposing a change as a repair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from disclosure_etl.quality.failures import Found
from schemas.batches import Verdicts
from schemas.constraints import LINEAR, SHARES, ConstraintTable, Kind, Relation, Source
from schemas.forms import Form
from schemas.records import Failure, Severity

Change = tuple[int, int]  # the position of a cell, and by how much


Equations = Mapping[int, Sequence[tuple[Kind, int, int]]]  # by cell: kind, place within the kind, coefficient


def equations_of(table: ConstraintTable) -> Equations:
    """The equations over a return's own cells, by the position of each cell in them. What several returns have to meet
    together is none: whoever takes over nothing would seem to break it."""
    found: dict[int, list[tuple[Kind, int, int]]] = defaultdict(list)
    for kind in LINEAR:
        for place, rule in enumerate(table.of_kind(kind)):
            if rule.relation is Relation.EQUAL and not rule.tolerance and kind is not Kind.BRIDGE:
                for term in rule.terms:
                    if term.source is Source.OWN:
                        found[term.cell.position].append((kind, place, term.coefficient))
    return found


def into_cases(
    found: Sequence[Found], table: ConstraintTable, verdicts: Verdicts, equations: Equations
) -> list[Failure]:
    """The failures of one return with `implied_by` and `case` set, in their order."""
    failures = _attached([one.failure for one in found])
    if len(failures) < 2:
        return failures
    lead = dict(_said_again(found, table.form))
    left = {at for at, one in enumerate(found) if one.place >= 0}
    for cell, members in _causes(found, table, verdicts, equations):
        members = [at for at in members if at in left]
        if len(members) < 2:
            continue
        left -= set(members)
        # Told first is what speaks of the very figure: who mends a total instead would hide the slip.
        about = [at for at in members if _is_implied(found[at], table, cell)]
        first = _first(lead, failures[(about or members)[0]].id)
        name = table.form.cells[cell]
        for at, one in enumerate(failures):
            # What else speaks of the very cell (a share of it, a bound, a jump) has no other cause.
            beside = one.column == name.column and one.indicators[:1] == (name.indicator,) and one.kind not in LINEAR
            if one.id != first and (at in members or (beside and one.id not in lead)):
                lead[one.id] = first
    result = []
    for one in failures:
        case = _first(lead, one.id if one.id in lead else one.implied_by or one.id)
        result.append(one if case == one.id else replace(one, case=case))
    return result


def _is_implied(one: Found, table: ConstraintTable, cell: int) -> bool:
    """Whether a cell is the one that the others of a failed equation imply."""
    return table.of_kind(Kind(one.failure.kind))[one.place].terms[-1].cell.position == cell


def _first(lead: Mapping[str, str], failure: str) -> str:
    """The failure at the beginning of a chain of those that follow each other."""
    while failure in lead:
        failure = lead[failure]
    return failure


def _said_again(found: Sequence[Found], form: Form) -> Iterator[tuple[str, str]]:
    """Failures that say of another figure, or beside another time, what an earlier one says: each with that one."""
    by_rule = {(one.failure.rule, one.failure.column): one for one in found if one.place >= 0}
    odd: dict[tuple[str, str | None], Found] = {}
    for one in found:
        failure = one.failure
        column = form.columns.get(failure.column or "")
        if failure.kind in (Kind.JUMP, Kind.YEAR_JUMP):
            first = odd.setdefault((failure.indicators[0], failure.column), one)
        elif one.place >= 0 and column is not None and column.cumulates:
            same = by_rule.get((failure.rule, column.cumulates), one)
            first = same if same.difference == one.difference else one
        else:
            continue
        if first is not one:
            yield failure.id, first.failure.id
    for (code, of_column), whole in odd.items():
        parts = {part for one in form.indicators[code].breakdowns for part in one.parts}
        likewise = [
            one
            for (part, at), one in odd.items()
            if part in parts and at == of_column and one.difference * whole.difference > 0
        ]
        if likewise:
            largest = max(likewise, key=lambda one: abs(one.difference))
            if abs(largest.difference) * 3 >= abs(whole.difference) * 2:  # else something else is odd as well
                yield whole.failure.id, largest.failure.id


def led_by_the_worst(failures: Sequence[Failure]) -> list[Failure]:
    """The same with the most severe failure of each case first among it: settings that switched its first one off, or made less of
    it, may hide nothing that holds a block."""
    here = {one.id for one in failures}
    before = {one.id: one.case for one in failures if one.case}
    members: dict[str, list[Failure]] = defaultdict(list)
    for one in failures:
        members[_first(before, one.id)].append(one)
    lead: dict[str, str] = {}
    for case, own in members.items():
        worst = min(_RANKS[one.severity] for one in own)
        first = min(own, key=lambda one: (_RANKS[one.severity] > worst, one.id != case))
        lead |= {one.id: first.id for one in own}
    return [
        replace(
            one,
            case=lead[one.id] if lead[one.id] != one.id else None,
            implied_by=one.implied_by if one.implied_by in here else None,
        )
        for one in failures
    ]


_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}


def after_units(failures: Sequence[Failure]) -> list[Failure]:
    """Figures that are in another unit than the form's do not add up with those that are in it: what fails because of them
    follows from the unit."""
    units = {
        code: one.id
        for one in failures
        if one.rule == "return:unit" and one.severity is Severity.ERROR
        for code in one.indicators
    }
    if not units:
        return list(failures)
    result = []
    for one in failures:
        cause = next((units[code] for code in one.indicators if code in units), None)
        follows = cause is not None and one.id != cause and one.rule != "return:unit" and one.implied_by is None
        result.append(replace(one, implied_by=cause, case=cause) if follows else one)
    return result


def _causes(
    found: Sequence[Found], table: ConstraintTable, verdicts: Verdicts, equations: Equations
) -> list[tuple[int, list[int]]]:
    """Cells that explain two or more failed equations, those that explain most first."""
    changes: dict[Change, list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        if one.place < 0:
            continue
        rule = table.of_kind(Kind(one.failure.kind))[one.place]
        if rule.relation is not Relation.EQUAL:
            continue
        for term in rule.terms:
            if term.source is Source.OWN and one.difference % term.coefficient == 0:
                changes[(term.cell.position, -one.difference // term.coefficient)].append(at)
    explained = []
    for (cell, _), members in changes.items():
        if len(members) < 2:
            continue
        mended = {(found[at].failure.kind, found[at].place) for at in members}
        broken = sum(
            not verdicts.outcomes[kind].fails[found[0].row, place]
            and not verdicts.outcomes[kind].unassessable[found[0].row, place]
            for kind, place, _ in equations.get(cell, ())
            if (kind, place) not in mended and kind in verdicts.outcomes
        )
        if broken < len(members):
            explained.append((broken - len(members), members[0], cell, members))
    explained.sort(key=lambda one: one[:3])
    return [(cell, members) for _, _, cell, members in explained]


def _attached(failures: list[Failure]) -> list[Failure]:
    """Attach what another failure already implies: a column of shares is off because its parts are, or its shares."""
    if not any(one.kind == Kind.SHARE_COLUMN for one in failures):
        return failures
    causes: dict[tuple[str, str | None], str] = {}
    for one in failures:
        if one.kind in (Kind.BREAKDOWN, *SHARES) and one.kind != Kind.SHARE_COLUMN:
            causes.setdefault((one.rule.split(":", 1)[1], one.column), one.id)
    return [
        replace(one, implied_by=causes[(one.rule.split(":", 1)[1], one.column)])
        if one.kind == Kind.SHARE_COLUMN and (one.rule.split(":", 1)[1], one.column) in causes
        else one
        for one in failures
    ]

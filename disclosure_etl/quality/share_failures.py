"""Failures of printed shares: why each is off (`schemas.kernels`), how severe that is, in words.

Not here: failures of figures (`failures`).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from disclosure_etl.quality import messages
from disclosure_etl.quality.failures import Found, Places, Told
from disclosure_etl.quality.messages import Facts
from schemas import kernels
from schemas.constraints import Kind, ShareGroup
from schemas.forms import SHARE_DECIMALS
from schemas.kernels import Diagnosis
from schemas.records import NO_DECIMALS, Failure, Severity, Submission
from schemas.values import figure_text

SEVERITY = {
    Diagnosis.ADJUSTED: Severity.NOTICE,
    Diagnosis.OTHER_TOTAL: Severity.WARNING,
    Diagnosis.TRUNCATED: Severity.WARNING,
    Diagnosis.UNATTAINABLE: Severity.ERROR,
    Diagnosis.WRONG: Severity.ERROR,
}
_HUNDRED = 10 ** (2 + SHARE_DECIMALS)


def found_share_failures(places: Places) -> Iterator[Found]:
    """Every failing place of the kinds of shares."""
    outcomes = places.verdicts.outcomes
    for kind in (Kind.SHARE, Kind.SHARE_ATTAINABLE):
        if kind in outcomes and outcomes[kind].fails.any():
            yield from _shares(places, kind)
    if Kind.SHARE_COLUMN in outcomes and outcomes[Kind.SHARE_COLUMN].fails.any():
        yield from _columns(places)


def _shares(places: Places, kind: Kind) -> Iterator[Found]:
    outcome = places.verdicts.outcomes[kind]
    start = 0
    for group in places.rules.table.share_groups(kind):
        mine = slice(start, start + len(group.parts))
        start += len(group.parts)
        rows, parts = np.nonzero(outcome.fails[:, mine])
        if not len(rows):
            continue
        off = outcome.difference[:, mine][rows, parts].tolist()
        if kind is Kind.SHARE_ATTAINABLE:
            for row, part, difference in zip(rows.tolist(), parts.tolist(), off, strict=True):
                yield Found(row, _unattainable(places, row, group, part, difference))
            continue
        codes, others = kernels.diagnose_shares(places.columns, group, rows, parts)
        for row, part, difference, code, other in zip(rows.tolist(), parts.tolist(), off, codes, others, strict=True):
            yield Found(row, _share(places, row, group, part, difference, code, other))


def _printed(one: Submission, group: ShareGroup) -> int:
    """The decimals that a column of shares is printed with: the most that one of them has."""
    return max(one.decimals[cell.position] for cell in group.shares if one.decimals[cell.position] != NO_DECIMALS)


def _rounded(one: Submission, group: ShareGroup, share: int) -> str:
    """A share as a form prints it: rounded half up (四舍五入), to as many decimals as the return has."""
    decimals = min(_printed(one, group), SHARE_DECIMALS)
    return str(Decimal(share).scaleb(-SHARE_DECIMALS).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def _share(
    places: Places, row: int, group: ShareGroup, part: int, off: int, diagnosis: str, other: int | None
) -> Failure:
    one = places.batch.submissions[row]
    share = group.shares[part]
    figures = [places.named(one, cell) for cell in (group.parts[part], group.total, share)]
    expected = _rounded(one, group, int(places.batch.numbers[row, share.position]) - off)
    other_total = figure_text(other, group.total.scale) if other is not None else None
    more = {"other": other_total} if other_total else None
    facts = Facts(figures, places.column_label(group.column), expected, figure_text(off, SHARE_DECIMALS), more)
    told = Told(
        group.code(Kind.SHARE), Kind.SHARE, SEVERITY[diagnosis], messages.filled(messages.SHARES[diagnosis], facts),
        (group.parts[part].indicator, group.total.indicator), group.legal,
        expected=expected, difference=facts.difference, impact=_no_impact(places),
        diagnosis=f"{diagnosis}:{other_total}" if other_total else diagnosis,
    )  # fmt: skip
    return places.failure(row, share, figures, told)


def _no_impact(places: Places) -> float | None:
    """A share is never loaded, so it moves no consolidated figure."""
    return 0.0 if places.totals is not None else None


def _unattainable(places: Places, row: int, group: ShareGroup, part: int, off: int) -> Failure:
    one = places.batch.submissions[row]
    share = group.shares[part]
    figures = [places.named(one, cell) for cell in (group.parts[part], group.total, share)]
    expected = _rounded(one, group, int(places.batch.numbers[row, share.position]) - off)
    facts = Facts(figures, places.column_label(group.column), expected, figure_text(off, SHARE_DECIMALS))
    told = Told(
        group.code(Kind.SHARE_ATTAINABLE), Kind.SHARE_ATTAINABLE, Severity.ERROR,
        messages.filled(messages.RULES[Kind.SHARE_ATTAINABLE], facts),
        (group.parts[part].indicator, group.total.indicator), group.legal,
        expected=expected, difference=facts.difference, impact=_no_impact(places), diagnosis=Diagnosis.UNATTAINABLE,
    )  # fmt: skip
    return places.failure(row, share, figures, told)


def _columns(places: Places) -> Iterator[Found]:
    outcome = places.verdicts.outcomes[Kind.SHARE_COLUMN]
    groups = places.rules.table.share_groups(Kind.SHARE_COLUMN)
    for row, at in zip(*(found.tolist() for found in np.nonzero(outcome.fails)), strict=True):
        group, off = groups[at], int(outcome.difference[row, at])
        one = places.batch.submissions[row]
        figures = [places.named(one, cell) for cell in group.shares]
        more = {"sum": figure_text(off + _HUNDRED, SHARE_DECIMALS)}
        facts = Facts(figures, places.column_label(group.column), "100", figure_text(off, SHARE_DECIMALS), more)
        told = Told(
            group.code(Kind.SHARE_COLUMN), Kind.SHARE_COLUMN, Severity.ERROR,
            messages.filled(messages.RULES[Kind.SHARE_COLUMN], facts),
            (group.total.indicator, *(cell.indicator for cell in group.parts)), group.legal,
            expected="100", difference=facts.difference, impact=_no_impact(places),
        )  # fmt: skip
        yield Found(row, places.failure(row, group.shares[0], figures, told))

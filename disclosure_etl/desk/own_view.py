"""What a bureau sees of itself: how its months stand, what is open in them, what came back, what it sent. Never another's.

Everything is asked for by the bureau of the account; no function here takes a code from an address. Not here: routes (`own_pages`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from disclosure_etl import deltas
from disclosure_etl.bureaus import Bureau
from disclosure_etl.desk.access import Refused
from disclosure_etl.desk.months import status_of
from disclosure_etl.desk.receiving import fates_of
from disclosure_etl.desk.standing import Desk
from disclosure_etl.warehouse.case_pages import BlockStanding
from disclosure_etl.warehouse.casework import WAITING, Fate, Upload
from schemas.cases import cases_among
from schemas.consolidation import BureauState
from schemas.deltas import Delta
from schemas.errors import Message
from schemas.forms import Block, Form
from schemas.people import Visitor
from schemas.periods import Period
from schemas.records import Failure, Severity
from schemas.returns import ReturnDecision

MONTHS = 12
_UPLOADS = 20
_LOOKED_THROUGH = 200
_STATES_DONE = ("accepted", "none")


@dataclass(frozen=True, slots=True)
class OwnMonth:
    """A month as a bureau sees it: the day by which its return is due, how it stands in the newest version (None where nothing was
    consolidated), and whether something that was sent waits for a run. `left`: days until it is due, below 0 after it."""

    period: Period
    due: date
    left: int
    owed: bool
    state: BureauState | None
    waits: bool
    over: bool

    @property
    def status(self) -> str:
        """The one word for it."""
        if not self.owed:
            return "none"
        known = status_of(self.state) if self.state is not None else "missing"
        if self.waits and known != "accepted":
            return WAITING
        if known == "missing":
            return "overdue" if self.left < 0 else "due"
        return known

    @property
    def is_open(self) -> bool:
        """Whether the bureau has something to do about it; not of a month that is still going on."""
        return self.over and (
            self.status not in _STATES_DONE or bool(self.state and (self.state.errors or self.state.warnings))
        )


@dataclass(frozen=True, slots=True)
class Open:
    """A month that the bureau has something to do about: the blocks of its form with how each stands (None: not sent), and what is
    open against it."""

    month: OwnMonth
    blocks: Sequence[tuple[Block, str]]
    failures: Sequence[Failure]


@dataclass(frozen=True, slots=True)
class Front:
    """The first page of a bureau. `months`: the newest last, as a year is read."""

    bureau: Bureau
    today: date
    months: Sequence[OwnMonth]
    open: Sequence[Open]
    notices: Sequence[tuple[ReturnDecision, str]]
    deltas: Sequence[Delta]
    uploads: Sequence[tuple[Upload, Fate]]


def bureau_of(desk: Desk, who: Visitor) -> Bureau:
    """The bureau of somebody's account, as it is called now.

    Raises:
        Refused: the account has none that is known.
    """
    found = [one for one in desk.office.bureaus.bureaus if one.code == who.person.bureau]
    if not found:
        raise Refused(
            Message(
                "您的账号没有所属单位,或单位已不在 bureaus.yaml 中;请联系系统管理员。",
                "Your account has no bureau, or it is no longer in bureaus.yaml; tell the administrator.",
            )
        )
    today = desk.office.clock().date()
    return next((one for one in found if one.exists_on(today)), found[-1])


def front(desk: Desk, bureau: Bureau) -> Front:
    """What a bureau has to do, and how it stands."""
    code = bureau.code
    sent = desk.office.warehouse.uploads(code, _UPLOADS)
    fates = fates_of(desk.office, sent)
    waiting = {one.period for one in sent if fates[one.key].state == WAITING}
    months = months_of(desk, code, waiting)
    found = [opened(desk, code, one) for one in reversed(months) if one.is_open]
    return Front(
        bureau, desk.office.clock().date(), months, found, notices(desk, code), proposed(desk, code),
        [(one, fates[one.key]) for one in sent],
    )  # fmt: skip


def months_of(desk: Desk, code: str, waiting: Collection[str]) -> list[OwnMonth]:
    """The year up to the month that is going on, the newest last; no further back than the office has consolidated, since nobody
    asks here for what came before."""
    last = _going_on(desk)
    own = [one for one in desk.office.warehouse.consolidated_periods(desk.family) if one.frequency is last.frequency]
    first = min(own, default=last.preceding)
    year = (last.shifted(step - MONTHS) for step in range(MONTHS + 1))
    return [month_of(desk, code, one, waiting) for one in year if one >= first or one.code in waiting]


def _going_on(desk: Desk) -> Period:
    return Period.of_day(desk.office.clock().date(), desk.office.forms.frequency_of(desk.family))


def neighbour(desk: Desk, code: str, period: Period, step: int) -> Period | None:
    """The month before or after one, where the bureau owes it and it has begun."""
    other = period.shifted(step)
    is_owed = any(one.code == code for one in desk.office.owing(desk.family, other))
    return other if is_owed and other <= _going_on(desk) else None


def waits(desk: Desk, code: str, period: Period) -> bool:
    """Whether something that a bureau sent for a period waits for a run."""
    sent = [one for one in desk.office.warehouse.uploads(code, _LOOKED_THROUGH) if one.period == period.code]
    return any(fate.state == WAITING for fate in fates_of(desk.office, sent).values())


def month_of(desk: Desk, code: str, period: Period, waiting: Collection[str]) -> OwnMonth:
    """One month of a bureau."""
    office = desk.office
    today, due = office.clock().date(), office.due(period).day
    owed = any(one.code == code for one in office.owing(desk.family, period))
    version = desk.versions.newest(desk.family, period)
    states = version[1].bureaus if version else ()
    state = next((one for one in states if one.bureau == code), None)
    return OwnMonth(period, due, (due - today).days, owed, state, period.code in waiting, period.end < today)


def opened(desk: Desk, code: str, month: OwnMonth) -> Open:
    """A month with its blocks and what is open in it."""
    form = desk.office.forms.choose(desk.family, month.period)
    found = [one for one in failures_of(desk, code, month.period) if one.waiver is None]
    return Open(month, blocks_of(desk, code, form, month.period), found)


def blocks_of(desk: Desk, code: str, form: Form, period: Period) -> list[tuple[Block, str]]:
    """How each block of a bureau stands, in the form's order."""
    standing = {one.block: one for one in desk.office.warehouse.block_standings(desk.family, period, [code])}
    return [(block, _word(standing.get(block.code))) for block in form.blocks]


def _word(one: BlockStanding | None) -> str:
    if one is None:
        return "missing"
    if one.stale:
        return "stale"
    if not one.accepted:
        return "held"
    return "warned" if one.warnings else "waived" if one.waived else "accepted"


def failures_of(desk: Desk, code: str, period: Period) -> list[Failure]:
    """What stands against a bureau's return, each cause once, notices aside. What was let stand explains nothing that was not."""
    found = [one.failure for one in desk.office.warehouse.failures(desk.family, period, code)]
    return [one for one in cases_among(found) if one.severity is not Severity.NOTICE]


def notices(desk: Desk, code: str) -> list[tuple[ReturnDecision, str]]:
    """What was sent back to a bureau and not corrected yet, with the name of the file."""
    found = desk.office.warehouse.sent_back(desk.family, code)
    return [(one, file.rpartition("/")[2]) for one, file in found]


def proposed(desk: Desk, code: str) -> list[Delta]:
    """What later figures of a bureau follow to be after a correction."""
    return deltas.propose(desk.office, desk.family, bureaus=[code])


def named(desk: Desk, found: Sequence[Delta]) -> list[tuple[Delta, Message, Message]]:
    """Deltas with the names of their indicator and column on the form of their period."""
    rows = []
    for one in found:
        form = desk.office.forms.choose(desk.family, Period.parse(one.period))
        item, column = form.indicators[one.indicator].label, form.columns[one.column].label
        rows.append((one, Message(item.zh, item.en), Message(column.zh, column.en)))
    return rows


def seen(found: Sequence[Delta]) -> str:
    """What the form carries, so that nobody confirms other figures than those that they saw."""
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]

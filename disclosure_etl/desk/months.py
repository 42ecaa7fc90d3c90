"""The month at a glance: bureaus by blocks, how far the month is from sign-off, and what changed since the last visit.

Not here: single cases (`cases`), signing (`signing_off`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.shown import page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.warehouse.case_pages import BlockStanding
from disclosure_etl.warehouse.casework import Proposal
from schemas.consolidation import BureauState, Consolidation
from schemas.errors import Message
from schemas.forms import Form
from schemas.people import Visitor
from schemas.periods import Period
from schemas.records import Severity
from schemas.versions import FrozenVersion

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Seeing = Annotated[Visitor, needs(Need.SEE)]
A_SCREENFUL = 50  # bureaus on a page
SIGN_OFF = "sign_off"  # what a first person asks a second one for
_EVENTS = 12


def read_period(code: str) -> Period:
    """A period in an address.

    Raises:
        UserError: it is none.
    """
    return Period.parse(code)


def form_of_version(desk: Desk, one: Consolidation) -> Form:
    """The form of a version."""
    return next(form for form in desk.office.forms.forms if form.key == one.form)


@dataclass(frozen=True, slots=True)
class Row:
    """A bureau in the matrix: how it stands, what is said of its return as a whole, and the state of each block in the form's order
    (None where it sent nothing)."""

    state: BureauState
    status: str
    restated: bool
    whole: BlockStanding | None
    blocks: tuple[BlockStanding | None, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One of the things between now and sign-off: how many are left, and what it is called then, or once there is none."""

    left: int
    name: Message
    done: Message
    where: str


def status_of(state: BureauState) -> str:
    """The one word for how a bureau stands: the worst that holds of it."""
    return "stale" if state.stale else state.status


_ORDER = {"failed": 0, "held": 1, "partly_held": 2, "stale": 3, "returned": 4, "missing": 5, "withdrawn": 6}


def _rank(state: BureauState) -> tuple[int, int, int]:
    """What needs a person comes first; of equal ones the larger heap."""
    own = _ORDER.get(status_of(state), 7 if state.errors else 8 if state.warnings else 9)
    return own, -state.errors, -state.warnings


def needs_a_look(state: BureauState) -> bool:
    """Whether a person has to look at a bureau before sign-off."""
    return _rank(state)[0] < 9


def chosen_states(one: Consolidation, show: str, text: str) -> list[BureauState]:
    """The bureaus that a page is asked for, those first that need a person."""
    states = list(one.bureaus)
    if text:
        wanted = text.casefold()
        states = [s for s in states if wanted in f"{s.bureau} {s.name_zh} {s.name_en}".casefold()]
    if show == "open":
        states = [state for state in states if needs_a_look(state)]
    elif show in ("missing", "late", "held", "stale", "accepted", "returned"):
        states = [state for state in states if _shows(state, show)]
    return sorted(states, key=_rank)


def _shows(state: BureauState, show: str) -> bool:
    if show == "late":
        return state.late
    if show == "held":
        return state.status in ("held", "partly_held", "failed")
    return status_of(state) == show


def matrix(desk: Desk, form: Form, period: Period, one: Consolidation, states: Sequence[BureauState]) -> list[Row]:
    """The rows of these bureaus."""
    codes = [state.bureau for state in states]
    found = desk.office.warehouse.block_standings(form.family, period, codes) if codes else []
    standing = {(each.bureau, each.block): each for each in found}
    restated = {each.bureau for each in one.restatements}
    return [
        Row(
            state,
            status_of(state),
            state.bureau in restated,
            standing.get((state.bureau, "")),
            tuple(standing.get((state.bureau, block.code)) for block in form.blocks),
        )
        for state in states
    ]


def steps(period: Period, one: Consolidation, open_cases: Mapping[tuple[str, str], int]) -> list[Step]:
    """How far a month is from sign-off: what the version says of bureaus, and how many cases are open, by period and severity."""
    states = one.bureaus
    base = f"/months/{period}"

    def bureaus(show: str) -> int:
        return sum(_shows(state, show) for state in states)

    def cases(severity: Severity) -> int:
        return open_cases.get((period.code, severity), 0)

    return [
        Step(
            len(one.missing), Message("个单位未报", "missing"), Message("报表已收齐", "all returns received"),
            f"{base}?show=missing",
        ),
        Step(
            cases(Severity.ERROR), Message("条错误待定", "errors to decide"), Message("错误已逐条决定", "errors decided"),
            f"{base}/cases?severity=error&state=open",
        ),
        Step(
            cases(Severity.WARNING), Message("条警告待定", "warnings to decide"),
            Message("警告已逐条决定", "warnings decided"), f"{base}/cases?severity=warning&state=open",
        ),
        Step(
            bureaus("returned"), Message("个单位已退回,待更正", "sent back, to be corrected"),
            Message("没有退回待更正的", "none waits to be corrected"), f"{base}?show=returned",
        ),
        Step(
            bureaus("held"), Message("个单位有暂存", "with held blocks"), Message("没有待处理的暂存", "no held block waits"),
            f"{base}?show=held",
        ),
        Step(
            bureaus("stale"), Message("个单位待复核", "to be looked at again"),
            Message("没有待复核的", "none to be looked at again"), f"{base}?show=stale",
        ),
    ]  # fmt: skip


@router.get("/months")
def newest_month(desk: TheDesk, _who: Seeing) -> Response:
    """On to the newest month that was consolidated, or that is over."""
    known = [one for one in desk.office.warehouse.consolidated_periods(desk.family) if _is_own(desk, one)]
    today = desk.office.clock().date()
    period = known[-1] if known else Period.of_day(today, desk.office.forms.frequency_of(desk.family)).preceding
    return RedirectResponse(f"/months/{period}", 303)


def _is_own(desk: Desk, period: Period) -> bool:
    return period.frequency is desk.office.forms.frequency_of(desk.family)


@router.get("/months/{code}")
def month(
    request: Request, desk: TheDesk, who: Seeing, code: str, show: str = "", q: str = "", at: int = 1
) -> Response:
    """A month's matrix, its progress, and what changed since the last visit."""
    period = read_period(code)
    found = desk.versions.newest(desk.family, period)
    if found is None:
        return page(request, who, "month_empty.html", period=period)
    version, one = found
    if not _is_own(desk, period):
        return _longer(request, desk, who, period, version, one)
    form = form_of_version(desk, one)
    show = show or ("open" if len(one.bureaus) > A_SCREENFUL else "all")
    states = chosen_states(one, show, q.strip())
    pages = max(1, -(-len(states) // A_SCREENFUL))
    at = min(max(1, at), pages)
    rows = matrix(desk, form, period, one, states[(at - 1) * A_SCREENFUL : at * A_SCREENFUL])
    counts = Counter(status_of(state) for state in one.bureaus)
    before = desk.office.warehouse.last_visit(who.person.key, desk.family, period)
    events = (
        desk.office.warehouse.events_since(
            desk.family, period, before[0], _EVENTS, (who.person.login, who.person.signature)
        )
        if before
        else []
    )
    with desk.noting() as warehouse:
        warehouse.note_visit(who.person.key, desk.family, period, before[0] if before else None)
    return page(
        request, who, "month.html", period=period, version=version, one=one, form=form, rows=rows, counts=counts,
        show=show, q=q, at=at, pages=pages, number=len(states),
        steps=steps(period, one, desk.office.warehouse.open_by_severity(desk.family, [period])), events=events, before=before,
        late=sum(state.late for state in one.bureaus), progress=_progress(version, one),
        due=desk.office.due(period), release=desk.office.release_moment(period),
        proposal=_proposal(desk, period, version),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A month of a longer period: its newest version, None where there is none, and how many of its cases are open."""

    period: Period
    version: FrozenVersion | None
    errors: int
    warnings: int


def _longer(
    request: Request, desk: Desk, who: Visitor, period: Period, version: FrozenVersion, one: Consolidation
) -> Response:
    """A quarter, half or year: nobody sends a return for it, so that it is its months that are looked at."""
    warehouse = desk.office.warehouse
    periods = period.parts(desk.office.forms.frequency_of(desk.family))
    newest = {each.period: each for each in warehouse.frozen_versions(desk.family, periods)}
    counts = warehouse.open_by_severity(desk.family, periods)
    parts = [
        Part(
            each, newest.get(each.code), counts.get((each.code, Severity.ERROR), 0),
            counts.get((each.code, Severity.WARNING), 0),
        )
        for each in periods
    ]  # fmt: skip
    final = sum(each.version is not None and each.version.is_final for each in parts)
    return page(
        request, who, "month_longer.html", period=period, version=version, one=one, parts=parts, final=final,
        due=desk.office.due(period), release=desk.office.release_moment(period),
        names={each.bureau: Message(each.name_zh, each.name_en) for each in one.bureaus},
        proposal=_proposal(desk, period, version),
    )  # fmt: skip


def _proposal(desk: Desk, period: Period, version: FrozenVersion) -> Proposal | None:
    """The sign-off that waits for a second person, where that is the rule."""
    if not desk.office.settings.two_persons_sign or version.signed:
        return None
    return desk.office.warehouse.open_proposal(SIGN_OFF, desk.family, period)


def _progress(version: FrozenVersion, one: Consolidation) -> int:
    """How much of the bureaus is done with, in per cent."""
    if version.is_final or not one.bureaus:
        return 100
    return round(100 * sum(not needs_a_look(state) for state in one.bureaus) / len(one.bureaus))

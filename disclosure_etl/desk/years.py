"""The calendar of a year, bureau by month, and its lock: closed by one person, reopened by two.

Not here: a single month (`months`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from disclosure_etl import signing
from disclosure_etl.desk.access import FIRST_MAY_NOT, Need, Refused, may_still, needs
from disclosure_etl.desk.bounds import YearPart
from disclosure_etl.desk.first_word import CHANGED, give_first_word
from disclosure_etl.desk.months import A_SCREENFUL, needs_a_look, status_of
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.hindrances import Hindrance
from disclosure_etl.office import Office
from disclosure_etl.warehouse import LOCK
from schemas.consolidation import BureauState, Consolidation
from schemas.errors import AwayError, Message
from schemas.people import Visitor
from schemas.periods import Frequency, Period
from schemas.versions import FrozenVersion

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Signing = Annotated[Visitor, needs(Need.SIGN)]
Reason = Annotated[str, Form(max_length=2000)]
_KIND = "reopen"


@dataclass(frozen=True, slots=True)
class Square:
    """A bureau in a month: how it stands, and what else is to be said of it."""

    status: str
    late: bool = False
    restated: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A bureau's year; a month in which it owed nothing, or that was not consolidated, is None."""

    bureau: str
    name: Message
    squares: tuple[Square | None, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """One kind of thing between a year and its lock, with the periods or years that it is about and where each is dealt with."""

    text: Message
    periods: tuple[tuple[str, str], ...]


_WAYS = {
    "absent": (Message("尚未汇总", "not consolidated yet"), "/months/{}"),
    "unsigned": (Message("尚未签发", "not signed off yet"), "/months/{}/sign-off"),
    "waiting": (Message("有待重新判定的内容,请先重跑", "work waits to be judged again: rerun first"), "/months/{}"),
    "earlier": (Message("较早的年度尚未锁定", "earlier years are not locked"), "/calendar?year={}"),
    "later": (
        Message("其后的年度已锁定,请先重新打开", "a later year is locked: open it again first"),
        "/calendar?year={}",
    ),
}
_SAY_WHY = Message("须写明理由。", "Say why.")


def ways_of(found: Sequence[Hindrance]) -> list[Way]:
    """What stands in the way of a lock or its end, by kind, in the words of the pages."""
    kinds = dict.fromkeys(one.code for one in found)
    return [
        Way(_WAYS[kind][0], tuple((one.period, _WAYS[kind][1].format(one.period)) for one in found if one.code == kind))
        for kind in kinds
    ]


def _whole(year: int) -> Period:
    return Period(Frequency.YEARLY, year, 1)


def _versions(desk: Desk, periods: Sequence[Period]) -> dict[str, FrozenVersion]:
    return {one.period: one for one in desk.office.warehouse.frozen_versions(desk.family, periods)}


def lines_of(
    periods: Sequence[Period], known: dict[str, Consolidation], show: str, text: str, skip: int, most: int
) -> tuple[list[Line], int]:
    """Lines of a page, a bureau each, in the order in which they are listed, and how many there are in all; those that need a
    look alone, or whose name or code has `text` in it, where that is asked for. Only what is shown is put together."""
    states: dict[str, dict[str, BureauState]] = {}
    for period in periods:
        for state in known[period.code].bureaus if period.code in known else ():
            states.setdefault(state.bureau, {})[period.code] = state
    chosen = list(states)
    if text:
        wanted = text.casefold()
        last = {bureau: next(reversed(own.values())) for bureau, own in states.items()}
        chosen = [one for one in chosen if wanted in f"{one} {last[one].name_zh} {last[one].name_en}".casefold()]
    if show == "open":
        chosen = [one for one in chosen if any(map(needs_a_look, states[one].values()))]
    restated = {(one.bureau, one.period) for version in known.values() for one in version.restatements}
    lines = []
    for bureau in chosen[skip : skip + most]:
        own = states[bureau]
        named = next(reversed(own.values()))
        squares = tuple(
            Square(status_of(own[code]), own[code].late, (bureau, code) in restated) if code in own else None
            for code in (period.code for period in periods)
        )
        lines.append(Line(bureau, Message(named.name_zh, named.name_en), squares))
    return lines, len(chosen)


@router.get("/calendar")
def calendar(
    request: Request, desk: TheDesk, who: Annotated[Visitor, needs(Need.SEE)],
    year: int | None = None, show: str = "all", q: str = "", at: int = 1,
) -> Response:  # fmt: skip
    """A year of bureaus by months."""
    own = desk.office.forms.frequency_of(desk.family)
    stored = [one for one in desk.office.warehouse.consolidated_periods(desk.family) if one.frequency is own]
    chosen = year or (stored[-1].year if stored else desk.office.clock().year)
    return _page(request, desk, who, min(max(chosen, 1900), 2099), show, q, at)


def _page(
    request: Request, desk: Desk, who: Visitor, year: int, show: str = "all", q: str = "", at: int = 1,
    ways: Sequence[Way] = (), typed: str = "", message: Message | None = None, status: int = 200,
) -> Response:  # fmt: skip
    whole = _whole(year)
    own = desk.office.forms.frequency_of(desk.family)
    periods = whole.parts(own) if own is not Frequency.YEARLY else (whole,)
    versions = _versions(desk, (*periods, whole))
    known = {code: desk.versions.of(one) for code, one in versions.items() if code != whole.code or len(periods) == 1}
    at = max(1, at)
    lines, number = lines_of(periods, known, show, q.strip(), (at - 1) * A_SCREENFUL, A_SCREENFUL)
    pages = max(1, -(-number // A_SCREENFUL))
    return page(
        request, who, "calendar.html", status, year=year, whole=whole, periods=periods, versions=versions,
        lines=lines, number=number, pages=pages, at=at, show=show, q=q,
        lock=desk.office.warehouse.last_lock(desk.family, year), ways=ways, typed=typed, message=message, locked=LOCK,
        proposal=desk.office.warehouse.open_proposal(_KIND, desk.family, whole),
    )  # fmt: skip


@router.post("/years/{year}/lock")
def lock(request: Request, desk: TheDesk, who: Signing, year: YearPart, reason: Reason = "") -> Response:
    """Close a year whose every period is final."""
    office = desk.office_of(who.person)
    if len(reason.strip()) < 2:
        return _page(request, desk, who, year, message=_SAY_WHY, typed=reason, status=422)
    result = signing.lock_year(office, desk.family, year, who.person.signature, reason)
    if result.hindrances:
        return _page(request, desk, who, year, ways=ways_of(result.hindrances), typed=reason, status=422)
    return done(request, f"/calendar?year={year}", Message(f"{year} 年已锁定。", f"{year} is locked."))


@router.post("/years/{year}/reopen")
def propose_reopening(request: Request, desk: TheDesk, who: Signing, year: YearPart, reason: Reason = "") -> Response:
    """The first of two words for opening a locked year again."""
    last = desk.office.warehouse.last_lock(desk.family, year)
    if last is None or last.action != LOCK:
        told = Message(f"{year} 年没有锁定。", f"{year} is not locked.")
        return _page(request, desk, who, year, message=told, status=409)
    if len(reason.strip()) < 2:
        return _page(request, desk, who, year, message=_SAY_WHY, typed=reason, status=422)

    def stands(office: Office) -> bool:
        return office.warehouse.last_lock(desk.family, year) == last

    details = {"reason": reason, "locked": last.at.isoformat()}
    try:
        hindered = give_first_word(desk, who.person, _KIND, _whole(year), "", details, stands)
    except AwayError as error:
        hindered = error.message
    if hindered is not None:
        return _page(request, desk, who, year, message=hindered, typed=reason, status=409)
    told = Message("已记下您的意见,等待第二人。", "Your word is noted; a second person's is waited for.")
    return done(request, f"/calendar?year={year}", told)


@router.post("/years/{year}/reopen/second")
def reopen(
    request: Request, desk: TheDesk, who: Signing, year: YearPart,
    number: Annotated[int, Form()] = 0, answer: Annotated[str, Form(max_length=16)] = "",
) -> Response:  # fmt: skip
    """The second word, or taking the first one back."""
    office = desk.office_of(who.person)
    waits = office.warehouse.open_proposal(_KIND, desk.family, _whole(year))
    if waits is None or waits.number != number:
        told = Message("没有等待第二人的意见,或已有结果。", "Nothing waits for a second person, or it has ended.")
        return _page(request, desk, who, year, message=told, status=409)
    if answer != "reopen":
        office.warehouse.end_proposal(who.person, number, "withdrawn")
        own = waits.details["login"] == who.person.login
        told = Message("已撤回。", "Taken back.") if own else Message("已退回提请。", "It is not agreed to.")
        return done(request, f"/calendar?year={year}", told)
    if waits.details["login"] == who.person.login:
        raise Refused(Message("第二人须是另一个人。", "The second person has to be somebody else."))
    if not may_still(desk, waits.details["login"], Need.SIGN):
        office.warehouse.end_proposal(who.person, number, "withdrawn")
        return _page(request, desk, who, year, message=FIRST_MAY_NOT, status=409)
    last = office.warehouse.last_lock(desk.family, year)
    if last is None or last.action != LOCK or last.at.isoformat() != waits.details.get("locked"):
        office.warehouse.end_proposal(who.person, number, "withdrawn")
        return _page(request, desk, who, year, message=CHANGED, status=409)
    reason = waits.details["reason"]
    result = signing.reopen_year(office, desk.family, year, waits.by, who.person.signature, reason)
    if result.hindrances:
        return _page(request, desk, who, year, ways=ways_of(result.hindrances), status=422)
    office.warehouse.end_proposal(who.person, number, "done")
    told = Message(f"{year} 年已重新打开。", f"{year} is open again.")
    told = desk.publish(who.person, result.followed.consolidations if result.followed else (), told)
    return done(request, f"/calendar?year={year}", told)

"""Deciding a case: letting it stand, sending the return back, giving it to somebody, saying something; and taking that back.

Each form carries what its page showed. Where that has changed since, nothing is done and the case is shown as it is now. Not here:
what a decision does (`decisions`, `returned`).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl import decisions, returned
from disclosure_etl.decisions import Word
from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.cases import Case, case_of, case_page, neighbours
from disclosure_etl.desk.months import read_period
from disclosure_etl.desk.shown import done
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.reports.publishing import publish
from schemas.errors import Message, UserError
from schemas.people import Visitor
from schemas.periods import Period
from schemas.records import Severity
from schemas.returns import ReturnAction

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Deciding = Annotated[Visitor, needs(Need.DECIDE)]
Seen = Annotated[str, Form(max_length=16)]
Text = Annotated[str, Form(max_length=4000)]


def _changed(desk: Desk, one: Case) -> Message:
    """What has happened to a case since somebody looked."""
    if one.waiver is not None:
        at = one.waiver.at.astimezone(desk.office.clock().tzinfo)
        return Message(
            f"{one.waiver.by} 已于 {at:%Y-%m-%d %H:%M} 豁免:{one.waiver.reason}。您的决定没有记录。",
            f"{one.waiver.by} let it stand on {at:%Y-%m-%d %H:%M}: {one.waiver.reason}. Your decision was not recorded.",
        )
    if one.returned is not None and one.sent.status == "returned":
        return Message(
            f"{one.returned.by} 已退回这份报表:{one.returned.reason}。您的决定没有记录。",
            f"{one.returned.by} has sent this return back: {one.returned.reason}. Your decision was not recorded.",
        )
    return Message(
        "您打开页面后,这一条有了变化。请看过现状再决定;刚才的决定没有记录。",
        "This case has changed since you opened it. Look at it as it is now; your decision was not recorded.",
    )


def _now(desk: Desk, period: Period, failure: str, seen: str) -> tuple[Case, bool]:
    """The case as it stands, and whether that is what the page showed."""
    one = case_of(desk, period, failure)
    return one, one.seen == seen


@router.post("/months/{code}/cases/{failure}/waive")
def waive(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str,
    seen: Seen = "", reason: Text = "", until: Annotated[str, Form(max_length=16)] = "",
) -> Response:  # fmt: skip
    """Let a failure stand, as long as the same figures are seen."""
    period = read_period(code)
    with desk.deciding:
        one, same = _now(desk, period, failure, seen)
        if not same:
            return case_page(request, desk, who, period, one, _changed(desk, one), 409)
        _, after = neighbours(desk, period, failure)
        try:
            last = Period.parse(until) if until.strip() else period
            office = desk.office_of(who.person)
            word = Word(who.person.signature, reason)
            followed = decisions.waive_many(office, desk.family, one.to_waive, (period, last), word)
        except UserError as error:
            return case_page(request, desk, who, period, one, error.message, 422)
    publish(office, followed.consolidations)
    told = Message("已接受,同因的一并接受。", "It may stand, and what has the same cause with it.")
    return done(request, f"/months/{period}/cases" + (f"/{after}" if after else ""), told)


@router.post("/months/{code}/cases/{failure}/unwaive")
def unwaive(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", reason: Text = ""
) -> Response:
    """Withdraw the waiver of a failure."""
    period = read_period(code)
    with desk.deciding:
        one, same = _now(desk, period, failure, seen)
        if not same or one.waiver is None:
            return case_page(request, desk, who, period, one, _changed(desk, one), 409)
        try:
            office = desk.office_of(who.person)
            followed = decisions.withdraw_many(office, desk.family, one.waivers, Word(who.person.signature, reason))
        except UserError as error:
            return case_page(request, desk, who, period, one, error.message, 422)
    publish(office, followed.consolidations)
    return done(request, f"/months/{period}/cases/{failure}", Message("豁免已撤销。", "The waiver is withdrawn."))


@router.post("/months/{code}/cases/{failure}/return")
def send_back(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", reason: Text = ""
) -> Response:
    """Send the return back to be corrected."""
    period = read_period(code)
    with desk.deciding:
        one, same = _now(desk, period, failure, seen)
        if not same:
            return case_page(request, desk, who, period, one, _changed(desk, one), 409)
        stored = [each for each in desk.office.warehouse.returns(desk.family, period) if each.key == one.sent.key]
        try:
            office = desk.office_of(who.person)
            result = returned.decide(office, ReturnAction.RETURN, stored[0], Word(who.person.signature, reason))
        except UserError as error:
            return case_page(request, desk, who, period, one, error.message, 422)
    publish(office, result.followed.consolidations)
    told = Message("已退回,退回通知可以下载。", "It is sent back; the notice can be downloaded.")
    return done(request, f"/months/{period}/returns/{one.sent.digest}/notice", told)


@router.post("/months/{code}/cases/{failure}/unreturn")
def take_back(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", reason: Text = ""
) -> Response:
    """Take the sending back of a return back."""
    period = read_period(code)
    with desk.deciding:
        one, same = _now(desk, period, failure, seen)
        if not same or one.returned is None:
            return case_page(request, desk, who, period, one, _changed(desk, one), 409)
        try:
            office = desk.office_of(who.person)
            result = returned.undo(office, desk.family, one.returned.number, Word(who.person.signature, reason))
        except UserError as error:
            return case_page(request, desk, who, period, one, error.message, 422)
    publish(office, result.followed.consolidations)
    return done(request, f"/months/{period}/cases/{failure}", Message("退回已撤销。", "The return stands again."))


@router.post("/months/{code}/cases/{failure}/assign")
def assign(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "",
    to: Annotated[str, Form(max_length=16)] = "",
) -> Response:  # fmt: skip
    """Give a case to somebody, or to nobody."""
    period = read_period(code)
    with desk.deciding:
        one, same = _now(desk, period, failure, seen)
        if not same:
            return case_page(request, desk, who, period, one, _changed(desk, one), 409)
        key = int(to) if to.isdigit() else None
        if key is not None and key not in {person.key for person in desk.office.warehouse.people() if person.active}:
            raise HTTPException(422)
        desk.office_of(who.person).warehouse.assign(who.person, desk.family, period, failure, key)
    return done(request, f"/months/{period}/cases/{failure}", Message("已分派。", "Given."))


@router.post("/months/{code}/cases/{failure}/comment")
def comment(request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, text: Text = "") -> Response:
    """Say something of a case. Said again at once by the same person it is said once."""
    period = read_period(code)
    one = case_of(desk, period, failure)
    if not text.strip():
        told = Message("留言是空的。", "The comment is empty.")
        return case_page(request, desk, who, period, one, told, 422)
    warehouse = desk.office_of(who.person).warehouse
    with desk.deciding:
        before = warehouse.comments(desk.family, period, failure)
        if not before or (before[-1].by, before[-1].text) != (who.person.signature, text.strip()):
            warehouse.comment(who.person, desk.family, period, failure, text.strip())
    return done(request, f"/months/{period}/cases/{failure}#comments", Message("已留言。", "Said."))


@router.post("/months/{code}/acknowledge")
def acknowledge(
    request: Request, desk: TheDesk, who: Deciding, code: str,
    id: Annotated[list[str] | None, Form()] = None, reason: Text = "",
) -> Response:  # fmt: skip
    """Let many warnings stand for one reason. Those that were decided meanwhile are left as they are."""
    period = read_period(code)
    where = f"/months/{period}/cases?severity=warning&state=open"
    chosen = set(id or ())
    if not chosen:
        return done(request, where, Message("没有选中任何警告。", "No warning was chosen."))
    with desk.deciding:
        office = desk.office_of(who.person)
        found = {
            one.failure.id: one
            for one in desk.office.warehouse.failures_named(desk.family, period, sorted(chosen))
            if one.failure.id in chosen and one.failure.waiver is None and one.failure.severity is Severity.WARNING
        }
        followed = decisions.waive_many(
            office, desk.family, list(found.values()), (period, period), Word(who.person.signature, reason)
        )
    publish(office, followed.consolidations)
    left = len(chosen) - len(found)
    told = Message(
        f"已确认 {len(found)} 条警告" + (f";{left} 条此前已有决定或已不存在。" if left else "。"),
        f"{len(found)} warnings acknowledged" + (f"; {left} had been decided or were gone." if left else "."),
    )
    return done(request, where, told)

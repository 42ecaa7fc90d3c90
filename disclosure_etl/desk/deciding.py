"""Deciding a case: letting it stand, sending the return back, giving it to somebody, saying something; and taking that back.

Each form carries what its page showed. It is looked at again while nobody else can decide or judge, in any process (of giving it
to somebody, in this one); where it has changed since, nothing is done and the case is shown as it is now. Not here: what a decision does (`decisions`, `returned`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from disclosure_etl import decisions, returned
from disclosure_etl.decisions import Word
from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.cases import (
    Case,
    Decision,
    TheFilters,
    Typed,
    case_page,
    colleagues,
    find_case,
    list_page,
    next_open,
    shown_of,
)
from disclosure_etl.desk.months import read_period
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import PATIENCE_SECONDS, Desk, desk_of
from disclosure_etl.desk.words import EVENTS
from disclosure_etl.judgement import Followed
from disclosure_etl.office import Office
from disclosure_etl.warehouse import StoredFailure
from disclosure_etl.warehouse.case_history import Step
from schemas.errors import AwayError, Message, UserError
from schemas.people import Visitor
from schemas.periods import Period
from schemas.records import Severity
from schemas.returns import ReturnAction
from schemas.states import State

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Deciding = Annotated[Visitor, needs(Need.DECIDE)]
Seen = Annotated[str, Form(max_length=64)]
Text = Annotated[str, Form(max_length=4000)]
Short = Annotated[str, Form(max_length=16)]

_TOLD = 5  # changes that one message tells


def _moment(desk: Desk, step: Step) -> str:
    return f"{step.at.astimezone(desk.office.clock().tzinfo):%Y-%m-%d %H:%M}"


def _changed(desk: Desk, one: Case, seen: str) -> Message:
    """What has happened to a case since somebody looked."""
    told_zh, told_en = [], []
    for step in one.steps_since(seen)[-_TOLD:]:
        word, at, told = EVENTS[step.kind], _moment(desk, step), step.reason or step.detail
        told_zh.append(f"{step.by} 已于 {at} {word.zh}" + (f":{told}" if told else ""))
        told_en.append(f"{step.by}, {at}: {word.en}" + (f" ({told})" if told else ""))
    if told_zh:
        return Message(
            f"{';'.join(told_zh)}。您的决定没有记录。", f"{'; '.join(told_en)}. Your decision was not recorded."
        )
    return Message(
        "您打开页面后,这一条有了变化。请看过现状再决定;刚才的决定没有记录。",
        "This case has changed since you opened it. Look at it as it is now; your decision was not recorded.",
    )


def _gone(request: Request, who: Visitor, period: Period, typed: str) -> Response:
    """The page for somebody who decides of a case that is no more; what they wrote is theirs to copy."""
    told = Message(
        "您打开页面后,这份报表已更正或重跑,这一条已不再提出,或已有了变化。刚才的内容没有记录。",
        "The return was corrected or judged again since you opened the page, and this case is no more, or has changed. What you "
        "sent was not recorded.",
    )
    return page(
        request, who, "case_gone.html", 409, period=period, message=told, typed=typed, back=f"/months/{period}/cases"
    )


def _not_now(one: Case, decision: Decision) -> Message:
    """Why a decision cannot be made of a case as it stands."""
    if "unwaive" in one.possible:
        return Message(
            "这一条已经接受;要另作决定,请先撤销接受。刚才的决定没有记录。",
            "This case was accepted: to decide otherwise, take that back first. Your decision was not recorded.",
        )
    if "unreturn" in one.possible:
        return Message(
            "这份报表已退回,等待更正;要另作决定,请先撤销退回。刚才的决定没有记录。",
            "The return was sent back to be corrected: to decide otherwise, take that back first. Your decision was not recorded.",
        )
    if decision == "waive":
        return Message(
            "这一条不能照原样接受:须由单位更正或补报。",
            "This cannot be accepted as it is: the bureau has to correct or send its return.",
        )
    return Message("这一条没有可撤销的决定。", "Nothing was decided of this case that could be taken back.")


def _decided(
    request: Request,
    desk: Desk,
    who: Visitor,
    period: Period,
    failure: str,
    seen: str,
    typed: Typed,
    decision: Decision,
    act: Callable[[Office, Case], Followed | None],
) -> Response | Followed:
    """Do what `act` does, if the case is as the page showed it: what followed, or the page of the case as it is now, with what
    hindered it. `act` gives None where that was done before."""
    own = desk.office_of(who.person)
    one = find_case(desk, period, failure)
    if one is None:
        return _gone(request, who, period, typed.reason)
    try:
        with own.alone(f"desk {period}", PATIENCE_SECONDS) as office:
            now = find_case(desk, period, failure)
            if now is None:
                return _gone(request, who, period, typed.reason)
            one = now
            if one.seen == seen and decision not in one.possible:
                return case_page(request, desk, who, period, one, _not_now(one, decision), 409, typed)
            followed = act(office, one) if one.seen == seen else None
    except UserError as error:
        return case_page(request, desk, who, period, one, error.message, 422, typed)
    if followed is None:
        return case_page(request, desk, who, period, one, _changed(desk, one, seen), 409, typed)
    return followed


def _on(request: Request, desk: Desk, period: Period, failure: str, before: list[str], told: Message) -> Response:
    """On to the next open case; to the list where there is none. What was done is told with the bureau's name, since another case
    is shown with it."""
    warehouse = desk.office.warehouse
    after = next_open(before, failure, warehouse.open_cases(desk.family, period))
    sent = warehouse.sent_with(desk.family, period, failure)
    named = next((one for one in desk.office.bureaus.bureaus if sent and one.code == sent.bureau), None)
    if named is not None:
        told = Message(f"{named.name_zh}:{told.zh}", f"{named.name_en}: {told.en}")
    if after is None:
        told = Message(f"{told.zh}本月没有待定的条目了。", f"{told.en} Nothing is left to decide in this month.")
    where = f"/months/{period}/cases"
    return done(request, where + (f"/{after}" if after else ""), told, f"{where}/{failure}")


@router.post("/months/{code}/cases/{failure}/waive")
def waive(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", reason: Text = "",
    until: Short = "",
) -> Response:  # fmt: skip
    """Let a failure stand, as long as the same figures are seen, and what has its cause with it."""
    period = read_period(code)
    before = desk.office.warehouse.open_cases(desk.family, period)
    many = False

    def act(office: Office, one: Case) -> Followed | None:
        nonlocal many
        many = len(one.to_waive) > 1
        last = Period.parse(until) if until.strip() else period
        word = Word(who.person.signature, reason.strip())
        return decisions.waive_many(office, desk.family, one.to_waive, (period, last), word)

    decided = _decided(request, desk, who, period, failure, seen, Typed(reason, until), "waive", act)
    if isinstance(decided, Response):
        return decided
    told = (
        Message("已接受,同因的一并接受。", "it may stand, and what has the same cause with it.")
        if many
        else Message("已接受。", "it may stand.")
    )
    told = desk.publish(who.person, decided.consolidations, told)
    return _on(request, desk, period, failure, before, told)


@router.post("/months/{code}/cases/{failure}/unwaive")
def unwaive(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", reason: Text = ""
) -> Response:
    """Withdraw the waiver of a failure."""
    period = read_period(code)

    def act(office: Office, one: Case) -> Followed | None:
        word = Word(who.person.signature, reason.strip())
        return decisions.withdraw_many(office, desk.family, one.waivers, word)

    decided = _decided(request, desk, who, period, failure, seen, Typed(reason), "unwaive", act)
    if isinstance(decided, Response):
        return decided
    told = Message("接受已撤销。", "Accepting it was taken back.")
    told = desk.publish(who.person, decided.consolidations, told)
    return done(request, f"/months/{period}/cases/{failure}", told)


@router.post("/months/{code}/cases/{failure}/return")
def send_back(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", reason: Text = ""
) -> Response:
    """Send the return back to be corrected."""
    period = read_period(code)
    before = desk.office.warehouse.open_cases(desk.family, period)

    def act(office: Office, one: Case) -> Followed | None:
        found = office.warehouse.returns(desk.family, period, one.sent.bureau)
        stored = next(each for each in found if each.key == one.sent.key)
        word = Word(who.person.signature, reason.strip())
        result = returned.decide(office, ReturnAction.RETURN, stored, word)
        return result.followed if result.is_new else None

    decided = _decided(request, desk, who, period, failure, seen, Typed(reason), "return", act)
    if isinstance(decided, Response):
        return decided
    told = Message(
        "已退回。单位登录后可见退回通知和带批注的工作簿;也可从该条的页面下载后发出。",
        "it is sent back. The bureau finds the notice, and its workbook with comments, when it signs in; they can be downloaded "
        "from the page of the case as well.",
    )
    told = desk.publish(who.person, decided.consolidations, told)
    return _on(request, desk, period, failure, before, told)


@router.post("/months/{code}/cases/{failure}/unreturn")
def take_back(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", reason: Text = ""
) -> Response:
    """Take the sending back of a return back."""
    period = read_period(code)

    def act(office: Office, one: Case) -> Followed | None:
        assert one.returned is not None
        word = Word(who.person.signature, reason.strip())
        return returned.undo(office, desk.family, one.returned.number, word).followed

    decided = _decided(request, desk, who, period, failure, seen, Typed(reason), "unreturn", act)
    if isinstance(decided, Response):
        return decided
    told = Message("退回已撤销。", "The return stands again.")
    told = desk.publish(who.person, decided.consolidations, told)
    return done(request, f"/months/{period}/cases/{failure}", told)


@router.post("/months/{code}/cases/{failure}/assign")
def assign(
    request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, seen: Seen = "", to: Short = ""
) -> Response:
    """Give a case to somebody, or to nobody. It changes no figure, so no run is waited for."""
    period = read_period(code)
    key = next((each for each in colleagues(desk) if str(each) == to), None)
    with desk.deciding:
        one = find_case(desk, period, failure)
        if one is None:
            return _gone(request, who, period, "")
        if one.seen != seen:
            return case_page(request, desk, who, period, one, _changed(desk, one, seen), 409)
        if to and key is None:
            told = Message("不能分派给这个人。", "A case cannot be given to that person.")
            return case_page(request, desk, who, period, one, told, 422)
        desk.office_of(who.person).warehouse.assign(who.person, desk.family, period, failure, key)
    return done(request, f"/months/{period}/cases/{failure}", Message("已分派。", "Given."))


@router.post("/months/{code}/cases/{failure}/comment")
def comment(request: Request, desk: TheDesk, who: Deciding, code: str, failure: str, text: Text = "") -> Response:
    """Say something of a case. Said again at once by the same person it is said once."""
    period = read_period(code)
    one = find_case(desk, period, failure)
    if one is None:
        return _gone(request, who, period, text)
    if not text.strip():
        told = Message("留言是空的。", "The comment is empty.")
        return case_page(request, desk, who, period, one, told, 422)
    warehouse = desk.office_of(who.person).warehouse
    try:
        with desk.deciding:
            before = warehouse.comments(desk.family, period, failure)
            if not before or (before[-1].by, before[-1].text) != (who.person.signature, text.strip()):
                warehouse.comment(who.person, desk.family, period, failure, text.strip())
    except AwayError as error:
        return case_page(request, desk, who, period, one, error.message, 503, Typed(text=text))
    return done(request, f"/months/{period}/cases/{failure}#comments", Message("已留言。", "Said."))


# -- many at once


def _to_acknowledge(desk: Desk, period: Period, chosen: frozenset[str]) -> tuple[list[StoredFailure], set[str]]:
    """The warnings chosen, with the warnings that have their cause and nobody waived; and what the list would carry of them now."""
    found = desk.office.warehouse.failures_named(desk.family, period, sorted(chosen))
    back = _sent_back(desk, period)
    main = [
        one
        for one in found
        if one.failure.id in chosen and one.failure.severity is Severity.WARNING and (one.bureau, one.file) not in back
    ]
    known = {one.failure.id for one in main}
    beside = [
        one
        for one in found
        if one.failure.case in known and one.failure.severity is Severity.WARNING and one.failure.waiver is None
        and decisions.is_waivable(one)
    ]  # fmt: skip
    each = {(one.bureau, one.file, one.failure.id): one for one in (*main, *beside)}
    return list(each.values()), {shown_of(one) for one in main}


def _sent_back(desk: Desk, period: Period) -> set[tuple[str | None, str]]:
    """Bureau and file of the returns that wait to be corrected: they were decided, and what is wrong in them is not let stand besides."""
    found = desk.office.warehouse.returns(desk.family, period)
    return {(one.bureau, one.file) for one in found if one.state is State.RETURNED}


@router.post("/months/{code}/acknowledge")
def acknowledge(
    request: Request, desk: TheDesk, who: Deciding, code: str, filters: TheFilters,
    id: Annotated[list[str] | None, Form()] = None, shown: Annotated[list[str] | None, Form()] = None, reason: Text = "",
) -> Response:  # fmt: skip
    """Let many warnings stand for one reason: all that were chosen, or, where one has changed since the list was shown, none."""
    period = read_period(code)
    chosen = frozenset(id or ())
    typed = Typed(reason, chosen=chosen)

    def again(message: Message, status: int) -> Response:
        return list_page(request, desk, who, period, filters, message, status, typed)

    if not chosen:
        return again(Message("没有选中任何警告。", "No warning was chosen."), 422)
    expected = {one for one in shown or () if one.partition(":")[0] in chosen}
    own = desk.office_of(who.person)
    try:
        with own.alone(f"desk {period}", PATIENCE_SECONDS) as office:
            found, now = _to_acknowledge(desk, period, chosen)
            if len(expected) < len(chosen) or now != expected:
                return again(_changed_in_list(desk, period, chosen, expected), 409)
            word = Word(who.person.signature, reason.strip())
            followed = decisions.waive_many(office, desk.family, found, (period, period), word)
    except UserError as error:
        return again(error.message, 422)
    told = Message(f"已确认 {len(chosen)} 条警告。", f"{len(chosen)} warnings acknowledged.")
    told = desk.publish(who.person, followed.consolidations, told)
    where = urlencode({name: value for name, value in filters.turn.items() if value})
    return done(request, f"/months/{period}/cases" + (f"?{where}" if where else ""), told)


def _changed_in_list(desk: Desk, period: Period, chosen: frozenset[str], expected: set[str]) -> Message:
    """Which of the chosen warnings are not what the list showed, and by whom they were decided."""
    found = desk.office.warehouse.failures_named(desk.family, period, sorted(chosen))
    waivers = {one.number: one for one in desk.office.warehouse.waivers(desk.family)}
    back = _sent_back(desk, period)
    other = [
        one
        for one in found
        if one.failure.id in chosen and (shown_of(one) not in expected or (one.bureau, one.file) in back)
    ]
    gone = chosen - {one.failure.id for one in found}
    by = dict.fromkeys(
        f"{waiver.by} {waiver.at.astimezone(desk.office.clock().tzinfo):%Y-%m-%d %H:%M}"
        for one in other
        if (waiver := waivers.get(one.failure.waiver or 0)) is not None
    )
    zh = f"(已由 {'、'.join(by)} 决定)" if by else ""
    en = f" (decided by {', '.join(by)})" if by else ""
    return Message(
        f"所选警告中有 {len(other) + len(gone)} 条在您打开列表后有了变化{zh};一条也没有确认。请看过现状再选。",
        f"{len(other) + len(gone)} of the chosen warnings have changed since the list was shown{en}; none was acknowledged. "
        "Look at the list as it is now, and choose again.",
    )

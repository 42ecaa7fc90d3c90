"""Signing a month off: what stands in the way and where to go for it, one person's word or two people's, and the receipt.

Not here: what a sign-off does (`disclosure_etl.signing`), locking years (`years`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl import signing
from disclosure_etl.desk.access import FIRST_MAY_NOT, Need, Refused, may_still, needs
from disclosure_etl.desk.first_word import give_first_word
from disclosure_etl.desk.months import SIGN_OFF, form_of_version, read_period
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.desk.totals import totals_of
from disclosure_etl.hindrances import Hindrance
from disclosure_etl.office import Office
from disclosure_etl.reports.publishing import table_of
from disclosure_etl.warehouse import StoredFailure
from disclosure_etl.warehouse.casework import Proposal
from schemas.consolidation import Consolidation
from schemas.errors import AwayError, Message
from schemas.people import Visitor
from schemas.periods import Period
from schemas.versions import FrozenVersion

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Signing = Annotated[Visitor, needs(Need.SIGN)]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class InTheWay:
    """One kind of thing between a month and its sign-off: what it is, how often, and where it is dealt with."""

    code: str
    text: Message
    count: int
    where: str
    bureaus: tuple[str, ...]


_WAYS = {
    "waiting": Message("有待重新判定的内容,请先重跑", "work waits to be judged again: rerun first"),
    "unsigned": Message("本年较早的月份尚未签发", "earlier months of the year are not signed off"),
    "absent": Message("本年较早的月份尚未汇总", "earlier months of the year were not consolidated"),
    "held": Message("有暂存的报表", "returns are held"),
    "partly_held": Message("有部分暂存的报表", "returns are partly held"),
    "failed": Message("有因程序故障未处理的报表", "returns that a program fault stopped"),
    "returned": Message("有已退回、尚未更正的报表", "returns were sent back and not corrected yet"),
    "stale": Message("有已认定而现在不再相符的报表", "accepted returns no longer follow"),
    "error": Message("有待定的错误", "errors that nobody decided"),
    "missing": Message("有未报单位未点名", "missing bureaus were not named"),
    "not_missing": Message("点名的单位已经报来", "a bureau that was named has sent its return"),
    "changed": Message("页面打开后已有新的版本", "there is a newer version than the page showed"),
    "unacknowledged": Message("有未确认的警告或未采用的文件", "warnings or files not taken that nobody acknowledged"),
}
_CASES = {
    "held": "severity=error&state=open", "partly_held": "severity=error&state=open", "error": "severity=error&state=open",
    "stale": "state=open", "unacknowledged": "severity=warning&state=open", "returned": "state=returned",
}  # fmt: skip


def in_the_way(period: Period, found: Sequence[Hindrance]) -> list[InTheWay]:
    """Hindrances by kind, each with the page on which it is dealt with."""
    counts = Counter(one.code for one in found)
    listed = []
    for code, count in counts.items():
        own = [one for one in found if one.code == code]
        where = f"/months/{period}/cases?{_CASES[code]}" if code in _CASES else f"/months/{period}"
        text = _WAYS.get(code, own[0].message)
        listed.append(InTheWay(code, text, count, where, tuple(one.bureau for one in own if one.bureau)))
    return listed


def _newest(desk: Desk, period: Period) -> tuple[FrozenVersion, Consolidation]:
    found = desk.versions.newest(desk.family, period)
    if found is None:
        raise HTTPException(404)
    return found


@router.get("/months/{code}/sign-off")
def sign_off_page(request: Request, desk: TheDesk, who: Signing, code: str) -> Response:
    """What stands between a month and its sign-off, and the form for it."""
    return _form(request, desk, who, read_period(code))


def _form(
    request: Request, desk: Desk, who: Visitor, period: Period, message: Message | None = None, status: int = 200,
    typed: signing.Wish | None = None,
) -> Response:  # fmt: skip
    version, one = _newest(desk, period)
    asked = signing.Wish(who.person.signature, missing=frozenset(one.missing), acknowledge="—")
    blocking = (
        [] if version.signed else in_the_way(period, signing.hindrances_of(desk.office, desk.family, period, asked))
    )
    failures = desk.office.warehouse.failures(desk.family, period)
    warnings = _warned(failures, one)
    refused = [each for each in desk.office.warehouse.refused(desk.family, period) if each.status != "superseded"]
    blocking = [
        replace(each, count=warnings + len(refused)) if each.code == "unacknowledged" else each for each in blocking
    ]
    names = {state.bureau: Message(state.name_zh, state.name_en) for state in one.bureaus}
    return page(
        request, who, "sign_off.html", status, period=period, version=version, one=one, blocking=blocking, names=names,
        warnings=warnings, message=message, refused=refused, totals=totals_of(form_of_version(desk, one), one),
        two=desk.office.settings.two_persons_sign, typed=typed or signing.Wish(who.person.signature),
        proposal=desk.office.warehouse.open_proposal(SIGN_OFF, desk.family, period),
        can_leave_out=all(each.code in _LEAVES_OUT for each in blocking),
    )  # fmt: skip


def _warned(failures: Sequence[StoredFailure], one: Consolidation) -> int:
    """How many cases have warnings that nobody acknowledged: what has one cause is one."""
    open_ids = set(signing.warnings_of(failures, one))
    return len({each.failure.case or each.failure.id for each in failures if each.failure.id in open_ids})


_LEAVES_OUT = ("held", "partly_held", "failed", "returned", "error")  # what signing without held blocks passes over


@router.post("/months/{code}/sign-off")
def sign_off(
    request: Request,
    desk: TheDesk,
    who: Signing,
    code: str,
    content_hash: Annotated[str, Form(max_length=64)] = "",
    missing: Annotated[list[str] | None, Form()] = None,
    acknowledge: Annotated[str, Form(max_length=2000)] = "",
    note: Annotated[str, Form(max_length=2000)] = "",
    without_held: Annotated[bool, Form()] = False,
) -> Response:
    """Sign the version off that the page showed, or, where the office asks for two people, give the first word."""
    period = read_period(code)
    version, _one = _newest(desk, period)
    wish = signing.Wish(
        who.person.signature, None, note, frozenset(missing or ()), acknowledge, without_held, content_hash
    )
    if version.signed is None and version.content_hash != content_hash:
        return _form(request, desk, who, period, _CHANGED, 409, wish)
    office = desk.office_of(who.person)
    if desk.office.settings.two_persons_sign and version.signed is None:
        found = signing.hindrances_of(office, desk.family, period, wish)
        if found:
            return _form(request, desk, who, period, _still(found), 422, wish)
        details = {
            "missing": sorted(wish.missing), "acknowledge": acknowledge, "note": note, "without_held": without_held,
        }  # fmt: skip

        def stands(_: Office) -> bool:
            now, _one = _newest(desk, period)
            return now.signed is None and now.content_hash == content_hash

        try:
            hindered = give_first_word(desk, who.person, SIGN_OFF, period, content_hash, details, stands)
        except AwayError as error:
            hindered = error.message
        if hindered is not None:
            return _form(request, desk, who, period, hindered, 409, wish)
        told = Message("已记下您的签发意见,等待第二人。", "Your word is noted; a second person's is waited for.")
        return done(request, f"/months/{period}/sign-off", told)
    return _signed(request, desk, who, period, wish)


def _signed(request: Request, desk: Desk, who: Visitor, period: Period, wish: signing.Wish) -> Response:
    office = desk.office_of(who.person)
    result = signing.sign_off(office, desk.family, period, wish)
    if result.signed is None:
        return _form(request, desk, who, period, _still(result.hindrances), 422, wish)
    new = (result.version, *(result.followed.consolidations if result.followed else ()))
    told = desk.publish(who.person, new, Message(f"{period} 已签发。", f"{period} is signed off."))
    return done(request, f"/months/{period}/receipt", told)


_CHANGED = Message(
    "页面打开后数据有了新的版本,请核对后再签发。",
    "There is a newer version than the page showed: look at it, then sign.",
)


def _still(found: Sequence[Hindrance]) -> Message:
    texts = [_WAYS.get(one.code, one.message) for one in found]
    listed = list(dict.fromkeys(texts))
    return Message(
        "还不能签发:" + ";".join(one.zh for one in listed) + "。",
        "It cannot be signed off yet: " + "; ".join(one.en for one in listed) + ".",
    )


@router.post("/months/{code}/sign-off/second")
def second_word(
    request: Request,
    desk: TheDesk,
    who: Signing,
    code: str,
    number: Annotated[int, Form()] = 0,
    answer: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """The second person's word, or taking the first one's back."""
    period = read_period(code)
    version, _one = _newest(desk, period)
    office = desk.office_of(who.person)
    waits = office.warehouse.open_proposal(SIGN_OFF, desk.family, period)
    if waits is None or waits.number != number:
        told = Message("没有等待第二人的签发意见,或已有结果。", "Nothing waits for a second person, or it has ended.")
        return _form(request, desk, who, period, told, 409)
    if answer != "sign":
        office.warehouse.end_proposal(who.person, number, "withdrawn")
        own = waits.details["login"] == who.person.login
        told = Message("已撤回。", "Taken back.") if own else Message("已退回提请。", "It is not agreed to.")
        return done(request, f"/months/{period}/sign-off", told)
    if waits.details["login"] == who.person.login:
        raise Refused(Message("第二人须是另一个人。", "The second person has to be somebody else."))
    if not may_still(desk, waits.details["login"], Need.SIGN):
        office.warehouse.end_proposal(who.person, number, "withdrawn")
        return _form(request, desk, who, period, FIRST_MAY_NOT, 409)
    if waits.content_hash != version.content_hash:
        office.warehouse.end_proposal(who.person, number, "withdrawn")
        return _form(request, desk, who, period, _CHANGED, 409)
    response = _signed(request, desk, who, period, _wish_of(waits, who))
    if response.status_code == 303:
        office.warehouse.end_proposal(who.person, number, "done")
    return response


def _wish_of(waits: Proposal, who: Visitor) -> signing.Wish:
    told = waits.details
    return signing.Wish(
        waits.by, who.person.signature, told["note"], frozenset(told["missing"]), told["acknowledge"], told["without_held"],
        waits.content_hash,
    )  # fmt: skip


@router.get("/months/{code}/receipt")
def receipt(request: Request, desk: TheDesk, who: Annotated[Visitor, needs(Need.SEE)], code: str) -> Response:
    """Who answers for a month's figures, what exactly they are (the content hash), and the record's head."""
    period = read_period(code)
    version, one = _newest(desk, period)
    if version.signed is None:
        raise HTTPException(404)
    events = desk.office.warehouse.audit_events("sign", f"{desk.family} {period}")
    head = desk.office.warehouse.audit_head()
    return page(
        request, who, "receipt.html", period=period, version=version, one=one, head=head,
        event=events[-1] if events else None,
    )  # fmt: skip


@router.get("/months/{code}/table.xlsx")
def table(desk: TheDesk, _who: Annotated[Visitor, needs(Need.SEE)], code: str) -> Response:
    """The 汇总表 of the newest version."""
    from urllib.parse import quote

    version, one = _newest(desk, read_period(code))
    name = quote(f"汇总表-{version.period}-v{version.version}.xlsx")
    disposition = f"attachment; filename*=UTF-8''{name}"
    return Response(table_of(desk.office, one), media_type=_XLSX, headers={"Content-Disposition": disposition})

"""A bureau's own pages: what is due, its failures and notices, deltas to confirm, sending and checking, its figures. Never another's.

The bureau is the account's; no address names one. Not here: what the pages show (`own_view`), the stewards' pages.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from disclosure_etl import deltas
from disclosure_etl.blank_workbooks import blank_workbooks
from disclosure_etl.decisions import Word
from disclosure_etl.desk import own_view
from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.months import read_period
from disclosure_etl.desk.own_view import bureau_of
from disclosure_etl.desk.receiving import checked, fates_of, file_in, receive
from disclosure_etl.desk.returns_pages import XLSX, SentBack, attached, notice_file, sent_back, workbook_file
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.reports.contract import check_object, failure_object
from schemas.errors import Message, UserError
from schemas.people import Visitor
from schemas.states import State

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Own = Annotated[Visitor, needs(Need.OWN)]


def _front(
    request: Request, desk: Desk, who: Visitor, message: Message | None = None, status: int = 200, typed: str = ""
) -> Response:
    shown = own_view.front(desk, bureau_of(desk, who))
    return page(
        request, who, "own.html", status, shown=shown, deltas=own_view.named(desk, shown.deltas), message=message,
        seen=own_view.seen(shown.deltas), typed=typed,
    )  # fmt: skip


@router.get("/own")
def own(request: Request, desk: TheDesk, who: Own) -> Response:
    """What a bureau has to do, and how it stands."""
    return _front(request, desk, who)


@router.get("/own/months/{code}")
def own_month(request: Request, desk: TheDesk, who: Own, code: str) -> Response:
    """One month of a bureau: its failures, and its figures as they count."""
    period, bureau = read_period(code), bureau_of(desk, who)
    if period.frequency is not desk.office.forms.frequency_of(desk.family):
        raise HTTPException(404)
    warehouse = desk.office.warehouse
    waiting = [period.code] if own_view.waits(desk, bureau.code, period) else []
    month = own_view.month_of(desk, bureau.code, period, waiting)
    form = desk.office.forms.choose(desk.family, period)
    version = desk.versions.newest(desk.family, period)
    # Before a month was consolidated there are figures of it all the same: the cumulatives of the months before.
    stored = warehouse.bureau_figures(form, period, bureau=bureau.code) if version else []
    figures = {(one.indicator, one.column): one for one in stored if one.measure != "share"}
    found = own_view.failures_of(desk, bureau.code, period)
    columns = [code for code in form.columns if any(column == code for _, column in figures)]
    here = [one for one in warehouse.returns(desk.family, period, bureau.code) if one.state is State.RETURNED]
    return page(
        request, who, "own_month.html", period=period, month=month, form=form, figures=figures, columns=columns,
        blocks=own_view.blocks_of(desk, bureau.code, form, period),
        failures=[(failure_object(one), bool(one.waiver)) for one in found], sent_back=here,
        version=version, before=own_view.neighbour(desk, bureau.code, period, -1),
        after=own_view.neighbour(desk, bureau.code, period, 1),
    )  # fmt: skip


@router.get("/own/template/{code}")
def template(desk: TheDesk, who: Own, code: str) -> Response:
    """The blank workbook of a month, with last month's accepted closings as openings."""
    period, bureau = read_period(code), bureau_of(desk, who)
    ((name, data),) = blank_workbooks(desk.office, desk.family, period, [bureau.code])
    return attached(data, name, XLSX)


_NO_FILE = Message("请选择文件。", "Choose a file.")


@router.post("/own/check")
async def check(request: Request, desk: TheDesk, who: Own) -> Response:
    """Check a file before it is sent. Nothing of it is stored."""
    bureau = bureau_of(desk, who)
    sent = await file_in(request, desk.office.settings.read_limits.max_bytes)
    if sent is None:
        return await run_in_threadpool(_front, request, desk, who, _NO_FILE, 422)
    try:
        found = await run_in_threadpool(checked, desk.office, bureau.code, *sent)
    except UserError as error:
        return await run_in_threadpool(_front, request, desk, who, error.message, 422)
    return page(request, who, "own_checked.html", found=[check_object(one) for one in found], upload=None, fate=None)


@router.post("/own/send")
async def send(request: Request, desk: TheDesk, who: Own) -> Response:
    """Send a file: it is checked, kept, and taken by the next run."""
    bureau = bureau_of(desk, who)
    sent = await file_in(request, desk.office.settings.read_limits.max_bytes)
    if sent is None:
        return await run_in_threadpool(_front, request, desk, who, _NO_FILE, 422)
    office = desk.office_of(who.person)
    try:
        kept = await run_in_threadpool(receive, office, bureau.code, who.person.signature, *sent)
    except UserError as error:
        return await run_in_threadpool(_front, request, desk, who, error.message, 422)
    # On to a page of its own: whoever loads it again does not send the file again.
    told = Message(f"{kept.file} 已收到。", f"{kept.file} was received.")
    return done(request, f"/own/sent/{kept.key}", told)


@router.get("/own/sent/{key}")
def own_sent(request: Request, desk: TheDesk, who: Own, key: str) -> Response:
    """A file that was sent: what checking it came to, and what became of it."""
    one = desk.office.warehouse.upload(key)
    if one is None or one.bureau != bureau_of(desk, who).code:
        raise HTTPException(404)
    fate = fates_of(desk.office, [one])[one.key]
    return page(request, who, "own_checked.html", found=one.result["files"], upload=one, fate=fate)


@router.get("/own/check")
@router.get("/own/send")
def asked_again(_who: Own) -> Response:
    """Whoever asks again for the address of a result is led to where files are sent."""
    return RedirectResponse("/own", 303)


@router.post("/own/deltas")
def confirm(
    request: Request, desk: TheDesk, who: Own, reason: Annotated[str, Form(max_length=2000)] = "",
    seen: Annotated[str, Form(max_length=16)] = "",
) -> Response:  # fmt: skip
    """Confirm once that later figures follow a correction."""
    office, bureau = desk.office_of(who.person), bureau_of(desk, who).code
    if seen != own_view.seen(own_view.proposed(desk, bureau)):
        told = Message("待确认的数有了变化,请重新查看。", "What is to be confirmed has changed: look at it again.")
        return _front(request, desk, who, told, 409, reason)
    try:
        confirmed = deltas.confirm(office, desk.family, bureau, Word(who.person.signature, reason))
    except UserError as error:
        return _front(request, desk, who, error.message, 422, reason)
    left = (
        "".join(f" {code}:{why.zh}。" for code, why in confirmed.left),
        "".join(f" {code}: {why.en}." for code, why in confirmed.left),
    )
    told = Message(f"已确认,后续月份随之更正。{left[0]}", f"Confirmed; the later months follow.{left[1]}")
    return done(request, "/own", desk.publish(who.person, confirmed.followed.consolidations, told))


def _own_notice(desk: Desk, who: Visitor, code: str, digest: str) -> SentBack:
    told = sent_back(desk, read_period(code), digest)
    if told.one.bureau != bureau_of(desk, who).code:
        raise HTTPException(404)
    return told


@router.get("/own/returns/{code}/{digest}/notice")
def own_notice(request: Request, desk: TheDesk, who: Own, code: str, digest: str) -> Response:
    """The notice that a return was sent back."""
    told = _own_notice(desk, who, code, digest)
    return page(request, who, "notice.html", period=told.notice.period, told=told, base=f"/own/returns/{code}/{digest}")


@router.get("/own/returns/{code}/{digest}/notice.docx")
def own_notice_document(desk: TheDesk, who: Own, code: str, digest: str) -> Response:
    """The same as a document."""
    return notice_file(_own_notice(desk, who, code, digest))


@router.get("/own/returns/{code}/{digest}/workbook")
def own_workbook(desk: TheDesk, who: Own, code: str, digest: str) -> Response:
    """The workbook as it was sent, with comments in the very cells."""
    return workbook_file(desk, _own_notice(desk, who, code, digest))

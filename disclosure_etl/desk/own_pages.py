"""A bureau's own pages: what is due, its failures and notices, deltas to confirm, sending and checking, its figures. Never another's.

The bureau is the account's; no address names one. Not here: the stewards' pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from disclosure_etl import deltas
from disclosure_etl.blank_workbooks import blank_workbooks
from disclosure_etl.decisions import Word
from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.months import form_of_version, read_period, status_of
from disclosure_etl.desk.receiving import checked, read_upload, receive, refuse_of_others
from disclosure_etl.desk.returns_pages import XLSX, SentBack, attached, notice_file, sent_back, workbook_file
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.reports.publishing import publish
from schemas.consolidation import BureauState
from schemas.deltas import Delta
from schemas.errors import Message, UserError
from schemas.people import Visitor
from schemas.periods import Period
from schemas.returns import ReturnAction, ReturnDecision

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Own = Annotated[Visitor, needs(Need.OWN)]
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class OwnMonth:
    """A month as a bureau sees it: the day by which its return is due, and how it stands (None where nothing was consolidated)."""

    period: Period
    due: date | None
    state: BureauState | None

    @property
    def status(self) -> str:
        """The one word for it."""
        return status_of(self.state) if self.state is not None else "none"


def bureau_of(who: Visitor) -> str:
    """The bureau of somebody's account."""
    if who.person.bureau is None:
        raise HTTPException(403)
    return who.person.bureau


def _months(desk: Desk, bureau: str) -> list[OwnMonth]:
    """The last months that a bureau owed, the newest first."""
    office = desk.office
    today = office.clock().date()
    last = Period.of_day(today, office.forms.frequency_of(desk.family))
    found = []
    for step in range(_MONTHS + 1):
        period = last.shifted(-step)
        if not any(one.code == bureau for one in office.owing(desk.family, period)):
            continue
        version = desk.versions.newest(desk.family, period)
        states = version[1].bureaus if version else ()
        state = next((one for one in states if one.bureau == bureau), None)
        found.append(OwnMonth(period, office.due(period).day, state))
    return found


def _sent_back(desk: Desk, bureau: str) -> list[tuple[ReturnDecision, str]]:
    """What was sent back to a bureau and not corrected yet, with the file."""
    warehouse = desk.office.warehouse
    found = []
    for one in warehouse.return_decisions(desk.family):
        if one.action is ReturnAction.RETURN:
            for sent in warehouse.returns(desk.family, Period.parse(one.period), bureau):
                if sent.key == one.submission and sent.state.value == "returned":
                    found.append((one, sent.file))
    return found


def _deltas(desk: Desk, bureau: str) -> Sequence[Delta]:
    return [one for one in deltas.propose(desk.office, desk.family) if one.bureau == bureau]


def _seen(proposed: Sequence[Delta]) -> str:
    """What the form carries, so that nobody confirms other figures than those that they saw."""
    return hashlib.sha256(repr(proposed).encode()).hexdigest()[:16]


def _front(request: Request, desk: Desk, who: Visitor, message: Message | None = None, status: int = 200) -> Response:
    bureau = bureau_of(who)
    months = _months(desk, bureau)
    known = {one.code: Message(one.name_zh, one.name_en) for one in desk.office.bureaus.bureaus}
    labels = {
        code: Message(item.label.zh, item.label.en)
        for form in desk.office.forms.forms
        if form.family == desk.family
        for code, item in form.indicators.items()
    }
    proposed = _deltas(desk, bureau)
    return page(
        request, who, "own.html", status, months=months, name=known[bureau], back_to_us=_sent_back(desk, bureau),
        deltas=proposed, seen=_seen(proposed), uploads=desk.office.warehouse.uploads(bureau, 20), labels=labels,
        today=desk.office.clock().date(), message=message,
    )  # fmt: skip


@router.get("/own")
def own(request: Request, desk: TheDesk, who: Own) -> Response:
    """What a bureau has to do, and how it stands."""
    return _front(request, desk, who)


@router.get("/own/months/{code}")
def own_month(request: Request, desk: TheDesk, who: Own, code: str) -> Response:
    """One month of a bureau: its failures, and its figures as they count."""
    period, bureau = read_period(code), bureau_of(who)
    version = desk.versions.newest(desk.family, period)
    if version is None:
        raise HTTPException(404)
    form = form_of_version(desk, version[1])
    state = next((one for one in version[1].bureaus if one.bureau == bureau), None)
    figures = {
        (one.indicator, one.column): one
        for one in desk.office.warehouse.bureau_figures(form, period)
        if one.bureau == bureau and one.measure != "share"
    }
    found = desk.office.warehouse.failures(desk.family, period, bureau)
    columns = [code for code in form.columns if any(column == code for _, column in figures)]
    here = [
        each for each in desk.office.warehouse.returns(desk.family, period, bureau) if each.state.value == "returned"
    ]
    return page(
        request, who, "own_month.html", period=period, state=state, form=form, figures=figures, columns=columns,
        failures=[one.failure for one in found], sent_back=here, standing=status_of(state) if state else "none",
    )  # fmt: skip


@router.get("/own/template/{code}")
def template(desk: TheDesk, who: Own, code: str) -> Response:
    """The blank workbook of a month, with last month's accepted closings as openings."""
    period, bureau = read_period(code), bureau_of(who)
    ((name, data),) = blank_workbooks(desk.office, desk.family, period, [bureau])
    return attached(data, name, XLSX)


@router.post("/own/check")
async def check(
    request: Request, desk: TheDesk, who: Own, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Check a file before it is sent. Nothing of it is stored."""
    if file is None or not file.filename:
        return _front(request, desk, who, Message("请选择文件。", "Choose a file."), 422)
    data = await read_upload(file, desk.office.settings.read_limits.max_bytes)
    found = await run_in_threadpool(checked, desk.office, file.filename, data)
    refuse_of_others(found, bureau_of(who))
    return page(request, who, "own_checked.html", found=found, sent=False)


@router.post("/own/send")
async def send(
    request: Request, desk: TheDesk, who: Own, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Send a file: it is checked, kept, and taken by the next run."""
    if file is None or not file.filename:
        return _front(request, desk, who, Message("请选择文件。", "Choose a file."), 422)
    data = await read_upload(file, desk.office.settings.read_limits.max_bytes)
    office, bureau, name = desk.office_of(who.person), bureau_of(who), file.filename
    kept = await run_in_threadpool(receive, office, bureau, who.person.signature, name, data)
    found = await run_in_threadpool(checked, desk.office, name, data)
    told = Message(f"{kept.file} 已收到。", f"{kept.file} was received.")
    return page(request, who, "own_checked.html", found=found, sent=True, told=told)


@router.post("/own/deltas")
def confirm(
    request: Request, desk: TheDesk, who: Own, reason: Annotated[str, Form(max_length=2000)] = "",
    seen: Annotated[str, Form(max_length=16)] = "",
) -> Response:  # fmt: skip
    """Confirm once that later figures follow a correction."""
    office, bureau = desk.office_of(who.person), bureau_of(who)
    if seen != _seen(_deltas(desk, bureau)):
        told = Message("待确认的数有了变化,请重新查看。", "What is to be confirmed has changed: look at it again.")
        return _front(request, desk, who, told, 409)
    try:
        confirmed = deltas.confirm(office, desk.family, bureau, Word(who.person.signature, reason))
    except UserError as error:
        return _front(request, desk, who, error.message, 422)
    publish(office, confirmed.followed.consolidations)
    return done(request, "/own", Message("已确认,后续月份随之更正。", "Confirmed; the later months follow."))


def _own_notice(desk: Desk, who: Visitor, code: str, digest: str) -> SentBack:
    told = sent_back(desk, read_period(code), digest)
    if told.one.bureau != bureau_of(who):
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

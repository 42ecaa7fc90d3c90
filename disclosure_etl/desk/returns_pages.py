"""A return that is sent back, for whoever sends it and whoever gets it: the notice and the commented workbook.

Not here: what stands in them (`notices`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.months import read_period
from disclosure_etl.desk.notices import Notice, commented, notice_docx
from disclosure_etl.desk.shown import page
from disclosure_etl.desk.standing import Desk, desk_of
from schemas.errors import ProgramError, UserError
from schemas.people import Visitor
from schemas.periods import Period
from schemas.returns import ReturnAction, StoredReturn

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Seeing = Annotated[Visitor, needs(Need.SEE)]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class SentBack:
    """A return with the notice of its being sent back."""

    one: StoredReturn
    notice: Notice


def sent_back(desk: Desk, period: Period, digest: str) -> SentBack:
    """The notice of a return that stands sent back.

    Raises:
        HTTPException: there is no such return, or it is not sent back (404).
    """
    warehouse = desk.office.warehouse
    found = [one for one in warehouse.returns(desk.family, period) if one.digest == digest]
    if not found:
        raise HTTPException(404)
    one = found[-1]
    own = warehouse.return_decisions(desk.family, one.key)
    last = next((known for known in reversed(own) if known.action is ReturnAction.RETURN), None)
    if last is None:
        raise HTTPException(404)
    names = {bureau.code: bureau.name_zh for bureau in desk.office.bureaus.bureaus}
    known = [each.failure for each in warehouse.failures(desk.family, period, one.bureau) if each.file == one.file]
    failures = [each for each in known if each.waiver is None]  # what was accepted is not to be corrected
    day = last.at.astimezone(desk.office.clock().tzinfo).date()
    office = names.get(desk.office.settings.bureau, "")
    told = Notice(
        names.get(one.bureau or "", one.bureau_written), period.code, one.file, last.reason, tuple(failures), office, day,
        last.number,
    )  # fmt: skip
    return SentBack(one, told)


def attached(data: bytes, name: str, kind: str) -> Response:
    """A file to be kept."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=kind, headers={"Content-Disposition": disposition})


def notice_file(told: SentBack) -> Response:
    """The notice as a document."""
    return attached(notice_docx(told.notice), f"退回通知-{told.notice.bureau}-{told.notice.period}.docx", DOCX)


def workbook_file(desk: Desk, told: SentBack) -> Response:
    """The return as it came, with comments.

    Raises:
        UserError: it is no workbook, or its bytes are gone.
    """
    try:
        data = desk.office.raw_store.get(told.one.digest)
    except (OSError, ProgramError) as error:
        raise UserError(
            "原始文件不在原始库中或已损坏,不能加批注;请用退回通知。",
            "The file is not in the raw store any more, or is damaged: use the notice.",
        ) from error
    return attached(
        commented(data, told.notice.failures, told.notice.office),
        f"批注-{told.notice.bureau}-{told.notice.period}.xlsx",
        XLSX,
    )


@router.get("/months/{code}/returns/{digest}/notice")
def notice_page(request: Request, desk: TheDesk, who: Seeing, code: str, digest: str) -> Response:
    """The notice to the bureau."""
    period = read_period(code)
    told = sent_back(desk, period, digest)
    return page(request, who, "notice.html", period=period, told=told, base=f"/months/{period}/returns/{digest}")


@router.get("/months/{code}/returns/{digest}/notice.docx")
def notice_document(desk: TheDesk, _who: Seeing, code: str, digest: str) -> Response:
    """The same as a document."""
    return notice_file(sent_back(desk, read_period(code), digest))


@router.get("/months/{code}/returns/{digest}/workbook")
def workbook(desk: TheDesk, _who: Seeing, code: str, digest: str) -> Response:
    """The bureau's own workbook with comments in the very cells."""
    return workbook_file(desk, sent_back(desk, read_period(code), digest))

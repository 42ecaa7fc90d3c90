"""The record of what was done, a page at a time, and whether its chain holds. Not here: what is entered in it (`warehouse.audit`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.bounds import PageNumber
from disclosure_etl.desk.shown import page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.warehouse import ChainVerified
from schemas.errors import Message, UserError
from schemas.people import Visitor

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Recording = Annotated[Visitor, needs(Need.RECORD)]
_A_PAGE = 50


def _page(
    request: Request, desk: Desk, who: Visitor, kind: str = "", actor: str = "", subject: str = "", at: int = 1,
    verified: ChainVerified | None = None, message: Message | None = None, status: int = 200,
) -> Response:  # fmt: skip
    warehouse, at = desk.office.warehouse, max(1, at)
    events, number = warehouse.listed_events(kind, actor.strip(), subject.strip(), (at - 1) * _A_PAGE, _A_PAGE)
    return page(
        request, who, "record.html", status, events=events, number=number, at=at, pages=max(1, -(-number // _A_PAGE)),
        turn={"kind": kind, "actor": actor, "subject": subject}, head=warehouse.audit_head(), verified=verified,
        kinds=warehouse.kinds_of_events(), message=message,
    )  # fmt: skip


@router.get("/record")
def record(
    request: Request, desk: TheDesk, who: Recording, kind: str = "", actor: str = "", subject: str = "",
    at: PageNumber = 1,
) -> Response:  # fmt: skip
    """The events, the newest first."""
    return _page(request, desk, who, kind, actor, subject, at)


@router.post("/record/verify")
def verify(
    request: Request, desk: TheDesk, who: Recording, anchor: Annotated[str, Form(max_length=64)] = ""
) -> Response:
    """Whether the chain holds from its first event on, and has the anchor in it."""
    try:
        found = desk.office.warehouse.audit_verify(anchor.strip() or None)
    except UserError as error:
        return _page(request, desk, who, message=error.message, status=422)
    return _page(request, desk, who, verified=found)

"""The submission API: a bureau's own system sends returns with a token, and asks what became of them.

Version 1, described by its own OpenAPI document. Errors are problem+json. Not here: what is done with a file (`receiving`),
the shapes of answers (`api_description`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from email.message import Message as Headed
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.api_description import (
    BODY,
    Detail,
    Result,
    Submission,
    Submissions,
    describe,
    problem,
    problems,
)
from disclosure_etl.desk.receiving import fates_of, file_in, receive
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.warehouse.casework import Upload
from schemas.errors import Message, UserError
from schemas.people import Token

router = APIRouter(prefix="/api/v1")
TheDesk = Annotated[Desk, Depends(desk_of)]
Sender = Annotated[Token, needs(Need.TOKEN)]


def _shown(desk: Desk, found: Sequence[Upload], *, whole: bool = False) -> list[Submission]:
    fates = fates_of(desk.office, found)
    return [
        Submission(
            id=one.key, file=one.file, digest=one.digest, bureau=one.bureau, period=one.period or None,
            received_at=one.at.isoformat(), sent_by=one.by, state=fates[one.key].state,
            why=Detail(zh=why.zh, en=why.en) if (why := fates[one.key].why) else None,
            result=Result(files=one.result["files"]) if whole else None,
        )
        for one in found
    ]  # fmt: skip


async def _sent(request: Request, most: int) -> tuple[str, bytes]:
    """The name and bytes of the file in a request: in a form, or as they are.

    Raises:
        HTTPException: it is too large (413), of a kind that is not taken (415), or cannot be read (400).
        UserError: there is no file in the form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded" or request.headers.get("content-encoding", "identity") != "identity":
        raise HTTPException(415)
    if kind == "multipart/form-data":
        if (found := await file_in(request, most)) is None:
            raise UserError("表单中没有文件(file 字段)。", "There is no file in the form (its field 'file').")
        return found
    name, data = _name(request), bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise HTTPException(413)
    return name, bytes(data)


def _name(request: Request) -> str:
    """The name of bytes that come as they are; a header is percent-encoded, or in UTF-8 as some programs write it."""
    written = request.headers.get("x-file-name", "")
    if not written and (disposition := request.headers.get("content-disposition")):
        parsed = Headed()
        parsed["content-disposition"] = disposition
        written = parsed.get_filename() or ""
    with suppress(UnicodeError):
        written = written.encode("latin-1").decode()
    return unquote(written) or "return"  # what a file is, its content tells


@router.post(
    "/submissions", status_code=202, response_model=Submission, responses=problems(400, 413, 415), openapi_extra=BODY
)
async def submit(
    request: Request,
    desk: TheDesk,
    token: Sender,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=255, description="the same key with the same bytes is one submission, however often it is sent"
        ),
    ] = None,
    x_file_name: Annotated[
        str | None,
        Header(max_length=1000, description="the file's name, percent-encoded, where its bytes are sent as they are"),
    ] = None,
) -> Response:
    """Send a return. It is checked at once, kept, and taken by the next run; ask at the location what became of it."""
    name, data = await _sent(request, desk.office.settings.read_limits.max_bytes)
    by, key = f"{token.name}(API)", idempotency_key or None
    kept = await run_in_threadpool(receive, desk.office, token.bureau, by, name, data, token.key, key)
    (shown,) = await run_in_threadpool(_shown, desk, [kept])
    return JSONResponse(shown.model_dump(), 202, {"Location": f"{router.prefix}/submissions/{kept.key}"})


@router.get("/submissions", response_model=Submissions, responses=problems())
def submissions(
    desk: TheDesk,
    token: Sender,
    limit: Annotated[int, Query(ge=1, le=200, description="how many on a page")] = 50,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Submissions:
    """What the bureau has sent, by this API or at the desk, the newest first."""
    found = desk.office.warehouse.uploads(token.bureau, limit + 1, (page - 1) * limit)
    after = f"{router.prefix}/submissions?limit={limit}&page={page + 1}" if len(found) > limit else None
    return Submissions(items=_shown(desk, found[:limit]), next=after)


@router.get("/submissions/{key}", response_model=Submission, responses=problems(404))
def submission(desk: TheDesk, token: Sender, key: str) -> Response:
    """What checking a submission came to, and where it stands."""
    one = desk.office.warehouse.upload(key)
    if one is None or one.bureau != token.bureau:
        return problem(404, "Not Found", Message("没有这份报送。", "There is no such submission."))
    (shown,) = _shown(desk, [one], whole=True)
    return JSONResponse(shown.model_dump())


@router.get("/openapi.json", include_in_schema=False)
def openapi(_anybody: Annotated[object, needs(Need.OPEN)]) -> dict[str, Any]:
    """This API, described."""
    return describe(router.routes)

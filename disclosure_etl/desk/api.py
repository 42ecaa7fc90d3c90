"""The submission API: a bureau's own system sends returns with a token, and asks what became of them.

Version 1, described by its own OpenAPI document. Errors are problem+json. Not here: what is done with a file (`receiving`).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Header, Query, Request, UploadFile
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.receiving import read_upload, receive
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.warehouse.casework import Upload
from schemas.errors import Message
from schemas.people import Token
from schemas.periods import Period

router = APIRouter(prefix="/api/v1")
TheDesk = Annotated[Desk, Depends(desk_of)]
Sender = Annotated[Token, needs(Need.TOKEN)]
_PROBLEM = "application/problem+json"


class Detail(BaseModel):
    """What is wrong and what to do, in both languages."""

    zh: str
    en: str


class Problem(BaseModel):
    """What hindered a request (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: Detail


class Submission(BaseModel):
    """A file that was sent. `state`: waiting until a run has taken it, then where it stands (accepted, held, partly_held,
    superseded, …). `result`: what checking it came to, as `check --json` prints it."""

    id: str
    file: str
    digest: str = Field(description="SHA-256 of its bytes")
    bureau: str
    period: str | None
    received_at: str
    state: str
    result: dict[str, Any] | None = None


class Submissions(BaseModel):
    """A bureau's own, the newest first."""

    items: list[Submission]


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text, "content": {_PROBLEM: {}}}
    for code, text in (
        (400, "the request cannot be read"), (401, "no token, or one that is not in force"), (409, "the key was used for another file"), (413, "the file is too large"),
        (422, "the file or the key cannot be taken"), (429, "too many requests"),
    )
}  # fmt: skip
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "there is no such submission of this bureau", "content": {_PROBLEM: {}}}
}


def problem(status: int, title: str, message: Message, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as problem+json."""
    told = Problem(title=title, status=status, detail=Detail(zh=message.zh, en=message.en))
    return JSONResponse(told.model_dump(), status, headers, media_type=_PROBLEM)


def _shown(desk: Desk, one: Upload, *, whole: bool) -> Submission:
    return Submission(
        id=one.key, file=one.file, digest=one.digest, bureau=one.bureau, period=one.period or None,
        received_at=one.at.isoformat(), state=_state(desk, one), result=dict(one.result) if whole else None,
    )  # fmt: skip


def _state(desk: Desk, one: Upload) -> str:
    """Where a file stands in the warehouse."""
    warehouse = desk.office.warehouse
    if one.period:
        for sent in warehouse.returns(one.family, Period.parse(one.period), one.bureau):
            if sent.digest == one.digest:
                return sent.state.value
    record = warehouse.documents([one.digest]).get(one.digest)
    return record.status if record is not None and record.status != "read" else "waiting"


@router.post("/submissions", status_code=202, response_model=Submission, responses=_PROBLEMS)
async def submit(
    request: Request,
    desk: TheDesk,
    token: Sender,
    file: Annotated[UploadFile, File(description="the return: any format that the office reads, or a .zip of such")],
    idempotency_key: Annotated[
        str | None, Header(max_length=255, description="the same key with the same bytes is one submission")
    ] = None,
) -> Response:
    """Send a return. It is checked at once, kept, and taken by the next run; ask at the location what became of it."""
    data = await read_upload(file, desk.office.settings.read_limits.max_bytes)
    by = f"{token.name}(API)"
    kept = await run_in_threadpool(
        receive, desk.office, token.bureau, by, file.filename or "return", data, token.key, idempotency_key or None
    )
    if kept.digest != digest_of(data):
        told = Message(
            "这个幂等键已用于另一个文件。", "This idempotency key was used for another file before; choose a new one."
        )
        return problem(409, "Conflict", told)
    shown = await run_in_threadpool(lambda: _shown(desk, kept, whole=False))
    return JSONResponse(shown.model_dump(), 202, {"Location": f"{router.prefix}/submissions/{kept.key}"})


@router.get("/submissions", response_model=Submissions, responses=_PROBLEMS)
def submissions(desk: TheDesk, token: Sender, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Submissions:
    """What the bureau has sent, the newest first."""
    found = desk.office.warehouse.uploads(token.bureau, limit)
    return Submissions(items=[_shown(desk, one, whole=False) for one in found])


@router.get("/submissions/{key}", response_model=Submission, responses={**_PROBLEMS, **_NOT_FOUND})
def submission(desk: TheDesk, token: Sender, key: str) -> Response:
    """What checking a submission came to, and where it stands."""
    one = desk.office.warehouse.upload(key)
    if one is None or one.bureau != token.bureau:
        told = Message("没有这份报送。", "There is no such submission.")
        return problem(404, "Not Found", told)
    return JSONResponse(_shown(desk, one, whole=True).model_dump())


@router.get("/openapi.json", include_in_schema=False)
def openapi(_anybody: Annotated[object, needs(Need.OPEN)]) -> dict[str, Any]:
    """This API, described."""
    told = get_openapi(
        title="disclosure_etl submissions", version="1", routes=router.routes,
        description="Send government-information-disclosure returns, and ask what became of them.",
    )  # fmt: skip
    told["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    told["security"] = [{"token": []}]
    for path in told["paths"].values():
        for operation in path.values():
            operation["responses"]["422"] = {
                "description": "the request, the file or the key cannot be taken",
                "content": {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
            for code, answer in operation["responses"].items():
                if code.startswith("4"):
                    answer["content"] = {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return told

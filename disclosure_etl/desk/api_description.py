"""What the submission API says of itself: the shapes of its answers and problems, and its OpenAPI document.

Not here: the routes (`api`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.routing import BaseRoute

from schemas.errors import Message

PROBLEM = "application/problem+json"


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


class Result(BaseModel):
    """What checking came to, by itself: a file, or each of an archive's, in the contract of `check --json`."""

    files: list[dict[str, Any]]


class Submission(BaseModel):
    """A file that was sent. `why`: of a file that gave no figures."""

    id: str
    file: str
    digest: str = Field(description="SHA-256 of its bytes", pattern="^[0-9a-f]{64}$")
    bureau: str
    period: str | None = Field(description="what the file says; null where it says none, or several")
    received_at: str = Field(json_schema_extra={"format": "date-time"})
    sent_by: str
    state: str = Field(
        description="waiting until a run has taken it; then where its return stands: accepted, partly_held, held, returned, "
        "superseded, withdrawn, failed; or what else it was: unreadable, misdirected, attached"
    )
    why: Detail | None = None
    result: Result | None = Field(default=None, description="where one submission is asked for")


class Submissions(BaseModel):
    """A page of a bureau's own, the newest first."""

    items: list[Submission]
    next: str | None = Field(description="the address of the next page; null on the last one")


_TOLD = {
    400: "the request cannot be read",
    401: "no token, or one that is not in force",
    403: "the token's bureau is not known any more",
    404: "there is no such submission of this bureau",
    405: "this cannot be asked for in this way",
    413: "the file is too large",
    415: "content of this kind is not taken",
    422: "the request, the file or the key cannot be taken",
    429: "too many requests; see Retry-After",
    500: "a fault of the program",
    503: "the database cannot be used just now; see Retry-After",
}
_ASKING = (401, 403, 405, 422, 429, 500, 503)

# What may be sent: a form, or the bytes of the file.
BODY = {
    "requestBody": {
        "required": True,
        "description": "the return: any format that the office reads, or a .zip of such",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary", "minLength": 1}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}},
        },
    }
}


def problem(status: int, title: str, message: Message, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as problem+json."""
    told = Problem(title=title, status=status, detail=Detail(zh=message.zh, en=message.en))
    return JSONResponse(told.model_dump(), status, headers, media_type=PROBLEM)


def problems(*also: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, besides those that any may."""
    return {code: {"model": Problem, "description": _TOLD[code]} for code in sorted({*_ASKING, *also})}


@cache
def _contract() -> dict[str, Any]:
    """The contract of `check --json` as components, by their names."""
    text = (files("schemas") / "contracts" / "check.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.replace("#/$defs/", "#/components/schemas/check."))["$defs"]
    return {f"check.{name}": schema for name, schema in found.items()}


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    told = get_openapi(
        title="disclosure_etl submissions", version="1", routes=routes,
        description="Send government-information-disclosure returns, and ask what became of them.",
    )  # fmt: skip
    components = told["components"]
    components["schemas"] |= _contract()
    components["schemas"]["Result"]["properties"]["files"]["items"] = {"$ref": "#/components/schemas/check.file"}
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "a token of a bureau (dtl_…)"}
    }
    told["security"] = [{"token": []}]
    shape = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in told["paths"].values():
        for operation in path.values():
            for code, answer in operation["responses"].items():
                if code[0] in "45":
                    answer |= {"description": _TOLD[int(code)], "content": shape}
            operation["responses"]["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
            for code in ("429", "503"):
                operation["responses"][code]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    return told

"""The desk as an application: its rooms put together, the headers that every answer has, and what errors look like.

Not here: what stands on a page (the rooms), who may ask for it (`access`).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from disclosure_etl.desk import (
    api,
    cases,
    corrections,
    deciding,
    door,
    months,
    own_pages,
    people_pages,
    provider_door,
    record,
    returns_pages,
    runs,
    signing_off,
    years,
)
from disclosure_etl.desk.access import UNSAFE, Refused, SignInFirst, TokenRefused, require_guards
from disclosure_etl.desk.api_description import problem
from disclosure_etl.desk.bounds import Bounded, without_nul
from disclosure_etl.desk.shown import FOLDER, page
from disclosure_etl.desk.standing import Desk, desk_of, takes_files
from schemas.errors import AwayError, Message, UserError
from schemas.people import Visitor

ROOMS = (
    api,
    door,
    provider_door,
    months,
    cases,
    deciding,
    returns_pages,
    runs,
    corrections,
    signing_off,
    years,
    own_pages,
    people_pages,
    record,
)
_log = logging.getLogger("disclosure_etl.desk")
_RETRY_AFTER = "30"  # seconds

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(desk: Desk) -> FastAPI:
    """The desk of one office, ready to be served.

    Raises:
        ProgramError: a route does not say what it takes.
    """
    app = FastAPI(
        title="disclosure_etl", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_while_served,
        dependencies=[Depends(without_nul)],
        redirect_slashes=False,  # it would lead to whatever host the request names
    )  # fmt: skip
    app.state.desk = desk
    for room in ROOMS:
        require_guards(room.router.routes)
        app.include_router(room.router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_middleware(
        Bounded, most=desk.largest_request
    )  # inside of the other: what it raises is told like the rooms' own
    app.middleware("http")(_around)
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(TokenRefused, _token_refused)
    app.add_exception_handler(RequestValidationError, _unusable)
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(Exception, _fault)
    return app


@asynccontextmanager
async def _while_served(app: FastAPI) -> AsyncIterator[None]:
    """A run that is at work is waited for when the server stops."""
    yield
    await to_thread.run_sync(app.state.desk.jobs.close)


async def _around(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    if request.method in UNSAFE and not _is_from_here(request):
        told = Message(
            "请求不是从本系统的页面发出的,未予受理。", "The request did not come from our own pages; refused."
        )
        response: Response = page(request, None, "error.html", 403, message=told)
    else:
        response = await call(request)
    return _with_headers(request, response)


def _with_headers(request: Request, response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status_code == 503:
        response.headers.setdefault("Retry-After", _RETRY_AFTER)
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _is_from_here(request: Request) -> bool:
    """Whether a browser says that one of our own pages sent this; what says nothing is refused, but for the API, where no cookie
    counts."""
    if request.url.path.startswith("/api/"):
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and (
        origin == desk_of(request).home or urlsplit(origin).netloc == request.headers.get("host")
    )


async def _sign_in_first(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInFirst)
    where = f"/login?next={error.back}"
    if request.headers.get("hx-request"):
        return Response(status_code=200, headers={"HX-Redirect": where})
    return RedirectResponse(where, 303)


async def _token_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TokenRefused)
    if error.wait:
        told = Message(
            f"请求过于频繁,请 {error.wait} 秒后再试。", f"Too many requests; try again in {error.wait} seconds."
        )
        return problem(429, "Too Many Requests", told, {"Retry-After": str(error.wait)})
    told = Message("没有令牌,或令牌已失效。", "There is no token, or it is not in force.")
    return problem(401, "Unauthorized", told, {"WWW-Authenticate": "Bearer"})


async def _unusable(request: Request, error: Exception) -> Response:
    """A request whose parts are missing or of the wrong kind."""
    assert isinstance(error, RequestValidationError)
    places = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:5])
    told = Message(f"请求不完整或有误:{places}。", f"The request is incomplete or wrong: {places}.")
    if _is_api(request):
        return problem(422, "Unprocessable Content", told)
    return page(request, await _visitor(request), "error.html", 422, message=told)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    if error.status == 303:
        return RedirectResponse("/account", 303)
    if _is_api(request):
        return problem(error.status, HTTPStatus(error.status).phrase, error.message)
    return page(request, await _visitor(request), "error.html", error.status, message=error.message)


async def _user_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    if isinstance(error, AwayError):  # who asks is not looked up: that would wait for the same once more
        if not _is_api(request):
            return page(request, None, "error.html", 503, message=error.message)
        _log.warning("%s %s: %s", request.method, request.url.path, error.in_full.en)
        return problem(503, "Service Unavailable", error.message)
    if _is_api(request):
        return problem(422, "Unprocessable Content", error.message)
    return page(request, await _visitor(request), "error.html", 422, message=error.message)


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    told = {
        404: Message("没有这个页面。", "There is no such page."),
        405: Message("此处不接受这种请求。", "This cannot be asked for in this way."),
        413: Message(
            f"文件过大,上限为 {desk_of(request).office.settings.read_limits.max_bytes} 字节(设置项 limits.max_bytes)。",
            f"The file is too large; it may have {desk_of(request).office.settings.read_limits.max_bytes} bytes (setting "
            "limits.max_bytes).",
        ),
        415: Message(
            "不接受这种内容;请用表单(multipart/form-data)的 file 字段,或直接发送文件内容并注明文件名。",
            "Content of this kind is not taken; send a form (multipart/form-data) with the field file, or the bytes themselves "
            "with the file's name.",
        ),
    }
    if error.status_code == 413 and not takes_files(request.url.path):
        told[413] = Message("表单过大,未予受理。", "The form is too large and was not taken.")
    message = told.get(error.status_code, Message("请求不能处理。", "The request cannot be dealt with."))
    if _is_api(request):
        return problem(error.status_code, HTTPStatus(error.status_code).phrase, message, dict(error.headers or {}))
    return page(request, await _visitor(request), "error.html", error.status_code, message=message)


async def _fault(request: Request, error: Exception) -> Response:
    _log.error("program fault at %s %s", request.method, request.url.path, exc_info=error)
    told = Message(
        "程序故障:这不是数据的问题,已记入日志。请告诉系统管理员。",
        "A fault of the program, not of the data; it is in the log. Tell the administrator.",
    )
    shown: Response = page(request, None, "error.html", 500, message=told)
    return _with_headers(request, problem(500, "Internal Server Error", told) if _is_api(request) else shown)


async def _visitor(request: Request) -> Visitor | None:
    desk: Desk = request.app.state.desk
    try:
        return await desk.visitor(request.cookies.get(desk.cookie("session"), ""))
    except UserError:  # the database is away: the page that says so needs nobody
        return None

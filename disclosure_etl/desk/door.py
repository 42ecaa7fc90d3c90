"""The door: signing in and out, one's own account, the language, and which page comes first.

Not here: accounts of others (`people_pages`), the identity provider (`provider_door`).
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.accounts import set_password
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.signing_in import open_session, require_password, sign_in
from disclosure_etl.desk.standing import Desk, desk_of
from schemas.errors import Message, UserError
from schemas.people import Role, Visitor

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
FormText = Annotated[str, Form(max_length=4000)]


def inside(where: str) -> str:
    """A place of ours to go to; the first page where it is none, so that nobody is sent elsewhere through us. Browsers take a
    backslash for a slash, and read over control signs."""
    is_plain = where.isprintable() and "\\" not in where
    return where if is_plain and where.startswith("/") and not where.startswith("//") else "/"


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy that is trusted, where it says so."""
    return request.client.host if request.client else ""


def login_form(
    request: Request, status: int = 200, message: Message | None = None, next: str = "/", login: str = ""
) -> Response:
    """The page to sign in on."""
    desk = desk_of(request)
    oidc = desk.settings.oidc
    return page(
        request, None, "login.html", status, message=message, passwords=desk.settings.passwords, next=next, login=login,
        label=Message(oidc.label_zh, oidc.label_en) if oidc else None, back=f"/login?{urlencode({'next': next})}",
    )  # fmt: skip


@router.get("/")
def first_page(who: Annotated[Visitor, needs(Need.SIGNED_IN)]) -> Response:
    """On to the page that somebody's day begins with."""
    where = {Role.REPORTER: "/own", Role.ADMINISTRATOR: "/people"}.get(who.person.role, "/months")
    return RedirectResponse(where, 303)


@router.get("/login")
def login_page(request: Request, who: Annotated[Visitor | None, needs(Need.OPEN)], next: str = "/") -> Response:
    """The form to sign in with."""
    if who is not None:
        return RedirectResponse(inside(next), 303)
    return login_form(request, next=inside(next))


@router.post("/login")
def login(
    request: Request,
    desk: TheDesk,
    who: Annotated[Visitor | None, needs(Need.OPEN)],
    login: FormText = "",
    password: FormText = "",
    next: FormText = "/",
) -> Response:
    """Sign in."""
    warehouse = desk.office.warehouse
    if not desk.settings.passwords:
        told = Message("本系统不用密码登录。", "Nobody signs in with a password here.")
        return login_form(request, 403, told, next=inside(next))
    try:
        opened = sign_in(warehouse, login, password, address_of(request), request.headers.get("user-agent", ""))
    except UserError as error:
        return login_form(request, 401, error.message, next=inside(next), login=login)
    if who is not None:
        warehouse.end_session(who.session)
    response = RedirectResponse(inside(next), 303)
    keep_session(response, desk, opened.secret)
    return response


def keep_session(response: Response, desk: Desk, secret: str) -> None:
    """Let the browser keep a session."""
    longest = desk.settings.longest_hours * 3600
    response.set_cookie(
        desk.cookie("session"),
        secret,
        max_age=int(longest),
        httponly=True,
        secure=desk.settings.https,
        samesite="lax",
        path="/",
    )


def forget_session(response: Response, desk: Desk) -> None:
    """Let the browser forget a session."""
    response.delete_cookie(desk.cookie("session"), path="/", secure=desk.settings.https, httponly=True, samesite="lax")


@router.post("/logout")
def logout(desk: TheDesk, who: Annotated[Visitor, needs(Need.SIGNED_IN)]) -> Response:
    """Sign out."""
    desk.office_of(who.person).warehouse.end_session(who.session)
    response = RedirectResponse("/login", 303)
    forget_session(response, desk)
    return response


@router.get("/language/{code}")
def language(desk: TheDesk, code: str, _who: Annotated[Visitor | None, needs(Need.OPEN)], next: str = "/") -> Response:
    """Choose the language of the pages."""
    response = RedirectResponse(inside(next), 303)
    if code in ("zh", "en"):
        response.set_cookie(
            "language", code, max_age=31_536_000, httponly=True, secure=desk.settings.https, samesite="lax", path="/"
        )
    return response


@router.get("/account")
def account(request: Request, desk: TheDesk, who: Annotated[Visitor, needs(Need.SIGNED_IN)]) -> Response:
    """One's own account: the password, and where one is signed in."""
    return _account_page(request, desk, who, None)


def _account_page(request: Request, desk: Desk, who: Visitor, message: Message | None, status: int = 200) -> Any:
    shown = desk.office.warehouse.sessions(who.person.key)
    return page(
        request, who, "account.html", status, sessions=shown, message=message, passwords=desk.settings.passwords
    )


@router.post("/account/password")
def change_password(
    request: Request,
    desk: TheDesk,
    who: Annotated[Visitor, needs(Need.SIGNED_IN)],
    current: FormText = "",
    new: FormText = "",
    again: FormText = "",
) -> Response:
    """Choose another password; every other session of the account ends, and a new one begins here."""
    office = desk.office_of(who.person)
    try:
        require_password(office.warehouse, who.person, current, address_of(request))
        if new == current:
            raise UserError("新密码与现在的相同。", "The new password is the current one.")
        if new != again:
            raise UserError("两次输入的新密码不同。", "The new password was written in two ways.")
        set_password(office, who.person, new, must_change=False)
    except UserError as error:
        return _account_page(request, desk, who, error.message, 422)
    opened = open_session(office.warehouse, who.person, request.headers.get("user-agent", ""))
    response = done(request, "/", Message("密码已更改。", "The password was changed."))
    keep_session(response, desk, opened.secret)
    return response


@router.post("/account/sessions/end")
def end_sessions(request: Request, desk: TheDesk, who: Annotated[Visitor, needs(Need.SIGNED_IN)]) -> Response:
    """Sign out everywhere, here too."""
    desk.office_of(who.person).warehouse.end_sessions(who.person)
    response = RedirectResponse("/login", 303)
    forget_session(response, desk)
    return response

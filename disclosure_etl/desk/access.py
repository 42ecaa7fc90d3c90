"""Who may do what: each route names one need, each role has the needs that come with it, and a route without one cannot be made.

Not here: who somebody is (`signing_in`).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from disclosure_etl.desk.standing import Desk, desk_of, digest_of_secret
from schemas.errors import Message, ProgramError
from schemas.people import Role, Token, Visitor


class Need(StrEnum):
    """What a route takes. OPEN: nothing; SIGNED_IN: any account; OWN: a bureau of one's own, and only that one; TOKEN: a token
    of a bureau."""

    OPEN = "open"
    SIGNED_IN = "signed_in"
    SEE = "see"
    DECIDE = "decide"
    SIGN = "sign"
    RECORD = "record"
    PEOPLE = "people"
    OWN = "own"
    TOKEN = "token"  # noqa: S105 - a word


GRANTED: Mapping[Role, frozenset[Need]] = {
    Role.STEWARD: frozenset({Need.SIGNED_IN, Need.SEE, Need.DECIDE, Need.SIGN}),
    Role.HEAD: frozenset({Need.SIGNED_IN, Need.SEE, Need.DECIDE, Need.SIGN, Need.RECORD}),
    Role.AUDITOR: frozenset({Need.SIGNED_IN, Need.SEE, Need.RECORD}),
    Role.ADMINISTRATOR: frozenset({Need.SIGNED_IN, Need.PEOPLE, Need.RECORD}),
    Role.REPORTER: frozenset({Need.SIGNED_IN, Need.OWN}),
}

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def may_still(desk: Desk, login: str, need: Need) -> bool:
    """Whether somebody's account is in use and has a need: of whoever has said something before that counts only now."""
    found = desk.office.warehouse.person_by_login(login)
    return found is not None and found[0].active and need in GRANTED[found[0].role]


FIRST_MAY_NOT = Message(
    "提出的人现在没有签发权限(账号已停用或角色已变),其意见作废;请重新提出。",
    "Whoever gave the first word may not sign any more (the account is closed or has another role), so that it counts no "
    "longer; begin anew.",
)


class SignInFirst(Exception):  # noqa: N818 - what it asks for
    """Somebody who is not signed in asks for a page that takes it; `back`: where they wanted to go."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class Refused(Exception):  # noqa: N818 - what it is
    """Somebody asks for what they may not have, or a request that did not come from our own pages."""

    def __init__(self, message: Message, status: int = 403) -> None:
        super().__init__(message.en)
        self.message = message
        self.status = status


class Guard:
    """The dependency that stands before a route."""

    def __init__(self, need: Need) -> None:
        self.need = need

    async def __call__(self, request: Request, desk: Annotated[Desk, Depends(desk_of)]) -> Visitor | Token | None:
        """Who asks, of the API the token; None where anybody may.

        Raises:
            SignInFirst: nobody is signed in. Refused: the role does not have the need, or the form is not from our pages.
        """
        if self.need is Need.TOKEN:
            return await _token(request, desk)
        who = await desk.visitor(request.cookies.get(desk.cookie("session"), ""))
        if self.need is Need.OPEN:
            return who
        if who is None:
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise SignInFirst(quote(path if request.method == "GET" else "/"))
        if self.need not in GRANTED[who.person.role]:
            raise Refused(Message("您的账号没有这项权限。", "Your account may not do this."))
        if who.person.must_change and not request.url.path.startswith(("/account", "/logout")):
            raise Refused(Message("请先设置自己的密码。", "Choose a password of your own first."), 303)
        if request.method in UNSAFE:
            await _require_own_form(request, who)
        return who


class TokenRefused(Exception):  # noqa: N818 - what it is
    """A request to the API without a token that is in force, or with one that is used too often (`wait`: seconds)."""

    def __init__(self, wait: int = 0) -> None:
        super().__init__("token refused")
        self.wait = wait


async def _token(request: Request, desk: Desk) -> Token:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise TokenRefused
    token = await to_thread.run_sync(desk.office.warehouse.token, digest_of_secret(secret.strip()))
    if token is None or not token.is_good(desk.office.clock()):
        raise TokenRefused
    if wait := desk.pace.wait(token.key):
        raise TokenRefused(wait)
    if token.bureau not in desk.office.bureaus.codes:
        raise Refused(
            Message(
                "令牌所属的单位已不在 bureaus.yaml 中;请联系系统管理员。",
                "The token's bureau is no longer in bureaus.yaml; tell the administrator.",
            )
        )
    return token


async def _require_own_form(request: Request, who: Visitor) -> None:
    """The word of the session in the form or the header: no other site knows it."""
    said: Any = request.headers.get("x-csrf-token")
    if said is None:
        said = (await request.form()).get("csrf")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), who.csrf.encode()):
        raise Refused(
            Message(
                "表单已过期,请返回、刷新页面后重试。",
                "This form is out of date: go back, reload the page and try again.",
            )
        )


def needs(need: Need) -> Any:
    """The dependency by which a route says what it takes."""
    return Depends(Guard(need))


def need_of(route: APIRoute) -> Need | None:
    """What a route takes; None where nobody said."""
    guards = [one.call for one in route.dependant.dependencies if isinstance(one.call, Guard)]
    return guards[0].need if len(guards) == 1 else None


def require_guards(routes: Iterable[BaseRoute]) -> None:
    """Every route says what it takes.

    Raises:
        ProgramError: one does not.
    """
    for route in routes:
        if not isinstance(route, APIRoute) or need_of(route) is None:
            raise ProgramError(f"the route {route} does not say what it takes")

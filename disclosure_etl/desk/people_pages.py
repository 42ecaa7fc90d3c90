"""The administrator's pages: accounts and tokens, made, changed and ended. A password or token is shown once and never again.

Not here: one's own account (`door`), what roles may do (`access`).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.accounts import NewPerson, checked_bureau, create, set_password, use_provider
from disclosure_etl.desk.bounds import Key
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.desk.tokens import end_of, issue
from schemas.errors import Message, UserError
from schemas.people import Person, Role, Visitor

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Administering = Annotated[Visitor, needs(Need.PEOPLE)]
Short = Annotated[str, Form(max_length=255)]


def _page(
    request: Request, desk: Desk, who: Visitor, message: Message | None = None, status: int = 200,
    typed: Mapping[str, str] | None = None, row: Person | None = None, seen: str = "", **once: Any,
) -> Response:  # fmt: skip
    """`typed`: the new account that was refused; `row`: an account as it was to become, and was refused, and what its form had `seen`:
    it shows nothing newer."""
    warehouse = desk.office.warehouse
    known = warehouse.people()
    shown = [row if row is not None and row.key == one.key else one for one in known]
    return page(
        request, who, "people.html", status, people=shown, tokens=warehouse.tokens(), last=warehouse.last_seen(),
        bureaus=desk.office.bureaus.bureaus, roles=list(Role), message=message, now=desk.office.clock(),
        passwords=desk.settings.passwords, oidc=desk.provider is not None,
        seen={one.key: _seen(one) for one in known} | ({row.key: seen} if row else {}), once={"login": "", "password": "", "token": "", **once},
        typed=typed or {"login": "", "name": "", "role": Role.REPORTER, "bureau": ""},
        names={one.code: Message(one.name_zh, one.name_en) for one in desk.office.bureaus.bureaus},
    )  # fmt: skip


@router.get("/people")
def people(request: Request, desk: TheDesk, who: Administering) -> Response:
    """All accounts and tokens."""
    return _page(request, desk, who)


@router.post("/people")
def add(
    request: Request, desk: TheDesk, who: Administering,
    login: Short = "", name: Short = "", role: Short = "", bureau: Short = "", way: Short = "password",
) -> Response:  # fmt: skip
    """Make an account: with a password that is shown once, or for whom the identity provider sends."""
    password = None if way == "oidc" else secrets.token_urlsafe(12)
    try:
        wish = NewPerson(login, name, _role(role), _bureau(role, bureau))
        made = create(desk.office_of(who.person), wish, password)
    except UserError as error:
        typed = {"login": login, "name": name, "role": role, "bureau": bureau}
        return _page(request, desk, who, error.message, 422, typed)
    return _page(request, desk, who, login=made.login, password=password or "")


def _role(written: str) -> Role:
    if written not in set(Role):
        raise UserError(f"角色「{written}」不存在。", f"There is no role '{written}'.")
    return Role(written)


def _bureau(role: str, chosen: str) -> str | None:
    if role == Role.REPORTER and not chosen:
        raise UserError("请为填报人员选择单位。", "Choose the bureau of the reporter.")
    return chosen or None


def _person(desk: Desk, key: int) -> Person:
    for one in desk.office.warehouse.people():
        if one.key == key:
            return one
    raise HTTPException(404)


def _seen(one: Person) -> str:
    """What a row's form carries: a save sends all of the row, and would undo what was done since the page was shown."""
    return hashlib.sha256(repr((one.name, one.role, one.bureau, one.active)).encode()).hexdigest()[:16]


_CHANGED = Message(
    "页面打开后这个账号已被更改,您的更改没有保存;现在的情况见下,请核对后再改。",
    "This account was changed since the page was shown, and yours was not saved: look at how it is now, then change it.",
)


@router.post("/people/{key}")
def change(
    request: Request, desk: TheDesk, who: Administering, key: Key,
    name: Short = "", role: Short = "", bureau: Short = "", active: Annotated[bool, Form()] = False, seen: Short = "",
) -> Response:  # fmt: skip
    """Change an account. Whoever gets another role or bureau, or loses the account, is signed out everywhere."""
    one = _person(desk, key)
    if seen != _seen(one):
        return _page(request, desk, who, _CHANGED, 409)
    try:
        chosen = _role(role)
        values: dict[str, Any] = {
            "name": name.strip() or one.name, "role": chosen.value, "active": active,
            "bureau_code": checked_bureau(desk.office, chosen, _bureau(role, bureau)),
        }  # fmt: skip
        before = {"name": one.name, "role": one.role.value, "active": one.active, "bureau_code": one.bureau}
        if changed := {name: value for name, value in values.items() if value != before[name]}:
            desk.office_of(who.person).warehouse.change_person(key, changed)
    except UserError as error:
        wish = replace(
            one, name=name, role=Role(role) if role in set(Role) else one.role, bureau=bureau or None, active=active
        )
        return _page(request, desk, who, error.message, 422, row=wish, seen=seen)
    return done(request, "/people", Message(f"账号 {one.login} 已更新。", f"The account {one.login} is changed."))


@router.post("/people/{key}/password")
def reset(request: Request, desk: TheDesk, who: Administering, key: Key) -> Response:
    """Give an account a new password, shown once; its owner has to choose another."""
    one, password = _person(desk, key), secrets.token_urlsafe(12)
    try:
        set_password(desk.office_of(who.person), one, password, must_change=True)
    except UserError as error:
        return _page(request, desk, who, error.message, 422)
    return _page(request, desk, who, login=one.login, password=password)


@router.post("/people/{key}/oidc")
def to_provider(request: Request, desk: TheDesk, who: Administering, key: Key) -> Response:
    """Let an account be used by whom the identity provider sends next under its login."""
    one = _person(desk, key)
    try:
        use_provider(desk.office_of(who.person), one)
    except UserError as error:
        return _page(request, desk, who, error.message, 422)
    told = Message(
        f"{one.login} 下次经身份认证平台登录时绑定。",
        f"{one.login} is bound when the identity provider next sends them.",
    )
    return done(request, "/people", told)


@router.post("/people/{key}/sessions/end")
def end_sessions(request: Request, desk: TheDesk, who: Administering, key: Key) -> Response:
    """Sign somebody out everywhere."""
    one = _person(desk, key)
    desk.office_of(who.person).warehouse.end_sessions(one)
    return done(request, "/people", Message(f"{one.login} 已在各处退出。", f"{one.login} is signed out everywhere."))


@router.post("/tokens")
def add_token(
    request: Request, desk: TheDesk, who: Administering, name: Short = "", bureau: Short = "", ends: Short = ""
) -> Response:
    """Make a token of a bureau, shown once."""
    office = desk.office_of(who.person)
    try:
        token, _kept = issue(office, name, bureau, end_of(office.clock(), ends))
    except UserError as error:
        return _page(request, desk, who, error.message, 422)
    return _page(request, desk, who, token=token)


@router.post("/tokens/{key}/revoke")
def revoke(request: Request, desk: TheDesk, who: Administering, key: Key) -> Response:
    """Make a token unusable."""
    try:
        desk.office_of(who.person).warehouse.revoke_token(key)
    except UserError as error:
        return _page(request, desk, who, error.message, 404)
    return done(request, "/people", Message("令牌已作废。", "The token is revoked."))

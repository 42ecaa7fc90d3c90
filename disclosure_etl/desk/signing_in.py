"""Signing in with a login and password, and sessions: made, locked out, ended. Passwords are hashed with argon2.

After a few failures of a login, or many from one address, nobody is let in by it for a while, right password or not. Not here:
what somebody may do (`access`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from disclosure_etl.desk.standing import digest_of_secret
from disclosure_etl.office import Office
from disclosure_etl.warehouse import Warehouse
from schemas.errors import Message, UserError
from schemas.people import Person, Role

SHORTEST_PASSWORD = 10
_PER_LOGIN, _PER_ADDRESS, _WITHIN = 5, 30, timedelta(minutes=15)
_hasher = PasswordHasher()
_NOBODYS = _hasher.hash(secrets.token_hex(16))  # verified where there is no such login, so that both take as long


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was begun: the secret that the browser keeps, and whose it is."""

    secret: str
    person: Person


def hashed(password: str, login: str) -> str:
    """The hash of a password that may be used.

    Raises:
        UserError: it is too short, or the login itself.
    """
    if len(password) < SHORTEST_PASSWORD or password.casefold() == login.casefold():
        raise UserError(
            f"密码至少 {SHORTEST_PASSWORD} 个字符,且不能与登录名相同。",
            f"A password has at least {SHORTEST_PASSWORD} signs and is not the login.",
        )
    return _hasher.hash(password)


def sign_in(warehouse: Warehouse, login: str, password: str, address: str, browser: str) -> Opened:
    """Begin a session.

    Raises:
        UserError: login and password do not fit, the account is closed, or there were too many failures.
    """
    login = login.strip()
    now = warehouse.clock()
    of_login, of_address = warehouse.refused_since(login, address, now - _WITHIN)
    if of_login >= _PER_LOGIN or of_address >= _PER_ADDRESS:
        raise UserError(
            f"登录失败次数过多,请 {int(_WITHIN.total_seconds() // 60)} 分钟后再试。",
            f"Too many failed attempts; try again in {int(_WITHIN.total_seconds() // 60)} minutes.",
        )
    found = warehouse.person_by_login(login)
    kept = found[1] if found is not None and found[1] is not None else None
    fits = _fits(kept or _NOBODYS, password) and kept is not None
    if not fits or found is None or not found[0].active:
        warehouse.note_refused(login, address, "closed" if fits else "unknown" if found is None else "password")
        raise UserError("登录名或密码不正确。", "Login and password do not fit.")
    return open_session(warehouse, found[0], browser)


def _fits(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def open_session(warehouse: Warehouse, person: Person, browser: str) -> Opened:
    """Begin a session of somebody who has shown who they are."""
    secret = secrets.token_urlsafe(32)
    warehouse.begin_session(person, digest_of_secret(secret), secrets.token_urlsafe(24), browser)
    return Opened(secret, person)


@dataclass(frozen=True, slots=True)
class NewPerson:
    """An account as it is asked for."""

    login: str
    name: str
    role: Role
    bureau: str | None = None


def create(office: Office, wish: NewPerson, password: str, *, must_change: bool = True) -> Person:
    """Make an account.

    Raises:
        UserError: the login, name, bureau or password cannot be used.
    """
    login = wish.login.strip()
    if not 2 <= len(login) <= 64 or not all(sign.isalnum() or sign in "._-@" for sign in login):
        raise UserError(
            f"登录名「{login}」不可用:2 到 64 个字母、数字或 . _ - @。",
            f"The login '{login}' cannot be used: 2 to 64 letters, digits or . _ - @.",
        )
    if not wish.name.strip():
        raise UserError("请写姓名:决定以姓名记录。", "Give a name: decisions are recorded by it.")
    bureau = checked_bureau(office, wish.role, wish.bureau)
    values: dict[str, Any] = {
        "name": wish.name.strip(), "role": wish.role.value, "bureau_code": bureau,
        "password": hashed(password, login), "must_change": must_change,
    }  # fmt: skip
    return office.warehouse.add_person(login, values)


def checked_bureau(office: Office, role: Role, bureau: str | None) -> str | None:
    """The bureau of an account: a reporter's, which must be known; nobody else has one.

    Raises:
        UserError: a reporter without a known bureau.
    """
    if role is not Role.REPORTER:
        return None
    if bureau not in office.bureaus.codes:
        told = Message(
            f"填报人员须属于 bureaus.yaml 中的一个单位;「{bureau or ''}」不在其中。",
            f"A reporter belongs to a bureau of bureaus.yaml; '{bureau or ''}' is none.",
        )
        raise UserError(told.zh, told.en)
    return bureau


def password_fits(warehouse: Warehouse, person: Person, password: str) -> bool:
    """Whether this is the password of somebody's account."""
    found = warehouse.person_by_login(person.login)
    return found is not None and found[1] is not None and _fits(found[1], password)

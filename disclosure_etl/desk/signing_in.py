"""Signing in with a login and password, and sessions: made, locked out, ended. Passwords are hashed with argon2.

After a few failures of a login, or many from one address, nobody is let in by it for a while, right password or not. Not here:
the identity provider (`provider`, `provider_door`), accounts (`accounts`), what somebody may do (`access`).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from disclosure_etl.desk.standing import digest_of_secret
from disclosure_etl.warehouse import Warehouse
from disclosure_etl.warehouse.connection import storable
from schemas.errors import UserError
from schemas.people import Identity, Person

SHORTEST_PASSWORD = 10
_PER_LOGIN, _PER_ADDRESS, _WITHIN = 5, 30, timedelta(minutes=15)
_hasher = PasswordHasher()
_NOBODYS = _hasher.hash(secrets.token_hex(16))  # verified where there is no such login, so that both take as long
_veil = secrets.token_bytes(32)
# One at a time: many guesses at once would all be made before the first is counted, and each hash takes 64 MiB.
_guessing = Lock()


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
    with _guessing:
        return _hasher.hash(password.encode(errors="surrogatepass"))


def sign_in(warehouse: Warehouse, login: str, password: str, address: str, browser: str) -> Opened:
    """Begin a session.

    Raises:
        UserError: login and password do not fit, the account is closed, or there were too many failures.
    """
    login = storable(login.strip())
    with _guessing:
        found = warehouse.person_by_login(login)
        noted = login if found is not None else _veiled(login)
        refuse_too_many(warehouse, noted, address)
        kept = found[1] if found is not None and found[1] is not None else None
        fits = _fits(kept or _NOBODYS, password) and kept is not None
        if not fits or found is None or not found[0].active:
            why = "closed" if fits else "unknown" if found is None else "password"
            warehouse.note_refused(noted, address, {"why": why})
            raise _does_not_fit()
    opened = open_session(warehouse, found[0], browser)
    if (
        warehouse.person_by_login(login) != found
    ):  # changed meanwhile, and its sessions were ended before this one began
        warehouse.end_session(digest_of_secret(opened.secret))
        raise _does_not_fit()
    return opened


def _does_not_fit() -> UserError:
    return UserError("登录名或密码不正确。", "Login and password do not fit.")


def _veiled(login: str) -> str:
    """What is noted where no account has that login: one and the same for each, and nothing of it. People type their password there."""
    return f"?{hmac.digest(_veil, login.encode(errors='replace'), 'sha256').hex()[:16]}"


def refuse_too_many(warehouse: Warehouse, login: str | None, address: str) -> None:
    """Let nobody in for a while after too many failures: of the login, if there is one yet, and from the address.

    Raises:
        UserError: there were too many.
    """
    of_login, of_address = warehouse.refused_since(login or "", address, warehouse.clock() - _WITHIN)
    if (login is not None and of_login >= _PER_LOGIN) or of_address >= _PER_ADDRESS:
        minutes = int(_WITHIN.total_seconds() // 60)
        raise UserError(
            f"登录失败次数过多,请 {minutes} 分钟后再试。", f"Too many failed attempts; try again in {minutes} minutes."
        )


def sign_in_with_identity(warehouse: Warehouse, who: Identity, address: str, browser: str) -> Opened:
    """Begin a session of somebody whom the identity provider has sent: of the account that is bound to them, or else of the one with
    their login that waits to be bound. Nobody gets an account by signing in.

    Raises:
        UserError: there is no such account, or it is closed, has a password, or is somebody else's at the provider.
    """
    bound = warehouse.person_of(who)
    named = warehouse.person_by_login(storable(who.login)) if bound is None else None
    person = bound or (named[0] if named is not None else None)
    if person is None:
        why = "unknown"
    elif not person.active:
        why = "closed"
    elif person.has_password:
        why = "has a password"
    elif bound is None and not warehouse.bind_person(person.key, who):
        why = "another identity"
    else:
        return open_session(warehouse, person, browser)
    login = person.login if person is not None else who.login
    warehouse.note_refused(login, address, {"why": why, "issuer": who.issuer, "subject": who.subject})
    raise UserError(
        "身份认证已通过,但本系统没有可供您使用的账号;请联系系统管理员。",
        "The identity provider knows you, but there is no account here that you may use; ask the administrator.",
    )


def _fits(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password.encode(errors="surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


def open_session(warehouse: Warehouse, person: Person, browser: str) -> Opened:
    """Begin a session of somebody who has shown who they are."""
    secret = secrets.token_urlsafe(32)
    warehouse.begin_session(person, digest_of_secret(secret), secrets.token_urlsafe(24), browser)
    return Opened(secret, person)


def password_fits(warehouse: Warehouse, person: Person, password: str) -> bool:
    """Whether this is the password of somebody's account: for whoever may set it anyway. Others go by `require_password`."""
    found = warehouse.person_by_login(person.login)
    return found is not None and found[1] is not None and _fits(found[1], password)


def require_password(warehouse: Warehouse, person: Person, password: str, address: str) -> None:
    """See that somebody who is signed in knows their password. A wrong one is counted and recorded like any guess at the door:
    whoever finds a browser open would guess here instead.

    Raises:
        UserError: it is another one, or there were too many failures.
    """
    with _guessing:
        refuse_too_many(warehouse, person.login, address)
        if not password_fits(warehouse, person, password):
            warehouse.note_refused(person.login, address, {"why": "password"})
            raise UserError("现在的密码不正确。", "The current password is not right.")

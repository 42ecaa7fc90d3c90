"""Accounts: made, and given another way to sign in. Each has one way: a password, or the identity provider.

Not here: signing in (`signing_in`), the pages and commands by which this is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from disclosure_etl.desk.signing_in import hashed, password_fits
from disclosure_etl.office import Office
from schemas.errors import Message, UserError
from schemas.people import Person, Role


@dataclass(frozen=True, slots=True)
class NewPerson:
    """An account as it is asked for."""

    login: str
    name: str
    role: Role
    bureau: str | None = None


def create(office: Office, wish: NewPerson, password: str | None, *, must_change: bool = True) -> Person:
    """Make an account; without a password its owner signs in with the identity provider.

    Raises:
        UserError: the login, name, bureau or password cannot be used, or this office has no such way to sign in.
    """
    login = wish.login.strip()
    if not 2 <= len(login) <= 64 or not all(sign.isalnum() or sign in "._-@" for sign in login):
        raise UserError(
            f"登录名「{login}」不可用:2 到 64 个字母、数字或 . _ - @。",
            f"The login '{login}' cannot be used: 2 to 64 letters, digits or . _ - @.",
        )
    if not wish.name.strip():
        raise UserError("请写姓名:决定以姓名记录。", "Give a name: decisions are recorded by it.")
    values: dict[str, Any] = {
        "name": wish.name.strip(), "role": wish.role.value, "bureau_code": checked_bureau(office, wish.role, wish.bureau),
        **_way(office, login, password, must_change),
    }  # fmt: skip
    return office.warehouse.add_person(login, values)


def _way(office: Office, login: str, password: str | None, must_change: bool) -> dict[str, Any]:
    """What is kept of the way in which somebody signs in."""
    desk = office.settings.file.desk
    if password is None:
        if desk.oidc is None:
            raise UserError(
                "settings.yaml 没有配置 desk.oidc,没有密码的账号无法登录。",
                "There is no desk.oidc in settings.yaml, so that an account without a password could not be used.",
            )
        return {"password": None, "must_change": False}
    if not desk.passwords:
        raise UserError(
            "desk.passwords 为 false:本系统不用密码登录;请用身份认证平台(--oidc)。",
            "desk.passwords is false: nobody signs in with a password here; use the identity provider (--oidc).",
        )
    return {"password": hashed(password, login), "must_change": must_change}


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


def person_called(office: Office, login: str) -> Person:
    """The account with a login.

    Raises:
        UserError: there is none.
    """
    found = office.warehouse.person_by_login(login.strip())
    if found is None:
        raise UserError(
            f"没有登录名为「{login}」的账号;disclosure-etl desk users 列出全部。",
            f"There is no account '{login}'; 'disclosure-etl desk users' lists all.",
        )
    return found[0]


def set_password(office: Office, person: Person, password: str, *, must_change: bool) -> bool:
    """Give an account a password, by which its sessions end; False where it has that very one already.

    Raises:
        UserError: the password cannot be used, or nobody signs in with one here.
    """
    if person.must_change is must_change and password_fits(office.warehouse, person, password):
        return False
    office.warehouse.change_person(person.key, _way(office, person.login, password, must_change))
    return True


def use_provider(office: Office, person: Person) -> bool:
    """Let an account be used by whom the identity provider sends next under its login, and by nobody with a password; False where it
    waits for that already.

    Raises:
        UserError: there is no identity provider.
    """
    if not person.has_password and not person.bound:
        return False
    office.warehouse.change_person(person.key, _way(office, person.login, None, False))
    return True

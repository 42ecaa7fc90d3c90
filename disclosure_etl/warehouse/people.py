"""Accounts, sessions and tokens: kept, found, ended. Each change is an event of the record, in its transaction.

Not here: passwords and how they are checked (`desk.signing_in`); this room sees hashes alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from disclosure_etl.warehouse import audit
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import storable
from disclosure_etl.warehouse.desk_tables import api_token, person, person_session, sign_in_failure
from schemas.errors import UserError
from schemas.people import Identity, Person, Role, SessionShown, Token, Visitor


def _person(row: Row) -> Person:
    return Person(
        row.id, row.login, row.name, Role(row.role), row.bureau_code, row.active, row.must_change,
        row.password is not None, row.oidc_subject is not None, row.made_at,
    )  # fmt: skip


def everybody(connection: Connection) -> list[Person]:
    """All accounts, by login."""
    return [_person(row) for row in connection.execute(select(person).order_by(person.c.login))]


def by_login(connection: Connection, login: str) -> tuple[Person, str | None] | None:
    """An account with its password's hash; None where there is none."""
    row = connection.execute(select(person).where(person.c.login == login)).first()
    return (_person(row), row.password) if row is not None else None


def _by_key(connection: Connection, key: int) -> Person:
    row = connection.execute(select(person).where(person.c.id == key)).first()
    if row is None:
        raise UserError(f"没有编号为 {key} 的账号。", f"There is no account number {key}.")
    return _person(row)


def add(connection: Connection, act: Act, login: str, values: Mapping[str, Any]) -> Person:
    """Make an account; `values` are columns of `person`.

    Raises:
        UserError: the login is taken.
    """
    if by_login(connection, login) is not None:
        raise UserError(f"登录名「{login}」已有人使用,请换一个。", f"The login '{login}' is taken; choose another.")
    row = {"login": login, "active": True, "made_at": act.at, **_storable(values)}
    key = connection.execute(insert(person).values(row)).inserted_primary_key[0]  # type: ignore[index]
    made = _by_key(connection, key)
    audit.append(connection, act, "person", login, _told(made))
    return made


def change(connection: Connection, act: Act, key: int, values: Mapping[str, Any]) -> Person:
    """Change an account; whoever loses it, or gets another role, bureau or password, is signed out everywhere. Another way to sign
    in forgets whom the identity provider sent.

    Raises:
        UserError: there is no such account, or nobody would be left to administer the accounts.
    """
    before = _by_key(connection, key)
    if "password" in values:
        values = {**values, "oidc_issuer": None, "oidc_subject": None}
    connection.execute(update(person).where(person.c.id == key).values(**_storable(values)))
    after = _by_key(connection, key)
    if _administers(before) and not _administers(after) and not _administrators(connection):
        raise UserError(
            "至少要有一个可用的管理员账号;请先另设管理员。",
            "At least one administrator's account must stay in use; make another one first.",
        )
    told = {name: value for name, value in _told(after).items() if value != _told(before).get(name)}
    if "password" in values:
        told["password"] = "changed" if after.has_password else "identity provider"
    audit.append(connection, act, "person_changed", after.login, told)
    if {"active", "role", "bureau_code", "password"} & values.keys():
        end_sessions(connection, act, after)
    return after


def _administers(one: Person) -> bool:
    return one.active and one.role is Role.ADMINISTRATOR


def _administrators(connection: Connection) -> int:
    wanted = (person.c.role == Role.ADMINISTRATOR.value, person.c.active.is_(True))
    return connection.execute(select(func.count()).select_from(person).where(*wanted)).scalar_one()


def _storable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: storable(one) if isinstance(one, str) else one for name, one in values.items()}


def _told(one: Person) -> dict[str, Any]:
    return {"name": one.name, "role": one.role.value, "bureau": one.bureau, "active": one.active}


# -- signing in


def of_identity(connection: Connection, who: Identity) -> Person | None:
    """The account that is bound to somebody at an identity provider."""
    is_them = (person.c.oidc_issuer == who.issuer, person.c.oidc_subject == who.subject)
    row = connection.execute(select(person).where(*is_them)).first()
    return _person(row) if row is not None else None


def bind(connection: Connection, act: Act, key: int, who: Identity) -> bool:
    """Bind an account to somebody at an identity provider; False where it has a password, is closed, or is bound already."""
    is_free = (person.c.password.is_(None), person.c.active.is_(True), person.c.oidc_subject.is_(None))
    values = {"oidc_issuer": who.issuer, "oidc_subject": who.subject}
    if not connection.execute(update(person).where(person.c.id == key, *is_free).values(**values)).rowcount:
        return False
    identity = {"issuer": who.issuer, "subject": who.subject}
    audit.append(connection, act, "person_changed", _by_key(connection, key).login, {"identity": identity})
    return True


def note_refused(connection: Connection, act: Act, login: str, address: str, why: Mapping[str, str]) -> None:
    """Note an attempt to sign in that failed."""
    login, address = storable(login)[:64], storable(address)[:64]
    connection.execute(insert(sign_in_failure).values(login=login, address=address, at=act.at))
    audit.append(connection, act, "sign_in_refused", login, {"address": address, **why})


def refused_since(connection: Connection, login: str, address: str, since: datetime) -> tuple[int, int]:
    """How many attempts failed since: of that login after its last success, and from that address."""
    began = (
        select(func.max(person_session.c.began_at))
        .join(person, person.c.id == person_session.c.person_id)
        .where(person.c.login == login)
    )
    last = connection.execute(began).scalar()
    of_login = select(func.count()).select_from(sign_in_failure).where(sign_in_failure.c.login == login[:64])
    of_address = select(func.count()).select_from(sign_in_failure).where(sign_in_failure.c.address == address[:64])
    after = max(since, last) if last is not None else since
    return (
        connection.execute(of_login.where(sign_in_failure.c.at > after)).scalar_one(),
        connection.execute(of_address.where(sign_in_failure.c.at > since)).scalar_one(),
    )


def begin_session(connection: Connection, act: Act, one: Person, digest: str, csrf: str, browser: str) -> None:
    """Somebody signed in."""
    connection.execute(
        insert(person_session).values(
            digest=digest, person_id=one.key, csrf=csrf, began_at=act.at, seen_at=act.at, browser=browser[:200]
        )
    )
    audit.append(connection, act, "signed_in", one.login, {"session": digest[:12]})


def visitor(connection: Connection, digest: str) -> Visitor | None:
    """Whose session this is, if it goes on and the account is in use."""
    row = connection.execute(
        select(person, person_session.c.csrf, person_session.c.began_at, person_session.c.seen_at)
        .join(person_session, person_session.c.person_id == person.c.id)
        .where(person_session.c.digest == digest, person_session.c.ended_at.is_(None), person.c.active.is_(True))
    ).first()
    return Visitor(_person(row), digest, row.csrf, row.began_at, row.seen_at) if row is not None else None


def touch(connection: Connection, digest: str, at: datetime) -> None:
    """Note that a session is in use."""
    connection.execute(update(person_session).where(person_session.c.digest == digest).values(seen_at=at))


def end_session(connection: Connection, act: Act, digest: str) -> None:
    """Somebody signed out, or was signed out; an ended session stays so."""
    going_on = (person_session.c.digest == digest, person_session.c.ended_at.is_(None))
    if connection.execute(update(person_session).where(*going_on).values(ended_at=act.at)).rowcount:
        audit.append(connection, act, "signed_out", digest[:12], {})


def end_sessions(connection: Connection, act: Act, one: Person) -> int:
    """Sign somebody out everywhere; how many sessions that were."""
    going_on = (person_session.c.person_id == one.key, person_session.c.ended_at.is_(None))
    ended = connection.execute(update(person_session).where(*going_on).values(ended_at=act.at)).rowcount
    if ended:
        audit.append(connection, act, "sessions_ended", one.login, {"sessions": ended})
    return ended


def sessions(connection: Connection, key: int | None = None) -> list[SessionShown]:
    """The sessions that go on, the newest first; of one account where its key is given."""
    statement = (
        select(person_session, person.c.login)
        .join(person, person.c.id == person_session.c.person_id)
        .where(person_session.c.ended_at.is_(None))
        .order_by(person_session.c.seen_at.desc())
    )
    if key is not None:
        statement = statement.where(person_session.c.person_id == key)
    rows = connection.execute(statement)
    return [SessionShown(row.digest, row.login, row.began_at, row.seen_at, row.browser) for row in rows]


def last_seen(connection: Connection) -> dict[str, datetime]:
    """When each account was last in use, by login; whoever never was is not among them."""
    rows = connection.execute(
        select(person.c.login, func.max(person_session.c.seen_at).label("at"))
        .join(person, person.c.id == person_session.c.person_id)
        .group_by(person.c.login)
    )
    return {row.login: row.at for row in rows}


# -- tokens


def _token(row: Row) -> Token:
    return Token(row.id, row.name, row.bureau_code, row.made_by, row.made_at, row.ends_at, row.revoked_at)


def issue_token(
    connection: Connection, act: Act, digest: str, name: str, bureau: str, ends_at: datetime | None
) -> Token:
    """Keep a new token's digest."""
    row = {"digest": digest, "name": storable(name), "bureau_code": bureau, "made_by": act.actor, "made_at": act.at}
    key = connection.execute(insert(api_token).values(**row, ends_at=ends_at)).inserted_primary_key[0]  # type: ignore[index]
    audit.append(connection, act, "token_issued", bureau, {"token": key, "name": name})
    return _token(connection.execute(select(api_token).where(api_token.c.id == key)).one())


def token(connection: Connection, digest: str) -> Token | None:
    """The token with this digest, whether it is still good or not."""
    row = connection.execute(select(api_token).where(api_token.c.digest == digest)).first()
    return _token(row) if row is not None else None


def tokens(connection: Connection) -> list[Token]:
    """All tokens, the newest first."""
    return [_token(row) for row in connection.execute(select(api_token).order_by(api_token.c.id.desc()))]


def revoke_token(connection: Connection, act: Act, key: int) -> bool:
    """Make a token unusable from now on; False where it was revoked before.

    Raises:
        UserError: there is no such token.
    """
    row = connection.execute(select(api_token).where(api_token.c.id == key)).first()
    if row is None:
        raise UserError(f"没有第 {key} 号令牌。", f"There is no token number {key}.")
    if row.revoked_at is not None:
        return False
    connection.execute(update(api_token).where(api_token.c.id == key).values(revoked_at=act.at))
    audit.append(connection, act, "token_revoked", row.bureau_code, {"token": key})
    return True

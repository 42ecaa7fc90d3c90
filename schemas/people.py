"""People with an account at the desk, and what each kind of them is there for. Not here: what a role may do (`desk.access`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What somebody is there for."""

    STEWARD = "steward"
    HEAD = "head"
    REPORTER = "reporter"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `bureau` is the code of the bureau for which a reporter reports; `must_change`: the password was
    given by somebody else. Whoever has no password signs in with the identity provider; `bound`: it has sent them before."""

    key: int
    login: str
    name: str
    role: Role
    bureau: str | None
    active: bool
    must_change: bool
    has_password: bool
    bound: bool
    made_at: datetime

    @property
    def signature(self) -> str:
        """How a decision names them: two people of one name are still two."""
        return f"{self.name}({self.login})"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at an identity provider, and the login that it gives them."""

    issuer: str
    subject: str
    login: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in: the session's digest and the word that its forms carry."""

    person: Person
    session: str
    csrf: str
    began_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class SessionShown:
    """A session as its owner or an administrator sees it."""

    digest: str
    login: str
    began_at: datetime
    seen_at: datetime
    browser: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token with which a bureau's own system sends returns; the token itself is kept by nobody here."""

    key: int
    name: str
    bureau: str
    made_by: str
    made_at: datetime
    ends_at: datetime | None
    revoked_at: datetime | None

    def is_good(self, at: datetime) -> bool:
        """Whether it may be used at a moment."""
        return self.revoked_at is None and (self.ends_at is None or at < self.ends_at)

"""What the desk asks of the warehouse about its people: each method is one transaction. What it does stands in `people`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from disclosure_etl.warehouse import people
from disclosure_etl.warehouse.connection import reading
from disclosure_etl.warehouse.deciding import Deciding
from schemas.people import Identity, Person, SessionShown, Token, Visitor


@dataclass(frozen=True)
class Staffing(Deciding):
    """One database, in which accounts are kept."""

    def people(self) -> list[Person]:
        """All accounts, by login."""
        with reading(self.engine) as connection:
            return people.everybody(connection)

    def person_by_login(self, login: str) -> tuple[Person, str | None] | None:
        """An account with its password's hash; None where there is none."""
        with reading(self.engine) as connection:
            return people.by_login(connection, login)

    def add_person(self, login: str, values: Mapping[str, Any]) -> Person:
        """Make an account; see `people.add`."""
        with self._writing() as connection:
            return people.add(connection, self._act(), login, values)

    def change_person(self, key: int, values: Mapping[str, Any]) -> Person:
        """Change an account; see `people.change`."""
        with self._writing() as connection:
            return people.change(connection, self._act(), key, values)

    def person_of(self, who: Identity) -> Person | None:
        """The account that is bound to somebody at an identity provider."""
        with reading(self.engine) as connection:
            return people.of_identity(connection, who)

    def bind_person(self, key: int, who: Identity) -> bool:
        """Bind an account to somebody at an identity provider; see `people.bind`."""
        with self._writing() as connection:
            return people.bind(connection, self._act(), key, who)

    def note_refused(self, login: str, address: str, why: Mapping[str, str]) -> None:
        """Note an attempt to sign in that failed."""
        with self._writing() as connection:
            people.note_refused(connection, self._act(), login, address, why)

    def refused_since(self, login: str, address: str, since: datetime) -> tuple[int, int]:
        """How many attempts failed since: of that login after its last success, and from that address."""
        with reading(self.engine) as connection:
            return people.refused_since(connection, login, address, since)

    def begin_session(self, one: Person, digest: str, csrf: str, browser: str) -> None:
        """Somebody signed in."""
        with self._writing() as connection:
            people.begin_session(connection, self._act(), one, digest, csrf, browser)

    def visitor(self, digest: str) -> Visitor | None:
        """Whose session this is, if it goes on and the account is in use."""
        with reading(self.engine) as connection:
            return people.visitor(connection, digest)

    def touch_session(self, digest: str) -> None:
        """Note that a session is in use."""
        with self._writing() as connection:
            people.touch(connection, digest, self.clock())

    def end_session(self, digest: str) -> None:
        """Somebody signed out, or was signed out."""
        with self._writing() as connection:
            people.end_session(connection, self._act(), digest)

    def end_sessions(self, one: Person) -> int:
        """Sign somebody out everywhere; how many sessions that were."""
        with self._writing() as connection:
            return people.end_sessions(connection, self._act(), one)

    def sessions(self, key: int | None = None) -> list[SessionShown]:
        """The sessions that go on, the newest first; of one account where its key is given."""
        with reading(self.engine) as connection:
            return people.sessions(connection, key)

    def last_seen(self) -> dict[str, datetime]:
        """When each account was last in use, by login."""
        with reading(self.engine) as connection:
            return people.last_seen(connection)

    def issue_token(self, digest: str, name: str, bureau: str, ends_at: datetime | None) -> Token:
        """Keep a new token's digest."""
        with self._writing() as connection:
            return people.issue_token(connection, self._act(), digest, name, bureau, ends_at)

    def token(self, digest: str) -> Token | None:
        """The token with this digest, whether it is still good or not."""
        with reading(self.engine) as connection:
            return people.token(connection, digest)

    def tokens(self) -> list[Token]:
        """All tokens, the newest first."""
        with reading(self.engine) as connection:
            return people.tokens(connection)

    def revoke_token(self, key: int) -> bool:
        """Make a token unusable from now on; False where it was revoked before."""
        with self._writing() as connection:
            return people.revoke_token(connection, self._act(), key)

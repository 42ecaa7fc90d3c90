"""What the desk asks of the warehouse about cases: each method is one transaction. What it does stands in `case_pages` and
`casework`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from disclosure_etl.warehouse import audit, case_history, case_pages, casework
from disclosure_etl.warehouse.audit import Event
from disclosure_etl.warehouse.case_pages import BlockStanding, Listed, Point, Sent, Wanted
from disclosure_etl.warehouse.casework import Comment, Fate, Proposal, Upload
from disclosure_etl.warehouse.connection import reading, storable_all
from disclosure_etl.warehouse.queries import StoredFailure
from disclosure_etl.warehouse.staffing import Staffing
from schemas.people import Person
from schemas.periods import Period
from schemas.records import Failure


@dataclass(frozen=True)
class Reviewing(Staffing):
    """One database, of which cases are looked at, a page at a time."""

    def block_standings(self, family: str, period: Period, bureaus: Collection[str]) -> list[BlockStanding]:
        """How each block of these bureaus stands that was sent in a period."""
        with reading(self.engine) as connection:
            return case_pages.block_standings(connection, family, period, bureaus)

    def open_by_severity(self, family: str, periods: Collection[Period]) -> dict[tuple[str, str], int]:
        """How many cases of these periods are open, by period and severity."""
        with reading(self.engine) as connection:
            return case_pages.open_by_severity(connection, family, periods)

    def listed_failures(
        self, family: str, period: Period, wanted: Wanted, skip: int, most: int
    ) -> tuple[list[Listed], int]:
        """A page of a period's failures, and how many there are in all."""
        with reading(self.engine) as connection:
            return case_pages.listed_failures(connection, family, period, wanted, skip, most)

    def rules_failing(self, family: str, period: Period, state: str) -> list[tuple[str, int]]:
        """The rules that have failures of a state in a period, with how many cases each."""
        with reading(self.engine) as connection:
            return case_pages.rules_failing(connection, family, period, state)

    def failures_named(self, family: str, period: Period, wanted: Sequence[str]) -> list[StoredFailure]:
        """The failures of a period with these ids, and those that they are the cause of."""
        with reading(self.engine) as connection:
            return case_pages.failures_named(connection, family, period, storable_all(wanted))

    def failing_elsewhere(
        self, family: str, bureau: str, rule: str, most: int
    ) -> list[tuple[str, str, str, int | None]]:
        """Where else a rule failed at a bureau; see `case_pages.failing_elsewhere`."""
        with reading(self.engine) as connection:
            return case_pages.failing_elsewhere(connection, family, bureau, rule, most)

    def open_cases(self, family: str, period: Period) -> list[str]:
        """The ids of a period's open cases, in the order of the list."""
        with reading(self.engine) as connection:
            return case_pages.open_cases(connection, family, period)

    def sent_with(self, family: str, period: Period, failure_id: str) -> Sent | None:
        """The newest return of a period that has a failure; None where none has."""
        with reading(self.engine) as connection:
            return case_pages.sent_with(connection, family, period, failure_id)

    def course(
        self, family: str, bureau: str, indicators: Collection[str], column: str, last: Period, most: int = 12
    ) -> list[Point]:
        """What a bureau reported of these indicators up to a period; see `case_pages.course`."""
        with reading(self.engine) as connection:
            return case_pages.course(connection, family, bureau, indicators, column, last, most)

    def case_steps(
        self, family: str, period: Period, bureau: str | None, failure: Failure, submission: int
    ) -> list[case_history.Step]:
        """What was decided of a failure and of its return, the oldest first."""
        with reading(self.engine) as connection:
            return case_history.steps(connection, family, period, bureau, failure, submission)

    def comment(self, by: Person, family: str, period: Period, failure_id: str, text: str) -> None:
        """Keep what somebody says of a case."""
        with self._writing() as connection:
            casework.comment(connection, self._act(), by.signature, family, period, failure_id, text)

    def comments(self, family: str, period: Period, failure_id: str) -> list[Comment]:
        """What was said of a case, the oldest first."""
        with reading(self.engine) as connection:
            return casework.comments(connection, family, period, failure_id)

    def owner(self, family: str, period: Period, failure_id: str) -> tuple[int, int | None]:
        """The number of the last assignment of a case (0 where there is none), and whose it is."""
        with reading(self.engine) as connection:
            return casework.owner(connection, family, period, failure_id)

    def assign(self, by: Person, family: str, period: Period, failure_id: str, to: int | None) -> None:
        """Give a case to somebody, or to nobody."""
        with self._writing() as connection:
            casework.assign(connection, self._act(), by.signature, family, period, failure_id, to)

    def listed_events(self, kind: str, actor: str, subject: str, skip: int, most: int) -> tuple[list[Event], int]:
        """A page of the record, and how many events there are in all; see `audit.listed`."""
        with reading(self.engine) as connection:
            return audit.listed(connection, kind, actor, subject, skip, most)

    def kinds_of_events(self) -> list[str]:
        """The kinds of events that there are."""
        with reading(self.engine) as connection:
            return audit.kinds(connection)

    def events_since(
        self, family: str, period: Period, number: int, most: int, but: Collection[str] = ()
    ) -> list[Event]:
        """What others than `but` did to a period since an event of the record, the newest first."""
        with reading(self.engine) as connection:
            return casework.events_since(connection, family, period, number, most, but)

    def last_visit(self, key: int, family: str, period: Period) -> tuple[int, datetime] | None:
        """Up to which event somebody has seen a period, and when."""
        with reading(self.engine) as connection:
            return casework.last_visit(connection, key, family, period)

    def note_visit(self, key: int, family: str, period: Period, before: int | None) -> None:
        """Note that somebody sees a period as it is now; where nothing was done since `before`, nothing is to be noted."""
        head = self.audit_head()
        if before is not None and head is not None and head.number == before:
            return
        with self._writing() as connection:
            casework.note_visit(connection, self._act(), key, family, period)

    def open_proposal(self, kind: str, family: str, period: Period) -> Proposal | None:
        """What waits for a second person's word."""
        with reading(self.engine) as connection:
            return casework.open_proposal(connection, kind, family, period)

    def propose(
        self, by: Person, kind: str, family: str, period: Period, content_hash: str, details: Mapping[str, Any]
    ) -> Proposal:
        """Keep the first person's word, in the place of an earlier one that still waits."""
        with self._writing() as connection:
            return casework.propose(connection, self._act(), by.signature, kind, family, period, content_hash, details)

    def end_proposal(self, by: Person, number: int, outcome: str) -> None:
        """Note what came of a proposal."""
        with self._writing() as connection:
            casework.end_proposal(connection, self._act(), by.signature, number, outcome)

    def keep_upload(self, one: Upload) -> Upload:
        """Note a file that came; of a sender's idempotency key the first stands, and is given back."""
        with self._writing() as connection:
            return casework.keep_upload(connection, self._act(), one)

    def upload(self, key: str) -> Upload | None:
        """A file that came, by its public name."""
        with reading(self.engine) as connection:
            return casework.upload_by_key(connection, key)

    def upload_with(self, token: int, idempotency: str) -> Upload | None:
        """What a token has sent with an idempotency key."""
        with reading(self.engine) as connection:
            return casework.upload_with(connection, token, idempotency)

    def uploads(self, bureau: str, most: int = 50, skip: int = 0) -> list[Upload]:
        """What came of a bureau's, the newest first."""
        with reading(self.engine) as connection:
            return casework.uploads(connection, bureau, most, skip)

    def fates(self, digests: Collection[str]) -> dict[str, Fate]:
        """Where bytes that came stand, by digest."""
        with reading(self.engine) as connection:
            return casework.fates(connection, digests)

"""What may be asked of the warehouse: each method is one reading transaction, with one consistent view.

Not here: whatever changes anything (`facade`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from disclosure_etl.warehouse import (
    arrivals,
    audit,
    batches,
    decisions,
    figures,
    listed,
    past,
    pending,
    queries,
    rule_sets,
    verifying,
    versions,
)
from disclosure_etl.warehouse.audit import ChainVerified, Event
from disclosure_etl.warehouse.connection import reading
from disclosure_etl.warehouse.copying import Copy
from disclosure_etl.warehouse.listed import StoredItem
from disclosure_etl.warehouse.pending import Waiting
from disclosure_etl.warehouse.queries import Refused, RuleHealth, StoredFailure
from disclosure_etl.warehouse.verifying import Due, Verified
from schemas.consolidation import BureauFigure, Consolidation
from schemas.forms import Form
from schemas.periods import Frequency, Period
from schemas.records import (
    Batch,
    DocumentRecord,
    History,
    LooksBack,
    Norms,
    Unread,
    Waiver,
)
from schemas.rules import RuleSet


@dataclass(frozen=True)
class Answers:
    """One database, to be read. All methods raise `UserError` where it cannot be reached."""

    engine: Engine

    def documents(self, digests: Collection[str] | None = None) -> dict[str, DocumentRecord]:
        """All bytes that were ever read or refused, by digest; of these only, where they are given."""
        with reading(self.engine) as connection:
            return arrivals.known_documents(connection, digests)

    def stored_batch(self, form: Form, period: Period, bureaus: Collection[str] | None = None) -> Batch:
        """The period's submissions that are not superseded, as they were read."""
        with reading(self.engine) as connection:
            return batches.stored_batch(connection, form, period, bureaus)

    def history(
        self,
        form: Form,
        period: Period,
        bureaus: Sequence[str | None],
        looks: LooksBack,
        finer: Frequency | None = None,
    ) -> History:
        """What accepted returns of other periods say, one entry for each of `bureaus`; see `past.history`."""
        with reading(self.engine) as connection:
            return past.history(connection, form, period, bureaus, looks, finer)

    def known_keys(self, form: Form, period: Period) -> dict[str, frozenset[str]]:
        """Of each list that others follow: the keys of all bureaus that count, in this and earlier periods."""
        with reading(self.engine) as connection:
            return listed.known_keys(connection, form, period.end)

    def listed_items(self, form: Form, period: Period) -> list[StoredItem]:
        """The items of all lists that count, of all bureaus, in this and earlier periods."""
        with reading(self.engine) as connection:
            return listed.listed_items(connection, form, period.end)

    def rules_of(self, version: str, period: Period) -> RuleSet | None:
        """The rules that a result was found by, made again."""
        with reading(self.engine) as connection:
            return rule_sets.rules_of(connection, version, period)

    def norms_of(self, rules: RuleSet) -> Norms | None:
        """What all bureaus did in a period, as kept when it was last judged as a whole by the same rules."""
        with reading(self.engine) as connection:
            return rule_sets.norms_of(connection, rules)

    def waivers(self, family: str) -> tuple[Waiver, ...]:
        """The waivers of a family that stand."""
        with reading(self.engine) as connection:
            return decisions.waivers(connection, family)

    def next_waiting(self) -> Waiting | None:
        """What is to be judged again or frozen anew first, of all that waits for it."""
        with reading(self.engine) as connection:
            return pending.next_waiting(connection)

    def consolidation(
        self, family: str, period: Period, version: int | None = None, as_of: datetime | None = None
    ) -> Consolidation | None:
        """The newest frozen version (or one by number, or what was the newest then), as it was frozen."""
        with reading(self.engine) as connection:
            return versions.newest(connection, family, period, version, as_of)

    # -- the record of what was done

    def audit_head(self) -> Event | None:
        """The newest event."""
        with reading(self.engine) as connection:
            return audit.head(connection)

    def freezing(self, one: Consolidation) -> Event | None:
        """The event by which a version was frozen; None of what was taken over from before there was a record."""
        with reading(self.engine) as connection:
            return audit.freezing(connection, one.family, one.period, one.version)

    def audit_events(self, kind: str | None = None, subject: str | None = None) -> list[Event]:
        """Events from the oldest on: of a kind, and of a subject or what begins with it."""
        with reading(self.engine) as connection:
            return audit.events(connection, kind, subject)

    def audit_verify(self, anchor: str | None = None) -> ChainVerified:
        """Whether the chain holds from its first event to its head, and has the anchor in it."""
        with reading(self.engine) as connection:
            return audit.verify(connection, anchor)

    def received_digests(self) -> list[str]:
        """The digests of all bytes that were received, in order."""
        with reading(self.engine) as connection:
            return arrivals.received_digests(connection)

    @contextmanager
    def copied(self) -> Iterator[Copy]:
        """All that is stored, in one consistent view, also of an older schema version."""
        with reading(self.engine) as connection:
            yield Copy(connection)

    def verify(self, due: Sequence[Due], anchor: str | None = None) -> list[Verified]:
        """Whether all that is stored hangs together; see `verifying.verify`."""
        with reading(self.engine) as connection:
            return verifying.verify(connection, due, anchor)

    # -- questions

    def bureau_figures(self, form: Form, period: Period, columns: Collection[str] | None = None) -> list[BureauFigure]:
        """Every bureau's figures that count in the period, in these columns (all where None)."""
        with reading(self.engine) as connection:
            return figures.bureau_figures(connection, form, period, columns)

    def failures(self, family: str, period: Period, bureau: str | None = None) -> list[StoredFailure]:
        """The period's failures, errors first, then by impact."""
        with reading(self.engine) as connection:
            return queries.failures(connection, family, period, bureau)

    def version_failures(self, family: str, period: Period, version: int) -> list[StoredFailure]:
        """The failures of the submissions that a frozen version is made of."""
        with reading(self.engine) as connection:
            return queries.version_failures(connection, family, period, version)

    def version_figures(
        self, family: str, period: Period, version: int, columns: Collection[str]
    ) -> list[BureauFigure]:
        """Every bureau's figures in some of a period's own columns, as they entered a frozen version."""
        with reading(self.engine) as connection:
            return queries.version_figures(connection, family, period, version, columns)

    def refused(self, family: str, period: Period) -> list[Refused]:
        """Files of the period that gave no submission, and those that came too late to be taken."""
        with reading(self.engine) as connection:
            return queries.refused(connection, family, period)

    def unread(self, family: str, period: Period) -> list[tuple[str, Unread]]:
        """What looked like a figure and was not understood, by file."""
        with reading(self.engine) as connection:
            return queries.unread_places(connection, family, period)

    def rule_versions(self, family: str, period: Period) -> dict[str, str]:
        """By the digest of each of the period's returns: the version of the rules by which it was judged."""
        with reading(self.engine) as connection:
            return queries.rule_versions(connection, family, period)

    def rule_health(self, family: str, first: Period | None, last: Period | None) -> list[RuleHealth]:
        """How every rule fared, over the periods from `first` to `last`."""
        with reading(self.engine) as connection:
            return queries.rule_health(connection, family, first, last)

    def later_periods(self, family: str, period: Period) -> tuple[Period, ...]:
        """Periods after `period` that hold submissions."""
        with reading(self.engine) as connection:
            return queries.later_periods(connection, family, period)

    def consolidated_periods(self, family: str) -> tuple[Period, ...]:
        """All periods of any frequency that have a frozen version."""
        with reading(self.engine) as connection:
            return queries.consolidated_periods(connection, family)

    def periods(self, family: str) -> tuple[Period, ...]:
        """All periods that hold submissions."""
        with reading(self.engine) as connection:
            return queries.periods(connection, family)

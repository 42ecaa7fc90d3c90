"""What may be asked of the warehouse: each method is one reading transaction, with one consistent view.

Not here: whatever changes anything (`facade`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from disclosure_etl.warehouse import (
    arrivals,
    audit,
    batches,
    changes,
    decisions,
    everybody,
    figures,
    known_then,
    listed,
    past,
    pending,
    queries,
    restating,
    return_decisions,
    revisions,
    rule_sets,
    signing,
    standing_figures,
    standings,
    verifying,
    versions,
)
from disclosure_etl.warehouse.audit import ChainVerified, Event
from disclosure_etl.warehouse.connection import Rehearsal, reading
from disclosure_etl.warehouse.copying import Copy
from disclosure_etl.warehouse.listed import StoredItem
from disclosure_etl.warehouse.pending import Waiting
from disclosure_etl.warehouse.queries import Refused, RuleHealth, StoredFailure
from disclosure_etl.warehouse.revisions import Span
from disclosure_etl.warehouse.signing import Unsettled
from disclosure_etl.warehouse.standing_figures import Accepted
from disclosure_etl.warehouse.standings import YearLock
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
from schemas.restatements import Restatement
from schemas.returns import ReturnDecision, StoredReturn
from schemas.rules import RuleSet
from schemas.versions import BureauRevision, ChangeList, FrozenVersion, Revisions


@dataclass(frozen=True)
class Answers:
    """One database, to be read. All methods raise `UserError` where it cannot be reached."""

    engine: Engine | Rehearsal

    def documents(self, digests: Collection[str] | None = None) -> dict[str, DocumentRecord]:
        """All bytes that were ever read or refused, by digest; of these only, where they are given."""
        with reading(self.engine) as connection:
            return arrivals.known_documents(connection, digests)

    def first_receipts(self, digests: Sequence[str]) -> dict[str, int]:
        """The receipt that first brought each of these bytes."""
        with reading(self.engine) as connection:
            return arrivals.first_receipts(connection, digests)

    def taken(self, source: str) -> dict[str, arrivals.Taken]:
        """What of a source a look at its listing is enough for, by name; see `arrivals.taken`."""
        with reading(self.engine) as connection:
            return arrivals.taken(connection, source)

    def stored_batch(self, form: Form, period: Period, bureaus: Collection[str] | None = None) -> Batch:
        """The period's submissions that are not superseded, as they were read."""
        with reading(self.engine) as connection:
            return batches.stored_batch(connection, form, period, bureaus)

    def totals(self, form: Form, period: Period, without: Collection[str]) -> dict[str, int]:
        """The sum of each cell over the period's returns, without those of some bureaus; see `everybody.totals`."""
        with reading(self.engine) as connection:
            return everybody.totals(connection, form, period, without)

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
        """Of each list that others follow: all keys of any bureau, in this period and as far as they count in earlier ones."""
        with reading(self.engine) as connection:
            return everybody.known_keys(connection, form, period)

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

    def returns(self, family: str, period: Period, bureau: str | None = None) -> list[StoredReturn]:
        """Every return that is stored for a period, whatever became of it, in the order in which they count."""
        with reading(self.engine) as connection:
            return return_decisions.stored_returns(connection, family, period.code, bureau)

    def return_decisions(self, family: str, of: int | None = None) -> list[ReturnDecision]:
        """What was decided of a family's returns, and stands; of one return where its key is given."""
        with reading(self.engine) as connection:
            return return_decisions.decisions(connection, family, of)

    def sent_back(self, family: str, bureau: str) -> list[tuple[ReturnDecision, str]]:
        """What of a bureau's returns is sent back and not corrected yet, oldest first, each with the file as it was received."""
        with reading(self.engine) as connection:
            return return_decisions.sent_back(connection, family, bureau)

    def stale_since(
        self, family: str, first: Period | None = None, bureaus: Collection[str] | None = None
    ) -> dict[str, list[Period]]:
        """By bureau: the periods, from `first` on, in which an accepted block of it no longer follows; in order."""
        with reading(self.engine) as connection:
            return standing_figures.stale_since(connection, family, first, bureaus)

    def accepted(self, family: str, periods: Sequence[Period], bureaus: Sequence[str]) -> Accepted:
        """All that is accepted of these bureaus in these periods."""
        with reading(self.engine) as connection:
            return standing_figures.accepted(connection, family, periods, bureaus)

    def restatements(self, family: str, periods: Sequence[Period] | None = None) -> list[Restatement]:
        """The restatements of these periods (of all where None) that stand, oldest first."""
        with reading(self.engine) as connection:
            codes = None if periods is None else [one.code for one in periods]
            return restating.standing(connection, family, codes)

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

    def frozen_after(self, number: int) -> list[Consolidation]:
        """The versions that were frozen after an event of the record, in that order."""
        with reading(self.engine) as connection:
            return versions.frozen_after(connection, number)

    def others(self, family: str, period: Period) -> int:
        """How many files of other periods the newest frozen version has met; 0 where there is none."""
        with reading(self.engine) as connection:
            return versions.others_of(connection, family, period)

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

    def bureau_figures(
        self,
        form: Form,
        period: Period,
        columns: Collection[str] | None = None,
        version: int | None = None,
        bureau: str | None = None,
    ) -> list[BureauFigure]:
        """Every bureau's figures (or one's) that count in the period, in these columns (all where None); or as they entered a
        frozen version."""
        with reading(self.engine) as connection:
            key = None if version is None else known_then.key_of(connection, form.family, period, version)
            return figures.bureau_figures(connection, form, period, columns, key, bureau)

    def failures(self, family: str, period: Period, bureau: str | None = None) -> list[StoredFailure]:
        """The period's failures, errors first, then by impact."""
        with reading(self.engine) as connection:
            return queries.failures(connection, family, period, bureau)

    def version_failures(self, family: str, period: Period, version: int) -> list[StoredFailure]:
        """The failures of a period as they were known when a version was frozen."""
        with reading(self.engine) as connection:
            return known_then.version_failures(connection, family, period, version)

    def version_refused(self, family: str, period: Period, version: int) -> list[Refused]:
        """The files of the period that gave no figures when a version was frozen."""
        with reading(self.engine) as connection:
            return known_then.version_refused_files(connection, family, period, version)

    def lock_of(self, family: str, period: Period) -> YearLock | None:
        """The lock on a period's year; None where it is open."""
        with reading(self.engine) as connection:
            return standings.lock_of(connection, family, period)

    def last_lock(self, family: str, year: int) -> YearLock | None:
        """Whether a year was locked or reopened last; None where neither ever was."""
        with reading(self.engine) as connection:
            return standings.last_decision(connection, family, year)

    def frozen_versions(
        self, family: str, periods: Sequence[Period] | None = None, as_of: datetime | None = None
    ) -> list[FrozenVersion]:
        """All versions of these periods (all where None) without their figures, with who signed and released them."""
        with reading(self.engine) as connection:
            return signing.frozen_versions(connection, family, periods, as_of)

    def changes(self, form: Form, period: Period, older: FrozenVersion, newer: FrozenVersion) -> ChangeList:
        """What changed from one version of a period to another, and why."""
        with reading(self.engine) as connection:
            return changes.change_list(connection, form, period, older, newer)

    def revisions(
        self, family: str, spot: tuple[str, str], frequency: Frequency, span: Span, as_of: datetime | None = None
    ) -> Revisions:
        """A figure (indicator and column) of all periods in all their versions."""
        with reading(self.engine) as connection:
            return revisions.revisions(connection, family, spot, frequency, span, as_of)

    def bureau_revisions(
        self, family: str, spot: tuple[str, str], frequency: Frequency, span: Span, as_of: datetime | None = None
    ) -> list[BureauRevision]:
        """How far each bureau's figure moved from its first version to its newest."""
        with reading(self.engine) as connection:
            return revisions.bureau_revisions(connection, family, spot, frequency, span, as_of)

    def unsettled(self, family: str, period: Period) -> Unsettled | None:
        """What a period waits for; None where nothing does."""
        with reading(self.engine) as connection:
            return signing.unsettled(connection, family, period)

    def refuse_locked(self, family: str, periods: Iterable[Period]) -> None:
        """Refuse a change of what counts in a locked year, with a message that says what to do."""
        with reading(self.engine) as connection:
            standings.refuse_locked(connection, family, periods)

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

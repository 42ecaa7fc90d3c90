"""The warehouse as the rest of the product sees it: each method is one transaction. What it does stands in its siblings."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, update

from disclosure_etl.bureaus import Bureau, Duty
from disclosure_etl.warehouse import (
    arrivals,
    batches,
    decisions,
    figures,
    listed,
    loading,
    past,
    pending,
    queries,
    rule_sets,
    versions,
)
from disclosure_etl.warehouse import baseline as baselines
from disclosure_etl.warehouse.baseline import BaselineRow, Imported
from disclosure_etl.warehouse.connection import open_engine, reading, require_current, schema_version, upgrade, writing
from disclosure_etl.warehouse.dimensions import sync_bureaus, sync_form
from disclosure_etl.warehouse.listed import StoredItem
from disclosure_etl.warehouse.pending import Dependents, Waiting
from disclosure_etl.warehouse.queries import Refused, RuleHealth, StoredFailure
from disclosure_etl.warehouse.tables import run as run_table
from schemas.consolidation import BureauFigure, Consolidation
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.periods import Frequency, Period
from schemas.records import (
    Batch,
    DocumentRecord,
    Failure,
    History,
    Judged,
    LooksBack,
    Norms,
    Receipt,
    Unread,
    Waiver,
)
from schemas.rules import RuleSet


@dataclass(frozen=True)
class Warehouse:
    """One database. All methods raise `UserError` where it cannot be reached."""

    engine: Engine

    @classmethod
    def open(cls, url: str, *, any_version: bool = False) -> Warehouse:
        """Open the database at `url`, making the schema in an empty one.

        Raises:
            UserError: the address is unusable, or the schema is of another version (unless `any_version`).
        """
        engine = open_engine(url)
        if not any_version:
            require_current(engine)
        return cls(engine)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def schema_version(self) -> tuple[str | None, str]:
        """The schema version found and the one needed."""
        return schema_version(self.engine)

    def upgrade(self) -> None:
        """Bring the schema to this program's version."""
        upgrade(self.engine)

    # -- dimensions and runs

    def sync(self, bureaus: Iterable[Bureau], forms: Iterable[Form]) -> None:
        """Enter bureaus and forms as configured now."""
        with writing(self.engine) as connection:
            sync_bureaus(connection, bureaus)
            for form in forms:
                sync_form(connection, form)

    def start_run(self, command: str, family: str, period: Period, at: datetime) -> str:
        """Begin the record of a run, and return its name."""
        name = f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        with writing(self.engine) as connection:
            connection.execute(
                insert(run_table).values(
                    id=name,
                    command=command,
                    family=family,
                    period=period.code,
                    started_at=at,
                    status="running",
                    counts={},
                )
            )
        return name

    def finish_run(self, run: str, status: str, counts: Mapping[str, int], at: datetime) -> None:
        """End the record of a run."""
        with writing(self.engine) as connection:
            connection.execute(
                update(run_table)
                .where(run_table.c.id == run)
                .values(status=status, counts={str(name): count for name, count in counts.items()}, finished_at=at)
            )

    # -- arrivals

    def documents(self) -> dict[str, DocumentRecord]:
        """All bytes that were ever read or refused, by digest."""
        with reading(self.engine) as connection:
            return arrivals.known_documents(connection)

    def record_arrivals(
        self, run: str, period: Period, receipts: Sequence[Receipt], documents: Sequence[DocumentRecord]
    ) -> None:
        """Note what arrived and what was found in it. Repeating it changes nothing."""
        with writing(self.engine) as connection:
            arrivals.record_receipts(connection, run, receipts)
            arrivals.record_documents(connection, period.code, documents)

    def note_gone(self, source: str, present: Collection[str]) -> None:
        """Note which unusable files no longer lie at a source, given all names that do."""
        with writing(self.engine) as connection:
            arrivals.note_gone(connection, source, present)

    def attach(self, run: str, files: Mapping[str, tuple[str, str]]) -> None:
        """Note sealed scans and copies as attachments of returns: by their digest, the return's and their name."""
        with writing(self.engine) as connection:
            arrivals.attach(connection, run, files)

    # -- submissions

    def load(
        self,
        run: str,
        form: Form,
        period: Period,
        judged: Sequence[Judged],
        receipts: Mapping[str, Receipt],
        rules: str | None = None,
        dependents: Dependents = Dependents(),  # noqa: B008 - frozen
    ) -> set[str]:
        """Store judged submissions of a period that are not stored yet.

        Args:
            receipts: the first receipt of each digest, for when it came.
            rules: the version of the rules that they were judged by, entered before.
            dependents: what is to be judged again where this changes something that it looks back on.

        Returns:
            The codes of bureaus whose accepted blocks changed: what their later periods depend on.
        """
        with writing(self.engine) as connection:
            return loading.load(connection, run, form, period, judged, receipts, rules, dependents)

    def renew(
        self,
        form: Form,
        period: Period,
        judged: Sequence[Judged],
        rules: str | None = None,
        dependents: Dependents = Dependents(),  # noqa: B008 - frozen
    ) -> set[str]:
        """Replace the machine's verdicts of stored submissions; an accepted block that now fails becomes stale.

        Returns:
            As `load`.
        """
        with writing(self.engine) as connection:
            return loading.renew(connection, form, period, judged, rules, dependents)

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

    # -- rules and decisions

    def enter_rules(self, rules: RuleSet, at: datetime, norms: Norms | None = None) -> str:
        """Keep the rules that a period is judged by, and what all its bureaus did; the rules' version."""
        with writing(self.engine) as connection:
            version = rule_sets.enter_rule_set(connection, rules, at)
            if norms is not None:
                rule_sets.keep_norms(connection, rules, norms)
            return version

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

    def waive(
        self,
        family: str,
        bureau: str,
        failure: Failure,
        periods: tuple[Period, Period],
        reason: str,
        by: str,
        at: datetime,
    ) -> Waiver:
        """Record a steward's word that a failure may stand, from the first of `periods` to the second. The bureau's returns
        of those periods wait to be judged again."""
        with writing(self.engine) as connection:
            waiver = decisions.waive(connection, family, bureau, failure, periods, reason, by, at)
            pending.note_judgements(connection, _covered(waiver), [bureau])
            return waiver

    def withdraw(self, waiver: Waiver, reason: str, by: str, at: datetime) -> None:
        """Record that a waiver no longer stands; what it covered waits to be judged again."""
        with writing(self.engine) as connection:
            decisions.withdraw(connection, waiver, reason, by, at)
            pending.note_judgements(connection, _covered(waiver), [waiver.bureau])

    def import_baseline(
        self,
        run: str,
        family: str,
        forms: Forms,
        rows: Sequence[BaselineRow],
        source: str,
        at: datetime,
        *,
        replace: bool,
        dependents: Callable[[Period], Dependents] = lambda _: Dependents(),
    ) -> Imported:
        """Take over figures of earlier periods, marked unverified; what looks back on them waits to be judged again."""
        with writing(self.engine) as connection:
            imported = baselines.import_baseline(connection, run, family, forms, rows, source, at, replace)
            for period in {row.period for row in rows} if imported.inserted or imported.replaced else ():
                bureaus = {row.bureau for row in rows if row.period == period and row.bureau}
                pending.note_judgements(connection, dependents(period).judged, bureaus)
                pending.note_freezing(connection, dependents(period).frozen)
            return imported

    # -- figures

    def freeze(
        self,
        run: str,
        form: Form,
        period: Period,
        duty: Duty,
        others: int = 0,
        rules: str | None = None,
        dependents: Dependents = Dependents(),  # noqa: B008 - frozen
    ) -> Consolidation:
        """Freeze the period's provisional version; the newest one is returned where nothing changed."""
        with writing(self.engine) as connection:
            return versions.freeze(connection, run, form, period, duty, others, rules, dependents)

    def next_waiting(self) -> Waiting | None:
        """What is to be judged again or frozen anew first, of all that waits for it."""
        with reading(self.engine) as connection:
            return pending.next_waiting(connection)

    def settle_pending(self, waiting: Waiting) -> None:
        """Note that nothing waits there any more."""
        with writing(self.engine) as connection:
            pending.settle_pending(connection, waiting.family, waiting.period, [*waiting.bureaus, pending.FREEZE])

    def consolidation(self, family: str, period: Period, version: int | None = None) -> Consolidation | None:
        """The newest frozen version (or one by number), as it was frozen."""
        with reading(self.engine) as connection:
            return versions.newest(connection, family, period, version)

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


def _covered(waiver: Waiver) -> list[tuple[str, Period]]:
    """The periods that a waiver is for."""
    period, last = Period.parse(waiver.first), Period.parse(waiver.last)
    found = []
    while period.end <= last.end:
        found.append((waiver.family, period))
        period = period.shifted(1)
    return found

"""The warehouse as the rest of the product sees it: each method is one transaction. What it does stands in its siblings."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine, insert, update

from disclosure_etl.bureaus import Bureau, Duty
from disclosure_etl.warehouse import (
    arrivals,
    audit,
    loading,
    moves,
    pending,
    rule_sets,
    run_lock,
    standings,
    versions,
)
from disclosure_etl.warehouse import baseline as baselines
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.baseline import BaselineRow, Imported
from disclosure_etl.warehouse.connection import (
    known_versions,
    open_engine,
    reading,
    rehearsing,
    require_current,
    schema_version,
    upgrade,
    writing,
)
from disclosure_etl.warehouse.copying import Filling, version_of
from disclosure_etl.warehouse.deciding import utc_now
from disclosure_etl.warehouse.dimensions import sync_bureaus, sync_form
from disclosure_etl.warehouse.pending import Dependents, Waiting
from disclosure_etl.warehouse.reviewing import Reviewing
from disclosure_etl.warehouse.tables import run as run_table
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.formfile import Forms
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import (
    DocumentRecord,
    Judged,
    Norms,
    Receipt,
)
from schemas.rules import RuleSet


@dataclass(frozen=True)
class Warehouse(Reviewing):
    """One database. All methods raise `UserError` where it cannot be reached."""

    @classmethod
    def open(
        cls, url: str, *, any_version: bool = False, clock: Callable[[], datetime] | None = None, actor: str = "unknown"
    ) -> Warehouse:
        """Open the database at `url`, making the schema in an empty one.

        Raises:
            UserError: the address is unusable, or the schema is of another version (unless `any_version`).
        """
        engine = open_engine(url)
        warehouse = cls(engine, clock or utc_now, actor)
        if not any_version:
            require_current(engine)
            warehouse._note_schema()
        return warehouse

    @contextmanager
    def rehearsing(self) -> Iterator[Warehouse]:
        """The same warehouse, of which nothing that is written into it stays."""
        with rehearsing(self._own_engine) as rehearsal:
            yield replace(self, engine=rehearsal)

    @property
    def _own_engine(self) -> Engine:
        """What only a database of its own can do."""
        assert isinstance(self.engine, Engine), "nobody rehearses, upgrades or restores in a rehearsal"
        return self.engine

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def schema_version(self) -> tuple[str | None, str]:
        """The schema version found and the one needed."""
        return schema_version(self._own_engine)

    def upgrade(self) -> None:
        """Bring the schema to this program's version."""
        upgrade(self._own_engine)
        self._note_schema()

    @contextmanager
    def alone(self, doing: str, patience_seconds: float, tell: run_lock.Tell) -> Iterator[Warehouse]:
        """This warehouse while nobody else judges or decides; see `run_lock.alone`. Once the lock is lost, it writes no more.
        Where this one is had alone already, it is itself. Whoever has it waits for other writers as a command does: none of these takes
        long."""
        if self.lock is not None:
            yield self
            return
        with run_lock.alone(self._own_engine, self.actor, doing, patience_seconds, tell) as lock:
            yield replace(self, lock=lock, patience=None)

    def _note_schema(self) -> None:
        """Begin the record, or note that the schema is another than when it was last noted."""
        with reading(self.engine) as connection:
            version = version_of(connection)
            if version == audit.last_told(connection, "schema", "version"):
                return
        with writing(self.engine) as connection:
            if version != audit.last_told(connection, "schema", "version"):
                moves.make_known(connection, self._act(), {"version": version})

    @contextmanager
    def filling(self, version: str) -> Iterator[Filling]:
        """Fill an empty database from a copy of that schema version; then it is brought to this program's. All or nothing."""
        known = known_versions(self._own_engine)
        if version not in known:
            raise UserError(
                f"备份的结构版本 {version} 比本程序新(本程序为 {known[0]});请用更新的程序恢复。",
                f"The copy has schema version {version}, newer than this program's ({known[0]}); restore it with a newer program.",
            )
        with self._writing() as connection:
            filling = Filling(connection, version)
            yield filling
            filling.settle()
        self.upgrade()

    def note_restored(self, details: Mapping[str, object]) -> None:
        """Note that all of this came from a copy."""
        with self._writing() as connection:
            audit.append(connection, self._act(), "restore", "", details)

    def note_configuration(self, digests: Mapping[str, str]) -> None:
        """Note which configuration is in force: the SHA-256 of each file. The same configuration is noted once."""
        with reading(self.engine) as connection:
            if audit.last_told(connection, "configuration", "files") == digests:
                return
        with self._writing() as connection:
            before = audit.last_told(connection, "configuration", "files") or {}
            if before != digests:
                changed = sorted(name for name in {*before, *digests} if before.get(name) != digests.get(name))
                audit.append(connection, self._act(), "configuration", "", {"files": digests, "changed": changed})

    # -- dimensions and runs

    def sync(self, bureaus: Iterable[Bureau], forms: Iterable[Form]) -> None:
        """Enter bureaus and forms as configured now."""
        with self._writing() as connection:
            sync_bureaus(connection, bureaus)
            for form in forms:
                sync_form(connection, form)

    def start_run(self, command: str, family: str, period: Period, at: datetime) -> str:
        """Begin the record of a run, and return its name."""
        name = f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        with self._writing() as connection:
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
        with self._writing() as connection:
            connection.execute(
                update(run_table)
                .where(run_table.c.id == run)
                .values(status=status, counts={str(name): count for name, count in counts.items()}, finished_at=at)
            )

    # -- arrivals

    def record_arrivals(
        self, run: str, period: Period, receipts: Sequence[Receipt], documents: Sequence[DocumentRecord]
    ) -> None:
        """Note what arrived and what was found in it. Repeating it changes nothing."""
        with self._writing() as connection:
            news = arrivals.record_receipts(connection, run, receipts)
            arrivals.record_documents(connection, period.code, documents)
            if news:
                audit.append(connection, self._act(run), "arrival", f"{period}", arrivals.told(news))

    def note_gone(self, source: str, present: Collection[str]) -> None:
        """Note which unusable files no longer lie at a source, given all names that do."""
        with self._writing() as connection:
            arrivals.note_gone(connection, source, present)

    def attach(self, run: str, files: Mapping[str, tuple[str, str]]) -> None:
        """Note sealed scans and copies as attachments of returns: by their digest, the return's and their name."""
        with self._writing() as connection:
            attached = arrivals.attach(connection, run, files)
            if attached:
                audit.append(connection, self._act(run), "attach", "", {"files": attached})

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
        with self._writing() as connection:
            standings.refuse_counting(connection, form.family, period, judged)
            return loading.load(connection, self._act(run), form, period, judged, receipts, rules, dependents)

    def renew(
        self,
        form: Form,
        period: Period,
        judged: Sequence[Judged],
        rules: str | None = None,
        dependents: Dependents = Dependents(),  # noqa: B008 - frozen
        run: str | None = None,
    ) -> set[str]:
        """Replace the machine's verdicts of stored submissions; an accepted block that now fails becomes stale.

        Returns:
            As `load`.
        """
        with self._writing() as connection:
            standings.refuse_counting(connection, form.family, period, judged)
            return loading.renew(connection, self._act(run), form, period, judged, rules, dependents)

    # -- rules and decisions

    def enter_rules(self, rules: RuleSet, at: datetime, norms: Norms | None = None) -> str:
        """Keep the rules that a period is judged by, and what all its bureaus did; the rules' version."""
        with self._writing() as connection:
            version = rule_sets.enter_rule_set(connection, rules, at)
            if norms is not None:
                rule_sets.keep_norms(connection, rules, norms)
            return version

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
        with self._writing() as connection:
            standings.refuse_locked(connection, family, {row.period for row in rows})
            imported = baselines.import_baseline(connection, run, family, forms, rows, source, at, replace)
            for period in {row.period for row in rows} if imported.inserted or imported.replaced else ():
                bureaus = {row.bureau for row in rows if row.period == period and row.bureau}
                pending.note_dependents(connection, dependents(period), bureaus)
                pending.note_freezing(connection, dependents(period).frozen)
            if imported.inserted or imported.replaced:
                told = {"source": source, "inserted": imported.inserted, "replaced": imported.replaced}
                audit.append(connection, Act(self.actor, at, run), "import", family, told)
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
        with self._writing() as connection:
            return versions.freeze(connection, self._act(run), form, period, duty, others, rules, dependents)

    def settle_pending(self, waiting: Waiting) -> None:
        """Note that nothing waits there any more."""
        with self._writing() as connection:
            pending.settle_pending(connection, waiting.family, waiting.period, [*waiting.bureaus, pending.FREEZE])

"""The product on one database, driven as its commands drive it, and what it says, in the words of the model."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from disclosure_etl.office import Office
from disclosure_etl.warehouse import facade, known_then
from disclosure_etl.warehouse.connection import reading
from disclosure_etl.warehouse.copying import lines_of, tables_of
from disclosure_etl.warehouse.tables import consolidation_member, submission
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.periods import Period
from tests.model.paper import FAMILY, period_of
from tests.model.shown import Shown, Stands


class Version(NamedTuple):
    """A version as it was frozen: its number, how firm it is, what it says, and the receipts it accounts for."""

    number: int
    status: str
    says: Shown
    counts: dict[str, int]


@dataclass
class Product:
    """An office on one database."""

    name: str
    office: Office
    runs: Iterator[int] = field(default_factory=itertools.count)
    repeats: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def naming_runs(self, prefix: str, numbers: Iterator[int]) -> Iterator[None]:
        """Runs are named one after the other, so that two databases tell of them alike."""

        class Numbers:
            @staticmethod
            def token_hex(_: int) -> str:
                return f"{prefix}{next(numbers):05x}"

        before, facade.secrets = facade.secrets, Numbers  # type: ignore[assignment]
        try:
            yield
        finally:
            facade.secrets = before

    def do(self, command: Callable[[Office], Any]) -> Any:
        """What a command comes to; a refusal is an answer, too."""
        with self.naming_runs("0", self.runs):
            return _answered(command, self.office)

    def do_again(self, command: Callable[[Office], Any]) -> None:
        """The same once more changes nothing but the record of runs."""
        before = self.unmoved()
        with self.naming_runs("f", self.repeats):
            _answered(command, self.office)
        assert self.unmoved() == before, self.office.warehouse.audit_events()[-3:]

    def unmoved(self) -> tuple:
        """What a command that changes nothing leaves as it is."""
        warehouse = self.office.warehouse
        return warehouse.audit_head(), [
            (one.period, one.version, one.status) for one in warehouse.frozen_versions(FAMILY)
        ]

    def version(self, period: Period, as_of: datetime | None = None) -> Version | None:
        """The newest version of a period, now or then."""
        one = self.office.warehouse.consolidation(FAMILY, period, as_of=as_of)
        if one is None:
            return None
        counts = {status.value: count for status, count in one.counts.items() if count and status != "other_period"}
        assert one.found == sum(one.counts.values())
        assert one.cells_read == one.cells_loaded + one.cells_parked
        return Version(one.version, one.status.value, self._says(one), counts)

    def _says(self, one: Consolidation) -> Shown:
        figures = {(figure.indicator, figure.column): (figure.value, figure.validated) for figure in one.figures}
        bureaus = tuple(
            Stands(state.bureau, state.status, state.stale, tuple(sorted(state.held_blocks)), state.revision, state.errors,
                   state.notices, state.not_assessable)
            for state in one.bureaus
        )  # fmt: skip
        assert all(state.warnings == 0 for state in one.bureaus)
        booked = tuple((each.number, each.bureau, each.amount) for each in one.restatements)
        return Shown(figures, bureaus, one.missing, booked, self._members(one))

    def _members(self, one: Consolidation) -> frozenset[tuple[str, str, str, bool]]:
        member = consolidation_member.c
        with reading(self.office.warehouse.engine) as connection:
            key = known_then.key_of(connection, FAMILY, Period.parse(one.period), one.version)
            rows = connection.execute(
                select(member.bureau_code, member.block, submission.c.digest, member.accepted)
                .join(submission, submission.c.id == member.submission_id)
                .where(member.consolidation_id == key)
            ).all()
        return frozenset((row[0], row[1], row[2], bool(row[3])) for row in rows)

    def returns(self, month: int) -> list[tuple[str | None, str, int, str]]:
        """Bureau, digest, revision and state of a month's returns, by bureau and in the order in which they count."""
        found = self.office.warehouse.returns(FAMILY, period_of(month))
        return [(one.bureau, one.digest, one.revision, one.state.value) for one in found]

    def failures(self, month: int) -> set[tuple]:
        """What fails in a month: bureau, file, rule, column, figures, waiver. Notices of waivers are none of it."""
        return {
            (one.bureau, one.file, one.failure.rule, one.failure.column, one.failure.seen, one.failure.waiver)
            for one in self.office.warehouse.failures(FAMILY, period_of(month))
            if one.failure.severity.value == "error"
        }

    def added_up(self, month: int, version: int | None = None) -> dict[tuple[str, str], int | None]:
        """The figures of all bureaus, added up."""
        form = self.office.forms.choose(FAMILY, period_of(month))
        found: dict[tuple[str, str], int | None] = {}
        for one in self.office.warehouse.bureau_figures(form, period_of(month), version=version):
            before = found.get((one.indicator, one.column))
            known = [value for value in (before, one.value) if value is not None]
            found[one.indicator, one.column] = sum(known) if known else None
        return found

    def contents(self) -> dict[str, list[list]]:
        """Every row of every table but the runs', as a backup has them; with keys by their order, since a database may pass
        over some that were given to what was not kept."""
        with reading(self.office.warehouse.engine) as connection:
            tables = [table for table in tables_of(connection) if table.name != "run"]
            rows = {table.name: [json.loads(line) for line in lines_of(connection, table)] for table in tables}
        keys: dict[str, dict] = {}
        for table in tables:
            place = [column.name for column in table.columns].index("id") if "id" in table.columns else None
            found = [] if place is None else sorted(row[place] for row in rows[table.name])
            keys[table.name] = {key: number for number, key in enumerate(found, 1)}
        for table in tables:
            for place, column in enumerate(table.columns):
                to = next((one.column.table.name for one in column.foreign_keys if one.column.name == "id"), None)
                to = to or _KEYS.get((table.name, column.name)) or (table.name if column.name == "id" else None)
                for row in rows[table.name] if to in keys else ():
                    row[place] = keys[str(to)].get(row[place], row[place])
        return {name: sorted(own, key=lambda row: json.dumps(row, sort_keys=True)) for name, own in rows.items()}


# Keys of which the databases do not know that they are any.
_KEYS = {
    ("submission", "arrival"): "receipt",
    ("return_decision", "arrival"): "receipt",
    ("fact_refilled", "until"): "consolidation",
    ("fact_observation", "submission_id"): "submission",
    ("fact_observation", "cell_id"): "dim_cell",
}


def _answered(command: Callable[[Office], Any], office: Office) -> Any:
    try:
        return command(office)
    except UserError as refusal:
        return refusal

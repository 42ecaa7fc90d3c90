"""What people decide, put into the warehouse: each method is one transaction, in which what depends on it is noted as waiting.

Not here: what runs put there (`facade`), or what the decisions that stand say (`answers`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from disclosure_etl.bureaus import Duty
from disclosure_etl.calendar import system_clock
from disclosure_etl.warehouse import (
    audit,
    confirming,
    decisions,
    pending,
    restating,
    returning,
    run_lock,
    signing,
    standings,
    versions,
)
from disclosure_etl.warehouse.answers import Answers
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.confirming import Confirmed
from disclosure_etl.warehouse.connection import writing
from disclosure_etl.warehouse.pending import Dependents
from disclosure_etl.warehouse.standings import YearLock
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import DocumentRecord, Failure, Judged, Receipt, Waiver
from schemas.restatements import Restatement
from schemas.returns import ReturnAction, ReturnDecision, StoredReturn
from schemas.versions import FrozenVersion, SignOff

utc_now = system_clock("UTC")


@dataclass(frozen=True)
class Deciding(Answers):
    """One database, in which decisions are recorded. `clock` and `actor` say when and by whom things are done, in the record of
    them (`audit`); `lock` is had by whoever judges or decides (`Warehouse.alone`); `patience`: how many seconds other writers are
    waited for, None of a command, which waits as long as it takes."""

    clock: Callable[[], datetime] = utc_now
    actor: str = "unknown"
    lock: run_lock.RunLock | None = None
    patience: float | None = None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with writing(self.engine, self.patience) as connection:
            if self.lock is not None:
                run_lock.require(self.lock, connection)
            yield connection

    def _act(self, run: str | None = None) -> Act:
        return Act(self.actor, self.clock(), run)

    # -- single failures

    def waive(
        self,
        family: str,
        whose: Collection[tuple[str, Failure]],
        periods: tuple[Period, Period],
        reason: str,
        by: str,
        at: datetime,
    ) -> list[Waiver]:
        """Record a steward's word that failures, each with its bureau, may stand, from the first of `periods` to the second. The
        bureaus' returns of those periods wait to be judged again."""
        with self._writing() as connection:
            between = _between(*periods)
            standings.refuse_locked(connection, family, between)
            standing, new = decisions.waive(connection, family, whose, periods, reason, by, at)
            told = [(f"{family} {one.first} {one.bureau}", decisions.told(one)) for one in new]
            audit.append_all(connection, Act(by, at), "waive", told)
            pending.note_judgements(connection, [(family, one) for one in between], {bureau for bureau, _ in whose})
            return standing

    def withdraw(self, waivers: Collection[Waiver], reason: str, by: str, at: datetime) -> None:
        """Record that waivers no longer stand; what they covered waits to be judged again."""
        with self._writing() as connection:
            covered: dict[tuple[str, Period], set[str]] = {}
            for one in waivers:
                for place in _covered(one):
                    covered.setdefault(place, set()).add(one.bureau)
            for family in {family for family, _ in covered}:
                standings.refuse_locked(connection, family, [period for own, period in covered if own == family])
            decisions.withdraw(connection, waivers, reason, by, at)
            told = [
                (f"{one.family} {one.first} {one.bureau}", {**decisions.told(one), "reason": reason}) for one in waivers
            ]
            audit.append_all(connection, Act(by, at), "withdraw", told)
            for place, bureaus in covered.items():
                pending.note_judgements(connection, [place], bureaus)

    # -- returns as a whole

    def decide_return(
        self, form: Form, action: ReturnAction, one: StoredReturn, reason: str, by: str, at: datetime, after: Dependents
    ) -> int:
        """Decide of a return as a whole; the decision's number. `after`: what depends on its period."""
        with self._writing() as connection:
            standings.refuse_locked(connection, form.family, [Period.parse(one.period)])
            return returning.decide(connection, Act(by, at), form, action, one, reason, after)

    def undo_return(
        self, form: Form, decision: ReturnDecision, reason: str, by: str, at: datetime, after: Dependents
    ) -> None:
        """Take a decision about a return back."""
        with self._writing() as connection:
            standings.refuse_locked(connection, form.family, [Period.parse(decision.period)])
            returning.undo(connection, Act(by, at), form, decision, reason, after)

    # -- figures that follow, or rightly differ

    def confirm(
        self,
        run: str,
        form: Form,
        period: Period,
        judged: Judged,
        receipt: Receipt,
        document: DocumentRecord,
        told: Confirmed,
        rules: str,
        dependents: Dependents,
    ) -> set[str]:
        """Store a return that a bureau's word was made into; see `confirming.confirm`."""
        act = Act(told.by, self.clock(), run)
        with self._writing() as connection:
            standings.refuse_locked(connection, form.family, [period])
            return confirming.confirm(connection, act, form, period, judged, receipt, document, told, rules, dependents)

    def restate(self, one: Restatement, run: str, after: Dependents) -> Restatement:
        """Record that a figure rightly differs from what was accepted before. `after`: what depends on its period."""
        with self._writing() as connection:
            standings.refuse_locked(connection, one.family, [Period.parse(one.period)])
            return restating.restate(connection, Act(one.by, one.at, run), one, after)

    def withdraw_restatement(
        self, one: Restatement, reason: str, by: str, at: datetime, run: str, after: Dependents
    ) -> None:
        """Record that a restatement no longer stands."""
        with self._writing() as connection:
            standings.refuse_locked(connection, one.family, [Period.parse(one.period)])
            restating.withdraw(connection, Act(by, at, run), one, reason, after)

    # -- versions and years

    def sign(
        self,
        run: str,
        form: Form,
        one: Consolidation,
        duty: Duty,
        signed: SignOff,
        rules: str | None = None,
        dependents: Dependents = Dependents(),  # noqa: B008 - frozen
        *,
        leave_out_held: bool = False,
    ) -> Consolidation:
        """Record who answers for the newest version of a period, or for one without held blocks that is frozen for it.

        Raises:
            UserError: `one` is no longer what the period comes to.
        """
        period, act = Period.parse(one.period), Act(signed.by, signed.at, run)
        with self._writing() as connection:
            rest = (form, period, duty, one.others, rules, dependents)
            if versions.freeze(connection, act, *rest).version != one.version:
                raise UserError(
                    f"{one.period} 的数据在第 {one.version} 版之后又有变动;请先运行 disclosure-etl rerun {one.period},核对后再签发。",
                    f"{one.period} has changed since version {one.version}: run 'disclosure-etl rerun {one.period}' first, look "
                    "it over, then sign.",
                )
            if leave_out_held:
                one = versions.freeze(connection, act, *rest, without_held=True)
            if signing.record_sign_off(connection, act, one, signed):
                # Returns that are the sum of these are held against them otherwise once they are final.
                sums = [place for place in dependents.judged if place[0] != one.family]
                pending.note_judgements(connection, sums, {state.bureau for state in one.bureaus})
            found = versions.newest(connection, one.family, period, one.version)
            assert found is not None
            return found

    def lock_year(self, lock: YearLock) -> bool:
        """Record that a year is locked, or reopened; False where it was so already. What waited for a reopened year waits to
        be judged."""
        with self._writing() as connection:
            return signing.record_lock(connection, Act(lock.by, lock.at), lock)

    def release(self, one: FrozenVersion, by: str, at: datetime) -> bool:
        """Record that a version was given to the public; False where it was already."""
        with self._writing() as connection:
            return signing.record_release(connection, Act(by, at), one, by, at)


def _covered(waiver: Waiver) -> list[tuple[str, Period]]:
    """The periods that a waiver is for."""
    return [(waiver.family, one) for one in _between(Period.parse(waiver.first), Period.parse(waiver.last))]


def _between(period: Period, last: Period) -> list[Period]:
    found = []
    while period.end <= last.end:
        found.append(period)
        period = period.shifted(1)
    return found

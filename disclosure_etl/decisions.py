"""A steward's decisions, and at once what they change: a waiver is recorded, and the months that it covers judged again.

Not here: where decisions are kept (`warehouse`), what a waiver does to a verdict (`quality.waivers`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from disclosure_etl.judgement import Followed, follow
from disclosure_etl.office import Office
from disclosure_etl.warehouse import StoredFailure
from schemas.errors import UserError
from schemas.periods import Period
from schemas.records import Failure, Waiver


@dataclass(frozen=True)
class Decided:
    """A decision, and the versions that were frozen because of it."""

    waiver: Waiver
    followed: Followed


@dataclass(frozen=True)
class Word:
    """Who says so, and why."""

    by: str
    reason: str

    def checked(self) -> Word:
        """The same, if both are there.

        Raises:
            UserError: a decision without a reason or a name is none.
        """
        if not self.by.strip():
            raise UserError("决定须写明决定人(--by)。", "A decision names who decides (--by).")
        if len(self.reason.strip()) < 2:
            raise UserError(
                "决定(撤销也是)须写明理由(--reason)。", "A decision, a withdrawal too, names its reason (--reason)."
            )
        return self


def is_waivable(found: StoredFailure) -> bool:
    """Whether a person may let a failure stand. Not one of no bureau, and none of the return as a whole for which nobody can
    vouch: of two returns nobody knows which counts, and a waiver would let both through."""
    of_the_whole = found.failure.rule == "return:two_returns" or found.failure.kind in ("identity", "duty", "waiver")
    return found.bureau is not None and not of_the_whole


def _refuse_unwaivable(found: Sequence[StoredFailure]) -> list[tuple[str, Failure]]:
    """Whose each failure is. One that cannot be waived is refused with all others that cannot, so that somebody who chose many
    has to choose anew once."""
    whose = [(one.bureau, one.failure) for one in found if one.bureau is not None and is_waivable(one)]
    if len(whose) < len(found):
        refused = [one for one in found if not is_waivable(one)]
        rules = [f"{one.failure.rule}" + (f" #{one.failure.id[:8]}" if len(found) > 1 else "") for one in refused]
        raise UserError(
            f"「{'、'.join(rules)}」不能豁免:须由单位更正或补报。",
            f"'{', '.join(rules)}' cannot be waived: the bureau has to correct or send its return.",
        )
    return whose


def _refuse_reversed(periods: tuple[Period, Period]) -> None:
    if periods[1].end < periods[0].end:
        raise UserError(
            f"豁免时期 {periods[0]} 至 {periods[1]} 首尾颠倒。",
            f"The waiver's periods {periods[0]} to {periods[1]} are reversed.",
        )


def waive(office: Office, family: str, found: StoredFailure, periods: tuple[Period, Period], word: Word) -> Decided:
    """Let a failure stand, as long as the same figures are seen, from the first of `periods` to the second.

    Raises:
        UserError: it is of no bureau, or of the return as a whole in a way that nobody can vouch for; no reason; a locked
            year.
    """
    whose = _refuse_unwaivable([found])
    _refuse_reversed(periods)
    word = word.checked()
    with office.alone(f"decide {periods[0]}") as alone:
        alone.warehouse.refuse_locked(family, periods)
        at = alone.clock()
        run = alone.warehouse.start_run("decide", family, periods[0], at)
        [waiver] = alone.warehouse.waive(family, whose, periods, word.reason, word.by, at)
        return _followed(alone, run, waiver)


def waive_many(
    office: Office, family: str, found: Sequence[StoredFailure], periods: tuple[Period, Period], word: Word
) -> Followed:
    """Let several failures stand for one reason, such as a case with all that has its cause: judged again and frozen once for
    all of them.

    Raises:
        UserError: some of them cannot be waived (then none is, and those are named); no reason; a locked year; the periods are
            reversed.
    """
    whose = _refuse_unwaivable(found)
    _refuse_reversed(periods)
    word = word.checked()
    if not whose:
        return Followed((), {})
    with office.alone(f"decide {periods[0]}") as alone:
        alone.warehouse.refuse_locked(family, periods)
        at = alone.clock()
        run = alone.warehouse.start_run("decide", family, periods[0], at)
        alone.warehouse.waive(family, whose, periods, word.reason, word.by, at)
        return _follow(alone, run)


def withdraw_many(office: Office, family: str, numbers: Collection[int], word: Word) -> Followed:
    """Withdraw several waivers for one reason; those that were withdrawn before stay so.

    Raises:
        UserError: no reason; a locked year.
    """
    word = word.checked()
    with office.alone("decide --withdraw") as alone:
        known = [one for one in alone.warehouse.waivers(family) if one.number in numbers]
        if not known:
            return Followed((), {})
        spans = [(Period.parse(one.first), Period.parse(one.last)) for one in known]
        alone.warehouse.refuse_locked(family, [period for span in spans for period in span])
        at = alone.clock()
        run = alone.warehouse.start_run("decide", family, spans[0][0], at)
        alone.warehouse.withdraw(known, word.reason, word.by, at)
        return _follow(alone, run)


def _follow(office: Office, run: str) -> Followed:
    followed = follow(office, run, lambda stage, done, of: None)
    office.warehouse.finish_run(run, "failed" if followed.faults else "done", {}, office.clock())
    return followed


def withdraw(office: Office, family: str, number: int, word: Word) -> Decided:
    """Withdraw a waiver.

    Raises:
        UserError: there is no such waiver, or it was withdrawn before.
    """
    word = word.checked()
    with office.alone(f"decide --withdraw {number}") as alone:
        known = {one.number: one for one in alone.warehouse.waivers(family)}
        if number not in known:
            listed = "、".join(map(str, known)) or "—"
            raise UserError(
                f"没有第 {number} 号豁免,或已撤销;现有:{listed}。",
                f"There is no waiver {number}, or it was withdrawn; standing: {listed}.",
            )
        first, last = Period.parse(known[number].first), Period.parse(known[number].last)
        alone.warehouse.refuse_locked(family, [first, last])
        at = alone.clock()
        run = alone.warehouse.start_run("decide", family, first, at)
        alone.warehouse.withdraw([known[number]], word.reason, word.by, at)
        return _followed(alone, run, known[number])


def _followed(office: Office, run: str, waiver: Waiver) -> Decided:
    return Decided(waiver, _follow(office, run))


def failure_by_id(found: list[StoredFailure], wanted: str) -> StoredFailure:
    """The failure whose id begins with `wanted`.

    Raises:
        UserError: none does, or several.
    """
    # Two returns of one revision may have the same failure: it is one to decide on.
    fitting = {one.failure.id: one for one in found if one.failure.id.startswith(wanted)}
    if len(fitting) == 1 and wanted:
        return next(iter(fitting.values()))
    shown = [f"{one.failure.id[:8]} ({one.failure.rule})" for one in (list(fitting.values()) or found)[:10]]
    raise UserError(
        f"没有唯一的失败以「{wanted}」为编号;可用:{'、'.join(shown) or '—'}。",
        f"No single failure has an id beginning with '{wanted}'; known: {', '.join(shown) or '—'}.",
    )

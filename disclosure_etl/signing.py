"""Signing versions off, locking years and reopening them: what stands in the way, and what follows from it.

Not here: how it is recorded (`warehouse.signing`), or when a version may be released (`releasing`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from disclosure_etl.hindrances import (
    BY_ITSELF,
    Hindrance,
    held,
    locked_after,
    open_before,
    open_in,
    unacknowledged,
    unnamed,
    unsigned_before,
    unsigned_parts,
    waiting,
    warnings_of,
    whole_year,
)
from disclosure_etl.judgement import Followed, dependents_of, duty_of, follow
from disclosure_etl.office import Office
from disclosure_etl.warehouse import LOCK, REOPEN, Refused, StoredFailure, YearLock
from schemas.consolidation import Consolidation
from schemas.errors import Message, UserError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Status
from schemas.versions import FrozenVersion, SignOff

_NOT_TAKEN = Status.SUPERSEDED.value


@dataclass(frozen=True, slots=True)
class Wish:
    """A sign-off as it is asked for. `missing`: the bureaus that the person knows to be missing; `acknowledge`: why the
    warnings may stand; `content_hash`: of the version that the person looked at, '' where it is whichever is the newest."""

    by: str
    second: str | None = None
    note: str = ""
    missing: frozenset[str] = frozenset()
    acknowledge: str = ""
    without_held: bool = False
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class Signed:
    """What came of it: the version, who answers for it (None where something stood in the way), what stood in the way, and the
    versions that were frozen anew with it. `is_new`: it was not signed before."""

    version: Consolidation
    signed: SignOff | None
    hindrances: tuple[Hindrance, ...] = ()
    followed: Followed | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class YearDecided:
    """What came of locking or reopening a year: the decision that stands, whether it is new, what stood in the way, the versions
    that others rely on, and those that were frozen anew."""

    lock: YearLock | None
    is_new: bool
    hindrances: tuple[Hindrance, ...] = ()
    relied_on: tuple[FrozenVersion, ...] = ()
    followed: Followed | None = None


def sign_off(office: Office, family: str, period: Period, wish: Wish) -> Signed:
    """Sign the newest version of a period off, if nothing stands in the way. Signing a final version again changes nothing.

    Raises:
        UserError: nothing was consolidated, or nobody can sign it; no name; the second person is missing or the same.
    """
    _check_people(wish.by, wish.second, two=office.settings.two_persons_sign)
    with office.alone(f"sign-off {period}") as alone:
        return _signed_off(alone, family, period, wish)


def _signed_off(office: Office, family: str, period: Period, wish: Wish) -> Signed:
    one = office.warehouse.consolidation(family, period)
    if one is None:
        raise UserError(
            f"{period} 还没有汇总;请先运行 disclosure-etl consolidate {period}。",
            f"{period} was not consolidated yet; run 'disclosure-etl consolidate {period}' first.",
        )
    last = office.warehouse.frozen_versions(family, [period])[-1]
    if last.signed is not None:
        return Signed(one, last.signed)
    if one.status in BY_ITSELF:
        raise UserError(
            f"{period} 是导入的历史数,未经本系统核实,不能签发。",
            f"{period} was taken over from before and never checked here: it cannot be signed off.",
        )
    if wish.content_hash and wish.content_hash != one.content_hash:
        return Signed(one, None, (_changed(one),))
    form = _form_of(office, family, period)
    failures, refused = _stands_against(office, family, period)
    if hindrances := _hindrances(office, form, one, wish, failures, refused):
        return Signed(one, None, hindrances)
    return _sign(office, form, one, wish, (*warnings_of(failures, one), *(file.digest[:16] for file in refused)))


def hindrances_of(office: Office, family: str, period: Period, wish: Wish) -> tuple[Hindrance, ...]:
    """What would stand in the way of a sign-off now. Nothing is signed."""
    one = office.warehouse.consolidation(family, period)
    if one is None:
        return ()
    failures, refused = _stands_against(office, family, period)
    return _hindrances(office, _form_of(office, family, period), one, wish, failures, refused)


def _changed(one: Consolidation) -> Hindrance:
    told = Message(
        f"{one.period} 已有新的第 {one.version} 版,与所看的不同;请核对后再签发。",
        f"{one.period} has a newer version {one.version} than the one that was looked at: look at it, then sign.",
    )
    return Hindrance("changed", told)


def _form_of(office: Office, family: str, period: Period) -> Form:
    own = period.frequency is office.forms.frequency_of(family)
    return office.forms.choose(family, period) if own else office.forms.for_roll_up(family, period)


def _stands_against(office: Office, family: str, period: Period) -> tuple[list[StoredFailure], list[Refused]]:
    """The failures of a period's returns and the files that were not taken; of a coarser period its parts have them."""
    if period.frequency is not office.forms.frequency_of(family):
        return [], []
    refused = [file for file in office.warehouse.refused(family, period) if file.status != _NOT_TAKEN]
    return office.warehouse.failures(family, period), refused


def _hindrances(
    office: Office,
    form: Form,
    one: Consolidation,
    wish: Wish,
    failures: Sequence[StoredFailure],
    refused: Sequence[Refused],
) -> tuple[Hindrance, ...]:
    period = Period.parse(one.period)
    found = [*waiting(office, one.family, period)]
    if period.frequency is not office.forms.frequency_of(one.family):
        return (*found, *unsigned_parts(office, one.family, period))
    return (
        *found,
        *unsigned_before(office, form, period),
        *held(office, one, failures, without_held=wish.without_held),
        *unnamed(one, wish.missing),
        *unacknowledged(failures, refused, one, wish.acknowledge),
    )


def _sign(office: Office, form: Form, one: Consolidation, wish: Wish, acknowledged: tuple[str, ...]) -> Signed:
    period, warehouse = Period.parse(one.period), office.warehouse
    leaves_out = wish.without_held and any(
        state.held_blocks or state.status == Status.RETURNED.value for state in one.bureaus
    )
    at = office.clock()
    signed = SignOff(wish.by.strip(), _named(wish.second), at, _note(one, wish, acknowledged, leaves_out), acknowledged)
    run = warehouse.start_run("sign-off", one.family, period, at)
    own = period.frequency is form.frequency
    rules = warehouse.enter_rules(office.rules(form, period), at) if own else None
    try:
        final = warehouse.sign(
            run, form, one, duty_of(office, form, period), signed, rules, dependents_of(office, one.family, period),
            leave_out_held=leaves_out,
        )  # fmt: skip
        followed = follow(office, run, lambda stage, done, of: None)
    except BaseException:
        warehouse.finish_run(run, "failed", {}, office.clock())
        raise
    warehouse.finish_run(run, "failed" if followed.faults else "done", {}, office.clock())
    return Signed(final, signed, (), followed, True)


def _note(one: Consolidation, wish: Wish, acknowledged: Collection[str], leaves_out: bool) -> str:
    """What the sign-off says beside the name: the person's own words, and what it was signed in spite of."""
    names = {state.bureau: state.name_zh for state in one.bureaus}
    parts = [wish.note.strip()]
    if wish.missing:
        parts.append(f"未报:{'、'.join(names.get(code, code) for code in one.missing)}")
    if acknowledged:
        parts.append(f"确认警告 {len(acknowledged)} 条:{wish.acknowledge.strip()}")
    if leaves_out:
        parts.append("暂存板块未计入")
    return ";".join(part for part in parts if part)


def _named(name: str | None) -> str | None:
    return (name or "").strip() or None


def _check_people(by: str, second: str | None, *, two: bool) -> None:
    """A name, and where two people are asked for another one."""
    first, other = _named(by), _named(second)
    if first is None:
        raise UserError("须写明由谁决定(--by)。", "Name who decides (--by).")
    if two and other is None:
        raise UserError(
            "须由两人共同决定,请写明第二人(--second)。", "Two people decide this; name the second one (--second)."
        )
    if other is not None and other.casefold() == first.casefold():
        raise UserError(
            f"第二人(--second)不得与 --by 同为「{first}」。", f"--second must be somebody else than --by ('{first}')."
        )


def lock_year(office: Office, family: str, year: int, by: str, reason: str) -> YearDecided:
    """Lock a year, if all of it is final. Locking it again changes nothing.

    Raises:
        UserError: no name or no reason.
    """
    _check_reason(reason)
    _check_people(by, None, two=False)
    with office.alone(f"lock {year}") as alone:
        return _locked(alone, family, year, (by.strip(), reason.strip()))


def _locked(office: Office, family: str, year: int, told: tuple[str, str]) -> YearDecided:
    last = office.warehouse.last_lock(family, year)
    if last is not None and last.action == LOCK:
        return YearDecided(last, False)
    hindrances = [*open_in(office, family, year), *open_before(office, family, year)]
    if hindrances:
        return YearDecided(None, False, tuple(hindrances))
    lock = YearLock(LOCK, family, year, told[0], None, told[1], office.clock())
    return YearDecided(lock, office.warehouse.lock_year(lock))


def _check_reason(reason: str) -> None:
    if len(reason.strip()) < 2:
        raise UserError("须写明理由(--reason)。", "Name the reason (--reason).")


def reopen_year(office: Office, family: str, year: int, by: str, second: str, reason: str) -> YearDecided:
    """Reopen a locked year by the word of two people, and judge what came for it meanwhile. An open year stays as it is.

    Raises:
        UserError: a name or the reason is missing, or both are one person.
    """
    _check_reason(reason)
    _check_people(by, second, two=True)
    with office.alone(f"reopen {year}") as alone:
        return _reopened(
            alone, YearLock(REOPEN, family, year, by.strip(), second.strip(), reason.strip(), alone.clock())
        )


def _reopened(office: Office, lock: YearLock) -> YearDecided:
    family, year = lock.family, lock.year
    last = office.warehouse.last_lock(family, year)
    if last is None or last.action == REOPEN:
        return YearDecided(last, False)
    if later := locked_after(office, family, year):
        told = Message(
            f"{later} 年已锁定,其数以 {year} 年为前提;请先解锁 {later} 年。",
            f"{later} is locked, and stands on {year}: reopen {later} first.",
        )
        return YearDecided(None, False, (Hindrance("later", told, period=f"{later}"),))
    relied_on = [
        one for one in office.warehouse.frozen_versions(family) if Period.parse(one.period).year == year and one.is_out
    ]
    run = office.warehouse.start_run("reopen", family, whole_year(year), lock.at)
    is_new = office.warehouse.lock_year(lock)
    followed = follow(office, run, lambda stage, done, of: None)
    office.warehouse.finish_run(run, "failed" if followed.faults else "done", {}, office.clock())
    return YearDecided(lock, is_new, (), tuple(relied_on), followed)

"""What stands against a period: failures of its returns, files that gave no figures, bureaus that sent nothing or sent late.

A coarser period has what its parts have. Not here: finding a failure (`quality`) or laying the list out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from disclosure_etl.office import Office
from disclosure_etl.warehouse import Refused, StoredFailure
from schemas.consolidation import BureauState, Consolidation, VersionStatus
from schemas.errors import Message, UserError
from schemas.periods import Period
from schemas.records import Failure, Severity, Status, failure_id
from schemas.rulecodes import FINDINGS

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTICE: 2}


@dataclass(frozen=True)
class Standing:
    """Failures, errors first and then by impact, and the files that gave no figures."""

    failures: tuple[StoredFailure, ...]
    refused: tuple[Refused, ...]

    @property
    def needs_a_person(self) -> bool:
        """Whether anything in it is more than a notice, and not waived."""
        return any(
            one.failure.severity is not Severity.NOTICE and one.failure.waiver is None for one in self.failures
        ) or any(one.status != Status.SUPERSEDED for one in self.refused)


def parts_of(office: Office, family: str, period: Period) -> tuple[Period, ...]:
    """The periods of the family's own frequency that make `period` up; itself where it is one, or is finer than they are."""
    frequency = office.forms.frequency_of(family)
    return period.parts(frequency) if period.frequency.months > frequency.months else (period,)


def not_consolidated(period: Period) -> UserError:
    """The error that nothing is known of a period yet."""
    return UserError(
        f"{period} 还没有汇总;请先运行 disclosure-etl consolidate {period}。",
        f"{period} was not consolidated yet; run 'disclosure-etl consolidate {period}' first.",
    )


def standing(office: Office, family: str, period: Period, bureau: str | None = None) -> Standing:
    """What stands against a period, of one bureau where `bureau` is given, by the newest frozen version of each part.

    Raises:
        UserError: no part of it was ever consolidated, so that an empty list would say nothing.
    """
    if not any(office.warehouse.consolidation(family, part) for part in parts_of(office, family, period)):
        raise not_consolidated(period)
    return _standing(office, family, period, bureau)


def _standing(office: Office, family: str, period: Period, bureau: str | None = None) -> Standing:
    frozen = [(part, office.warehouse.consolidation(family, part)) for part in parts_of(office, family, period)]
    failures: list[StoredFailure] = []
    refused: list[Refused] = []
    today = office.clock().date()
    for part, one in frozen:
        failures += office.warehouse.failures(family, part, bureau)
        refused += office.warehouse.refused(family, part) if bureau is None else []
        if one is not None:
            failures += duty_failures([one], office, bureau)
        elif part.end < today:
            failures.append(_never_consolidated(part))
    return Standing(tuple(ranked(failures)), tuple(refused))


def failures_of(office: Office, one: Consolidation) -> list[StoredFailure]:
    """The failures that a version's table lists: what was known when it was frozen."""
    return list(standing_then(office, one).failures)


def standing_then(office: Office, one: Consolidation, bureau: str | None = None) -> Standing:
    """What stood against a period when a version of it was frozen: failures and refused files as they were known then, and of
    its own account who was missing or late."""
    failures: list[StoredFailure] = []
    refused: list[Refused] = []
    for part, frozen in parts_then(office, one):
        if frozen is None:
            if part.end < one.frozen_at.date():
                failures.append(_never_consolidated(part))
            continue
        known = office.warehouse.version_failures(one.family, part, frozen.version)
        failures += [found for found in known if bureau in (None, found.bureau)]
        refused += office.warehouse.version_refused(one.family, part, frozen.version) if bureau is None else []
        failures += duty_failures([frozen], office, bureau)
    return Standing(tuple(ranked(failures)), tuple(refused))


def parts_then(office: Office, one: Consolidation) -> list[tuple[Period, Consolidation | None]]:
    """The versions that a version is made of: itself, or of a coarser period those of its parts that it was added up from."""
    period = Period.parse(one.period)
    parts = parts_of(office, one.family, period)
    if parts == (period,):
        return [(period, one)]
    numbers = {code: version for code, version, _ in one.parts}
    warehouse = office.warehouse
    if not numbers:  # frozen before these were kept
        return [(part, warehouse.consolidation(one.family, part, as_of=one.frozen_at)) for part in parts]
    return [
        (part, warehouse.consolidation(one.family, part, numbers[part.code]) if part.code in numbers else None)
        for part in parts
    ]


def ranked(failures: Iterable[StoredFailure]) -> list[StoredFailure]:
    """Errors first, then by impact; otherwise as they come."""
    return sorted(failures, key=lambda one: (_RANK[one.failure.severity], -(one.failure.impact or 0)))


def absences(office: Office, one: Consolidation) -> dict[str, tuple[str, ...]]:
    """Of a coarser period: the parts in which each bureau is missing, for those that reported in some part. Nothing of a
    period of the form's own frequency, where missing is missing."""
    period = Period.parse(one.period)
    parts = parts_of(office, one.family, period)
    if parts == (period,):
        return {}
    missing: dict[str, list[str]] = {}
    sent: set[str] = set()
    for part, frozen in parts_then(office, one):
        states = {state.bureau: state for state in frozen.bureaus} if frozen else {}
        owing = [bureau.code for bureau in office.owing(one.family, part)]
        for code in dict.fromkeys((*owing, *states)):
            if code not in states or states[code].status == "missing":
                missing.setdefault(code, []).append(part.code)
            else:
                sent.add(code)
    return {code: tuple(codes) for code, codes in missing.items() if code in sent}


def duty_failures(
    consolidations: Iterable[Consolidation], office: Office, bureau: str | None = None
) -> list[StoredFailure]:
    """Who is missing in a frozen version and who was late, as failures: found by nobody's figures, so no file is at fault."""
    found = []
    for one in consolidations:
        if one.status is VersionStatus.UNVERIFIED:
            continue
        due, zone = office.due(Period.parse(one.period)).day, office.clock().tzinfo
        states = [state for state in one.bureaus if bureau in (None, state.bureau)]
        found += [
            _missing(one.period, state, due, one.frozen_at.astimezone(zone).date())
            for state in states
            if state.bureau in one.missing
        ]
        found += [_late(one.period, state, due, zone) for state in states if state.bureau in one.late]
    return found


def _missing(period: str, state: BureauState, due: date, seen_on: date) -> StoredFailure:
    if seen_on > due:
        zh, en = f"已于 {due} 到期,请催报", f"it was due on {due}: ask for it"
    else:
        zh, en = f"{due} 到期", f"it is due on {due}"
    message = Message(
        f"截至 {seen_on} 没有收到{state.name_zh} {period} 的报表;{zh}。",
        f"No return of {state.name_en} for {period} by {seen_on}; {en}.",
    )
    return _of_duty("duty:missing", state.bureau, period, message, (), str(due))


def _late(period: str, state: BureauState, due: date, zone: tzinfo | None) -> StoredFailure:
    came = state.received_at.astimezone(zone).date() if state.received_at else None
    message = Message(
        f"{state.name_zh} {period} 的报表" + (f"于 {came} 收到," if came else "迟到,") + f"到期日为 {due}。",
        f"The return of {state.name_en} for {period} came " + (f"on {came}" if came else "late") + f"; due on {due}.",
    )
    return _of_duty("duty:late", state.bureau, period, message, (str(came),) if came else (), str(due))


def _never_consolidated(part: Period) -> StoredFailure:
    error = not_consolidated(part)
    return _of_duty("duty:missing", None, part.code, error.message, (), None)


def _of_duty(
    rule: str, bureau: str | None, period: str, message: Message, seen: Sequence[str], expected: str | None
) -> StoredFailure:
    failure = Failure(
        id=failure_id(rule, bureau, period, None, ()), rule=rule, kind="duty", severity=FINDINGS[rule].severity, block=None,
        indicators=(), column=None, cells=(), seen=tuple(seen), expected=expected, difference=None, diagnosis=None,
        impact=None, legal=None, message=message,
    )  # fmt: skip
    return StoredFailure(bureau, "", failure, period)

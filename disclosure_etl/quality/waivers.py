"""Waivers: a steward's word that a failure may stand, for these very values and periods.

Not here: who may give one and where they are kept (`warehouse`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from schemas.errors import Message
from schemas.periods import Period
from schemas.records import Failure, Severity, Submission, Waiver, failure_id


@dataclass(frozen=True)
class Waivers:
    """The waivers in force for a period."""

    waivers: Sequence[Waiver]

    @cached_property
    def bureaus(self) -> frozenset[str]:
        """The bureaus that any is about."""
        return frozenset(one.bureau for one in self.waivers)

    @cached_property
    def _of_bureau(self) -> dict[str, list[Waiver]]:
        found: dict[str, list[Waiver]] = {}
        for one in self.waivers:
            found.setdefault(one.bureau, []).append(one)
        return found

    def applied(self, one: Submission, failures: Sequence[Failure]) -> list[Failure]:
        """The failures of a submission with the waivers that fit them; and a notice for each waiver of this bureau that
        fits none, because its values have changed or nothing fails there any more."""
        own = self._of_bureau.get(one.bureau or "", [])
        if not own:
            return list(failures)
        told, used = [], set()
        for failure in failures:
            if fitting := [waiver.number for waiver in own if _fits(waiver, failure)]:
                used.update(fitting)
                failure = replace(failure, waiver=fitting[0])
            told.append(failure)
        return told + [_idle(one, waiver, failures) for waiver in own if waiver.number not in used]


def _fits(waiver: Waiver, failure: Failure) -> bool:
    return (waiver.rule, waiver.column, waiver.indicators, waiver.seen) == (
        failure.rule,
        failure.column,
        failure.indicators,
        failure.seen,
    )


def waives(waiver: Waiver, period: Period) -> bool:
    """Whether the waiver is for `period`."""
    first, last = Period.parse(waiver.first), Period.parse(waiver.last)
    return first.start <= period.start and period.end <= last.end


def _idle(one: Submission, waiver: Waiver, failures: Sequence[Failure]) -> Failure:
    changed = [
        f for f in failures if (f.rule, f.column, f.indicators) == (waiver.rule, waiver.column, waiver.indicators)
    ]
    seen = changed[0].seen if changed else ()
    if changed:
        message = Message(
            f"第 {waiver.number} 号豁免(规则 {waiver.rule})是就 {'、'.join(waiver.seen)} 作出的,现为 {'、'.join(seen)},豁免失效。"
            "请重新决定。",
            f"Waiver {waiver.number} (rule {waiver.rule}) was given for {', '.join(waiver.seen)}; the figures are now "
            f"{', '.join(seen)}, so it has lapsed. Decide anew.",
        )
    else:
        message = Message(
            f"第 {waiver.number} 号豁免(规则 {waiver.rule})在本期没有对应的问题,可以撤销。",
            f"Waiver {waiver.number} (rule {waiver.rule}) matches nothing in this period any more; it may be withdrawn.",
        )
    return Failure(
        id=failure_id("waiver:idle", one.bureau, one.period, waiver.column, (str(waiver.number),)),
        rule="waiver:lapsed" if changed else "waiver:idle",
        kind="waiver",
        severity=Severity.NOTICE,
        block=changed[0].block if changed else None,
        indicators=waiver.indicators,
        column=waiver.column,
        cells=changed[0].cells if changed else (),
        seen=seen,
        expected="、".join(waiver.seen),
        difference=None,
        diagnosis=None,
        impact=None,
        legal=None,
        message=message,
    )

"""Signing, locking and releasing on the small form, in one call each. No assertion in here."""

from __future__ import annotations

from datetime import datetime, timedelta

from disclosure_etl.bureaus import Duty
from disclosure_etl.warehouse import LOCK, REOPEN, Dependents, Warehouse, YearLock
from schemas.consolidation import Consolidation
from schemas.periods import Period
from schemas.versions import ChangeList, FrozenVersion, SignOff
from tests.warehouse.small import AT, FAMILY, Story

LATER = AT + timedelta(days=1)


def sign(story: Story, one: Consolidation, *, leave_out_held: bool = False, at: datetime = AT) -> Consolidation:
    """Sign a version off."""
    period = Period.parse(one.period)
    duty, signed = Duty(story.owing, None, at), SignOff("王处长", None, at, "", ())
    later = Dependents(frozen=tuple((FAMILY, period.shifted(step)) for step in range(1, 3)))
    return story.warehouse.sign(
        story.run(one.period), story.form, one, duty, signed, None, later, leave_out_held=leave_out_held
    )


def lock(story: Story, action: str = LOCK, at: datetime = AT) -> bool:
    """Lock 2014, or reopen it."""
    second = "李主任" if action == REOPEN else None
    return story.warehouse.lock_year(YearLock(action, FAMILY, 2014, "王处长", second, "年度终了", at))


def versions_of(warehouse: Warehouse, period: str, as_of: datetime | None = None) -> list[FrozenVersion]:
    """All versions of a period."""
    return warehouse.frozen_versions(FAMILY, [Period.parse(period)], as_of)


def changes(story: Story, period: str, older: int, newer: int) -> ChangeList:
    """What changed between two versions."""
    found = {one.version: one for one in versions_of(story.warehouse, period)}
    return story.warehouse.changes(story.form, Period.parse(period), found[older], found[newer])


def figures_changed(
    one: ChangeList, column: str = "month"
) -> dict[tuple[str | None, str], tuple[int | None, int | None]]:
    """(bureau or None, indicator) → old and new, of one column."""
    return {
        (change.bureau, change.indicator): (change.old, change.new)
        for change in one.changes
        if change.indicator is not None and change.column == column
    }


def codes_of(one: ChangeList, bureau: str | None, indicator: str | None) -> set[str]:
    """The codes of the reasons of a change."""
    return {
        why.code
        for change in one.changes
        if (change.bureau, change.indicator) == (bureau, indicator)
        for why in change.reasons
    }

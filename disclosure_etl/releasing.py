"""Giving final versions to the public: when each may be, which were, and what is overdue.

Not here: the planned days (`calendar`), or how it is recorded (`warehouse.signing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from disclosure_etl.office import Office
from schemas.errors import UserError
from schemas.periods import Period
from schemas.versions import FrozenVersion


@dataclass(frozen=True, slots=True)
class Planned:
    """One period in the release calendar: the moment from which it may be public (None where none is planned), its newest
    version, the newest final one, and the newest that was released."""

    period: Period
    moment: datetime | None
    newest: FrozenVersion | None
    final: FrozenVersion | None
    released: FrozenVersion | None
    now: datetime

    @property
    def is_embargoed(self) -> bool:
        """Whether its moment lies ahead."""
        return self.moment is not None and self.now < self.moment

    @property
    def is_overdue(self) -> bool:
        """Whether its moment is over and nothing of it is public."""
        return self.released is None and self.moment is not None and not self.is_embargoed

    @property
    def is_superseded(self) -> bool:
        """Whether there is a final version newer than the one that is public."""
        return self.released is not None and self.final is not None and self.final.version > self.released.version


def planned(office: Office, period: Period, versions: Sequence[FrozenVersion], now: datetime | None = None) -> Planned:
    """A period in the release calendar, from its versions in order."""
    own = [one for one in versions if one.period == period.code]
    final = [one for one in own if one.is_final]
    released = [one for one in own if one.released_at is not None]
    newest, signed, public = (found[-1] if found else None for found in (own, final, released))
    return Planned(period, office.release_moment(period), newest, signed, public, now or office.clock())


def release_calendar(
    office: Office, family: str, first: Period | None = None, last: Period | None = None
) -> list[Planned]:
    """Every period that was consolidated or has a day of its own in the calendar, and the last one that is over."""
    versions = office.warehouse.frozen_versions(family)
    over = Period.of_day(office.clock().date(), office.forms.frequency_of(family)).preceding
    codes = {one.period for one in versions} | set(office.schedule.release.dates) | {over.code}
    periods = sorted(map(Period.parse, codes))
    return [
        planned(office, period, versions)
        for period in periods
        if (first is None or period.start >= first.start) and (last is None or period.end <= last.end)
    ]


@dataclass(frozen=True, slots=True)
class Released:
    """What came of a release: the version that is public, since when and by whom, and whether that is new. `newer`: a
    provisional version that changes it already."""

    version: FrozenVersion
    by: str
    at: datetime
    is_new: bool
    newer: FrozenVersion | None


def release(office: Office, family: str, period: Period, by: str) -> Released:
    """Record that the newest final version of a period is public. A second time changes nothing.

    Raises:
        UserError: no name; no version of it is final; its moment lies ahead.
    """
    with office.alone(f"release {period}") as alone:
        return _released(alone, family, period, by)


def _released(office: Office, family: str, period: Period, by: str) -> Released:
    if not by.strip():
        raise UserError("须写明由谁发布(--by)。", "Name who releases it (--by).")
    one = planned(office, period, office.warehouse.frozen_versions(family, [period]))
    if one.final is None:
        raise UserError(
            f"{period} 还没有终稿,不能发布;请先签发:disclosure-etl sign-off {period} --by …",
            f"No version of {period} is final, so none can be released: sign it off first, disclosure-etl sign-off {period} "
            "--by …",
        )
    newer = one.newest if one.newest is not None and one.newest.version > one.final.version else None
    if one.final.released_at is not None:
        return Released(one.final, one.final.released_by or "", one.final.released_at, False, newer)
    if one.is_embargoed:
        assert one.moment is not None
        raise UserError(
            f"{period} 定于 {one.moment:%Y-%m-%d %H:%M} 发布,此前不得公开(schedule.yaml 的 release)。",
            f"{period} is embargoed until {one.moment:%Y-%m-%d %H:%M} (release: in schedule.yaml).",
        )
    now = office.clock()
    is_new = office.warehouse.release(one.final, by.strip(), now)
    return Released(one.final, by.strip(), now, is_new, newer)

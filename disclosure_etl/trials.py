"""Rules on trial: stored returns judged by other rules than those that were in force, and what comes out differently.

An old month under its own rules and under today's; a rule that is not switched on yet, over all history. Nothing is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from disclosure_etl.judgement import verdict_of
from disclosure_etl.office import Office
from schemas.errors import UserError
from schemas.formfile import Forms
from schemas.periods import Period
from schemas.records import Failure, Judged
from schemas.rules import RuleSet, RuleSettings, period_of_day, rule_set


@dataclass(frozen=True, slots=True)
class Difference:
    """A failure that only one of two rule sets finds, or finds otherwise. `before`, `after`: its severity, None where it is
    not found."""

    period: str
    bureau: str | None
    file: str
    before: str | None
    after: str | None
    failure: Failure


@dataclass(frozen=True)
class Trial:
    """What came of judging periods by two rule sets."""

    returns: int
    periods: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def fired(self) -> Mapping[str, int]:
        """By rule, how often the second set fires where the first does not."""
        return Counter(one.failure.rule for one in self.differences if one.before is None)


def compare(office: Office, family: str, period: Period) -> Trial:
    """A period under the rules by which each of its returns was judged, and under today's.

    Raises:
        UserError: nothing is stored for the period.
    """
    form = office.forms.choose(family, period)
    versions = office.warehouse.rule_versions(family, period)
    known = {version: office.warehouse.rules_of(version, period) for version in dict.fromkeys(versions.values())}
    if not known:
        raise UserError(
            f"{period} 还没有判定过的报表;请先运行 disclosure-etl consolidate {period}。",
            f"No return of {period} was judged yet; run 'disclosure-etl consolidate {period}' first.",
        )
    today = office.rules(form, period, period_of_day(office.clock().date(), form))
    now = _judged(office, period, today)
    differences: list[Difference] = []
    for version, own in known.items():
        if own is None or own.version == today.version:
            continue
        before = {one.submission.digest: one for one in _judged(office, period, own)}
        for one in now:
            digest = one.submission.digest
            if versions.get(digest) == version and digest in before:
                differences += _differences(period, before[digest], one)
    return Trial(len(now), (period.code,), tuple(differences))


def try_out(office: Office, family: str, candidate: RuleSettings, first: Period | None, last: Period | None) -> Trial:
    """All stored periods of a family, under the office's rules and under those with `candidate` added."""
    together = office.rule_settings.joined(candidate)
    periods = [
        period
        for period in office.warehouse.periods(family)
        if (first is None or first.start <= period.start) and (last is None or period.end <= last.end)
    ]
    returns, differences = 0, []
    for period in periods:
        form = Forms(office.forms.forms).choose(family, period)
        count, found = _judged_twice(
            office, period, rule_set(form, period, office.rule_settings), rule_set(form, period, together)
        )
        returns += count
        differences += found
    return Trial(returns, tuple(period.code for period in periods), tuple(differences))


def _judged_twice(office: Office, period: Period, one: RuleSet, other: RuleSet) -> tuple[int, list[Difference]]:
    before = _judged(office, period, one)
    after = _judged(office, period, other)
    found = [
        difference
        for first, second in zip(before, after, strict=True)
        for difference in _differences(period, first, second)
    ]
    return len(before), found


def _judged(office: Office, period: Period, rules: RuleSet) -> Sequence[Judged]:
    batch = office.warehouse.stored_batch(rules.form, period)
    return verdict_of(office, rules, batch).judged


def _differences(period: Period, first: Judged, second: Judged) -> Iterator[Difference]:
    before = {one.id: one for one in first.failures}
    after = {one.id: one for one in second.failures}
    sent = second.submission
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        severities = (old.severity.value if old else None, new.severity.value if new else None)
        if severities[0] != severities[1]:
            told = new or old
            assert told is not None
            yield Difference(period.code, sent.bureau, sent.file, *severities, told)

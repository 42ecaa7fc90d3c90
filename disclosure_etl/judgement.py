"""Judging and freezing a period of an office with all that it looks back on, and then whatever depends on it.

Not here: reading what arrived (`pipeline`), the rules themselves (`quality`), how anything is stored (`warehouse`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from disclosure_etl.bureaus import Duty
from disclosure_etl.lookback import looked_back, with_siblings
from disclosure_etl.office import Office
from disclosure_etl.quality.branches import units_figures
from disclosure_etl.quality.judging import Verdict, judge, looks_back_on, norms_of, totals_of
from disclosure_etl.quality.nil import fill_nil
from disclosure_etl.quality.waivers import Waivers, waives
from disclosure_etl.succession import heirs, siblings
from disclosure_etl.warehouse import Dependents, Waiting
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.forms import Form
from schemas.periods import Frequency, Period
from schemas.records import Batch
from schemas.rules import RuleSet
from schemas.trends import RECENT


def verdict_of(office: Office, rules: RuleSet, batch: Batch, *, is_part: bool = False) -> Verdict:
    """Judge a batch with all that it looks back on.

    Args:
        is_part: of the period's returns these are only some bureaus' (all of theirs). They are held against what all bureaus
            did: their totals as stored, and their norms as they were when all were last judged by these rules.
    """
    warehouse, form, period = office.warehouse, batch.form, batch.period
    bureaus = [one.bureau for one in batch.submissions]
    looks = looks_back_on(rules)
    branches = office.bureaus.units(form.family, period)
    contained = _contained(branches)
    looked = looked_back(office, rules, bureaus, looks)
    # Of a nil return that comes for the first time nothing is written yet; the sums over all bureaus are what they will be when it
    # is stored, so that judging again comes to the same.
    batch = fill_nil(batch, looked, period.opens_year)
    totals, beside, norms = totals_of(batch, contained), batch, None
    if is_part:
        here = {code for code in bureaus if code is not None}
        for name, value in warehouse.totals(form, period, here | contained).items():
            totals[name] = totals.get(name, 0) + value
        shared = siblings(office.bureaus, form.family, period)
        others = {other for code in here for other in (*branches.get(code, ()), *shared.get(code, ()))} - here
        beside = _joined(warehouse.stored_batch(form, period, others), batch)
        if (norms := warehouse.norms_of(rules)) is None:  # never judged as a whole by these rules
            rest = [one for one in warehouse.stored_batch(form, period).submissions if one.bureau not in here]
            everybody = replace(batch, submissions=(*rest, *batch.submissions))
            peers = [one.bureau for one in everybody.submissions]
            norms = norms_of(everybody, rules, looked_back(office, rules, peers, looks))
    history = with_siblings(office, rules, beside, bureaus, looked)
    units = units_figures(beside, looks.units, branches, bureaus)
    keys = _keys(office, batch) if form.lists else None
    history = replace(history, figures={**history.figures, **units}, norms=norms, keys=keys)
    waivers = Waivers([one for one in warehouse.waivers(form.family) if waives(one, period)])
    return judge(batch, rules, history, totals, waivers)


def _joined(*batches: Batch) -> Batch:
    return replace(batches[0], submissions=tuple(one for batch in batches for one in batch.submissions))


def held_together(office: Office, family: str, period: Period, bureaus: Collection[str]) -> frozenset[str]:
    """These bureaus, and those whose returns are held against theirs: that report for a branch with one of them in it, or share
    with one of them what was left to them."""
    branches, shared = office.bureaus.units(family, period), siblings(office.bureaus, family, period)
    wholes = {code for code, units in branches.items() if not set(units).isdisjoint(bureaus)}
    return frozenset(bureaus) | wholes | {other for code in bureaus for other in shared.get(code, ())}


def _contained(branches: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The bureaus whose figures are inside another's, of each bureau that reports for its whole branch."""
    return frozenset(unit for below in branches.values() for unit in below)


def _keys(office: Office, batch: Batch) -> dict[str, frozenset[str]]:
    """Of each list that others follow, what any bureau lists: in this batch, and what is stored."""
    stored = office.warehouse.known_keys(batch.form, batch.period)
    now = [item for one in batch.submissions for item in one.items]
    return {code: keys | {item.key for item in now if item.list == code and item.key} for code, keys in stored.items()}


def frozen(
    office: Office, run: str, form: Form, period: Period, others: int = 0, rules: str | None = None
) -> Consolidation:
    """Freeze a period as it stands now; the newest version where nothing changed."""
    duty = duty_of(office, form, period)
    return office.warehouse.freeze(run, form, period, duty, others, rules, dependents_of(office, form.family, period))


def duty_of(office: Office, form: Form, period: Period) -> Duty:
    """What is expected of a period, as the office is configured now."""
    contained = _contained(office.bureaus.units(form.family, period))
    return Duty(office.owing(form.family, period), office.due(period).day, office.clock(), contained)


def dependents_of(office: Office, family: str, period: Period, together: frozenset[str] | None = None) -> Dependents:
    """What depends on a period, of which the bureaus `together` are judged (all where None): the one after it looks back on its
    closings and cumulatives, the next few and the one a year later on the bureau's course, under another code where it merged,
    was split or got a new one; the rest of the year's cumulatives contain it, and so do coarser periods and the
    returns that are the sum of this family's."""
    per_year = 12 // period.frequency.months
    steps = sorted({*range(1, RECENT + 1), per_year})
    judged = [(family, period.shifted(step)) for step in steps]
    later = [(family, period.shifted(step)) for step in range(1, per_year - period.ordinal + 1)]
    coarser = [
        (family, Period.of_day(period.start, frequency))
        for frequency in Frequency
        if frequency.months > period.frequency.months
    ]
    for form in office.forms.forms:
        if form.adds_up is not None and form.adds_up.family == family:
            judged.append((form.family, Period.of_day(period.start, form.frequency)))
    places = tuple(dict.fromkeys(judged))
    under = {}
    for place in dict.fromkeys((*places, *later)):
        seen_from = place[1] if place[1].frequency is period.frequency else place[1].parts(period.frequency)[-1]
        if others := heirs(office.bureaus, family, period, seen_from):
            under[place] = others
    return Dependents(places, (*later, *coarser), together, under, siblings(office.bureaus, family, period))


@dataclass(frozen=True)
class Followed:
    """What came of following: the versions that were frozen anew, and the program faults, by file."""

    consolidations: tuple[Consolidation, ...]
    faults: Mapping[str, str]


def follow(office: Office, run: str, progress: Callable[[str, int, int], None]) -> Followed:
    """Judge again and freeze anew whatever waits for it, the earliest first, until nothing does.

    Work that an earlier run left (because it was stopped) is done as well.
    """
    frozen_anew: dict[tuple[str, Period], Consolidation] = {}
    faults: dict[str, str] = {}
    while (waiting := office.warehouse.next_waiting()) is not None:
        one = _followed(office, run, waiting, faults)
        if one is not None:
            frozen_anew[(waiting.family, waiting.period)] = one
        progress("follow", len(frozen_anew), len(frozen_anew))
    return Followed(tuple(frozen_anew.values()), faults)


def _followed(office: Office, run: str, waiting: Waiting, faults: dict[str, str]) -> Consolidation | None:
    warehouse, family, period = office.warehouse, waiting.family, waiting.period
    try:
        if period.frequency is not office.forms.frequency_of(family):
            return frozen(office, run, office.forms.for_roll_up(family, period), period)
        form = office.forms.choose(family, period)
    except UserError:  # the office has taken the form away: there are no rules to judge by, and nothing to freeze
        warehouse.settle_pending(waiting)
        return None
    rules = office.rules(form, period)
    together = held_together(office, family, period, waiting.bureaus)
    batch = warehouse.stored_batch(form, period, together)
    if batch.submissions:
        verdict = verdict_of(office, rules, batch, is_part=True)
        faults |= {one.submission.file: one.fault for one in verdict.judged if one.fault}
        version = warehouse.enter_rules(rules, office.clock(), verdict.norms)
        warehouse.renew(form, period, verdict.judged, version, dependents_of(office, family, period, together))
    else:
        version = warehouse.enter_rules(rules, office.clock())
    one = frozen(office, run, form, period, warehouse.others(family, period), version)
    warehouse.settle_pending(waiting)
    return one

"""What a period's checks look back on, over mergers, splits and new codes of bureaus, and with what was restated.

Not here: what was accepted (`warehouse`), adding it up (`quality.bridges`), judging by it (`judgement`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from disclosure_etl.office import Office
from disclosure_etl.quality.bridges import bridges_told, carried_over, siblings_figures
from disclosure_etl.succession import Changeover, Origins, changeovers, origins, siblings
from schemas.constraints import Source
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Batch, History, LooksBack
from schemas.restatements import Restatement, balances, carried, looked_up
from schemas.rules import RuleSet
from schemas.trends import RECENT
from schemas.values import UNKNOWN


def looked_back(office: Office, rules: RuleSet, bureaus: Sequence[str | None], looks: LooksBack) -> History:
    """What the accepted returns of earlier (and finer) periods say, one entry for each of `bureaus`; of one that took over
    from others, what theirs say together; with what was restated of it, so that an opening is held against the closing before
    and the restated amount."""
    history = _accepted(office, rules.form, rules.period, bureaus, looks)
    first = rules.period.shifted(1 - rules.period.ordinal)
    year = [first.shifted(step) for step in range(rules.period.ordinal)]
    restated = office.warehouse.restatements(rules.form.family, year)
    if not restated:
        return history
    whose = origins(office.bureaus, rules.form.family, rules.period, rules.period.ordinal)
    return _with_restated(history, rules, bureaus, restated, whose)


def _accepted(office: Office, form: Form, period: Period, bureaus: Sequence[str | None], looks: LooksBack) -> History:
    finer = office.forms.frequency_of(form.adds_up.family) if form.adds_up else None
    tree = office.bureaus
    if not tree.successions:
        return office.warehouse.history(form, period, bureaus, looks, finer)
    steps = max(RECENT, 12 // period.frequency.months) if looks.watched else 1
    whose, over = origins(tree, form.family, period, steps), changeovers(tree, form.family, period)
    looks = replace(looks, whose=_whose_parts(office, form, period))
    needed = {code for step in (*whose, *looks.whose.values()) for codes in step.values() for code in codes}
    needed |= {code for one in over for code in one.predecessors}
    asked = [*bureaus, *sorted(needed - {code for code in bureaus if code})]
    found = office.warehouse.history(form, period, asked, looks, finer)
    history = carried_over(found, asked, len(bureaus), whose, over)
    return replace(history, bridges=bridges_told(over, _names(office, over, period)))


def _with_restated(
    history: History,
    rules: RuleSet,
    bureaus: Sequence[str | None],
    restated: Sequence[Restatement],
    whose: Sequence[Origins],
) -> History:
    """The history with what was restated. `whose`: whose figures are whose, a step back each; whoever took over from others has
    in its year to date what was restated of them, too."""
    places = {(rule.terms[-1].cell.indicator, rule.column): rule for rule in carried(rules.table)}
    figures, booked = dict(history.figures), dict(history.booked)
    for one in restated:
        rule = places.get((one.indicator, one.column))
        if rule is None:
            continue
        own = np.array([bureau == one.bureau for bureau in bureaus], bool)  # also of no bureaus at all
        if one.period == rules.period.code and (name := looked_up(rule)) in figures:
            figures[name] = np.where(own & (figures[name] != UNKNOWN), figures[name] + one.amount, figures[name])
        if not Period.parse(one.period).opens_year:
            steps = rules.period.ordinal - Period.parse(one.period).ordinal
            theirs = whose[steps - 1] if steps else {}
            inside = np.array([one.bureau in theirs.get(code or "", (code,)) for code in bureaus], bool)
            for balance in balances(rules.table, rule):
                place = (balance.code, balance.column)
                booked[place] = booked.get(place, np.zeros(len(bureaus), np.int64)) + inside * one.amount
    return replace(history, figures=figures, booked=booked)


def with_siblings(
    office: Office, rules: RuleSet, everybody: Batch, bureaus: Sequence[str | None], found: History
) -> History:
    """The same with what others sent who share with some of `bureaus` what was left to them."""
    form, period = rules.form, rules.period
    beside = siblings(office.bureaus, form.family, period)
    figures = siblings_figures(everybody, rules.table.looked_up(Source.SIBLINGS), beside, bureaus)
    if not figures:
        return found
    over = changeovers(office.bureaus, form.family, period)
    told = bridges_told(over, _names(office, over, period), everybody)
    return replace(found, figures={**found.figures, **figures}, bridges=told)


def _names(office: Office, over: Sequence[Changeover], period: Period) -> dict[str, Message]:
    """The names of all who are concerned: of those before as they were called then."""
    concerned = {code for one in over for code in (*one.predecessors, *one.successors)}
    return {
        bureau.code: Message(bureau.name_zh, bureau.name_en)
        for day in (period.end, period.preceding.end)
        for bureau in office.bureaus.at(day)
        if bureau.code in concerned
    }


def _whose_parts(office: Office, form: Form, period: Period) -> Mapping[str, Origins]:
    """Of whoever took over from others within the period: whose finer returns are its own, by the finer period's code."""
    if form.adds_up is None:
        return {}
    parts = period.parts(office.forms.frequency_of(form.adds_up.family))
    back = origins(office.bureaus, form.adds_up.family, parts[-1], len(parts) - 1)
    return {part.code: whose for part, whose in zip(reversed(parts[:-1]), back, strict=True) if whose}

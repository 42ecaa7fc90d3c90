"""Returns of any form put before its rules: the forms themselves, histories, and what each rule says. No assertion in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from disclosure_etl.quality.judging import judge
from disclosure_etl.settings import default_config_dir
from schemas.batches import cells_of, validate, wide_frame
from schemas.constraints import CELLWISE, LINEAR, SHARES, Kind, Source
from schemas.formfile import load_forms
from schemas.forms import Form
from schemas.kernels import BRIDGED
from schemas.periods import Period
from schemas.records import Batch, History, Judged
from schemas.rules import RuleSet
from schemas.values import UNKNOWN
from tests.forms.flows import Figures
from tests.quality.written import rules_of, shares_of, written

FILES = sorted((default_config_dir() / "forms").glob("*.yaml"))
AS_SHIPPED = {form.key: form for form in load_forms(FILES).forms}
OPTIONAL = {"bureau-monthly": ("channels", "responses", "training"), "national-annual": ("key_areas",)}
WITH_OPTIONAL = {form.key: form for form in load_forms(FILES, OPTIONAL).forms}

Rule = tuple[str, str]  # a rule's code, and the column that it is judged at


@dataclass(frozen=True)
class Trial:
    """One return, with what the rules look up for it: None where nothing was accepted of it (or the bureau has no units).

    `without`: columns of the wide frame (`previous:` …) that were looked up in vain.
    """

    figures: Figures
    before: Figures | None = None
    finer: Figures | None = None
    units: Figures | None = None
    siblings: Figures | None = None  # of the others, where several took over from some
    predecessors: Figures | None = None
    shares: Mapping[str, str] | None = None
    blank: frozenset[tuple[str, str]] = frozenset()
    looked_up: Mapping[str, int] = field(default_factory=dict)
    without: frozenset[str] = frozenset()


def consistent_trial(form: Form, before: Figures | None, now: Figures) -> Trial:
    """A return that follows from its history in every way: its finer returns add up to it, its units are part of it, and
    another like it began with the other half of what two before them left."""
    units = {place: max(0, value - 1) for place, value in now.items()}
    both = None if before is None else {place: 2 * value for place, value in before.items()}
    return Trial(now, before, now, units, now, both, shares_of(form, now))


_LOOKED_UP = {
    Source.PREVIOUS: "before",
    Source.PERIODS: "finer",
    Source.UNITS: "units",
    Source.SIBLINGS: "siblings",
    Source.PREDECESSORS: "predecessors",
}


def known_of(trial: Trial, source: Source) -> Figures | None:
    """The figures that a source gives."""
    return getattr(trial, _LOOKED_UP[source])


def history_of(rules: RuleSet, trials: Sequence[Trial]) -> History:
    """What the rules look up, one entry a trial."""
    figures: dict[str, np.ndarray] = {}
    for source in _LOOKED_UP:
        for cell in rules.table.looked_up(source):
            name, place = source + cell.name, (cell.indicator, cell.column)
            values = []
            for trial in trials:
                known = known_of(trial, source)
                value = UNKNOWN if known is None else known.get(place, UNKNOWN)
                values.append(UNKNOWN if name in trial.without else trial.looked_up.get(name, value))
            if source not in (Source.UNITS, Source.SIBLINGS) or any(value != UNKNOWN for value in values):
                figures[name] = np.array(values, np.int64)
    figures[BRIDGED] = np.array([trial.siblings is not None for trial in trials], np.int64)
    return History(figures)


def batch_of(form: Form, period: Period, trials: Sequence[Trial]) -> Batch:
    """The trials as a batch of returns of one period."""
    return Batch(
        form,
        period,
        tuple(written(form, one.figures, one.shares, blank=one.blank, period=period) for one in trials),
    )


def judged(form: Form, period: Period, trial: Trial) -> Judged:
    """The verdict of one trial, as a steward sees it."""
    rules = rules_of(form, period)
    return judge(batch_of(form, period, [trial]), rules, history_of(rules, [trial])).judged[0]


def answers(form: Form, period: Period, trials: Sequence[Trial]) -> dict[Rule, tuple[np.ndarray, np.ndarray]]:
    """By rule: which of the trials fail it, and of which it cannot be assessed."""
    rules = rules_of(form, period)
    batch, history = batch_of(form, period, trials), history_of(rules, trials)
    outcomes = validate(wide_frame(batch, history, rules), batch, history, rules).outcomes
    found: dict[Rule, tuple[np.ndarray, np.ndarray]] = {}
    for kind, outcome in outcomes.items():
        for rule, positions in positions_of(kind, rules).items():
            found[rule] = (outcome.fails[:, positions].any(axis=1), outcome.unassessable[:, positions].any(axis=1))
    return found


def positions_of(kind: Kind, rules: RuleSet) -> dict[Rule, list[int]]:
    """Where in the outcome of a kind each of its rules stands."""
    found: dict[Rule, list[int]] = {}

    def add(code: str, column: str, at: int) -> None:
        found.setdefault((code, column), []).append(at)

    if kind in CELLWISE:
        for at, position in enumerate(cells_of(kind, rules.form)):
            cell = rules.form.cells[position]
            if cell.measure != "share":
                add(f"{kind}:{cell.indicator}", cell.column, at)
    elif kind in LINEAR:
        for at, row in enumerate(rules.table.of_kind(kind)):
            add(row.code, row.column, at)
    elif kind in SHARES:
        at = 0
        for group in rules.table.share_groups(kind):
            for _ in group.parts if kind is not Kind.SHARE_COLUMN else (None,):
                add(group.code(kind), group.column, at)
                at += 1
    return found

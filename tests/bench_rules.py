"""`make bench`, second part: all rules of the yearly form over 3,000 bureaus × 12 periods in one pass, beside bare numpy masks
of the same rules. Ratios within one run; nothing here passes or fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from disclosure_etl.quality.judging import judge
from disclosure_etl.settings import default_config_dir
from schemas.batches import validate, wide_frame
from schemas.constraints import Relation, Source
from schemas.formfile import load_forms
from schemas.periods import Period
from schemas.records import Batch, History, Submission
from schemas.rules import RuleSet, RuleSettings, rule_set
from schemas.values import Meaning

_YEAR = Period.parse("2023")


def _best(call: Callable[[], object], times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return best


def _batch(rules: RuleSet, numbers: np.ndarray) -> Batch:
    """Returns with these figures, as matrices; what a workbook says beside them is the same for all."""
    rows, cells = numbers.shape
    blank = ("",) * cells
    none = bytes(cells)
    one = Submission("d", "f", rules.form.key, "b", "b", _YEAR.code, 1, False, {}, (), none, none, none, blank, blank)
    batch = Batch(rules.form, _YEAR, (one,) * rows)
    codes = {
        "numbers": numbers,
        "meanings": np.full(numbers.shape, Meaning.NUMBER, np.uint8),
        "decimals": np.zeros(numbers.shape, np.uint8),
        "troubles": np.zeros(numbers.shape, np.uint8),
    }
    batch.__dict__.update(codes)  # in the place of what would be gathered from the submissions
    return batch


def _bare(rules: RuleSet, numbers: np.ndarray, looked_up: dict[str, np.ndarray]) -> float:
    columns = np.asfortranarray(numbers)
    rows = [
        rule
        for rule in rules.table.constraints
        if all(term.source not in (Source.UNITS, Source.SIBLINGS) for term in rule.terms)
    ]

    def masks() -> None:
        for rule in rows:
            total = np.zeros(len(columns), np.int64)
            for term in rule.terms:
                values = columns[:, term.cell.position] if term.source is Source.OWN else looked_up[term.name]
                total += term.coefficient * values
            _ = total != 0 if rule.relation is Relation.EQUAL else total > 0
        _ = columns < 0

    return _best(masks)


def lines(bureaus: int = 3000, periods: int = 12) -> Iterator[str]:
    """The figures, a line each for 0% and 5% of cells changed."""
    forms = load_forms(sorted((default_config_dir() / "forms").glob("*.yaml")))
    form = next(one for one in forms.forms if one.key == "national-annual/2021")
    rules = rule_set(form, _YEAR, RuleSettings())
    rows = bureaus * periods
    clean = np.zeros((rows, len(form.cells)), np.int64)
    dealer = np.random.default_rng(1)
    changed = clean.copy()
    where = dealer.random(changed.shape) < 0.05
    changed[where] = dealer.integers(1, 9, int(where.sum()))
    looked_up = {
        source + cell.name: np.zeros(rows, np.int64)
        for source in (Source.PREVIOUS, Source.PERIODS)
        for cell in rules.table.looked_up(source)
    }
    history = History(looked_up)
    for told, numbers in (("0%", clean), ("5%", changed)):
        batch = _batch(rules, numbers)
        bare = _bare(rules, numbers, looked_up)
        frame = wide_frame(batch, history, rules)
        build = _best(lambda b=batch: wide_frame(b, history, rules))
        judged = _best(lambda f=frame, b=batch: validate(f, b, history, rules))
        places = sum(int(outcome.fails.sum()) for outcome in validate(frame, batch, history, rules).outcomes.values())
        yield (
            f"{form.key}, {rows} returns × {len(form.cells)} cells, {len(rules.table.constraints)} rules, {told} of cells "
            f"changed: masks {bare:.3f} s, frame {build:.3f} s, one pass {judged:.3f} s; together {(build + judged) / bare:.1f} × "
            f"masks, {places} failing places"
        )
    few = _batch(rules, changed[:3000])
    part = History({name: values[:3000] for name, values in looked_up.items()})
    seconds = _best(lambda: judge(few, rules, part, {}), 1)
    count = sum(len(one.failures) for one in judge(few, rules, part, {}).judged)
    yield f"with failures in words: 3,000 returns, 5% changed: {seconds:.2f} s, {count} failures, {seconds / count * 1e6:.0f} µs each"

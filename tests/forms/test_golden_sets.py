"""For each form a few returns, real ones among them, each with the exact list of its failures.

A file in `golden` gives one right return with its history, and what is changed in each case. Figures are in the unit of the
form; those that are not given are zero. A list stands for the columns of the indicator's table, in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.forms import Form, Table
from schemas.periods import Period
from tests.forms.flows import Figures
from tests.forms.trials import AS_SHIPPED, Trial, judged

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.yaml"))


@dataclass(frozen=True)
class Case:
    """One return and what must be found in it: `severity rule column`, with ` follows` behind what another implies."""

    form: Form
    period: Period
    trial: Trial
    failures: list[str]


def table_with(form: Form, indicator: str) -> Table:
    return next(
        table for table in form.tables if any(indicator == item.code for b in table.blocks for item in b.indicators)
    )


def read_figures(form: Form, given: dict[str, Any] | None) -> Figures:
    """What is written, as whole numbers of the smallest unit."""
    figures: Figures = {}
    for indicator, values in (given or {}).items():
        columns = [column.code for column in table_with(form, indicator).columns]
        if isinstance(values, list):
            values = dict(zip(columns, values, strict=True))
        for column, value in values.items():
            assert column in columns, f"{indicator} has no column {column}"
            figures[indicator, column] = int(Decimal(str(value)).scaleb(form.indicators[indicator].decimals))
    return figures


def read_case(form: Form, period: Period, clean: dict[str, Any], case: dict[str, Any]) -> Case:
    zeros = {(cell.indicator, cell.column): 0 for cell in form.cells}
    whole = read_figures(form, case.get("figures", clean["figures"]))
    before = zeros | read_figures(form, clean.get("before")) | read_figures(form, case.get("before"))
    trial = Trial(
        figures=zeros | whole | read_figures(form, case.get("change")),
        before=None if case.get("history") == "none" else before,
        finer=read_figures(form, case.get("finer")),
        units=read_figures(form, case.get("units")),
        shares=case.get("shares"),
        blank=frozenset(
            (code, column) for code, columns in case.get("blank", {}).items() for column in columns.split()
        ),
    )
    failures = []
    for line in case.get("failures", []):
        severity, rule, *columns = line.split()
        follows = [" follows"] if columns[-1:] == ["follows"] else [""]
        failures += [f"{severity} {rule} {column}{follows[0]}" for column in columns if column != "follows"]
    return Case(form, period, trial, sorted(failures))


def cases() -> list[Any]:
    found = []
    for path in GOLDEN:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        form, period = AS_SHIPPED[told["form"]], Period.parse(str(told["period"]))
        for case in told["cases"]:
            found.append(pytest.param(read_case(form, period, told["clean"], case), id=f"{path.stem}: {case['name']}"))
    return found


@pytest.mark.parametrize("case", cases())
def test_a_return_has_exactly_these_failures(case: Case) -> None:
    verdict = judged(case.form, case.period, case.trial)

    found = sorted(
        f"{one.severity.value} {one.rule} {one.column}{' follows' if one.implied_by else ''}"
        for one in verdict.failures
    )
    assert found == case.failures


def test_every_form_has_its_set_and_a_clean_return_in_it() -> None:
    told = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in GOLDEN}

    assert sorted(one["form"] for one in told.values()) == sorted(AS_SHIPPED)
    for name, one in told.items():
        assert 6 <= len(one["cases"]) <= 16, name
        assert not one["cases"][0].keys() - {"name"}, name

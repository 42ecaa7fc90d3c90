"""Form files: what must hang together, and what a person is told where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigError, UserError
from schemas.formfile import Forms, load_forms
from schemas.periods import Period
from tests.factories import default_form
from tests.schemas.test_constraints import BLOCKS, HEAD, MONTH, TO_DATE, account, item


def forms(tmp_path: Path, indicators: str, columns: str = MONTH, **optional: tuple[str, ...]) -> Forms:
    path = tmp_path / "f.yaml"
    path.write_text(HEAD + columns + BLOCKS + indicators, encoding="utf-8")
    return load_forms([path], optional)


WRONG = {
    "an unknown part": (item("t", "breakdowns: [{name: k, parts: [x, yy]}]") + item("x") + item("yyy"), "yyy"),
    "an unknown whole": (item("t") + item("s", "subset_of: tt"), "'t'"),
    "a circle": (
        item("a", "breakdowns: [{name: k, parts: [b]}]") + item("b", "breakdowns: [{name: k, parts: [a]}]"), "a → b → a",
    ),
    "two openings": (account(o="opening", p="opening", i="inflow", u="outflow", c="closing"), "several openings"),
    "no outflow": (account(o="opening", i="inflow", c="closing"), "inflow or an outflow"),
    "shares of an unknown column": (
        item("t", "breakdowns: [{name: k, parts: [x], shares: {columns: [months]}}]") + item("x"), "Did you mean 'month'",
    ),
    "a share of two totals": (
        item("t", "breakdowns: [{name: k, parts: [x], shares: {columns: [month]}}]")
        + item("s", "breakdowns: [{name: k, parts: [x], shares: {columns: [month]}}]") + item("x"),
        "a share belongs to one total",
    ),
    "a misspelt role": (item("t", "balance: {account: a, role: openning}"), "opening"),
    "an unknown key": (item("t", "unitt: 件"), "unitt"),
    "the same code twice": (item("twin") + item("twin"), "twin"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_what_does_not_hang_together_is_told_with_file_and_line(tmp_path: Path, what: str) -> None:
    indicators, hint = WRONG[what]

    with pytest.raises(ConfigError) as error:
        forms(tmp_path, indicators)

    shown = str(error.value)
    assert "f.yaml" in shown
    assert hint in shown


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        (MONTH + TO_DATE.replace("cumulates: month", "cumulates: moon"), "moon"),
        (MONTH + "      - {code: all, label: {zh: 计, en: All}, sum_of: [month, firm]}\n", "firm"),
    ],
)
def test_columns_refer_to_columns(tmp_path: Path, columns: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        forms(tmp_path, item("x"), columns)


def test_a_misspelt_optional_block_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trainings"):
        forms(tmp_path, item("x"), f=("trainings",))
    with pytest.raises(ConfigError, match="'g'"):
        forms(tmp_path, item("x"), g=("training",))


def versions(tmp_path: Path, *spans: tuple[str, str, str | None]) -> Forms:
    paths = []
    for name, first, last in spans:
        text = (HEAD + MONTH + BLOCKS + item("x")).replace('version: "1"', f'version: "{name}"')
        span = f"{{from: {first}}}" if last is None else f"{{from: {first}, to: {last}}}"
        paths.append(tmp_path / f"{name}.yaml")
        paths[-1].write_text(text.replace("{from: 2014-01}", span), encoding="utf-8")
    return load_forms(paths)


@pytest.mark.parametrize(
    ("spans", "what"),
    [
        ([("1", "2014-01", "2014-06"), ("2", "2014-06", None)], "overlap"),
        ([("1", "2014-01", None), ("2", "2015-01", None)], "overlap"),
        ([("1", "2014-01", "2014-06"), ("2", "2014-08", None)], "leave a gap"),
    ],
)
def test_versions_neither_overlap_nor_leave_a_gap(tmp_path: Path, spans, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        versions(tmp_path, *spans)


def test_family_and_period_choose_the_version(tmp_path: Path) -> None:
    two = versions(tmp_path, ("1", "2014-01", "2014-06"), ("2", "2014-07", None))

    assert two.choose("f", Period.parse("2014-06")).version == "1"
    assert two.choose("f", Period.parse("2014-07")).version == "2"
    with pytest.raises(UserError, match="2013-12"):
        two.choose("f", Period.parse("2013-12"))
    with pytest.raises(UserError, match="known: f"):
        two.choose("g", Period.parse("2014-06"))
    assert two.for_roll_up("f", Period.parse("2014H1")).version == "1"
    with pytest.raises(UserError, match="spans several versions"):
        two.for_roll_up("f", Period.parse("2014"))


def test_the_default_form_has_the_real_reports_indicators() -> None:
    form = default_form()

    assert len(form.blocks) == 6
    assert form.indicators["applications.received"].balance is not None
    assert form.indicators["fees.collected"].measure == "amount"
    assert [cell.position for cell in form.cells] == list(range(len(form.cells)))
    assert len({cell.name for cell in form.cells}) == len(form.cells)

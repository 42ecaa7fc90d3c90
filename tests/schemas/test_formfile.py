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
    "the same label twice": (item("a") + item("b").replace("zh: b", "zh: a"), "have the same label 'a'"),
    "a breakdown's name twice": (
        item("t", "breakdowns: [{name: k, parts: [x]}, {name: k, parts: [y]}]") + item("x") + item("y"),
        "Breakdown 'k' of indicator 't' stands twice",
    ),
    "a part named twice": (
        item("t", "breakdowns: [{name: k, parts: [x, y, x]}]") + item("x") + item("y"), "Part 'x' stands twice",
    ),
    "part of something with other decimals": (
        item("t") + item("s", "decimals: 2, subset_of: t"), "'s' and 't', which it is part of, have different decimals",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_what_does_not_hang_together_is_told_with_file_and_line(tmp_path: Path, what: str) -> None:
    indicators, hint = WRONG[what]

    with pytest.raises(ConfigError) as error:
        forms(tmp_path, indicators)

    shown = str(error.value)
    assert "f.yaml:" in shown
    assert hint in shown


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        (MONTH + TO_DATE.replace("cumulates: month", "cumulates: moon"), "moon"),
        (MONTH + "      - {code: all, label: {zh: 计, en: All}, sum_of: [month, firm]}\n", "firm"),
        (
            MONTH + TO_DATE + TO_DATE.replace("to_date", "ever").replace("month", "to_date"),
            "cumulates 'to_date', which is",
        ),
        (
            TO_DATE.replace("month", "ever") + TO_DATE.replace("to_date", "ever").replace("month", "to_date"),
            "cumulative",
        ),
    ],
)
def test_columns_refer_to_columns(tmp_path: Path, columns: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        forms(tmp_path, item("x"), columns)


def two_tables(tmp_path: Path, first: str, second: str, block: str = "c") -> Forms:
    """The first table has a month and its year to date, the second a month alone."""
    other = BLOCKS.replace("code: b", f"code: {block}")
    text = HEAD + MONTH + TO_DATE + BLOCKS + first + HEAD.split("tables:\n")[1].replace("main", "more") + MONTH + other
    path = tmp_path / "f.yaml"
    path.write_text(text + second, encoding="utf-8")
    return load_forms([path])


@pytest.mark.parametrize(
    ("first", "second", "hint"),
    [
        (item("t", "breakdowns: [{name: k, parts: [x]}]"), item("x"), "table of 'x' lacks columns .* 't' has: to_date"),
        (item("s", "subset_of: t"), item("t"), "table of 't' lacks columns .* 's' has: to_date"),
        (
            item("x"),
            item("t", "breakdowns: [{name: k, parts: [x], shares: {columns: [to_date]}}]"),
            "table of 't' has no column 'to_date'",
        ),
        (
            item("i", "balance: {account: a, role: inflow}"),
            item("u", "balance: {account: a, role: outflow}"),
            "spread over two tables \\('main', 'more'\\)",
        ),
    ],
)
def test_figures_are_compared_only_where_tables_have_the_columns(
    tmp_path: Path, first: str, second: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"f\.yaml:\d+: .*{hint}"):
        two_tables(tmp_path, first, second)


def test_a_part_may_stand_in_a_table_with_more_columns(tmp_path: Path) -> None:
    two_tables(tmp_path, item("x"), item("t", "breakdowns: [{name: k, parts: [x]}]"))


def test_a_block_stands_once_in_a_form(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"f\.yaml:\d+: Block code 'b' stands twice"):
        two_tables(tmp_path, item("x"), item("y"), block="b")


@pytest.mark.parametrize("line", [5, 21])
def test_a_validity_ends_after_it_begins(tmp_path: Path, line: int) -> None:
    """Of a form, and of a rule in it."""
    rule = "rules:\n  - code: r\n    title: {zh: 规, en: R}\n    terms: [{indicator: x}, {indicator: y}]\n    valid: {from: 2014-05, to: 2014-04}\n"
    text = HEAD + MONTH + BLOCKS + item("x") + item("y")
    text = text + rule if line > 6 else text.replace("{from: 2014-01}", "{from: 2014-05, to: 2014-04}")
    (tmp_path / "f.yaml").write_text(text.lstrip(), encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"f\.yaml:{line}: 'from' \(2014-05\) is later than 'to' \(2014-04\)"):
        load_forms([tmp_path / "f.yaml"])


def test_versions_of_a_family_come_equally_often(tmp_path: Path) -> None:
    text = HEAD + MONTH + BLOCKS + item("x")
    earlier, later = tmp_path / "1.yaml", tmp_path / "2.yaml"
    earlier.write_text(text.replace("{from: 2014-01}", "{from: 2014-01, to: 2014-12}"), encoding="utf-8")
    later.write_text(
        text.replace("{from: 2014-01}", "{from: 2015Q1}").replace("monthly", "quarterly").replace('"1"', '"2"'),
        encoding="utf-8",
    )

    with pytest.raises(
        ConfigError, match=r"2\.yaml:\d+: Version 1 of 'f' comes by the month, version 2 by the quarter"
    ):
        load_forms([earlier, later])


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

"""Balances carried over when bureaus merge, are split, or get a new code, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from disclosure_etl.baseline_file import read_baseline
from disclosure_etl.blank_workbooks import blank_workbooks
from disclosure_etl.decisions import Word
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.judgement import dependents_of, follow
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate, silent
from disclosure_etl.restated import Wanted, restate, withdraw
from disclosure_etl.warehouse.connection import writing
from disclosure_etl.warehouse.pending import note_siblings
from schemas.periods import Period
from tests.factories import FAMILY, return_bytes, send
from tests.successions import FORM, OLD, OPENING, Entry, failing, month, office_of, sent, waiting

END, NEXT = "2014-01-31", "2014-02-01"
MERGER: list[Entry] = [("a", OLD, END, ["m"]), ("b", OLD, END, ["m"]), ("m", NEXT, None, []), ("c", OLD, None, [])]
ABSORPTION: list[Entry] = [("a", OLD, END, ["b"]), ("b", OLD, None, [])]
SPLIT: list[Entry] = [("a", OLD, END, ["x", "y"]), ("x", NEXT, None, []), ("y", NEXT, None, [])]
SEVERAL: list[Entry] = [
    ("a", OLD, END, ["x", "y"]),
    ("b", OLD, END, ["y"]),
    ("x", NEXT, None, []),
    ("y", NEXT, None, []),
]
BRIDGE = "bridge:applications.opening"


@pytest.fixture
def furnished(tmp_path: Path, warehouse_url: str | None) -> Iterator[Callable[[Sequence[Entry]], Office]]:
    """An office with given bureaus."""
    made: list[Office] = []

    def make(entries: Sequence[Entry], parents: Mapping[tuple[str, str | None], str] | None = None) -> Office:
        made.append(office_of(tmp_path, entries, warehouse_url, parents))
        return made[-1]

    yield make
    for one in made:
        if "warehouse" in one.__dict__:
            one.warehouse.close()


def told(office: Office, period: str, rule: str, bureau: str):
    (found,) = [
        one.failure for one in office.warehouse.failures(FAMILY, Period.parse(period), bureau)
        if one.failure.rule == rule and one.failure.column == "month"
    ]  # fmt: skip
    return found


def test_a_merged_bureau_begins_with_the_sum_of_what_was_left(furnished) -> None:
    office = furnished(MERGER)
    a, b = month(0, 3), month(0, 4)
    sent(office, "2014-01", a=a, b=b, c=month(0, 0))

    result = sent(office, "2014-02", m=month(7, 5, a, b), c=month(0, 0, month(0, 0)))

    assert failing(office, "2014-02") == {}
    assert waiting(office, "2014-02") == {"m": 0, "c": 0}
    assert result.consolidation.missing == ()
    figures = {(one.indicator, one.column): one.value for one in result.consolidation.figures}
    assert figures["publications", "year_to_date"] == 5 * 12


def test_another_opening_is_told_with_those_whose_closings_it_should_be(furnished) -> None:
    office = furnished(MERGER)
    a, b = month(0, 3), month(0, 4)
    sent(office, "2014-01", a=a, b=b)

    sent(office, "2014-02", m=month(3, 5, a))

    failure = told(office, "2014-02", "opening:applications", "m")
    assert (failure.seen, failure.expected, failure.difference) == (("7", "3"), "7", "4")
    assert "前身单位(a分局、b分局)上期已认定的" in failure.message.zh and "合计为 7" in failure.message.zh
    assert "predecessors (a office, b office)" in failure.message.en
    cumulative = next(
        one.failure for one in office.warehouse.failures(FAMILY, Period.parse("2014-02"), "m")
        if one.failure.rule == "year-to-date:publications"
    )  # fmt: skip
    assert cumulative.seen == ("24", "12", "24")
    assert "前身单位(a分局、b分局)上期" in cumulative.message.zh


def test_what_is_not_accepted_of_one_is_not_guessed(furnished) -> None:
    office = furnished(MERGER)
    a, b = month(0, 3), month(0, 4)
    sent(office, "2014-01", a=a)

    sent(office, "2014-02", m=month(3, 5, a))
    before = waiting(office, "2014-02")["m"]
    later = sent(office, "2014-01", b=b).later

    assert before > 0
    assert "2014-02" in {one.period for one in later}
    assert "opening:applications" in failing(office, "2014-02")["m"]
    assert waiting(office, "2014-02") == {"m": 0, "c": 0}


def test_a_late_correction_of_a_predecessor_has_its_successor_judged_again(furnished) -> None:
    office = furnished(MERGER)
    a, b = month(0, 3), month(0, 4)
    sent(office, "2014-01", a=a, b=b)
    sent(office, "2014-02", m=month(7, 5, a, b))
    assert failing(office, "2014-02") == {}

    result = sent(office, "2014-01", b=month(0, 6), revision=2)

    assert "2014-02" in {one.period for one in result.later}
    assert "opening:applications" in failing(office, "2014-02")["m"]
    (standing,) = [one for one in result.later[0].bureaus if one.bureau == "m"]
    assert standing.stale and standing.status == "accepted"


def test_one_that_takes_over_another_begins_with_both_balances(furnished) -> None:
    office = furnished(ABSORPTION)
    a, b = month(0, 3), month(0, 4)
    sent(office, "2014-01", a=a, b=b)

    sent(office, "2014-02", b=month(7, 7, a, b))
    assert (failing(office, "2014-02"), waiting(office, "2014-02")) == ({}, {"b": 0})

    sent(office, "2014-02", b=month(4, 4, b), revision=2)
    failure = told(office, "2014-02", "opening:applications", "b")
    assert (failure.expected, failure.seen) == ("7", ("7", "4"))

    sent(office, "2014-03", b=month(7, 7, month(7, 7, a, b)))  # from then on its own again
    assert failing(office, "2014-03") == {}


def test_what_was_restated_of_one_before_balances_in_the_successors_year(furnished) -> None:
    """February opens with two more than were left; from March on another bureau goes on with all of it."""
    office = furnished([("a", OLD, "2014-02-28", ["m"]), ("m", "2014-03-01", None, []), ("c", OLD, None, [])])
    january = month(0, 3)
    february = month(5, 5, january)
    sent(office, "2014-01", a=january)
    sent(office, "2014-02", a=february)
    sent(office, "2014-03", m=month(5, 5, february))
    assert failing(office, "2014-03") == {"m": ["balance:applications"]}

    wanted = Wanted("a", OPENING, "2", "recount")
    done = restate(office, FAMILY, Period.parse("2014-02"), wanted, Word("王处长", "盘点台账"))

    assert failing(office, "2014-02") == {}
    assert failing(office, "2014-03") == {}
    withdraw(office, FAMILY, done.restatement.number, Word("王处长", "记错单位"))
    assert failing(office, "2014-03") == {"m": ["balance:applications"]}


def test_a_new_code_carries_everything_over(furnished) -> None:
    office = furnished([("a", OLD, END, ["n"]), ("n", NEXT, None, [])])
    a = month(0, 3)
    sent(office, "2014-01", a=a)

    sent(office, "2014-02", n=month(3, 5, a))

    assert (failing(office, "2014-02"), waiting(office, "2014-02")) == ({}, {"n": 0})


def test_a_move_to_another_parent_changes_no_balance(furnished) -> None:
    office = furnished([("p", OLD, None, []), ("a", OLD, END, []), ("a", NEXT, None, [])], {("a", NEXT): "p"})
    a = month(0, 3)
    sent(office, "2014-01", a=a)

    sent(office, "2014-02", a=month(3, 5, a))

    assert failing(office, "2014-02") == {}
    assert [one.parent for one in office.bureaus.bureaus if one.code == "a"] == ["shiju", "p"]


def test_a_chain_of_changes_carries_on(furnished) -> None:
    office = furnished(
        [
            ("a", OLD, END, ["b"]),
            ("b", NEXT, "2014-02-28", ["d"]),
            ("c", OLD, "2014-02-28", ["d"]),
            ("d", "2014-03-01", None, []),
        ]
    )
    a, c = month(0, 3), month(0, 1)
    sent(office, "2014-01", a=a, c=c)
    b, c2 = month(3, 4, a), month(1, 2, c)
    sent(office, "2014-02", b=b, c=c2)

    sent(office, "2014-03", d=month(6, 0, b, c2))

    assert failing(office, "2014-03") == {}
    assert waiting(office, "2014-03") == {"d": 0}


def test_the_openings_after_a_split_add_to_what_was_left(furnished) -> None:
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))

    sent(office, "2014-02", x=month(5, 5), y=month(3, 3))

    assert failing(office, "2014-02") == {}


def test_openings_that_do_not_are_told_at_each_with_all_of_them(furnished) -> None:
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))

    result = sent(office, "2014-02", x=month(5, 5), y=month(4, 4))

    assert failing(office, "2014-02") == {"x": [BRIDGE], "y": [BRIDGE]}
    for bureau in ("x", "y"):
        failure = told(office, "2014-02", BRIDGE, bureau)
        assert (failure.seen, failure.expected, failure.difference) == (("5", "4", "8"), "8", "1")
        assert "a分局" in failure.message.zh and "x分局 5 + y分局 4" in failure.message.zh
        assert len(failure.cells) == 1
    held = {state.bureau: state.held_blocks for state in result.consolidation.bureaus}
    assert held == {"x": ("applications",), "y": ("applications",)}

    sent(office, "2014-02", y=month(3, 3), revision=2)  # one of them mends it for both

    assert failing(office, "2014-02") == {}


def test_a_split_waits_for_all_who_share(furnished) -> None:
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))

    sent(office, "2014-02", x=month(5, 5))
    batch = office.warehouse.stored_batch(FORM, Period.parse("2014-02"))
    assert [one.bureau for one in batch.submissions] == ["x"]
    assert failing(office, "2014-02") == {}
    before = waiting(office, "2014-02")["x"]

    sent(office, "2014-02", y=month(3, 3))

    assert before - waiting(office, "2014-02")["x"] == 3  # the three accounts


def test_a_split_is_judged_again_when_what_was_left_is_corrected(furnished) -> None:
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))
    sent(office, "2014-02", x=month(5, 5), y=month(3, 3))

    sent(office, "2014-01", a=month(0, 9), revision=2)

    assert failing(office, "2014-02") == {"x": [BRIDGE], "y": [BRIDGE]}
    assert told(office, "2014-02", BRIDGE, "x").difference == "-1"


def test_several_into_several_are_held_together(furnished) -> None:
    office = furnished(SEVERAL)
    sent(office, "2014-01", a=month(0, 8), b=month(0, 2))

    sent(office, "2014-02", x=month(4, 4), y=month(6, 6))
    assert failing(office, "2014-02") == {}

    sent(office, "2014-02", x=month(5, 5), revision=2)
    assert failing(office, "2014-02") == {"x": [BRIDGE], "y": [BRIDGE]}
    assert told(office, "2014-02", BRIDGE, "y").seen == ("5", "6", "10")


def test_in_the_month_after_each_has_its_own_closing_again(furnished) -> None:
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))
    x, y = month(5, 6), month(3, 3)
    sent(office, "2014-02", x=x, y=y)

    sent(office, "2014-03", x=month(6, 6, x), y=month(2, 2, y))

    assert set(failing(office, "2014-03")) == {"y"}
    assert "opening:applications" in failing(office, "2014-03")["y"]


def test_a_nil_return_after_a_merger_stands_for_the_sum(furnished) -> None:
    office = furnished(MERGER)
    sent(office, "2014-01", a=month(0, 3), b=month(0, 4))
    february = Period.parse("2014-02")
    send(office, "m_2014-02.xlsx", return_bytes(FORM, february, "m", "m分局", {}, nil="√"))
    consolidate(office, FAMILY, february)

    own = {
        one.indicator: one.value
        for one in office.warehouse.bureau_figures(FORM, february, ["month"])
        if one.bureau == "m"
    }
    assert own[OPENING] == own["applications.closing"] == 7


def test_the_blank_workbook_has_the_sum_as_opening_and_of_a_split_nothing(furnished) -> None:
    def opening(office: Office, bureau: str) -> Decimal | None:
        ((name, data),) = blank_workbooks(office, FAMILY, Period.parse("2014-02"), [bureau])
        one = Interpreter((FORM,), office.bureaus).interpret(read_document(name, data)).submission
        return one.texts[FORM.figure_cell(OPENING, "month").position] or None

    merged = furnished(MERGER)
    sent(merged, "2014-01", a=month(0, 3), b=month(0, 4))

    assert opening(merged, "m") == "7"


def test_a_split_leaves_the_opening_of_the_blank_workbook_open(furnished) -> None:
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))
    ((name, data),) = blank_workbooks(office, FAMILY, Period.parse("2014-02"), ["x"])

    one = Interpreter((FORM,), office.bureaus).interpret(read_document(name, data)).submission

    assert one.texts[FORM.figure_cell(OPENING, "month").position] == ""


def test_a_nil_return_after_a_split_stays_at_the_opening_that_is_typed(furnished) -> None:
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))
    february, opening = Period.parse("2014-02"), {(OPENING, "month"): Decimal(5)}
    send(office, "x_2014-02.xlsx", return_bytes(FORM, february, "x", "x分局", opening, nil="√"))
    x = month(5, 5)
    sent(office, "2014-02", y=month(3, 3))

    own = {
        one.indicator: one.value
        for one in office.warehouse.bureau_figures(FORM, february, ["month"])
        if one.bureau == "x"
    }
    assert failing(office, "2014-02") == {}
    assert own["applications.closing"] == 5
    for code in ("applications.received", "applications.received.in_person"):
        assert own[code] == 0 < x[(code, "month")]


def test_closings_that_are_imported_of_predecessors_have_the_successor_judged_again(furnished, tmp_path: Path) -> None:
    office = furnished(MERGER)
    sent(office, "2014-02", m=month(3, 5, month(0, 3)))
    assert failing(office, "2014-02") == {}
    past = tmp_path / "past.csv"
    lines = ["bureau,period,indicator,column,value", *(f"{one},2014-01,applications.closing,month,4" for one in "ab")]
    past.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = read_baseline(past, office.bureaus)
    run = office.warehouse.start_run("import-history", FAMILY, Period.parse("2014-01"), office.clock())

    office.warehouse.import_baseline(
        run, FAMILY, office.forms, rows, past.name, office.clock(), replace=False,
        dependents=partial(dependents_of, office, FAMILY),
    )  # fmt: skip
    follow(office, run, silent)

    failure = told(office, "2014-02", "opening:applications", "m")
    assert (failure.seen, failure.expected) == (("8", "3"), "8")


def test_a_bureau_that_was_corrected_after_a_split_has_its_siblings_noted(furnished) -> None:
    """Where only one return is judged again, or one was withdrawn, the others that share with it are to be looked at."""
    office = furnished(SPLIT)
    sent(office, "2014-01", a=month(0, 8))
    sent(office, "2014-02", x=month(5, 5), y=month(3, 3))
    february = Period.parse("2014-02")
    dependents = dependents_of(office, FAMILY, february)
    assert dependents.siblings == {"x": ("y",), "y": ("x",)}
    assert dependents_of(office, FAMILY, Period.parse("2014-01")).heirs[(FAMILY, february)] == {"a": ("x", "y")}

    with writing(office.warehouse.engine) as connection:
        note_siblings(connection, (FAMILY, february), dependents, ["x"])

    waiting_now = office.warehouse.next_waiting()
    assert waiting_now is not None and waiting_now.bureaus == {"y"}
    follow(office, office.warehouse.start_run("rerun", FAMILY, february, office.clock()), silent)
    assert office.warehouse.next_waiting() is None

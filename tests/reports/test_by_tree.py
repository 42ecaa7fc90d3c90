"""Figures by the tree of a day: who is folded into whom, what stands apart, and that by any tree the total is the same."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_etl.bureaus import Bureau, Bureaus
from disclosure_etl.reports.by_tree import Line, LineKind, Reported, lay_out
from schemas.consolidation import BureauFigure, ConsolidatedFigure
from schemas.periods import Period

FAMILY = "f"
PLACE = ("publications", "month")
OLD = "2008-05-01"


def bureau(code: str, parent: str | None = None, first: str = OLD, last: str | None = None, **more) -> Bureau:
    owes = [{"family": FAMILY, "from": OLD}]
    own = {
        "code": code,
        "name_zh": f"{code}局",
        "name_en": code,
        "from": first,
        "to": last,
        "parent": parent,
        "owes": owes,
    }
    return Bureau.model_validate(own | more)


def reported(bureaus: Bureaus, period: str, figures: dict[str, int], rest: int = 0) -> Reported:
    """What is to be laid out; the consolidated figure is added up here on its own."""
    moment = Period.parse(period)
    containers = {unit: whole for whole, units in bureaus.units(FAMILY, moment).items() for unit in units}
    total = sum(value for code, value in figures.items() if code not in containers) + rest
    return Reported(
        [BureauFigure(code, *PLACE, "count", value, 0, True) for code, value in figures.items()],
        [ConsolidatedFigure(*PLACE, "count", total, 0, True)],
        moment.end,
        [one.code for one in bureaus.owing(FAMILY, moment)],
        containers,
    )


def shown(lines: tuple[Line, ...]) -> list[tuple]:
    return [
        (one.level, one.code or one.name.en, one.kind.value, one.values[PLACE][0], *(one.includes if one.includes != (one.code,) else ()), *([one.note.zh] if one.note else []))
        for one in lines
    ]  # fmt: skip


MERGED = Bureaus(
    (
        bureau("city"),
        bureau("a", "city", last="2014-06-30", into=["m"]),
        bureau("b", "city", last="2014-06-30", into=["m"]),
        bureau("m", "city", "2014-07-01", "2015-06-30", into=["n"]),
        bureau("n", "city", "2015-07-01"),
    )
)
SPLIT = Bureaus(
    (
        bureau("city"),
        bureau("east", "city"),
        bureau("a", "city", last="2014-06-30", into=["x", "y"]),
        bureau("x", "east", "2014-07-01"),
        bureau("y", "east", "2014-07-01"),
    )
)


def test_by_the_tree_of_the_day_everybody_stands_where_he_stood() -> None:
    told = reported(MERGED, "2014-05", {"city": 1, "a": 2, "b": 3})

    assert shown(lay_out(told, MERGED, date(2014, 5, 31))) == [
        (0, "city", "subtotal", 6),
        (1, "city", "own", 1),
        (1, "a", "own", 2),
        (1, "b", "own", 3),
        (0, "Total", "total", 6),
    ]


def test_by_a_later_tree_those_who_merged_are_one_through_chains() -> None:
    told = reported(MERGED, "2014-05", {"city": 1, "a": 2, "b": 3})

    assert shown(lay_out(told, MERGED, date(2016, 1, 1))) == [
        (0, "city", "subtotal", 6),
        (1, "city", "own", 1),
        (1, "n", "own", 5, "a", "b"),
        (0, "Total", "total", 6),
    ]


def test_one_that_was_split_cannot_be_divided_and_stands_below_whom_all_share() -> None:
    told = reported(SPLIT, "2014-05", {"a": 8})

    assert shown(lay_out(told, SPLIT, date(2016, 1, 1))) == [
        (0, "city", "subtotal", 8),
        (1, "city", "own", None),
        (1, "east", "subtotal", 8),
        (2, "east", "own", None),
        (2, "a", "own", 8, "已撤并"),
        (0, "Total", "total", 8),
    ]


def test_by_an_earlier_tree_what_merged_later_stands_apart() -> None:
    told = reported(MERGED, "2015-12", {"n": 5, "city": 1})

    assert shown(lay_out(told, MERGED, date(2014, 1, 1)))[-2:] == [
        (1, "n", "own", 5, "当时尚未设立"),
        (0, "Total", "total", 6),
    ]
    assert shown(lay_out(told, MERGED, date(2015, 1, 1)))[-2] == (1, "m", "own", 5, "n")


def test_one_that_ended_without_a_successor_is_shown_where_its_parent_is() -> None:
    bureaus = Bureaus((bureau("city"), bureau("a", "city", last="2014-06-30")))

    lines = shown(lay_out(reported(bureaus, "2014-05", {"a": 2}), bureaus, date(2016, 1, 1)))

    assert lines[-2] == (1, "a", "own", 2, "已撤销")


def test_a_bureau_that_no_tree_knows_is_in_a_bucket_that_enters_the_total() -> None:
    told = reported(MERGED, "2016-05", {"n": 5, "gone": 7}, rest=100)

    assert shown(lay_out(told, MERGED, date(2016, 5, 31)))[-4:] == [
        (0, "Unassigned", "unassigned", 107),
        (1, "gone", "own", 7),
        (1, "Not told by bureau", "own", 100),
        (0, "Total", "total", 112),
    ]


def test_what_is_inside_anothers_figures_is_shown_and_not_counted_twice() -> None:
    bureaus = Bureaus(
        (
            bureau("city"),
            bureau("east", "city", reports="whole"),
            bureau("north", "east"),
            bureau("far", "north"),
            bureau("west", "city"),
            bureau("moved", "east", last="2014-06-30"),
            bureau("moved", "west", "2014-07-01"),
        )
    )
    told = reported(bureaus, "2014-05", {"city": 1, "east": 10, "north": 4, "far": 2, "west": 5, "moved": 3})

    assert shown(lay_out(told, bureaus, date(2016, 1, 1))) == [
        (0, "city", "subtotal", 16),
        (1, "city", "own", 1),
        (1, "east", "subtotal", 10),
        (2, "east", "own", 10),
        (2, "north", "subtotal", 6),  # what these two report of themselves, a part of the ten
        (3, "north", "own", 4),
        (3, "far", "own", 2),
        (1, "west", "subtotal", 5),
        (2, "west", "own", 5),
        (2, "moved", "own", 3),  # then inside east's ten
        (0, "Total", "total", 16),
    ]
    assert [one.code for one in lay_out(told, bureaus, date(2016, 1, 1)) if one.is_contained] == [
        "north",
        "far",
        "moved",
    ]


def test_whoever_owes_figures_and_has_none_is_not_left_out() -> None:
    lines = shown(lay_out(reported(MERGED, "2014-05", {"a": 2}), MERGED, date(2014, 5, 31)))

    assert (1, "b", "own", None) in lines


# -- whatever the tree, the changes and the figures are ---------------------------------------------------------------

_DAYS = [date(2014, month, 1) for month in range(2, 8)]


@st.composite
def offices(draw: st.DrawFn) -> Bureaus:
    """A tree that changes at some months' beginnings: bureaus merge, are split, move, end; some report for their branch."""
    number = 0
    living: dict[str, Bureau] = {}
    past: list[Bureau] = []

    def new(day: date) -> None:
        nonlocal number
        parent = draw(st.sampled_from([None, *living]))
        number += 1
        code = f"b{number}"
        living[code] = bureau(code, parent, str(day), reports=draw(st.sampled_from(["own", "own", "whole"])))

    def end(code: str, day: date, into: tuple[str, ...]) -> None:
        """Its branch goes where it stood itself."""
        one = living.pop(code)
        past.append(one.model_copy(update={"valid_to": day - timedelta(days=1), "into": into}))
        for other in [other for other in living.values() if other.parent == code]:
            if other.valid_from < day:
                past.append(other.model_copy(update={"valid_to": day - timedelta(days=1)}))
            living[other.code] = other.model_copy(update={"valid_from": day, "parent": one.parent})

    for _ in range(draw(st.integers(2, 6))):
        new(date(2008, 5, 1))
    for day in _DAYS:
        old = [code for code, one in living.items() if one.valid_from < day]
        match draw(st.sampled_from(["merge", "split", "absorb", "end", "move", "new", "nothing"])):
            case "merge" | "split" as change if old:
                going = draw(st.lists(st.sampled_from(old), min_size=1, max_size=2, unique=True))
                before = set(living)
                for _ in range(1 if change == "merge" else 2):
                    new(day)
                fresh = tuple(code for code in living if code not in before)
                for code in going:
                    end(code, day, fresh)
            case "absorb" if len(old) > 1:
                one, other = draw(st.permutations(old))[:2]
                end(one, day, (other,))
            case "end" if len(old) > 1:
                end(draw(st.sampled_from(old)), day, ())
            case "move" if old:
                code = draw(st.sampled_from(old))
                one = living[code]
                free = [None, *(other for other in living if not _is_below(living, other, code))]
                past.append(one.model_copy(update={"valid_to": day - timedelta(days=1)}))
                living[code] = one.model_copy(update={"valid_from": day, "parent": draw(st.sampled_from(free))})
            case "new":
                new(day)
    return Bureaus((*past, *living.values()))


def _is_below(living: dict[str, Bureau], code: str | None, top: str) -> bool:
    while code is not None:
        if code == top:
            return True
        code = living[code].parent
    return False


@settings(max_examples=300, deadline=None)
@given(data=st.data(), bureaus=offices(), month=st.integers(1, 8), day=st.dates(date(2014, 1, 1), date(2014, 9, 1)))
def test_by_any_tree_the_total_is_the_consolidated_figure(data, bureaus: Bureaus, month: int, day: date) -> None:
    period = f"2014-{month:02d}"
    there = [one.code for one in bureaus.at(Period.parse(period).end)]
    senders = data.draw(st.lists(st.sampled_from([*there, "gone", "lost"]), unique=True))
    figures = {code: data.draw(st.integers(0, 1000)) for code in senders}
    told = reported(bureaus, period, figures)

    lines = lay_out(told, bureaus, day)

    *listed, total = lines
    assert total.kind is LineKind.TOTAL and total.values[PLACE][0] == told.consolidated[0].value
    tops = [one.values[PLACE][0] or 0 for one in listed if one.level == 0 and not one.is_contained]
    assert sum(tops) == told.consolidated[0].value
    assert not [one for one in listed if one.code == "" and one.level == 1], "every figure is told by its bureau"
    own: dict[str, int] = defaultdict(int)
    for one in listed:
        if one.kind is LineKind.OWN:
            for code in set(one.includes) & set(figures):
                own[code] += 1
    assert all(own[code] == 1 for code in figures), "everybody's figures stand in one line"

"""Mergers, splits and new codes over time: who takes over whose balances when, and whose figures are whose."""

from __future__ import annotations

from disclosure_etl.bureaus import Bureau, Bureaus
from disclosure_etl.succession import Changeover, changeovers, heirs, origins, siblings
from schemas.periods import Period

FAMILY = "f"


def tree(*entries: tuple[str, str, str | None, tuple[str, ...]], owing: tuple[str, ...] | None = None) -> Bureaus:
    """Bureaus as (code, first day, last day, into); all owe the return, or those in `owing`."""
    return Bureaus(
        tuple(
            Bureau.model_validate(
                {
                    "code": code, "name_zh": f"{code}局", "name_en": code, "from": first, "to": last, "into": into,
                    "owes": [{"family": FAMILY, "from": "2008-05-01"}] if owing is None or code in owing else [],
                }
            )
            for code, first, last, into in entries
        )
    )  # fmt: skip


def over(bureaus: Bureaus, period: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(one.predecessors, one.successors) for one in changeovers(bureaus, FAMILY, Period.parse(period))]


OLD = "2008-05-01"
MERGER = tree(("a", OLD, "2014-06-30", ("m",)), ("b", OLD, "2014-06-30", ("m",)), ("m", "2014-07-01", None, ()))
ABSORPTION = tree(("a", OLD, "2014-06-30", ("b",)), ("b", OLD, None, ()))
SPLIT = tree(("a", OLD, "2014-06-30", ("x", "y")), ("x", "2014-07-01", None, ()), ("y", "2014-07-01", None, ()))


def test_a_merger_takes_effect_once_with_all_who_end_into_it() -> None:
    assert over(MERGER, "2014-07") == [(("a", "b"), ("m",))]
    assert over(MERGER, "2014-06") == over(MERGER, "2014-08") == []


def test_one_that_takes_over_another_brings_its_own_balance() -> None:
    assert over(ABSORPTION, "2014-07") == [(("a", "b"), ("b",))]


def test_a_change_within_a_month_is_that_months() -> None:
    bureaus = tree(("a", OLD, "2014-06-10", ("m",)), ("m", "2014-06-11", None, ()))

    assert over(bureaus, "2014-06") == [(("a",), ("m",))]
    assert over(bureaus, "2014-07") == []


def test_changes_that_follow_within_a_month_are_one() -> None:
    bureaus = tree(
        ("a", OLD, "2014-06-10", ("b", "c")),
        ("b", "2014-06-11", "2014-06-20", ("d",)),
        ("c", "2014-06-11", "2014-06-20", ("d",)),
        ("d", "2014-06-21", None, ()),
    )

    assert over(bureaus, "2014-06") == [(("a",), ("d",))]


def test_several_into_several_hang_together_and_others_do_not() -> None:
    bureaus = tree(
        ("a", OLD, "2014-06-30", ("x", "y")),
        ("b", OLD, "2014-06-30", ("y",)),
        ("p", OLD, "2014-06-30", ("q",)),
        ("x", "2014-07-01", None, ()),
        ("y", "2014-07-01", None, ()),
        ("q", "2014-07-01", None, ()),
    )

    assert over(bureaus, "2014-07") == [(("a", "b"), ("x", "y")), (("p",), ("q",))]
    assert siblings(bureaus, FAMILY, Period.parse("2014-07")) == {"x": ("y",), "y": ("x",)}


def test_whoever_owes_no_return_leaves_and_takes_no_balance() -> None:
    bureaus = tree(
        ("a", OLD, "2014-06-30", ("m",)),
        ("b", OLD, "2014-06-30", ("m",)),
        ("m", "2014-07-01", None, ()),
        owing=("a", "m"),
    )

    assert over(bureaus, "2014-07") == [(("a",), ("m",))]


def test_where_nobody_owed_before_what_was_imported_of_any_counts() -> None:
    bureaus = tree(
        ("a", OLD, "2014-06-30", ("m",)), ("b", OLD, "2014-06-30", ("m",)), ("m", "2014-07-01", None, ()), owing=("m",)
    )

    assert changeovers(bureaus, FAMILY, Period.parse("2014-07")) == (Changeover(("a", "b"), ("m",)),)


def test_origins_go_back_through_a_chain_and_stop_at_a_split() -> None:
    bureaus = tree(
        ("a", OLD, "2014-05-31", ("b",)),
        ("b", "2014-06-01", "2014-06-30", ("c",)),
        ("c", OLD, None, ()),
        ("s", OLD, "2014-05-31", ("t", "u")),
        ("t", "2014-06-01", None, ()),
        ("u", "2014-06-01", None, ()),
    )

    june, may, april = origins(bureaus, FAMILY, Period.parse("2014-07"), 3)

    assert june == {"c": ("b", "c")}
    assert may == april == {"c": ("a", "c"), "b": ("a",), "t": (), "u": ()}
    assert origins(tree(("a", OLD, None, ())), FAMILY, Period.parse("2014-07"), 2) == ({}, {})


def test_heirs_are_all_who_look_back_on_a_figure() -> None:
    june, july, august = map(Period.parse, ("2014-06", "2014-07", "2014-08"))

    assert heirs(SPLIT, FAMILY, june, july) == {"a": ("x", "y")}
    assert heirs(ABSORPTION, FAMILY, june, august) == {"a": ("b",), "b": ("b",)}
    assert heirs(SPLIT, FAMILY, july, august) == {}

"""Five years of sixty bureaus, with all that happens to official figures, end with every invariant whole and without a hand in the
database; and a small one of the same, which runs with the ordinary tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from disclosure_etl import deltas
from disclosure_etl.keeping import verified
from disclosure_etl.reports.by_tree import LineKind
from disclosure_etl.reports.exported import TODAY, Choice, exported
from disclosure_etl.reports.publishing import table_of, table_path
from schemas.consolidation import VersionStatus
from schemas.periods import Frequency, Period
from tests.campaigns.ledgers import Ledgers
from tests.campaigns.troubles import NEW_FORM, Scale, furnish, troubles
from tests.campaigns.years import Years, assert_same
from tests.factories import FAMILY

SMALL = Scale("2018-12", 6, 8, merged="2019-02", split="2019-03", absorbed="2019-04", unlisted=2019, reopened="2018-12")
SIXTY = Scale(
    "2016-07", 60, 60, merged="2017-07", split="2018-03", absorbed="2020-05", unlisted=2018, reopened="2017-10", troubles=3
)  # fmt: skip


def restated(months: list[Period]) -> dict[tuple[str, str], tuple[str, str, int]]:
    """Each year an opening and a cumulative that rightly differ."""
    found = {}
    for month in months[1:]:
        if month.ordinal == 2 and month < NEW_FORM:
            found["b06", month.code] = ("applications.opening", "month", 2)
        elif month.ordinal in (3, 10) and month < NEW_FORM:
            found["b07", month.code] = ("fees.waived", "year_to_date", -100)
        elif month.ordinal == 7 and month > NEW_FORM:
            found["b06", month.code] = ("penalties", "decisions_to_date", 4)
    return found


@contextmanager
def played(folder: Path, scale: Scale, url: str | None = None) -> Iterator[Years]:
    """The years, told from ledgers of their own."""
    office, clock = furnish(folder, scale, url)

    def form_of(month: Period):
        return office.forms.choose(FAMILY, month)

    months = scale.periods
    unlike = frozenset(("b06", one.code) for one in months if one.ordinal == 12 and one.year < 2019)
    ledgers = Ledgers(office.bureaus, form_of, months, scale.seed, restated(months), unlike)
    years = Years(office, clock, scale, ledgers, troubles(scale, ledgers))
    try:
        years.play()
        yield years
    finally:
        office.warehouse.close()


def assert_whole(years: Years) -> None:
    """Everything that must hold at the end."""
    office, warehouse = years.office, years.office.warehouse
    assert years.counting == years.ledgers.true  # whatever was told wrongly was put right
    for month in years.scale.periods:
        one = warehouse.consolidation(FAMILY, month)
        assert one is not None
        assert_same(one, years.expected(month))
        stands = {state.bureau: (state.status, state.stale, state.held_blocks) for state in one.bureaus}
        assert stands == dict.fromkeys(years.ledgers.owing(month), ("accepted", False, ()))
    for period in warehouse.consolidated_periods(FAMILY):
        if period.frequency is not Frequency.MONTHLY:
            assert_same(warehouse.consolidation(FAMILY, period), years.expected(period))
    for month, after in pairwise(years.scale.periods):
        assert_carried_over(years, month, after)
    for month in (Period.parse(years.scale.merged).preceding, Period.parse(years.scale.split).preceding):
        shown = exported(office, FAMILY, month, Choice(tree=TODAY))
        (total,) = (one.values for one in shown.lines if one.kind is LineKind.TOTAL)
        assert {place: value for place, (value, _) in total.items()} == years.expected(month)
    assert deltas.propose(office, FAMILY) == []
    assert [one for one in verified(office) if not one.holds] == []
    for number, (moment, code, then) in enumerate(years.noted):
        assert warehouse.consolidation(FAMILY, Period.parse(code), as_of=moment) == then, (code, moment)
        if number % 5 == 0 and then.status is VersionStatus.PROVISIONAL:  # a final one's is written before it is locked
            assert table_of(office, then) == table_path(office, then).read_bytes(), (code, moment)


def assert_carried_over(years: Years, month: Period, after: Period) -> None:
    """All that is open at the end of a month is open at the beginning of the next, whoever merged or was split, but for what
    was restated."""
    one, other = (years.office.warehouse.consolidation(FAMILY, period) for period in (month, after))
    assert one is not None and other is not None
    if one.form != other.form:
        return
    closing, opening = (
        {figure.indicator: figure.value for figure in version.figures if figure.column in ("month", "total")}
        for version in (one, other)
    )
    for account in {name.rpartition(".")[0] for name in opening if name.endswith(".opening")}:
        booked = sum(
            amount
            for _, period, indicator, _, amount in years.booked
            if (period, indicator) == (after, f"{account}.opening")
        )
        assert opening[f"{account}.opening"] == closing[f"{account}.closing"] + booked, (account, after)


def test_half_a_year_of_eight_bureaus(tmp_path: Path, warehouse_url: str | None) -> None:
    with played(tmp_path, SMALL, warehouse_url) as years:
        assert_whole(years)


@pytest.mark.slow
def test_five_years_of_sixty_bureaus(tmp_path: Path) -> None:
    with played(tmp_path, SIXTY) as years:
        assert_whole(years)

"""A yearly return against the bureau's own monthly ones: other families, other frequencies, one warehouse."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
import yaml
from sqlalchemy import insert, select

from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate, roll_up
from disclosure_etl.settings import default_config_dir
from disclosure_etl.warehouse.connection import writing
from disclosure_etl.warehouse.decision_tables import sign_off
from disclosure_etl.warehouse.tables import consolidation
from schemas.forms import Form
from schemas.periods import Period
from tests.factories import FAMILY, ZONE, make_office, return_bytes, send
from tests.forms.flows import by_thirds, returns

YEAR = Period.parse("2022")
MONTHS = [Period.parse(f"2022-{number:02d}") for number in range(1, 13)]
ANNUAL = "national-annual"
# What one bureau has in one month, by table and column, in both forms alike.
MONTH = {
    ("permits", "decisions"): 3,
    ("applications.received", "natural_person"): 2,
    ("applications.received", "total"): 2,
    ("replies.granted", "natural_person"): 2,
    ("replies.granted", "total"): 2,
    ("replies", "natural_person"): 2,
    ("replies", "total"): 2,
}


@pytest.fixture
def two_families(office: Office, tmp_path) -> Office:
    """Two bureaus that owe the month and the year."""
    config = tmp_path / "config"
    config.mkdir()
    families = [{"family": family, "from": "2008-05-01"} for family in (FAMILY, ANNUAL)]
    bureaus = [
        {"code": code, "name_zh": f"{code}局", "name_en": code, "from": "2008-05-01", "owes": families}
        for code in ("shiju", "east")
    ]
    (config / "bureaus.yaml").write_text(yaml.safe_dump({"bureaus": bureaus}, allow_unicode=True), encoding="utf-8")
    (config / "settings.yaml").write_bytes((default_config_dir() / "settings.yaml").read_bytes())
    url = office.settings.warehouse_url.replace("+psycopg", "")
    return make_office(tmp_path, url, datetime(2023, 1, 20, tzinfo=ZONE), config)


def figures(form: Form, times: int, to_date: int | None = None, **changed: int) -> dict[tuple[str, str], Decimal]:
    """`times` months of work; cumulatives of `to_date` months."""
    found = {(cell.indicator, cell.column): Decimal(0) for cell in form.cells if cell.measure != "share"}
    for (indicator, column), number in MONTH.items():
        found[(indicator, column)] = Decimal(number * times)
        for other in form.columns.values():
            if other.cumulates == column and (indicator, other.code) in found:
                found[(indicator, other.code)] = Decimal(number * (to_date or times))
    for name, value in changed.items():
        found[(name, "decisions")] = Decimal(value)
    return found


def year_of(office: Office, **changed: int):
    for number, month in enumerate(MONTHS, 1):
        form = office.forms.choose(FAMILY, month)
        for code in ("shiju", "east"):
            data = return_bytes(form, month, code, f"{code}局", figures(form, 1, number))
            send(office, f"{code}_{month}.xlsx", data)
        consolidate(office, FAMILY, month)
    form = office.forms.choose(ANNUAL, YEAR)
    send(office, "east_2022年度.xlsx", return_bytes(form, YEAR, "east", "east局", figures(form, 12, **changed)))
    send(office, "shiju_2022年度.xlsx", return_bytes(form, YEAR, "shiju", "shiju局", figures(form, 12)))
    consolidate(office, ANNUAL, YEAR)
    return [one for one in office.warehouse.failures(ANNUAL, YEAR) if one.failure.kind == "periods"]


def test_a_year_that_is_the_sum_of_its_months_passes(two_families: Office) -> None:
    assert year_of(two_families) == []
    errors = [
        one.failure.message.en
        for month in MONTHS
        for one in two_families.warehouse.failures(FAMILY, month)
        if one.failure.severity.value == "error"
    ]
    assert errors == []
    two_families.warehouse.close()


def test_a_year_that_is_not_is_told_with_both_figures_and_only_noted_against_final_months(two_families: Office) -> None:
    (told,) = year_of(two_families, permits=35)

    assert (told.bureau, told.failure.rule, told.failure.severity.value) == ("east", "periods:permits", "error")
    assert (told.failure.seen, told.failure.expected, told.failure.difference) == (("36", "35"), "36", "1")

    with writing(two_families.warehouse.engine) as connection:
        now = {"signed_by": "王处长", "signed_at": two_families.clock(), "note": "", "acknowledged": []}
        keys = connection.execute(select(consolidation.c.id)).scalars().all()
        connection.execute(insert(sign_off), [{"consolidation_id": key, **now} for key in keys])
    consolidate(two_families, ANNUAL, YEAR)

    (noted,) = [one for one in two_families.warehouse.failures(ANNUAL, YEAR) if one.failure.kind == "periods"]
    assert noted.failure.severity.value == "notice"
    two_families.warehouse.close()


def test_a_year_of_a_bureau_that_took_another_over_is_both_their_months(tmp_path, warehouse_url: str | None) -> None:
    """West goes into East at midyear: East's year is its own, and West's to June."""
    config = tmp_path / "config"
    config.mkdir()
    families = [{"family": family, "from": "2008-05-01"} for family in (FAMILY, ANNUAL)]
    common = {"from": "2008-05-01", "owes": families}
    bureaus = [
        {"code": "east", "name_zh": "east局", "name_en": "east", **common},
        {"code": "west", "name_zh": "west局", "name_en": "west", "to": "2022-06-30", "into": ["east"], **common},
    ]
    (config / "bureaus.yaml").write_text(yaml.safe_dump({"bureaus": bureaus}, allow_unicode=True), encoding="utf-8")
    settings = (default_config_dir() / "settings.yaml").read_text("utf-8").replace("bureau: shiju", "bureau: east")
    (config / "settings.yaml").write_text(settings, encoding="utf-8")
    office = make_office(tmp_path, warehouse_url, datetime(2023, 1, 20, tzinfo=ZONE), config)
    for number, month in enumerate(MONTHS, 1):
        form = office.forms.choose(FAMILY, month)
        to_date = number + min(number, 6) if number > 6 else number
        for code in ("east", "west") if number <= 6 else ("east",):
            send(
                office, f"{code}_{month}.xlsx", return_bytes(form, month, code, f"{code}局", figures(form, 1, to_date))
            )
        consolidate(office, FAMILY, month)
    form = office.forms.choose(ANNUAL, YEAR)

    def judged(times: int, revision: int) -> set[str]:
        data = return_bytes(form, YEAR, "east", "east局", figures(form, times), revision)
        send(office, f"east_2022年度_{revision}.xlsx", data)
        consolidate(office, ANNUAL, YEAR)
        failures = office.warehouse.failures(ANNUAL, YEAR, "east")
        return {one.failure.rule for one in failures if one.failure.kind == "periods"}

    assert "periods:permits" in judged(12, 1)
    assert judged(18, 2) == set()
    (state,) = office.warehouse.consolidation(ANNUAL, YEAR).bureaus
    assert state.status == "accepted"
    errors = [
        one.failure.rule
        for month in MONTHS
        for one in office.warehouse.failures(FAMILY, month)
        if one.failure.severity == "error"
    ]
    assert errors == []
    office.warehouse.close()


def test_a_corrected_month_has_the_year_judged_again(two_families: Office) -> None:
    year_of(two_families)
    june = MONTHS[5]
    form = two_families.forms.choose(FAMILY, june)
    corrected = figures(form, 1, 6)
    for column in form.columns:
        if ("permits", column) in corrected:
            corrected[("permits", column)] += 1
    send(two_families, "east_2022-06_r2.xlsx", return_bytes(form, june, "east", "east局", corrected, 2))

    result = consolidate(two_families, FAMILY, june)

    assert "2022" in {one.period for one in result.later if one.family == ANNUAL}
    rules = [one.failure.rule for one in two_families.warehouse.failures(ANNUAL, YEAR, "east")]
    assert "periods:permits" in rules
    two_families.warehouse.close()


def test_a_quarter_is_made_of_what_came_and_of_how_things_stand(two_families: Office) -> None:
    """All results of a quarter are what was settled in it and what is pending at its end, of one bureau as of all."""
    office, months, quarter = two_families, [Period.parse(f"2020-{number:02d}") for number in (1, 2, 3)], "2020Q1"
    form = office.forms.choose(FAMILY, months[0])
    told = returns(form, 3, by_thirds)
    for month, one in zip(months, told, strict=True):
        numbers = {place: Decimal(value).scaleb(-form.indicators[place[0]].decimals) for place, value in one.items()}
        for code in ("shiju", "east"):
            send(office, f"{code}_{month}.xlsx", return_bytes(form, month, code, f"{code}局", numbers))
        consolidate(office, FAMILY, month)

    one = roll_up(office, FAMILY, Period.parse(quarter))
    by_bureau = office.warehouse.bureau_figures(form, Period.parse(quarter))
    alone = office.warehouse.bureau_figures(form, Period.parse(quarter), ["all_results"])

    settled = ("upheld", "corrected", "other_result")
    item = "reconsiderations"
    expected = sum(month[item, column] for month in told for column in settled) + told[-1][item, "pending"]
    figures = {(figure.indicator, figure.column): figure for figure in one.figures}
    assert expected > 0
    assert figures[item, "all_results"].value == 2 * expected
    assert figures[item, "all_results"].validated
    assert [each.value for each in by_bureau if (each.indicator, each.column) == (item, "all_results")] == [
        expected
    ] * 2
    assert [each.value for each in alone if each.indicator == item] == [expected] * 2
    for place, figure in figures.items():
        sums = [each.value or 0 for each in by_bureau if (each.indicator, each.column) == place]
        assert sum(sums) == (figure.value or 0), place
    office.warehouse.close()

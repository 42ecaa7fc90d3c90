"""A correction is judged with what depends on it and nothing else, and comes to what judging everything would come to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.judgement import verdict_of
from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, consolidate
from disclosure_etl.warehouse.connection import writing
from disclosure_etl.warehouse.tables import period_norm
from schemas.periods import Period
from schemas.records import Batch, Failure, Judged
from tests.factories import FAMILY, Figures, return_bytes, send, send_month, some_figures

MONTHS = [Period.parse(f"2014-0{number}") for number in range(1, 6)]
JANUARY, LAST = MONTHS[0], MONTHS[-1]


def changed(office: Office, month: Period, **by: int) -> Figures:
    figures = some_figures(office.forms.choose(FAMILY, month), month.ordinal)
    for indicator, difference in by.items():
        figures[(indicator.replace("__", "."), "month")] += difference
    return figures


def as_branch(office: Office, head: str, *units: str) -> None:
    """Let a bureau report for its whole branch."""
    told = {head: {"reports": "whole"}} | {unit: {"parent": head} for unit in units}
    others = {one.code: {"parent": None} for one in office.bureaus.bureaus if one.code not in told}
    bureaus = tuple(one.model_copy(update=(others | told)[one.code]) for one in office.bureaus.bureaus)
    office.__dict__["bureaus"] = Bureaus(bureaus)


@pytest.fixture
def five_months(office: Office) -> Office:
    """Five months in which much is wrong: slips, a figure far off, a return sent twice, a branch that reports less than its
    units, a bureau that sends nothing, and one that ticks that there is nothing."""
    as_branch(office, "chaoyang", "fengtai", "shijingshan")
    form = office.forms.choose(FAMILY, JANUARY)
    for number, month in enumerate(MONTHS):
        wrong = {
            "haidian": changed(office, month, enquiries__on_site=1 + number),
            "miyun": changed(office, month, publications__full_text=-3, fees__collected=2),
            "fengtai": changed(office, month, litigation__received=40, litigation__upheld=40),
            "daxing": changed(office, month, publications=900 * (month == LAST)),
        }
        send_month(office, month, changed=wrong, without=("yanqing", "huairou"))
        nil = return_bytes(form, month, "huairou", "怀柔分局", {}, nil="√")
        send(office, f"huairou_{month}.xlsx", nil)
        assert consolidate(office, FAMILY, month).faults == ()
    twice = return_bytes(form, LAST, "haidian", "海淀分局", changed(office, LAST, publications=5), 2)
    send(office, f"haidian_{LAST}_2.xlsx", twice)
    assert consolidate(office, FAMILY, LAST).faults == ()
    return office


def stored(office: Office, period: Period) -> Batch:
    return office.warehouse.stored_batch(office.forms.choose(FAMILY, period), period)


def of_bureau(judged: tuple[Judged, ...], bureau: str | None) -> list[Judged]:
    return [one for one in judged if one.submission.bureau == bureau]


def test_a_part_is_judged_as_the_whole_is(five_months: Office) -> None:
    batch = stored(five_months, LAST)
    rules = five_months.rules(batch.form, LAST)
    whole = verdict_of(five_months, rules, batch)
    found = {failure.kind for one in whole.judged for failure in one.failures}
    assert {"breakdown", "branch", "jump"} <= found

    def assert_alike(bureau: str | None) -> None:
        own = replace(batch, submissions=tuple(one for one in batch.submissions if one.bureau == bureau))
        part = verdict_of(five_months, rules, own, is_part=True)
        assert list(part.judged) == of_bureau(whole.judged, bureau), bureau

    for one in batch.submissions:
        assert_alike(one.bureau)
    with writing(
        five_months.warehouse.engine
    ) as connection:  # as if these rules had never judged the period as a whole
        connection.execute(delete(period_norm))
    for bureau in ("daxing", "chaoyang", "haidian"):
        assert_alike(bureau)


def counted(result: MonthResult) -> list:
    """What a run froze: figures and how every bureau stands, without versions and moments."""
    return [(one.period, one.figures, one.bureaus, one.failures) for one in (result.consolidation, *result.later)]


def failures(office: Office, period: Period) -> dict[tuple[str | None, str], Failure]:
    """By bureau and name. An impact is of the moment at which a return was judged: totals go on."""
    found = office.warehouse.failures(FAMILY, period)
    return {(one.bureau, one.failure.id): replace(one.failure, impact=None) for one in found}


def units_together(office: Office) -> list[str]:
    """What the units have together of the lawsuits that their branch reports, by the branch's failure."""
    rule = "branch:litigation.received"
    return [one.seen[0] for one in failures(office, JANUARY).values() if one.rule == rule and one.column == "month"]


def test_one_bureaus_correction_comes_to_what_judging_all_again_would(five_months: Office) -> None:
    better = changed(five_months, JANUARY, litigation__received=2, litigation__upheld=2)
    form = five_months.forms.choose(FAMILY, JANUARY)
    send(five_months, "miyun_2014-01_2.xlsx", return_bytes(form, JANUARY, "miyun", "密云分局", better, 2))

    before = five_months.warehouse.rule_versions(FAMILY, JANUARY)
    one = consolidate(five_months, FAMILY, JANUARY, command="rerun", bureaus=["miyun"])
    told = [failures(five_months, month) for month in MONTHS]
    again = [consolidate(five_months, FAMILY, month, command="rerun") for month in MONTHS]

    assert before  # there was something to judge
    assert [later.period for later in one.later] == [month.code for month in MONTHS[1:]]
    assert [counted(each)[0] for each in again] == counted(one)
    assert [failures(five_months, month) for month in MONTHS] == told


def test_of_a_rerun_for_one_bureau_only_its_returns_are_judged(five_months: Office, monkeypatch) -> None:
    seen: list[tuple[str, set]] = []

    def watched(office, rules, batch, **options):
        seen.append((batch.period.code, {one.bureau for one in batch.submissions}))
        return verdict_of(office, rules, batch, **options)

    monkeypatch.setattr("disclosure_etl.pipeline.verdict_of", watched)
    monkeypatch.setattr("disclosure_etl.judgement.verdict_of", watched)
    form = five_months.forms.choose(FAMILY, JANUARY)
    for bureau, name in (("miyun", "密云分局"), ("fengtai", "丰台分局")):
        better = changed(five_months, JANUARY)
        send(five_months, f"{bureau}_2014-01_2.xlsx", return_bytes(form, JANUARY, bureau, name, better, 2))

    consolidate(five_months, FAMILY, JANUARY, bureaus=["miyun"])
    assert seen == [(month.code, {"miyun"}) for month in MONTHS]

    seen.clear()
    assert units_together(five_months) == ["42"]
    consolidate(five_months, FAMILY, JANUARY, bureaus=["fengtai"])  # its branch is held against what it says now
    assert seen[0] == ("2014-01", {"fengtai", "chaoyang"})
    assert units_together(five_months) == ["2"]


def impacts(office: Office, period: Period) -> dict[str, float | None]:
    return {one.failure.id: one.failure.impact for one in office.warehouse.failures(FAMILY, period)}


def test_a_nil_return_is_in_the_totals_from_its_first_run_on(office: Office) -> None:
    """Judged for the first time it has no figures of its own yet; an impact was measured without them, and changed with the next
    run."""
    february = MONTHS[1]
    send_month(office, JANUARY)
    consolidate(office, FAMILY, JANUARY)
    off = changed(office, february)
    off["publications", "year_to_date"] += 1
    send_month(office, february, changed={"haidian": off}, without=["huairou"])
    form = office.forms.choose(FAMILY, february)
    send(office, "huairou_2014-02.xlsx", return_bytes(form, february, "huairou", "怀柔分局", {}, nil="√"))
    consolidate(office, FAMILY, february)
    first = impacts(office, february)

    consolidate(office, FAMILY, february, command="rerun")

    assert any(impact for impact in first.values())
    assert impacts(office, february) == first

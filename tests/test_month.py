"""A month from the inbox to consolidated figures: the gate, revisions, waiting rules and conservation, on both databases."""

from __future__ import annotations

import shutil
from datetime import datetime
from decimal import Decimal

import pytest

from disclosure_etl.bureaus import Bureau, Bureaus
from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, consolidate, roll_up
from disclosure_etl.reports.rehearsal import rehearsal
from schemas.consolidation import Consolidation
from schemas.periods import Period
from schemas.records import Status
from tests.factories import FAMILY, ZONE, make_office, return_bytes, send, send_month, some_figures

JANUARY, FEBRUARY, MARCH = (Period.parse(f"2014-0{number}") for number in (1, 2, 3))


def run(office: Office, period: Period) -> Consolidation:
    result = consolidate(office, FAMILY, period)
    assert result.faults == ()
    return result.consolidation


def value(one: Consolidation, indicator: str, column: str = "month") -> int | None:
    return next(figure.value for figure in one.figures if (figure.indicator, figure.column) == (indicator, column))


def validated(one: Consolidation, indicator: str, column: str = "month") -> bool:
    return next(figure.validated for figure in one.figures if (figure.indicator, figure.column) == (indicator, column))


def state(one: Consolidation, bureau: str):
    return next(state for state in one.bureaus if state.bureau == bureau)


def odd_rules(office: Office, period: Period) -> set[str]:
    return {one.failure.rule for one in office.warehouse.failures(FAMILY, period)}


def slipped(office: Office, month: int = 1, **by: int):
    form = office.forms.choose(FAMILY, JANUARY)
    figures = some_figures(form, month)
    for indicator, difference in by.items():
        figures[(indicator.replace("__", "."), "month")] += difference
    return figures


def test_a_clean_month_is_accepted_and_adds_up(office: Office) -> None:
    send_month(office, JANUARY)

    one = run(office, JANUARY)

    assert one.counts[Status.ACCEPTED] == one.found == 17
    assert (one.missing, one.late, one.failures, one.coverage) == ((), (), 0, 1.0)
    assert value(one, "publications") == 17 * 12
    assert value(one, "fees.collected") == 17 * 3050
    assert all(figure.validated for figure in one.figures)


def test_cells_read_are_loaded_or_parked(office: Office) -> None:
    send_month(office, JANUARY, changed={"haidian": slipped(office, enquiries__on_site=1)})

    one = run(office, JANUARY)

    assert one.cells_read == 17 * 120
    assert one.cells_parked == 11  # the enquiries of one bureau: 4 indicators in 2 columns, 3 shares
    assert one.cells_loaded + one.cells_parked == one.cells_read


def test_a_slip_holds_its_block_and_nothing_else(office: Office) -> None:
    send_month(office, JANUARY, changed={"haidian": slipped(office, enquiries__on_site=1)})

    one = run(office, JANUARY)

    assert state(one, "haidian").status == "partly_held"
    assert state(one, "haidian").held_blocks == ("enquiries",)
    assert one.counts[Status.PARTLY_HELD] == 1
    assert value(one, "enquiries.on_site") == 17 * 5 + 1  # as reported
    assert not validated(one, "enquiries.on_site")
    assert validated(one, "publications")


def test_the_cumulative_is_added_up_from_months_and_never_loaded(office: Office) -> None:
    send_month(office, JANUARY)
    figures = slipped(office, month=2)
    figures[("publications.business", "year_to_date")] += 1000  # reported wrong: a failure, not a figure
    send_month(office, FEBRUARY, changed={"miyun": figures})
    run(office, JANUARY)

    one = run(office, FEBRUARY)

    assert value(one, "publications.business", "year_to_date") == 17 * 20
    assert state(one, "miyun").held_blocks == ("publications",)


def test_running_again_changes_nothing(office: Office) -> None:
    send_month(office, JANUARY, changed={"haidian": slipped(office, enquiries__on_site=1)})
    first = run(office, JANUARY)

    second = run(office, JANUARY)

    assert second == first


def test_a_correction_replaces_the_held_block(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY, changed={"haidian": slipped(office, enquiries__on_site=1)})
    run(office, JANUARY)
    send(office, "haidian_2014-01_b.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form), 2))

    one = run(office, JANUARY)

    assert one.version == 2
    assert value(one, "enquiries.on_site") == 17 * 5
    assert validated(one, "enquiries.on_site")
    assert one.counts[Status.SUPERSEDED] == 1
    assert state(one, "haidian").revision == 2


def test_an_accepted_block_counts_until_a_newer_one_is_accepted(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY)
    run(office, JANUARY)
    worse = slipped(office, enquiries__on_site=1, publications__full_text=-1)
    send(office, "haidian_2014-01_b.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", worse, 2))

    one = run(office, JANUARY)

    assert value(one, "enquiries.on_site") == 17 * 5  # the newer one is held, the accepted one goes on counting
    assert validated(one, "enquiries.on_site")
    assert state(one, "haidian").status == "partly_held"


def test_a_later_arrival_with_the_same_revision_number_is_a_correction(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY)
    run(office, JANUARY)
    better = slipped(office, litigation__received=1, litigation__upheld=1)
    for indicator in ("litigation.received", "litigation.upheld"):
        better[(indicator, "year_to_date")] += 1
    send(office, "haidian_2014-01_again.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", better))

    one = run(office, JANUARY)

    assert value(one, "litigation.received") == 17 + 1


def test_two_different_returns_at_once_are_both_held(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY)
    other = slipped(office, litigation__received=1, litigation__upheld=1)
    send(office, "haidian_2014-01_other.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", other))

    one = run(office, JANUARY)

    assert one.counts[Status.HELD] == 2
    assert value(one, "litigation.received") == 16  # which of the two counts, nobody guesses
    rules = [failure.failure.rule for failure in office.warehouse.failures(FAMILY, JANUARY, "haidian")]
    assert rules.count("return:two_returns") == 2


def test_the_same_bytes_under_another_name_are_a_duplicate(office: Office) -> None:
    send_month(office, JANUARY)
    inbox = office.settings.inbox_path
    shutil.copy(inbox / "miyun_2014-01.xlsx", inbox / "copy of miyun_2014-01.xlsx")

    one = run(office, JANUARY)

    assert (one.counts[Status.ACCEPTED], one.counts[Status.DUPLICATE], one.found) == (17, 1, 18)
    assert value(one, "publications") == 17 * 12


def test_missing_unreadable_and_other_periods_are_told(office: Office) -> None:
    send_month(office, JANUARY, without=("yanqing",))
    send(office, "延庆分局_2014-01.xlsx", b"PK\x03\x04 cut off")
    send_month(office, FEBRUARY, without=("shiju",))

    one = run(office, JANUARY)

    assert one.missing == ("yanqing",)
    assert one.counts[Status.UNREADABLE] == 1
    assert one.counts[Status.OTHER_PERIOD] == 16
    assert one.coverage == round(16 / 17, 4)
    assert one.found == sum(one.counts.values())


def test_a_return_after_the_due_day_is_late(office: Office) -> None:
    import os

    send_month(office, JANUARY)  # due on Wednesday the 5th moves behind the Spring Festival, to the 7th
    office = make_office(office.settings.base, None, datetime(2014, 2, 20, 8, tzinfo=ZONE))
    for path in office.settings.inbox_path.iterdir():
        moment = datetime(2014, 2, 7 if "miyun" not in path.name else 8, 12, tzinfo=ZONE).timestamp()
        os.utime(path, (moment, moment))

    one = run(office, JANUARY)

    assert one.late == ("miyun",)
    office.warehouse.close()


def test_a_return_of_an_unknown_bureau_is_misdirected_until_the_office_enters_it(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY)
    send(office, "x_2014-01.xlsx", return_bytes(form, JANUARY, "nowhere", "乌有分局", some_figures(form)))

    one = run(office, JANUARY)

    assert one.counts[Status.MISDIRECTED] == 1
    assert value(one, "publications") == 17 * 12
    (told,) = office.warehouse.refused(FAMILY, JANUARY)
    assert (told.status, told.code) == ("misdirected", "unknown_bureau")
    assert "乌有分局" in told.message.zh

    entered = Bureau.model_validate(
        {"code": "nowhere", "name_zh": "乌有分局", "name_en": "Nowhere", "from": "2008-05-01",
         "owes": [{"family": FAMILY, "from": "2008-05-01"}]}
    )  # fmt: skip
    office.__dict__["bureaus"] = Bureaus((*office.bureaus.bureaus, entered))
    again = run(office, JANUARY)

    assert (again.counts[Status.MISDIRECTED], again.counts[Status.ACCEPTED]) == (0, 18)
    assert value(again, "publications") == 18 * 12


def test_figures_of_a_bureau_that_owes_none_are_not_taken(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    idle = Bureau.model_validate({"code": "idle", "name_zh": "不报局", "name_en": "Idle", "from": "2008-05-01"})
    office.__dict__["bureaus"] = Bureaus((*office.bureaus.bureaus, idle))
    send_month(office, JANUARY)
    send(office, "idle_2014-01.xlsx", return_bytes(form, JANUARY, "idle", "不报局", some_figures(form)))

    one = run(office, JANUARY)

    assert one.counts[Status.MISDIRECTED] == 1
    assert value(one, "publications") == 17 * 12
    assert [told.code for told in office.warehouse.refused(FAMILY, JANUARY)] == ["not_owed"]


def test_a_bureau_that_owes_no_longer_is_still_listed_while_its_figures_count(office: Office) -> None:
    send_month(office, JANUARY)
    run(office, JANUARY)
    gone = office.bureaus.bureaus[-1]
    office.__dict__["bureaus"] = Bureaus((*office.bureaus.bureaus[:-1], gone.model_copy(update={"owes": ()})))

    one = run(office, JANUARY)

    assert value(one, "publications") == 17 * 12
    assert one.bureaus[-1].bureau == gone.code
    assert one.bureaus[-1].status == "accepted"


# -- waiting for the month before ---------------------------------------------------------------------------------------


def with_opening(office: Office, month: int, opening: int, closing: int):
    """A month in which some applications stay open."""
    form = office.forms.choose(FAMILY, JANUARY)
    figures = some_figures(form, month)
    for column in ("month", "year_to_date"):
        figures[("applications.opening", column)] = Decimal(opening if column == "month" else 0)
        figures[("applications.closing", column)] = Decimal(closing)
    received = 20 + closing - opening
    figures[("applications.received", "month")] = Decimal(received)
    figures[("applications.received.letter", "month")] = Decimal(received - 15)
    total = 20 * month + closing
    figures[("applications.received", "year_to_date")] = Decimal(total)
    figures[("applications.received.letter", "year_to_date")] = Decimal(total - 15 * month)
    return figures


def test_openings_wait_for_the_month_before_and_are_judged_when_it_comes(office: Office) -> None:
    send_month(office, FEBRUARY, changed={"haidian": with_opening(office, 2, opening=3, closing=3)})
    waiting = run(office, FEBRUARY)
    assert waiting.failures == 0
    assert state(waiting, "haidian").not_assessable > 0

    send_month(office, JANUARY, changed={"haidian": with_opening(office, 1, opening=0, closing=3)})
    result = consolidate(office, FAMILY, JANUARY)

    (later,) = result.later
    assert later.period == "2014-02"
    assert state(later, "haidian").not_assessable == 0
    assert odd_rules(office, FEBRUARY) <= {"copy"}  # the others send the same figures month after month


def test_a_month_accepted_meanwhile_stays_accepted_and_becomes_stale(office: Office) -> None:
    send_month(office, FEBRUARY, changed={"haidian": with_opening(office, 2, opening=2, closing=2)})
    run(office, FEBRUARY)

    send_month(office, JANUARY, changed={"haidian": with_opening(office, 1, opening=0, closing=3)})
    (later,) = consolidate(office, FAMILY, JANUARY).later

    assert state(later, "haidian").stale
    assert state(later, "haidian").status == "accepted"
    rules = {failure.failure.rule for failure in office.warehouse.failures(FAMILY, FEBRUARY, "haidian")}
    assert "opening:applications" in rules


def test_an_opening_other_than_the_accepted_closing_holds_the_block(office: Office) -> None:
    send_month(office, JANUARY, changed={"haidian": with_opening(office, 1, opening=0, closing=3)})
    run(office, JANUARY)
    send_month(office, FEBRUARY, changed={"haidian": with_opening(office, 2, opening=2, closing=2)})

    one = run(office, FEBRUARY)

    assert "applications" in state(one, "haidian").held_blocks
    failure = next(f.failure for f in office.warehouse.failures(FAMILY, FEBRUARY) if f.failure.kind == "opening")
    assert (failure.seen, failure.expected, failure.difference) == (("3", "2"), "3", "1")


def test_the_year_is_added_up_from_its_months(office: Office) -> None:
    for number in range(1, 13):
        period = Period.parse(f"2014-{number:02d}")
        send_month(office, period)
        run(office, period)

    year = roll_up(office, FAMILY, Period.parse("2014"))

    assert value(year, "publications") == 12 * 17 * 12
    assert value(year, "applications.closing") == 0
    assert year.coverage == 1.0
    assert {figure.column for figure in year.figures} == {"month"}


def test_a_nil_return_stands_for_zero_and_unchanged_balances(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY, changed={"haidian": with_opening(office, 1, opening=0, closing=3)})
    run(office, JANUARY)
    send_month(office, FEBRUARY, without=("haidian",))
    send(office, "haidian_2014-02.xlsx", return_bytes(form, FEBRUARY, "haidian", "海淀分局", {}, nil="√"))

    one = run(office, FEBRUARY)

    assert state(one, "haidian").status == "accepted"
    assert value(one, "applications.closing") == 3
    assert value(one, "publications") == 16 * 12
    (odd,) = office.warehouse.failures(FAMILY, FEBRUARY, "haidian")  # one oddity, not one a figure
    assert (odd.failure.rule, odd.failure.severity.value) == ("zero-among-peers", "warning")


def test_a_rehearsal_tells_and_changes_nothing(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY, changed={"haidian": slipped(office, enquiries__on_site=1)})
    before = run(office, JANUARY)
    send(office, "haidian_2014-01_b.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form), 2))

    told = rehearsal(office, FAMILY, JANUARY).would

    assert told[0].text.en == "haidian_2014-01_b.xlsx: would be taken (haidian, 2014-01, revision 2), holding nothing"
    assert office.warehouse.consolidation(FAMILY, JANUARY) == before


def test_a_fault_in_one_return_does_not_cost_the_others_their_month(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from disclosure_etl.quality import judging

    genuine = judging.validate

    def raises_for_one(frame, *rest):
        if (frame["publications|month|count"] == 13).any():
            raise RuntimeError("a rule that raises")
        return genuine(frame, *rest)

    monkeypatch.setattr(judging, "validate", raises_for_one)
    send_month(office, JANUARY, changed={"haidian": slipped(office, publications=1)})

    result: MonthResult = consolidate(office, FAMILY, JANUARY)

    assert result.consolidation.counts[Status.FAILED] == 1
    assert result.consolidation.counts[Status.ACCEPTED] == 16
    assert len(result.faults) == 1
    assert "haidian_2014-01.xlsx" in result.faults[0]
    assert office.warehouse.failures(FAMILY, JANUARY) == []  # a program fault is no failure of the data

"""What comes to an inbox more than once, too late, damaged or of another kind: every arrival ends under one status, and
nothing that somebody has to see is passed over."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from disclosure_etl.office import Office
from disclosure_etl.pipeline import Month, consolidate
from disclosure_etl.reports.rehearsal import rehearsal
from disclosure_etl.settings import default_config_dir
from schemas.consolidation import Consolidation
from schemas.periods import Period
from schemas.records import Status
from tests.factories import FAMILY, make_office, return_bytes, send, send_month, some_figures
from tests.flows.test_second_form import FORM as HOTLINE

JANUARY, FEBRUARY, MARCH = (Period.parse(f"2014-0{number}") for number in (1, 2, 3))


def run(office: Office, period: Period, family: str = FAMILY) -> Consolidation:
    one = consolidate(office, family, period).consolidation
    assert one.found == sum(one.counts.values())
    return one


def counts(one: Consolidation) -> dict[str, int]:
    return {status.value: count for status, count in one.counts.items() if count}


def data(office: Office, period: Period = JANUARY, revision: int = 1, bureau: str = "haidian", **by: int) -> bytes:
    """A return with some figures changed, in month and cumulative alike."""
    form = office.forms.choose(FAMILY, period)
    figures = some_figures(form, period.ordinal)
    for indicator, difference in by.items():
        for column in ("month", "year_to_date"):
            figures[(indicator.replace("__", "."), column)] += Decimal(difference)
    name = next(one.name_zh for one in office.bureaus.bureaus if one.code == bureau)
    return return_bytes(form, period, bureau, name, figures, revision)


def figure(one: Consolidation, indicator: str, column: str = "month") -> tuple[int | None, bool]:
    return next((f.value, f.validated) for f in one.figures if (f.indicator, f.column) == (indicator, column))


def state(one: Consolidation, bureau: str):
    return next(each for each in one.bureaus if each.bureau == bureau)


def test_a_correction_that_is_held_as_a_whole_is_not_lost_behind_what_it_corrects(office: Office) -> None:
    send_month(office, JANUARY)
    run(office, JANUARY)
    form = office.forms.choose(FAMILY, JANUARY)
    nil = return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form), 2, nil="√")
    send(office, "haidian_2014-01_r2.xlsx", nil)

    one = run(office, JANUARY)

    assert counts(one) == {"accepted": 17, "held": 1}
    assert state(one, "haidian").status == "held"
    assert figure(one, "publications") == (17 * 12, True)  # the accepted revision goes on counting
    rules = {failure.failure.rule for failure in office.warehouse.failures(FAMILY, JANUARY, "haidian")}
    assert rules == {"return:nil_with_figures"}


def test_two_different_corrections_at_once_are_both_held_and_seen(office: Office) -> None:
    send_month(office, JANUARY)
    run(office, JANUARY)
    send(office, "a_2014-01.xlsx", data(office, revision=2, enquiries__on_site=1))
    send(office, "b_2014-01.xlsx", data(office, revision=2, enquiries__on_site=2))

    assert counts(run(office, JANUARY)) == {"accepted": 17, "held": 2}


def test_a_file_that_goes_back_to_what_it_was_is_told_and_not_taken(office: Office) -> None:
    first, second = data(office), data(office, litigation__received=1, litigation__upheld=1)
    send_month(office, JANUARY, without=("haidian",))
    send(office, "haidian_2014-01.xlsx", first)
    run(office, JANUARY)
    send(office, "haidian_2014-01.xlsx", second)
    run(office, JANUARY)
    send(office, "haidian_2014-01.xlsx", first)

    one = run(office, JANUARY)

    (told,) = office.warehouse.refused(FAMILY, JANUARY)
    assert (told.status, told.code) == ("superseded", "come_again")
    assert figure(one, "litigation.received")[0] == 18
    assert one.counts[Status.SUPERSEDED] == 2


def test_a_damaged_file_that_is_put_right_with_the_bytes_known_before_is_done_with(office: Office) -> None:
    send_month(office, JANUARY)
    run(office, JANUARY)
    path = office.settings.inbox_path / "haidian_2014-01.xlsx"
    whole = path.read_bytes()
    path.write_bytes(b"PK\x03\x04 cut off")
    assert run(office, JANUARY).counts[Status.UNREADABLE] == 1
    path.write_bytes(whole)

    one = run(office, JANUARY)

    assert counts(one) == {"accepted": 17, "duplicate": 1, "superseded": 1}
    assert office.warehouse.refused(FAMILY, JANUARY) == []


def test_an_unusable_file_that_was_taken_away_is_done_with(office: Office) -> None:
    send_month(office, JANUARY)
    path = send(office, "说明_2014-01.docx", b"PK\x03\x04 something else")
    assert run(office, JANUARY).counts[Status.UNREADABLE] == 1
    path.unlink()

    assert counts(run(office, JANUARY)) == {"accepted": 17, "superseded": 1}
    path.write_bytes(b"PK\x03\x04 something else")
    assert run(office, JANUARY).counts[Status.UNREADABLE] == 1


def test_what_was_replaced_before_anybody_judged_it_leaves_nothing_held(office: Office) -> None:
    send_month(office, JANUARY)
    consolidate(office, FAMILY, JANUARY, bureaus=["miyun"])
    send(office, "haidian_2014-01.xlsx", data(office, litigation__received=1, litigation__upheld=1))

    one = run(office, JANUARY)

    assert counts(one) == {"accepted": 17, "superseded": 1}
    assert figure(one, "litigation.received")[0] == 18


def test_a_correction_with_an_older_time_of_its_own_counts_all_the_same(office: Office) -> None:
    send_month(office, JANUARY)
    run(office, JANUARY)
    path = send(office, "haidian_again_2014-01.xlsx", data(office, litigation__received=1, litigation__upheld=1))
    os.utime(path, (1_000_000_000, 1_000_000_000))

    assert figure(run(office, JANUARY), "litigation.received")[0] == 18


def test_a_lower_revision_that_comes_later_is_told_as_that(office: Office) -> None:
    send_month(office, JANUARY, without=("haidian",))
    send(office, "haidian_2014-01_3.xlsx", data(office, revision=3))
    run(office, JANUARY)
    send(office, "haidian_2014-01_2.xlsx", data(office, revision=2, litigation__received=1))

    one = run(office, JANUARY)

    assert figure(one, "litigation.received")[0] == 17
    assert [told.code for told in office.warehouse.refused(FAMILY, JANUARY)] == ["lower_revision"]


def test_a_file_belongs_to_one_month_where_name_and_header_disagree(office: Office) -> None:
    send_month(office, JANUARY, without=("haidian",))
    send_month(office, FEBRUARY, without=("haidian",))
    send(office, "haidian_2014-02.xlsx", data(office))  # the header says January

    february, january = run(office, FEBRUARY), run(office, JANUARY)

    assert (february.counts[Status.HELD], january.counts[Status.HELD]) == (1, 0)
    assert january.missing == ("haidian",)
    assert january.found == february.found


def test_returns_of_two_families_in_one_inbox_do_not_touch_one_another(office: Office, tmp_path: Path) -> None:
    config = tmp_path / "config"
    (config / "forms").mkdir(parents=True)
    (config / "forms" / "hotline.yaml").write_text(HOTLINE.replace("quarterly", "monthly").replace("2014Q1", "2014-01"), encoding="utf-8")  # fmt: skip
    bureaus = yaml.safe_load((default_config_dir() / "bureaus.yaml").read_text(encoding="utf-8"))
    for one in bureaus["bureaus"]:
        one["from"] = str(one["from"])
        one["owes"] = [{"family": family, "from": "2008-05-01"} for family in (FAMILY, "hotline")]
    (config / "bureaus.yaml").write_text(yaml.safe_dump(bureaus, allow_unicode=True), encoding="utf-8")
    two = make_office(tmp_path, office.settings.warehouse_url.replace("+psycopg", ""), config=config)
    send_month(two, JANUARY)
    form = two.forms.choose("hotline", JANUARY)
    rows = {"calls.received": 5, "calls.settled": 5}
    figures = {
        (code, column): Decimal(rows.get(code, 0) * (2 if column == "all" else 1))
        for code in form.indicators
        for column in form.columns
    }
    for bureau in two.bureaus.bureaus:
        send(two, f"热线/{bureau.code}_2014-01.xlsx", return_bytes(form, JANUARY, bureau.code, bureau.name_zh, figures))

    first, second = run(two, JANUARY), run(two, JANUARY, "hotline")

    assert counts(first) == {"accepted": 17, "other_period": 17}
    assert counts(second) == {"accepted": 17, "other_period": 17}
    assert figure(second, "calls.received", "all") == (170, True)
    assert run(two, JANUARY) == first
    two.warehouse.close()


def test_an_optional_block_that_is_switched_on_later_accuses_nobody(tmp_path: Path, office: Office) -> None:
    send_month(office, JANUARY)
    run(office, JANUARY)
    config = tmp_path / "config"
    config.mkdir()
    settings = (default_config_dir() / "settings.yaml").read_text(encoding="utf-8")
    settings = settings.replace("optional_blocks: {}", "optional_blocks: {bureau-monthly: [channels]}")
    (config / "settings.yaml").write_text(settings, encoding="utf-8")
    more = make_office(tmp_path, office.settings.warehouse_url.replace("+psycopg", ""), config=config)

    one = run(more, JANUARY)

    assert (one.counts[Status.ACCEPTED], one.failures) == (17, 0)
    assert figure(one, "channels.website")[0] is None
    more.warehouse.close()


def test_a_rehearsal_counts_the_same_bytes_once_and_tells_what_would_be_held(office: Office) -> None:
    office.settings.file.__dict__["chunk_size"] = 2  # so that the copies fall into different chunks
    for number in range(5):
        send(office, f"copy{number}_2014-01.xlsx", data(office, enquiries__on_site=1))
    send(office, "broken_2014-01.xlsx", b"PK\x03\x04 cut off")

    told = rehearsal(office, FAMILY, JANUARY).would

    assert [(one.what, one.bureau, one.holds) for one in told[:-1]] == [
        ("refuse", None, ()),
        ("take", "haidian", ("enquiries",)),
    ]
    assert counts(run(office, JANUARY)) == {"partly_held": 1, "duplicate": 4, "unreadable": 1}


def test_running_again_after_a_correction_changes_no_failure(office: Office) -> None:
    send_month(office, JANUARY, changed={"miyun": _slipped(office)})
    run(office, JANUARY)
    send(office, "haidian_2014-01_r2.xlsx", data(office, revision=2, enquiries__on_site=3))
    run(office, JANUARY)
    before = office.warehouse.failures(FAMILY, JANUARY)

    run(office, JANUARY)

    assert office.warehouse.failures(FAMILY, JANUARY) == before


def _slipped(office: Office):
    figures = some_figures(office.forms.choose(FAMILY, JANUARY))
    figures[("enquiries.on_site", "month")] += 1
    return figures


# -- what depends on what ----------------------------------------------------------------------------------------------


def test_a_month_that_was_never_consolidated_leaves_the_years_figures_unvalidated(office: Office) -> None:
    send_month(office, JANUARY)
    send_month(office, MARCH)
    run(office, JANUARY)

    march = run(office, MARCH)

    assert figure(march, "publications") == (17 * 12, True)
    assert figure(march, "publications", "year_to_date") == (17 * 24, False)


def test_a_late_return_that_is_held_throughout_enters_the_later_cumulatives(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    slips = {"publications", "enquiries", "applications.received", "fees.collected", "reconsiderations.received", "litigation.received"}  # fmt: skip
    figures = {
        place: value + (place[0] in slips and place[1] == "month") for place, value in some_figures(form).items()
    }
    send_month(office, JANUARY, without=("haidian",))
    send_month(office, FEBRUARY)
    run(office, JANUARY)
    run(office, FEBRUARY)
    send(office, "haidian_2014-01.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", figures))

    result = consolidate(office, FAMILY, JANUARY)

    (february,) = result.later
    assert figure(february, "enquiries", "year_to_date") == (16 * 9 + 10 + 17 * 9, False)


def test_a_run_that_failed_before_freezing_leaves_the_rest_to_the_next_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_month(office, JANUARY, without=("haidian",))
    send_month(office, FEBRUARY)
    run(office, JANUARY)
    waiting = run(office, FEBRUARY)
    send(office, "haidian_2014-01.xlsx", data(office))

    def breaks(self) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Month, "freeze", breaks)
        with pytest.raises(OSError, match="no space"):
            consolidate(office, FAMILY, JANUARY)
    result = consolidate(office, FAMILY, JANUARY)

    (february,) = result.later
    assert state(waiting, "haidian").not_assessable > 0
    assert state(february, "haidian").not_assessable == 0
    assert figure(february, "publications", "year_to_date") == (17 * 24, True)


def test_a_quarter_follows_its_months(office: Office) -> None:
    from disclosure_etl.pipeline import roll_up

    send_month(office, JANUARY, without=("haidian",))
    run(office, JANUARY)
    quarter = roll_up(office, FAMILY, Period.parse("2014Q1"))
    send(office, "haidian_2014-01.xlsx", data(office))

    result = consolidate(office, FAMILY, JANUARY)

    assert [(one.period, one.version) for one in result.later] == [("2014Q1", quarter.version + 1)]
    assert figure(result.later[0], "publications")[0] == 17 * 12

"""The account of a period: every receipt under exactly one status, every owing bureau with how it stands."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from schemas.periods import Period
from schemas.records import DocumentRecord, Receipt
from tests.warehouse.small import (
    AT,
    CASES,
    FAMILY,
    PUBLICATIONS,
    ZONE,
    Story,
    bureau,
    receipt_of,
    submission,
    values,
    verdict,
)

JAN, FEB = "2014-01", "2014-02"
LOW, HIGH = values((10, 1250, 0, 5, 3, 2)), values((20, 2500, 0, 7, 3, 4))


def counts_of(story: Story, period: str = JAN) -> dict[str, int]:
    """What became of everything received, without zeros."""
    frozen = story.freeze(period)
    assert frozen.found == sum(frozen.counts.values())
    return {status.value: count for status, count in frozen.counts.items() if count}


def arrive(story: Story, period: str, *arrivals: tuple[str, DocumentRecord]) -> None:
    """Record arrivals of which no submission came."""
    receipts = [Receipt(name, "inbox", record.digest, 1, AT) for name, record in arrivals]
    records = list({record.digest: record for _, record in arrivals}.values())
    story.warehouse.record_arrivals(story.run(period), Period.parse(period), receipts, records)


def unreadable(digest: str, named: str | None) -> DocumentRecord:
    """Bytes that no reader takes."""
    return DocumentRecord.unreadable(digest, named, "encrypted", "有密码", "has a password")


def test_every_receipt_is_counted_once(story: Story) -> None:
    east = submission(story.form, "east", JAN, LOW)
    story.receive(verdict(east), verdict(submission(story.form, "west", JAN, LOW), CASES))
    story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2), PUBLICATIONS, CASES))
    again = receipt_of(east, AT, "east_again.xlsx")
    story.warehouse.record_arrivals(story.run(JAN), Period.parse(JAN), [again], [])
    arrive(story, JAN, ("locked_2014-01.xlsx", unreadable("d1", JAN)), ("locked.xlsx", unreadable("d2", None)))
    arrive(story, JAN, ("fault_2014-01.xlsx", DocumentRecord.failed("d3", JAN, "ZeroDivisionError")))
    assert counts_of(story) == {
        "accepted": 1, "partly_held": 1, "held": 1, "duplicate": 1, "unreadable": 2, "failed": 1,
    }  # fmt: skip


def test_the_same_name_again_is_the_same_receipt(story: Story) -> None:
    one = verdict(submission(story.form, "east", JAN, LOW))
    story.receive(one)
    story.receive(one)
    assert counts_of(story) == {"accepted": 1}


def test_an_unreadable_file_belongs_to_the_month_in_its_name(story: Story) -> None:
    arrive(story, JAN, ("locked_2014-02.xlsx", unreadable("d1", FEB)))
    assert counts_of(story, JAN) == {}
    assert counts_of(story, FEB) == {"unreadable": 1}


def test_a_program_fault_that_is_mended_is_forgotten(story: Story) -> None:
    sent = submission(story.form, "east", JAN, LOW)
    arrive(story, JAN, (sent.file, DocumentRecord.failed(sent.digest, JAN, "ZeroDivisionError")))
    assert counts_of(story) == {"failed": 1}
    story.receive(verdict(sent))
    assert counts_of(story) == {"accepted": 1}


def test_a_copy_of_what_was_superseded_is_superseded_too(story: Story) -> None:
    first = submission(story.form, "east", JAN, LOW)
    story.receive(verdict(first))
    story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2)))
    story.warehouse.record_arrivals(story.run(JAN), Period.parse(JAN), [receipt_of(first, AT, "copy.xlsx")], [])
    assert counts_of(story) == {"accepted": 1, "superseded": 2}


def test_what_was_read_and_not_loaded_is_not_lost(story: Story) -> None:
    """A rerun for one bureau reads the others' files too; until they are loaded, the account must still show them."""
    sent = submission(story.form, "east", JAN, LOW)
    record = DocumentRecord.read(sent.digest, "xlsx", "east", JAN, JAN, story.form.key)
    arrive(story, JAN, (sent.file, record))
    assert story.freeze(JAN).found == 1


def test_a_return_that_tells_no_period_is_not_lost(story: Story) -> None:
    sent = submission(story.form, "east", JAN, LOW)
    record = DocumentRecord.read(sent.digest, "xlsx", "east", None, None, story.form.key)
    arrive(story, JAN, ("east.xlsx", record))
    assert story.freeze(JAN).found == 1


def test_files_of_other_periods_are_counted_and_make_no_version(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW)))
    first = story.freeze(JAN, others=2)
    assert first.found == 3
    assert story.freeze(JAN, others=5).version == first.version


def test_bureaus_stand_missing_held_or_accepted(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW), CASES, waiting=2))
    frozen = story.freeze(JAN)
    east, west = frozen.bureaus
    assert (east.status, east.held_blocks, east.errors, east.revision, east.not_assessable) == (
        "partly_held", (CASES,), 1, 1, 2,
    )  # fmt: skip
    assert (west.status, west.held_blocks, west.errors, west.revision) == ("missing", (), 0, None)
    assert frozen.missing == ("west",)
    assert frozen.coverage == 0.5
    assert (frozen.failures, frozen.not_assessable) == (1, 2)


@pytest.mark.parametrize(("hour", "late"), [(23, False), (24, True)])
def test_late_is_after_the_due_day_of_the_office(story: Story, hour: int, late: bool) -> None:
    """By the office's clock: an hour before midnight in Beijing is still the afternoon in Greenwich, and the reverse."""
    at = datetime(2014, 2, 5 + hour // 24, hour % 24, 30, tzinfo=ZONE)
    story.receive(verdict(submission(story.form, "east", JAN, LOW)), at=at)
    assert (story.freeze(JAN, due=date(2014, 2, 5)).late == ("east",)) is late


def test_a_correction_after_the_due_day_is_not_late(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW)), at=datetime(2014, 2, 3, tzinfo=ZONE))
    corrected = submission(story.form, "east", JAN, HIGH, revision=2)
    story.receive(verdict(corrected), at=datetime(2014, 3, 3, tzinfo=ZONE))
    assert story.freeze(JAN, due=date(2014, 2, 5)).late == ()


def test_cells_are_loaded_or_parked(story: Story) -> None:
    story.receive(
        verdict(submission(story.form, "east", JAN, LOW), CASES), verdict(submission(story.form, "west", JAN, LOW))
    )
    frozen = story.freeze(JAN)
    publications = sum(cell.block == PUBLICATIONS for cell in story.form.cells)
    cases = sum(cell.block == CASES for cell in story.form.cells)
    assert frozen.cells_read == 2 * (publications + cases)
    assert frozen.cells_loaded == 2 * publications + cases
    assert frozen.cells_parked == cases


def test_cells_of_what_was_superseded_are_not_read_again(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW)))
    story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2)))
    assert story.freeze(JAN).cells_read == len(story.form.cells)


def test_a_bureau_missing_in_one_month_is_missing_in_the_quarter(story: Story) -> None:
    for period in ("2014-01", "2014-02", "2014-03"):
        codes = ("east",) if period == FEB else ("east", "west")
        story.receive(*(verdict(submission(story.form, code, period, LOW)) for code in codes))
        story.freeze(period)
    quarter = story.freeze("2014Q1")
    assert quarter.missing == ("west",)
    assert quarter.found == 5


def test_a_superseded_return_that_comes_again_is_told_and_not_taken(story: Story) -> None:
    first = submission(story.form, "east", JAN, LOW)
    story.receive(verdict(first))
    story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2)))
    assert story.warehouse.refused(FAMILY, Period.parse(JAN)) == []
    story.warehouse.record_arrivals(story.run(JAN), Period.parse(JAN), [receipt_of(first, AT, "again.xlsx")], [])
    (told,) = story.warehouse.refused(FAMILY, Period.parse(JAN))
    assert (told.file, told.status) == ("again.xlsx", "superseded")
    assert "revision 2" in told.message.en


def test_an_unreadable_file_that_was_sent_again_under_its_name_is_superseded(story: Story) -> None:
    arrive(story, JAN, ("east_2014-01.xlsx", unreadable("d1", JAN)), ("west_2014-01.xlsx", unreadable("d2", JAN)))
    story.receive(verdict(submission(story.form, "east", JAN, LOW, file="east_2014-01.xlsx")))
    assert counts_of(story) == {"accepted": 1, "superseded": 1, "unreadable": 1}
    assert [one.file for one in story.warehouse.refused(FAMILY, Period.parse(JAN))] == ["west_2014-01.xlsx"]


def test_a_bureau_is_missing_from_a_quarter_only_for_months_that_it_owed(story: Story) -> None:
    """west ends with January, north begins with February."""
    west, north = story.owing[1], bureau("north")
    story.month(JAN, {"east": LOW, "west": LOW})
    story.owing = (story.owing[0], north)
    story.warehouse.sync((*story.owing, west), [story.form])
    story.month(FEB, {"east": LOW, "north": LOW})
    story.month("2014-03", {"east": LOW, "north": LOW})

    quarter = story.freeze("2014Q1")

    assert quarter.missing == ()
    assert [(state.bureau, state.status) for state in quarter.bureaus] == [
        ("east", "accepted"), ("north", "accepted"), ("west", "accepted"),
    ]  # fmt: skip

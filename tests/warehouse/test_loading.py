"""Loading and judging again: what is stored once, whose block counts, and what a verdict may still change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from disclosure_etl.warehouse.connection import writing
from disclosure_etl.warehouse.dimension_tables import metadata
from disclosure_etl.warehouse.tables import current_block
from schemas.periods import Period
from schemas.records import Unread
from tests.warehouse.small import CASES, PUBLICATIONS, ZONE, Story, figures_of, submission, unvalidated, values, verdict

JAN = "2014-01"
LOW, HIGH = values((10, 1250, 0, 5, 3, 2)), values((20, 2500, 0, 7, 3, 4))


def counted_rows(story: Story) -> dict[str, int]:
    """Rows of each table but `run`, which every command adds to."""
    with story.warehouse.engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name != "run"
        }


def statuses(story: Story, period: str = JAN) -> dict[str, str]:
    """Where each bureau stands."""
    return {state.bureau: state.status for state in story.freeze(period).bureaus}


def test_loading_twice_stores_once(story: Story) -> None:
    unread = (Unread("统计表!F9", "12?"),)
    judged = [
        verdict(submission(story.form, "east", JAN, LOW, unread=unread), CASES),
        verdict(submission(story.form, "west", JAN, HIGH)),
    ]
    assert story.receive(*judged) == {"east", "west"}
    first = counted_rows(story)
    assert story.receive(*judged) == set()
    assert counted_rows(story) == first
    assert first["submission"] == 2
    assert first["fact_observation"] == 2 * len(story.form.cells)
    assert first["unread"] == 1


def test_what_is_stored_comes_back_as_it_was_read(story: Story) -> None:
    sent = submission(story.form, "east", JAN, LOW, text="无")
    story.receive(verdict(sent))
    (back,) = story.warehouse.stored_batch(story.form, Period.parse(JAN)).submissions
    assert back == sent


def test_bureaus_can_be_picked_from_a_stored_batch(story: Story) -> None:
    story.receive(*(verdict(submission(story.form, code, JAN, LOW)) for code in ("east", "west")))
    batch = story.warehouse.stored_batch(story.form, Period.parse(JAN), bureaus={"west"})
    assert [one.bureau for one in batch.submissions] == ["west"]
    assert not story.warehouse.stored_batch(story.form, Period.parse(JAN), bureaus=set()).submissions


def test_a_correction_takes_the_place_of_what_it_corrects(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW)))
    corrected = submission(story.form, "east", JAN, HIGH, revision=2)
    assert story.receive(verdict(corrected)) == {"east"}
    assert figures_of(story.freeze(JAN)) == dict(HIGH)
    batch = story.warehouse.stored_batch(story.form, Period.parse(JAN))
    assert [one.digest for one in batch.submissions] == [corrected.digest]


def test_equal_revisions_are_ordered_by_receipt_and_not_by_the_files_own_time(story: Story) -> None:
    """A correction unpacked from an archive keeps the time at which it was written, which may be any."""
    late, early = datetime(2014, 1, 6, tzinfo=ZONE), datetime(2014, 1, 4, tzinfo=ZONE)
    story.receive(verdict(submission(story.form, "east", JAN, HIGH)), at=late)
    story.receive(verdict(submission(story.form, "east", JAN, LOW)), at=early)
    assert figures_of(story.freeze(JAN)) == dict(LOW)


def test_a_held_correction_does_not_displace_what_was_accepted(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW)))
    story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2), PUBLICATIONS, CASES))
    frozen = story.freeze(JAN)
    assert figures_of(frozen) == dict(LOW)
    assert not unvalidated(frozen)


def test_currency_is_decided_block_by_block(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW)))
    changed = story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2), CASES))
    figures = figures_of(story.freeze(JAN))
    assert changed == {"east"}
    assert figures["publications"] == HIGH["publications"]
    assert figures["cases.received"] == LOW["cases.received"]


def test_a_held_block_counts_as_reported_where_none_was_accepted(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW), CASES))
    story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2), CASES))
    frozen = story.freeze(JAN)
    assert figures_of(frozen)["cases.received"] == HIGH["cases.received"]
    assert unvalidated(frozen) == {name for name in LOW if name.startswith("cases")}
    assert statuses(story)["east"] == "partly_held"


def test_a_return_in_doubt_as_a_whole_is_in_no_figure(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW), whole=True))
    assert set(figures_of(story.freeze(JAN)).values()) == {None}
    assert statuses(story)["east"] == "held"


def test_a_return_of_an_unknown_bureau_is_in_no_figure(story: Story) -> None:
    story.receive(verdict(submission(story.form, None, JAN, LOW), whole=True))
    assert set(figures_of(story.freeze(JAN)).values()) == {None}


def test_a_program_fault_fails_its_submission_alone(story: Story) -> None:
    story.receive(
        verdict(submission(story.form, "east", JAN, LOW), fault="ZeroDivisionError"),
        verdict(submission(story.form, "west", JAN, HIGH)),
    )
    assert figures_of(story.freeze(JAN)) == dict(HIGH)
    assert statuses(story) == {"east": "failed", "west": "accepted"}


def test_two_returns_at_once_are_both_held_until_a_higher_revision(story: Story) -> None:
    one, other = (submission(story.form, "east", JAN, figures) for figures in (LOW, HIGH))
    story.receive(verdict(one, whole=True), verdict(other, whole=True))
    assert len(story.warehouse.stored_batch(story.form, Period.parse(JAN)).submissions) == 2
    story.receive(verdict(submission(story.form, "east", JAN, HIGH, revision=2)))
    assert figures_of(story.freeze(JAN)) == dict(HIGH)
    assert len(story.warehouse.stored_batch(story.form, Period.parse(JAN)).submissions) == 1


def test_judging_again_can_accept_a_held_block(story: Story) -> None:
    sent = submission(story.form, "east", JAN, LOW)
    story.receive(verdict(sent, CASES))
    assert story.renew(verdict(sent)) == {"east"}
    assert not unvalidated(story.freeze(JAN))
    assert story.warehouse.failures(story.form.family, Period.parse(JAN)) == []


def test_judging_again_cannot_unpublish_but_marks_stale(story: Story) -> None:
    sent = submission(story.form, "east", JAN, LOW)
    story.receive(verdict(sent))
    assert story.renew(verdict(sent, CASES)) == set()
    frozen = story.freeze(JAN)
    assert not unvalidated(frozen)
    east = frozen.bureaus[0]
    assert (east.bureau, east.status, east.stale) == ("east", "accepted", True)
    assert len(story.warehouse.failures(story.form.family, Period.parse(JAN))) == 1
    story.renew(verdict(sent))
    assert not story.freeze(JAN).bureaus[0].stale


def test_judging_again_to_the_same_end_changes_nothing(story: Story) -> None:
    sent = [submission(story.form, code, JAN, LOW) for code in ("east", "west")]
    judged = [verdict(sent[0], CASES, waiting=2), verdict(sent[1])]
    story.receive(*judged)
    first = counted_rows(story)
    assert story.renew(*judged) == set()
    assert counted_rows(story) == first


def test_a_nil_return_is_filled_when_what_it_repeats_becomes_known(story: Story) -> None:
    blank = submission(story.form, "east", JAN, {}, nil=True)
    story.receive(verdict(blank))
    filled = submission(story.form, "east", JAN, values((0, 0, 4, 0, 0, 4)), nil=True)
    story.renew(verdict(replace(filled, digest=blank.digest)))
    assert figures_of(story.freeze(JAN))["cases.closing"] == 4


def test_the_database_itself_refuses_a_second_current_block(story: Story) -> None:
    sent = submission(story.form, "east", JAN, LOW)
    story.receive(verdict(sent))
    with writing(story.warehouse.engine) as connection:
        row = connection.execute(select(current_block)).mappings().fetchmany(1)[0]
        with pytest.raises(IntegrityError):
            connection.execute(insert(current_block).values(**row))


def test_failures_come_errors_first_and_by_impact(story: Story) -> None:
    story.receive(
        verdict(submission(story.form, "east", JAN, LOW), CASES, impact=0.1),
        verdict(submission(story.form, "west", JAN, HIGH), CASES, impact=0.7),
    )
    found = story.warehouse.failures(story.form.family, Period.parse(JAN))
    assert [(one.bureau, one.failure.impact) for one in found] == [("west", 0.7), ("east", 0.1)]
    assert found[0].failure.seen == ("1", "2")
    only = story.warehouse.failures(story.form.family, Period.parse(JAN), "east")
    assert [one.file for one in only] == [f"east_{JAN}_1.xlsx"]


def test_a_changed_definition_of_a_form_keeps_its_submissions_in_sight(story: Story) -> None:
    """An alias added to the form file must not take the month's returns out of judging again."""
    sent = submission(story.form, "east", JAN, LOW)
    story.receive(verdict(sent))
    edited = replace(story)
    edited.form = type(story.form).model_validate({**story.form.model_dump(by_alias=True), "legal": "《条例》"})
    edited.warehouse.sync(story.owing, [edited.form])
    (back,) = story.warehouse.stored_batch(edited.form, Period.parse(JAN)).submissions
    assert back.digest == sent.digest


def test_a_return_for_another_period_does_not_become_one_for_this(story: Story) -> None:
    """Header 2014, file name 2014-01: held when loaded, and not to be judged as January's the next time."""
    sent = submission(story.form, "east", "2014", LOW)
    story.receive(verdict(sent, whole=True), run_period=JAN)
    batch = story.warehouse.stored_batch(story.form, Period.parse(JAN))
    assert all(one.period == "2014" for one in batch.submissions)


def test_a_program_fault_of_a_return_without_a_bureau_is_told_as_such(story: Story) -> None:
    sent = submission(story.form, None, JAN, LOW)
    story.receive(verdict(sent, fault="ZeroDivisionError"))
    counts = story.freeze(JAN).counts
    assert {status.value: count for status, count in counts.items() if count} == {"failed": 1}


def test_text_that_postgresql_cannot_hold_does_not_stop_the_month(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, LOW, text="5\x006")))
    assert figures_of(story.freeze(JAN)) == dict(LOW)


def test_a_file_name_in_a_foreign_encoding_does_not_stop_the_month(story: Story) -> None:
    """A name packed as GBK and unpacked elsewhere is no valid UTF-8; Python hands it on with lone surrogates."""
    name = "东城分局_2014-01.xlsx".encode("gbk").decode("utf-8", "surrogateescape")
    story.receive(verdict(submission(story.form, "east", JAN, LOW, file=name)))
    assert figures_of(story.freeze(JAN)) == dict(LOW)

"""How firm a version is: derived from sign-offs and locks, as of any moment; and what a locked year refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from disclosure_etl.warehouse import REOPEN, BaselineRow, Dependents, Warehouse
from disclosure_etl.warehouse import pending as pending_work
from disclosure_etl.warehouse.connection import writing
from schemas.consolidation import VersionStatus
from schemas.errors import UserError
from schemas.formfile import Forms
from schemas.periods import Period
from schemas.restatements import ReasonCode, Restatement
from schemas.returns import ReturnAction
from tests.warehouse.signed import LATER, lock, sign, versions_of
from tests.warehouse.small import (
    AT,
    CASES,
    FAMILY,
    PUBLICATIONS,
    Story,
    failed,
    figures_of,
    submission,
    unvalidated,
    values,
    verdict,
)

JAN, FEB = "2014-01", "2014-02"
EAST, WEST = values((10, 1250, 4, 5, 3, 6)), values((1, 5, 1, 2, 3, 0))
PERIOD = Period.parse(JAN)


def january(story: Story):
    return story.month(JAN, {"east": EAST, "west": WEST})


def status(warehouse: Warehouse, as_of=None) -> VersionStatus:
    one = warehouse.consolidation(FAMILY, PERIOD, as_of=as_of)
    assert one is not None
    return one.status


def test_a_signed_version_is_final_from_then_on(story: Story, warehouse: Warehouse) -> None:
    one = january(story)
    signed = sign(story, one, at=LATER)
    assert (signed.version, signed.status, status(warehouse)) == (1, VersionStatus.FINAL, VersionStatus.FINAL)
    assert status(warehouse, AT) is VersionStatus.PROVISIONAL
    assert status(warehouse, LATER) is VersionStatus.FINAL


def test_the_versions_own_row_is_as_it_was_frozen(story: Story, warehouse: Warehouse) -> None:
    one = january(story)
    signed = sign(story, one)
    assert signed.content_hash == one.content_hash
    with warehouse.engine.connect() as connection:
        assert connection.execute(text("SELECT status FROM consolidation")).scalars().all() == ["provisional"]


def test_signing_twice_changes_nothing(story: Story, warehouse: Warehouse) -> None:
    one = january(story)
    sign(story, one)
    events = len(warehouse.audit_events())
    sign(story, one, at=LATER)
    assert len(warehouse.audit_events()) == events
    assert versions_of(warehouse, JAN)[0].signed.at == AT  # type: ignore[union-attr]


def test_what_is_no_longer_the_periods_figures_is_not_signed(story: Story, warehouse: Warehouse) -> None:
    one = january(story)
    story.receive(verdict(submission(story.form, "east", JAN, WEST, revision=2)))
    with pytest.raises(UserError, match="rerun 2014-01"):
        sign(story, one)
    assert [row.version for row in versions_of(warehouse, JAN)] == [1]


def test_a_correction_of_a_final_version_is_provisional_beside_it(story: Story, warehouse: Warehouse) -> None:
    sign(story, january(story))
    story.receive(verdict(submission(story.form, "east", JAN, WEST, revision=2)))
    story.freeze(JAN)
    assert [row.status for row in versions_of(warehouse, JAN)] == [VersionStatus.FINAL, VersionStatus.PROVISIONAL]


# -- without held blocks


def test_a_version_without_held_blocks_has_only_what_was_accepted(story: Story, warehouse: Warehouse) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, EAST), CASES))
    story.receive(verdict(submission(story.form, "west", JAN, WEST)))
    first = story.freeze(JAN)
    assert unvalidated(first)

    final = sign(story, first, leave_out_held=True)

    assert (final.version, final.status, final.without_held) == (2, VersionStatus.FINAL, True)
    assert not unvalidated(final)
    received = figures_of(final)
    assert (received["cases.received"], received["publications"]) == (2, 11)
    figures = warehouse.bureau_figures(story.form, PERIOD, ["month"], 2)
    by_bureau = {(one.bureau, one.indicator): one.value for one in figures}
    assert ("east", "cases.received") not in by_bureau and by_bureau[("east", "publications")] == 10


def test_it_stays_the_newest_until_something_changes(story: Story, warehouse: Warehouse) -> None:
    sent = submission(story.form, "east", JAN, EAST)
    story.receive(verdict(sent, CASES))
    final = sign(story, story.freeze(JAN), leave_out_held=True)
    assert story.freeze(JAN) == final
    assert [one.what for one in warehouse.verify([]) if not one.holds] == []

    story.renew(verdict(sent, PUBLICATIONS, CASES))

    newer = story.freeze(JAN)
    assert (newer.version, newer.without_held) == (3, False)
    assert story.freeze(JAN) == newer


def test_a_return_that_was_sent_back_is_left_out_too(story: Story, warehouse: Warehouse) -> None:
    one = january(story)
    with writing(warehouse.engine) as connection:
        connection.execute(text("UPDATE submission SET status = 'returned' WHERE bureau_code = 'east'"))
    one = story.freeze(JAN)
    assert figures_of(sign(story, one, leave_out_held=True))["publications"] == WEST["publications"]


def test_later_months_contain_the_final_figure(story: Story, warehouse: Warehouse) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, EAST), CASES))
    first = story.freeze(JAN)
    story.month(FEB, {"east": EAST})
    sign(story, first, leave_out_held=True)
    waiting = warehouse.next_waiting()
    assert waiting is not None and waiting.period.code == FEB
    assert figures_of(story.freeze(FEB), "year_to_date")["cases.received"] == EAST["cases.received"]


# -- locked years


def test_final_versions_of_a_locked_year_are_locked_until_it_is_reopened(story: Story, warehouse: Warehouse) -> None:
    sign(story, january(story))
    moments = [AT + timedelta(days=day) for day in (1, 2)]
    assert (lock(story, at=moments[0]), lock(story, at=moments[0])) == (True, False)
    assert status(warehouse) is VersionStatus.LOCKED
    assert (lock(story, REOPEN, moments[1]), lock(story, REOPEN, moments[1])) == (True, False)
    assert [status(warehouse, moment) for moment in (AT, *moments)] == [
        VersionStatus.FINAL, VersionStatus.LOCKED, VersionStatus.FINAL,
    ]  # fmt: skip
    (one,) = versions_of(warehouse, JAN)
    assert (one.was_locked, one.is_out) == (True, True)
    assert not versions_of(warehouse, JAN, AT)[0].was_locked
    assert [event.kind for event in warehouse.audit_events()][-2:] == ["lock", "reopen"]


def test_what_counts_in_a_locked_year_is_stored_by_nobody(story: Story, warehouse: Warehouse) -> None:
    sign(story, january(story))
    lock(story)
    sent = submission(story.form, "east", JAN, WEST, revision=2)
    with pytest.raises(UserError, match="reopen 2014"):
        story.receive(verdict(sent))
    story.receive(verdict(sent, whole=True))
    assert figures_of(story.freeze(JAN))["publications"] == 11
    with pytest.raises(UserError, match="reopen 2014"):
        story.renew(verdict(sent))


def test_no_waiver_and_no_earlier_figure_is_taken_in_a_locked_year(story: Story, warehouse: Warehouse) -> None:
    sign(story, january(story))
    waived = failed(submission(story.form, "east", JAN, EAST), CASES)
    span = (Period.parse("2013-12"), PERIOD)
    [waiver] = warehouse.waive(FAMILY, [("east", waived)], span, "经核实", "王处长", AT)
    with pytest.raises(UserError, match="2014-01 changed meanwhile"):
        lock(story)
    story.renew(verdict(submission(story.form, "east", JAN, EAST)))
    story.freeze(JAN)
    lock(story)
    for done in (
        lambda: warehouse.waive(FAMILY, [("west", waived)], span, "经核实", "王处长", AT),
        lambda: warehouse.withdraw([waiver], "有误", "王处长", AT),
        lambda: warehouse.import_baseline(
            story.run(JAN), FAMILY, Forms((story.form,)), [BaselineRow("east", PERIOD, "publications", "month", 1, 2)],
            "old.csv", AT, replace=True,
        ),
    ):  # fmt: skip
        with pytest.raises(UserError, match="reopen 2014"):
            done()


def test_no_return_is_decided_and_no_figure_restated_in_a_locked_year(story: Story, warehouse: Warehouse) -> None:
    sign(story, january(story))
    lock(story)
    one = warehouse.returns(FAMILY, PERIOD, "east")[0]
    told = (ReasonCode.RECOUNT, "盘点", "李科长", AT)
    restated = Restatement(1, FAMILY, JAN, "east", "publications", "year_to_date", -2, 0, *told)
    word = ("有误", "王处长", AT)
    for done in (
        lambda: warehouse.decide_return(story.form, ReturnAction.WITHDRAW, one, *word, Dependents()),
        lambda: warehouse.restate(restated, story.run(JAN), Dependents()),
        lambda: warehouse.withdraw_restatement(restated, *word, story.run(JAN), Dependents()),
    ):
        with pytest.raises(UserError, match="reopen 2014"):
            done()


def test_what_waits_in_a_locked_year_waits_until_it_is_reopened(story: Story, warehouse: Warehouse) -> None:
    sign(story, january(story))
    lock(story)
    with writing(warehouse.engine) as connection:
        pending_work.note_judgements(connection, [(FAMILY, PERIOD)], ["east"])
    assert warehouse.next_waiting() is None
    lock(story, REOPEN)
    waiting = warehouse.next_waiting()
    assert waiting is not None and waiting.bureaus == {"east"}


def test_a_year_with_a_provisional_version_is_not_locked(story: Story, warehouse: Warehouse) -> None:
    january(story)
    with pytest.raises(UserError, match="2014-01 changed meanwhile"):
        lock(story)
    assert warehouse.lock_of(FAMILY, PERIOD) is None


def test_the_lock_of_one_family_is_none_of_another(story: Story, warehouse: Warehouse) -> None:
    lock(story)
    assert warehouse.lock_of(FAMILY, PERIOD) is not None
    assert warehouse.lock_of("other", PERIOD) is None
    assert warehouse.lock_of(FAMILY, Period.parse("2015-01")) is None


# -- what was known then


def test_a_version_keeps_its_failures_when_they_are_judged_anew(story: Story, warehouse: Warehouse) -> None:
    sent = submission(story.form, "east", JAN, EAST)
    story.receive(verdict(sent, CASES))
    story.freeze(JAN)
    story.renew(verdict(sent))
    story.freeze(JAN)
    assert [one.failure.rule for one in warehouse.version_failures(FAMILY, PERIOD, 1)] == ["balance:cases"]
    assert warehouse.version_failures(FAMILY, PERIOD, 2) == []


def test_a_version_keeps_what_a_nil_return_stood_for(story: Story, warehouse: Warehouse) -> None:
    before, after = ({"cases.opening": number, "cases.closing": number} for number in (4, 6))
    sent = submission(story.form, "east", JAN, before, nil=True)
    story.receive(verdict(sent))
    story.freeze(JAN)
    story.renew(verdict(submission(story.form, "east", JAN, after, nil=True).__class__(
        **{name: getattr(submission(story.form, "east", JAN, after, nil=True), name) for name in sent.__slots__} | {"digest": sent.digest}
    )))  # fmt: skip
    story.freeze(JAN)

    def closing(version: int | None) -> int | None:
        figures = warehouse.bureau_figures(story.form, PERIOD, ["month"], version)
        return next(one.value for one in figures if one.indicator == "cases.closing")

    assert (closing(1), closing(2), closing(None)) == (4, 6, 6)

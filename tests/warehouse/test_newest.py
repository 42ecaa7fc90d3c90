"""Which of a bureau's returns is its newest: one answer, wherever it is asked for."""

from __future__ import annotations

from datetime import datetime

from schemas.periods import Period
from tests.factories import ZONE
from tests.warehouse.small import Story, receipt_of, submission, values, verdict

JAN = Period.parse("2014-01")
EARLY, LATE = values((10, 1250, 4, 5, 3, 6)), values((20, 1250, 4, 5, 3, 6))


def test_what_came_first_and_was_read_last_is_not_the_newest(story: Story) -> None:
    """A file may lie unread until the office has described its layout; its keys are higher then than those of what came after
    it."""
    early, late = (submission(story.form, "east", JAN.code, one) for one in (EARLY, LATE))
    receipt = receipt_of(early, datetime(2014, 1, 4, 9, tzinfo=ZONE), "unread_before.xlsx")
    story.warehouse.record_arrivals(story.run(JAN.code), JAN, [receipt], [])
    story.receive(verdict(late, whole=True))
    story.receive(verdict(early, whole=True))

    batch = story.warehouse.stored_batch(story.form, JAN)

    assert [one.digest for one in batch.submissions] == [late.digest, early.digest]
    assert batch.submissions[batch.newest_rows()["east"]].digest == late.digest
    published = next(cell.name for cell in story.form.cells if cell.indicator == "publications")
    assert story.warehouse.totals(story.form, JAN, [])[published] == 20
    assert [one.digest for one in story.warehouse.returns(story.form.family, JAN, "east")][-1] == late.digest

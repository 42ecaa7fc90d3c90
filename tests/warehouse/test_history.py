"""What checks look back on: the preceding period's accepted figures, else the baseline, else nothing."""

from __future__ import annotations

from decimal import Decimal

from disclosure_etl.warehouse import BaselineRow
from schemas.constraints import Source
from schemas.formfile import Forms
from schemas.periods import Period
from schemas.records import LooksBack
from schemas.values import UNKNOWN
from tests.warehouse.small import AT, CASES, FAMILY, Story, small_form, submission, values, verdict

JAN, FEB = "2014-01", "2014-02"
CLOSING, PUBLISHED = "cases.closing|month|count", "publications|month|count"
FIGURES = values((10, 1250, 0, 5, 3, 2))


def looked_back(
    story: Story, *bureaus: str | None, cells: tuple[str, ...] = (CLOSING, PUBLISHED), period: str = FEB
) -> dict[str, list[int | None]]:
    """The history by cell, None where it is not known."""
    looks = LooksBack(tuple(cell for cell in story.form.cells if cell.name in cells))
    found = story.warehouse.history(story.form, Period.parse(period), bureaus, looks).figures
    return {
        name.removeprefix(Source.PREVIOUS): [None if value == UNKNOWN else int(value) for value in values]
        for name, values in found.items()
    }


def imported(story: Story, bureau: str, indicator: str, number: int) -> None:
    """Take over one figure of January."""
    row = BaselineRow(bureau, Period.parse(JAN), indicator, "month", Decimal(number), 2)
    story.warehouse.import_baseline(story.run(JAN), FAMILY, Forms((story.form,)), [row], "old.csv", AT, replace=False)


def test_accepted_figures_stand_beside_their_bureaus(story: Story) -> None:
    story.receive(verdict(submission(story.form, "west", JAN, FIGURES)))
    assert looked_back(story, "east", "west", None, "west") == {
        CLOSING: [None, 2, None, 2],
        PUBLISHED: [None, 10, None, 10],
    }


def test_acceptance_is_looked_up_block_by_block(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, FIGURES), CASES))
    assert looked_back(story, "east") == {CLOSING: [None], PUBLISHED: [10]}


def test_an_older_accepted_block_answers_for_a_newer_held_one(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, FIGURES)))
    story.receive(verdict(submission(story.form, "east", JAN, {**FIGURES, "cases.closing": 9}, revision=2), CASES))
    assert looked_back(story, "east")[CLOSING] == [2]


def test_a_blank_is_not_known(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, {"publications": 10})))
    assert looked_back(story, "east") == {CLOSING: [None], PUBLISHED: [10]}


def test_only_the_preceding_period_answers(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, FIGURES)))
    assert looked_back(story, "east", period="2014-03")[CLOSING] == [None]


def test_another_version_of_the_family_answers_by_name(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, FIGURES)))
    story.form = small_form(version="2", **{"from": FEB})
    story.warehouse.sync(story.owing, [story.form])
    assert looked_back(story, "east")[CLOSING] == [2]


def test_a_cumulative_does_not_go_on_over_a_change_of_version(story: Story) -> None:
    to_date = "publications|year_to_date|count"
    story.receive(verdict(submission(story.form, "east", JAN, FIGURES, year_to_date=FIGURES)))
    assert looked_back(story, "east", cells=(to_date, PUBLISHED)) == {to_date: [10], PUBLISHED: [10]}
    story.form = small_form(version="2", **{"from": FEB})
    story.warehouse.sync(story.owing, [story.form])
    assert looked_back(story, "east", cells=(to_date, PUBLISHED)) == {to_date: [None], PUBLISHED: [10]}


def test_the_baseline_answers_where_nothing_was_received(story: Story) -> None:
    imported(story, "east", "cases.closing", 7)
    imported(story, "", "cases.closing", 70)
    assert looked_back(story, "east", "west")[CLOSING] == [7, None]


def test_the_baseline_does_not_stand_in_for_what_is_held(story: Story) -> None:
    """What was received counts once it is accepted; until then nothing is known, rather than something older."""
    imported(story, "east", "cases.closing", 7)
    story.receive(verdict(submission(story.form, "east", JAN, FIGURES), CASES))
    assert looked_back(story, "east")[CLOSING] == [None]
    story.receive(verdict(submission(story.form, "east", JAN, FIGURES, revision=2)))
    assert looked_back(story, "east")[CLOSING] == [2]


def test_no_bureau_and_no_cell_is_no_question(story: Story) -> None:
    assert looked_back(story) == {CLOSING: [], PUBLISHED: []}
    assert looked_back(story, "east", cells=()) == {}

"""What changed from one version to another: every figure, at the bureau that changed it, with why and by whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_etl.warehouse import Dependents, Warehouse, base_of
from schemas.periods import Frequency, Period
from schemas.restatements import ReasonCode, Restatement
from schemas.versions import Reason
from tests.warehouse.signed import changes, codes_of, figures_changed, lock, sign, versions_of
from tests.warehouse.small import AT, CASES, FAMILY, Story, failed, submission, values, verdict

JAN, FEB = "2014-01", "2014-02"
EAST, WEST = values((10, 1250, 4, 5, 3, 6)), values((1, 5, 1, 2, 3, 0))
MORE = values((12, 1250, 4, 6, 4, 6))


def corrected(story: Story) -> None:
    """January of both, then the east's second revision."""
    story.month(JAN, {"east": EAST, "west": WEST})
    sent = replace(submission(story.form, "east", JAN, MORE, revision=2), header={"preparer": "张敏"})
    story.receive(verdict(sent))
    story.freeze(JAN)


def test_a_correction_is_told_at_its_bureau_and_in_the_total(story: Story) -> None:
    corrected(story)
    found = changes(story, JAN, 1, 2)
    assert figures_changed(found) == {
        ("east", "publications"): (10, 12), ("east", "cases.received"): (5, 6), ("east", "cases.closed"): (3, 4),
        (None, "publications"): (11, 13), (None, "cases.received"): (7, 8), (None, "cases.closed"): (6, 7),
    }  # fmt: skip
    east = next(one for one in found.changes if one.bureau == "east")
    assert [(why.code, why.by) for why in east.reasons] == [("replaced", "张敏")]
    assert "east_2014-01_2.xlsx" in east.reasons[0].message.zh
    total = next(one for one in found.totals if one.column == "month")
    assert [(why.code, why.by) for why in total.reasons] == [("replaced", "张敏")]


def test_the_same_version_changes_nothing(story: Story) -> None:
    corrected(story)
    assert changes(story, JAN, 2, 2).changes == ()


def test_a_cumulative_says_which_month_it_contains(story: Story) -> None:
    story.month(JAN, {"east": EAST})
    story.month(FEB, {"east": EAST})
    story.receive(verdict(submission(story.form, "east", JAN, MORE, revision=2)))
    story.freeze(JAN)
    story.freeze(FEB)
    found = changes(story, FEB, 1, 2)
    assert {one.bureau for one in found.changes} == {None}
    assert figures_changed(found, "year_to_date")[(None, "publications")] == (20, 22)
    assert "2014-01(第 1 版 → 第 2 版)" in found.totals[0].reasons[0].message.zh


def test_a_coarser_period_has_the_changes_of_its_parts(story: Story) -> None:
    story.month(JAN, {"east": EAST})
    story.freeze("2014Q1")
    story.receive(verdict(submission(story.form, "east", JAN, MORE, revision=2)))
    story.freeze(JAN)
    story.freeze("2014Q1")
    found = changes(story, "2014Q1", 1, 2)
    assert figures_changed(found)[("east", "publications")] == (10, 12)
    assert figures_changed(found)[(None, "publications")] == (10, 12)
    assert {one.period for one in found.changes if one.bureau} == {JAN}
    assert codes_of(found, None, "publications") == {"contains"}


def test_a_new_part_is_told_without_all_its_bureaus(story: Story) -> None:
    story.month(JAN, {"east": EAST})
    story.freeze("2014Q1")
    story.month(FEB, {"east": EAST})
    story.freeze("2014Q1")
    found = changes(story, "2014Q1", 1, 2)
    assert {one.bureau for one in found.changes} == {None}
    assert "2014-02" in found.totals[0].reasons[0].message.zh


def test_a_late_return_is_newly_reported(story: Story) -> None:
    story.month(JAN, {"east": EAST})
    story.month(JAN, {"west": WEST})
    found = changes(story, JAN, 1, 2)
    assert codes_of(found, "west", "publications") == {"reported"}
    assert figures_changed(found)[("west", "publications")] == (None, 1)


def test_a_waived_block_is_told_with_the_waiver_though_no_figure_changed(story: Story, warehouse: Warehouse) -> None:
    sent = submission(story.form, "east", JAN, EAST)
    story.receive(verdict(sent, CASES))
    story.freeze(JAN)
    failure = failed(sent, CASES)
    [waiver] = warehouse.waive(FAMILY, [("east", failure)], (Period.parse(JAN),) * 2, "经核实无误", "王处长", AT)
    story.renew(replace(verdict(sent), failures=(replace(failure, waiver=waiver.number),)))
    story.freeze(JAN)
    (only,) = changes(story, JAN, 1, 2).changes
    assert (only.bureau, only.block, only.indicator) == ("east", CASES, None)
    assert [(why.code, why.by) for why in only.reasons] == [("waived", "王处长")]
    assert "经核实无误" in only.reasons[0].message.zh


def test_a_held_block_that_passes_now_and_one_that_is_corrected(story: Story) -> None:
    held, also = (submission(story.form, code, JAN, EAST) for code in ("east", "west"))
    story.receive(verdict(held, CASES), verdict(also, CASES))
    story.freeze(JAN)
    story.renew(verdict(held))
    story.receive(verdict(submission(story.form, "west", JAN, MORE, revision=2)))
    story.freeze(JAN)
    found = changes(story, JAN, 1, 2)
    assert codes_of(found, "east", None) == {"accepted"}
    assert codes_of(found, "west", "cases.received") == {"corrected"}


def test_what_a_final_version_left_out_is_told_and_what_came_for_it(story: Story) -> None:
    story.receive(verdict(submission(story.form, "east", JAN, EAST), CASES))
    sign(story, story.freeze(JAN), leave_out_held=True)
    story.receive(verdict(submission(story.form, "east", JAN, MORE, revision=2)))
    story.freeze(JAN)
    left_out, corrected_since = changes(story, JAN, 1, 2), changes(story, JAN, 2, 3)
    assert codes_of(left_out, "east", "cases.received") == {"left_out"}
    assert figures_changed(left_out)[("east", "cases.received")] == (5, None)
    assert codes_of(corrected_since, "east", "cases.received") == {"corrected"}
    assert figures_changed(corrected_since)[("east", "cases.received")] == (None, 6)


def test_a_restated_cumulative_says_so(story: Story, warehouse: Warehouse) -> None:
    story.month(JAN, {"east": EAST})
    story.month(FEB, {"east": EAST})
    told = (ReasonCode.RECOUNT, "盘点", "李科长", AT)
    one = Restatement(0, FAMILY, FEB, "east", "publications", "year_to_date", -2, 0, *told)
    warehouse.restate(one, story.run(FEB), Dependents())
    story.freeze(FEB)
    found = changes(story, FEB, 1, 2)
    assert figures_changed(found, "year_to_date") == {(None, "publications"): (20, 18)}
    assert [(why.code, why.by) for why in found.totals[0].reasons] == [("restated", "李科长")]


FIGURES = st.tuples(*(st.integers(0, 50) for _ in range(6))).map(values)
MONTH = st.dictionaries(st.sampled_from(["east", "west"]), FIGURES)


@settings(max_examples=25, deadline=None)
@given(first=MONTH, second=MONTH)
def test_the_bureaus_changes_add_up_to_the_totals(first: dict, second: dict) -> None:
    warehouse = Warehouse.open("sqlite://")
    try:
        story = Story(warehouse)
        story.month(JAN, first) if first else story.freeze(JAN)
        for code, figures in second.items():
            story.receive(verdict(submission(story.form, code, JAN, figures, revision=2)))
        newer = story.freeze(JAN)
        if newer.version == 1:
            return
        found = changes(story, JAN, 1, 2)
        for total in found.totals:
            if total.column == "month":
                own = [one for one in found.changes if one.bureau and one.indicator == total.indicator]
                assert sum(one.difference for one in own) == total.difference
                assert total.reasons and all(why.code != "other" for why in total.reasons)
        expected = {
            (code, name)
            for code in second
            for name in second[code]
            if first.get(code, {}).get(name, 0) != second[code][name]
        }
        assert {(b, i) for b, i in figures_changed(found) if b is not None} == expected
    finally:
        warehouse.close()


def test_versions_are_read_against_what_others_rely_on(story: Story, warehouse: Warehouse) -> None:
    sign(story, story.month(JAN, {"east": EAST}))
    for revision, figures in enumerate((MORE, WEST), 2):
        story.receive(verdict(submission(story.form, "east", JAN, figures, revision=revision)))
        story.freeze(JAN)
    versions = versions_of(warehouse, JAN)
    assert [one.version if (one := base_of(versions, newer)) else None for newer in versions] == [None, 1, 1]
    warehouse.release(versions[0], "王处长", AT)
    assert base_of(versions_of(warehouse, JAN), versions[2]) == versions_of(warehouse, JAN)[0]


def test_a_release_is_recorded_once(story: Story, warehouse: Warehouse) -> None:
    sign(story, story.month(JAN, {"east": EAST}))
    (one,) = versions_of(warehouse, JAN)
    assert (warehouse.release(one, "王处长", AT), warehouse.release(one, "王处长", AT)) == (True, False)
    assert versions_of(warehouse, JAN)[0].released_by == "王处长"
    assert [event.kind for event in warehouse.audit_events()].count("release") == 1
    assert lock(story)


# -- revisions


def test_a_figure_is_shown_in_all_its_versions(story: Story, warehouse: Warehouse) -> None:
    corrected(story)
    story.month(FEB, {"east": EAST})
    found = warehouse.revisions(FAMILY, ("publications", "month"), Frequency.MONTHLY, (None, None))
    assert [[one.value for one in row] for row in found.rows] == [[11, 13], [10]]
    only = warehouse.revisions(FAMILY, ("publications", "month"), Frequency.MONTHLY, (Period.parse(FEB), None))
    assert [row[0].period for row in only.rows] == [FEB]


def test_how_far_each_bureau_was_revised(story: Story, warehouse: Warehouse) -> None:
    corrected(story)
    story.month(FEB, {"east": EAST, "west": WEST})
    story.receive(verdict(submission(story.form, "east", FEB, values((4, 0, 0, 0, 0, 0)), revision=2)))
    story.freeze(FEB)
    found = warehouse.bureau_revisions(FAMILY, ("publications", "month"), Frequency.MONTHLY, (None, None))
    told = [(one.bureau, one.periods, one.revised, one.mean, one.mean_absolute) for one in found]
    assert told == [("east", 2, 2, (2 - 6) / 2, (2 + 6) / 2), ("west", 2, 0, 0, 0)]


@pytest.mark.parametrize("by_bureau", [False, True])
def test_revisions_take_one_query_whatever_the_periods(story: Story, warehouse: Warehouse, by_bureau: bool) -> None:
    from sqlalchemy import event

    for period in (JAN, FEB, "2014-03"):
        story.month(period, {"east": EAST})
    asked: list[str] = []
    event.listen(warehouse.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    ask = warehouse.bureau_revisions if by_bureau else warehouse.revisions
    assert ask(FAMILY, ("publications", "month"), Frequency.MONTHLY, (None, None))
    assert len([one for one in asked if one.lstrip().startswith("SELECT")]) <= 2


def test_a_reason_says_who(story: Story) -> None:
    corrected(story)
    for one in changes(story, JAN, 1, 2).changes:
        assert one.reasons and all(isinstance(why, Reason) and why.message.zh and why.message.en for why in one.reasons)

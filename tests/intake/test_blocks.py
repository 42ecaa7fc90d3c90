"""Whose row a row is: labels that several blocks have, aliases that only their own block understands, lists with doubles."""

from __future__ import annotations

import pytest

from disclosure_etl.intake.listed_twice import Again, listed_twice
from schemas.documents import Grid
from schemas.records import Severity
from tests.factories import some_figures
from tests.intake.sheets import (
    Rows,
    document,
    figures_of,
    form,
    good_rows,
    interpreted,
    position,
    read_rows,
    row_of,
    taken,
)  # fmt: skip

EXPECTED = some_figures(form(), 5)
TITLES = [block.label.zh for block in form().blocks]


def inserted(rows: Rows, after: str, label: str, number: float = 7.0) -> Rows:
    """A row of this label behind another."""
    at = row_of(rows, after) + 1
    return [*rows[:at], [label, "件", number], *rows[at:]]


def without_titles(rows: Rows) -> Rows:
    """The return without the titles of its blocks."""
    return [row for row in rows if not (row and isinstance(row[0], str) and row[0].partition("、")[2] in TITLES)]


@pytest.mark.parametrize(("after", "label"), [
    ("信函申请", "其他"), ("网上咨询", "信函"), ("电话咨询", "网络申请"), ("邮寄费", "诉讼总数"), ("现场咨询", "受理申请"),
    ("维持", "依法纠正"),
])  # fmt: skip
def test_a_row_of_another_block_s_label_is_unread_and_nobody_s(after: str, label: str) -> None:
    read = read_rows(inserted(good_rows(), after, label))
    assert figures_of(read) == EXPECTED
    assert [one.text for one in read.unread] == ["7"]


def test_an_inserted_other_takes_no_place_that_is_empty_elsewhere() -> None:
    rows = good_rows()
    del rows[row_of(rows, "其他结果")]
    read = read_rows(inserted(rows, "信函申请", "其他"))
    assert read.locators[position("litigation.other")] == ""
    assert [one.text for one in read.unread] == ["7"]


def test_without_titles_blocks_follow_each_other_in_the_form_s_order() -> None:
    rows = good_rows()
    first, second = (at for at, row in enumerate(rows) if row[0] == "未审结")
    rows[first][2], rows[second][2] = 3.0, 4.0
    bare = without_titles(rows)
    assert len(bare) == len(rows) - len(TITLES)
    assert taken(read_rows(bare)) == taken(read_rows(rows))
    assert read_rows(bare).unread == ()


@pytest.mark.parametrize(("after", "label"), [("信函申请", "其他"), ("网上咨询", "信函")])
def test_without_titles_an_alias_still_means_its_own_block_only(after: str, label: str) -> None:
    read = read_rows(inserted(without_titles(good_rows()), after, label))
    assert figures_of(read) == EXPECTED
    assert [one.text for one in read.unread] == ["7"]


def test_a_block_whose_title_is_not_known_is_found_by_its_full_labels() -> None:
    rows = good_rows()
    rows[row_of(rows, "四、收费")][0] = "四、费用"
    assert taken(read_rows(rows)) == taken(read_rows(good_rows()))


@pytest.mark.parametrize("label", [
    "受理申请*", "受理申请※", "— 受理申请", "-受理申请", "·受理申请", "1 受理申请", "a.受理申请", "1.1 受理申请", "1.1受理申请",
    "受理申请²", "(1)受理申请", "A、受理申请",
])  # fmt: skip
def test_what_decorates_a_label_does_not_hide_it(label: str) -> None:
    rows = good_rows()
    rows[row_of(rows, "受理申请")][0] = label
    assert taken(read_rows(rows)) == taken(read_rows(good_rows()))


def test_the_last_label_of_a_row_is_its_own() -> None:
    """The name of a group stands merged before its first row."""
    rows = [["", *row] if at >= 7 else [*row] for at, row in enumerate(good_rows())]
    at = row_of(rows, "同意公开")
    rows[at][0] = "答复"
    assert taken(read_rows(rows)) == taken(
        read_rows([[None, *row] if n >= 7 else [*row] for n, row in enumerate(good_rows())])
    )


@pytest.mark.parametrize("label", ["信函申请", "信函"])
def test_an_indicator_listed_twice_with_other_figures_holds_its_block(label: str) -> None:
    read = read_rows(inserted(good_rows(), "信函申请", label, 6.0))
    (finding,) = read.findings
    assert (finding.code, finding.severity, finding.block) == ("return:listed_twice", Severity.ERROR, "applications")
    assert (finding.indicators, finding.column) == (("applications.received.letter",), "month")
    assert finding.cells == ("统计表!C29", "统计表!C30")
    assert finding.seen == ("5", "6")
    assert figures_of(read) == EXPECTED
    assert [one.locator for one in read.unread] == ["统计表!C30"]


def test_an_indicator_listed_twice_with_the_same_figure_is_a_warning() -> None:
    read = read_rows(inserted(good_rows(), "信函申请", "信函申请", 5.0))
    (finding,) = read.findings
    assert (finding.code, finding.severity) == ("return:listed_twice", Severity.WARNING)
    assert read.unread == ()


def test_a_row_that_stands_twice_is_told_once_for_all_its_columns() -> None:
    cells = [cell for cell in form().cells if cell.indicator == "enquiries" and cell.measure == "count"]
    texts = ["4"] * len(form().cells)
    again = [Again(cell.position, f"C{at}", f"D{at}", "4", False) for at, cell in enumerate(cells)]
    assert len(again) > 1

    (same,) = listed_twice(form(), again, texts)
    (other,) = listed_twice(form(), [again[0], again[1]._replace(text="5", differs=True)], texts)

    assert (same.severity, same.column, len(same.cells)) == (Severity.WARNING, None, 2 * len(again))
    assert (other.severity, other.column, other.seen) == (Severity.ERROR, cells[1].column, ("4", "5"))


def test_an_empty_row_of_a_label_met_before_says_nothing() -> None:
    rows = good_rows()
    rows.insert(row_of(rows, "信函申请") + 1, ["信函申请", "件", None, None])
    read = read_rows(rows)
    assert (read.findings, read.unread) == ((), ())


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_sheets_with_one_table_only_one_is_read_and_the_return_is_held(swapped: bool) -> None:
    """The sheet of another month before the real one; only the real one carries the header."""
    april = [[], *good_rows()[7:]]
    april[row_of(april, "信函申请")][2] = 9.0
    missing = good_rows()
    del missing[row_of(missing, "撤回或终止")]
    grids = [Grid("4月", april), Grid("5月", missing)]
    read = interpreted(document(*(reversed(grids) if swapped else grids))).submission
    assert {locator.partition("!")[0] for locator in read.locators if locator} == {"5月"}
    assert read.locators[position("applications.withdrawn")] == ""
    finding = next(one for one in read.findings if one.code == "return:two_tables")
    assert (finding.block, finding.severity) == (None, Severity.ERROR)
    assert "「5月」和「4月」" in finding.message.zh
    assert "4月!C23" in [one.locator for one in read.unread]


def test_a_copy_of_a_sheet_with_equal_figures_is_ignored() -> None:
    read = interpreted(document(Grid("统计表", good_rows()), Grid("副本", good_rows()))).submission
    assert (read.findings, read.unread) == ((), ())
    assert taken(read) == taken(read_rows(good_rows()))


def test_the_header_of_a_sheet_that_only_repeats_is_not_the_return_s() -> None:
    other = good_rows()
    for row in other[:7]:
        row[:] = ["2014-04" if cell == "2014-05" else cell for cell in row]
    read = interpreted(document(Grid("5月", good_rows()), Grid("4月", other))).submission
    assert read.period == "2014-05"


def test_a_header_on_a_cover_sheet_is_read() -> None:
    rows = good_rows()
    read = interpreted(document(Grid("封面", rows[:7]), Grid("表", rows[7:]))).submission
    assert (read.bureau, read.period, read.findings) == ("dongcheng", "2014-05", ())
    assert figures_of(read) == EXPECTED


def test_without_titles_a_doubled_shared_label_does_not_slip_into_the_next_block() -> None:
    read = read_rows(inserted(without_titles(good_rows()), "未审结", "未审结", 6.0))
    assert figures_of(read) == EXPECTED
    assert [(one.code, one.block) for one in read.findings] == [("return:listed_twice", "reconsiderations")]

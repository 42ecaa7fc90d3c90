"""Printed tables without ruled lines, and tables that go on over a page: each figure in the column and table that it is of."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from disclosure_etl.intake.readers import read_document
from schemas.documents import Grid, Merge
from tests.intake.printed import Drawn, Line, Said, form_table, pdf, pdf_of
from tests.intake.test_formats import ROWS, SIGNED, TITLE, texts

Cells = Sequence[str]
LEFT, RIGHTS = 55, (260, 360, 460)  # where labels begin, and where figures end
HEADS = ("指标", "本月", "累计", "上年")


def row(y: float, cells: Cells) -> list[Said]:
    """A label, and figures set to the right; a sign is ten points wide."""
    label, *figures = cells
    said: list[Said] = [(LEFT, y, label)] if label else []
    return said + [(right - 10 * len(one), y, one) for right, one in zip(RIGHTS, figures, strict=False) if one]


def rows(first: float, *lines: Cells) -> list[Said]:
    return [one for at, cells in enumerate(lines) for one in row(first - 20 * at, cells)]


def ruled(first: float, count: int) -> list[Line]:
    """All lines of a table of so many rows."""
    ys, xs = [first + 15 - 20 * at for at in range(count + 1)], (50, 180, 270, 370, 470)
    return [(50, y, 470, y) for y in ys] + [(x, ys[-1], x, ys[0]) for x in xs]


def grids_of(data: bytes) -> list[list[list[str]]]:
    return [texts(grid) for grid in read_document("a.pdf", data).grids]


def grid_of(said: Sequence[Said], lines: Sequence[Line] = ()) -> Grid:
    (grid,) = read_document("a.pdf", pdf(said, lines)).grids
    return grid


def level(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line[1] == line[3]]


FRAME: list[Line] = [(50, 705, 50, 785), (450, 705, 450, 785)]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        level(form_table()[1]),
        [*level(form_table()[1]), *FRAME],
        [(50, 745, 450, 745), *FRAME],
        [*level(form_table()[1]), *FRAME, (150, 705, 150, 785)],  # some columns
        [*((x, 705, x, 785) for x in (50, 150, 250, 350, 450)), (50, 705, 450, 705), (50, 785, 450, 785)],  # no rows
    ],
)
def test_a_table_without_all_its_lines_is_read_as_with_them(lines: list[Line]) -> None:
    found = read_document("a.pdf", pdf(form_table()[0], lines))
    assert [texts(grid) for grid in found.grids] == [ROWS]
    assert found.text.split("\n") == [TITLE, SIGNED]


def test_figures_set_to_the_right_stand_in_their_columns_and_nothing_stands_in_for_an_empty_cell() -> None:
    lines = [HEADS, ("受理申请", "20", "", "1,234"), ("其中:当面", "7", "120", ""), ("答复合计", "", "98", "/")]
    assert texts(grid_of(rows(700, *lines))) == [list(line) for line in lines]


def test_small_figures_that_stand_close_are_all_read() -> None:
    """Signs a point and a half apart: 11 is no bold 1."""
    said: list[Said] = [(55, 700, "受理", 1.5), (75, 700, "11", 1.5), (55, 697, "答复", 1.5), (75, 697, "22", 1.5)]
    assert [line[1] for line in texts(grid_of(said))] == ["11", "22"]


def test_a_heading_over_two_columns_and_those_beside_it_are_merges() -> None:
    heads: list[Said] = [
        (270, 727, "本月"),
        (80, 720, "指标"),
        (440, 720, "备注"),
        (225, 713, "件数"),
        (325, 713, "人数"),
    ]
    grid = grid_of([*heads, *rows(690, ("受理申请", "20", "7"), ("答复合计", "1,234", ""))])
    assert texts(grid) == [
        ["指标", "本月", "", "备注"],
        ["", "件数", "人数", ""],
        ["受理申请", "20", "7", ""],
        ["答复合计", "1,234", "", ""],
    ]
    assert set(grid.merges) == {Merge(0, 0, 1, 0), Merge(0, 1, 0, 2), Merge(0, 3, 1, 3)}


def test_a_caption_between_headings_and_figures_is_a_row() -> None:
    lines = [HEADS, ("一、申请", "", "", ""), ("受理申请", "20", "5", "1"), ("答复合计", "3", "4", "6")]
    assert texts(grid_of(rows(700, *lines))) == [list(line) for line in lines]


def test_a_label_in_two_lines_is_one_row_with_its_figures() -> None:
    said = [*rows(700, HEADS, ("受理申请", "20", "5", "1")), *row(654, ("公开的", "")), *row(642, ("信息数", ""))]
    grid = grid_of([*said, *row(648, ("", "7", "8", "9")), *row(620, ("答复合计", "3", "4", "6"))])
    assert texts(grid)[1:] == [
        ["受理申请", "20", "5", "1"],
        ["公开的信息数", "7", "8", "9"],
        ["答复合计", "3", "4", "6"],
    ]


def test_rows_that_touch_are_no_row_of_both() -> None:
    said = [*rows(700, HEADS, ("受理申请", "20", "5", "1")), *row(673, ("答复合计", "3", "4", "6"))]
    assert texts(grid_of(said))[1:] == [["受理申请", "20", "5", "1"], ["答复合计", "3", "4", "6"]]


def test_figures_are_never_run_together() -> None:
    """A long remark stands below both columns: 12 and 3 are no 123."""
    said: list[Said] = [(55, 700, "受理申请"), (200, 700, "12"), (250, 700, "3"), (55, 680, "答复"), (200, 680, "其中含上年结转"),
                        (400, 700, "5"), (400, 680, "6")]  # fmt: skip
    found = read_document("a.pdf", pdf(said))
    assert found.grids == ()
    assert "受理申请 12 3 5" in found.text


PROSE = [
    "    2014年,我局共受理政府信息公开申请20件,其中当面申请12件,占60.00%;",
    "网上申请8件,占40.00%。与上年相比增加3件,增长17.65%,均按期答复。",
    "(一) 主动公开情况。全年主动公开政府信息1,234条,其中机构职能类7条,",
    "占0.57%;全文电子化率100%。",
    "1. 网站公开1,200条。   2. 其他方式公开34条。",
    "二、存在的问题和改进措施",
    "答复合计20件。",
    "20",
    "5",
]


def test_sentences_with_figures_are_running_text() -> None:
    said: list[Said] = [(50, 780 - 18 * at, line) for at, line in enumerate(PROSE)]
    found = read_document(
        "a.pdf", pdf([*said, (50, 500, "共受理申请"), (300, 500, "件"), (50, 480, "当面答复"), (300, 480, "件")])
    )
    assert found.grids == ()
    assert [line.replace(" ", "") for line in found.text.split("\n")][: len(PROSE)] == [
        line.replace(" ", "") for line in PROSE
    ]


def test_a_single_space_parts_no_columns() -> None:
    said: list[Said] = [(50, 700, "经统计 20 件为当面申请"), (50, 680, "经核对 12 件为网上申请")]
    assert read_document("a.pdf", pdf(said)).grids == ()


def test_figures_that_do_not_stand_below_each_other_are_no_table() -> None:
    said: list[Said] = [
        (55, 700, "受理"),
        (200, 700, "20"),
        (300, 700, "另附说明"),
        (55, 680, "答复"),
        (200, 680, "见附件"),
        (300, 680, "5"),
    ]
    assert read_document("a.pdf", pdf(said)).grids == ()


def test_sentences_in_a_frame_are_running_text() -> None:
    said: list[Said] = [(55, 770, "本月无数据的,填写零报告。"), (55, 730, "更正的,修订号加1。")]
    found = read_document("a.pdf", pdf(said, [*level(form_table()[1]), *FRAME]))
    assert (found.grids, found.text) == ((), "本月无数据的,填写零报告。\n更正的,修订号加1。")


FIRST, SECOND = (
    [("受理申请", "20", "5", "1"), ("答复合计", "12", "4", "6")],
    [("收费", "30", "0", "2"), ("复议", "1", "", "3")],
)
ONE = [list(line) for line in (HEADS, *FIRST, *SECOND)]
NUMBERS: list[list[Said]] = [[(280, 30, f"第{at}页")] for at in (1, 2)]
STAMP: Said = (50, 820, "东城区政府信息公开")


def two_pages(first: Sequence[Cells], second: Sequence[Cells], lines: bool, *more: list[Said]) -> bytes:
    """A table at the end of a page, and one at the beginning of the next."""
    pages: list[Drawn] = []
    for at, said in enumerate((first, second)):
        around = [*NUMBERS[at], STAMP, *(more[at] if at < len(more) else [])]
        pages.append(([*rows(760, *said), *around], ruled(760, len(said)) if lines else []))
    return pdf_of(pages)


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("again", [[], [HEADS]])
def test_a_table_goes_on_over_a_page(lines: bool, again: list[Cells]) -> None:
    found = read_document("a.pdf", two_pages([HEADS, *FIRST], [*again, *SECOND], lines))
    (grid,) = found.grids
    assert texts(grid) == ONE
    assert grid.locator(3, 1) == "table 1, row 4, column 2"


@pytest.mark.parametrize("lines", [True, False])
def test_one_row_goes_on_over_a_page(lines: bool) -> None:
    assert grids_of(two_pages([HEADS, *FIRST], SECOND[:1], lines)) == [ONE[:4]]


def test_an_empty_column_on_the_second_page_stays_where_it_is() -> None:
    without = [("收费", "30", "", "2"), ("复议", "1", "", "3")]
    assert grids_of(two_pages([HEADS, *FIRST], without, lines=False)) == [[*ONE[:3], *map(list, without)]]


OTHER = ("项目", "网站", "公报", "电话")


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize(
    ("second", "more"),
    [
        ([OTHER, *SECOND], []),  # a heading of its own
        (SECOND, [[], [(55, 790, "附表二")]]),  # a title of its own
        (SECOND, [[(55, 600, "填报人:张敏")], []]),  # something said after the first
        ([HEADS, *FIRST], []),  # the same once more
    ],
)
def test_tables_of_two_pages_stay_two(second: list[Cells], more: list[list[Said]], lines: bool) -> None:
    found = grids_of(two_pages([HEADS, *FIRST], second, lines, *more))
    assert len(found) == 2
    assert found[0] == ONE[:3]
    assert found[1][-2:] == [list(line) for line in second[-2:]]


def test_ruled_tables_of_other_columns_stay_two() -> None:
    moved = [line if line[0] != line[2] or line[0] in (50, 470) else (line[0] + 20, line[1], line[2] + 20, line[3])
             for line in ruled(760, 2)]  # fmt: skip
    pages: list[Drawn] = [(rows(760, HEADS, *FIRST), ruled(760, 3)), (rows(760, *SECOND), moved)]
    assert len(grids_of(pdf_of(pages))) == 2


def test_a_row_alone_on_a_page_of_text_is_text() -> None:
    pages: list[Drawn] = [([*rows(760, HEADS, *FIRST), (55, 600, "填报人:张敏")], []), (rows(760, SECOND[0]), [])]
    found = read_document("a.pdf", pdf_of(pages))
    assert [texts(grid) for grid in found.grids] == [ONE[:3]]
    assert found.text.split("\n")[-1] == "收费 30 0 2"


def test_a_table_with_lines_is_not_the_rest_of_one_without() -> None:
    pages: list[Drawn] = [(rows(760, HEADS, *FIRST), []), (rows(760, *SECOND), ruled(760, 2))]
    assert len(grids_of(pdf_of(pages))) == 2


def test_what_stands_above_a_table_has_columns_of_its_own() -> None:
    """The line of the revision has a figure and ends where no column of the table does; the headings below it are the table's."""
    above = [(55, 800, "统计时期"), (150, 800, "2014-05"), (215, 800, "修订号"), (300, 800, "2")]
    (grid,) = grids_of(pdf([*above, *rows(770, HEADS, ("受理申请", "20", "100", "90"), ("答复", "19", "95", "91"))]))
    assert grid == [list(HEADS), ["受理申请", "20", "100", "90"], ["答复", "19", "95", "91"]]
    found = read_document(
        "a.pdf", pdf([*above, *rows(770, HEADS, ("受理申请", "20", "100", "90"), ("答复", "19", "95", "91"))])
    )
    assert "修订号 2" in found.text


def test_a_row_without_figures_begins_no_table() -> None:
    (grid,) = grids_of(
        pdf(rows(770, HEADS, ("受理申请", "20", "100", "90"), ("其他", "", "", ""), ("答复", "19", "95", "91")))
    )
    assert grid == [list(HEADS), ["受理申请", "20", "100", "90"], ["其他", "", "", ""], ["答复", "19", "95", "91"]]


def test_figures_set_to_the_left_and_to_the_right_under_one_heading_are_of_one_column() -> None:
    said = rows(770, HEADS, ("受理申请", "20", "100", "90"), ("答复", "19", "95", "91"))
    said += [(LEFT, 710, "复议"), (196, 710, "1"), (300, 710, "2"), (402, 710, "3")]
    (grid,) = grids_of(pdf(said))
    assert grid[-1] == ["复议", "1", "2", "3"]
    assert all(len(row) == 4 for row in grid)

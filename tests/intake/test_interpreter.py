"""A return read by the labels of its form, however it was rearranged; what is not understood is listed."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_etl.intake.interpreter import Interpreter
from schemas.documents import Grid, Merge, Oddity, Unreadable
from schemas.records import NO_DECIMALS
from schemas.values import Meaning, Trouble
from tests.factories import some_figures
from tests.intake.sheets import (
    Rows,
    bureaus,
    document,
    edited,
    figures_of,
    form,
    good_return,
    good_rows,
    interpreted,
    position,
    read_bytes,
    read_rows,
    row_of,
    taken,
)  # fmt: skip

EXPECTED = some_figures(form(), 5)


def replaced(old: str, new: object) -> Rows:
    """The good return with one text exchanged."""
    return [[new if cell == old else cell for cell in row] for row in good_rows()]  # type: ignore[misc]


def with_value(label: str, value: object, column: int = 2) -> Rows:
    """The good return with another content in one place."""
    rows = good_rows()
    rows[row_of(rows, label)][column] = value  # type: ignore[call-overload]
    return rows


def inserted_row(rows: Rows) -> Rows:
    """An empty row and a row of words amid the figures."""
    at = row_of(rows, "受理申请")
    return [*rows[:at], [], ["以下由业务科填写", None, "见附件"], *rows[at:]]


def shifted(rows: Rows) -> Rows:
    """Everything two columns to the right."""
    return [[None, None, *row] for row in rows]


def split_columns(rows: Rows) -> Rows:
    """An empty column between the figures."""
    return [[*row[:3], None, *row[3:]] for row in rows]


def swapped_columns(rows: Rows) -> Rows:
    """The year to date before the month."""
    return [[*row[:2], row[3], row[2], *row[4:]] if at >= 7 else row for at, row in enumerate(rows)]


def reversed_rows(rows: Rows) -> Rows:
    """The rows of the enquiries in another order."""
    at = row_of(rows, "接受咨询")
    return [*rows[:at], *reversed(rows[at : at + 4]), *rows[at + 4 :]]


def reversed_blocks(rows: Rows) -> Rows:
    """The last two blocks, with the label 未审结 in both, exchanged."""
    first, second, end = row_of(rows, "五、行政复议"), row_of(rows, "六、行政诉讼"), len(rows) - 1
    return [*rows[:first], *rows[second:end], *rows[first:second], *rows[end:]]


def footnoted(rows: Rows) -> Rows:
    """A note below, with a number in its words."""
    return [*rows, ["注:①受理申请含上年结转 3 件。"], [], ["填报说明", "共 2 页"]]


def numbered(rows: Rows) -> Rows:
    """A column of ordinals before the labels."""
    return [[("序号" if at == 7 else at - 7) if at >= 7 else None, *row] for at, row in enumerate(rows)]


def decorated(rows: Rows) -> Rows:
    """Labels numbered, spaced out and with their unit behind."""
    at = row_of(rows, "受理申请")
    rows[at][0] = "(一) 受 理 申 请(件):"
    rows[at + 1][0] = "\u30001.其中:当面申请\uff08件\uff09"
    return rows


ARRANGED: list[Callable[[Rows], Rows]] = [
    inserted_row, shifted, split_columns, swapped_columns, reversed_rows, reversed_blocks, footnoted, numbered, decorated,
]  # fmt: skip


@pytest.mark.parametrize("arrange", ARRANGED)
def test_a_rearranged_return_reads_alike(arrange: Callable[[Rows], Rows]) -> None:
    read = read_rows(arrange(good_rows()))
    assert figures_of(read) == EXPECTED
    assert (read.bureau, read.period, read.findings, read.unread) == ("dongcheng", "2014-05", (), ())


def test_a_return_as_it_was_sent_out_reads_in_full() -> None:
    read = read_bytes(good_return())
    assert figures_of(read) == EXPECTED
    assert (read.bureau, read.period, read.revision, read.nil) == ("dongcheng", "2014-05", 1, False)
    assert (read.unread, read.findings, set(read.troubles)) == ((), (), {int(Trouble.NONE)})
    assert "" not in [read.locators[cell.position] for cell in form().cells]


def test_a_share_is_read_as_printed() -> None:
    read, at = read_bytes(good_return()), position("publications.organisation", measure="share")
    shown = Decimal(read.numbers[at]).scaleb(-form().cells[at].scale)
    assert (shown, read.decimals[at], read.texts[at]) == (Decimal("16.67"), 2, "16.67")


def test_a_renamed_sheet_shows_in_the_locators_only() -> None:
    one, two = read_rows(good_rows()), read_rows(good_rows(), sheet="Sheet1 (2)")
    assert taken(one) == taken(two)
    assert two.locators[position("publications")] == "Sheet1 (2)!C10"


ALIASES = [(item.label.zh, alias) for item in form().indicators.values() for alias in item.aliases]


@pytest.mark.parametrize(("label", "alias"), ALIASES)
def test_each_alias_of_an_indicator_is_known(label: str, alias: str) -> None:
    rows = good_rows()
    shared = [at for at, row in enumerate(rows) if row[0] == label]
    for at in shared[:1] if "复议" in alias else shared[-1:]:
        rows[at][0] = alias
    labelled = figures_of(read_rows(rows))
    assert labelled == EXPECTED


@pytest.mark.parametrize("alias", ["本期", "本月数", "当月", "Month", "本 月"])
def test_each_alias_of_a_column_is_known(alias: str) -> None:
    assert figures_of(read_rows(replaced("本月", alias))) == EXPECTED


def test_a_missing_column_leaves_its_cells_unplaced_and_takes_no_other() -> None:
    read = read_rows([row[:3] for row in good_rows()])
    assert figures_of(read) == {key: value for key, value in EXPECTED.items() if key[1] == "month"}
    at = position("replies", "year_to_date")
    assert (read.locators[at], read.meanings[at], read.decimals[at]) == ("", int(Meaning.BLANK), NO_DECIMALS)


def test_a_missing_row_leaves_its_cell_unplaced() -> None:
    rows = good_rows()
    del rows[row_of(rows, "撤回或终止")]
    read = read_rows(rows)
    assert read.locators[position("applications.withdrawn")] == ""
    assert figures_of(read) == {key: value for key, value in EXPECTED.items() if key[0] != "applications.withdrawn"}


@pytest.mark.parametrize("value", [7.0, "7", "7件", "\uff17"])
def test_a_figure_of_an_unknown_label_is_listed_as_unread(value: object) -> None:
    rows = good_rows()
    rows.insert(row_of(rows, "答复"), ["邮件申请", "件", value])  # type: ignore[list-item]
    read = read_rows(rows)
    assert [(one.locator[-3:], figure_text) for one, figure_text in ((one, one.text) for one in read.unread)] == [
        ("C30", "7" if isinstance(value, float) else value)
    ]
    assert figures_of(read) == EXPECTED


def test_a_figure_in_an_unknown_column_is_listed_as_unread() -> None:
    rows = [[*row, None] for row in good_rows()]
    rows[7][7], rows[row_of(rows, "答复")][7] = "上年同期", 18.0
    (unread,) = read_rows(rows).unread
    assert (unread.locator, unread.text) == ("统计表!H30", "18")


def test_a_doubled_label_is_read_once_and_its_other_figure_is_listed() -> None:
    rows = good_rows()
    rows.insert(row_of(rows, "撤回或终止"), ["受理申请", "件", 99.0, 98.0])
    read = read_rows(rows)
    assert figures_of(read) == EXPECTED
    assert sorted(one.text for one in read.unread) == ["98", "99"]


def test_a_second_sheet_with_the_same_labels_is_listed_and_not_added() -> None:
    again = with_value("受理申请", 77.0)
    read = interpreted(document(Grid("统计表", good_rows()), Grid("副本", again))).submission
    assert figures_of(read) == EXPECTED
    assert ("副本!C25", "77") in [(one.locator, one.text) for one in read.unread]


def test_a_second_sheet_may_carry_what_the_first_lacks() -> None:
    rows = good_rows()
    at = row_of(rows, "四、收费")
    rest = [rows[7], *rows[at:]]
    read = interpreted(document(Grid("一", rows[:at]), Grid("二", rest))).submission
    assert figures_of(read) == EXPECTED
    assert read.locators[position("fees.collected")].startswith("二!")


def test_a_hidden_sheet_is_not_data_and_its_figures_are_told() -> None:
    hidden = Grid("旧", with_value("受理申请", 77.0), hidden=True)
    read = interpreted(document(hidden, Grid("统计表", good_rows()))).submission
    assert figures_of(read) == EXPECTED
    assert ("旧!C25", "77") in [(one.locator, one.text) for one in read.unread]
    assert {one.locator.partition("!")[0] for one in read.unread} == {"旧"}


def test_a_return_on_hidden_sheets_alone_is_refused_by_their_names() -> None:
    with pytest.raises(Unreadable) as caught:
        interpreted(document(Grid("旧", good_rows(), hidden=True), Grid("空", [["见隐藏表"]])))
    assert caught.value.code == "no_known_label"
    assert "「旧」" in caught.value.zh and "隐藏" in caught.value.zh


def test_each_form_is_named_once_to_whoever_sends_something_else() -> None:
    with pytest.raises(Unreadable) as caught:
        interpreted(document(Grid("表", [["工资", "金额"]])))
    known = re.search(r"已知报表:([^)]+)\)", caught.value.zh)
    assert known is not None
    titles = known[1].split("、")
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("value", ["×应为20", "√", 20.0, "20"])
def test_check_cells_beside_the_totals_are_not_data(value: object) -> None:
    read = read_rows(with_value("受理申请", value, column=5))
    assert figures_of(read) == EXPECTED
    assert read.unread == ()


ODD = {
    "约20": (Meaning.TEXT, Trouble.APPROXIMATE), "/": (Meaning.NOT_APPLICABLE, Trouble.NONE), None: (Meaning.BLANK, Trouble.NONE),
    "#REF!": (Meaning.ERROR, Trouble.ERROR_VALUE), 20.5: (Meaning.TEXT, Trouble.TOO_FINE),
    "20%": (Meaning.TEXT, Trouble.TEXT), "20元": (Meaning.TEXT, Trouble.OTHER_UNIT), 1e15: (Meaning.TEXT, Trouble.TOO_LARGE), "9" * 60: (Meaning.TEXT, Trouble.TOO_LARGE),
}  # fmt: skip


@pytest.mark.parametrize("value", list(ODD))
def test_what_is_no_figure_of_its_cell_says_so(value: object) -> None:
    read, at = read_rows(with_value("受理申请", value)), position("applications.received")
    assert (Meaning(read.meanings[at]), Trouble(read.troubles[at])) == ODD[value]
    assert (read.numbers[at], read.decimals[at]) == (0, NO_DECIMALS)
    assert figures_of(read) == {
        key: number for key, number in EXPECTED.items() if key != ("applications.received", "month")
    }


def test_a_huge_number_in_a_formatted_cell_is_too_large() -> None:
    def enlarge(book) -> None:
        book.worksheets[0]["C25"] = 1e30

    read = read_bytes(edited(enlarge))
    assert Trouble(read.troubles[position("applications.received")]) is Trouble.TOO_LARGE


def test_an_amount_is_kept_in_its_smallest_unit() -> None:
    read, at = read_rows(with_value("复印费", "1,030.5元")), position("fees.collected.copying")
    assert (read.numbers[at], read.decimals[at], read.texts[at]) == (103050, 1, "1,030.5元")
    fine = read_rows(with_value("复印费", "30.555"))
    assert Trouble(fine.troubles[at]) is Trouble.TOO_FINE


def test_a_cell_merged_over_two_figures_belongs_to_neither() -> None:
    rows = good_rows()
    at = row_of(rows, "现场咨询")
    rows[at + 1][2] = None
    read = interpreted(document(Grid("表", rows, merges=(Merge(at, 2, at + 1, 2),)))).submission
    assert Trouble(read.troubles[position("enquiries.on_site")]) is Trouble.MERGED
    assert Meaning(read.meanings[position("enquiries.telephone")]) is Meaning.BLANK


def test_what_a_grid_says_of_a_cell_is_not_forgotten_for_cells_alike() -> None:
    """Values are remembered by content and format; an oddity belongs to one place."""
    interpreter, rows = Interpreter([form()], bureaus()), good_rows()
    odd = Grid("统计表", rows, oddities={(row_of(rows, "现场咨询"), 2): Oddity.UNCALCULATED})
    for grid, troubles in ((Grid("统计表", rows), 0), (odd, 1), (Grid("统计表", rows), 0)):
        read = interpreter.interpret(document(grid)).submission
        assert sum(map(bool, read.troubles)) == troubles
        assert bool(read.troubles[position("enquiries.on_site")]) is bool(troubles)


def test_a_label_that_two_blocks_have_is_the_current_block_s() -> None:
    rows = good_rows()
    first, second = (at for at, row in enumerate(rows) if row[0] == "未审结")
    rows[first][2], rows[second][2] = 3.0, 4.0
    for arranged in (rows, reversed_blocks(rows)):
        found = figures_of(read_rows(arranged))
        assert found[("reconsiderations.closing", "month")] == 3
        assert found[("litigation.closing", "month")] == 4


def test_a_label_right_of_the_figures_is_no_row_of_its_own() -> None:
    rows = good_rows()
    rows.insert(row_of(rows, "受理申请"), ["见右", None, None, None, None, None, None, "受理申请"])
    assert figures_of(read_rows(rows)) == EXPECTED


def test_a_document_without_a_known_label_is_unreadable() -> None:
    with pytest.raises(Unreadable) as caught:
        interpreted(document(Grid("表", [["姓名", "工资"], ["张三", 5000.0]])))
    assert caught.value.code == "no_known_label"


def test_labels_are_those_of_the_document() -> None:
    labels = interpreted(document(Grid("表", replaced("受理申请", "受理申请数")))).labels
    assert labels[position("applications.received")] == "受理申请数"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_csv_of_the_same_layout_reads_alike(encoding: str) -> None:
    lines = [",".join("" if cell is None else f"{cell}" for cell in row[:5]) for row in good_rows()[:-1]]
    read = read_bytes("\r\n".join(lines).encode(encoding), name="东城分局_2014-05.csv")
    assert figures_of(read) == EXPECTED
    assert (read.bureau, read.period, read.unread) == ("dongcheng", "2014-05", ())


empty_rows = st.lists(st.integers(0, 70), max_size=5)
empty_columns = st.lists(st.integers(0, 7), max_size=4)


@settings(max_examples=40, deadline=None)
@given(empty_rows, empty_columns)
def test_empty_rows_and_columns_never_change_what_is_understood(rows: list[int], columns: list[int]) -> None:
    grid = good_rows()
    for at in rows:
        grid.insert(at, [])
    for at in columns:
        grid = [[*row[:at], None, *row[at:]] for row in grid]
    read = read_rows(grid)
    assert taken(read) == taken(read_rows(good_rows()))
    assert (read.header, read.unread, read.findings) == (read_rows(good_rows()).header, (), ())


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(10, 17)), st.integers(0, 10**6))
def test_the_order_of_rows_in_a_block_never_matters(order: list[int], number: int) -> None:
    rows = with_value("业务动态", float(number))
    rows[10:17] = [rows[at] for at in order]
    assert figures_of(read_rows(rows)) == {**EXPECTED, ("publications.business", "month"): Decimal(number)}

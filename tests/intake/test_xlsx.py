"""Workbooks: what calamine tells, what the XML tells besides, and which of them counts."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.lexicon import normalised
from disclosure_etl.intake.readers import read_document
from schemas.documents import Grid, Merge, Oddity
from schemas.values import Figure, Meaning, Trouble
from tests.intake.sheets import edited, good_return, package, parts_of, with_cells, written


def grid_of(data: bytes, at: int = 0) -> Grid:
    """A sheet of a workbook."""
    return read_document("a.xlsx", data).grids[at]


def read_at(grid: Grid, row: int, column: int) -> Figure:
    """The figure of a cell as the interpreter asks for it."""
    place = (row, column)
    return figure(grid.values[row][column], grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place))


def one_cell(value: object, number_format: str | None = None) -> Figure:
    """What is read of a single cell written by xlsxwriter."""

    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, value, book.add_format({"num_format": number_format}) if number_format else None)

    return read_at(grid_of(written(fill)), 0, 0)


def test_leading_empty_rows_and_columns_keep_their_places() -> None:
    grid = grid_of(written(lambda _book, sheet: (sheet.write(4, 3, "本月"), sheet.write(5, 3, 7))))
    assert [len(row) for row in grid.values[:4]] == [0, 0, 0, 0]
    assert grid.values[4][3] == "本月"
    assert grid.values[5][3] == 7
    assert grid.locator(5, 3) == "表!D6"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 40), st.integers(0, 30), st.integers(0, 10**6))
def test_a_figure_is_found_where_it_stands(row: int, column: int, number: int) -> None:
    grid = grid_of(
        written(lambda book, sheet: sheet.write(row, column, number, book.add_format({"num_format": "0.00"})))
    )
    assert read_at(grid, row, column).number == number
    assert grid.formats == {(row, column): "0.00"}


def test_a_sheet_without_any_cell_is_an_empty_grid() -> None:
    grid = grid_of(written(lambda _book, _sheet: None))
    assert (grid.values, grid.merges, grid.oddities) == ([], (), {})


@pytest.mark.parametrize(
    ("value", "code", "text", "number"),
    [
        (23.8, "0.00", "23.80", "23.80"), (1234, "#,##0", "1,234", "1234"), (12.0, '0"件"', "12件", "12"),
        (5, None, "5", "5"), (30.5, "¥0.00", "¥30.50", "30.50"), (0.1 + 0.2, None, "0.3", "0.3"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_its_format_displays_it(value: float, code: str | None, text: str, number: str) -> None:
    read = one_cell(value, code)
    assert (read.text, read.number, read.trouble) == (text, Decimal(number), Trouble.NONE)


@pytest.mark.parametrize(("code", "text", "decimals"), [("0%", "76%", 0), ("0.0%", "75.8%", 1), ("0.00%", "75.83%", 2)])
def test_a_percent_format_tells_its_printed_decimals(code: str, text: str, decimals: int) -> None:
    read = one_cell(0.7583, code)
    assert (read.text, read.decimals, read.percent) == (text, decimals, True)


def test_a_number_hidden_by_its_format_counts_as_shown() -> None:
    read = one_cell(12.4, "0")
    assert (read.text, read.number, read.stored) == ("12", Decimal(12), "12.4")
    assert read.trouble is Trouble.DISPLAY_DIFFERS


@pytest.mark.parametrize("value", [datetime(2014, 5, 3), date(2014, 5, 3)])
def test_a_date_where_a_number_is_expected_is_no_number(value: date) -> None:
    read = one_cell(value, "yyyy-mm-dd")
    assert (read.number, read.text) == (None, "2014-05-03")
    assert read.trouble is Trouble.TEXT


@pytest.mark.parametrize("code", ["yyyy-mm-dd", 'm"月"d"日"', "h:mm:ss"])
def test_a_number_that_a_date_format_disguises_is_no_number(code: str) -> None:
    read = one_cell(12, code)
    assert read.number is None
    assert read.trouble is Trouble.TEXT


def test_a_truth_value_is_text() -> None:
    read = one_cell(True)
    assert (read.number, read.text, read.trouble) == (None, "TRUE", Trouble.TEXT)


@pytest.mark.parametrize("text", ["1,234", " 12 ", "12件", "007", "\uff11\uff12"])
def test_a_number_typed_as_text_is_still_a_number(text: str) -> None:
    assert one_cell(text).meaning is Meaning.NUMBER


@pytest.mark.parametrize("error", ["#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#N/A", "#NUM!", "#NULL!"])
def test_an_error_cell_keeps_its_text(error: str) -> None:
    cell = f'<row r="1"><c r="A1" t="e"><f>1/0</f><v>{error}</v></c><c r="B1"><v>1</v></c></row>'.encode()
    grid = grid_of(with_cells(cell))
    read = read_at(grid, 0, 0)
    assert grid.oddities == {(0, 0): Oddity.ERROR_VALUE}
    assert (read.text, read.number, read.trouble) == (error, None, Trouble.ERROR_VALUE)


def test_a_formula_of_openpyxl_was_never_calculated() -> None:
    def add(book: Any) -> None:
        book.worksheets[0]["C10"] = "=SUM(C11:C15)"

    grid = grid_of(edited(add))
    assert grid.oddities[(9, 2)] is Oddity.UNCALCULATED
    assert read_at(grid, 9, 2).trouble is Trouble.UNCALCULATED


def test_a_formula_of_xlsxwriter_has_the_result_that_was_given() -> None:
    grid = grid_of(written(lambda _book, sheet: sheet.write_formula(0, 0, "=1+2", None, 3)))
    assert read_at(grid, 0, 0).number == 3
    assert not grid.oddities


@pytest.mark.parametrize(
    "formula", [b"<f>A2</f>", b"<f/>", b'<f t="shared" si="0"/>', b'<f t="shared" ref="A1:A2" si="0">B1</f>']
)
def test_a_formula_without_a_result_was_never_calculated(formula: bytes) -> None:
    grid = grid_of(with_cells(b'<row r="1"><c r="A1">' + formula + b'</c><c r="B1"><v>1</v></c></row>'))
    assert grid.oddities == {(0, 0): Oddity.UNCALCULATED}


def test_a_formula_whose_result_is_empty_text_is_blank() -> None:
    cell = b'<row r="1"><c r="A1" t="str"><f>""</f><v></v></c><c r="B1"><v>1</v></c></row>'
    grid = grid_of(with_cells(cell))
    assert not grid.oddities
    assert read_at(grid, 0, 0).meaning is Meaning.BLANK


@pytest.mark.parametrize("cell", [b"<c r='A1'><f>B1</f></c>", b"<c r='A1' t='e'><v>#REF!</v></c>"])
def test_an_error_in_single_quoted_xml_is_no_blank(cell: bytes) -> None:
    grid = grid_of(with_cells(b'<row r="1">' + cell + b'<c r="B1"><v>1</v></c></row>'))
    assert read_at(grid, 0, 0).meaning is Meaning.ERROR


def test_a_number_shown_as_a_duration_is_no_number() -> None:
    assert one_cell(12, "[h]").number is None


def test_a_general_format_with_a_unit_is_a_number() -> None:
    assert one_cell(12, 'General"件"').number == 12


def test_merged_cells_are_told_with_their_corners() -> None:
    grid = grid_of(
        written(lambda _book, sheet: (sheet.merge_range(1, 2, 3, 4, "合计"), sheet.merge_range(5, 0, 5, 1, "甲")))
    )
    assert set(grid.merges) == {Merge(1, 2, 3, 4), Merge(5, 0, 5, 1)}
    assert grid.values[1][2] == "合计"


@pytest.mark.parametrize("how", ["hide", "very_hidden"])
def test_a_hidden_sheet_is_told_as_hidden(how: str) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, 1)
        other = book.add_worksheet("隐藏")
        other.write(0, 0, 2)
        getattr(other, how)()

    grids = read_document("a.xlsx", written(fill)).grids
    assert [(grid.name, grid.hidden) for grid in grids] == [("表", False), ("隐藏", True)]


def test_sheets_keep_order_and_charts_are_passed_over() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, 1)
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "=表!$A$1:$A$1"})
        book.add_chartsheet("图").set_chart(chart)
        book.add_worksheet("附表 <1> & 2").write(0, 0, 2)

    assert [grid.name for grid in read_document("a.xlsx", written(fill)).grids] == ["表", "附表 <1> & 2"]


def test_a_cell_in_the_notation_of_another_program_is_read_alike() -> None:
    """Prefixed elements, the reference not first: some exporting programs write so."""
    parts = parts_of(written(lambda book, sheet: sheet.write(0, 0, 23.8, book.add_format({"num_format": "0.00"}))))
    sheet = parts["xl/worksheets/sheet1.xml"].replace(b'<c r="A1" s="1">', b'<c s="1" r="A1">')
    parts["xl/worksheets/sheet1.xml"] = sheet
    grid = grid_of(package(parts))
    assert grid.formats == {(0, 0): "0.00"}
    assert read_at(grid, 0, 0).text == "23.80"


def test_a_part_named_from_the_root_is_found() -> None:
    parts = parts_of(written(lambda _book, sheet: sheet.write(0, 0, 5)))
    relations = "xl/_rels/workbook.xml.rels"
    parts[relations] = parts[relations].replace(b'Target="worksheets/', b'Target="/xl/worksheets/')
    assert grid_of(package(parts)).values == [[5.0]]


def test_what_the_sheet_shows_counts_where_calamine_sees_a_date() -> None:
    """A format with a letter in brackets is none of dates, whatever a reader makes of it."""
    read = one_cell(41760, '0"d"')
    assert (read.text, read.number) == ("41760d", Decimal(41760))


def test_a_number_of_no_size_that_a_sheet_has_is_no_figure() -> None:
    for content in (b"NaN", b"INF", b"1e999"):
        grid = grid_of(with_cells(b'<row r="1"><c r="A1"><v>' + content + b'</v></c><c r="B1"><v>1</v></c></row>'))
        assert read_at(grid, 0, 0).number is None


@pytest.mark.parametrize("content", [b"abc", b"", b"--5"])
def test_a_number_cell_with_words_in_it_is_never_a_number(content: bytes) -> None:
    cell = b'<row r="1"><c r="A1"><v>' + content + b'</v></c><c r="B1"><v>1</v></c></row>'
    assert read_at(grid_of(with_cells(cell)), 0, 0).number is None


def test_a_style_that_does_not_exist_is_general() -> None:
    grid = grid_of(with_cells(b'<row r="1"><c r="A1" s="0"><v>5</v></c><c r="B1"><v>1</v></c></row>'))
    assert not grid.formats


def test_saving_anew_with_another_program_changes_no_figure() -> None:
    first = grid_of(good_return())
    again = grid_of(edited(lambda book: None))
    for row, cells in enumerate(first.values):
        for column, value in enumerate(cells):
            if isinstance(value, float) and column in (2, 3):
                assert read_at(again, row, column) == read_at(first, row, column)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-(10**8), 10**8).map(lambda n: n / 100), st.sampled_from(["0", "0.00", "#,##0.0", "General"])
        ),
        min_size=1,
        max_size=12,
    )
)
def test_both_programs_files_are_read_alike(cells: list[tuple[float, str]]) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for row, (value, code) in enumerate(cells):
            sheet.write(row, 0, value, book.add_format({"num_format": code}))

    other = openpyxl.Workbook()
    sheet = other.active
    assert sheet is not None
    for row, (value, code) in enumerate(cells, 1):
        sheet.cell(row, 1, value).number_format = code
    buffer = io.BytesIO()
    other.save(buffer)
    one, two = grid_of(written(fill)), grid_of(buffer.getvalue())
    for row in range(len(cells)):
        assert read_at(one, row, 0) == read_at(two, row, 0)
        assert read_at(one, row, 0).number is not None


STYLED = b"""<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs>
<xf numFmtId="0"/><xf numFmtId="%d"/></cellXfs></styleSheet>"""


def test_cells_and_rows_without_a_reference_keep_their_formats() -> None:
    cells = b'<row><c s="1"><v>1.5</v></c><c/><c s="1"><v>2.5</v></c></row><row><c r="B2" s="1"><v>3.5</v></c><c s="1"><f>1+1</f></c></row>'
    grid = grid_of(with_cells(cells, STYLED % 2))
    assert grid.formats == {(0, 0): "0.00", (0, 2): "0.00", (1, 1): "0.00"}
    assert grid.oddities == {(1, 2): Oddity.UNCALCULATED}


@pytest.mark.parametrize("builtin", [5, 6, 7, 8, 41, 42, 43, 44])
def test_a_builtin_format_of_money_is_one_of_numbers(builtin: int) -> None:
    grid = grid_of(
        with_cells(b'<row r="1"><c r="A1" s="1"><v>1234</v></c><c r="B1" s="1"><v>0</v></c></row>', STYLED % builtin)
    )
    assert [(read_at(grid, 0, at).number, read_at(grid, 0, at).trouble) for at in (0, 1)] == [
        (1234, Trouble.NONE),
        (0, Trouble.NONE),
    ]
    assert read_at(grid, 0, 0).text != "1234"


def with_raised(kind: str = "superscript") -> bytes:
    """A sheet with 123 and a raised 1 behind it, a label with a raised mark, and plain texts around."""

    def fill(book: Any, sheet: Any) -> None:
        small = book.add_format({"font_script": 1 if kind == "superscript" else 2})
        sheet.write_string(0, 0, "123")
        sheet.write_rich_string(0, 1, "123", small, "1")
        sheet.write_rich_string(1, 0, "受理申请", small, "(2)")
        sheet.write_rich_string(1, 1, book.add_format({"bold": True}), "12", "3")

    return written(fill)


@pytest.mark.parametrize("kind", ["superscript", "subscript"])
def test_a_raised_or_lowered_digit_is_a_mark_and_no_digit(kind: str) -> None:
    grid = grid_of(with_raised(kind))
    assert [read_at(grid, 0, at).number for at in (0, 1)] == [123, 123]
    assert read_at(grid, 1, 1).number == 123
    assert grid.values[0][1] == ("123¹" if kind == "superscript" else "123₁")
    assert normalised(str(grid.values[1][0])) == "受理申请"


def test_a_raised_digit_in_a_text_of_the_cell_itself_is_a_mark() -> None:
    runs = b'<is><r><t>123</t></r><r><rPr><vertAlign val="superscript"/></rPr><t xml:space="preserve">12</t></r></is>'
    grid = grid_of(with_cells(b'<row r="1"><c r="A1" t="inlineStr">' + runs + b'</c><c r="B1"><v>1</v></c></row>'))
    assert (grid.values[0][0], read_at(grid, 0, 0).number) == ("123¹²", 123)

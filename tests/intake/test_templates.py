"""The workbook that is sent out: what a bureau finds in it, and that a filled one reads back as it was filled."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_etl.intake.templates import Filling, workbook
from schemas.periods import Period
from schemas.values import Meaning, Trouble
from tests.factories import Figures, some_figures
from tests.intake.sheets import MAY, figures_of, form, position, read_bytes

HEADER = {"bureau": "东城分局", "bureau_code": "dongcheng"}
KEYS = [(cell.indicator, cell.column) for cell in form().cells if cell.measure != "share"]


def filled(figures: Figures, **header: str) -> bytes:
    """A return of May with these figures."""
    return workbook(form(), MAY, Filling({**HEADER, **header}, figures))


def sheet_of(data: bytes, results: bool = False) -> Any:
    """The first sheet as openpyxl sees it, with formulas or with their results."""
    return openpyxl.load_workbook(io.BytesIO(data), data_only=results).worksheets[0]


def row_of(sheet: Any, label: str) -> int:
    """The row of a label."""
    return next(row[0].row for row in sheet.iter_rows() if row[0].value == label)


def is_formula(cell: Any) -> bool:
    """Whether a cell computes."""
    return isinstance(cell.value, str) and cell.value.startswith("=")


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), st.integers(0, 10**9), max_size=40))
def test_what_is_filled_in_reads_back_equal(numbers: dict[tuple[str, str], int]) -> None:
    figures = {key: Decimal(number).scaleb(-form().indicators[key[0]].decimals) for key, number in numbers.items()}
    read = read_bytes(filled(figures))
    assert figures_of(read) == figures
    assert (read.unread, read.findings) == ((), ())
    assert {read.troubles[position(*key)] for key in KEYS} == {int(Trouble.NONE)}


def test_shares_read_back_as_computed() -> None:
    read = read_bytes(filled(some_figures(form(), 5)))
    at = position("enquiries.on_site", measure="share")
    assert (read.texts[at], read.decimals[at]) == ("55.56", 2)


def test_a_blank_workbook_has_no_figure_and_nothing_unread() -> None:
    read = read_bytes(filled({}))
    assert figures_of(read) == {}
    assert set(read.meanings) == {int(Meaning.BLANK)}
    assert (read.unread, read.findings) == ((), ())


def test_header_texts_read_back() -> None:
    texts = {
        "revision": "3", "preparer": "张三", "checker": "李四", "signer": "王五", "filled_on": "2014-06-03",
        "telephone": "010-12345678", "nil": "√",
    }  # fmt: skip
    read = read_bytes(filled({}, **texts))
    assert dict(read.header) == {**HEADER, "period": "2014-05", **texts}
    assert (read.revision, read.nil) == (3, True)


def test_equal_content_is_equal_bytes() -> None:
    figures = some_figures(form(), 5)
    assert filled(figures) == filled(dict(reversed(figures.items())))
    assert filled(figures) != filled(figures, revision="2")


def test_figures_are_typed_cells_open_to_writing_and_never_formulas() -> None:
    sheet = sheet_of(filled(some_figures(form(), 5)))
    for label in ("主动公开政府信息", "受理申请", "答复", "收取费用", "结转下期"):
        for column in (3, 4):
            cell = sheet.cell(row_of(sheet, label), column)
            assert isinstance(cell.value, int | float), label
            assert not cell.protection.locked


def test_shares_are_locked_formulas_with_their_result() -> None:
    data = filled(some_figures(form(), 5))
    sheet, results = sheet_of(data), sheet_of(data, results=True)
    shared = [row for row in range(9, 65) if is_formula(sheet.cell(row, 5))]
    assert len(shared) == sum(cell.measure == "share" for cell in form().cells)
    for row in shared:
        assert sheet.cell(row, 5).protection.locked
        assert results.cell(row, 5).value is not None
    assert results.cell(row_of(sheet, "机构职能"), 5).value == 16.67


def test_check_cells_are_locked_formulas_beside_totals_only() -> None:
    data = filled(some_figures(form(), 5))
    sheet, results = sheet_of(data), sheet_of(data, results=True)
    checked = [cell for row in sheet.iter_rows(min_row=9, min_col=6, max_col=7) for cell in row if is_formula(cell)]
    assert {sheet.cell(cell.row, 1).value for cell in checked} >= {
        "主动公开政府信息",
        "接受咨询",
        "受理申请",
        "答复",
        "收取费用",
        "结转下期",
    }
    assert "现场咨询" not in {sheet.cell(cell.row, 1).value for cell in checked}
    assert all(cell.protection.locked for cell in checked)
    assert {results[cell.coordinate].value for cell in checked} == {"√"}
    assert sheet.protection.sheet


def test_a_check_cell_tells_what_a_wrong_total_should_be() -> None:
    figures = some_figures(form(), 5)
    figures[("enquiries", "month")] = Decimal(10)
    figures[("publications.full_text", "month")] = Decimal(13)
    results = sheet_of(filled(figures), results=True)
    assert results.cell(row_of(results, "接受咨询"), 6).value == "×应为9"
    assert results.cell(row_of(results, "其中:全文电子化"), 6).value == "×超出所属总数"
    assert results.cell(row_of(results, "接受咨询"), 7).value == "√"


def test_each_figure_admits_only_numbers_of_its_kind() -> None:
    sheet = sheet_of(filled({}))
    kinds = {str(area): rule.type for rule in sheet.data_validations.dataValidation for area in str(rule.sqref).split()}
    ranges = [(openpyxl.worksheet.cell_range.CellRange(area), kind) for area, kind in kinds.items()]

    def kind_at(label: str, column: int) -> str:
        row = row_of(sheet, label)
        return next(
            k for area, k in ranges if area.min_row <= row <= area.max_row and area.min_col <= column <= area.max_col
        )

    assert {kind_at(label, column) for label in ("受理申请", "现场咨询") for column in (3, 4)} == {"whole"}
    assert {kind_at(label, column) for label in ("收取费用", "复印费") for column in (3, 4)} == {"decimal"}
    assert all(
        rule.operator == "greaterThanOrEqual" for rule in sheet.data_validations.dataValidation if rule.type != "list"
    )


def test_openings_are_prefilled_and_all_else_is_blank() -> None:
    openings = {("applications.opening", "month"): Decimal(7), ("litigation.opening", "month"): Decimal(1)}
    data = filled(openings)
    sheet = sheet_of(data)
    assert sheet.cell(row_of(sheet, "上期结转"), 3).value == 7
    assert figures_of(read_bytes(data)) == openings


def test_who_and_when_are_locked_and_the_rest_of_the_header_is_open() -> None:
    sheet = sheet_of(filled({}))
    values = {sheet.cell(row, at).value: sheet.cell(row, at + 1) for row in range(2, 7) for at in (1, 3)}
    locked = {label for label, cell in values.items() if cell.protection.locked}
    assert locked == {"填报单位", "单位代码", "统计时期"}
    assert values["统计时期"].value == "2014-05"


@pytest.mark.parametrize("code", ["2008-05", "2014-01", "2019-04"])
def test_a_return_of_any_month_reads_back_as_its_month(code: str) -> None:
    data = workbook(form(), Period.parse(code), Filling(HEADER, some_figures(form(), Period.parse(code).ordinal)))
    read = read_bytes(data, name=f"东城分局_{code}.xlsx")
    assert (read.period, read.findings) == (code, ())


def test_checks_and_shares_stay_empty_where_words_stand_among_the_figures() -> None:
    sheet = sheet_of(filled({}))
    share = sheet.cell(row_of(sheet, "机构职能"), 5).value
    assert share.startswith("=IF(AND(ISNUMBER(C10),ISNUMBER(C11)),")
    check = sheet.cell(row_of(sheet, "接受咨询"), 6).value
    assert check.startswith("=IF(OR(ISTEXT(C")
    operands = [f"C{row_of(sheet, label)}" for label in ("接受咨询", "现场咨询", "电话咨询", "网上咨询")]
    assert all(f"ISTEXT({cell})" in check for cell in operands)


def test_the_foot_note_tells_how_to_correct_and_how_to_report_nothing() -> None:
    sheet = sheet_of(filled({}))
    (note,) = [row[0] for row in sheet.iter_rows() if isinstance(row[0].value, str) and row[0].value.startswith("填写")]
    assert "修订号" in note.value and "加 1" in note.value
    assert "本月无数据" in note.value and "√" in note.value
    assert note.font.size >= 10.5


def test_check_cells_have_grid_lines_like_the_rest() -> None:
    sheet = sheet_of(filled({}))
    for label in ("接受咨询", "现场咨询"):
        assert sheet.cell(row_of(sheet, label), 6).border.bottom.style == "thin"


@pytest.mark.parametrize(
    "note", ["", "办事大厅 12 月 28 日至 1 月 31 日装修;受理申请 18 件中 15 件为来信。", "0", "=1+1"]
)
def test_what_the_bureau_says_below_the_table_is_no_figure(note: str) -> None:
    figures = some_figures(form(), 5)
    read = read_bytes(workbook(form(), MAY, Filling(HEADER, figures, note=note)))

    assert figures_of(read) == figures
    assert (read.unread, read.findings) == ((), ())

"""The cells in question in their surroundings: of workbooks, text tables, documents and running text, and what cannot be shown."""

from __future__ import annotations

import io

import docx
import openpyxl
import pytest

from disclosure_etl.desk import source_cells
from disclosure_etl.desk.source_cells import Documents, Surroundings, Table, around, notes_in, surroundings
from disclosure_etl.intake.readers import read_document
from disclosure_etl.office import Office
from schemas.documents import Document

CSV = "指标,单位,本月\n接受咨询,人次,9\n现场咨询,人次,6\n电话咨询,人次,4\n"


def workbook() -> bytes:
    """A form as a workbook: a title over all, headings in row 3, figures below; far to the right more of them."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "统计表"
    sheet["A1"] = "政府信息公开情况"
    sheet.merge_cells("A1:D1")
    sheet.append([])
    sheet.append(["指标", "单位", *(f"{letter}列" for letter in "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未")])
    for row in range(40):
        sheet.append([f"第{row}项", "件", *range(row, row + 18)])
    sheet["C20"], sheet["C20"].number_format = 0.6667, "0.00%"
    sheet["D20"], sheet["D20"].number_format = 1234567, "#,##0"
    sheet["A21"] = "合并"
    sheet.merge_cells("A21:A22")
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def document() -> bytes:
    made = docx.Document()
    made.add_paragraph("2014年1月情况")
    table = made.add_table(4, 3)
    for row, texts in enumerate(
        (["指标", "单位", "本月"], ["咨询", "", "9"], ["现场", "人次", "6"], ["电话", "人次", "4"])
    ):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(1, 1))
    made.add_paragraph("全年受理申请7390件,其中当面申请5604件,传真申请8件。")
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


def read(data: bytes) -> Document:
    return read_document("a", data)


def lines(table: Table) -> dict[str, list[str | None]]:
    """What stands in the rows that are shown, by their headings; None where a merged cell covers the place."""
    return {row[0]: [cell.text if cell else None for cell in row[1]] for row in table.rows if row is not None}


def marked(shown: Surroundings) -> list[str]:
    cells = [cell for table in shown.tables for row in table.rows if row is not None for cell in row[1]]
    return [cell.text for cell in cells if cell is not None and cell.marked]


def test_of_a_workbook_the_window_has_headings_labels_and_texts_as_displayed() -> None:
    shown = around(read(workbook()), ["统计表!C20", "统计表!D20", "统计表!C20"])
    [table] = shown.tables

    assert (table.name, marked(shown)) == ("统计表", ["66.67%", "1,234,567"])
    assert table.columns[:4] == ("A", "B", "C", "D") and len(table.columns) <= 16
    found = lines(table)
    assert list(found) == ["1", "3", "17", "18", "19", "20", "21", "22", "23"]
    assert table.rows.count(None) == 2  # what is left out is seen to be
    assert found["3"][:4] == ["指标", "单位", "甲列", "乙列"] and found["20"][:2] == ["第16项", "件"]


def test_far_to_the_right_the_labels_stay_beside_the_cells() -> None:
    [table] = around(read(workbook()), ["统计表!T30"]).tables

    assert table.columns == ("A", "B", "Q", "R", "S", "T")
    assert lines(table)["30"][:2] == ["第26项", "件"] and lines(table)["3"][-1] == "未列"


def test_merged_cells_span_and_cover_what_they_did() -> None:
    [table] = around(read(workbook()), ["统计表!C21"]).tables
    rows = {row[0]: row[1] for row in table.rows if row is not None}

    title, label = rows["1"][0], rows["21"][0]
    assert title is not None and (title.text, title.across, title.down) == ("政府信息公开情况", 4, 1)
    assert rows["1"][1:4] == (None, None, None)
    assert label is not None and (label.across, label.down) == (1, 2) and rows["22"][0] is None


def test_of_a_text_table() -> None:
    read_csv = read(CSV.encode())
    shown = around(read_csv, [read_csv.grids[0].locator(1, 2), read_csv.grids[0].locator(3, 2)])

    assert marked(shown) == ["9", "4"]
    assert lines(shown.tables[0])["1"] == ["指标", "单位", "本月"]


def test_of_a_document_the_table_by_its_number() -> None:
    shown = around(read(document()), ["table 1, row 2, column 3"])
    [table] = shown.tables

    assert marked(shown) == ["9"]
    assert table.columns == ("1", "2", "3")
    assert lines(table)["1"] == ["指标", "单位", "本月"] and lines(table)["2"][:2] == ["咨询", None]


def test_of_running_text_the_paragraph_with_the_piece_marked() -> None:
    found = read(document())
    start = found.text.index("5604")
    [passage] = around(found, [found.span(start, start + 4)]).passages

    assert (passage.before, passage.marked) == ("全年受理申请7390件,其中当面申请", "5604")
    assert passage.after.startswith("件,传真申请8件")


def test_a_long_paragraph_is_cut_and_says_so() -> None:
    found = Document("a", "", "text", (), "前" * 500 + "7390" + "后" * 500)
    [passage] = around(found, [found.span(500, 504)]).passages

    assert passage.marked == "7390"
    assert passage.before.startswith("…前") and passage.after.endswith("后…") and len(passage.before) < 200


@pytest.mark.parametrize(
    "cell", ["统计表!XFD99999", "别的表!C3", "table 9, row 1, column 1", "", "characters 9000–9010", "?"]
)
def test_a_cell_that_is_nowhere_marks_nothing_else(cell: str) -> None:
    assert [text for text in marked(around(read(workbook()), [cell])) if text] == []


def test_a_file_that_cannot_be_shown_says_why(office: Office) -> None:
    documents = Documents(office)
    picture = office.raw_store.put(b"\x89PNG\r\n\x1a\n" + bytes(50))
    gone = surroundings(documents, "a.xlsx", "0" * 64, ["统计表!C3"])
    shown = surroundings(documents, "a.png", picture, ["统计表!C3"])

    assert shown.problem is not None and "图片" in shown.problem.zh
    assert gone.problem is not None and "不在原始库中" in gone.problem.zh and gone.tables == ()


def test_a_file_is_read_once_and_few_are_kept(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    read_names: list[str] = []

    def counted(name: str, *rest: object) -> Document:
        read_names.append(name)
        return read_document(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(source_cells, "read_document", counted)
    documents = Documents(office)
    digest = office.raw_store.put(CSV.encode())
    for _ in range(3):
        documents.get("a.csv", digest)
    assert read_names == ["a.csv"]
    for number in range(source_cells._KEPT):
        documents.get("b.csv", office.raw_store.put(f"{CSV}合计,件,{number}\n".encode()))
    assert len(documents._kept) == source_cells._KEPT
    documents.get("a.csv", digest)
    assert read_names.count("a.csv") == 2


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("情况说明(如有需要说明的,请写在此处):来信集中,已核对", ["来信集中,已核对"]),
        ("备注: 大厅装修\n至 1 月 31 日", ["大厅装修\n至 1 月 31 日"]),
        ("Note: moved", ["moved"]),
        ("情况说明(如有需要说明的,请写在此处):", []),
        ("说明书目录", []),
        ("填写:浅黄格填写", []),
    ],
)
def test_what_the_bureau_says_of_its_figures_is_found(written: str, told: list[str]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook()))
    book.active["A60"] = written
    data = io.BytesIO()
    book.save(data)

    assert list(notes_in(read(data.getvalue()))) == told


def test_the_text_around_the_tables_of_a_document_is_what_the_bureau_says() -> None:
    [told] = notes_in(read(document()))

    assert "全年受理申请7390件" in told
    assert list(notes_in(read("全年受理申请7390件。".encode()))) == []  # there the text is the return itself

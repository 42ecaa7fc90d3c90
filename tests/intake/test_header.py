"""The header of a return: wherever its values stand, and what a document of the same layout had before."""

from __future__ import annotations

import pytest

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from schemas.documents import Document, Grid
from tests.intake.sheets import NAME, bureaus, document, form, good_rows, read_rows


@pytest.mark.parametrize(
    ("label", "field", "value"),
    [
        ("填报单位(盖章)", "bureau", "东城分局"), ("填报单位(公章):", "bureau", "东城分局"), ("填报单位(章)", "bureau", "东城分局"),
        ("统计时期(年月)", "period", "2014-05"), ("负责人(签字)", "signer", "王芳"),
    ],
)  # fmt: skip
def test_a_bracket_behind_a_header_label_does_not_hide_it(label: str, field: str, value: str) -> None:
    plain = {"bureau": "填报单位", "period": "统计时期", "signer": "负责人"}[field]
    rows = [[label if cell == plain else cell for cell in row] for row in good_rows()]
    assert read_rows(rows, name="x.xlsx").header[field] == value


def test_several_fields_in_one_cell_are_told_apart() -> None:
    rows = good_rows()
    rows[3:5] = [["填报人:张敏  审核人:李强  负责人(签章):王芳"], ["填报日期:2014-06-03  电话:010-64010000"]]
    header = read_rows(rows).header
    assert (header["preparer"], header["checker"], header["signer"]) == ("张敏", "李强", "王芳")
    assert (header["filled_on"], header["telephone"]) == ("2014-06-03", "010-64010000")


def test_a_signature_block_below_the_table_is_read_and_not_unread() -> None:
    rows = good_rows()
    rows[3:6] = [[], [], []]
    rows += [["负责人", "王芳", "联系电话", 64010000.0], ["填表人", "张敏", "复核人", "李强"]]
    read = read_rows(rows)
    assert (read.header["signer"], read.header["preparer"], read.header["checker"]) == ("王芳", "张敏", "李强")
    assert (read.header["telephone"], read.unread) == ("64010000", ())


def test_a_row_that_numbers_the_columns_and_a_column_of_codes_are_no_figures() -> None:
    rows = [
        [*row[:2], *([f"A{at}" if at > 7 else "编号"] if at >= 7 else [None]), *row[2:]]
        for at, row in enumerate(good_rows())
    ]
    rows[20][2] = 21.0
    rows.insert(8, ["甲", "乙", "丙", 1.0, 2.0])
    read = read_rows(rows)
    assert (read.unread, read.findings) == ((), ())


def test_header_values_low_on_the_sheet_do_not_depend_on_the_files_before() -> None:
    """The same labels at the same places share a layout; one file has left fields empty."""

    def deep(**values: str) -> Grid:
        head = [
            ["填报单位", values.get("bureau")],
            ["统计时期", "2014-05"],
            ["修订号", values.get("revision")],
            ["本月无数据", values.get("nil")],
        ]
        return Grid("表", [[]] * 15 + head + good_rows()[7:])

    interpreter = Interpreter([form()], bureaus())
    for values in ({}, {"bureau": "西城分局", "revision": "3", "nil": "√"}, {}):
        found = interpreter.interpret(document(deep(**values), name="x.xlsx")).submission
        assert found.bureau == ("xicheng" if values else None)
        assert (found.revision, found.nil) == ((3, True) if values else (1, False))


def test_a_csv_with_shorter_rows_than_the_one_before_reads() -> None:
    table = "指标,单位,本月\n一、咨询\n接受咨询,人次,3\n"
    long = f"统计时期,,,2014-05\n填报单位,,东城分局\n{table}"
    short = f"统计时期\n填报单位,东城分局\n{table}"
    interpreter = Interpreter([form()], bureaus())
    for text in (long, short):
        found = interpreter.interpret(read_document(NAME, text.encode())).submission
        assert (found.bureau, found.period) == ("dongcheng", "2014-05")


def in_text(*lines: str) -> dict[str, str]:
    """The header of a return whose table is preceded and followed by these lines."""
    rows = [row for row in good_rows()[6:] if any(row)]
    said = "\n".join(lines)
    grid = Grid("table 1", rows, table=1)
    found = Interpreter([form()], bureaus()).interpret(Document("x.docx", "d", "docx", (grid,), said)).submission
    return dict(found.header)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            ["填报单位:东城分局  统计时期:2014年5月  修订号:2"],
            {"bureau": "东城分局", "period": "2014年5月", "revision": "2"},
        ),
        (["填报单位 东城分局 统计时期 2014 年 5 月"], {"bureau": "东城分局", "period": "2014 年 5 月"}),
        (
            ["填报单位(盖章) 东城分局", "填报人 张敏 审核人:李强"],
            {"bureau": "东城分局", "preparer": "张敏", "checker": "李强"},
        ),
        (["填报人:", "负责人:王芳"], {"signer": "王芳"}),
        (["本局由填报单位 东城分局报送。", "联系电话请见网站"], {}),
        (["填报单位:东城分局", "填报单位:西城分局"], {"bureau": "东城分局"}),
        (["填报单位:" + "东" * 300], {}),
    ],
)
def test_header_fields_in_the_lines_around_a_table_are_read(lines: list[str], told: dict[str, str]) -> None:
    assert {name: value for name, value in in_text(*lines).items() if value} == told


def test_a_table_tells_for_itself_before_the_lines_around_it() -> None:
    grid = Grid("table 1", good_rows(), table=1)
    said = "填报单位:西城分局 统计时期:2014-06"
    found = Interpreter([form()], bureaus()).interpret(Document("x.docx", "d", "docx", (grid,), said)).submission
    assert (found.bureau, found.period) == ("dongcheng", "2014-05")


def test_an_unknown_bureau_in_a_line_is_told_with_where_it_stands() -> None:
    rows = [row for row in good_rows()[6:] if any(row)]
    said = "月报表\n填报单位:无名分局 统计时期:2014-05"
    found = Interpreter([form()], bureaus()).interpret(
        Document("x.docx", "d", "docx", (Grid("table 1", rows, table=1),), said)
    )
    (one,) = [one for one in found.submission.findings if one.code == "identity:unknown_bureau"]
    assert one.cells == ("characters 10–13",)


def test_labels_with_their_values_right_behind_them_are_told_apart_where_only_that_can_be_meant() -> None:
    told = in_text(
        "填报单位东城分局 单位代码dongcheng",
        "统计时期2014-05 修订号2",
        "填报人张敏 审核人李强",
        "负责人王芳 填报日期",
        "联系电话 本月无数据√",
    )
    assert {name: value for name, value in told.items() if value} == {
        "bureau": "东城分局", "bureau_code": "dongcheng", "period": "2014-05", "revision": "2", "preparer": "张敏", "checker": "李强",
        "signer": "王芳", "nil": "√",
    }  # fmt: skip
    assert in_text("负责人员培训情况良好", "联系电话请见网站", "审核人员共三名参加") == {}

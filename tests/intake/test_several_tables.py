"""Forms with several tables: on one sheet below each other, with rows and columns called alike, and several versions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.templates import Filling, workbook
from schemas.documents import CellValue, Document, Grid
from schemas.formfile import load_forms
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Submission
from tests.factories import SIGNED, Figures
from tests.intake.sheets import document

YEAR = Period.parse("2021")
HEADER = {"bureau": "东城分局", "bureau_code": "dongcheng", **SIGNED}

ANNUAL = """
family: test-annual
version: "2021"
title: {zh: 年度测试表, en: Annual test form}
frequency: yearly
valid: {from: "2021"}
tables:
  - code: files
    title: {zh: 规范性文件, en: Files}
    sheet: {zh: 主动公开, en: Publication}
    columns:
      - {code: issued, label: {zh: 本年制发件数, en: issued}}
      - {code: change, label: {zh: 比上年增减, en: change}, signed: true}
      - {code: total, label: {zh: 总计, en: total}}
    blocks:
      - code: files
        label: {zh: 文件, en: Files}
        indicators:
          - {code: files.rules, label: {zh: 规章, en: rules}, unit: 件, number: "101"}
          - {code: files.other, label: {zh: 其他, en: other}, unit: 件, number: "102"}
  - code: decisions
    title: {zh: 行政处理决定, en: Decisions}
    sheet: {zh: 主动公开, en: Publication}
    columns:
      - {code: handled, label: {zh: 处理决定数量, en: handled}}
      - {code: total, label: {zh: 总计, en: total}}
    blocks:
      - code: decisions
        label: {zh: 决定, en: Decisions}
        indicators:
          - {code: decisions.permits, label: {zh: 许可, en: permits}, unit: 件, number: "201"}
          - {code: decisions.other, label: {zh: 其他, en: other}, unit: 件, number: "202"}
          - {code: decisions.fees, label: {zh: 收费金额, en: fees}, unit: 万元, decimals: 4, number: "203"}
  - code: requests
    title: {zh: 依申请公开情况, en: Requests}
    columns:
      - {code: person, label: {zh: 自然人, en: persons}}
      - {code: other, label: {zh: 其他, en: other}}
      - {code: total, label: {zh: 总计, en: total}, sum_of: [person, other]}
    blocks:
      - code: requests
        label: {zh: 办理结果, en: Results}
        indicators:
          - {code: requests.granted, label: {zh: 予以公开, en: granted}, unit: 件}
          - {code: requests.other, label: {zh: 其他, en: other}, unit: 件}
          - {code: requests.total, label: {zh: 总计, en: total}, unit: 件, breakdowns: [{name: result, parts: [requests.granted, requests.other]}]}
"""


def forms_of(*texts: str) -> Sequence[Form]:
    """Forms from the text of their files."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.yaml") for number, _ in enumerate(texts)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, "utf-8")
        return load_forms(paths).forms


@lru_cache(maxsize=1)
def annual() -> Form:
    """The yearly form."""
    (form,) = forms_of(ANNUAL)
    return form


def distinct(form: Form) -> Figures:
    """Another number in every cell, negative where that may be."""
    return {
        (cell.indicator, cell.column): Decimal(-10 - cell.position if cell.signed else 10 + cell.position)
        for cell in form.cells
        if cell.measure != "share"
    }


def filled(form: Form, period: Period = YEAR) -> bytes:
    """The workbook with those figures."""
    return workbook(form, period, Filling(HEADER, distinct(form)))


def on_the_old_form(form: Form) -> bytes:
    """The workbook of an earlier year with the year 2021 written into it."""
    header = {**HEADER, "period": "2021"}
    return workbook(form, Period.parse("2015"), Filling(header, distinct(form)))


def read(found: Document, *forms: Form) -> Submission:
    """A document read without an office."""
    return Interpreter(forms or [annual()], None).interpret(found).submission


def figures_of(form: Form, one: Submission) -> Figures:
    """The figures that were understood."""
    return {
        (cell.indicator, cell.column): Decimal(number).scaleb(-cell.scale)
        for cell, number, where in zip(form.cells, one.numbers, one.locators, strict=True)
        if where and cell.measure != "share"
    }


def rows_of(data: bytes) -> dict[str, list[list[CellValue]]]:
    """The sheets of a workbook as rows."""
    return {grid.name: [list(row) for row in grid.values] for grid in read_document("a.xlsx", data).grids}


def test_tables_that_share_a_sheet_are_written_below_each_other_and_read_back() -> None:
    data = filled(annual())
    sheets = openpyxl.load_workbook(io.BytesIO(data)).worksheets
    assert [sheet.title for sheet in sheets] == ["主动公开", "依申请公开情况"]
    labels = [row[0].value for row in sheets[0].iter_rows()]
    assert labels.index("规范性文件") < labels.index("行政处理决定")
    assert "填报单位" in labels and "填报单位" not in [row[0].value for row in sheets[1].iter_rows()]
    one = read(read_document("东城_2021.xlsx", data))
    assert figures_of(annual(), one) == distinct(annual())
    assert (one.unread, one.findings, one.period) == ((), (), "2021")


def test_a_printed_code_has_a_column_of_its_own_where_the_sheet_has_any() -> None:
    sheets = rows_of(filled(annual()))
    assert sheets["主动公开"][8][:3] == ["指标", "代码", "单位"]
    assert next(row[1] for row in sheets["主动公开"] if row[:1] == ["收费金额"]) == "203"
    assert all(row[1] != "代码" for row in sheets["依申请公开情况"] if len(row) > 1)


def test_a_signed_column_admits_figures_below_zero_and_no_other_does() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(filled(annual()))).worksheets[0]
    rules = {
        str(rule.sqref): (rule.operator, float(rule.formula1))
        for rule in sheet.data_validations.dataValidation
        if rule.type != "list"
    }
    signed = {where: lowest for where, (operator, lowest) in rules.items() if operator in (None, "between")}
    assert {where[0] for where in signed} == {"E"}
    assert all(lowest < -(10**9) for lowest in signed.values())
    assert len(rules) > len(signed)


def test_fine_amounts_show_the_decimals_that_they_have() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(filled(annual()))).worksheets[0]
    row = next(row for row in sheet.iter_rows() if row[0].value == "收费金额")
    assert row[3].number_format == "0.00##"


@pytest.mark.parametrize("untitled", [False, True])
@pytest.mark.parametrize("headings_only", [False, True])
def test_rows_called_alike_belong_to_the_table_whose_heading_they_stand_under(
    untitled: bool, headings_only: bool
) -> None:
    """Block titles and table titles taken away; the headings are left."""
    sheets = rows_of(filled(annual()))
    gone = set()
    if untitled:
        gone |= {"一、文件", "一、决定", "一、办理结果"}
    if headings_only:
        gone |= {"规范性文件", "行政处理决定"}
    grids = [Grid(name, [row for row in rows if not (row and row[0] in gone)]) for name, rows in sheets.items()]
    one = read(document(*grids, name="a.xlsx"))
    assert figures_of(annual(), one) == distinct(annual())
    assert (one.unread, one.findings) == ((), ())


def test_a_blank_matrix_with_rows_called_like_its_columns_has_every_place() -> None:
    blank = workbook(annual(), YEAR, Filling(HEADER))
    one = read(read_document("a.xlsx", blank))
    assert "" not in one.locators
    assert one.locators[-1].endswith("E6")


def test_a_heading_of_two_rows_is_one() -> None:
    rows = rows_of(filled(annual()))["依申请公开情况"]
    at = next(at for at, row in enumerate(rows) if row and row[0] == "指标")
    other = rows[at].index("其他")
    second: list[CellValue] = [None] * len(rows[at])
    second[other], rows[at][other] = "其他", "法人或其他组织"
    one = read(document(Grid("表", [*rows[: at + 1], second, *rows[at + 1 :]]), name="a.xlsx"))
    expected = {key: value for key, value in distinct(annual()).items() if key[0].startswith("requests")}
    assert figures_of(annual(), one) == expected


def test_tables_on_different_sheets_are_each_taken_once() -> None:
    sheets = rows_of(filled(annual()))
    requests = sheets["依申请公开情况"]
    changed = [[99.0 if cell == 22.0 else cell for cell in row] for row in requests]
    grids = [Grid("甲表", sheets["主动公开"]), Grid("乙表", requests), Grid("旧表", changed)]
    one = read(document(*grids, name="a.xlsx"))
    assert figures_of(annual(), one) == distinct(annual())
    (finding,) = one.findings
    assert finding.code == "return:two_tables"
    assert "「乙表」和「旧表」" in finding.message.zh


OLD = (
    ANNUAL.replace('version: "2021"', 'version: "2014"')
    .replace('valid: {from: "2021"}', 'valid: {from: "2014", to: "2020"}')
    .replace("予以公开", "同意公开")
    .replace("处理决定数量", "决定件数")
)


def test_a_return_on_another_version_names_both_versions() -> None:
    old, new = sorted(forms_of(OLD, ANNUAL), key=lambda form: form.version)
    one = read(read_document("a.xlsx", on_the_old_form(old)), old, new)
    assert one.form == "test-annual/2014"
    assert figures_of(old, one) == distinct(old)
    (finding,) = one.findings
    assert (finding.code, finding.seen, finding.expected) == (
        "identity:form",
        ("test-annual/2014",),
        "test-annual/2021",
    )
    assert "2014 版" in finding.message.zh and "2021 版" in finding.message.zh
    assert "2014" in finding.message.en and "2021" in finding.message.en


@pytest.mark.parametrize("period", ["2014", "2021"])
def test_a_return_on_the_version_in_force_is_read_by_it(period: str) -> None:
    forms = sorted(forms_of(OLD, ANNUAL), key=lambda form: form.version)
    form = forms[int(period == "2021")]
    one = read(read_document("a.xlsx", filled(form, Period.parse(period))), *forms)
    assert (one.form, one.findings) == (form.key, ())


def test_a_version_that_lacks_rows_does_not_take_a_return_on_the_fuller_one() -> None:
    """Every place of the version in force is there, and figures besides."""
    fuller = (
        OLD.replace("同意公开", "予以公开")
        .replace("决定件数", "处理决定数量")
        .replace(
            "{code: files.other,",
            "{code: files.more, label: {zh: 其他规章, en: more}, unit: 件}\n          - {code: files.other,",
        )
    )
    old, new = sorted(forms_of(fuller, ANNUAL), key=lambda form: form.version)
    one = read(read_document("a.xlsx", on_the_old_form(old)), old, new)
    assert [finding.code for finding in one.findings] == ["identity:form"]


HEADED = ANNUAL.replace("{code: requests.granted,", "{code: requests.granted, heading: {zh: 三、其他, en: Results},")


def test_a_line_that_heads_a_group_is_printed_and_no_indicator_even_if_one_is_called_alike() -> None:
    (form,) = forms_of(HEADED)
    data = filled(form)
    labels = [row[0] for row in rows_of(data)["依申请公开情况"] if row and row[0]]
    assert labels[labels.index("予以公开") - 1] == "三、其他"
    one = read(read_document("东城_2021.xlsx", data), form)
    assert figures_of(form, one) == distinct(form)
    assert (one.unread, one.findings) == ((), ())


def test_a_workbook_without_the_lines_that_head_groups_still_reads() -> None:
    (form,) = forms_of(HEADED)
    one = read(read_document("东城_2021.xlsx", filled(annual())), form)
    assert figures_of(form, one) == distinct(form)
    assert (one.unread, one.findings) == ((), ())


def test_a_sheet_is_printed_without_its_checks_and_tells_where_the_boxes_stand() -> None:
    first, second = openpyxl.load_workbook(io.BytesIO(filled(annual()))).worksheets
    head = next(row for row in second.iter_rows() if row[0].value == "指标")
    checks = [cell.column_letter for cell in head if str(cell.value).endswith("校验")]
    assert second.print_area.split(":")[-1].strip("$")[0] < checks[0]
    assert second.print_title_rows and second.page_setup.fitToWidth in (None, 1)
    texts = [[str(row[0].value) for row in sheet.iter_rows()] for sheet in (first, second)]
    assert any("「本年无数据」" in text for text in texts[0])
    assert any(text.endswith("见工作表「主动公开」。") for text in texts[1])
    assert not any("本月" in text for text in texts[0])

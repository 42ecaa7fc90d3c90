"""The 汇总表 as a person opens and prints it, and what it says of a quarter that somebody missed a month of."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate, roll_up
from disclosure_etl.reports.standing import absences, failures_of
from disclosure_etl.reports.summary import summary_workbook
from disclosure_etl.reports.summary_formats import row_height
from disclosure_etl.settings import default_config_dir
from schemas.consolidation import BureauState, ConsolidatedFigure, Consolidation, VersionStatus
from schemas.formfile import load_forms
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Status
from tests.factories import FAMILY, ZONE, default_form, make_office, send_month, with_slip

FORM = default_form()


def opened(office: Office, one: Consolidation) -> openpyxl.Workbook:
    figures = office.warehouse.bureau_figures(FORM, Period.parse(one.period), FORM.own_columns)
    data = summary_workbook(FORM, one, figures, failures_of(office, one), absences(office, one))
    return openpyxl.load_workbook(io.BytesIO(data))


@pytest.fixture
def quarter(tmp_path: Path) -> openpyxl.Workbook:
    """延庆分局 missed March, 密云分局 sent nothing at all, 海淀分局 slipped in February."""
    office = make_office(tmp_path)
    for number in (1, 2, 3):
        absent = ("miyun", "yanqing") if number == 3 else ("miyun",)
        changed = {"haidian": with_slip()} if number == 1 else {}
        send_month(office, Period.parse(f"2014-0{number}"), without=absent, changed=changed)
    for number in (1, 2, 3):
        consolidate(office, FAMILY, Period.parse(f"2014-0{number}"))
    book = opened(office, roll_up(office, FAMILY, Period.parse("2014Q1")))
    office.warehouse.close()
    return book


@pytest.fixture
def month(tmp_path: Path) -> openpyxl.Workbook:
    office = make_office(tmp_path)
    send_month(office, Period.parse("2014-01"), without=("yanqing",), changed={"haidian": with_slip()})
    book = opened(office, consolidate(office, FAMILY, Period.parse("2014-01")).consolidation)
    office.warehouse.close()
    return book


@pytest.mark.parametrize("sheet", ["汇总表", "各单位情况"])
def test_a_bureau_that_missed_one_month_is_not_said_to_have_sent_nothing(quarter, sheet: str) -> None:
    states = {row[0]: row[1] for row in quarter[sheet].iter_rows(values_only=True)}

    assert states["延庆分局"] == "缺 2014-03"
    assert states["密云分局"] == "未报"


def test_a_coarser_period_lists_the_failures_of_its_months(quarter) -> None:
    rows = list(quarter["未通过的校验"].iter_rows(min_row=2, values_only=True))

    assert rows[0][:3] == ("单位", "时期", "程度")
    told = {(row[0], row[1], row[6]) for row in rows[1:]}
    assert ("海淀分局", "2014-01", "breakdown:enquiries:channel") in told
    assert {("密云分局", "2014-01", "duty:missing"), ("延庆分局", "2014-03", "duty:missing")} <= told


def test_a_coarser_period_is_not_called_a_month(quarter) -> None:
    assert [cell.value for cell in quarter["合计"][3]] == ["指标", "单位", "本期", "占比(%)"]
    assert "本期受理复议" in {row[0] for row in quarter["合计"].iter_rows(values_only=True)}


def test_a_months_table_lists_who_is_missing(month) -> None:
    rows = {(row[0], row[5]) for row in month["未通过的校验"].iter_rows(values_only=True)}

    assert ("延庆分局", "duty:missing") in rows


@pytest.mark.parametrize("sheet", ["汇总表", "合计", "各单位情况", "未通过的校验"])
def test_every_printed_page_has_title_legend_and_headings(month, sheet: str) -> None:
    one = month[sheet]

    header = one.oddHeader.left.text
    assert "2014年1月政府信息公开情况月报表汇总表" in header and len(header.splitlines()) >= 2
    assert one.print_title_rows
    assert one.page_setup.orientation == ("portrait" if sheet == "合计" else "landscape")


@pytest.mark.parametrize("sheet", ["合计", "各单位情况", "未通过的校验"])
def test_lists_are_one_page_wide(month, sheet: str) -> None:
    assert month[sheet].sheet_properties.pageSetUpPr.fitToPage
    assert month[sheet].page_setup.fitToWidth in (None, 1)  # 1 is what is meant where nothing is said


def test_blocks_stay_whole_on_printed_pages(month) -> None:
    one = month["汇总表"]

    first = [2]
    for block in FORM.blocks:
        first.append(first[-1] + len(block.indicators))
    assert {found.id for found in one.col_breaks.brk} <= set(first)
    assert int(one.page_setup.scale) > 60


def test_totals_stand_out_and_parts_stand_back(month) -> None:
    rows = {row[0].value: row[0] for row in month["合计"].iter_rows()}

    assert rows["受理申请"].font.b and not rows["信函申请"].font.b
    assert rows["信函申请"].alignment.indent > rows["受理申请"].alignment.indent
    assert rows["依申请公开"].fill.fgColor.rgb != rows["受理申请"].fill.fgColor.rgb  # the block's heading


def test_rows_are_high_enough_for_their_text(month) -> None:
    one = month["未通过的校验"]

    for row in one.iter_rows(min_row=3):
        widths = [one.column_dimensions[cell.column_letter].width for cell in row]
        texts = [str(cell.value or "") for cell in row]
        assert one.row_dimensions[row[0].row].height >= row_height(texts, widths) - 1
        assert all(cell.alignment.wrap_text for cell in row)
    assert row_height(["政" * 40], [20.0]) > row_height(["政" * 9], [20.0])


def test_impact_and_open_are_explained(month) -> None:
    assert month["未通过的校验"]["A1"].value.startswith("影响:")
    assert month["各单位情况"]["A1"].value.startswith("待判:")


def bare(form: Form, period: str) -> Consolidation:
    """A version of a form with several tables, a figure in every cell."""
    figures = tuple(
        ConsolidatedFigure(cell.indicator, cell.column, cell.measure, cell.position, cell.scale, True)
        for cell in form.cells
    )
    state = BureauState(
        "haidian", "海淀分局", "Haidian", "accepted", False, False, (), 1, None, 0, 0, 0, 0
    )  # fmt: skip
    counts = {status: int(status is Status.ACCEPTED) for status in Status}
    return Consolidation(
        form.family, form.key, form.frequency.value, period, "run", 1, VersionStatus.FINAL, "", datetime(2025, 2, 9),
        1, counts, (), (), 0, 0, 1.0, 1, 1, 0, figures, (state,),
    )  # fmt: skip


def test_tables_of_a_form_have_totals_under_their_own_columns() -> None:
    period = Period.parse("2025-01")
    form = load_forms([default_config_dir() / "forms" / "bureau-monthly-2019.yaml"]).choose(FAMILY, period)

    book = openpyxl.load_workbook(io.BytesIO(summary_workbook(form, bare(form, "2025-01"), (), ())))

    totals = [sheet for sheet in book if sheet.title.startswith("合计")]
    assert [sheet.title for sheet in totals] == ["合计 表二", "合计 表三", "合计 表四"]
    assert {sheet.page_setup.orientation for sheet in totals} == {"landscape"}
    third = totals[1]
    assert third.max_column == 2 + len(form.tables[5].columns)
    labels = [row[0].value for row in third.iter_rows()]
    assert labels[labels.index("1.属于国家秘密") - 1] == "(三)不予公开"
    heads = [row[2].value for row in totals[0].iter_rows() if row[0].value == "指标"]
    assert heads == [table.columns[0].label.zh for table in form.tables[:5]]
    units = [cell.value for cell in book["汇总表 表二"][4] if cell.value.endswith("(万元)")]
    assert units and all(unit.endswith("\n(万元)") for unit in units)


def test_a_version_is_the_same_file_whenever_it_is_written(tmp_path: Path) -> None:
    from flows.running import run_period

    office = make_office(tmp_path)
    send_month(office, Period.parse("2014-01"), without=("yanqing",), changed={"haidian": with_slip()})
    (path,) = run_period(office, FAMILY, Period.parse("2014-01")).tables
    first = path.read_bytes()
    path.unlink()
    send_month(office, Period.parse("2014-02"))
    later = make_office(tmp_path, now=datetime(2014, 3, 6, tzinfo=ZONE))
    run_period(later, FAMILY, Period.parse("2014-02"))

    run_period(later, FAMILY, Period.parse("2014-01"))

    assert path.read_bytes() == first
    book = openpyxl.load_workbook(io.BytesIO(first))
    told = [
        row[0] for row in book["各单位情况"].iter_rows(values_only=True) if str(row[0]).startswith("固化本版的记录")
    ]
    anchor = str(told[0]).rpartition(" ")[2]
    assert later.warehouse.audit_verify(anchor).anchored
    for one in (office, later):
        one.warehouse.close()

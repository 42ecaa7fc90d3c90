"""汇总表: a consolidation as a workbook: bureaus × indicators with their sum.

Not here: the consolidated figures by themselves (`summary_totals`), how every bureau stands and what failed (`summary_account`), what it looks like (`summary_formats`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from disclosure_etl.reports.summary_account import failures_sheet, is_coarser, states_sheet, status_text
from disclosure_etl.reports.summary_changes import Beside, changes_sheet
from disclosure_etl.reports.summary_formats import A3, STATUS, Formats, print_page, row_height
from disclosure_etl.reports.summary_totals import HELD_MEANS, decimal, of_period, parts_of, sheet_name, totals
from disclosure_etl.warehouse import Event, StoredFailure
from schemas.consolidation import BureauFigure, Consolidation, VersionStatus
from schemas.forms import Cell, Form
from schemas.periods import Period
from schemas.records import Status

_VERSION = {"provisional": "初步数", "final": "终稿", "locked": "已锁定", "unverified": "未经核实"}


def summary_path(folder: Path, one: Consolidation, usual_family: str) -> Path:
    """Where the table of a version is written: one folder a period, one file a version, and another once it is final. Files of another family than the
    office's usual one are named after it."""
    family = "" if one.family == usual_family else f"{one.family}-"
    firm = "-终稿" if one.status in (VersionStatus.FINAL, VersionStatus.LOCKED) else ""
    return folder / one.period / f"汇总表-{family}{one.period}-v{one.version}{firm}.xlsx"


@dataclass(frozen=True)
class _Page:
    """One sheet of bureaus × figures: its blocks with the cells that stand side by side, and whether a heading has to name
    the column as well."""

    name: str
    blocks: tuple[tuple[str, tuple[Cell, ...]], ...]
    names_columns: bool

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, from left to right."""
        return tuple(cell for _, cells in self.blocks for cell in cells)


def _pages_of(form: Form) -> list[_Page]:
    """A form with one column of its own has one page. Another has one a sheet of the form: of a matrix the total column, of
    other tables all that are not cumulative."""
    single = len(form.own_columns) == 1
    sheets: dict[str, list[tuple[str, tuple[Cell, ...]]]] = {}
    several: set[str] = set()
    for table in form.tables:
        name = "汇总表" if single else sheet_name(f"汇总表 {(table.sheet or table.title).zh}")
        own = [column for column in table.columns if column.cumulates is None]
        shown = [column for column in own if column.sum_of] or own
        if len(shown) > 1:
            several.add(name)
        for block in table.blocks:
            cells = tuple(
                cell
                for item in block.indicators
                for column in shown
                if (cell := form.figure_cell(item.code, column.code)) is not None
            )
            sheets.setdefault(name, []).append((block.label.zh, cells))
    return [_Page(name, tuple(blocks), name in several) for name, blocks in sheets.items()]


def summary_workbook(
    form: Form,
    one: Consolidation,
    figures: Sequence[BureauFigure],
    failures: Sequence[StoredFailure],
    absences: Mapping[str, Sequence[str]] | None = None,
    beside: Beside = Beside(),  # noqa: B008 - frozen
    frozen_by: Event | None = None,
) -> bytes:
    """The workbook, whose bytes follow from what is in it. `figures` are the bureaus' that count; failures are listed as they
    come.

    Args:
        absences: of a coarser period, the parts in which a bureau is missing that reported in others.
        frozen_by: the event of the record by which the version was frozen.
    """
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": one.frozen_at})  # not when it was written: the same version is the same file
    formats = Formats(book)
    coarser, absent = is_coarser(form, one), absences or {}
    period = Period.parse(one.period)
    title = f"{period.label_zh}{form.title.zh}汇总表({_VERSION[one.status.value]},第 {one.version} 版)"
    for page in _pages_of(form):
        sheet = book.add_worksheet(page.name)
        _write_states(sheet, formats, form, one, page, absent)
        _table(sheet, formats, form, one, page, figures)
        _lay_out_table(sheet, formats, title, form, one, page, beside.embargo)
    totals(book, formats, title, form, one)
    states_sheet(book, formats, title, form, one, absent, frozen_by)
    failures_sheet(book, formats, title, one, failures, coarser)
    if beside.changes is not None:
        changes_sheet(book, formats, title, form, beside)
    book.close()
    return buffer.getvalue()


def _head(form: Form, page: _Page, cell: Cell, *, coarser: bool) -> str:
    """What heads a figure. The unit has a line of its own, so that no bracket is broken."""
    item = form.indicators[cell.indicator]
    of_column = f"·{form.columns[cell.column].label.zh}" if page.names_columns else ""
    return f"{of_period(item.label.zh + of_column, coarser)}\n({item.unit})"


def _write_states(
    sheet: Worksheet,
    formats: Formats,
    form: Form,
    one: Consolidation,
    page: _Page,
    absences: Mapping[str, Sequence[str]],
) -> None:
    """The bureaus and how each stands, left of the figures, and the headings above them."""
    coarser, parts = is_coarser(form, one), parts_of(form)
    sheet.write_string(3, 0, "单位", formats.head)
    sheet.write_string(3, 1, "状态", formats.head)
    at = 2
    for label, cells in page.blocks:
        last = at + len(cells) - 1
        if last > at:
            sheet.merge_range(2, at, 2, last, label, formats.head)
        else:
            sheet.write_string(2, at, label, formats.head)
        at = last + 1
    for at, cell in enumerate(page.cells, 2):
        item = form.indicators[cell.indicator]
        style = formats.head_part if item.code in parts else formats.head
        sheet.write_string(3, at, _head(form, page, cell, coarser=coarser), style)
    for row, state in enumerate(one.bureaus, 4):
        absent = absences.get(state.bureau, ())
        sheet.write_string(row, 0, state.name_zh, formats.text)
        style = formats.absent if absent or state.status in ("missing", "held") else formats.centre
        sheet.write_string(row, 1, status_text(state, absent), style)


def _table(
    sheet: Worksheet, formats: Formats, form: Form, one: Consolidation, page: _Page, figures: Sequence[BureauFigure]
) -> None:
    """The bureaus' figures, the sum below."""
    place = {(cell.indicator, cell.column): at for at, cell in enumerate(page.cells, 2)}
    rows = {state.bureau: row for row, state in enumerate(one.bureaus, 4)}
    wholes = {code for code, item in form.indicators.items() if item.breakdowns}
    for figure in figures:
        at = place.get((figure.indicator, figure.column))
        if figure.value is not None and figure.bureau in rows and at is not None:
            whole = figure.indicator in wholes
            style = formats.number(figure.scale, held=not figure.validated, sum_of_parts=whole)
            sheet.write_number(rows[figure.bureau], at, decimal(figure.value, figure.scale), style)
    bottom = 4 + len(one.bureaus)
    sheet.write_string(bottom, 0, "合计", formats.head)
    sheet.write_string(bottom, 1, "", formats.head)
    for total in one.figures:
        at = place.get((total.indicator, total.column))
        if at is not None and total.value is not None:
            style = formats.number(total.scale, held=not total.validated, total=True)
            sheet.write_number(bottom, at, decimal(total.value, total.scale), style)


_HEADS_HEIGHT = 62.0  # points
_BUREAU_WIDTH, _STATUS_WIDTH, _FIGURE_WIDTH = 13.0, 10.0, 7.5  # in letters; a figure column is as wide as its figures
_LETTER_MM = 2.7  # a letter of a column at full size, in the widest of the fonts that stand in for a missing 宋体
_PAGE_MM = 398  # what A3 landscape leaves between its margins
_COLUMNS_A_PAGE = 20  # indicators beside the bureaus at which type is still easily read


def _heads_height(page: _Page, form: Form, figure_width: float) -> float:
    """Enough for the longest heading, where it names its column as well."""
    if not page.names_columns:
        return _HEADS_HEIGHT
    heads = [_head(form, page, cell, coarser=False) for cell in page.cells]
    return max(
        _HEADS_HEIGHT, row_height(heads, [figure_width + 2.5] * len(heads))
    )  # type is smaller than a letter's room


def _lay_out_table(
    sheet: Worksheet, formats: Formats, title: str, form: Form, one: Consolidation, page: _Page, embargo: str
) -> None:
    """Title and legend on the screen, and printed pages of whole blocks: bureaus, headings, title and legend on each."""
    sheet.write_string(0, 0, title, formats.title)
    account = (f"{embargo}。" if embargo else "") + f"{_account(one)}。"
    sheet.write_string(1, 0, f"{account}{HELD_MEANS}", formats.note)
    last = 1 + len(page.cells)
    longest = max(
        (len(f"{decimal(total.value, total.scale):,.{total.scale}f}") for total in one.figures if total.value),
        default=0,
    )
    figure_width = max(_FIGURE_WIDTH, longest + 1.5)
    sheet.set_column(0, 0, _BUREAU_WIDTH)
    sheet.set_column(1, 1, _STATUS_WIDTH)
    sheet.set_column(2, last, figure_width)
    blocks = [(label, len(cells) * figure_width) for label, cells in page.blocks]
    sheet.set_row(2, max(20, row_height([label for label, _ in blocks], [width for _, width in blocks])))
    sheet.set_row(3, _heads_height(page, form, figure_width))
    for row in range(4, 5 + len(one.bureaus)):
        sheet.set_row(row, 22)
    sheet.freeze_panes(4, 2)
    breaks, most = _printed_pages(page)
    width = (_BUREAU_WIDTH + _STATUS_WIDTH + most * figure_width) * _LETTER_MM
    print_page(sheet, title, [account, HELD_MEANS], paper=A3, landscape=True)
    sheet.set_print_scale(max(40, min(100, int(100 * _PAGE_MM / width))))
    sheet.print_area(2, 0, 4 + len(one.bureaus), last)
    sheet.repeat_columns(0, 1)
    sheet.repeat_rows(2, 3)
    sheet.set_v_pagebreaks(breaks)


def _printed_pages(page: _Page) -> tuple[list[int], int]:
    """The columns at which a printed page ends, blocks staying whole; and the most figures that one takes side by side."""
    breaks, filled, most, at = [], 0, 0, 2
    for _, cells in page.blocks:
        if filled and filled + len(cells) > _COLUMNS_A_PAGE:
            breaks.append(at)
            filled = 0
        filled += len(cells)
        at += len(cells)
        most = max(most, filled)
    return breaks, most


def _account(one: Consolidation) -> str:
    counts = "、".join(
        f"{STATUS[status.value]} {one.counts[status]}"
        for status in Status
        if one.counts[status] and status is not Status.OTHER_PERIOD
    )
    missing = f";未报 {len(one.missing)} 家" if one.missing else ""
    missing += ";暂存板块未计入" if one.without_held else ""
    return f"收到:{counts or '无'}{missing};覆盖率 {one.coverage:.1%}"

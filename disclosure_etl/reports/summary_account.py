"""The sheets of the 汇总表 that say how it came about: how every bureau stands, and what failed.

Not here: figures (`summary`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlsxwriter.workbook import Workbook

from disclosure_etl.reports.summary_formats import A4, STATUS, Formats, print_page, row_height
from disclosure_etl.warehouse import Event, StoredFailure
from schemas.consolidation import BureauState, Consolidation
from schemas.forms import Form
from schemas.periods import Period

OPEN_MEANS = "待判:所需的数(上期数、空白格)还没有,暂不能判定对错,不算未通过。"
IMPACT_MEANS = "影响:|填报数 − 应有数| ÷ 全部单位合计数,清单由大到小排列。"
_ANCHOR = 16  # signs of a hash that people type
_NAMED_PARTS = 3  # more parts of a period than these are counted, not named


def status_text(state: BureauState, absent: Sequence[str]) -> str:
    """How a bureau stands, in Chinese. `absent`: the parts of a coarser period in which it is missing, if in some only."""
    text = STATUS[state.status]
    if absent:
        text = f"缺 {'、'.join(absent)}" if len(absent) <= _NAMED_PARTS else f"缺 {len(absent)} 期"
    return text


def record_text(event: Event) -> str:
    """What says which event froze a version: whoever has it on paper can tell later whether the record was written anew."""
    return (
        f"固化本版的记录:第 {event.number} 条,散列值 {event.hash}。"
        f"核对:disclosure-etl audit verify --anchor {event.hash[:_ANCHOR]}"
    )


def states_sheet(
    book: Workbook,
    formats: Formats,
    title: str,
    form: Form,
    one: Consolidation,
    absences: Mapping[str, Sequence[str]],
    frozen_by: Event | None,
) -> None:
    """A row a bureau: status, held blocks, revision, when it came, and its failures by severity; and below, the event of the
    record that vouches for all of it."""
    sheet = book.add_worksheet("各单位情况")
    labels = {block.code: block.label.zh for block in form.blocks}
    heads = ("单位", "状态", "暂存板块", "修订号", "收到时间", "迟报", "错误", "警告", "提示", "待判")
    widths = (14, 16, 24, 8, 18, 7, 7, 7, 7, 7)
    sheet.write_string(0, 0, OPEN_MEANS, formats.note)
    for at, head in enumerate(heads):
        sheet.write_string(1, at, head, formats.head)
    for row, state in enumerate(one.bureaus, 2):
        received = (
            state.received_at.astimezone(one.frozen_at.tzinfo).strftime("%Y-%m-%d %H:%M") if state.received_at else ""
        )
        texts = (
            state.name_zh,
            status_text(state, absences.get(state.bureau, ())) + ("(待复核)" if state.stale else ""),
            "、".join(labels.get(code, code) for code in state.held_blocks),
            str(state.revision or ""),
            received,
            "是" if state.late else "",
        )
        for at, text in enumerate(texts):
            sheet.write_string(row, at, text, formats.text if at in (0, 2) else formats.centre)
        for at, count in enumerate((state.errors, state.warnings, state.notices, state.not_assessable), len(texts)):
            sheet.write_number(row, at, count, formats.number(0))
        sheet.set_row(row, max(18, row_height(texts, widths[: len(texts)])))
    rows = 2 + len(one.bureaus)
    if frozen_by is not None:
        sheet.write_string(rows, 0, record_text(frozen_by), formats.note)
        rows += 1
    lay_out(sheet, f"{title}:各单位情况", OPEN_MEANS, widths, rows)
    sheet.freeze_panes(2, 1)


def failures_sheet(
    book: Workbook, formats: Formats, title: str, one: Consolidation, failures: Sequence[StoredFailure], coarser: bool
) -> None:
    """A row a failure with all that is said of it, in the order given; its period where several are added up."""
    sheet = book.add_worksheet("未通过的校验")
    names = {state.bureau: state.name_zh for state in one.bureaus}
    heads = ["单位", "程度", "说明", "单元格", "影响", "规则", "文件"]
    widths = [13.0, 7.0, 56.0, 20.0, 9.0, 22.0, 20.0]
    if coarser:
        heads.insert(1, "时期")
        widths.insert(1, 9.0)
    sheet.write_string(0, 0, IMPACT_MEANS, formats.note)
    for at, head in enumerate(heads):
        sheet.write_string(1, at, head, formats.head)
    if not failures:
        sheet.write_string(2, 0, "没有未通过的校验。", formats.note)
    for row, stored in enumerate(failures, 2):
        failure = stored.failure
        texts = [
            names.get(stored.bureau or "", stored.bureau or ("" if stored.file else "全部单位")),
            failure.severity.label_zh + ("(已豁免)" if failure.waiver is not None else ""), failure.message.zh,
            "、".join(failure.cells), f"{failure.impact:.4%}" if failure.impact else "", failure.rule, stored.file,
        ]  # fmt: skip
        if coarser:
            texts.insert(1, stored.period)
        for at, text in enumerate(texts):
            sheet.write_string(row, at, text, formats.wrap)
        sheet.set_row(row, max(18, row_height(texts, widths)))
    lay_out(sheet, f"{title}:未通过的校验", IMPACT_MEANS, widths, 2 + max(1, len(failures)))
    sheet.freeze_panes(2, 0)


def lay_out(sheet, title: str, legend: str, widths: Sequence[float], rows: int) -> None:
    """Columns, and a printed page as wide as they are; the note above the heading stands in the page's header instead."""
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    sheet.set_row(1, 20)
    print_page(sheet, title, [legend], paper=A4, landscape=True)
    sheet.print_area(1, 0, max(1, rows - 1), len(widths) - 1)
    sheet.repeat_rows(1)
    sheet.fit_to_pages(1, 0)


def is_coarser(form: Form, one: Consolidation) -> bool:
    """Whether a consolidation was added up from the form's own periods."""
    return Period.parse(one.period).frequency is not form.frequency

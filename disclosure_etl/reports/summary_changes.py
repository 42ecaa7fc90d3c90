"""The sheet 更正 of the 汇总表: what changed since the version that others know, a row a figure.

Not here: finding the changes (`warehouse.changes`) or their words (`corrections`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xlsxwriter.workbook import Workbook

from disclosure_etl.reports.corrections import FIRM, figure_label, why_text
from disclosure_etl.reports.summary_account import lay_out
from disclosure_etl.reports.summary_formats import Formats, row_height
from disclosure_etl.reports.summary_totals import decimal
from schemas.forms import Form
from schemas.versions import ChangeList


@dataclass(frozen=True)
class Beside:
    """What a 汇总表 says beside its figures: until when they are embargoed ('' where they are not), and what changed since an
    earlier version, with the bureaus' names."""

    embargo: str = ""
    changes: ChangeList | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def changes_sheet(book: Workbook, formats: Formats, title: str, form: Form, beside: Beside) -> None:
    """A row a figure that changed: the bureaus' first, then the office's totals."""
    changes = beside.changes
    assert changes is not None
    sheet = book.add_worksheet("更正")
    older = changes.older
    legend = f"与第 {older.version} 版({FIRM[older.status]})相比"
    heads = ("时期", "单位", "指标", "原数", "现数", "差", "原因")
    widths = (9.0, 14.0, 34.0, 12.0, 12.0, 12.0, 60.0)
    sheet.write_string(0, 0, legend, formats.note)
    for at, head in enumerate(heads):
        sheet.write_string(1, at, head, formats.head)
    for row, one in enumerate(changes.changes, 2):
        bureau = "合计" if one.bureau is None else beside.names.get(one.bureau, one.bureau)
        texts = (one.period, bureau, figure_label(form, one))
        for at, text in enumerate(texts):
            sheet.write_string(row, at, text, formats.text)
        figures = (one.old, one.new, one.difference) if one.indicator is not None else (None, None, None)
        for at, value in enumerate(figures, len(texts)):
            if value is None:
                sheet.write_blank(row, at, None, formats.text)
            else:
                sheet.write_number(row, at, decimal(value, one.scale), formats.number(one.scale))
        why = why_text(one.reasons)
        sheet.write_string(row, len(heads) - 1, why, formats.wrap)
        sheet.set_row(row, max(18, row_height((*texts, why), (*widths[:3], widths[-1]))))
    if not changes.changes:
        sheet.write_string(2, 0, "数字没有变动;变动的是报送情况或校验结果。", formats.note)
    lay_out(sheet, f"{title}:更正", legend, widths, 2 + max(1, len(changes.changes)))
    sheet.freeze_panes(2, 0)

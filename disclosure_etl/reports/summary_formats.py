"""How the 汇总表 looks: its formats, its words for statuses, and the print set-up that its sheets share.

Not here: what stands in a sheet (`summary`, `summary_account`).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

STATUS = {
    "accepted": "已认定", "partly_held": "部分暂存", "held": "暂存", "missing": "未报", "failed": "程序故障",
    "superseded": "已被替代", "returned": "已退回", "withdrawn": "已撤回", "unreadable": "无法读取", "duplicate": "重复", "misdirected": "误投", "other_period": "其他时期",
}  # fmt: skip
A3, A4 = 8, 9
_FONT = "宋体"
_LINE_POINTS = 13.5  # the height of a line of 10 points
_HIGHEST_ROW = 409.0  # points; a spreadsheet takes no more


class Formats:
    """The formats of one workbook."""

    def __init__(self, book: Workbook) -> None:
        base = {"font_name": _FONT, "font_size": 10, "valign": "vcenter"}
        boxed = {**base, "border": 1, "border_color": "#9AA5B1"}
        head = {**boxed, "align": "center", "text_wrap": True, "bg_color": "#E8EDF3"}
        self.title = book.add_format({**base, "font_size": 15, "bold": True})
        self.note = book.add_format({**base, "font_color": "#52606D"})
        self.head = book.add_format({**head, "bold": True})
        self.head_part = book.add_format({**head, "font_color": "#52606D"})
        self.block = book.add_format({**boxed, "bold": True, "bg_color": "#D5DEE8"})
        self.text = book.add_format({**boxed, "text_wrap": True})
        self.bold = book.add_format({**boxed, "bold": True})
        self.part = book.add_format({**boxed, "indent": 2, "font_color": "#52606D", "text_wrap": True})
        self.centre = book.add_format({**boxed, "align": "center", "text_wrap": True})
        self.wrap = book.add_format({**boxed, "text_wrap": True, "valign": "top"})
        self.absent = book.add_format({**boxed, "font_color": "#9E2A2B", "align": "center", "text_wrap": True})
        self._book, self._boxed = book, boxed
        self._numbers: dict[tuple[int, bool, bool, bool], object] = {}

    def number(self, decimals: int, *, held: bool = False, total: bool = False, sum_of_parts: bool = False) -> object:
        """A figure. `held`: of a held block; `total`: in the bottom row; `sum_of_parts`: of an indicator with parts."""
        key = (decimals, held, total, sum_of_parts)
        if key not in self._numbers:
            look: dict[str, object] = {"num_format": "#,##0" + ("." + "0" * decimals if decimals else "")}
            if held:
                look |= {"font_color": "#9E2A2B", "italic": True, "bg_color": "#FDECEA"}
            if total or sum_of_parts:
                look |= {"bold": True}
            if total:
                look |= {"top": 2}
            self._numbers[key] = self._book.add_format({**self._boxed, **look})
        return self._numbers[key]


def print_page(sheet: Worksheet, title: str, legend: Sequence[str], *, paper: int, landscape: bool) -> None:
    """Title and legend on every printed page, and its number below: in the page's header, where no column cuts them off."""
    if landscape:
        sheet.set_landscape()
    sheet.set_paper(paper)
    lines = [
        f'&L&14&"{_FONT},Bold"{_plain(title)}',
        *(f'&9&"{_FONT},Regular"{_plain(line)}' for line in legend if line),
    ]
    header = "\n".join(lines)
    while len(header) > 255 and len(lines) > 1:  # a spreadsheet takes no longer header
        header = "\n".join(lines := lines[:-1])
    sheet.set_margins(left=0.4, right=0.4, top=0.55 + 0.16 * len(lines), bottom=0.55)
    sheet.set_header(header[:255], {"margin": 0.3})
    sheet.set_footer("&C&9&P / &N", {"margin": 0.25})


def _plain(text: str) -> str:
    """Text in a header, where & begins a command and a digit would belong to the size before it."""
    return text.replace("&", "&&")


def row_height(texts: Sequence[str], widths: Sequence[float]) -> float:
    """The height, in points, at which every text shows whole in a column of its width (in letters; a Chinese one is two)."""
    lines = max(
        (
            sum(max(1, math.ceil(_letters(line) / max(1, width - 2))) for line in text.split("\n"))
            for text, width in zip(texts, widths, strict=True)
        ),
        default=1,
    )
    return min(_HIGHEST_ROW, lines * _LINE_POINTS + 4)


@lru_cache(maxsize=4096)
def _letters(text: str) -> int:
    """How many letters wide. The same words stand in row after row."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)

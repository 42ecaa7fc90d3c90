"""How the workbook of a return looks: its cell formats, made once a workbook. Not here: what stands in it (`templates`)."""

from __future__ import annotations

from xlsxwriter.workbook import Workbook


class Styles:
    """Cell formats of the workbook, made once."""

    def __init__(self, book: Workbook) -> None:
        base = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
        boxed = {**base, "border": 1, "border_color": "#9AA5B1"}
        self._book, self._boxed = book, boxed
        self._inputs: dict[tuple[int, bool], object] = {}
        self._labels: dict[int, object] = {}
        self._headings: dict[int, object] = {}
        self.title = book.add_format({**base, "font_size": 16, "bold": True, "align": "center"})
        self.table = book.add_format({**base, "font_size": 13, "bold": True})
        self.head = book.add_format(
            {**boxed, "bold": True, "align": "center", "bg_color": "#E8EDF3", "text_wrap": True}
        )
        self.field = book.add_format({**base, "align": "right", "font_color": "#52606D"})
        self.fixed = book.add_format({**base, "bottom": 1, "num_format": "@"})
        self.open = book.add_format({**base, "bottom": 1, "num_format": "@", "locked": False, "bg_color": "#FFFBEA"})
        self.block = book.add_format({**boxed, "bold": True, "bg_color": "#F5F7FA"})
        self.unit = book.add_format({**boxed, "align": "center"})
        self.check = book.add_format({**boxed, "font_color": "#3E7B4F", "font_size": 10})
        self.wrong = book.add_format({"font_color": "#FFFFFF", "bg_color": "#C62828", "bold": True})
        self.none = book.add_format({**boxed, "bg_color": "#F5F7FA"})
        row = {**boxed, "locked": False, "bg_color": "#FFFBEA"}
        self.words = book.add_format({**row, "num_format": "@"})
        self.day = book.add_format({**row, "num_format": "yyyy-mm-dd"})
        self.said = book.add_format({**row, "text_wrap": True, "valign": "top", "num_format": "@"})
        self.note = book.add_format(
            {**base, "font_size": 11, "font_color": "#323F4B", "text_wrap": True, "valign": "top"}
        )

    def figure(self, decimals: int, locked: bool = False) -> object:
        """An input (or, locked, a computed) cell with the decimals that its indicator prints: two at most in any case, more where
        there are any."""
        key = (decimals, locked)
        if key not in self._inputs:
            code = "0" if decimals == 0 else "0." + "0" * min(decimals, 2) + "#" * (decimals - 2)
            look = {"bg_color": "#F5F7FA"} if locked else {"locked": False, "bg_color": "#FFFBEA"}
            self._inputs[key] = self._book.add_format({**self._boxed, "num_format": code, **look})
        return self._inputs[key]

    def label(self, depth: int) -> object:
        """A row label, indented under its whole."""
        if depth not in self._labels:
            self._labels[depth] = self._book.add_format({**self._boxed, "indent": depth, "text_wrap": True})
        return self._labels[depth]

    def heading(self, depth: int) -> object:
        """A line that heads a group of rows."""
        if depth not in self._headings:
            self._headings[depth] = self._book.add_format({**self._boxed, "bold": True, "indent": depth})
        return self._headings[depth]

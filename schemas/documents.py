"""What a reader makes of bytes: grids of cells and running text, with locators. Nothing here knows a form, a label or a
bureau."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

CellValue = str | float | int | bool | date | datetime | None


class Oddity(StrEnum):
    """What the file itself says of a cell beside its value, and a later reading must not lose."""

    ERROR_VALUE = "error_value"  # #DIV/0!, #REF!, …
    UNCALCULATED = "uncalculated"  # a formula without a stored result
    DISPLAY_DIFFERS = "display_differs"  # the engine's value is not what the sheet shows
    MERGED = "merged"  # the cell spans more than one place


@lru_cache(maxsize=4096)
def column_letters(column: int) -> str:
    """Spreadsheet letters of a zero-based column: 0 → A, 26 → AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range, zero-based and inclusive; its value stands in the first cell."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Grid:
    """One table of a document.

    `values[r][c]` is what the file holds (numbers as numbers, None where empty), `formats` the number format code
    of the cells that have one other than General, `oddities` what else the file says of a cell. `displays` gives
    the text as displayed where it is neither the value itself nor what the format makes of it. All keys are
    zero-based (row, column) of the whole sheet, not of its used range: row 0, column 0 is A1. `table` is the number of a
    table, from 1, where the document has no cell addresses (a text document, a web page); `places` are names of cells where it
    has neither, always the same for the same words in the same places. `turned`: rows and columns were exchanged since.
    """

    name: str
    values: list[list[CellValue]]
    formats: Mapping[tuple[int, int], str] = field(default_factory=dict)
    displays: dict[tuple[int, int], str] = field(default_factory=dict)
    oddities: dict[tuple[int, int], Oddity] = field(default_factory=dict)
    merges: tuple[Merge, ...] = ()
    hidden: bool = False
    table: int | None = None
    places: Mapping[tuple[int, int], str] = field(default_factory=dict)
    turned: bool = False

    def locator(self, row: int, column: int) -> str:
        """Where a cell stands, as a person finds it: `统计表!C7`, or `table 2, row 5, column 3`, or as `places` calls it."""
        if (row, column) in self.places:
            return self.places[row, column]
        if self.turned:
            row, column = column, row
        if self.table is not None:
            return f"table {self.table}, row {row + 1}, column {column + 1}"
        return f"{self.name}!{column_letters(column)}{row + 1}"


@dataclass(frozen=True, slots=True)
class Document:
    """The grids of one file, and its running text: paragraphs in their order, one a line, without what stands in the grids.
    `digest` is the SHA-256 of its bytes, `format` what the content was found to be."""

    name: str
    digest: str
    format: str
    grids: tuple[Grid, ...]
    text: str = ""

    def span(self, start: int, end: int) -> str:
        """Where a piece of the running text stands: `characters 121–126`, counted from 1, both included."""
        return f"characters {start + 1}–{end}"


SCANNED = "scanned"  # pages as pictures: no figure is read from them, and with a return they are its sealed copy


class Unreadable(Exception):  # noqa: N818 - the word that people use for such a file
    """A file that no reader can make a document of. `code` is stable; the message speaks to the sender.

    Codes: unreachable, empty, truncated, encrypted, legacy_document, scanned, unknown_format,
    undecodable, unclosed_quote, too_large, too_slow, no_known_label.
    """

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en

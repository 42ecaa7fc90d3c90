"""The source cells of a failure in their surroundings, as the file shows them: rows and columns around them, or the paragraph.

Not here: reading files (`intake`), or which cells a failure names (`quality`).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock

from disclosure_etl.intake.displayed import displayed
from disclosure_etl.intake.readers import read_document
from disclosure_etl.office import Office
from schemas.documents import Document, Grid, Unreadable, column_letters
from schemas.errors import Message, ProgramError

_KEPT = 64
_ABOVE, _BESIDE, _MOST_ROWS, _MOST_COLUMNS = 3, 3, 30, 16
_TITLE_ROWS, _HEADING_ROWS, _LABEL_COLUMNS, _HEAD_ROWS = 1, 3, 2, 8
_AROUND = 120  # signs of a text on each side
_IN_SHEET = re.compile(r"(.*)!([A-Z]{1,3})(\d+)", re.DOTALL)
_IN_TABLE = re.compile(r"table (\d+), row (\d+), column (\d+)")
_IN_TEXT = re.compile(r"characters (\d+)–(\d+)")
_NOTE = re.compile(
    r"\s*(?:情况说明|说明|备注|附注|注|notes?)\s*(?:[((][^))]*[))])?\s*[::](.*)", re.DOTALL | re.IGNORECASE
)
_LONGEST_NOTE = 800


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as the file shows it. `across` and `down`: how many places it spans."""

    text: str
    marked: bool
    across: int = 1
    down: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A piece of a grid: its name, the headings of its columns, and its rows with theirs; a row of None is a gap."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Shown | None, ...]] | None, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of running text with the marked part in the middle."""

    before: str
    marked: str
    after: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What of a file is shown for some cells, and what its bureau says in it of its figures; `problem` where it cannot be."""

    tables: tuple[Table, ...] = ()
    passages: tuple[Passage, ...] = ()
    notes: tuple[str, ...] = ()
    problem: Message | None = None


@dataclass
class Documents:
    """Files that were looked at lately, as their readers made them: reading one again takes longer than showing it."""

    office: Office
    _kept: OrderedDict[str, Document] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, name: str, digest: str) -> Document:
        """The document of these bytes.

        Raises:
            Unreadable: no reader can make one of them. ProgramError, OSError: the bytes are gone or damaged.
        """
        with self._lock:
            if (known := self._kept.get(digest)) is not None:
                self._kept.move_to_end(digest)
                return known
        document = read_document(name, self.office.raw_store.get(digest), self.office.settings.read_limits)
        with self._lock:
            self._kept[digest] = document
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return document


def surroundings(documents: Documents, name: str, digest: str, cells: Sequence[str]) -> Surroundings:
    """What a file shows around these cells, or why it cannot be shown."""
    try:
        return around(documents.get(name, digest), cells)
    except Unreadable as problem:
        return Surroundings(problem=Message(problem.zh, str(problem)))
    except (OSError, ProgramError):
        told = Message("原始文件不在原始库中或已损坏。", "The file is not in the raw store any more, or is damaged.")
        return Surroundings(problem=told)


def around(document: Document, cells: Sequence[str]) -> Surroundings:
    """Windows of grids and passages of text with these cells marked; cells that are nowhere in the document are left out."""
    places: dict[int, set[tuple[int, int]]] = {}
    passages = []
    for cell in dict.fromkeys(cells):
        if (span := _IN_TEXT.fullmatch(cell)) is not None:
            if int(span[2]) <= len(document.text):
                passages.append(_passage(document.text, int(span[1]) - 1, int(span[2])))
        elif (place := _place(document.grids, cell)) is not None:
            places.setdefault(place[0], set()).add(place[1:])
    tables = tuple(_window(document.grids[number], marked) for number, marked in sorted(places.items()))
    if not cells and document.grids:  # of the return as a whole: its head says who answers for it
        tables = (_window(document.grids[0], set(), _HEAD_ROWS),)
    return Surroundings(tables, tuple(passages), tuple(notes_in(document)))


def notes_in(document: Document) -> Iterator[str]:
    """What stands beside the figures to explain them: cells that begin with 情况说明, 备注 or the like, and the text around tables."""
    for grid in document.grids:
        for row in grid.values:
            for value in row:
                found = _NOTE.fullmatch(value) if isinstance(value, str) else None
                if found is not None and (text := found[1].strip()):
                    yield _cut(text)
    if document.grids and (text := document.text.strip()):
        yield _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_NOTE else text[:_LONGEST_NOTE] + "…"


def _place(grids: Sequence[Grid], cell: str) -> tuple[int, int, int] | None:
    if (found := _IN_TABLE.fullmatch(cell)) is not None:
        table, row, column = map(int, found.groups())
        numbers = [number for number, grid in enumerate(grids) if grid.table == table]
        return (numbers[0], row - 1, column - 1) if numbers else None
    for number, grid in enumerate(grids):
        for place, name in grid.places.items():
            if name == cell:
                return number, *place
    if (found := _IN_SHEET.fullmatch(cell)) is not None:
        column = 0
        for letter in found[2]:
            column = column * 26 + ord(letter) - 64
        numbers = [number for number, grid in enumerate(grids) if grid.name == found[1] and grid.table is None]
        return (numbers[0], int(found[3]) - 1, column - 1) if numbers else None
    return None


def _passage(text: str, start: int, end: int) -> Passage:
    first = max(text.rfind("\n", 0, start) + 1, start - _AROUND)
    last = text.find("\n", end)
    last = min(len(text) if last < 0 else last, end + _AROUND)
    cut = ("…" if first > 0 and text[first - 1] != "\n" else "", "…" if last < len(text) and text[last] != "\n" else "")
    return Passage(cut[0] + text[first:start], text[start:end], text[end:last] + cut[1])


def _near(marked: Iterable[int], size: int, before: int, after: int, always: int, most: int) -> list[int]:
    """Places near the marked ones, with the first ones, which say what the others are."""
    wanted = set(range(min(always, size)))
    for place in sorted(marked):
        if len(wanted) < most or place in marked:
            wanted |= set(range(max(0, place - before), min(size, place + after + 1)))
    return sorted(wanted)


def _window(grid: Grid, marked: set[tuple[int, int]], always: int = _TITLE_ROWS) -> Table:
    height = max([len(grid.values)] + [row + 1 for row, _ in marked])
    width = max([len(row) for row in grid.values] + [column + 1 for _, column in marked])
    near = _near({row for row, _ in marked}, height, _ABOVE, _ABOVE, always, _MOST_ROWS)
    rows = sorted({*near, *_headings(grid, marked)})
    columns = (
        list(range(width))
        if width <= _MOST_COLUMNS
        else _near({column for _, column in marked}, width, _BESIDE, _BESIDE, _LABEL_COLUMNS, _MOST_COLUMNS)
    )
    spans, hidden = _spans(grid, rows, columns)
    lines: list[tuple[str, tuple[Shown | None, ...]] | None] = []
    for step, row in enumerate(rows):
        if step and row != rows[step - 1] + 1:
            lines.append(None)
        line = [
            None
            if (row, column) in hidden
            else Shown(_text(grid, row, column), (row, column) in marked, *spans.get((row, column), (1, 1)))
            for column in columns
        ]
        lines.append((str(row + 1), tuple(line)))
    names = tuple(str(column + 1) if grid.table is not None else column_letters(column) for column in columns)
    return Table(grid.name, names, tuple(lines))


def _headings(grid: Grid, marked: set[tuple[int, int]]) -> set[int]:
    """The rows that say what the columns of the marked cells are: the nearest above with words in such a column and beside it, and
    those right over it of the same kind."""
    found: set[int] = set()
    for column in {column for _, column in marked}:
        top = min(row for row, own in marked if own == column)
        row = next((row for row in range(top - 1, -1, -1) if _is_heading(grid, row, column)), None)
        for step in range(_HEADING_ROWS if row is not None else 0):
            if not _is_heading(grid, row - step, column):  # type: ignore[operator]
                break
            found.add(row - step)  # type: ignore[operator]
    return found


def _is_heading(grid: Grid, row: int, column: int) -> bool:
    if not 0 <= row < len(grid.values):
        return False
    words = [place for place in range(len(grid.values[row])) if _is_word(grid, row, place)]
    return column in words and len(words) > 1


def _is_word(grid: Grid, row: int, column: int) -> bool:
    value = grid.values[row][column]
    return (
        isinstance(value, str) and not any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    )


def _spans(
    grid: Grid, rows: Sequence[int], columns: Sequence[int]
) -> tuple[dict[tuple[int, int], tuple[int, int]], set[tuple[int, int]]]:
    """How far merged cells span within the window, and the places that they cover. One that is cut by a gap in the rows is shown
    unmerged, since a cell cannot reach over it."""
    spans, hidden = {}, set()
    for one in grid.merges:
        across = [column for column in columns if one.left <= column <= one.right]
        down = [row for row in rows if one.top <= row <= one.bottom]
        whole = down == list(range(one.top, one.bottom + 1)) and bool(across) and across[0] == one.left
        if not whole:
            continue
        spans[(one.top, one.left)] = (len(across), len(down))
        hidden |= {(row, column) for row in down for column in across} - {(one.top, one.left)}
    return spans, hidden


def _text(grid: Grid, row: int, column: int) -> str:
    """A cell as it is displayed."""
    if (row, column) in grid.displays:
        return grid.displays[row, column]
    values = grid.values[row] if row < len(grid.values) else []
    value = values[column] if column < len(values) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        shown = displayed(value, grid.formats.get((row, column)))
        return shown.text if shown is not None else str(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == datetime.min.time() else f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)

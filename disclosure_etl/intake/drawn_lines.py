"""Table rows that stand in running text as lines, `| 规章 | 3 | 0 |` or `规章 | 3 | 0`: their cells, with spans.

Not here: what the rows mean (`foreign_tables`), or tables that a reader made grids of.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.documents import Document, Grid

_LINE = re.compile(r"[|｜│]")
_ENDS = re.compile(r"\s*;\s*|\s*；\s*")
_BLANK = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the texts of its cells, and where each stands."""

    texts: tuple[str, ...]
    cells: tuple[str, ...]


def rows_in_text(document: Document) -> tuple[list[list[Row]], str]:
    """The drawn rows of the running text, in runs of lines; and the text with spaces in their places, so that every other
    position stays what it was."""
    runs: list[list[Row]] = []
    rest, offset, running = [], 0, False
    for line in document.text.splitlines(keepends=True):
        if len(_LINE.findall(line)) < 2:
            rest.append(line)
            running = False
        else:
            rows = [row for first, last in _pieces(line) if (row := _row(document, line, offset, first, last))]
            if running:
                runs[-1] += rows
            else:
                runs.append(rows)
            rest.append(_BLANK.sub(" ", line))
            running = True
        offset += len(line)
    return [run for run in runs if run], "".join(rest)


def _pieces(line: str) -> list[tuple[int, int]]:
    """Several rows in one line stand apart by semicolons."""
    starts, ends = [0], []
    for found in _ENDS.finditer(line):
        ends.append(found.start())
        starts.append(found.end())
    return list(zip(starts, [*ends, len(line)], strict=True))


def _row(document: Document, line: str, offset: int, first: int, last: int) -> Row | None:
    bounds = [first, *(first + found.end() for found in _LINE.finditer(line[first:last])), last + 1]
    texts, cells = [], []
    for start, end in itertools.pairwise(bounds):
        raw = line[start : end - 1]
        text = raw.strip().strip("*").strip()
        begin = offset + start + (len(raw) - len(raw.lstrip()))
        texts.append(text)
        cells.append(document.span(begin, max(begin + len(text), begin + 1)))
    if texts and not texts[0]:
        texts, cells = texts[1:], cells[1:]
    if texts and not texts[-1] and line[first:last].rstrip().endswith(("|", "｜", "│")):
        texts, cells = texts[:-1], cells[:-1]
    return Row(tuple(texts), tuple(cells)) if len(texts) > 1 else None


def rows_of_grid(grid: Grid, shown: Sequence[Sequence[str]]) -> list[Row]:
    """The rows of a grid, with its cells' texts as displayed."""
    return [
        Row(tuple(texts), tuple(grid.locator(row, column) for column in range(len(texts))))
        for row, texts in enumerate(shown)
        if any(texts)
    ]

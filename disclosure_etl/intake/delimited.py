"""Text tables (.csv, .tsv) as a grid of texts. Nothing is converted: 007 and 23.80 stay as they were written.

Not here: bytes to text (`decoding`), or whether a text is such a table (`plain_text`).
"""

from __future__ import annotations

import csv
import io

from disclosure_etl.intake.decoding import unknown_format
from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid, Unreadable

_DELIMITERS = ",\t;|"


def read_delimited(text: str, limits: ReadLimits) -> Grid:
    """Read a delimited text.

    Raises:
        Unreadable: no such table (unknown_format), with rows that an unclosed quotation mark has swallowed
            (unclosed_quote), or too large.
    """
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter, limits)
    if '"' in text:
        _check_quotes(rows, delimiter)
    cells = sum(map(len, rows))
    if cells > limits.max_cells:
        raise refused("max_cells", cells, limits.max_cells)
    return Grid("CSV", [[cell if cell.strip() else None for cell in row] for row in rows])


def _rows(text: str, delimiter: str, limits: ReadLimits) -> list[list[str]]:
    csv.field_size_limit(min(limits.max_bytes, 2**31 - 1))
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))
    except csv.Error:
        raise unknown_format() from None


_MOST_LINES = 3  # of a cell; a remark may have some, and no table inside it


def _check_quotes(rows: list[list[str]], delimiter: str) -> None:
    """A quotation mark that nobody closes makes one cell of all rows up to the next one."""
    for line, row in enumerate(rows, 1):
        for cell in row:
            lines = cell.splitlines() if "\n" in cell or "\r" in cell else ()
            if len(lines) > _MOST_LINES and sum(delimiter in one for one in lines) >= _MOST_LINES:
                raise Unreadable(
                    "unclosed_quote",
                    f'第 {line} 行有一个没有配对的引号("),其后 {len(lines) - 1} 行被并入同一格。请删去或补上引号后重新保存。',
                    f"Row {line} has a quotation mark that is never closed, and {len(lines) - 1} further lines went into one "
                    "cell. Delete or close it, and save the file again.",
                )


def _delimiter(text: str) -> str:
    """The sign that splits most lines, and splits them alike."""
    lines = [line for line in text.splitlines()[:200] if line.strip()]

    def score(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in lines]
        split = [count for count in counts if count]
        return len(split), -len(set(split))

    return max(_DELIMITERS, key=score)

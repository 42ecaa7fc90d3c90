"""Plain text (.txt, .md): running text, and the tables that are drawn in it with upright lines, `| 受理申请 | 20 |`.

Not here: text that is one table as a whole (`delimited`).
"""

from __future__ import annotations

import re

from disclosure_etl.intake.laid_out import SpanningCell, Tables
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid

_DRAWN = re.compile(r"\s*[|｜│┃].*[|｜│┃]\s*")
_RULE = re.compile(r"[\s|｜│┃:+=\-—─━┼├┤┬┴┌┐└┘]+")
_LINE = re.compile(r"(?<!\\)[|｜│┃]")
_LEAST_LINES = 2


def is_drawn(text: str) -> bool:
    """Whether tables are drawn in a text."""
    return any(len(lines) >= _LEAST_LINES for lines, drawn in _runs(text) if drawn)


def read_text(text: str, limits: ReadLimits) -> tuple[tuple[Grid, ...], str]:
    """The tables drawn in a text, and its other lines.

    Raises:
        Unreadable: the tables have more cells than the limit (too_large).
    """
    tables, grids, said = Tables(limits), [], []
    for lines, drawn in _runs(text):
        if drawn and len(lines) >= _LEAST_LINES:
            rows = [_cells(line) for line in lines if not _RULE.fullmatch(line)]
            grids.append(tables.grid(tables.number(), rows))
        else:
            said += [line.strip() for line in lines if line.strip()]
    return tuple(grids), "\n".join(said)


def _cells(line: str) -> list[SpanningCell]:
    inner = _LINE.split(line.strip())[1:-1]
    return [SpanningCell(cell.strip().strip("*").strip().replace("\\|", "|")) for cell in inner]


def _runs(text: str) -> list[tuple[list[str], bool]]:
    """The lines, in runs of those that are a table's and those that are not. A ruling line goes with the table."""
    runs: list[tuple[list[str], bool]] = []
    for line in text.splitlines():
        drawn = bool(_DRAWN.fullmatch(line)) or bool(
            runs and runs[-1][1] and line.strip() and _RULE.fullmatch(line) and set("|│┃┼├+") & set(line)
        )
        if runs and runs[-1][1] == drawn:
            runs[-1][0].append(line)
        else:
            runs.append(([line], drawn))
    return runs

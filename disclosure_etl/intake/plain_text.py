"""Plain text (.txt): running text, and the tables that are drawn in it with upright lines, `| 受理申请 | 20 |`.

Not here: text that is one table as a whole (`delimited`).
"""

from __future__ import annotations

import re
from itertools import groupby

from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid

_DRAWN = re.compile(r"\s*[|｜│].*[|｜│]\s*")
_RULE = re.compile(r"[\s|｜│:+=\-—─]+")
_LINE = re.compile(r"[|｜│]")
_LEAST_LINES = 2
_SENTENCE = re.compile(r"[。！？!?]\s*(?:$|[^\s\"',;|])", re.MULTILINE)


def is_running_text(text: str) -> bool:
    """Whether a text has sentences or drawn tables; a table of cells has neither, but for a remark in one cell or two."""
    lines = [line for line in text.splitlines() if line.strip()]
    drawn = sum(bool(_DRAWN.fullmatch(line)) for line in lines)
    sentences = [line for line in lines if _SENTENCE.search(line)]
    return drawn >= _LEAST_LINES or sum(map(len, sentences)) * 3 > sum(map(len, lines))


def read_text(text: str, limits: ReadLimits) -> tuple[tuple[Grid, ...], str]:
    """The tables drawn in a text, and its other lines; where a table stood the lines are blank, so that a span in the running
    text is a span in the file.

    Raises:
        Unreadable: the tables have more cells than the limit (too_large).
    """
    grids: list[Grid] = []
    said: list[str] = []
    for drawn, group in groupby(text.splitlines(), lambda line: bool(_DRAWN.fullmatch(line))):
        lines = list(group)
        if drawn and len(lines) >= _LEAST_LINES:
            rows = [_cells(line) for line in lines if not _RULE.fullmatch(line)]
            cells = sum(map(len, rows))
            if cells > limits.max_cells:
                raise refused("max_cells", cells, limits.max_cells)
            number = len(grids) + 1
            grids.append(Grid(f"table {number}", rows, table=number))  # type: ignore[arg-type]
            said += [" " * len(line) for line in lines]
        else:
            said += lines
    return tuple(grids), "\n".join(said)


def _cells(line: str) -> list[str | None]:
    return [cell.strip().strip("*").strip() or None for cell in _LINE.split(line.strip())[1:-1]]

"""Plain text (.txt): running text, and the tables that are drawn in it with upright lines, `| 受理申请 | 20 |`.

Not here: text that is one table as a whole (`delimited`).
"""

from __future__ import annotations

import re
from collections import Counter

from disclosure_etl.intake.laid_out import SpanningCell, Tables
from disclosure_etl.settings import ReadLimits
from schemas.documents import Grid

_DRAWN = re.compile(r"\s*[|｜│┃].*[|｜│┃]\s*")
_UPRIGHT = re.compile(r"[|｜│┃]")
_RULE = re.compile(r"[\s|｜│┃:+=\-—─━┼├┤┬┴┌┐└┘]+")
_LINE = re.compile(r"(?<!\\)[|｜│┃]")
_LEAST_LINES = 2
_ENOUGH = 400  # lines that tell what a text is
_SENTENCE = re.compile(r"[。！？!?]\s*(?:$|[^\s\"',;|])", re.MULTILINE)
_SAID = re.compile(r"[\u4e00-\u9fff]\d[\d,.]*[\u4e00-\u9fff%]")
_ENOUGH_SAID = 3  # figures between words in one line; a date has two
_DELIMITERS = ",\t;|"


def is_running_text(text: str) -> bool:
    """Whether a text has drawn tables, or says something without being a table: of one at least half of the lines are split
    alike, and a sentence in it is a remark."""
    lines = [line for line in text.splitlines()[:_ENOUGH] if line.strip()]
    head = "\n".join(lines)
    if _UPRIGHT.search(head) and sum(bool(_DRAWN.fullmatch(line)) for line in lines) >= _LEAST_LINES:
        return True
    if not _SENTENCE.search(head) and not (
        len(_SAID.findall(head)) >= _ENOUGH_SAID and any(len(_SAID.findall(line)) >= _ENOUGH_SAID for line in lines)
    ):
        return False
    for sign in _DELIMITERS:
        alike = Counter(count for line in lines if (count := line.count(sign)))
        if alike and (most := alike.most_common(1)[0][1]) >= _LEAST_LINES and most * 2 >= len(lines):
            return False
    return True


def read_text(text: str, limits: ReadLimits) -> tuple[tuple[Grid, ...], str]:
    """The tables drawn in a text, and its other lines; where a table stood the lines are blank, so that a span in the running
    text is a span in the file.

    Raises:
        Unreadable: the tables have more cells than the limit (too_large).
    """
    tables, grids, said = Tables(limits), [], []
    for lines, drawn in _runs(text):
        if drawn and len(lines) >= _LEAST_LINES:
            rows = [_cells(line) for line in lines if not _RULE.fullmatch(line)]
            grids.append(tables.grid(tables.number(), rows))
            said += [" " * len(line) for line in lines]
        else:
            said += lines
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

"""Texts of a document as they may be shown on a terminal, whoever wrote them: without signs that command one.

Not here: names of files (`sources.names`).
"""

from __future__ import annotations

import re
from dataclasses import replace

from schemas.documents import Grid

# Escape sequences begin with one of these; a text or a figure has none of them.
_COMMAND = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")  # U+0085 is a line's end on mainframes


def legible(text: str) -> str:
    """The text, with U+FFFD for each control sign."""
    return _COMMAND.sub("\ufffd", text) if _COMMAND.search(text) else text


def legible_grid(grid: Grid) -> Grid:
    """The grid with all its texts legible; one look at all of them, since hardly any needs a change."""
    texts = [value for row in grid.values for value in row if type(value) is str]
    if not _COMMAND.search("".join((grid.name, *texts, *grid.displays.values()))):
        return grid
    return replace(
        grid,
        name=legible(grid.name),
        values=[[legible(value) if type(value) is str else value for value in row] for row in grid.values],
        displays={place: legible(text) for place, text in grid.displays.items()},
    )

"""The printed lines of a page, and the pieces that they fall into where signs stand far apart. Not here: tables (`pdf_columns`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Sign = dict[str, Any]  # as pdfplumber gives it
_WIDE = 1.2  # of the size of a sign: running text has no such hole
_OFF_LINE = 0.5  # of the size: signs whose middles are further apart are of two lines


@dataclass(frozen=True)
class Piece:
    """Signs of a line that stand together."""

    signs: tuple[Sign, ...]

    @cached_property
    def text(self) -> str:
        """What it says."""
        return "".join(sign["text"] for sign in self.signs)

    @cached_property
    def left(self) -> float:
        """Where it begins."""
        return float(self.signs[0]["x0"])

    @cached_property
    def right(self) -> float:
        """Where it ends."""
        return float(max(sign["x1"] for sign in self.signs))

    @property
    def middle(self) -> float:
        """Its middle, across."""
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Line:
    """Pieces at one height, from left to right."""

    pieces: tuple[Piece, ...]
    top: float
    bottom: float

    @property
    def size(self) -> float:
        """Its height."""
        return self.bottom - self.top


def printed_lines(signs: Iterable[Sign]) -> list[Line]:
    """The lines of a page, from above."""
    rows: list[tuple[float, float, list[Sign]]] = []  # middle and size of the largest sign
    for sign in sorted(signs, key=lambda one: (one["top"] + one["bottom"], one["x0"])):
        if not sign["text"].strip():
            continue
        middle, size = (sign["top"] + sign["bottom"]) / 2, float(sign["size"])
        if rows and middle - rows[-1][0] < max(size, rows[-1][1]) * _OFF_LINE:
            if size > rows[-1][1]:
                rows[-1] = (middle, size, rows[-1][2])
            rows[-1][2].append(sign)
        else:
            rows.append((middle, size, [sign]))
    return [_line(found, middle, size) for middle, size, found in rows]


def _line(signs: Sequence[Sign], middle: float, size: float) -> Line:
    """As tall as its signs are said to be: some fonts leave much room above and below, which lines share."""
    pieces = tuple(Piece(tuple(one)) for one in _apart(sorted(signs, key=lambda one: one["x0"]), size * _WIDE))
    return Line(pieces, middle - size / 2, middle + size / 2)


def _apart(signs: Sequence[Sign], wide: float) -> Iterator[list[Sign]]:
    piece = [signs[0]]
    for sign in signs[1:]:
        if sign["x0"] - max(one["x1"] for one in piece[-3:]) > wide:
            yield piece
            piece = []
        piece.append(sign)
    yield piece

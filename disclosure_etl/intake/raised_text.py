"""Raised, lowered and struck-out digits, in the text of a workbook's cells before all: 123 with a small 1 behind it is no 1231.

The values that the engine gives have lost which signs were raised; they are put back as the signs that exist for it (¹), which
every later reading knows as marks. Not here: what a mark means (`figures`, `lexicon`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

from schemas.documents import CellValue

_STRUCK = re.compile(rb'<(?:\w+:)?strike(?:\s*/>|\s+val="(?:1|true|on)")')
_ITEM = re.compile(rb"<(?:\w+:)?(si)\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?si>)", re.DOTALL)
_RUN = re.compile(rb"<(?:\w+:)?r>(.*?)</(?:\w+:)?r>", re.DOTALL)
_TEXT = re.compile(rb"<(?:\w+:)?t\b[^>]*?>(.*?)</(?:\w+:)?t>", re.DOTALL)
_VERTICAL = re.compile(rb'<(?:\w+:)?vertAlign\s+val="(superscript|subscript)"')
_CELL = re.compile(
    rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*?\bt="(s|inlineStr)"[^>]*>(.*?)</(?:\w+:)?c>', re.DOTALL
)
_INDEX = re.compile(rb"<(?:\w+:)?v>(\d+)</")
_RAISED = str.maketrans("0123456789+-=()()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾⁽⁾")
_LOWERED = str.maketrans("0123456789+-=()()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎₍₎")


def has_marks(part: bytes) -> bool:
    """Whether anything in a part of a workbook may be raised, lowered or struck out."""
    return b"vertAlign" in part or b"strike" in part  # a pattern would take ten times as long


def raised(text: str) -> str:
    """The signs that exist for raised digits."""
    return text.translate(_RAISED)


def lowered(text: str) -> str:
    """The signs that exist for lowered digits."""
    return text.translate(_LOWERED)


def raised_texts(shared: bytes) -> dict[int, str]:
    """Of a workbook's shared texts those with a raised, lowered or struck-out part, by number."""
    if not has_marks(shared):
        return {}
    items = (found[2] or b"" for found in _ITEM.finditer(shared))
    return {at: text for at, item in enumerate(items) if has_marks(item) and (text := _joined(item)) is not None}


def raise_texts(values: list[list[CellValue]], xml: bytes, shared: Mapping[int, str]) -> None:
    """Put such texts into the values of a sheet, which begin at A1."""
    for letters, line, kind, content in _CELL.findall(xml):
        if kind == b"s":
            index = _INDEX.search(content)
            text = shared.get(int(index[1])) if index else None
        else:
            text = _joined(content) if has_marks(content) else None
        row, column = int(line) - 1, _column(letters)
        if text is not None and row < len(values) and column < len(values[row]):
            values[row][column] = text


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _joined(item: bytes) -> str | None:
    """The text of all runs, with the signs of raised ones and without what is struck out; None where nothing is either."""
    parts, any_raised = [], False
    for run in _RUN.findall(item):
        text = "".join(unescape(one.decode("utf-8", "replace")) for one in _TEXT.findall(run))
        if _STRUCK.search(run):  # a clerk strikes 5 and writes 7 behind it
            text, any_raised = "", True
        elif vertical := _VERTICAL.search(run):
            text, any_raised = (raised if vertical[1] == b"superscript" else lowered)(text), True
        parts.append(text)
    return "".join(parts) if any_raised else None

"""Names of files as they may be shown and stored: legible, without control characters, never leading elsewhere.

Not here: looking at any file.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePosixPath

_HIDDEN = (".", "~$")
_NOT_YET = (".part", ".tmp", ".crdownload", ".swp", ".filepart", ".lock")
_CONTROLS = ("Cc", "Cf", "Zl", "Zp")  # also what turns the direction of writing and so hides a suffix


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or the lock that an office program leaves beside an open file."""
    return name.startswith(_HIDDEN) and name not in (".", "..")


def is_not_yet(name: str) -> bool:
    """Whether the name says that the file is not finished."""
    return os.path.splitext(name)[1].lower() in _NOT_YET


def is_passed_over(path: str) -> bool:
    """Whether a file is none of ours, by its path below the source."""
    parts = PurePosixPath(path).parts
    return any(map(is_hidden, parts)) or is_not_yet(path)


def legible(name: str) -> str:
    """A name as text. One that is no UTF-8 was packed on a Chinese Windows, nearly always."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name


def clean_name(name: str) -> str:
    """A path below a source as a name: legible, one line, and no way out of anywhere."""
    shown = legible(name)
    if not shown.isprintable():  # most are; looking at each sign takes longer than all else about a file that is known
        shown = "".join("\ufffd" if unicodedata.category(sign) in _CONTROLS else sign for sign in shown)
    parts = [part for part in shown.replace("\\", "/").split("/") if part.strip() not in ("", ".", "..")]
    return "/".join(parts) or "unnamed"


class DistinctNames:
    """Gives each of the names of one listing that would be alike a number, in the order in which they come."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, name: str) -> str:
        """`name` cleaned, and numbered where it was given before."""
        wanted = given = clean_name(name)
        number = 1
        while given in self._given:
            number += 1
            stem, suffix = os.path.splitext(wanted)
            given = f"{stem} ({number}){suffix}"
        self._given.add(given)
        return given

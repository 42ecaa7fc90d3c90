"""The number format that a displayed text shows, for files that tell value and text but no format code (.ods).

With it, such a cell is read exactly as one of a workbook with that format. Not here: what a format displays (`displayed`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from disclosure_etl.intake.displayed import displayed

_SHOWN = re.compile(r"(?P<before>[^0-9.]*)(?P<whole>\d{1,3}(?:,\d{3})+|\d*)(?P<fraction>\.\d+)?(?P<after>[^0-9.]*)")


@lru_cache(maxsize=20_000)
def format_shown(value: float, text: str) -> str | None:
    """The format under which `value` displays as `text`; None where none is found, so that the two differ."""
    found = _SHOWN.fullmatch(text)
    if found is None:
        return None
    if not found["whole"] and not found["fraction"]:
        code = f"0;0;{_quoted(text)}"
        return code if value == 0 else None
    whole = "#,##0" if "," in found["whole"] else "0" if found["whole"] else "#"
    digits = whole + (f".{'0' * (len(found['fraction']) - 1)}" if found["fraction"] else "")
    number = f"{_quoted(found['before'])}{digits}{_quoted(found['after'])}"
    for code in ("General", number, f"0;{number}"):
        if (shown := displayed(value, code)) is not None and shown.text == text:
            return code
    return None


def _quoted(text: str) -> str:
    """Literal text in a format, but for the sign that makes a percentage."""
    return "".join("%" if part == "%" else f'"{part}"' for part in re.split("(%)", text.replace('"', "")) if part)

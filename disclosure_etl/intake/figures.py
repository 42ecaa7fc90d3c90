"""What one cell's content means: a number as people write it, a blank, a 'not applicable', or words.

Not here: whether the figure may stand where it stands (`interpreter` scales it, `quality` judges it).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from disclosure_etl.intake.displayed import displayed, stored_decimal
from schemas.documents import CellValue, Oddity
from schemas.values import Figure, Meaning, Trouble

_NOT_APPLICABLE = frozenset(
    {"/", "\\", "-", "--", "---", "—", "——", "–", "―", "――", "无", "不适用", "n/a", "na", "不涉及"}
)
_NOTHING = frozenset({"未收到申请", "未收到", "没有收到", "未发生", "没有发生"})
_ERROR = re.compile(r"#(?:DIV/0!|REF!|NAME\?|VALUE!|NUM!|NULL!|N/A|SPILL!|CALC!|#+)", re.IGNORECASE)
_RAISED = "⁰-₎²³¹"  # super- and subscripts: NFKC would make digits of them, and 152 of 15²
_FOOTNOTES = re.compile(rf"[①-⓿❶-➓*※{_RAISED}]+$|^[①-⓿❶-➓{_RAISED}]+")
_RAISED_SIGN = re.compile(f"[{_RAISED}]")
_UNITS = r"(?:条|件|人次|人|次|个|篇|元|项|份|起|宗|户|家)"
_NUMBER = re.compile(
    rf"(?P<sign>[-+]?)(?P<yuan>[¥¥]?)(?P<digits>\d{{1,3}}(?:,\d{{3}})+|\d+)(?P<fraction>\.\d+)?"
    rf"(?P<scale>[万亿]?)(?P<unit>{_UNITS}|%)?"
)
_GROUPED = re.compile(rf"[-+]? ?[¥¥]? ?\d{{1,3}}(?: \d{{3}})+(?:\.\d+)? ?[万亿]? ?(?:{_UNITS}|%)?")
_HAN_NUMBER = re.compile(rf"(?P<han>[零〇一二两三四五六七八九十百千万]+)(?P<unit>{_UNITS})?")
_HAN_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_SCALES = {"": 0, "万": 4, "亿": 8}

_BLANK = Figure("", None, Meaning.BLANK)


def figure(
    value: CellValue, number_format: str | None = None, display: str | None = None, oddity: Oddity | None = None
) -> Figure:
    """Read one cell.

    Args:
        value: as the file holds it; number_format: its format code, None for General; display: the text as displayed
            where the file tells it apart from value and format; oddity: what else the file says of the cell.
    """
    if oddity is Oddity.ERROR_VALUE:
        return Figure(display or str(value or ""), None, Meaning.ERROR, trouble=Trouble.ERROR_VALUE)
    if oddity is Oddity.UNCALCULATED:
        return Figure("", None, Meaning.ERROR, trouble=Trouble.UNCALCULATED)
    if oddity is Oddity.DISPLAY_DIFFERS and display is not None:
        shown = _text_figure(display)
        if shown.number is None:
            return Figure(shown.text, None, Meaning.TEXT, trouble=Trouble.TEXT, stored=str(value))
        return Figure(
            shown.text, shown.number, shown.meaning, shown.decimals, shown.percent, Trouble.DISPLAY_DIFFERS, str(value)
        )
    if value is None:
        return _BLANK
    if isinstance(value, bool):
        return Figure(str(value).upper(), None, Meaning.TEXT, trouble=Trouble.TEXT)
    if isinstance(value, int | float):
        return _stored_figure(value, number_format)
    if isinstance(value, datetime | date):
        text = display or (value.strftime("%Y-%m-%d") if isinstance(value, datetime) else value.isoformat())
        return Figure(text, None, Meaning.TEXT, trouble=Trouble.TEXT)
    return _text_figure(display if display is not None else str(value))


def _stored_figure(value: float | int, number_format: str | None) -> Figure:
    if value != value or value in (float("inf"), float("-inf")):
        return Figure(str(value), None, Meaning.ERROR, trouble=Trouble.ERROR_VALUE)
    shown = displayed(value, number_format)
    if shown is None:
        return Figure(f"{stored_decimal(value):f}", None, Meaning.TEXT, trouble=Trouble.TEXT)
    stored = stored_decimal(value)
    meaning = Meaning.ZERO if shown.number == 0 else Meaning.NUMBER
    scale = Decimal(100) if shown.percent else Decimal(1)
    # A percentage is computed and shown rounded; any other number that shows as another was typed as that other.
    if not shown.percent and stored * scale != shown.number:
        return Figure(
            shown.text, shown.number, meaning, shown.decimals, shown.percent, Trouble.DISPLAY_DIFFERS, f"{stored:f}"
        )
    return Figure(shown.text, shown.number, meaning, shown.decimals, shown.percent)


@lru_cache(maxsize=65536)
def _text_figure(raw: str) -> Figure:
    text = raw.strip().strip("\u00a0\u3000\u200b\ufeff")
    bare = _FOOTNOTES.sub("", text)
    if _RAISED_SIGN.search(bare):
        return Figure(text, None, Meaning.TEXT, trouble=Trouble.TEXT)
    plain = unicodedata.normalize("NFKC", bare)
    plain = _closed_up(plain).replace("−", "-")
    if not plain:
        return Figure(
            text, None, Meaning.BLANK if not text else Meaning.TEXT, trouble=Trouble.TEXT if text else Trouble.NONE
        )
    if plain.lower() in _NOT_APPLICABLE:
        return Figure(text, None, Meaning.NOT_APPLICABLE)
    if plain in _NOTHING:
        return Figure(text, Decimal(0), Meaning.ZERO, 0)
    if _ERROR.fullmatch(plain):
        return Figure(text, None, Meaning.ERROR, trouble=Trouble.ERROR_VALUE)
    if found := _NUMBER.fullmatch(plain):
        return _digits(text, found)
    if (found := _HAN_NUMBER.fullmatch(plain)) and (number := _han(found["han"])) is not None:
        return Figure(text, Decimal(number), Meaning.NUMBER if number else Meaning.ZERO, 0)
    return Figure(text, None, Meaning.TEXT, trouble=Trouble.TEXT)


def _closed_up(text: str) -> str:
    """Without the white space that separates nothing: `12 件`, `1 234`. Two numbers in one cell stay two."""
    words = " ".join(text.split())
    if _GROUPED.fullmatch(words):
        return words.replace(" ", "")
    return re.sub(r"(?<![0-9.,]) | (?![0-9.,])", "", words)


def _digits(text: str, found: re.Match[str]) -> Figure:
    try:
        number = Decimal(found["sign"] + found["digits"].replace(",", "") + (found["fraction"] or ""))
    except InvalidOperation:  # pragma: no cover - the pattern admits nothing that Decimal refuses
        return Figure(text, None, Meaning.TEXT, trouble=Trouble.TEXT)
    shift = _SCALES[found["scale"]]
    decimals = max(len(found["fraction"] or ".") - 1 - shift, 0)
    number = number.scaleb(shift)
    return Figure(text, number, Meaning.NUMBER if number else Meaning.ZERO, decimals, found["unit"] == "%")


def _han(text: str) -> int | None:
    """A Chinese numeral: 十二, 三百零五, 两千, 一万二千; digits alone: 二〇一四. None if it is none, or may mean two."""
    if all(sign in _HAN_DIGITS for sign in text):
        return int("".join(str(_HAN_DIGITS[sign]) for sign in text)) if len(text) == 1 or "〇" in text else None
    if "万" in text:
        high, _, low = text.partition("万")
        above, below = _han(high), _han(low) if low else 0
        if above is None or below is None or below >= 10_000 or (0 < below < 1000 and low[0] not in "零〇"):
            return None
        return above * 10_000 + below
    total, digit, last_unit = 0, None, 10_000
    for sign in text:
        if sign in _HAN_DIGITS:
            if digit not in (None, 0):
                return None
            digit = _HAN_DIGITS[sign]
        else:
            unit = _HAN_UNITS[sign]
            if unit >= last_unit or (digit is None and not (sign == "十" and total == 0)) or digit == 0:
                return None
            total += (1 if digit is None else digit) * unit
            digit, last_unit = None, unit
    # 三千五 is said for 3500 and for 3005: without a 零 only a unit digit after tens is plain.
    if digit and last_unit not in (10, 10_000) and text[-2] not in "零〇":
        return None
    return total + (digit or 0)

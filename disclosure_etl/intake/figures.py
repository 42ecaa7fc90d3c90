"""What one cell's content means: a number as people write it, a blank, a 'not applicable', or words.

Not here: how a number is written (`written_numbers`), whether it may stand where it stands (`cell_values` scales it,
`quality` judges it).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from disclosure_etl.intake.displayed import adds_digits, displayed, stored_decimal
from disclosure_etl.intake.written_numbers import closed_up, written_number
from schemas.documents import CellValue, Oddity
from schemas.values import Figure, Meaning, Trouble

_NOT_APPLICABLE = {
    "/", "\\", "-", "--", "---", "—", "——", "———", "–", "――", "―", "─", "──", "...", "无", "暂无", "不适用", "不涉及", "空",
    "(空)", "(无)", "(不适用)", "n/a", "na", "n.a.", "nil", "none", "null",
}  # fmt: skip
_NOTHING = {
    "没有", "没有收到", "未收到", "未收到申请", "没有收到申请", "未收到任何申请", "未受理", "未发生", "没有发生", "未产生", "无申请",
    "无此类申请", "零报告",
}  # fmt: skip
_ERROR = re.compile(r"#(?:DIV/0!|REF!|NAME\?|VALUE!|NUM!|NULL!|N/A|SPILL!|CALC!|#+)", re.IGNORECASE)
_SPACES = " \t\r\n\f\v\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff"
_AROUND = re.compile(rf"^[{_SPACES}]+|[{_SPACES}]+$")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_FOOTNOTE = re.compile(r"(?<=.)(?:\[注?[0-9]{1,2}\]|〔注?[0-9]{1,2}〕|【注?[0-9]{1,2}】|\(?注[0-9]{0,2}\)?|[*※†‡]+)$")
_STOPS = re.compile(r"(?<=.)[。;;]+$")
# A figure that is not told exactly. What is left without these words has to be a number.
_ABOUT = re.compile(
    r"^(?:大约|大概|约为|约有|约|近|接近|将近|超过|逾|不足|不到|不少于|不低于|至少|最少|最多|至多|[>≥<≤~≈±])=?"
    r"|[多余](?=[万亿]|[^0-9万亿]*$)|(?:左右|上下|以上|以下|以内|不等|许|\+)$"
)
_SOME = re.compile(
    r"(?:数|几|好几|上)[十百千万亿]+[^0-9]{0,3}|若干[^0-9]{0,3}|[十百千万]+[多余][^0-9]{0,3}|近[十百千万]+[^0-9]{0,2}"
)

_BLANK = Figure("", None, Meaning.BLANK)
_CONDITION = re.compile(r"\[[<>=]")


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
    if number_format is not None and adds_digits(number_format):  # 0"0" shows 5 as 50, "12" whatever it is as 12
        seen = _text_figure(shown.text) if not _CONDITION.search(number_format) else _BLANK
        if seen.number != shown.number:
            trouble = Trouble.TEXT if seen.number is None else Trouble.DISPLAY_DIFFERS
            meaning = Meaning.TEXT if seen.number is None else seen.meaning
            return Figure(shown.text, seen.number, meaning, seen.decimals, seen.percent, trouble, f"{stored:f}")
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
    text = _AROUND.sub("", raw)
    if not text:
        return _BLANK
    words = Figure(text, None, Meaning.TEXT, trouble=Trouble.TEXT)
    bare = _without_marks(text)
    if bare is None:
        return words
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", bare))
    plain = closed_up(plain).replace("−", "-")
    if plain[:1] in ("'", "’", "‘", "`"):  # how spreadsheets are told to take a number as text
        plain = plain[1:]
    plain = _FOOTNOTE.sub("", _STOPS.sub("", plain))
    if plain.lower() in _NOT_APPLICABLE:
        return Figure(text, None, Meaning.NOT_APPLICABLE)
    if plain in _NOTHING:
        return Figure(text, Decimal(0), Meaning.ZERO, 0, interpreted=True)
    if _ERROR.fullmatch(plain):
        return Figure(text, None, Meaning.ERROR, trouble=Trouble.ERROR_VALUE)
    if (found := written_number(plain)) is not None:
        meaning = Meaning.NUMBER if found.number else Meaning.ZERO
        return Figure(
            text, found.number, meaning, found.decimals, found.percent, unit=found.unit, interpreted=found.interpreted
        )
    return replace(words, trouble=Trouble.APPROXIMATE) if _is_approximate(plain) else words


def _without_marks(text: str) -> str | None:
    """The text without footnote marks at its ends; None where such a sign stands inside it.

    Circled and raised digits are marks: normalising would make figures of them, and 152 of 15².
    """
    first, last = 0, len(text)
    while first < last and _is_mark(text[first]):
        first += 1
    while last > first and (_is_mark(text[last - 1]) or text[last - 1].isspace()):
        last -= 1
    bare = text[first:last]
    if not bare or any(_is_numeral_sign(sign) for sign in bare):
        return None
    return bare


def _is_numeral_sign(sign: str) -> bool:
    """Whether a sign is a number by itself and yet no digit: ①, ², ½, ㈠, ⒈."""
    return not sign.isascii() and unicodedata.category(sign) == "No"


def _is_mark(sign: str) -> bool:
    return (_is_numeral_sign(sign) and "<fraction>" not in unicodedata.decomposition(sign)) or sign in "⁺⁻⁼⁽⁾₊₋₌₍₎"


def _is_approximate(plain: str) -> bool:
    if _SOME.fullmatch(plain):
        return True
    rest = _ABOUT.sub("", plain)
    return rest != plain and (written_number(rest) is not None or bool(_SOME.fullmatch(rest)))

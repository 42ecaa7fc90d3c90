"""What a spreadsheet shows for a stored number under a number format, and so how many decimals stand printed.

Covers the formats that figures are given. Under a format of dates or times a number is no figure; under any other that is
not understood (fractions, powers, conditions) it is the number that is stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum, auto
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Displayed:
    """The text on the sheet, the number that it says, its printed decimals, and whether it is a percentage."""

    text: str
    number: Decimal
    decimals: int
    percent: bool


@dataclass(frozen=True, slots=True)
class _Section:
    prefix: str
    suffix: str
    whole: str  # the signs before the point and after it, commas taken out
    fraction: str
    grouped: bool
    scale: int  # powers of a thousand that are dropped by trailing commas
    percent: bool
    general: bool = False


class _Special(Enum):
    DATE = auto()  # of days, hours, durations
    AS_STORED = auto()  # not understood, and of numbers


_SIGN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.|.')
_DIGITS = re.compile(r"[#0?,.]+")
_LITERAL = r'(?:"[^"]*"|\\.|\[[^\]]*\]|_.|\*.|[-+() ¥$])*'
_GENERAL = re.compile(rf"({_LITERAL})General({_LITERAL})", re.IGNORECASE)
_CURRENCY = re.compile(r"\[\$([^-\]]*)(?:-[^\]]*)?\]")
_DURATION = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_POWER = re.compile(r"E[+-]", re.IGNORECASE)
_EXACT = Context(prec=400)  # any float, to any number of decimals


def stored_decimal(value: float | int) -> Decimal:
    """The decimal number that a spreadsheet means by a stored float: its first 15 significant digits."""
    if isinstance(value, int):
        return Decimal(value)
    if value.is_integer() and abs(value) < 1e15:
        return Decimal(int(value))
    return Decimal(f"{value:.15g}")


@lru_cache(maxsize=1024)
def _sections(number_format: str) -> tuple[_Section | _Special, ...]:
    return tuple(_section(part) for part in _split(number_format))


def _split(number_format: str) -> list[str]:
    parts = [""]
    for sign in _SIGN.findall(number_format):
        if sign == ";":
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _literal(sign: str) -> str | None:
    """The text that a sign of a format stands for; None where it is none by itself."""
    if sign.startswith('"'):
        return sign[1:-1] if len(sign) > 1 else ""
    if sign.startswith("\\"):
        return sign[1:]
    if sign.startswith("["):
        currency = _CURRENCY.fullmatch(sign)
        return currency[1] if currency else ""
    if sign.startswith(("_", "*")):
        return ""
    return None


@lru_cache(maxsize=1024)
def adds_digits(number_format: str) -> bool:
    """Whether a format shows digits that are no part of the number: `0"0"` shows 5 as 50."""
    signs = (sign for sign in _SIGN.findall(number_format) if sign[0] in '"\\')
    return any(letter.isdigit() for sign in signs for letter in sign)


def _words(text: str) -> str:
    literals = ((sign, _literal(sign)) for sign in _SIGN.findall(text))
    return "".join(sign if literal is None else literal for sign, literal in literals)


def _section(part: str) -> _Section | _Special:
    if found := _GENERAL.fullmatch(part):
        before, after = (_words(text) for text in found.groups())
        return _Section(before, after, "0", "", False, 0, False, general=True)
    special = _special(part)
    if special is not None:
        return special
    prefix, digits, suffix = "", "", ""
    percent = False
    for sign in _SIGN.findall(part):
        literal = _literal(sign)
        if literal is None:
            if sign in "#0?,.":
                if suffix:
                    return _Special.AS_STORED
                digits += sign
                continue
            literal = sign
            percent = percent or sign == "%"
        if digits:
            suffix += literal
        else:
            prefix += literal
    if not re.search(r"[0#?]", digits):
        return _Section(prefix + digits + suffix, "", "", "", False, 0, False)
    scale = len(digits) - len(digits.rstrip(","))
    digits = digits.rstrip(",")
    whole, _, fraction = digits.partition(".")
    return _Section(prefix, suffix, whole.replace(",", ""), fraction.replace(",", ""), "," in whole, scale, percent)


def _special(part: str) -> _Special | None:
    """Whether a section is one of dates, or else is nothing that is understood here."""
    signs = _SIGN.findall(part)
    if any(_DURATION.fullmatch(sign) for sign in signs):
        return _Special.DATE
    if any(sign[:1] == "[" and sign[1:2] in ("<", ">", "=") for sign in signs):
        return _Special.AS_STORED
    bare = "".join(sign for sign in signs if _literal(sign) is None)
    if _POWER.search(bare):
        return _Special.AS_STORED
    if any(sign in "yYmMdDhHsSeEgGbBaA" for sign in bare):
        return _Special.DATE
    if any(sign == "/" or sign == "@" or (sign.isalpha() and sign.isascii()) for sign in bare):
        return _Special.AS_STORED
    return None


def displayed(value: float | int, number_format: str | None) -> Displayed | None:
    """What stands on the sheet, or None where the format is one of dates or times.

    Numbers are rounded half away from zero on their decimal digits, as spreadsheets do.
    """
    stored = stored_decimal(value)
    if number_format is None or number_format in ("General", "@", ""):
        return _as_stored(stored)
    sections = _sections(number_format)
    section = sections[0]
    sign = "-" if stored < 0 else ""
    if stored < 0 and len(sections) > 1:
        section, sign = sections[1], ""
    elif stored == 0 and len(sections) > 2:
        section = sections[2]
    if section is _Special.DATE:
        return None
    if not isinstance(section, _Section):
        return _as_stored(stored)
    if not section.whole and not section.fraction:  # words only, as "-" for zero: the number is there all the same
        plain = _as_stored(stored)
        return replace(plain, text=section.prefix.strip() or plain.text)
    if section.general:
        text = f"{abs(stored):f}"
        return Displayed(f"{sign}{section.prefix}{text}{section.suffix}", stored, len(text.partition(".")[2]), False)
    shown = _EXACT.multiply(stored, Decimal(100)) if section.percent else stored
    shown = _EXACT.scaleb(shown, -3 * section.scale)
    rounded = shown.quantize(Decimal(1).scaleb(-len(section.fraction)), ROUND_HALF_UP, _EXACT)
    if rounded == 0:
        sign = ""
    text, decimals = _digits_shown(_EXACT.abs(rounded), section)
    return Displayed(f"{sign}{section.prefix}{text}{section.suffix}", rounded, decimals, section.percent)


def _as_stored(stored: Decimal) -> Displayed:
    text = f"{stored:f}"
    return Displayed(text, stored, len(text.partition(".")[2]), False)


def _digits_shown(number: Decimal, section: _Section) -> tuple[str, int]:
    """The digits on the sheet and how many of them are decimals: `0` is always printed, `#` and `?` where needed."""
    whole, point, fraction = (f"{number:,f}" if section.grouped else f"{number:f}").partition(".")
    printed = len(fraction)
    while printed and fraction[printed - 1] == "0" and section.fraction[printed - 1] != "0":
        printed -= 1
    blanks = section.fraction[printed:].count("?")
    if whole == "0" and "0" not in section.whole:
        whole = ""
    whole = whole.rjust(section.whole.count("0"), "0")
    point = point if printed or section.fraction else ""
    return f"{whole}{point}{fraction[:printed]}{' ' * blanks}", printed

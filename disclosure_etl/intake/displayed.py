"""What a spreadsheet shows for a stored number under a number format, and so how many decimals stand printed.

Covers the formats that figures are given; of others (dates, fractions) it says that it does not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
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


_SIGN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.|.')
_DIGITS = re.compile(r"[#0?,.]+")
_GENERAL = re.compile(r'((?:"[^"]*"|\\.)*)General((?:"[^"]*"|\\.)*)', re.IGNORECASE)
_EXACT = Context(prec=400)  # any float, to any number of decimals


def stored_decimal(value: float | int) -> Decimal:
    """The decimal number that a spreadsheet means by a stored float: its first 15 significant digits."""
    if isinstance(value, int):
        return Decimal(value)
    if value.is_integer() and abs(value) < 1e15:
        return Decimal(int(value))
    return Decimal(f"{value:.15g}")


@lru_cache(maxsize=1024)
def _sections(number_format: str) -> tuple[_Section | None, ...]:
    sections: list[_Section | None] = []
    for part in _split(number_format):
        sections.append(_section(part))
    return tuple(sections)


def _split(number_format: str) -> list[str]:
    parts = [""]
    for sign in _SIGN.findall(number_format):
        if sign == ";":
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _section(part: str) -> _Section | None:
    if found := _GENERAL.fullmatch(part):
        before, after = (re.sub(r'"([^"]*)"|\\(.)', r"\1\2", text) for text in found.groups())
        return _Section(before, after, "0", "", False, 0, False, general=True)
    prefix, digits, suffix = "", "", ""
    percent = False
    for sign in _SIGN.findall(part):
        literal = ""
        if sign.startswith('"'):
            literal = sign[1:-1]
        elif sign.startswith("\\"):
            literal = sign[1:]
        elif sign.startswith("["):
            if re.fullmatch(r"\[(?:h+|m+|s+)\]", sign, re.IGNORECASE):
                return None  # a duration
            if sign[1:2] in ("<", ">", "="):
                return None  # which section is shown depends on the value
            found = re.fullmatch(r"\[\$([^-\]]*)(?:-[^\]]*)?\]", sign)
            literal = found[1] if found else ""
        elif sign.startswith(("_", "*")) and len(sign) == 2:
            continue
        elif _DIGITS.fullmatch(sign):
            if suffix:
                return None
            digits += sign
            continue
        elif sign == "%":
            percent = True
            literal = "%"
        elif sign in "yYmMdDhHsSEeAa/@" or sign.isalpha():
            return None
        else:
            literal = sign
        if digits:
            suffix += literal
        else:
            prefix += literal
    if not re.search(r"[0#?]", digits):
        return None
    scale = len(digits) - len(digits.rstrip(","))
    digits = digits.rstrip(",")
    whole, _, fraction = digits.partition(".")
    return _Section(prefix, suffix, whole.replace(",", ""), fraction.replace(",", ""), "," in whole, scale, percent)


def displayed(value: float | int, number_format: str | None) -> Displayed | None:
    """What stands on the sheet, or None where the format is none of numbers.

    Numbers are rounded half away from zero on their decimal digits, as spreadsheets do.
    """
    stored = stored_decimal(value)
    if number_format is None or number_format in ("General", "@", ""):
        text = f"{stored:f}"
        decimals = len(text.partition(".")[2])
        return Displayed(text, stored, decimals, False)
    sections = _sections(number_format)
    section = sections[0]
    sign = "-" if stored < 0 else ""
    if stored < 0 and len(sections) > 1:
        section, sign = sections[1], ""
    elif stored == 0 and len(sections) > 2:
        section = sections[2]
    if section is None:
        return None
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

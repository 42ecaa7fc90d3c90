"""Chinese numerals as whole numbers: 十二, 廿三, 三百零五, 一亿两千万, 二〇一四, and the forms of invoices (壹仟贰佰).

Not here: units, points and signs around them (`written_numbers`).
"""

from __future__ import annotations

# Invoice forms and traditional ones, each as its everyday sign.
_EVERYDAY = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬億貳參叄陸兩", "一二三四五六七八九十百千万亿二三三六两")
HAN_SIGNS = "零〇一二两三四五六七八九十百千万亿廿卅" + "".join(chr(sign) for sign in _EVERYDAY)
_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = (("亿", 10**8), ("万", 10**4))


def han_number(text: str) -> int | None:
    """The number that a numeral says; None if it is none, or may mean two (三千五 is said for 3500 and for 3005)."""
    return _number(text.translate(_EVERYDAY).replace("廿", "二十").replace("卅", "三十"))


def han_digits(text: str) -> str | None:
    """Digits read out one by one, as behind a point (七五 in 三点七五); None if there is anything else."""
    plain = text.translate(_EVERYDAY)
    return "".join(str(_DIGITS[sign]) for sign in plain) if plain and all(sign in _DIGITS for sign in plain) else None


def _number(text: str) -> int | None:
    if all(sign in _DIGITS for sign in text):
        spelt = len(text) == 1 or "〇" in text
        return int("".join(str(_DIGITS[sign]) for sign in text)) if text and spelt else None
    for sign, size in _LARGE:
        if sign not in text:
            continue
        high, _, low = text.rpartition(sign)
        above, below = _number(high), _number(low.lstrip("零〇") or low) if low else 0
        if above is None or below is None or above == 0 or below >= size:
            return None
        # 一万五 is said for 15000; only with a 零, or with its own thousands, is what follows plain.
        if 0 < below < size // 10 and low[0] not in "零〇":
            return None
        return above * size + below
    return _below_ten_thousand(text)


def _below_ten_thousand(text: str) -> int | None:
    total, digit, last_unit = 0, None, 10_000
    for sign in text:
        if sign in _DIGITS:
            if digit not in (None, 0):
                return None
            digit = _DIGITS[sign]
        else:
            unit = _UNITS[sign]
            if unit >= last_unit or (digit is None and not (sign == "十" and total == 0)) or digit == 0:
                return None
            total += (1 if digit is None else digit) * unit
            digit, last_unit = None, unit
    if digit and last_unit not in (10, 10_000) and text[-2] not in "零〇":
        return None
    return total + (digit or 0)

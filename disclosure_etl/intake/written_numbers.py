"""One number as people write it, with its sign, separators, scale and unit: 1,234, 3.5万元, 负三, 百分之七十五, 叁拾元伍角整.

Nothing is guessed: what may mean two numbers, or is no plain one, is none. Not here: cells, blanks, words that stand for a
figure (`figures`); which unit the form prescribes (`cell_values`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from disclosure_etl.intake.han_numerals import HAN_SIGNS, han_digits, han_number

SCALES = {
    "": 0, "十": 1, "百": 2, "千": 3, "万": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "十亿": 9, "百亿": 10, "千亿": 11,
    "万亿": 12,
}  # fmt: skip
_THINGS = frozenset(
    (
        "条",
        "件",
        "次",
        "个",
        "篇",
        "项",
        "份",
        "起",
        "宗",
        "部",
        "期",
        "场",
        "件次",
        "人次",
        "条次",
        "批次",
        "场次",
        "批",
        "例",
    )
)
_PEOPLE = frozenset(("人", "人次", "名", "位"))
_HOUSEHOLDS = frozenset(("户", "家", "家次"))
COUNTED = sorted(_THINGS | _PEOPLE | _HOUSEHOLDS | {"页", "册", "本"}, key=len, reverse=True)
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
_SCALE = "|".join(sorted(filter(None, SCALES), key=len, reverse=True))
_UNIT = "|".join((*COUNTED, "块钱", "元钱", "元人民币", "圆", "元"))
_SIGN = re.compile(r"负|[-–‐]|\+|[△▲]")
_MONEY = re.compile(r"(?:人民币|RMB|CNY)[::]?|¥", re.IGNORECASE)
_PLAIN = re.compile(rf"(?P<digits>{_DIGITS})(?P<fraction>\.[0-9]+)?(?P<scale>{_SCALE})?(?P<unit>{_UNIT}|%|‰)?整?")
_COMPOUND = re.compile(rf"({_DIGITS})(万亿|亿|万|千|百)({_DIGITS})(千万|百万|万|千|百)({_UNIT})?")
_HAN = re.compile(
    rf"(?P<han>[{HAN_SIGNS}]+)(?:[点點](?P<fraction>[{HAN_SIGNS}]+?)(?P<scale>{_SCALE})?)?(?P<unit>{_UNIT})?[整正]?"
)
_COINS = re.compile(
    rf"(?:(?P<yuan>[0-9]+|[{HAN_SIGNS}]+)[元圆])?零?(?:(?P<jiao>[0-9]|[{HAN_SIGNS}])角)?零?(?:(?P<fen>[0-9]|[{HAN_SIGNS}])分)?[整正]?"
)
_PART_OF = re.compile(r"(?P<of>百|千|万)分之(?P<part>.+)")
# Spaces between groups of three; white space elsewhere inside a number separates two.
_GROUPED = re.compile(rf"[-+]? ?¥? ?[0-9]{{1,3}}(?: [0-9]{{3}})+(?:\.[0-9]+)? ?(?:{_SCALE})? ?(?:{_UNIT}|%)?")


def counts_alike(unit: str, other: str) -> bool:
    """Whether two words for what is counted are used for the same things: 条 and 件, 人 and 人次, never 件 and 元."""
    return unit == other or any({unit, other} <= words for words in (_THINGS, _PEOPLE, _HOUSEHOLDS))


@dataclass(frozen=True, slots=True)
class Written:
    """A number with its printed `decimals`. `unit` is what is written behind it (件, 万元; 万 where a scale stands alone; None
    where there is neither); its scale is in the number already: 3.5万元 is 35000. `interpreted`: it is written so that a
    reader should be told what it was taken for."""

    number: Decimal
    decimals: int
    percent: bool = False
    unit: str | None = None
    interpreted: bool = False


def closed_up(text: str) -> str:
    """Without the white space that separates nothing: `12 件`, `1 234`. Two numbers in one cell stay two."""
    words = " ".join(text.split())
    if _GROUPED.fullmatch(words):
        return words.replace(" ", "")
    return re.sub(r"(?<![0-9.,]) | (?![0-9.,])", "", words)


def written_number(text: str) -> Written | None:
    """The number that `text` says; None if it says none, several, or one of several.

    Args:
        text: in NFKC, without white space.
    """
    if text[:1] == "(" and text[-1:] == ")":  # as in accounts
        inside = _unsigned(text[1:-1])
        return replace(inside, number=-inside.number, interpreted=True) if inside else None
    bare, negative, noted = text, False, False
    if money := _MONEY.match(bare):  # ¥-3 and -¥3
        bare = bare[money.end() :]
    if sign := _SIGN.match(bare):
        bare = bare[sign.end() :]
        negative, noted = sign[0] != "+", sign[0] in "负△▲"
    if found := _unsigned(bare, money is not None):
        number = -found.number if negative else found.number
        return replace(found, number=number, interpreted=found.interpreted or noted)
    return None


def _unsigned(text: str, money: bool = False) -> Written | None:
    if told := _MONEY.match(text):
        text, money = text[told.end() :], True
    found = next((one for one in _readings(text) if one is not None), None)
    if found is None or not money:
        return found
    scale = "" if found.unit is None else found.unit.removesuffix("元")
    return (
        replace(found, unit=f"{scale}元")
        if (found.unit is None or split_unit(found.unit)[1] in ("", "元")) and not found.percent
        else None
    )


def _readings(text: str) -> Iterator[Written | None]:
    if found := _PLAIN.fullmatch(text):
        yield _plain(found)
        return
    if found := _COMPOUND.fullmatch(text):
        yield _compound(found)
    if found := _HAN.fullmatch(text):
        yield _han(found)
    if text and (found := _COINS.fullmatch(text)):
        yield _coins(found)
    if found := _PART_OF.fullmatch(text):
        yield _part_of(found)


def _unit(word: str | None, scale: str | None) -> str | None:
    """The unit as written, all words for 元 as that one."""
    if word is None:
        return scale or None
    return (scale or "") + (word if word in COUNTED else "元")


def split_unit(unit: str) -> tuple[int, str]:
    """A unit as its power of ten and what is counted: 万元 → 4, 元."""
    scale = next((one for one in sorted(SCALES, key=len, reverse=True) if unit.startswith(one)), "")
    return SCALES[scale], unit[len(scale) :]


def _plain(found: re.Match[str]) -> Written | None:
    fraction, unit, shift = found["fraction"] or "", found["unit"], SCALES[found["scale"] or ""]
    number = Decimal(found["digits"].replace(",", "") + fraction)
    decimals = max(len(fraction) - 1, 0)
    if unit in ("%", "‰"):
        if shift:
            return None
        per_mille = unit == "‰"
        return Written(number.scaleb(-1 if per_mille else 0), decimals + per_mille, True, None, per_mille)
    return Written(number.scaleb(shift), max(decimals - shift, 0), False, _unit(unit, found["scale"]))


def _compound(found: re.Match[str]) -> Written | None:
    """1亿2千万, 3万5千: each part smaller than the last one's scale."""
    high, above, low, below, unit = found.groups()
    number = int(high.replace(",", "")) * 10 ** SCALES[above]
    rest = int(low.replace(",", "")) * 10 ** SCALES[below]
    return Written(Decimal(number + rest), 0, False, _unit(unit, above)) if rest < 10 ** SCALES[above] else None


def _han(found: re.Match[str]) -> Written | None:
    whole = han_number(found["han"])
    if whole is None:
        return None
    if found["fraction"] is None:
        return Written(Decimal(whole), 0, False, _unit(found["unit"], None))
    digits, shift = han_digits(found["fraction"]), SCALES[found["scale"] or ""]
    if digits is None:
        return None
    number = Decimal(f"{whole}.{digits}").scaleb(shift)
    return Written(number, max(len(digits) - shift, 0), False, _unit(found["unit"], found["scale"]))


def _coins(found: re.Match[str]) -> Written | None:
    """元, 角 and 分, in digits or in the signs of invoices."""
    values = []
    for name in ("yuan", "jiao", "fen"):
        text = found[name]
        values.append(0 if text is None else int(text) if text.isascii() else han_number(text))
    if None in values or all(found[name] is None for name in ("jiao", "fen")):
        return None
    yuan, jiao, fen = (value or 0 for value in values)
    if jiao > 9 or fen > 9:
        return None
    return Written(Decimal(yuan * 100 + jiao * 10 + fen).scaleb(-2), 2, False, "元")


def _part_of(found: re.Match[str]) -> Written | None:
    """百分之七十五点八三, 千分之5: as a percentage."""
    if found["part"] == "百" and found["of"] == "百":
        return Written(Decimal(100), 0, True)
    part = next((one for one in _readings(found["part"]) if one is not None), None)
    if part is None or part.percent or part.unit is not None:
        return None
    shift = SCALES[found["of"]] - 2
    return Written(part.number.scaleb(-shift), part.decimals + shift, True, None, shift > 0)

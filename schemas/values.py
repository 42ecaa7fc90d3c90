"""What a cell's content means, apart from its number; and the whole numbers that figures are kept as.

A figure is four things at once, none of which overwrites another: text as displayed, number, meaning, locator.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

# In whole-number columns: the figure is not there. Far from every real one (`TOO_LARGE`), so that it is never mistaken.
UNKNOWN = -(2**63)
LARGEST = 10**14  # of a cell's smallest unit: sums over 90,000 returns still fit the warehouse's 64-bit integers


class Meaning(IntEnum):
    """The meaning of a cell. Only NUMBER, ZERO and (where known) NIL carry a number."""

    BLANK = 0
    NUMBER = 1
    ZERO = 2
    NIL = 3
    NOT_APPLICABLE = 4
    TEXT = 5
    ERROR = 6
    NOT_ASKED = 7  # the return's own form did not have the cell

    @property
    def code(self) -> str:
        """Its stable name in JSON and in the warehouse."""
        return self.name.lower()


class Trouble(IntEnum):
    """What hinders taking a cell's content as the figure it should be; NONE for nearly all."""

    NONE = 0
    TEXT = 1  # words where a figure belongs
    ERROR_VALUE = 2  # #DIV/0! and its like
    UNCALCULATED = 3  # a formula that was never calculated
    MERGED = 4  # one figure over several places
    DISPLAY_DIFFERS = 5  # the sheet shows another figure than the file stores: the shown one is taken
    TOO_FINE = 6  # more decimals than the indicator has: a fraction of a count
    TOO_LARGE = 7  # beyond what the warehouse's integers hold
    APPROXIMATE = 8  # about so many, more than so many: no figure
    OTHER_UNIT = 9  # a unit of another kind stands with the number
    INTERPRETED = 10  # taken for a number that is not written as such: told what for

    @property
    def code(self) -> str:
        """Its stable name in rule codes and JSON."""
        return self.name.lower()

    @property
    def is_only_told(self) -> bool:
        """Whether the figure is taken all the same, so that the reading tells of it and rules judge the number."""
        return self in (Trouble.DISPLAY_DIFFERS, Trouble.INTERPRETED)


@dataclass(frozen=True, slots=True)
class Figure:
    """A cell's content as read.

    `number` is as written (a percentage 75.83% is 75.83, with `percent`); `decimals` is how many stand
    printed (23.80 has 2, whatever the file stores); both None without a number. `stored` is the file's own number
    as text where the sheet displays another.
    `unit` is what is written behind it (件, 万元; 万 where a scale stands alone); the number is without that scale, so that
    3.5万元 is 35000. `interpreted`: it is not written as a number (未收到申请 for 0, (3) for -3).
    """

    text: str
    number: Decimal | None
    meaning: Meaning
    decimals: int | None = None
    percent: bool = False
    trouble: Trouble = Trouble.NONE
    stored: str | None = None
    unit: str | None = None
    interpreted: bool = False


def figure_text(number: int, scale: int) -> str:
    """A scaled whole number as decimal text without trailing zeros: (2380, 2) → 23.8."""
    if scale == 0:
        return str(number)
    text = f"{Decimal(number).scaleb(-scale):f}"
    return text.rstrip("0").rstrip(".")

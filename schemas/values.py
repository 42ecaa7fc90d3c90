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

    @property
    def code(self) -> str:
        """Its stable name in rule codes and JSON."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Figure:
    """A cell's content as read.

    `number` is in the unit written (a percentage 75.83% is 75.83, with `percent`); `decimals` is how many stand
    printed (23.80 has 2, whatever the file stores); both None without a number. `stored` is the file's own number
    as text where the sheet displays another.
    """

    text: str
    number: Decimal | None
    meaning: Meaning
    decimals: int | None = None
    percent: bool = False
    trouble: Trouble = Trouble.NONE
    stored: str | None = None


def figure_text(number: int, scale: int) -> str:
    """A scaled whole number as decimal text without trailing zeros: (2380, 2) → 23.8."""
    if scale == 0:
        return str(number)
    text = f"{Decimal(number).scaleb(-scale):f}"
    return text.rstrip("0").rstrip(".")

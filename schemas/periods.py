"""Reporting periods: months, quarters, halves and years; their text, order and nesting.

Not here: due days and holidays (`disclosure_etl.calendar`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache, total_ordering

from schemas.errors import UserError


class Frequency(StrEnum):
    """How often a return is owed."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"

    @property
    def months(self) -> int:
        """Length of one period, in months."""
        return {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}[self.value]

    @property
    def name_zh(self) -> str:
        """As messages say it: 月度, 季度, 半年度, 年度."""
        return {1: "月度", 3: "季度", 6: "半年度", 12: "年度"}[self.months]

    @property
    def name_en(self) -> str:
        """As messages say it: month, quarter, half-year, year."""
        return {1: "month", 3: "quarter", 6: "half-year", 12: "year"}[self.months]

    @property
    def this_zh(self) -> str:
        """The present one, as forms say it: 本月, 本季, 本半年, 本年."""
        return {1: "本月", 3: "本季", 6: "本半年", 12: "本年"}[self.months]


_CODE = re.compile(r"(?P<year>(?:19|20)\d\d)(?:-(?P<month>\d\d)|Q(?P<quarter>[1-4])|H(?P<half>[12]))?")
# As people write them in a header: 2014年5月, 二〇一四年五月, 2014.5, 2014/05, 2014年第2季度, 2014年上半年, 2014年度
_WRITTEN = (
    (re.compile(r"(\d{4})年度?第?([1-4一二三四])季度?"), Frequency.QUARTERLY),
    (re.compile(r"(\d{4})(?:年度?)?([上下])半年度?"), Frequency.HALF_YEARLY),
    (re.compile(r"(\d{4})年(\d{1,2})月(?:份|\d{1,2}日)?"), Frequency.MONTHLY),
    (re.compile(r"(\d{4})[-./](\d{1,2})(?:[-./]\d{1,2})?"), Frequency.MONTHLY),
    (re.compile(r"(\d{4})(\d\d)"), Frequency.MONTHLY),
    (re.compile(r"(\d{4})年度?"), Frequency.YEARLY),
)
_ORDINAL = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}
_HAN_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_HAN_YEAR = re.compile(r"[〇○零一二三四五六七八九]{4}(?=年)")
_HAN_MONTH = re.compile(r"(?<=年)(?:(十)([一二])?|([一二三四五六七八九]))(?=月)")


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """One period: its frequency, year and ordinal within the year (month 1–12, quarter 1–4, half 1–2, year 1)."""

    frequency: Frequency
    year: int
    ordinal: int

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, code: str) -> Period:
        """Read the code of a period: `2014-05`, `2014Q2`, `2014H1`, `2014`; `q` and `h` may be small.

        Raises:
            UserError: the text is no such code.
        """
        found = _CODE.fullmatch(code.strip().upper())
        period = None
        if found:
            year = int(found["year"])
            if found["month"]:
                period = cls._checked(Frequency.MONTHLY, year, int(found["month"]))
            elif found["quarter"]:
                period = cls(Frequency.QUARTERLY, year, int(found["quarter"]))
            elif found["half"]:
                period = cls(Frequency.HALF_YEARLY, year, int(found["half"]))
            else:
                period = cls(Frequency.YEARLY, year, 1)
        if period is None:
            raise UserError(
                f"统计时期「{code}」无法识别;请写成 2014-05(月)、2014Q2(季)、2014H1(半年)或 2014(年)。",
                f"'{code}' is not a period; write 2014-05 (month), 2014Q2 (quarter), 2014H1 (half) or 2014 (year).",
            )
        return period

    @classmethod
    @lru_cache(maxsize=4096)  # thousands of headers tell the same month
    def read(cls, written: str) -> Period | None:
        """Read a period as people write it in a header (`2014年5月`, `2014.05`, `201405`, `二〇一四年五月`), or None.

        A full date stands for its month.
        """
        text = _han_to_digits(re.sub(r"\s+", "", unicodedata.normalize("NFKC", written)))
        if found := _CODE.fullmatch(text.upper()):
            try:
                return cls.parse(found[0])
            except UserError:
                return None
        for pattern, frequency in _WRITTEN:
            if found := pattern.fullmatch(text):
                second = found[2] if found.re.groups > 1 else "1"
                return cls._checked(frequency, int(found[1]), _ORDINAL.get(second) or int(second))
        return None

    @classmethod
    def of_day(cls, day: date, frequency: Frequency) -> Period:
        """The period of `frequency` that contains `day`."""
        return cls(frequency, day.year, (day.month - 1) // frequency.months + 1)

    @classmethod
    def _checked(cls, frequency: Frequency, year: int, ordinal: int) -> Period | None:
        fits = 1 <= ordinal <= 12 // frequency.months and 1900 <= year <= 2100
        return cls(frequency, year, ordinal) if fits else None

    @property
    def code(self) -> str:
        """The stable text of the period, which sorts within one frequency."""
        match self.frequency:
            case Frequency.MONTHLY:
                return f"{self.year}-{self.ordinal:02d}"
            case Frequency.QUARTERLY:
                return f"{self.year}Q{self.ordinal}"
            case Frequency.HALF_YEARLY:
                return f"{self.year}H{self.ordinal}"
            case _:
                return f"{self.year}"

    @property
    def label_zh(self) -> str:
        """The period as a Chinese document writes it."""
        match self.frequency:
            case Frequency.MONTHLY:
                return f"{self.year}年{self.ordinal}月"
            case Frequency.QUARTERLY:
                return f"{self.year}年第{'一二三四'[self.ordinal - 1]}季度"
            case Frequency.HALF_YEARLY:
                return f"{self.year}年{'上下'[self.ordinal - 1]}半年"
            case _:
                return f"{self.year}年"

    @property
    def start(self) -> date:
        """First day."""
        return date(self.year, (self.ordinal - 1) * self.frequency.months + 1, 1)

    @property
    def end(self) -> date:
        """Last day."""
        return self.shifted(1).start - timedelta(days=1)

    @property
    def opens_year(self) -> bool:
        """Whether it is the first of its year, where cumulatives begin anew."""
        return self.ordinal == 1

    def shifted(self, count: int) -> Period:
        """The period `count` places later (earlier where negative) of the same frequency."""
        per_year = 12 // self.frequency.months
        index = self.year * per_year + self.ordinal - 1 + count
        return Period(self.frequency, index // per_year, index % per_year + 1)

    @property
    def preceding(self) -> Period:
        """The one before, of the same frequency."""
        return self.shifted(-1)

    def parts(self, frequency: Frequency) -> tuple[Period, ...]:
        """The periods of a finer (or the same) `frequency` that make up this one, in order.

        Raises:
            ValueError: `frequency` is coarser than the period's own.
        """
        count, rest = divmod(self.frequency.months, frequency.months)
        if rest or not count:
            raise ValueError(f"{self.code} is not made up of {frequency} periods")
        first = Period.of_day(self.start, frequency)
        return tuple(first.shifted(step) for step in range(count))

    def __lt__(self, other: object) -> bool:
        """By first day; of two that begin together the longer comes first."""
        if not isinstance(other, Period):
            return NotImplemented
        return (self.start, -self.frequency.months) < (other.start, -other.frequency.months)

    def __str__(self) -> str:
        return self.code


def _han_to_digits(text: str) -> str:
    """Year and month in Chinese numerals as digits; quarters keep theirs, which `_ORDINAL` knows."""
    text = _HAN_YEAR.sub(lambda year: year[0].translate(_HAN_DIGITS), text)
    return _HAN_MONTH.sub(
        lambda month: ("1" if month[1] else "") + (month[2] or month[3] or "0").translate(_HAN_DIGITS), text
    )

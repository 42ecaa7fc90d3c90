"""`make bench`, third part: one bureau corrects the first month of years of months, beside the full rebuild of all of them.

The months come and are consolidated one after the other as an office does it, with its quarters, halves and years; that is
the rebuild. Then one return of the first month is corrected, and the correction is taken by `rerun --bureau`. Seconds are
of the processor, of this process and those that read for it. Nothing here passes or fails.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from disclosure_etl.calendar import StoryClock
from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, consolidate, roll_up
from disclosure_etl.reports.publishing import write_tables
from disclosure_etl.settings import load_settings
from schemas.periods import Frequency, Period
from tests.factories import FAMILY, ZONE, Figures, datetime, default_form, return_bytes, some_figures

FIRST = Period.parse("2014-01")
_KINDS = 7  # different returns a month: what bureaus report differs, and from month to month
_CODE, _NAME = "b0000", "第0000分局"  # in the place of each bureau's own
_STRINGS = "xl/sharedStrings.xml"


def _times(kind: int, period: Period) -> int:
    return 1 + (kind + 3 * period.ordinal) % 5


def figures_of(kind: int, period: Period) -> Figures:
    """A consistent return: what is done in a month is the same many times over, another number each month."""
    usual = some_figures(default_form())
    year = sum(_times(kind, period.shifted(-step)) for step in range(period.ordinal))
    times = {"month": _times(kind, period), "year_to_date": year}
    return {place: value * times[place[1]] for place, value in usual.items()}


def _write_month(folder: Path, period: Period, count: int) -> None:
    """One workbook a bureau. Writing each would take longer than reading them all, so only the names are written anew."""
    folder.mkdir(parents=True)
    form = default_form()
    sent = datetime.combine(period.end + timedelta(days=3), datetime.min.time(), ZONE).timestamp()
    for kind in range(_KINDS):
        whole = zipfile.ZipFile(io.BytesIO(return_bytes(form, period, _CODE, _NAME, figures_of(kind, period))))
        strings = whole.read(_STRINGS).decode()
        base = io.BytesIO()
        with zipfile.ZipFile(base, "w", zipfile.ZIP_DEFLATED) as rest:
            for part in whole.infolist():
                if part.filename != _STRINGS:
                    rest.writestr(part, whole.read(part))
        for number in range(kind, count, _KINDS):
            own = io.BytesIO(base.getvalue())
            with zipfile.ZipFile(own, "a", zipfile.ZIP_DEFLATED) as package:
                named = strings.replace(_CODE, f"b{number:04d}").replace(_NAME, f"第{number:04d}分局")
                package.writestr(_STRINGS, named)
            path = folder / f"b{number:04d}_{period}.xlsx"
            path.write_bytes(own.getvalue())
            os.utime(path, (sent, sent))  # as the office's clock has it: a file of the future is trusted in nothing


def months_from(first: Period, count: int) -> list[Period]:
    """So many months from the first on."""
    return [first.shifted(step) for step in range(count)]


def write_returns(folder: Path, periods: Sequence[Period], count: int) -> None:
    """All returns, in a folder a month."""
    with ProcessPoolExecutor(2) as pool:
        for done in [pool.submit(_write_month, folder / one.code, one, count) for one in periods]:
            done.result()


def corrected(period: Period, revision: int) -> bytes:
    """Another return of the first bureau: more lawsuits, which everything later adds up."""
    figures = figures_of(0, period)
    for indicator in ("litigation.received", "litigation.upheld"):
        for column in ("month", "year_to_date"):
            figures[(indicator, column)] += Decimal(revision)
    return return_bytes(default_form(), period, _CODE, _NAME, figures, revision)


@dataclass
class Cost:
    """Seconds of the processor and of the clock."""

    cpu: float = 0.0
    wall: float = 0.0

    def of(self, call: Callable[[], object]) -> object:
        """Do it, and count what it cost."""
        cpu, wall = _cpu(), time.perf_counter()
        answer = call()
        self.cpu += _cpu() - cpu
        self.wall += time.perf_counter() - wall
        return answer

    def __str__(self) -> str:
        return f"{self.cpu:.1f} s ({self.wall:.1f} s of the clock)"


def _cpu() -> float:
    """Of this process and its children, also of those that live: the reading processes outlive a run."""
    ticks = sum(os.times()[:4])
    for child in _children():
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return ticks


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def open_office(folder: Path) -> tuple[Office, StoryClock]:
    """The office, and its clock."""
    clock = StoryClock(datetime(2014, 2, 6, 8, tzinfo=ZONE))
    office = Office(load_settings(folder / "config", {}, folder), clock)
    _ = office.warehouse, office.calendar
    return office, clock


def _coarser(period: Period) -> list[Period]:
    """The quarter, half and year that end with a month."""
    all_of = [Period.of_day(period.start, one) for one in Frequency if one.months > 1]
    return [one for one in all_of if one.end == period.end]


def rebuild(folder: Path, periods: Sequence[Period], told: Callable[[str], None]) -> tuple[Cost, Cost]:
    """Consolidate every month from its files, as they come; the cost of that, and of the tables."""
    office, clock = open_office(folder)
    work, tables = Cost(), Cost()
    inbox = folder / "inbox"
    for period in periods:
        clock.set(datetime.combine(period.end + timedelta(days=6), datetime.min.time(), ZONE))
        (folder / "returns" / period.code).rename(inbox / period.code)
        result = work.of(lambda period=period: consolidate(office, FAMILY, period))
        assert isinstance(result, MonthResult)
        tables.of(lambda result=result: write_tables(office, [result.consolidation, *result.later]))
        for coarser in _coarser(period):
            one = work.of(lambda coarser=coarser: roll_up(office, FAMILY, coarser))
            tables.of(lambda one=one: write_tables(office, [one]))
        (inbox / period.code).rename(folder / "returns" / period.code)
        told(f"  up to {period}: {work}, tables {tables}")
    office.warehouse.close()
    return work, tables


def correct(folder: Path, period: Period, revision: int = 2) -> tuple[Cost, Cost, MonthResult]:
    """Take the correction of one bureau, with whatever lies in the inbox."""
    (folder / "inbox" / f"{_CODE}_{period}_{revision}.xlsx").write_bytes(corrected(period, revision))
    office, clock = open_office(folder)
    clock.set(datetime(2019, 1, 20, 8, tzinfo=ZONE))
    work, tables = Cost(), Cost()
    result = work.of(lambda: consolidate(office, FAMILY, period, command="rerun", bureaus=[_CODE]))
    assert isinstance(result, MonthResult)
    tables.of(lambda: write_tables(office, [result.consolidation, *result.later]))
    office.warehouse.close()
    return work, tables, result


def _there_and_back(folder: Path, names: Sequence[str], where: tuple[str, str]) -> None:
    for name in names:
        (folder / where[0] / name).rename(folder / where[1] / name)


def measured(folder: str, count: int, months: int) -> None:
    """Everything in a process of its own, from an office's configuration to the figures; prints them."""
    base, periods = Path(folder), months_from(FIRST, months)
    write_returns(base / "returns", periods, count)
    whole, tables = rebuild(base, periods, lambda line: print(line, flush=True))
    print(f"rebuild of {count} bureaus × {months} months: {whole}, tables {tables}", flush=True)
    names = [period.code for period in periods]
    for revision, lying in ((2, []), (3, names)):
        _there_and_back(base, lying, ("returns", "inbox"))
        work, own_tables, result = correct(base, FIRST, revision)
        _there_and_back(base, lying, ("inbox", "returns"))
        beside = f"with {len(lying) * count} other files in the inbox" if lying else "alone in the inbox"
        print(
            f"one bureau's correction of {FIRST}, {beside}: {work} = {work.cpu / whole.cpu:.1%} of the rebuild, "
            f"{len(result.later)} later periods looked at; tables {own_tables} more, with tables on both sides "
            f"{(work.cpu + own_tables.cpu) / (whole.cpu + tables.cpu):.1%}",
            flush=True,
        )

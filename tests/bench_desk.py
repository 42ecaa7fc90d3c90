"""`make bench`, fourth part: the desk under twenty stewards who each open a page every two seconds.

An office of many bureaus over years, a ninth of whose returns have slips, is consolidated; then the desk is served by a process of
its own, on SQLite and on PostgreSQL. Milliseconds are what the stewards wait for an answer. Nothing here passes or fails.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx

from disclosure_etl.desk.accounts import NewPerson, create
from disclosure_etl.keeping import backup, restore
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from disclosure_etl.settings import load_settings
from schemas.people import Role
from schemas.periods import Period
from tests.bench_correction import FIRST, figures_of, months_from, open_office, write_returns
from tests.factories import FAMILY, ZONE, datetime, default_form, return_bytes
from tests.postgres import postgres_server

_PASSWORD = "correct horse battery"
_STEWARDS, _PAUSE, _SECONDS = 20, 2.0, 40.0
_ONE_IN = 9  # returns with slips: some 50,000 failures in 3,000 bureaus × 24 months
_SLIPS = ("enquiries.on_site", "applications.received.letter", "litigation.received", "reconsiderations.received")


def _spoil(folder: Path, periods: Sequence[Period], count: int) -> None:
    """Write every ninth return anew, with slips."""
    form = default_form()
    for period in periods:
        for number in range(0, count, _ONE_IN):
            figures = figures_of(number % 7, period)
            for step, name in enumerate(_SLIPS):
                figures[(name, "month")] += Decimal(1 + step)
            data = return_bytes(form, period, f"b{number:04d}", f"第{number:04d}分局", figures)
            (folder / period.code / f"b{number:04d}_{period}.xlsx").write_bytes(data)


def build(folder: Path, count: int, months: int) -> int:
    """The office with all its months; how many failures there are."""
    periods = months_from(FIRST, months)
    write_returns(folder / "returns", periods, count)
    _spoil(folder / "returns", periods, count)
    office, clock = open_office(folder)
    for period in periods:
        clock.set(datetime.combine(period.end + timedelta(days=6), datetime.min.time(), ZONE))
        (folder / "returns" / period.code).rename(folder / "inbox" / period.code)
        consolidate(office, FAMILY, period)
        (folder / "inbox" / period.code).rename(folder / "returns" / period.code)
    for number in range(_STEWARDS):
        create(office, NewPerson(f"s{number}", f"第{number}人", Role.STEWARD), _PASSWORD, must_change=False)
    failures = sum(len(office.warehouse.failures(FAMILY, period)) for period in periods)
    office.warehouse.close()
    return failures


async def _steward(number: int, address: str, periods: Sequence[Period], waits: dict[str, list[float]]) -> None:
    """One person's day in small: the matrix, the list, a case, the calendar, and so on, a page every two seconds."""
    dealer = random.Random(number)
    headers = {"Origin": address}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as http:
        await http.post("/login", data={"login": f"s{number}", "password": _PASSWORD})
        cases: list[str] = []
        ends = time.perf_counter() + _SECONDS
        await asyncio.sleep(_PAUSE * number / _STEWARDS)
        while time.perf_counter() < ends:
            period = dealer.choice(periods)
            kind = dealer.choice(("matrix", "list", "case", "case"))
            path = {"matrix": f"/months/{period}?at={dealer.randrange(1, 4)}", "list": f"/months/{period}/cases"}.get(
                kind
            )
            if path is None:
                path = dealer.choice(cases) if cases else f"/months/{period}/cases"
                kind = "case" if cases else "list"
            began = time.perf_counter()
            answer = await http.get(path)
            took = time.perf_counter() - began
            assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
            waits.setdefault(kind, []).append(took * 1000)
            if kind == "list":
                cases += re.findall(r'href="(/months/[^/"]+/cases/[0-9a-f]{16})"', answer.text)[:20]
            await asyncio.sleep(max(0.0, _PAUSE - took))


async def _day(address: str, periods: Sequence[Period]) -> dict[str, list[float]]:
    waits: dict[str, list[float]] = {}
    await asyncio.gather(*(_steward(number, address, periods, waits) for number in range(_STEWARDS)))
    return waits


def measured(folder: Path, periods: Sequence[Period], url: str | None) -> Iterator[str]:
    """Serve the desk and let the stewards work."""
    environment = {**os.environ, **({"DISCLOSURE_WAREHOUSE": url} if url else {})}
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "--config",
        str(folder / "config"),
        "--lang",
        "en",
        "desk",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = re.search(r"http://\S+?(?=/\s)", server.stdout.readline())
            assert address is not None
            waits = asyncio.run(_day(address[0], periods))
        finally:
            server.terminate()
    for kind, own in sorted(waits.items()):
        own.sort()
        at95 = own[int(len(own) * 0.95)]
        yield f"  {kind}: {len(own)} pages, median {statistics.median(own):.0f} ms, p95 {at95:.0f} ms, worst {own[-1]:.0f} ms"


def lines(folder: Path, count: int, months: int) -> Iterator[str]:
    """Everything, line by line."""
    failures = build(folder, count, months)
    yield f"desk: {count} bureaus × {months} months, {failures} failures, {_STEWARDS} stewards, a page every {_PAUSE:.0f} s each"
    yield from both(folder, months)


def both(folder: Path, months: int) -> Iterator[str]:
    """The stewards on SQLite, and on PostgreSQL with the same in it."""
    periods = months_from(FIRST, months)
    yield "on SQLite"
    yield from measured(folder, periods, None)
    with postgres_server(settings="") as server:
        if server.url is None:
            yield f"no PostgreSQL: {server.reason}"
            return
        url = server.fresh_database()
        copy = folder / "copy.zip"
        backup(open_office(folder)[0], copy)
        restore(
            Office(load_settings(folder / "config", {"DISCLOSURE_WAREHOUSE": url}, folder), open_office(folder)[1]),
            copy,
        )
        yield "on PostgreSQL"
        yield from measured(folder, periods, url)

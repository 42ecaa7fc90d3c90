"""`make bench`: speed and memory of a month of 3,000 bureaus, as ratios to bare library calls measured in the same run.

Figures of one machine mean little; ratios within one run mean something. Nothing here passes or fails.
Usage: python -m tests.bench [bureaus] [--no-prefect] [--reading]     (--reading: the mixed files alone)
       python -m tests.bench --correction [bureaus] [months]   (a correction beside a full rebuild; 3000 36 takes a quarter hour)
       python -m tests.bench --desk [bureaus] [months]         (twenty stewards at the desk; 3000 24 takes a quarter hour)
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from statistics import median

import numpy as np
from python_calamine import CalamineWorkbook

from disclosure_etl.bureaus import load_bureaus
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.xlsx_markup import _PLAIN_CELL
from schemas.compiling import constraint_table
from schemas.constraints import Relation, Source
from schemas.periods import Period
from schemas.records import Batch
from tests import bench_reading, bench_rules
from tests.factories import default_form, return_bytes, some_figures

_PERIOD = Period.parse("2014-01")


def _bureaus_yaml(count: int) -> str:
    lines = ["bureaus:"]
    for number in range(count):
        lines += [
            f"  - {{code: b{number:04d}, name_zh: 第{number:04d}分局, name_en: Bureau {number}, from: 2008-05-01, "
            "owes: [{family: bureau-monthly, from: 2008-05-01}]}"
        ]
    return "\n".join(lines) + "\n"


def _write_returns(folder: Path, numbers: range, share_changed: float) -> None:
    form = default_form()
    figures = some_figures(form)
    for number in numbers:
        dealer = random.Random(number)
        own = dict(figures)
        for place in own:
            if dealer.random() < share_changed:
                own[place] += Decimal(1 + dealer.randrange(9))
        data = return_bytes(form, _PERIOD, f"b{number:04d}", f"第{number:04d}分局", own)
        (folder / f"b{number:04d}_{_PERIOD}.xlsx").write_bytes(data)


def _make_office(folder: Path, count: int, share_changed: float) -> None:
    _make_configuration(folder, count)
    parts = [range(start, min(start + 200, count)) for start in range(0, count, 200)]
    with ProcessPoolExecutor(2) as pool:
        for future in [pool.submit(_write_returns, folder / "inbox", part, share_changed) for part in parts]:
            future.result()


def _make_configuration(folder: Path, count: int) -> None:
    (folder / "config").mkdir(parents=True)
    (folder / "inbox").mkdir()
    source = Path(__file__).parent.parent / "config"
    (folder / "config" / "schedule.yaml").write_bytes((source / "schedule.yaml").read_bytes())
    settings = (source / "settings.yaml").read_text(encoding="utf-8")
    (folder / "config" / "settings.yaml").write_text(
        settings.replace("bureau: shiju", "bureau: b0000"), encoding="utf-8"
    )
    (folder / "config" / "bureaus.yaml").write_text(_bureaus_yaml(count), encoding="utf-8")


def _correction(count: int, months: int, base: Path) -> Iterator[str]:
    _make_configuration(base, count)
    code = f"from tests.bench_correction import measured; measured({str(base)!r}, {count}, {months})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield from (line.rstrip() for line in running.stdout)
    if running.returncode:
        raise SystemExit(running.returncode)


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _read_bare(files: list[Path]) -> tuple[float, float]:
    """calamine's cells, and the bare XML pass: unzip the sheet and match every cell."""

    def cells() -> None:
        for path in files:
            CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes())).get_sheet_by_index(0).to_python()

    def xml() -> None:
        for path in files:
            with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as package:
                package.read("xl/styles.xml")
                _PLAIN_CELL.findall(package.read("xl/worksheets/sheet1.xml"))

    return _timed(cells), _timed(xml)


def _judge_bare(batch: Batch) -> float:
    """Every rule as a numpy mask over whole columns, without unknowns, names or failures."""
    table = constraint_table(batch.form, batch.period)
    columns = np.asfortranarray(batch.numbers)

    def masks() -> None:
        for rule in table.constraints:
            total = np.zeros(len(columns), np.int64)
            for term in rule.terms:
                if term.source is Source.OWN:
                    total += term.coefficient * columns[:, term.cell.position]
            _ = total != 0 if rule.relation is Relation.EQUAL else total > 0
        for group in table.shares:
            total = columns[:, [group.total.position]]
            parts = columns[:, [cell.position for cell in group.parts]]
            shares = columns[:, [cell.position for cell in group.shares]]
            _ = 2 * np.abs(shares * total - parts * 10**8) > 10**4 * total
            _ = np.abs(shares.sum(axis=1) - 10**8) > 10**4 * parts.shape[1]
        _ = columns < 0

    return _timed(masks)


def _load_bare(batch: Batch, folder: Path) -> float:
    """executemany of the same fact rows into the same table, alone."""
    rows: list[tuple] = [
        (key, cell, number, meaning, places, trouble, text, locator)
        for key, one in enumerate(batch.submissions)
        for cell, (number, meaning, places, trouble, text, locator) in enumerate(
            zip(one.numbers, one.meanings, one.decimals, one.troubles, one.texts, one.locators, strict=True)
        )
    ]
    for path in folder.glob("bare.sqlite*"):
        path.unlink()
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(
        "CREATE TABLE f (s INTEGER, c INTEGER, v BIGINT, m SMALLINT, d SMALLINT, t SMALLINT, x TEXT, l TEXT, "
        "PRIMARY KEY (s, c)) WITHOUT ROWID"
    )

    def insert() -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO f VALUES (?,?,?,?,?,?,?,?)", rows)
        connection.execute("COMMIT")

    seconds = _timed(insert)
    connection.close()
    return seconds


def _month(folder: str) -> dict[str, float]:
    """The product's month, bare, in a process of its own: seconds and peak memory."""
    from disclosure_etl.calendar import StoryClock
    from disclosure_etl.office import Office
    from disclosure_etl.pipeline import Month
    from disclosure_etl.reports.publishing import write_tables
    from disclosure_etl.settings import load_settings
    from tests.factories import ZONE, datetime

    settings = load_settings(Path(folder) / "config", {}, Path(folder))
    office = Office(settings, StoryClock(datetime(2014, 2, 6, 8, tzinfo=ZONE)))
    _ = office.warehouse, office.calendar
    stages: dict[str, float] = {}
    month = Month(office, "bureau-monthly", _PERIOD)
    began = time.perf_counter()
    chunks = month.find()
    for chunk in range(chunks):
        month.read_chunk(chunk)
    stages["read"] = time.perf_counter() - began
    stages["judge"] = _timed(month.judge)
    stages["load"] = _timed(month.load)
    result = []
    stages["freeze"] = _timed(lambda: result.append(month.freeze()))
    stages["total"] = time.perf_counter() - began
    stages["MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stages["table"] = _timed(lambda: write_tables(office, [result[0].consolidation]))
    stages["failures"] = result[0].consolidation.failures
    return stages


def _prefect(folder: str) -> dict[str, float]:
    """The same month as a flow on a warm Prefect server: seconds, and how many task runs it took."""
    from disclosure_etl.calendar import StoryClock
    from disclosure_etl.office import Office
    from disclosure_etl.settings import load_settings
    from flows.prefect_runs import recording, run_in_flow
    from tests.factories import ZONE, datetime

    settings = load_settings(Path(folder) / "config", {}, Path(folder))
    office = Office(settings, StoryClock(datetime(2014, 2, 6, 8, tzinfo=ZONE)))
    _ = office.warehouse, office.calendar
    with recording(settings):
        from prefect.client.orchestration import get_client

        run_in_flow(office, "consolidate", "bureau-monthly", "2013-12")  # warms the server and the imports
        seconds = _timed(lambda: run_in_flow(office, "consolidate", "bureau-monthly", _PERIOD.code))
        with get_client(sync_client=True) as client:
            flows = client.read_flow_runs()
            tasks = client.read_task_runs()
        last = max(flows, key=lambda one: one.start_time)
        return {"total": seconds, "task_runs": sum(task.flow_run_id == last.id for task in tasks)}


def _in_process(function: str, folder: Path) -> dict[str, float]:
    code = f"import json; from tests.bench import {function}; print(json.dumps({function}({str(folder)!r})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=os.environ)
    return json.loads(done.stdout.splitlines()[-1])


def _put_aside(var: Path) -> None:
    """Begin anew without deleting: for half a minute afterwards, ext4 looks at every deleted inode before it makes a file."""
    if var.exists():
        var.rename(var.with_name(f"before-{time.monotonic_ns()}"))


_ROUNDS = 3


def _round(clean: Path, failing: Path, batch: Batch, base: Path) -> dict[str, float]:
    """One after the other: the bare work before, both months, and the bare work after; shared machines drift, so that only
    what was measured close together can be compared."""
    files = sorted((clean / "inbox").iterdir())
    bare: list[float] = []
    parts: dict[str, float] = {}

    def measure_bare() -> None:
        cells, xml = _read_bare(files)
        rules, rows = _judge_bare(batch), _load_bare(batch, base)
        parts.update(calamine=cells, xml=xml, masks=rules, executemany=rows)
        bare.append(cells + xml + rules + rows)

    measure_bare()
    found: dict[str, float] = {}
    for name, folder in (("clean", clean), ("failing", failing)):
        _put_aside(folder / "var")
        found |= {f"{name} {stage}": seconds for stage, seconds in _in_process("_month", folder).items()}
    measure_bare()
    found |= parts | {"bare": sum(bare) / len(bare)}
    found["ratio"] = found["clean total"] / found["bare"]
    found["failing ratio"] = found["failing total"] / found["clean total"]
    found["checking"] = found["clean judge"] / found["clean total"]
    return found


def _stages(found: dict[str, float], name: str) -> str:
    return ", ".join(f"{stage} {found[f'{name} {stage}']:.2f}" for stage in ("read", "judge", "load", "freeze"))


def _lines(count: int, prefect: bool, base: Path) -> Iterator[str]:
    clean, failing = base / "clean", base / "failing"
    _make_office(clean, count, 0.0)
    _make_office(failing, count, 0.05)
    form = default_form()
    interpreter = Interpreter([form], None)
    batch = Batch(
        form,
        _PERIOD,
        tuple(
            interpreter.interpret(read_document(path.name, path.read_bytes())).submission
            for path in sorted((clean / "inbox").iterdir())
        ),
    )
    rounds = []
    for number in range(_ROUNDS):
        one = _round(clean, failing, batch, base)
        rounds.append(one)
        yield (
            f"round {number + 1}, {count} workbooks: calamine {one['calamine']:.2f} + XML {one['xml']:.2f} + masks {one['masks']:.3f} "
            f"+ executemany {one['executemany']:.2f}; bare {one['bare']:.2f} s before and after"
        )
        yield (
            f"  the month: {one['clean total']:.2f} s = {one['ratio']:.2f} × bare ({_stages(one, 'clean')}), {one['clean MB']:.0f} MB; "
            f"汇总表 {one['clean table']:.2f} s more"
        )
        yield (
            f"  5% of cells changed: {one['failing total']:.2f} s = {one['failing ratio']:.2f} × clean, "
            f"{one['failing failures']:.0f} failures ({_stages(one, 'failing')}), {one['failing MB']:.0f} MB"
        )
    middle = {name: median(one[name] for one in rounds) for name in rounds[0]}
    yield (
        f"median of {_ROUNDS}: the month {middle['ratio']:.2f} × bare, 5% failing {middle['failing ratio']:.2f} × clean, checking "
        f"{middle['checking']:.0%} of the month"
    )
    if prefect:
        _put_aside(clean / "var")
        recorded = _in_process("_prefect", clean)
        _put_aside(clean / "var")
        month = _in_process("_month", clean)
        more = recorded["total"] - month["total"] - month["table"]
        yield (
            f"under Prefect, server warm: {recorded['total']:.2f} s = {more:+.2f} s to the bare month with its table, "
            f"{recorded['task_runs']:.0f} task runs"
        )
    yield from bench_rules.lines()
    yield from _reading(clean, base, count)
    helps = [_timed(lambda: subprocess.run([sys.executable, "-m", "flows.cli", "--help"], capture_output=True, check=True))
             for _ in range(5)]  # fmt: skip
    yield f"--help: {min(helps):.2f} s (best of 5)"


def _reading(clean: Path, base: Path, count: int) -> Iterator[str]:
    bureaus = load_bureaus(clean / "config" / "bureaus.yaml")
    yield from bench_reading.lines(clean / "inbox", base, bureaus, count)


def _reading_alone(count: int, base: Path) -> Iterator[str]:
    _make_office(base / "clean", count, 0.0)
    yield from _reading(base / "clean", base, count)


def _desk(count: int, months: int, base: Path) -> Iterator[str]:
    from tests.bench_desk import lines

    _make_configuration(base, count)
    yield from lines(base, count, months)


def main() -> None:
    """Run it and print line by line."""
    arguments = sys.argv[1:]
    numbers = [int(text) for text in arguments if text.isdigit()]
    count = numbers[0] if numbers else 3000
    with tempfile.TemporaryDirectory() as base:
        told = _lines(count, "--no-prefect" not in arguments, Path(base))
        if "--reading" in arguments:
            told = _reading_alone(count, Path(base))
        if "--correction" in arguments:
            told = _correction(numbers[0] if numbers else 300, numbers[1] if numbers[1:] else 14, Path(base))
        if "--desk" in arguments:
            told = _desk(numbers[0] if numbers else 300, numbers[1] if numbers[1:] else 12, Path(base))
        for line in told:
            print(line, flush=True)


if __name__ == "__main__":
    main()

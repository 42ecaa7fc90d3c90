"""Consolidations and reruns that are killed at every transaction's boundary and at any moment: whatever is stored hangs together
after each, nothing counts twice, nothing is lost, and the next run ends as if it had been the first."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from disclosure_etl.keeping import verified
from disclosure_etl.reports.publishing import table_path
from disclosure_etl.settings import default_config_dir
from schemas.periods import Period
from tests.factories import default_form, make_office, return_bytes, send, send_month, some_figures

pytestmark = pytest.mark.slow
JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
_KILLS = 200  # of each database
_BOUNDARIES = 22  # transactions of a run, the beginning and the end of each; runs of less are not killed


def _command(folder: Path, url: str | None, *arguments: str, kill_at: str = "") -> tuple[list[str], dict]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DISCLOSURE_", "PREFECT_"))}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "KILL_AT": kill_at}
    if url:
        environment["DISCLOSURE_WAREHOUSE"] = url
    command = [sys.executable, "-m", "tests.campaigns.killed", "--now", "2014-03-06", *arguments]
    return command, {"cwd": folder, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def _finish(folder: Path, url: str | None, *arguments: str) -> dict:
    command, options = _command(folder, url, *arguments)
    done = subprocess.run(command, check=False, text=True, **options)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def _said(printed: dict) -> dict:
    """What a run printed, without its own name and how many versions and events led there."""
    return {name: value for name, value in printed.items() if name not in ("run", "version", "audit")}


def _office_folder(folder: Path) -> None:
    (folder / "config").mkdir(parents=True, exist_ok=True)
    for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml"):
        shutil.copyfile(default_config_dir() / name, folder / "config" / name)


def _correct(office, dealer: random.Random, revisions: dict[str, int]) -> None:
    """A bureau sends one of its months anew."""
    period = dealer.choice((JANUARY, FEBRUARY))
    bureau = dealer.choice(office.owing("bureau-monthly", period))
    key = f"{bureau.code}_{period}"
    revisions[key] = revisions.get(key, 1) + 1
    figures = some_figures(default_form(), period.ordinal)
    data = return_bytes(
        default_form(), period, bureau.code, bureau.name_zh, figures, revisions[key], telephone=str(revisions[key])
    )
    send(office, f"{key}_r{revisions[key]}.xlsx", data)


def test_a_killed_run_leaves_nothing_that_the_next_does_not_put_right(
    tmp_path: Path, warehouse_url: str | None
) -> None:
    _office_folder(tmp_path)
    office = make_office(tmp_path, warehouse_url)
    for period in (JANUARY, FEBRUARY):
        send_month(office, period)
    dealer, revisions = random.Random(2014), dict[str, int]()
    takes, killed = 2.0, {"at a boundary": 0, "at any moment": 0}
    for number in range(_KILLS * 2):  # more than enough: a run that ends before its death is no kill
        if sum(killed.values()) >= _KILLS:
            break
        _correct(office, dealer, revisions)
        period = (JANUARY, FEBRUARY)[number % 2]
        words = (("consolidate", "rerun")[number % 3 == 0], period.code, "--json")
        at_boundary = number % 4 != 3
        boundary = f"{('begin', 'commit')[number % 2]}:{1 + dealer.randrange(_BOUNDARIES)}"
        command, options = _command(tmp_path, warehouse_url, *words, kill_at=boundary if at_boundary else "")
        began = time.monotonic()
        with subprocess.Popen(command, **options) as process:
            try:
                process.wait(None if at_boundary else dealer.uniform(0.3, 1.0) * takes)
                takes = takes if process.returncode == -signal.SIGKILL else time.monotonic() - began
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        if process.returncode == -signal.SIGKILL:
            killed["at a boundary" if at_boundary else "at any moment"] += 1
        wrong = [one for one in verified(office) if not one.holds]
        assert wrong == [], (number, boundary, wrong)

    assert min(killed.values()) > _KILLS // 8 and sum(killed.values()) >= _KILLS, killed
    print(f"{office.warehouse.engine.dialect.name}: {killed}")  # noqa: T201 - the figure for the note
    undisturbed = tmp_path / "undisturbed"
    _office_folder(undisturbed)
    (undisturbed / "inbox").symlink_to(tmp_path / "inbox")
    months = [
        [_said(_finish(folder, url, "consolidate", period.code, "--json")) for period in (JANUARY, FEBRUARY)]
        for folder, url in ((tmp_path, warehouse_url), (undisturbed, None))
    ]
    assert months[0] == months[1]
    for period in (JANUARY, FEBRUARY):
        for version in range(1, office.warehouse.consolidation("bureau-monthly", period).version + 1):
            frozen = office.warehouse.consolidation("bureau-monthly", period, version)
            assert table_path(office, frozen).exists(), (period, version)

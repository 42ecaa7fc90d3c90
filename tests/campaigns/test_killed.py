"""A consolidation that is killed at any moment: nothing counts twice, nothing is lost, the next run ends as if it had been
the first."""

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

from disclosure_etl.settings import default_config_dir
from schemas.periods import Period
from tests.factories import make_office, send_month

pytestmark = pytest.mark.slow
JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
_KILLS = 25


def _command(folder: Path, url: str | None, *arguments: str) -> tuple[list[str], dict]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DISCLOSURE_", "PREFECT_"))}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    if url:
        environment["DISCLOSURE_WAREHOUSE"] = url
    command = [sys.executable, "-m", "flows.cli", "--now", "2014-03-06", *arguments]
    return command, {"cwd": folder, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def _finish(folder: Path, url: str | None, *arguments: str) -> dict:
    command, options = _command(folder, url, *arguments)
    done = subprocess.run(command, check=False, text=True, **options)
    # February repeats January's figures, so that each return is told to be a copy; January has nothing to look at.
    assert done.returncode == (1 if FEBRUARY.code in arguments else 0), done.stderr
    return json.loads(done.stdout)


def _said(printed: dict) -> dict:
    """What a run printed, without its own name and how many versions led there."""
    return {name: value for name, value in printed.items() if name not in ("run", "version")}


def test_a_killed_run_leaves_nothing_that_the_next_does_not_put_right(
    tmp_path: Path, warehouse_url: str | None
) -> None:
    office = make_office(tmp_path)
    for period in (JANUARY, FEBRUARY):
        send_month(office, period)
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    (undisturbed / "inbox").symlink_to(tmp_path / "inbox")
    for folder in (tmp_path, undisturbed):  # what makes it an office's folder
        (folder / "config").mkdir(exist_ok=True)
        shutil.copyfile(default_config_dir() / "settings.yaml", folder / "config" / "settings.yaml")
    expected = []
    began = time.monotonic()
    for period in (JANUARY, FEBRUARY):
        expected.append(_said(_finish(undisturbed, None, "consolidate", period.code, "--json")))
    takes = (time.monotonic() - began) / 2
    dealer = random.Random(2014)
    killed = 0
    for number in range(_KILLS):
        period = (JANUARY, FEBRUARY)[number % 2]
        command, options = _command(tmp_path, warehouse_url, "consolidate", period.code, "--json")
        with subprocess.Popen(command, **options) as process:
            try:
                process.wait(dealer.uniform(0.3, 1.0) * takes)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.communicate()

    printed = [
        _said(_finish(tmp_path, warehouse_url, "consolidate", period.code, "--json")) for period in (JANUARY, FEBRUARY)
    ]

    assert killed > _KILLS // 3
    assert printed == expected

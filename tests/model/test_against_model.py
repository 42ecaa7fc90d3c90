"""The whole product against a naive model of it, on both databases, whatever is done in whatever order."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.databases import Databases
from tests.model.machine import OfficeMachine
from tests.postgres import Server


def _run(databases: Databases, examples: int, steps: int, *, is_short: bool) -> str:
    """Let so many examples of at most so many steps happen; how many offices and days there were, and how long it took. A short
    run has the same examples each time, and makes no smaller one of what fails, which takes minutes."""
    began, seen = time.monotonic(), {"offices": 0, "days": 0}

    class Machine(OfficeMachine):
        def teardown(self) -> None:
            seen["offices"] += 1
            seen["days"] += len(self.days)
            super().teardown()

    Machine.databases = databases
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=is_short,
            phases=[Phase.generate] if is_short else list(Phase),
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip
    return f"{seen['offices']} offices, {seen['days']} days, {time.monotonic() - began:.0f} seconds"


def test_a_short_while_of_anything(tmp_path: Path, postgres: Server) -> None:
    _run(Databases(tmp_path, postgres), 3, 10, is_short=True)


@pytest.mark.slow
def test_a_long_while_of_anything(tmp_path: Path, postgres: Server) -> None:
    told = _run(Databases(tmp_path, postgres), 150, 25, is_short=False)
    print(told)  # noqa: T201 - the figures for the note

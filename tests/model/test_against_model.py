"""The whole product against a naive model of it, on both databases, whatever is done in whatever order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.databases import Databases
from tests.model.machine import OfficeMachine
from tests.postgres import Server

_LONG = 200  # examples of the campaign


def _run(databases: Databases, examples: int, steps: int, *, derandomize: bool) -> None:
    class Machine(OfficeMachine):
        pass

    Machine.databases = databases
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=derandomize,
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip


def test_a_short_while_of_anything(tmp_path: Path, postgres: Server) -> None:
    _run(Databases(tmp_path, postgres), 4, 12, derandomize=True)


@pytest.mark.slow
def test_a_long_while_of_anything(tmp_path: Path, postgres: Server) -> None:
    _run(Databases(tmp_path, postgres), _LONG, 30, derandomize=False)

"""The whole product against a naive model of it, on both databases, whatever is done in whatever order."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.databases import Databases
from tests.model.machine import OfficeMachine
from tests.model.paper import SO_FAR, Tree
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


def test_a_nil_return_beside_one_that_is_off(tmp_path: Path, postgres: Server) -> None:
    """A long while found this: the impact of a failure was another when its month was judged once more."""

    class Machine(OfficeMachine):
        databases = Databases(tmp_path, postgres)

    state = Machine()
    state.open(months=3, tree=Tree("merge", 1), draws=[(1, 0, 2, 2), (1, 0, 0, 2), (0, 1, 1, 1), (1, 2, 2, 1)])
    nothing: dict = {"slip": None, "slot": None, "so_far": True, "draw": (0, 0, 0, 0), "nil": True}
    state.send(bureau=2, month=2, revision="next", **nothing)
    off = {"slip": (("published", SO_FAR), -2), "draw": (3, 2, 3, 2), "nil": False}
    state.send(bureau=3, month=2, revision="same", **nothing | off)
    state.consolidate(month=2, only=None)
    state.teardown()


@pytest.mark.slow
def test_a_long_while_of_anything(tmp_path: Path, postgres: Server) -> None:
    told = _run(Databases(tmp_path, postgres), 150, 25, is_short=False)
    print(told)  # noqa: T201 - the figures for the note

"""The run lock: one has it, whoever waits is told for whom, and nobody writes who has lost it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from disclosure_etl.warehouse import Warehouse
from schemas.errors import Message, UserError
from schemas.periods import Period
from tests.warehouse.small import AT, FAMILY

_HOLDING = """
import sys, time
from disclosure_etl.warehouse import Warehouse
warehouse = Warehouse.open(sys.argv[1], actor="张三")
with warehouse.alone("consolidate 2014-01", 5, print):
    print("has it", flush=True)
    time.sleep(60)
"""


def no_words(message: Message) -> None:
    raise AssertionError(message.en)


def test_one_at_a_time_has_it_and_the_other_is_told_who_does(warehouse: Warehouse) -> None:
    told: list[Message] = []
    with (
        warehouse.alone("consolidate 2014-01", 5, no_words),
        pytest.raises(UserError) as refused,
        warehouse.alone("rerun 2014-01", 0.3, told.append),
    ):
        raise AssertionError("two have it")

    assert len(told) == 1
    assert "consolidate 2014-01" in told[0].zh and f"process {os.getpid()}, since 2" in told[0].en
    assert "run_patience_seconds" in refused.value.in_full.zh and "consolidate 2014-01" in refused.value.in_full.en
    assert (
        "consolidate" not in f"{refused.value.message.zh}{refused.value.message.en}"
    )  # another's doing is not for everybody
    with warehouse.alone("rerun 2014-01", 5, no_words) as alone:
        alone.start_run("rerun", FAMILY, Period.parse("2014-01"), AT)


def test_it_may_be_given_back_by_another_thread_than_took_it(warehouse: Warehouse) -> None:
    alone = warehouse.alone("consolidate 2014-01", 5, no_words)
    taking = threading.Thread(target=alone.__enter__)
    taking.start()
    taking.join()

    giving = threading.Thread(target=alone.__exit__, args=(None, None, None))
    giving.start()
    giving.join()

    with warehouse.alone("rerun 2014-01", 0, no_words):
        pass


def test_whoever_has_it_may_ask_for_it_again(warehouse: Warehouse) -> None:
    with warehouse.alone("a", 5, no_words) as alone, alone.alone("b", 0, no_words) as again:
        again.start_run("rerun", FAMILY, Period.parse("2014-01"), AT)


def test_it_ends_with_its_process(warehouse: Warehouse, url: str) -> None:
    told: list[Message] = []
    command = [sys.executable, "-c", _HOLDING, url]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout is not None and other.stdout.readline().strip() == b"has it"

        def hear(message: Message) -> None:
            told.append(message)
            other.send_signal(signal.SIGKILL)

        with warehouse.alone("rerun 2014-01", 20, hear) as alone:
            alone.start_run("rerun", FAMILY, Period.parse("2014-01"), AT)
    assert "consolidate 2014-01,张三@" in told[0].zh and f"进程 {other.pid}" in told[0].zh


def lose(warehouse: Warehouse) -> None:
    """What a broken line or a tidy person does."""
    if warehouse.engine.dialect.name == "sqlite":
        Path(f"{warehouse.engine.url.database}.lock").unlink()
        return
    others = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )
    with warehouse.engine.connect() as connection:
        connection.execute(text(others))


def runs(warehouse: Warehouse) -> int:
    with warehouse.engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM run")).scalar_one()


def test_whoever_has_lost_it_writes_no_more(warehouse: Warehouse) -> None:
    with warehouse.alone("consolidate 2014-01", 5, no_words) as alone:
        lose(warehouse)
        with pytest.raises(UserError, match="run lock was lost"):
            alone.start_run("consolidate", FAMILY, Period.parse("2014-01"), AT)
        assert runs(warehouse) == 0
        with warehouse.alone("rerun 2014-01", 0, no_words) as other:
            other.start_run("rerun", FAMILY, Period.parse("2014-01"), AT)
            with pytest.raises(UserError, match="run lock was lost"):  # although somebody has it
                alone.start_run("consolidate", FAMILY, Period.parse("2014-01"), AT)
    assert runs(warehouse) == 1

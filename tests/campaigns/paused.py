"""The command line with a stop in it: `PAUSE_AT=judged:2` waits after the second verdict, before it is stored, for the file that
`PAUSE_FILE` names with `.go` at its end, and says by `.reached` that it does. `WITHOUT_RUN_LOCK` lets two runs be at it together, to
see what the lock is for. No assertion in here."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from disclosure_etl import judgement, pipeline
from disclosure_etl.warehouse import run_lock
from flows.cli import main


def _pause_after(number: int, file: Path) -> None:
    count, judged = itertools.count(1), judgement.verdict_of

    def verdict_of(*arguments: object, **named: object) -> object:
        verdict = judged(*arguments, **named)  # type: ignore[arg-type]
        if next(count) == number:
            file.with_suffix(".reached").touch()
            while not file.with_suffix(".go").exists():
                time.sleep(0.02)
        return verdict

    paused: Callable[..., object] = verdict_of
    judgement.verdict_of = pipeline.verdict_of = paused  # type: ignore[assignment]


if __name__ == "__main__":
    if at := os.environ.get("PAUSE_AT"):
        _pause_after(int(at.removeprefix("judged:")), Path(os.environ["PAUSE_FILE"]))
    if os.environ.get("WITHOUT_RUN_LOCK"):
        run_lock._lock_of = lambda engine, own: run_lock._NobodyElse()
    sys.exit(main(sys.argv[1:]))

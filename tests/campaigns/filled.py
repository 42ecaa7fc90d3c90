"""The command line with a disk that becomes full: `FILL_AT=begin:7` fills it with the file that `FILL` names at the seventh
transaction's beginning, `commit:7` right before that is stored, `rows:2` within the second bulk of rows, `raw:3` before the third file
is kept, `table:1` before the first table is written. No assertion in here."""

from __future__ import annotations

import errno
import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from disclosure_etl.intake.raw_store import RawStore
from disclosure_etl.reports import publishing
from disclosure_etl.warehouse import loading
from flows.cli import main


def fill(path: str) -> None:
    """Take all the room that is left."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    for size in (1 << 20, 1 << 12, 1):
        try:
            while True:
                os.write(handle, b"\0" * size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    os.close(handle)


def _at(number: int) -> Callable[[], None]:
    count = itertools.count(1)

    def reached() -> None:
        if next(count) == number:
            fill(os.environ["FILL"])

    return reached


def _prepare(moment: str, reached: Callable[[], None]) -> None:
    if moment in ("begin", "commit"):
        event.listen(Engine, moment, lambda _connection: reached())
        return
    holder, name = {"rows": (loading, "bulk"), "raw": (RawStore, "put"), "table": (publishing, "_write_whole")}[moment]
    own = getattr(holder, name)

    def first(*arguments: Any) -> Any:
        reached()
        return own(*arguments)

    setattr(holder, name, first)


if __name__ == "__main__":
    name, _, which = os.environ["FILL_AT"].partition(":")
    _prepare(name, _at(int(which)))
    sys.exit(main(sys.argv[1:]))

"""The command line with a death in it: `KILL_AT=begin:7` ends the process at its seventh transaction's beginning, `commit:7` right
before that is committed. No assertion in here."""

from __future__ import annotations

import itertools
import os
import signal
import sys

from sqlalchemy import Engine, event

from flows.cli import main


def _die_at(moment: str, number: int) -> None:
    count = itertools.count(1)

    @event.listens_for(Engine, moment)
    def reached(_connection: object) -> None:
        if next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    name, _, which = os.environ.get("KILL_AT", "").partition(":")
    if name:
        _die_at(name, int(which))
    sys.exit(main(sys.argv[1:]))

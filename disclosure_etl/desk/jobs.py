"""Runs that the desk has started and that take a while: one after the other, watched from a page, their results kept for a day.

Not here: what a run does, which whoever starts it passes in.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from schemas.errors import AwayError, Message, UserError

_KEPT = timedelta(days=1)
_log = logging.getLogger("disclosure_etl.desk")

Report = Callable[[str, int, int], None]  # stage, done, of how many


@dataclass
class Job:
    """One run: whose it is, what it does, how far it is, and what came of it. `state`: waiting, running, done, or failed, with
    `problem` (a fault of the program has none of its details in it: they are in the log)."""

    key: str
    owner: str
    doing: Message
    kind: str
    subject: str
    at: datetime
    state: str = "waiting"
    stages: dict[str, tuple[int, int]] = field(default_factory=dict)
    result: Any = None
    problem: Message | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.state in ("done", "failed")

    def report(self, stage: str, done: int, of: int) -> None:
        """Note how far a stage is."""
        self.stages[stage] = (done, of)


class Jobs:
    """The runs of this process. One at a time: the office lets only one judge or decide in any case."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._worker = ThreadPoolExecutor(1, "desk-run")
        self._known: dict[str, Job] = {}
        self._lock = Lock()

    def start(self, owner: str, kind: str, subject: str, doing: Message, work: Callable[[Report], Any]) -> Job:
        """Start a run; the same of the same subject that still waits is given back instead, so that many presses start no queue.
        One at work is not: it may have looked already, and would miss what came since."""
        with self._lock:
            self._forget_old()
            for one in self._known.values():
                if (one.kind, one.subject, one.owner) == (kind, subject, owner) and one.state == "waiting":
                    return one
            job = Job(secrets.token_urlsafe(12), owner, doing, kind, subject, self._clock())
            self._known[job.key] = job
        self._worker.submit(self._run, job, work)
        return job

    def get(self, key: str) -> Job | None:
        """A run by its key; None where there is none, or it is long over."""
        with self._lock:
            return self._known.get(key)

    def close(self) -> None:
        """Wait for what runs, and start nothing more."""
        self._worker.shutdown(cancel_futures=True)

    def _forget_old(self) -> None:
        since = self._clock() - _KEPT
        self._known = {key: one for key, one in self._known.items() if one.at > since or not one.is_over}

    def _run(self, job: Job, work: Callable[[Report], Any]) -> None:
        job.state = "running"
        try:
            job.result = work(job.report)
            job.state = "done"
        except UserError as error:
            if isinstance(error, AwayError):  # its place and cause are told here alone
                _log.warning("%s: %s", job.doing.en, error.in_full.en)
            job.problem, job.state = error.message, "failed"
        except Exception:  # a fault of the program: told as one, and in the log
            _log.exception("program fault in %s", job.doing.en)
            job.problem = Message(
                "程序故障:这不是数据的问题,已记入日志。请告诉系统管理员。",
                "A fault of the program, not of the data; it is in the log. Tell the administrator.",
            )
            job.state = "failed"

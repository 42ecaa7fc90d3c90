"""How long a source is waited for and how often it is asked again. Only pulling is ever tried again.

Not here: what went wrong (`unreached`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from disclosure_etl.intake.sources.unreached import Unreached

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """`timeout_seconds` for each answer, `file_seconds` for a whole file or list; `attempts` in all, waiting
    `backoff_seconds` after the first and twice as long after each further one. `sleep` and `time` are real but in tests."""

    timeout_seconds: float = 30
    file_seconds: float = 300
    attempts: int = 3
    backoff_seconds: float = 1
    sleep: Callable[[float], None] = time.sleep
    time: Callable[[], float] = time.time

    def patiently(self, action: Callable[[], T]) -> T:
        """What `action` returns, asked again where its failure may pass.

        Raises:
            Unreached: it failed for good, or each time.
        """
        for attempt in range(1, self.attempts):
            try:
                return action()
            except Unreached as error:
                if not error.passing:
                    raise
            self.sleep(self.backoff_seconds * 2 ** (attempt - 1))
        return action()

"""How often something may be used: a limit a minute, kept in memory. Not here: what is limited (`access`)."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from threading import Lock

_PER_MINUTE = 120


class Pace:
    """How often a token is used: so many times a minute, and no more."""

    def __init__(self, most: int = _PER_MINUTE) -> None:
        self.most = most
        self._used: defaultdict[int, deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def wait(self, key: int) -> int:
        """Seconds until it may be used again; 0 where that is now, and then it counts as used."""
        now = time.monotonic()
        with self._lock:
            used = self._used[key]
            while used and now - used[0] > 60:
                used.popleft()
            if len(used) >= self.most:
                return int(60 - (now - used[0])) + 1
            used.append(now)
            return 0

"""The processes that files are read in: apart from the run, under limits of time and memory, and without a network.

A file may be made to hurt whoever opens it. One that does ends its process, not the month. Not here: reading (`reading`).
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, TimeoutError
from contextlib import suppress
from multiprocessing import get_context
from threading import Lock
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from schemas.errors import ProgramError

T = TypeVar("T")

# What no reader has any business with: connections and other programs. Linking out is what hostile files try.
_FORBIDDEN = frozenset(
    {
        "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "subprocess.Popen", "os.exec",
        "os.posix_spawn", "os.spawn", "os.system", "os.fork", "urllib.Request", "webbrowser.open",
    }
)  # fmt: skip


class ReaderDied(Exception):  # noqa: N818 - what happened, not whose mistake it was
    """The process that was reading ended without an answer: out of memory, most often."""


class ReaderSlow(Exception):  # noqa: N818
    """The reading took longer than it may, and its process was ended."""


class ReadingProcesses:
    """A pool of processes under one limit of memory (bytes). It outlives a run, since to start one takes half a second."""

    def __init__(self, count: int, max_memory: int) -> None:
        # Spawned, not forked: under Prefect this process has threads, and a fork would copy their locks.
        self._pool = ProcessPool(count, initializer=_confine, initargs=(max_memory,), context=get_context("spawn"))

    def submit(self, call: Callable[..., T], arguments: Sequence[object], seconds: float) -> Future[T]:
        """Let a process do it, for so many seconds at most. `answer` has what came of it."""
        return self._pool.schedule(call, args=list(arguments), timeout=seconds)

    @property
    def usable(self) -> bool:
        """Whether it takes work: a pool whose processes cannot be started does not."""
        return bool(self._pool.active)

    def stop(self) -> None:
        """End the processes, whatever they are at."""
        self._pool.stop()
        self._pool.join(5)


def answer(future: Future[T]) -> T:
    """What a process made of its work.

    Raises:
        ReaderDied, ReaderSlow: it made nothing of it. Whatever else the work itself raised.
    """
    try:
        return future.result()
    except TimeoutError:
        raise ReaderSlow from None
    except ProcessExpired as error:
        raise ReaderDied(f"exit code {error.exitcode}") from None
    except MemoryError:
        raise ReaderDied("out of memory") from None


_pools: dict[tuple[int, int], ReadingProcesses] = {}
_lock = Lock()


def reading_processes(count: int, max_memory: int) -> ReadingProcesses:
    """A pool of this process with that many readers under that limit, or more where there is one; started when it is first
    asked for."""
    with _lock:
        for (readers, memory), pool in _pools.items():
            if readers >= count and memory == max_memory and pool.usable:
                return pool
        pool = _pools[(count, max_memory)] = ReadingProcesses(count, max_memory)
        return pool


@atexit.register
def _stop_all() -> None:
    for pool in _pools.values():
        with suppress(RuntimeError, OSError):  # it is ending anyway
            pool.stop()


def _confine(max_memory: int) -> None:
    """In a new process: take from it what it does not need."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        pass
    else:
        resource.setrlimit(resource.RLIMIT_DATA, (max_memory, max_memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_refuse)


def _refuse(event: str, _: Any) -> None:
    if event in _FORBIDDEN:
        raise ProgramError(f"a reader tried {event}; readers reach no network and start no program")

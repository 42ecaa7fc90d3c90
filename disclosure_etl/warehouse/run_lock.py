"""One run at a time, over all processes and machines: whoever judges or decides has the lock from before it reads what it judges
by until all that follows is stored. So every result is that of runs one after the other.

The lock ends with its process. SQLite: a lock of the system on a file beside the database. PostgreSQL: an advisory lock of a
connection of its own, which is why that one cannot go through a pooler of transactions. Neither belongs to a thread. Not here:
write transactions, which every writer makes one at a time besides (`connection`).
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from disclosure_etl.calendar import system_clock
from disclosure_etl.warehouse.connection import ONE_WRITER, reading, told
from schemas.errors import AwayError, Message, Passing, UserError

_ONE_RUN = 0x64697365  # the advisory lock of everyone who judges or decides
_PAUSE_SECONDS = 0.1
_PROGRAM, _NAME_LETTERS = "disclosure-etl ", 63  # the name of a connection to PostgreSQL, which it cuts
_FAR = 0x7FFFFFFF  # the byte that is locked where locking a byte keeps others from reading it

Tell = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock, as far as is known: by whom and where it was started, what it does, and since when."""

    actor: str = "?"
    host: str = "?"
    pid: int = 0
    doing: str = "?"
    since: datetime | None = None

    @property
    def named(self) -> Message:
        """All of it, for a person."""
        since = f"{self.since.astimezone():%Y-%m-%d %H:%M:%S}" if self.since else "?"
        return Message(
            f"{self.doing},{self.actor}@{self.host},进程 {self.pid},自 {since}",
            f"{self.doing}, {self.actor}@{self.host}, process {self.pid}, since {since}",
        )


class RunLock(Protocol):
    """The lock of one database, for one run."""

    def take(self) -> bool:
        """Take it, unless somebody has it."""

    def is_held(self, connection: Connection) -> bool:
        """Whether it is still ours. The connection is a writer's: nobody else writes until its transaction ends."""

    def holder(self) -> Holder:
        """Who has it."""

    def release(self) -> None:
        """Give it back; also what was never taken, or was lost."""


@contextmanager
def alone(engine: Engine, actor: str, doing: str, patience_seconds: float, tell: Tell) -> Iterator[RunLock]:
    """The lock, waited for and had until the end.

    Args:
        doing: what the run does, such as `consolidate 2014-05`; `tell` hears for whom it waits.

    Raises:
        AwayError: somebody else has it, and kept it for longer than our patience.
    """
    own = Holder(actor, socket.gethostname(), os.getpid(), doing, system_clock("UTC")())
    lock = _lock_of(engine, own)
    try:
        _wait_for(lock, patience_seconds, tell)
        yield lock
    finally:
        lock.release()


def require(lock: RunLock, connection: Connection) -> None:
    """Refuse to write on after the lock was lost: somebody else may have judged since by what we are about to change.

    Raises:
        UserError: it was.
    """
    if not lock.is_held(connection):
        raise UserError(
            "运行期间失去了运行锁(与数据库的连接断过,或锁文件被移走),别的运行可能已经开始,因此本次到此为止。"
            "已存入的都是完整的;请再运行一次,余下的会自动补上。",
            "The run lock was lost meanwhile (the connection to the database broke, or the lock's file was taken away), and "
            "another run may have begun: this one ends here. What is stored is whole; run it again, and the rest is done.",
        )


def _wait_for(lock: RunLock, patience_seconds: float, tell: Tell) -> None:
    ends = time.monotonic() + patience_seconds
    heard: Holder | None = None
    while not lock.take():
        holder = lock.holder()
        if time.monotonic() >= ends:
            raise _out_of_patience(holder, patience_seconds)
        if holder != heard:
            heard = holder
            tell(
                Message(
                    f"另一个运行正在进行({holder.named.zh});等它结束,最多 {patience_seconds:g} 秒。",
                    f"Another run is at work ({holder.named.en}); waiting for it to end, {patience_seconds:g} seconds at most.",
                )
            )
        time.sleep(_PAUSE_SECONDS)


def _out_of_patience(holder: Holder, patience_seconds: float) -> AwayError:
    in_full = Message(
        f"等了 {patience_seconds:g} 秒,另一个运行仍未结束({holder.named.zh});本次没有判定任何报表,也没有作出决定。"
        "请稍后再运行;那个进程若已停住,请先结束它。等多久由 settings.yaml 的 run_patience_seconds 定。",
        f"Another run is still at work after {patience_seconds:g} seconds ({holder.named.en}); nothing was judged or decided. "
        "Run it again later; if that process hangs, end it first. How long to wait is run_patience_seconds in settings.yaml.",
    )
    return AwayError(
        Passing(
            "另一个运行正在进行,这一次没有判定任何报表,也没有作出决定。请稍后再试。",
            "Another run is at work; nothing was judged or decided this time. Try again later.",
            in_full,
        )
    )


def _lock_of(engine: Engine, own: Holder) -> RunLock:
    if engine.dialect.name == "postgresql":
        return _ConnectionLock(engine, own)
    with reading(engine) as connection:
        file = connection.exec_driver_sql("PRAGMA database_list").first()[2]  # type: ignore[index]
    return _FileLock(f"{os.path.realpath(file)}.lock", own) if file else _NobodyElse()


class _NobodyElse:
    """Of a database in memory, which no other process knows."""

    def take(self) -> bool:
        return True

    def is_held(self, connection: Connection) -> bool:
        return True

    def holder(self) -> Holder:
        return Holder()

    def release(self) -> None:
        pass


if sys.platform == "win32":
    import msvcrt

    def _lock_file(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock_file(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock_file(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock_file(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


class _FileLock:
    """The system's lock on a file that says who has it. The file stays: taking it away would let two have it."""

    def __init__(self, path: str, own: Holder) -> None:
        self._path, self._own = path, own
        self._handle: int | None = None

    def take(self) -> bool:
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise UserError(
                f"无法打开运行锁文件 {self._path}:{error.strerror}。请检查数据库所在目录的权限与空间。",
                f"The run lock's file {self._path} cannot be opened: {error.strerror}. Check rights and room of the database's folder.",
            ) from error
        try:
            _lock_file(handle)
        except OSError:
            os.close(handle)
            return False
        if not self._is_at_its_path(handle):  # it was taken away between opening and locking
            os.close(handle)
            return False
        self._handle = handle
        _write(handle, json.dumps(asdict(self._own), ensure_ascii=False, default=str))
        return True

    def is_held(self, connection: Connection) -> bool:
        return self._handle is not None and self._is_at_its_path(self._handle)

    def _is_at_its_path(self, handle: int) -> bool:
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(handle), os.stat(self._path))
        return False

    def holder(self) -> Holder:
        try:
            with open(self._path, encoding="utf-8") as file:
                said = json.load(file)
            return Holder(**{**said, "since": datetime.fromisoformat(said["since"])})
        except (OSError, ValueError, TypeError, KeyError):  # it has not been written yet, or is so no more
            return Holder()

    def release(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            _write(handle, "")
            _unlock_file(handle)
            os.close(handle)


def _write(handle: int, said: str) -> None:
    """What others are told while they wait. A full disk hinders nobody from having the lock."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, said.encode())


class _ConnectionLock:
    """An advisory lock of a connection that does nothing else. Its name says who has it, also to other users."""

    def __init__(self, engine: Engine, own: Holder) -> None:
        self._engine, self._own = engine, own
        self._connection: Connection | None = None
        self._backend: dict[str, Any] = {}

    def take(self) -> bool:
        with told(self._engine):
            if self._connection is None:
                self._connection = self._connected()
            if not self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ONE_RUN}).scalar_one():
                return False
            # Whoever had it before and lost it may be about to store its last transaction: that one counts still.
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_WRITER})
        return True

    def _connected(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # it is closed in the end, and never given to anybody else
        own = self._own  # the server keeps ASCII only
        said = {"name": f"{_PROGRAM}{own.doing} {own.pid} {quote(own.actor)}@{own.host}"[:_NAME_LETTERS]}
        connection.execute(text("SELECT set_config('application_name', :name, false)"), said)
        row = connection.execute(text("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"))
        self._backend = {"key": _ONE_RUN, "pid": (found := row.one()).pid, "began": found.backend_start}
        return connection

    _HELD = """
        FROM pg_locks AS held JOIN pg_stat_activity AS one ON one.pid = held.pid
        WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1 AND held.classid = 0
        AND CAST(held.objid AS bigint) = :key
        AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """

    def is_held(self, connection: Connection) -> bool:
        ours = text(f"SELECT count(*) {self._HELD} AND one.pid = :pid AND one.backend_start = :began")
        return connection.execute(ours, self._backend).scalar_one() == 1

    def holder(self) -> Holder:
        """The name may have been cut short; since when is told to the same user only."""
        assert self._connection is not None
        with told(self._engine):
            row = self._connection.execute(
                text(f"SELECT one.application_name, one.state_change {self._HELD}"), {"key": _ONE_RUN}
            ).first()
        if row is None:
            return Holder()
        words = (row.application_name or "").removeprefix(_PROGRAM).rsplit(" ", 2)
        if len(words) != 3 or not words[1].isdigit():
            return Holder(doing=row.application_name or "?", since=row.state_change)
        actor, _, host = words[2].partition("@")
        return Holder(unquote(actor), host or "?", int(words[1]), words[0], row.state_change)

    def release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):  # it broke, and the lock ended with it
                # Said, since the server notices a connection's end a little later than we close it.
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ONE_RUN})
            with suppress(DBAPIError):
                connection.close()

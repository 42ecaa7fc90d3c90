"""A folder on a server, with its subfolders, through an fsspec file system: listed, looked at twice, fetched whole.

Not here: how one connects (`sftp`, `webdav`, `s3`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fsspec import AbstractFileSystem

from disclosure_etl.intake.sources.delivery import Delivery
from disclosure_etl.intake.sources.names import DistinctNames, is_hidden, is_passed_over
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.unreached import (
    StillGrowing,
    Unreached,
    cut_off,
    no_connection,
    timed_out,
    too_large,
    unexpected,
)
from schemas.errors import UserError

_DEEPEST = 30  # folders within folders; a link that leads back into itself ends here


@dataclass(frozen=True)
class Look:
    """What a file looked like from outside."""

    size: int | None
    written: datetime | None


@dataclass(frozen=True)
class Place:
    """What every kind of tree is declared with."""

    name: str
    bureaus: frozenset[str]
    root: str
    settle_seconds: float
    max_bytes: int


class RemoteTree(ABC):
    """One source; its connection is made when first needed, kept while it is used, and made anew after it broke."""

    kind: str

    def __init__(self, place: Place, patience: Patience) -> None:
        self.name, self.bureaus = place.name, place.bureaus
        self._place, self._patience = place, patience
        self._waiting: list[str] = []
        self._system: Any = None

    @abstractmethod
    def _connect(self) -> AbstractFileSystem:
        """A new connection."""

    @abstractmethod
    def _entries(self, system: Any, path: str) -> list[dict[str, Any]]:
        """What lies in a folder, as fsspec tells it."""

    @abstractmethod
    def _info(self, system: Any, path: str) -> dict[str, Any]:
        """One file, as fsspec tells it."""

    @abstractmethod
    def _bytes(self, system: Any, path: str) -> bytes:
        """One file's bytes."""

    @abstractmethod
    def _explained(self, error: Exception) -> Unreached | None:
        """What a library's error means; None where it is no matter of the connection."""

    @abstractmethod
    def _disconnect(self, system: Any) -> None:
        """End a connection."""

    def deliveries(self, now: datetime) -> Iterator[Delivery]:
        """Everything that has arrived, by name. A file's time is when it was last written, but never after `now`."""
        self._waiting.clear()
        names = DistinctNames()
        for path, look in sorted(self._walk(self._place.root, 0), key=lambda one: one[0]):
            below = path.removeprefix(self._place.root).lstrip("/")
            if is_passed_over(below):
                continue
            name = names.give(below)
            if self._is_fresh(look):
                self._waiting.append(name)
                continue
            written = min(look.written.astimezone(now.tzinfo), now) if look.written else now
            yield Delivery(name, self.name, written, partial(self._read, name, path, look))

    def waiting(self) -> list[str]:
        """The names of files that are still being written."""
        return list(self._waiting)

    def close(self) -> None:
        """End the connection."""
        system, self._system = self._system, None
        if system is not None:
            self._disconnect(system)

    def _walk(self, folder: str, depth: int) -> Iterator[tuple[str, Look]]:
        for entry in self._call(partial(self._entries_of, folder)):
            path = str(entry["name"])
            if path.rstrip("/") == folder.rstrip("/"):  # some servers list a folder in itself
                continue
            if entry["type"] == "directory":
                if depth < _DEEPEST and not is_hidden(path.rstrip("/").rpartition("/")[2]):
                    yield from self._walk(path.rstrip("/"), depth + 1)
            elif entry["type"] == "file" and not path.endswith("/"):
                yield path, _look(entry)

    def _entries_of(self, folder: str, system: Any) -> list[dict[str, Any]]:
        try:
            return self._entries(system, folder)
        except FileNotFoundError:
            raise Unreached(f"没有目录「{folder}」", f"has no folder '{folder}'") from None

    def _is_fresh(self, look: Look) -> bool:
        if look.written is None or not self._place.settle_seconds:
            return False
        return abs(self._patience.time() - look.written.timestamp()) < self._place.settle_seconds

    def _read(self, name: str, path: str, look: Look) -> bytes:
        if (look.size or 0) > self._place.max_bytes:
            raise too_large(self._place.max_bytes)

        def whole(system: Any) -> bytes:
            try:
                data = self._bytes(system, path)
            except TimeoutError:
                raise timed_out(self._patience.file_seconds) from None
            after = _look(self._info(system, path))
            if after != look:
                self._waiting.append(name)
                raise StillGrowing
            if look.size is not None and len(data) != look.size:
                raise cut_off()
            return data

        return self._call(whole)

    def _call(self, action: Any) -> Any:
        """What `action` makes of the connection, tried again on a new one where it broke."""

        def once() -> Any:
            try:
                if self._system is None:
                    self._system = self._connect()
                return action(self._system)
            except (StillGrowing, FileNotFoundError, UserError):
                raise
            except Exception as error:  # libraries raise what they like; only what it means is told
                told = error if isinstance(error, Unreached) else self._explained(error) or self._plain(error)
                if told.passing:
                    self.close()
                raise told from None

        return self._patience.patiently(once)

    def _plain(self, error: Exception) -> Unreached:
        if isinstance(error, TimeoutError):
            return timed_out(self._patience.timeout_seconds)
        if isinstance(error, PermissionError):
            return Unreached("不允许读取,请核对权限", "may not be read; check the permissions")
        return no_connection() if isinstance(error, OSError) else unexpected(error)


def _look(entry: dict[str, Any]) -> Look:
    size = entry.get("size")
    written = next((entry[key] for key in ("mtime", "modified", "LastModified") if entry.get(key)), None)
    if isinstance(written, datetime) and written.tzinfo is None:
        written = written.replace(tzinfo=UTC)
    return Look(int(size) if size is not None else None, written if isinstance(written, datetime) else None)

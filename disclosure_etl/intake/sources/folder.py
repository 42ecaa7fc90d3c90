"""A local or network folder, with its subfolders.

Not here: folders on servers that are no file system of this machine (`remote_tree`).
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from stat import S_ISREG

from disclosure_etl.intake.sources.delivery import Delivery
from disclosure_etl.intake.sources.names import DistinctNames, is_hidden, is_not_yet, legible
from disclosure_etl.intake.sources.unreached import StillGrowing, reason
from schemas.errors import Message, UserError

_Look = tuple[int, int]  # size, moment of the last writing
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP)  # gone since the listing, or a link to nothing


def _shown(path: str) -> str:
    """A path below the folder, with forward slashes; each part may have been written in an encoding of its own."""
    return path if os.sep == "/" and path.isascii() else "/".join(map(legible, path.split(os.sep)))


@dataclass(frozen=True)
class FolderSource:
    """A folder. Lock files, hidden files and unfinished downloads are passed over; a file that was written within the last
    `settle_seconds`, or that changes between the listing and its reading, waits for the next round."""

    root: Path
    timezone: tzinfo
    name: str = "inbox"
    bureaus: frozenset[str] = frozenset()
    settle_seconds: float = 0
    time: Callable[[], float] = time.time
    kind: str = "folder"
    _waiting: list[str] = field(default_factory=list)

    def deliveries(self, now: datetime) -> Iterator[Delivery]:
        """Everything that has arrived, by name. A file's time is when it was last written, but never after `now`.

        Raises:
            UserError: there is no such folder, or it or a folder below it cannot be listed. What lies there is not known,
                so a month without it would be no month.
        """
        self._waiting.clear()
        names = DistinctNames()
        root, as_of = len(os.path.join(self.root, "")), now.timestamp()
        for path in self._paths():
            size = None
            try:
                stat = os.stat(path)
            except OSError as error:
                if error.errno in _NOWHERE:
                    continue
                written, look = now, None  # it cannot be looked at; whoever reads it will say so
            else:
                if not S_ISREG(stat.st_mode):
                    continue
                look = (stat.st_size, stat.st_mtime_ns)
                written = now
                if stat.st_mtime <= as_of:
                    written, size = datetime.fromtimestamp(stat.st_mtime, tz=self.timezone), stat.st_size
            name = names.give(_shown(path[root:]))
            if look is not None and self._is_fresh(look):
                self._waiting.append(name)
                continue
            yield Delivery(name, self.name, written, partial(self._read, name, path, look), size=size)

    def files(self) -> list[Path]:
        """The paths of all files, by name, also of those that may still be growing.

        Raises:
            UserError: as for `deliveries`.
        """
        return [Path(path) for path in self._paths()]

    def _paths(self) -> list[str]:
        if not self.root.is_dir():
            folder, where = self._called(str(self.root)), self._declared
            raise UserError(
                f"{folder.zh} 不存在;请创建它,或在 {where.zh} 中写上实际目录。",
                f"{folder.en} does not exist; create it, or name the right folder in {where.en}.",
            )
        return sorted(self._listed(), key=lambda path: path.split(os.sep))

    def waiting(self) -> list[str]:
        """The names of files that are still being written."""
        return list(self._waiting)

    def close(self) -> None:
        """There is no connection."""

    def _called(self, folder: str) -> Message:
        if self.name == "inbox":
            return Message(f"收件目录 {folder}", f"The inbox {folder}")
        return Message(f"来源「{self.name}」的目录 {folder}", f"The folder {folder} of source '{self.name}'")

    @property
    def _declared(self) -> Message:
        if self.name == "inbox":
            return Message("settings.yaml 的 inbox", "settings.yaml (inbox)")
        return Message(f"sources.yaml 的「{self.name}」", f"sources.yaml ({self.name})")

    def _is_fresh(self, look: _Look) -> bool:
        return self.settle_seconds > 0 and abs(self.time() - look[1] / 1e9) < self.settle_seconds

    def _read(self, name: str, path: str, look: _Look | None) -> bytes:
        data = Path(path).read_bytes()
        if look is not None:
            stat = os.stat(path)
            if (stat.st_size, stat.st_mtime_ns) != look or len(data) != look[0]:
                self._waiting.append(name)
                raise StillGrowing
        return data

    def _listed(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.root, onerror=self._refuse):
            folders[:] = [name for name in folders if not is_hidden(name)]
            for name in files:
                if not is_hidden(name) and not is_not_yet(name):
                    yield os.path.join(folder, name)

    def _refuse(self, error: OSError) -> None:
        why, folder = reason(error), self._called(legible(str(error.filename)))
        raise UserError(
            f"{folder.zh} {why.zh},其中的文件无从得知;请改正目录的权限或网络连接后重新运行。",
            f"{folder.en} {why.en}, so what lies in it is not known; mend its permissions or the connection and run again.",
        )

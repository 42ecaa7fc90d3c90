"""Where returns come from: what has arrived at a source, by name, with its bytes and its time of arrival.

Not here: keeping the bytes (`raw_store`) or understanding them (`readers`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from schemas.errors import Message, UserError

_HIDDEN = (".", "~$")
_NOT_YET = (".part", ".tmp", ".crdownload", ".swp")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file at a source, not opened yet. `name` is its path below the source, with forward slashes."""

    name: str
    path: Path
    arrived_at: datetime

    def read(self) -> bytes:
        """The bytes as they are now."""
        return self.path.read_bytes()


@dataclass(frozen=True)
class FolderSource:
    """A local or network folder, with its subfolders. Lock files, hidden files and unfinished downloads are passed over."""

    root: Path
    timezone: tzinfo

    @property
    def name(self) -> str:
        """The source's name in receipts."""
        return "inbox"

    def deliveries(self, now: datetime) -> Iterator[Delivery]:
        """Everything that has arrived, by name. A file's time is when it was last written, but never after `now`.

        Raises:
            UserError: there is no such folder, or it or a folder below it cannot be listed. What lies there is not known,
                so a month without it would be no month.
        """
        if not self.root.is_dir():
            raise UserError(
                f"收件目录 {self.root} 不存在;请创建它,或在 settings.yaml 的 inbox 中写上实际目录。",
                f"The inbox {self.root} does not exist; create it, or name the right folder in settings.yaml (inbox).",
            )
        for path in sorted(self._listed()):
            try:
                if not path.is_file():
                    continue
                written = datetime.fromtimestamp(path.stat().st_mtime, tz=self.timezone)
            except OSError:  # it cannot be looked at; whoever reads it will say so
                written = now
            name = "/".join(map(_legible, path.relative_to(self.root).parts))
            yield Delivery(name, path, min(written, now))

    def _listed(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self.root, onerror=_refuse):
            folders[:] = [name for name in folders if not name.startswith(_HIDDEN)]
            for name in files:
                if not name.startswith(_HIDDEN) and os.path.splitext(name)[1].lower() not in _NOT_YET:
                    yield Path(folder, name)


def _refuse(error: OSError) -> None:
    why = reason(error)
    folder = _legible(str(error.filename))
    raise UserError(
        f"收件目录 {folder} {why.zh},其中的文件无从得知;请改正目录的权限或网络连接后重新运行。",
        f"The inbox folder {folder} {why.en}, so what lies in it is not known; mend its permissions or the connection "
        "and run again.",
    )


def reason(error: OSError) -> Message:
    """Why something cannot be read, in both languages; what the system says of it is in its own."""
    if isinstance(error, FileNotFoundError):
        return Message("不存在", "does not exist")
    if isinstance(error, PermissionError):
        return Message("没有读取权限", "may not be read (permission)")
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return Message("不是文件", "is no file")
    return Message(f"读取出错(系统错误号 {error.errno})", f"cannot be read (system error {error.errno})")


def _legible(name: str) -> str:
    """A name as text. One that is no UTF-8 was packed on a Chinese Windows, nearly always."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name

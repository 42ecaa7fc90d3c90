"""Where returns come from: what has arrived at a source, by name, with its bytes and its time of arrival.

Not here: keeping the bytes (`raw_store`) or understanding them (`readers`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from schemas.errors import UserError

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
            UserError: there is no such folder.
        """
        if not self.root.is_dir():
            raise UserError(
                f"收件目录 {self.root} 不存在;请创建它,或在 settings.yaml 的 inbox 中写上实际目录。",
                f"The inbox {self.root} does not exist; create it, or name the right folder in settings.yaml (inbox).",
            )
        for path in sorted(self.root.rglob("*")):
            parts = path.relative_to(self.root).parts
            if (
                any(part.startswith((".", "~$")) for part in parts)
                or path.suffix.lower() in _NOT_YET
                or not path.is_file()
            ):
                continue
            written = datetime.fromtimestamp(path.stat().st_mtime, tz=self.timezone)
            yield Delivery("/".join(map(_legible, parts)), path, min(written, now))


def _legible(name: str) -> str:
    """A name as text. One that is no UTF-8 was packed on a Chinese Windows, nearly always."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name

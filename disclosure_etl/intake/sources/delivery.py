"""What a source is, and what it delivers: one file, not fetched yet.

Not here: any kind of source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.errors import Message


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why bytes are kept and not read: a stable code, and what to do."""

    code: str
    message: Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file at a source, not opened yet. `name` is its path below the source, with forward slashes.

    `sender` is who sent it, where the source knows. `refuse` says of the bytes whether they may be read at all. `probe` asks
    whether it is there without fetching it, where the listing has not shown that; it raises as `read` does. `size` is what the
    listing tells of it, where that and `arrived_at` are enough to know a file by that was fetched before.
    """

    name: str
    source: str
    arrived_at: datetime
    fetch: Callable[[], bytes]
    sender: str | None = None
    refuse: Callable[[bytes], Refusal | None] | None = None
    probe: Callable[[], object] | None = None
    size: int | None = None

    def read(self) -> bytes:
        """The bytes as they are now.

        Raises:
            OSError: they cannot be had (`Unreached` where the source says why).
            StillGrowing: somebody is writing them at this moment.
        """
        return self.fetch()


class Source(Protocol):
    """Somewhere that returns arrive. `bureaus` are the codes of those that may send through it; none means any."""

    @property
    def name(self) -> str:
        """Its name, in receipts and messages."""

    @property
    def kind(self) -> str:
        """Its kind, as sources.yaml says it."""

    @property
    def bureaus(self) -> frozenset[str]:
        """Who may send through it."""

    def deliveries(self, now: datetime) -> Iterator[Delivery]:
        """Everything that has arrived, by name; nothing is fetched yet.

        Raises:
            UserError, Unreached: it cannot be listed, so what lies there is not known.
        """

    def waiting(self) -> list[str]:
        """The names of files that somebody is still writing, as far as was seen since the last listing."""

    def close(self) -> None:
        """End its connection, if there is one."""

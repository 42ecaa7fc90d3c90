"""All sources of a run: what each has, and which of them are down. One that is down costs the others nothing.

Not here: what becomes of the files (`pulling`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from disclosure_etl.intake.sources.delivery import Delivery, Source
from disclosure_etl.intake.sources.unreached import reason, unexpected
from schemas.errors import Message, UserError


@dataclass(frozen=True)
class Listed:
    """One source with what it has; `down` says why nothing is known of that."""

    source: Source
    deliveries: tuple[Delivery, ...] = ()
    down: Message | None = None

    @property
    def present(self) -> list[str]:
        """The names of all that lies there, finished or not."""
        return [*(one.name for one in self.deliveries), *self.source.waiting()]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one source fared in a run. `files` were found; `waiting` are names of those that are still being written."""

    name: str
    kind: str
    status: Literal["ok", "down"]
    files: int
    waiting: tuple[str, ...] = ()
    message: Message | None = None


def list_source(source: Source, now: datetime) -> Listed:
    """What a source has, or why that is not known."""
    return _told(source, lambda: Listed(source, tuple(source.deliveries(now))))


def try_source(source: Source, now: datetime) -> Listed:
    """As `list_source`, and where the listing asks nobody, the first file is asked for without being fetched."""

    def tried() -> Listed:
        listed = Listed(source, tuple(source.deliveries(now)))
        for probe in [one.probe for one in listed.deliveries if one.probe is not None][:1]:
            probe()
        return listed

    return _told(source, tried)


def _told(source: Source, listing: Callable[[], Listed]) -> Listed:
    try:
        return listing()
    except UserError as error:
        return Listed(source, down=error.message)
    except Exception as error:  # whatever a server makes a library do, the other sources go on
        why = reason(error if isinstance(error, OSError) else unexpected(error))
        told = Message(
            f"来源「{source.name}」({source.kind}){why.zh};其中的文件无从得知。请改正后重新运行。",
            f"The source '{source.name}' ({source.kind}) {why.en}, so what lies there is not known. Mend it and run again.",
        )
        return Listed(source, down=told)


def list_all(sources: Sequence[Source], now: datetime) -> list[Listed]:
    """What each source has.

    Raises:
        UserError: none of them can be listed; a month without any source would be no month.
    """
    listed = [list_source(one, now) for one in sources]
    if all(one.down for one in listed):
        told = [one.down for one in listed if one.down]
        raise UserError("\n".join(one.zh for one in told), "\n".join(one.en for one in told))
    return listed


def standing(one: Listed) -> Standing:
    """How a source fared, after its files were pulled."""
    source = one.source
    status: Literal["ok", "down"] = "down" if one.down else "ok"
    waiting = tuple(source.waiting()) if not one.down else ()
    return Standing(source.name, source.kind, status, len(one.deliveries), waiting, one.down)

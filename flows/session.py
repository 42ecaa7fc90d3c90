"""One invocation of the command line: its options, language and output, and the exit code that a result comes to.

Nothing heavy is imported here: `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError, Language, Message, UserError

if TYPE_CHECKING:
    from rich.console import Console

    from disclosure_etl.office import Office
    from disclosure_etl.settings import Settings
    from flows.running import Ran
    from schemas.consolidation import Consolidation
    from schemas.periods import Period

CLEAN, NEEDS_PERSON, WRONG_USAGE, PROGRAM_FAULT = 0, 1, 2, 3


@dataclass
class Session:
    """What the global options said."""

    config: Path | None
    chosen_language: str | None
    now: datetime | None = None

    @cached_property
    def settings(self) -> Settings:
        """The office's settings, read once."""
        from disclosure_etl.settings import load_settings

        environment = dict(os.environ)
        if self.chosen_language:
            environment["DISCLOSURE_LANG"] = self.chosen_language
        return load_settings(self.config, environment, Path.cwd())

    @property
    def office(self) -> Office:
        """The office whose folder this is, with its clock.

        Raises:
            ConfigError: there is none here: the packaged office is an example, and nobody's figures belong to it.
        """
        if self.settings.dirs.office is None:
            raise ConfigError(
                f"{Path.cwd()} 中没有 config/,这里不是单位的目录;请先运行 disclosure-etl init,或用 --config 指明配置目录。",
                f"There is no config/ in {Path.cwd()}, so this is no office's folder; run 'disclosure-etl init' first, or "
                "name the configuration folder with --config.",
            )
        return self.any_office

    @cached_property
    def any_office(self) -> Office:
        """The office, or the packaged example where there is none: for looking at a configuration, not for working."""
        from disclosure_etl.office import Office
        from flows.running import office_clock

        return Office(self.settings, office_clock(self.settings, self.now), self.warn)

    @property
    def language(self) -> Language:
        """The language of messages; it must be known even where settings cannot be read."""
        if self.chosen_language:
            return "en" if self.chosen_language == "en" else "zh"
        if "settings" in self.__dict__:
            return self.settings.language
        from disclosure_etl.settings import terminal_language

        return terminal_language(os.environ)

    @cached_property
    def console(self) -> Console:
        """The terminal: colour and width only where there is one."""
        from flows.terminal import Terminal

        return Terminal(highlight=False, soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 200)

    def say(self, zh: str, en: str) -> None:
        """A line for the person."""
        self.console.print(zh if self.language == "zh" else en, markup=False)

    def warn(self, message: Message) -> None:
        """A message on standard error, which machines do not read."""
        from flows.terminal import harmless

        print(harmless(message.in_language(self.language)), file=sys.stderr)

    def listed(self, words: Iterable[str]) -> str:
        """Words one after the other, as the session's language separates them."""
        return self.pick("、", ", ").join(words)

    def pick(self, zh: str, en: str) -> str:
        """The text in the session's language."""
        return zh if self.language == "zh" else en


def read_period(written: str) -> Period:
    """A period as people type it: its code, or 2014年1月, 201401, 2014.1.

    Raises:
        UserError: it is none.
    """
    from schemas.periods import Period

    return Period.read(written) or Period.parse(written)


def read_moment(written: str, option: str = "--now") -> datetime:
    """The moment that an option names: a day, or a day and a time.

    Raises:
        UserError: it is none.
    """
    try:
        return datetime.fromisoformat(written.strip())
    except ValueError:
        raise UserError(
            f"{option}「{written}」不是日期;请写 2014-06-06 或 2014-06-06T08:00。",
            f"{option} '{written}' is no day; write 2014-06-06 or 2014-06-06T08:00.",
        ) from None


def read_as_of(written: str, zone: str) -> datetime:
    """The moment as of which somebody asks, in the office's time: of a day its end.

    Raises:
        UserError: it is none.
    """
    from zoneinfo import ZoneInfo

    moment = read_moment(written, "--as-of")
    if "T" not in written and " " not in written.strip():
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def print_json(value: Any) -> None:
    """The one thing on standard output for machines."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def exit_code(one: Consolidation, faults: tuple[str, ...] = ()) -> int:
    """What a consolidation comes to: 3 a program fault, 1 something for a person, 0 clean (notices allowed).

    Each reason for 1 is a count that `status` shows, so that nobody looks for it in vain. Of a final version somebody has
    seen to all of them.
    """
    from schemas.consolidation import VersionStatus
    from schemas.records import Status

    if faults or one.counts[Status.FAILED]:
        return PROGRAM_FAULT
    if one.status in (VersionStatus.FINAL, VersionStatus.LOCKED):
        return CLEAN
    open_counts = (Status.HELD, Status.PARTLY_HELD, Status.RETURNED, Status.UNREADABLE, Status.MISDIRECTED)
    told = any(state.errors or state.warnings or state.stale for state in one.bureaus)
    return NEEDS_PERSON if one.missing or told or any(one.counts[status] for status in open_counts) else CLEAN


def exit_code_of(ran: Ran) -> int:
    """The worst of a run: its own period, the later ones that it touched, a source that is down, a return for a locked year."""
    result = ran.result
    waits = result.held_for_lock or any(one.status == "down" for one in result.sources)
    down = NEEDS_PERSON if waits else CLEAN
    return max(down, *(exit_code(one, result.faults) for one in (result.consolidation, *result.later)))

"""The two families of errors: what a user can mend, and what only a programmer can.

A failure of a submission is neither: it is a record (`schemas.records.Failure`), not an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Message:
    """One text in Chinese and English: what is wrong, where, seen, expected, what to do."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """The text in `language`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Passing(Message):
    """What hinders for now and for nobody's mistake, as anybody may read it; `in_full` names place and cause, for the log and the
    command line alone."""

    in_full: Message


class UserError(Exception):
    """Something that the person at the keyboard can mend: shown as one message, never with a traceback."""

    exit_code = 2

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.message = Message(zh, en)

    @property
    def in_full(self) -> Message:
        """The message for whoever runs the program."""
        return self.message


class AwayError(UserError):
    """The database cannot be used now: it cannot be reached, has no room, or somebody else judges, decides or writes in it for longer
    than our patience. The same may succeed later as it is."""

    def __init__(self, message: Passing) -> None:
        super().__init__(message.in_full.zh, message.in_full.en)
        self.message: Passing = message

    @property
    def in_full(self) -> Message:
        """With place and cause."""
        return self.message.in_full


class ConfigError(UserError):
    """A configuration or form file that cannot be used; the message names file, line and the known names."""


class ProgramError(Exception):
    """A fault of the program: shown as such, exit code 3, never dressed up as a failure of the data."""

    exit_code = 3

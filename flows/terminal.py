"""The terminal that people read: what files say is shown on it, and never does anything to it.

A cell, a sheet's name or a sender's may hold the signs that move a cursor, colour a line or turn the direction of writing.
Not here: what is shown (`console`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """A text with a mark for every sign that is a command; line breaks and tabs stay."""
    return _COMMANDS.sub("\ufffd", text)


class Terminal(Console):
    """A console whose own colours and cursor are its only commands."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is to be shown, its text harmless."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)

"""The states of a return, before and after it was read, and the moves between them: whatever is not listed here, no program and
no hand does.

Not here: what makes a return move (`quality` judges it, stewards decide, a later revision comes).
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a return that was read stands. RECEIVED lasts no longer than the transaction that stores it; RETURNED: sent back to
    be corrected, counting as before until it is; WITHDRAWN: counting for nothing."""

    RECEIVED = "received"
    HELD = "held"
    PARTLY_HELD = "partly_held"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


_JUDGED = frozenset({State.HELD, State.PARTLY_HELD, State.ACCEPTED})
_DECIDED = frozenset({State.RETURNED, State.WITHDRAWN})

# What was accepted stays so until a later revision counts, or the program fails on it; a block of it that a form has since
# been given anew is not accepted by that. A superseded return comes back where what superseded it no longer counts, or
# where it is reinstated. What a person decided is undone by a person, or ended by a later revision: what was sent back and then
# failed is sent back again once the fault is mended.
MOVES: dict[State, frozenset[State]] = {
    State.RECEIVED: _JUDGED | {State.FAILED, State.SUPERSEDED},
    State.HELD: frozenset({State.PARTLY_HELD, State.ACCEPTED, State.FAILED, State.SUPERSEDED}) | _DECIDED,
    State.PARTLY_HELD: frozenset({State.ACCEPTED, State.FAILED, State.SUPERSEDED}) | _DECIDED,
    State.ACCEPTED: frozenset({State.PARTLY_HELD, State.FAILED, State.SUPERSEDED}) | _DECIDED,
    State.FAILED: _JUDGED | {State.SUPERSEDED} | _DECIDED,
    State.SUPERSEDED: _JUDGED | {State.FAILED, State.RETURNED},
    State.RETURNED: _JUDGED | {State.FAILED, State.SUPERSEDED, State.WITHDRAWN},
    State.WITHDRAWN: _JUDGED | {State.FAILED, State.SUPERSEDED, State.RETURNED},
}

# The states of returns that take no part in their period any more.
OUT = (State.SUPERSEDED.value, State.WITHDRAWN.value)

# The same of bytes, by what was found in them (`DocumentRecord.status`), while no return is stored of them; from then on they
# are read, and stay so. An archive is opened, an attachment attached, for good.
DOCUMENT_MOVES: dict[str, frozenset[str]] = {
    "read": frozenset({"unreadable", "misdirected", "failed", "attached"}),
    "unreadable": frozenset({"read", "misdirected", "failed", "attached", "archive"}),
    "misdirected": frozenset({"read", "unreadable", "failed"}),
    "failed": frozenset({"read", "unreadable", "misdirected", "attached", "archive"}),
    "attached": frozenset(),
    "archive": frozenset(),
}

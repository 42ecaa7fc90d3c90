"""The states of a return that was read, and the moves between them: whatever is not listed here, no program and no hand does.

What arrives and is no return (unreadable, misdirected, an archive) is a document's status (`schemas.records`). Not here: what
makes a return move (`quality` judges it, stewards decide, a later revision comes).
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a return stands. RECEIVED lasts no longer than the transaction that stores it."""

    RECEIVED = "received"
    HELD = "held"
    PARTLY_HELD = "partly_held"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPERSEDED = "superseded"


# What was accepted stays so until a later revision counts, or the program fails on it; a block of it that a form has since
# been given anew is not accepted by that. A superseded return comes back where what superseded it no longer counts.
MOVES: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.HELD, State.PARTLY_HELD, State.ACCEPTED, State.FAILED, State.SUPERSEDED}),
    State.HELD: frozenset({State.PARTLY_HELD, State.ACCEPTED, State.FAILED, State.SUPERSEDED}),
    State.PARTLY_HELD: frozenset({State.ACCEPTED, State.FAILED, State.SUPERSEDED}),
    State.ACCEPTED: frozenset({State.PARTLY_HELD, State.FAILED, State.SUPERSEDED}),
    State.FAILED: frozenset({State.HELD, State.PARTLY_HELD, State.ACCEPTED, State.SUPERSEDED}),
    State.SUPERSEDED: frozenset({State.HELD, State.PARTLY_HELD, State.ACCEPTED, State.FAILED}),
}

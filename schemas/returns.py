"""Returns as stewards meet them: what is stored of one, and what may be decided of it as a whole.

Not here: its figures (`records`), or the moves that it may make (`states`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.states import State


class ReturnAction(StrEnum):
    """What may be decided: send back to be corrected, take out at the bureau's word, bring an earlier one back; and undo one
    of these."""

    RETURN = "return"
    WITHDRAW = "withdraw"
    REINSTATE = "reinstate"
    UNDO = "undo"


# The states in which a return must be for it.
ALLOWED: dict[ReturnAction, frozenset[State]] = {
    ReturnAction.RETURN: frozenset({State.HELD, State.PARTLY_HELD, State.ACCEPTED}),
    ReturnAction.WITHDRAW: frozenset({State.HELD, State.PARTLY_HELD, State.ACCEPTED, State.RETURNED, State.FAILED}),
    ReturnAction.REINSTATE: frozenset({State.SUPERSEDED}),
}

# The states in which a return is by it.
MADE: dict[ReturnAction, frozenset[State]] = {
    ReturnAction.RETURN: frozenset({State.RETURNED}),
    ReturnAction.WITHDRAW: frozenset({State.WITHDRAWN}),
    ReturnAction.REINSTATE: frozenset({State.HELD, State.PARTLY_HELD, State.ACCEPTED, State.FAILED}),
}


@dataclass(frozen=True, slots=True)
class StoredReturn:
    """One stored return: its key in the warehouse, the digest of its bytes, whose and which it is, and where it stands."""

    key: int
    digest: str
    family: str
    period: str
    bureau: str | None
    bureau_written: str
    file: str
    revision: int
    received_at: datetime
    state: State


@dataclass(frozen=True, slots=True)
class ReturnDecision:
    """What was decided of a return, and stands. `number` is its name."""

    number: int
    action: ReturnAction
    submission: int
    digest: str
    bureau: str | None
    period: str
    reason: str
    by: str
    at: datetime

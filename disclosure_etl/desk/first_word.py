"""The first of the two words that signing off or reopening may take: kept for the second person, and nobody's is overwritten.

Not here: what the second person says (`signing_off`, `years`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from disclosure_etl.desk.access import Need, may_still
from disclosure_etl.desk.standing import PATIENCE_SECONDS, Desk
from disclosure_etl.office import Office
from schemas.errors import Message
from schemas.people import Person
from schemas.periods import Period

_WRITTEN = ("reason", "acknowledge", "note")
CHANGED = Message(
    "页面打开后情况有了变化(有了新的版本,或已经签发、锁定或重新打开),意见没有记录;请核对后再提出。",
    "Things have changed since the page was shown (there is a newer version, or it was signed off, locked or opened again meanwhile), "
    "and the word was not recorded: look, then give it anew.",
)


def give_first_word(
    desk: Desk, by: Person, kind: str, period: Period, content_hash: str, details: Mapping[str, Any],
    stands: Callable[[Office], bool],
) -> Message | None:  # fmt: skip
    """Keep somebody's word, in the place of one that counts no longer: an earlier one of their own, about something else, or of somebody
    who may no longer sign. What hinders it otherwise: that it is about what stands no longer, or that somebody else gave theirs first,
    perhaps since the page was shown, and it is for this person to be the second.

    Args:
        content_hash: of the version that is meant, '' of a year; of that, `details` tell the lock that is meant (`locked`).
        stands: whether that is how it is still; asked while nobody else judges, signs or locks.

    Raises:
        AwayError: a run is at work for longer than our patience.
    """
    with desk.office_of(by).alone(f"desk {period}", PATIENCE_SECONDS) as office:
        if not stands(office):
            return CHANGED
        waits = office.warehouse.open_proposal(kind, desk.family, period)
        counts = (
            waits is not None
            and waits.details["login"] != by.login
            and (waits.content_hash, waits.details.get("locked")) == (content_hash, details.get("locked"))
            and may_still(desk, waits.details["login"], Need.SIGN)
        )
        if waits is None or not counts:
            office.warehouse.propose(by, kind, desk.family, period, content_hash, {**details, "login": by.login})
            return None
    at = f"{waits.at.astimezone(desk.office.clock().tzinfo):%Y-%m-%d %H:%M}"
    written = "; ".join(str(details[one]) for one in _WRITTEN if details.get(one))  # the page has no form to keep it in
    return Message(
        f"{waits.by} 已于 {at} 先行提出,您的意见没有记录;请作为第二人同意或退回。"
        + (f"您写的是:{written}" if written else ""),
        f"{waits.by} gave the first word at {at}, and yours was not recorded: agree to it as the second person, or send it back."
        + (f" You wrote: {written}" if written else ""),
    )

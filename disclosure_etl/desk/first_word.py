"""The first of the two words that signing off or reopening may take: kept for the second person, and nobody's is overwritten.

Not here: what the second person says (`signing_off`, `years`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disclosure_etl.desk.access import Need, may_still
from disclosure_etl.desk.standing import Desk
from schemas.errors import Message
from schemas.people import Person
from schemas.periods import Period


def give_first_word(
    desk: Desk, by: Person, kind: str, period: Period, content_hash: str, details: Mapping[str, Any]
) -> Message | None:
    """Keep somebody's word for what has this content, in the place of one that counts no longer: an earlier one of their own, of other
    content, or of somebody who may no longer sign. What hinders it otherwise: that somebody else gave theirs first, perhaps since the
    page was shown, and it is for this person to be the second."""
    warehouse = desk.office_of(by).warehouse
    waits = warehouse.open_proposal(kind, desk.family, period)
    counts = (
        waits is not None
        and waits.details["login"] != by.login
        and waits.content_hash == content_hash
        and may_still(desk, waits.details["login"], Need.SIGN)
    )
    if not counts:
        told = {**details, "login": by.login}
        waits = warehouse.propose(by, kind, desk.family, period, content_hash, told, waits.number if waits else None)
    assert waits is not None
    if waits.details["login"] == by.login:
        return None
    at = f"{waits.at.astimezone(desk.office.clock().tzinfo):%Y-%m-%d %H:%M}"
    written = "; ".join(
        one for one in details.values() if isinstance(one, str) and one
    )  # the page has no form to keep it in
    return Message(
        f"{waits.by} 已于 {at} 先行提出,您的意见没有记录;请作为第二人同意或退回。"
        + (f"您写的是:{written}" if written else ""),
        f"{waits.by} gave the first word at {at}, and yours was not recorded: agree to it as the second person, or send it back."
        + (f" You wrote: {written}" if written else ""),
    )

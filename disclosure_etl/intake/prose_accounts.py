"""Accounts in running text: what came in and was carried over, what was answered and carried on, as one balance.

「受理60件,答复64件(含上年度结转4件)」 is 60 + 4 = 64. Not here: the same in a table (`foreign_tables`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from disclosure_etl.intake.prose_figures import Said
from disclosure_etl.intake.prose_lists import Lists
from schemas.constraints import Kind, Relation
from schemas.structures import Tie

BALANCE, OUTCOMES = "text:balance", "text:outcomes"

_OPENING = re.compile(
    r"(?:上年度?|上一?年度?|上期|上月|上季度?|去年|往年|以前年度)[^,。;]{0,6}(?:结转|遗留|未办结|转入|转来|延续)|结转自"
)
_CLOSING = re.compile(
    r"顺延|结转(?:到|至|下|入下)|转(?:入|到|至)?下(?:一?年|期|月|季)|延(?:续|后)?(?:到|至)下|跨年|(?:仍|尚|还)[^,。;]{0,8}(?:办理中|在办|未办结|未答复)"
)
_RECEIVED = re.compile(r"受理|收到|接收|接到|新收")
_ANSWERED = re.compile(r"答复|办结|办理|处理")
_REACH = 3  # sentences between what is received and what became of it


def role_of(said: Said) -> str | None:
    """What part of the account a figure is, by the words around it."""
    around = said.clause + said.after
    if said.is_share or said.is_change or said.is_round or said.is_nothing:
        return None
    if _OPENING.search(said.clause):
        return "opening"
    if _CLOSING.search(around):
        return "closing"
    if _RECEIVED.search(said.clause):
        return "received"
    return "answered" if _ANSWERED.search(said.clause) else None


def accounts(figures: Sequence[Said], found: Lists) -> list[Tie]:
    """The balances that a text states: for each figure carried over or on, the nearest figures of the other roles.

    Without a figure carried on, some may be all the same: then only that no more was answered than there was.
    """
    parts = {part for one in found.lists for part in one.parts}
    roles = [role_of(one) for one in figures]
    ties: dict[int, Tie] = {}
    for at, role in enumerate(roles):
        if role not in ("opening", "closing"):
            continue
        unit, here = figures[at].unit, found.sentence[at]

        def near(wanted: str, order: Sequence[int], unit: str = unit, here: int = here) -> int | None:
            return next(
                (
                    one
                    for one in order
                    if roles[one] == wanted and figures[one].unit == unit and abs(found.sentence[one] - here) <= _REACH
                    and (one not in parts or wanted in ("opening", "closing"))
                ),
                None,
            )  # fmt: skip

        backward = range(at - 1, max(at - 40, -1), -1)
        forward = range(at + 1, min(at + 12, len(figures)))
        same = [one for one in backward if found.sentence[one] == here]
        answered = near("answered", [*same, *forward, *backward])
        if answered is None or answered in ties:
            continue
        received = near("received", [*range(answered - 1, max(answered - 40, -1), -1)])
        if received is None:
            continue
        others = [*range(received + 1, min(answered + 8, len(figures)))]
        opening = at if role == "opening" else near("opening", others)
        closing = at if role == "closing" else near("closing", others)
        came = [(1, one) for one in (opening, received) if one is not None]
        if closing is not None:
            ties[answered] = Tie(BALANCE, Kind.BALANCE, (*came, (-1, answered), (-1, closing)))
        else:
            less = tuple((-1, one) for _, one in came)
            ties[answered] = Tie(OUTCOMES, Kind.OUTCOMES, (*less, (1, answered)), Relation.AT_MOST, open_ended=True)
    return list(ties.values())

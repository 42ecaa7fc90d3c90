"""Shares in running text: which figure is said to be how much of which total (占总数的…%, …率为…%).

Not here: whether the share is right (`disclosure_etl.quality`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from disclosure_etl.intake.prose_claims import share_fits
from disclosure_etl.intake.prose_figures import Said
from disclosure_etl.intake.prose_lists import Lists, ProseList
from schemas.structures import ShareList

_OF = re.compile(r"(?:^|[^不])占(?:[^,;。占]{0,24})$")
_RATE = re.compile(r"(?P<what>[\u4e00-\u9fff]{2,12})率(?:为|达到?|是|约|:|\s)*$")
_PLAIN = re.compile(r"平均|总体|全年|我局|本局|全部|的")


def shares_of_figures(figures: Sequence[Said], found: Lists) -> dict[int, list[int]]:
    """For each share that is said of a figure, the figures that it may be of, the likeliest first.

    It speaks of the figure before it; behind a list inside an item (22条,含…、机构设置12条,占29.3%) of the item.
    """
    inner = {one.parts[-1]: one for one in found.lists}
    candidates: dict[int, list[int]] = {}
    for at, share in enumerate(figures):
        if not share.is_share or share.is_change:
            continue
        bare = share.before.strip() == "" and found.depth[at] > 0 and at > 0 and found.depth[at - 1] < found.depth[at]
        if not (_OF.search(share.clause) or bare) or not at:
            continue
        last = at - 1
        if figures[last].is_share or figures[last].is_change or found.sentence[last] != found.sentence[at]:
            continue
        taken = [last]
        while (one := inner.get(taken[0])) is not None and len(one.parts) > 1 and one.heads[0] == min(one.heads):
            head = one.heads[0]
            if head >= taken[0] or found.sentence[head] != found.sentence[last] or head != one.parts[0] - 1:
                break
            taken.insert(0, head)
        candidates[at] = taken
    return candidates


def settled(
    candidates: Mapping[int, list[int]], lists: Sequence[ProseList], figures: Sequence[Said]
) -> dict[int, Decimal]:
    """The share of each figure, by position: of an item with a list inside, of the one for which it comes true."""
    heads = {part: one.heads for one in lists for part in one.parts}
    shares: dict[int, Decimal] = {}
    for share, taken in candidates.items():
        number = figures[share].number.scaleb(0)
        fitting = [
            part
            for part in taken
            if any(share_fits(figures[part], figures[head].number, number, figures) for head in heads.get(part, ()))
        ]
        shares.setdefault((fitting or taken)[0], number)
    return shares


def share_positions(
    candidates: Mapping[int, list[int]], shares: Mapping[int, Decimal], figures: Sequence[Said]
) -> dict[int, int]:
    """The position of the share of each figure."""
    positions: dict[int, int] = {}
    for share, taken in candidates.items():
        for part in taken:
            if shares.get(part) == figures[share].number and part not in positions:
                positions[part] = share
                break
    return positions


def rates(figures: Sequence[Said], found: Lists, totals: Mapping[int, int]) -> list[ShareList]:
    """Rates with a name (公开率为30.80%): of the figure before whose words have the name, and the total that it is part of; with
    no list, the nearest figure before of its unit that is not less. Several totals are possible then, and the one by which it
    comes true is meant; where none is, and there are several, nothing is claimed."""
    read = []
    for at, share in enumerate(figures):
        if not share.is_share or share.is_change or (name := _RATE.search(share.clause)) is None:
            continue
        what = _PLAIN.sub("", name["what"])
        before = [one for one in range(at - 1, max(at - 6, -1), -1) if found.sentence[one] == found.sentence[at]]
        counts = [one for one in before if not (figures[one].is_share or figures[one].is_change)]
        part = next((one for one in counts if what and what in figures[one].clause), None)
        if part is None:
            continue
        if part in totals:
            read.append(ShareList((part,), (at,), totals[part]))
            continue
        wholes = [
            one
            for one in counts
            if one < part and figures[one].unit == figures[part].unit and figures[one].number >= figures[part].number
        ]
        fitting = [one for one in wholes if share_fits(figures[part], figures[one].number, share.number, figures)]
        if fitting or len(wholes) == 1:
            read.append(ShareList((part,), (at,), (fitting or wholes)[0]))
    return read

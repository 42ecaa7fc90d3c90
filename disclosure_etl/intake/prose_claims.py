"""What lists in running text claim: that the parts add up to the total, or only that they are parts of it; and lists that no
word opens but that follow their total.

People write lists to divide a total and lists to highlight some of it, with the same words. What decides is said here, once.
Not here: finding the lists (`prose_lists`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import groupby

from disclosure_etl.intake.prose_figures import Said
from disclosure_etl.intake.prose_lists import Lists, ProseList
from schemas.constraints import Kind, Relation
from schemas.structures import Tie

BREAKDOWN, SUBSET, REPEATED = "text:breakdown", "text:subset", "text:repeated"

# The same thing is published through several of these, so their counts overlap.
_CHANNEL = re.compile(
    r"网站|网页|门户|微博|微信|公众号|专栏|公报|公开栏|公示栏|查阅点|查阅室|档案馆|图书馆|报刊|报纸|广播|电视|新媒体|客户端|头条|抖音|平台|显示屏|其他方式"
)
_ASKED = re.compile(r"申请|受理|咨询|答复")  # an application comes through one channel only
_FILLER = re.compile(r"[类的相关信息数为等、\s]|政府")
_SHORTEST_DIVISION = 3


def total_of(one: ProseList, figures: Sequence[Said], shares: Mapping[int, Decimal]) -> int:
    """The figure that a list is about, among those that the words allow: the nearest, unless by another one more of what is
    said comes true. Who writes 「在主动公开的信息中」 means the total by which the sentence is right."""

    def speaks_for(head: int) -> int:
        whole = figures[head].number
        right = sum(share_fits(figures[part], whole, shares[part], figures) for part in one.parts if part in shares)
        return right + (_sum(one.parts, figures) == whole)

    return max(one.heads, key=lambda head: (speaks_for(head), -one.heads.index(head)))


def share_fits(part: Said, whole: Decimal, share: Decimal, figures: Sequence[Said]) -> bool:
    """Whether a share is part ÷ whole at its printed precision."""
    exponent = share.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    return whole > 0 and abs(part.number * 100 / whole - share) <= half


def _sum(parts: Sequence[int], figures: Sequence[Said]) -> Decimal:
    return sum((figures[part].number for part in parts), Decimal(0))


def is_overlapping(one: ProseList, total: int, figures: Sequence[Said]) -> bool:
    """Whether the parts are channels of publication, so that one thing counts in several: unless the total is itself named by
    them (网站、微信、微博共发布…条), which says that it is their sum."""
    labels = [figures[part].before for part in one.parts]
    if sum(bool(_CHANNEL.search(label)) for label in labels) * 2 <= len(labels) or len(labels) < 2:
        return False
    about = figures[total].clause
    if _ASKED.search(about):
        return False
    named = set(_CHANNEL.findall(about))
    return len(named) < 2 or not named & {word for label in labels for word in _CHANNEL.findall(label)}


def ties_of(
    one: ProseList, total: int, figures: Sequence[Said], shares: Mapping[int, Decimal], overlapping: bool
) -> list[Tie]:
    """What a list claims, as rows of the constraint table.

    A list is complete where its word says so (分为…), or where it has at least three parts, or shares, and covers half of the
    total: less than that highlights, and divides nothing. Of the others only that no part exceeds the total is claimed; and,
    unless they overlap, that all together do not.
    """
    parts, whole = one.parts, figures[total].number
    if any(figures[at].is_round for at in (*parts, total)):
        return []
    loose = one.closed_by_etc or one.mixed or overlapping
    alike = [part for part in parts if figures[part].unit in ("", figures[total].unit)]
    if loose or len(parts) == 1:
        return [
            Tie(SUBSET, Kind.SUBSET, ((1, part), (-1, total)), Relation.AT_MOST, open_ended=True)
            for part in (parts if one.mixed and one.closed_by_etc else alike)
        ]
    added = _sum(parts, figures)
    shared = sum(part in shares for part in parts) * 2 > len(parts)
    complete = one.divides or added >= whole or ((len(parts) >= _SHORTEST_DIVISION or shared) and added * 2 >= whole)
    terms = (*((1, part) for part in parts), (-1, total))
    ties = [Tie(BREAKDOWN, Kind.BREAKDOWN, terms, Relation.EQUAL if complete else Relation.AT_MOST, not complete)]
    once = _without_repeats(parts, figures)
    if len(once) < len(parts) and added == whole:
        ties.append(Tie(REPEATED, Kind.BREAKDOWN, (*((1, part) for part in once), (-1, total))))
    return ties


def _without_repeats(parts: Sequence[int], figures: Sequence[Said]) -> list[int]:
    """The parts without those that an earlier one with the same label and the same figure repeats."""
    seen: set[tuple[str, Decimal]] = set()
    once = []
    for part in parts:
        name = _FILLER.sub("", figures[part].before.lstrip(",;:、其中"))
        key = (name, figures[part].number)
        if not name or key not in seen:
            once.append(part)
        seen.add(key)
    return once


def lists_that_follow(figures: Sequence[Said], found: Lists, shares: Mapping[int, Decimal]) -> list[ProseList]:
    """Lists that no word opens: a sentence of like figures, one a clause, after its total, in this sentence or the one before.

    Since nothing says that they are parts, something else must: most have shares, or they add up to the total exactly. Where
    they are channels of publication the total bounds each of them.
    """
    loose = [at for at in found.heads if at not in found.beside]
    opened = {head for one in found.lists for head in one.heads}
    lists = []
    sentences = [list(group) for _, group in groupby(loose, key=lambda at: found.sentence[at])]
    for place, sentence in enumerate(sentences):
        before = sentences[place - 1] if place else []
        if before and found.sentence[sentence[0]] - found.sentence[before[0]] > 2:
            before = []
        for heads, parts in ((before[::-1], sentence), (sentence[:1], sentence[1:])):
            units = {figures[at].unit for at in parts} - {""}
            heads = [head for head in heads if figures[head].unit in units]
            if len(parts) < 2 or len(units) != 1 or not heads or opened & set(parts):
                continue
            following = ProseList(heads, said=False, parts=parts)
            total = total_of(following, figures, shares)
            shared = sum(part in shares for part in parts) * 2 > len(parts)
            adds_up = _sum(parts, figures) == figures[total].number and len(parts) >= 2
            if shared or adds_up or is_overlapping(following, total, figures):
                lists.append(following)
                break
    return lists

"""The year 2014 as the demonstration invents it: consistent monthly returns that add up to real published totals.

The totals are those of a municipal land bureau's published report for 2014, once its two wrong sums are mended. How they
fall to bureaus and months, and where the slips were, nobody knows: that is dealt out here, the same way every time.
Not here: files, dates and telling (`play`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from schemas.forms import Form
from schemas.periods import Period

FAMILY = "bureau-monthly"
YEAR = 2014
MONTHS = 12

PUBLICATIONS = {"organisation": 12, "regulations": 7, "plans": 6, "duties": 1, "business": 12150}
ENQUIRIES = {"on_site": 5600, "telephone": 4200}
RECEIVED = {"in_person": 5604, "fax": 8, "internet": 21, "letter": 1757}
OUTCOMES = {
    "granted": 3167, "partly_granted": 76, "refused": 42, "not_exist": 3469, "not_held": 251, "unclear": 262,
    "not_government_information": 29, "already_public": 41,
}  # fmt: skip
OPEN_AT_YEAR_END = 53
FEES_COLLECTED = {"search": Decimal("1911.70"), "copying": Decimal("2800.00")}  # the split is invented, the sum is not
FEES_WAIVED = Decimal("632.10")
RECONSIDERATIONS = {"upheld": 64, "rejected_or_terminated": 6, "revoked": 5, "ordered_to_act": 1}
RECONSIDERATIONS_OPEN = 15
LAWSUITS = 290
LAWSUITS_OPEN = 24  # invented, as is the split of the others
LAWSUIT_RESULTS = {"upheld": 251, "corrected": 9, "other": 6}
EXTENDED_REPLIES = 331  # invented; the report speaks of no late reply

# The slips, in the month column only: what was typed instead, as a difference.
LETTER_SLIP = ("haidian", 6, "applications.received.letter", 2)
RECONSIDERATION_SLIP = ("chaoyang", 9, "reconsiderations.upheld", -1)
MISSING = ("yanqing", 8)

# How large a share of the work a bureau has, roughly as land business lies: the nearer suburbs have most.
_WEIGHTS = (14, 3, 3, 12, 11, 8, 3, 3, 7, 8, 6, 8, 7, 4, 3, 3, 2)
_SEASONS = (7, 6, 8, 8, 9, 9, 8, 8, 9, 8, 9, 11)

Flows = dict[str, int]  # indicator → scaled whole number, for one bureau and month
Cells = dict[tuple[str, str], Decimal]  # (indicator, column) → number: what a return has in its cells


@dataclass(frozen=True)
class Year:
    """The whole year: per bureau twelve months of figures, as (indicator, column) → number."""

    bureaus: tuple[str, ...]
    figures: Mapping[tuple[str, int], Mapping[tuple[str, str], Decimal]]


def tell_year(form: Form, bureaus: Sequence[str]) -> Year:
    """Deal the year's totals out to bureaus and months, and carry balances and cumulatives through."""
    dealer = random.Random(2014)  # noqa: S311 - a story that is to be the same every time
    places = [(bureau, month) for bureau in bureaus for month in range(1, MONTHS + 1)]
    flows: dict[tuple[str, int], Flows] = {place: {} for place in places}
    weights = {
        (bureau, month): weight * season
        for bureau, weight in zip(bureaus, _WEIGHTS, strict=True)
        for month, season in enumerate(_SEASONS, 1)
    }
    _deal_parts(flows, "publications", _spread(dealer, weights, sum(PUBLICATIONS.values())), PUBLICATIONS, dealer)
    _deal_parts(flows, "enquiries", _spread(dealer, weights, sum(ENQUIRIES.values())), ENQUIRIES, dealer)
    received = _spread(dealer, weights, sum(RECEIVED.values()))
    _deal_parts(flows, "applications.received", received, RECEIVED, dealer)
    _exchange(flows, MISSING, LETTER_SLIP[:2], "applications.received.letter", "applications.received.in_person")
    replied = _settled(dealer, bureaus, received, OPEN_AT_YEAR_END)
    _deal_parts(flows, "replies", replied, OUTCOMES, dealer)
    _deal_parts(flows, None, replied, {"replies.on_time": sum(OUTCOMES.values()) - EXTENDED_REPLIES,
                                       "replies.extended": EXTENDED_REPLIES}, dealer)  # fmt: skip
    _court(flows, "reconsiderations", RECONSIDERATIONS, RECONSIDERATIONS_OPEN, weights, bureaus, dealer)
    _court(flows, "litigation", LAWSUIT_RESULTS, LAWSUITS_OPEN, weights, bureaus, dealer)
    _fees(flows, weights, dealer)
    return Year(tuple(bureaus), dict(_figures(form, bureaus, flows)))


def _spread(dealer: random.Random, weights: Mapping[tuple[str, int], int], total: int) -> dict[tuple[str, int], int]:
    """`total` dealt over all places, about in proportion to their weights."""
    places = list(weights)
    counts = dict.fromkeys(places, 0)
    for place in dealer.choices(places, weights=list(weights.values()), k=total):
        counts[place] += 1
    return counts


def _deal_parts(
    flows: dict[tuple[str, int], Flows],
    whole: str | None,
    counts: Mapping[tuple[str, int], int],
    parts: Mapping[str, int],
    dealer: random.Random,
) -> None:
    """Give each place as many cards as it has cases, from one shuffled deck that holds each part as often as in the year."""
    deck = [part for part, number in parts.items() for _ in range(number)]
    dealer.shuffle(deck)
    for place, number in counts.items():
        hand, deck = deck[:number], deck[number:]
        if whole is not None:
            flows[place][whole] = number
        for part in parts:
            flows[place][f"{whole}.{part}" if whole else part] = hand.count(part)


def _exchange(
    flows: dict[tuple[str, int], Flows], giver: tuple[str, int], taker: tuple[str, int], part: str, other: str
) -> None:
    """Swap all of the giver's cases of one part for as many of another part of the taker's, so that every total stays.

    The return that comes late carries no letters: so the year shows 1,759 of them as long as the slip stands.
    """
    count = min(flows[giver][part], flows[taker][other])
    for place, sign in ((giver, -1), (taker, 1)):
        flows[place][part] += sign * count
        flows[place][other] -= sign * count


def _settled(
    dealer: random.Random, bureaus: Sequence[str], received: Mapping[tuple[str, int], int], open_at_end: int
) -> dict[tuple[str, int], int]:
    """Cases settled per month, such that some are always open and `open_at_end` are when the year ends."""
    last = dict.fromkeys(bureaus, 0)
    for bureau in dealer.choices(bureaus, weights=[received[(bureau, MONTHS)] for bureau in bureaus], k=open_at_end):
        last[bureau] += 1
    settled = {}
    for bureau in bureaus:
        pending = 0
        for month in range(1, MONTHS + 1):
            cases = received[(bureau, month)]
            wanted = last[bureau] if month == MONTHS else dealer.randint(0, max(1, cases // 4))
            left = min(wanted, pending + cases)
            settled[(bureau, month)] = pending + cases - left
            pending = left
    short = open_at_end - (sum(received.values()) - sum(settled.values()))
    for bureau in bureaus:  # a bureau with fewer cases than it was to keep open passes the rest on to another
        if short > 0 and settled[(bureau, MONTHS)] >= short:
            settled[(bureau, MONTHS)] -= short
            short = 0
    return settled


def _court(
    flows: dict[tuple[str, int], Flows],
    account: str,
    results: Mapping[str, int],
    open_at_end: int,
    weights: Mapping[tuple[str, int], int],
    bureaus: Sequence[str],
    dealer: random.Random,
) -> None:
    received = _spread(dealer, weights, sum(results.values()) + open_at_end)
    for place, number in received.items():
        flows[place][f"{account}.received"] = number
    _deal_parts_named(flows, account, _settled(dealer, bureaus, received, open_at_end), results, dealer)


def _deal_parts_named(
    flows: dict[tuple[str, int], Flows],
    account: str,
    counts: Mapping[tuple[str, int], int],
    results: Mapping[str, int],
    dealer: random.Random,
) -> None:
    _deal_parts(flows, None, counts, {f"{account}.{name}": number for name, number in results.items()}, dealer)


def _fees(flows: dict[tuple[str, int], Flows], weights: Mapping[tuple[str, int], int], dealer: random.Random) -> None:
    """Fees in hundredths of a yuan, in steps of a tenth, as the published sums end."""
    kinds = {f"fees.collected.{name}": amount for name, amount in FEES_COLLECTED.items()} | {"fees.waived": FEES_WAIVED}
    for code, amount in kinds.items():
        for place, tenths in _spread(dealer, weights, int(amount * 10)).items():
            flows[place][code] = tenths * 10
    for own in flows.values():
        own["fees.collected"] = sum(own[f"fees.collected.{name}"] for name in FEES_COLLECTED)


def _figures(
    form: Form, bureaus: Sequence[str], flows: Mapping[tuple[str, int], Flows]
) -> Iterator[tuple[tuple[str, int], Cells]]:
    """Every cell of every return: flows as dealt, balances carried on, cumulatives added up."""
    for bureau in bureaus:
        pending: Flows = {}
        so_far: Flows = {}
        for month in range(1, MONTHS + 1):
            yield (bureau, month), carried(form, flows[(bureau, month)], pending, so_far)


def carried(form: Form, flows: Flows, pending: Flows, so_far: Flows) -> Cells:
    """The cells of a month's return: its flows, with the balances carried on (`pending`, by account) and the cumulatives added up
    (`so_far`, by indicator; empty as a year begins). Both are brought forward."""
    accounts: dict[str, dict[str, list[str]]] = {}
    for code, item in form.indicators.items():
        if item.balance:
            accounts.setdefault(item.balance.account, {}).setdefault(item.balance.role, []).append(code)
    own = {code: flows.get(code, 0) for code in form.indicators}
    own["publications.full_text"] = own["publications"]
    for account, roles in accounts.items():
        (opening,), (closing,) = roles["opening"], roles["closing"]
        own[opening] = pending.get(account, 0)
        came, went = sum(own[code] for code in roles["inflow"]), sum(own[code] for code in roles["outflow"])
        own[closing] = pending[account] = own[opening] + came - went
    cells = {}
    for code, item in form.indicators.items():
        role = item.balance.role if item.balance else None
        if role == "opening":
            so_far[code] = so_far.get(code, own[code])
        else:
            so_far[code] = own[code] if role == "closing" else so_far.get(code, 0) + own[code]
        cells[(code, "month")] = Decimal(own[code]).scaleb(-item.decimals)
        cells[(code, "year_to_date")] = Decimal(so_far[code]).scaleb(-item.decimals)
    return cells


def with_slip(cells: Mapping[tuple[str, str], Decimal], place: tuple[str, str], difference: int) -> Cells:
    """The same return with one figure typed wrong: (indicator, column)."""
    return {**cells, place: cells[place] + difference}


def month_of(number: int) -> Period:
    """The period of the year's n-th month."""
    return Period.parse(f"{YEAR}-{number:02d}")

"""January 2015, as the demonstration leaves it for the review desk: seventeen returns, of which ten wait for a person.

All of it is invented. Each of the ten has one thing that a rule tells of; six are slips of the bureau's, four are right as they stand,
which the bureau says in its note (情况说明). Not here: the year before (`story`), files and dates (`play`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from flows.demo.story import MONTHS, Cells, Flows, Year, carried, with_slip
from schemas.forms import Form
from schemas.periods import Period

PERIOD = Period.parse("2015-01")
_LIKE = 1  # January is dealt like the January before, with small changes
_CHANGED = ("publications.business", "enquiries.on_site", "enquiries.telephone", "applications.received.in_person")


@dataclass(frozen=True)
class Waiting:
    """What waits for a person in a bureau's return. `flows`: how its month differs from an ordinary one, in whole numbers, totals
    following; `slips`: what was typed instead of that, as a difference, by indicator and column; `texts`: cells that hold words;
    `right`: whether it may stand."""

    bureau: str
    right: bool
    flows: Mapping[str, int] = field(default_factory=dict)
    slips: Mapping[tuple[str, str], int] = field(default_factory=dict)
    header: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


WAITING = (
    Waiting("haidian", right=False, slips={("applications.received.letter", "month"): 6}),
    Waiting("chaoyang", right=False, slips={
        ("applications.opening", "month"): -2, ("applications.opening", "year_to_date"): -2,
        ("applications.closing", "month"): -2, ("applications.closing", "year_to_date"): -2,
    }),
    Waiting("fengtai", right=False, slips={("enquiries.telephone", "year_to_date"): 317}),
    Waiting("tongzhou", right=False, flows={"enquiries.telephone": 286}),
    Waiting("daxing", right=True, flows={"applications.received.letter": 68}, note=(
        "本月信函申请较多:新航城征收涉及的村民集中来信申请征地批复,已逐件与登记台账核对无误。"
    )),
    Waiting("shunyi", right=True, flows={"enquiries.on_site": -1000}, note=(
        "办事大厅 12 月 28 日至 1 月 31 日装修,现场咨询停办,期间由电话答复;现场咨询确为 0。"
    )),
    Waiting("changping", right=False, slips={("reconsiderations.upheld", "month"): 1, ("reconsiderations.upheld", "year_to_date"): 1}),
    Waiting("miyun", right=False, slips={("replies.granted", "month"): -3, ("replies.granted", "year_to_date"): -3}),
    Waiting("huairou", right=True, header={"preparer": "周敏", "checker": "周敏"}, note=(
        "审核岗人员产假,本月由填报人自核,分管副局长已逐项复核并签字。"
    )),
    Waiting("pinggu", right=True, slips={("publications.full_text", "month"): 3, ("publications.full_text", "year_to_date"): 3}, note=(
        "全文电子化数比主动公开数多 3 条:系 2008 年以前公开、当时只有题名的 3 份旧文件,本月补做了全文,经市局信息公开办同意计入本月。"
    )),
)  # fmt: skip


def tell_month(form: Form, year: Year) -> Iterator[tuple[str, Cells, Waiting | None]]:
    """Each bureau's return of the month, and what waits in it."""
    dealer = random.Random(2015)  # noqa: S311 - a story that is to be the same every time
    waiting = {one.bureau: one for one in WAITING}
    closings = {
        item.balance.account: code
        for code, item in form.indicators.items()
        if item.balance is not None and item.balance.role == "closing"
    }
    for bureau in year.bureaus:
        before, like = year.figures[bureau, MONTHS], year.figures[bureau, _LIKE]
        flows = {code: int(like[code, "month"].scaleb(item.decimals)) for code, item in form.indicators.items()}
        for code in _CHANGED:
            _change(form, flows, code, dealer.randint(0, 1 + flows[code] // 8))
        one = waiting.get(bureau)
        for code, difference in one.flows.items() if one else ():
            _change(form, flows, code, difference)
        pending = {account: int(before[code, "month"]) for account, code in closings.items()}
        _change(form, flows, "replies.granted", pending["applications"])  # what was open is answered
        flows["replies.on_time"] += pending["applications"]
        cells = carried(form, flows, pending, {})
        for place, difference in one.slips.items() if one else ():
            cells = with_slip(cells, place, difference)
        yield bureau, cells, one


def _change(form: Form, flows: Flows, code: str, difference: int) -> None:
    """Change a part and the total above it; nothing falls below zero."""
    difference = max(difference, -flows[code])
    flows[code] += difference
    for whole, item in form.indicators.items():
        if any(code in one.parts for one in item.breakdowns):
            flows[whole] += difference

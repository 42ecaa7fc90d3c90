"""A hypothesis strategy: consistent returns of a bureau from January on, as an honest clerk fills them in."""

from __future__ import annotations

from hypothesis import strategies as st

from schemas.forms import Form

Figures = dict[tuple[str, str], int]  # (indicator, column) → whole number


@st.composite
def months(draw: st.DrawFn, form: Form, count: int = 2) -> list[Figures]:
    """The first `count` months of a year. Totals are drawn and handed down to their parts; what is settled was open."""
    accounts = {item.balance.account for item in form.indicators.values() if item.balance}
    open_now = {account: draw(st.integers(0, 50)) for account in sorted(accounts)}
    told: list[Figures] = []
    to_date: dict[str, int] = {}
    for _ in range(count):
        month = _month(draw, form, open_now)
        for code, value in month.items():
            balance = form.indicators[code].balance
            role = balance.role if balance else "flow"
            if role == "closing":
                to_date[code] = value
            elif role == "opening":
                to_date.setdefault(code, value)
            else:
                to_date[code] = to_date.get(code, 0) + value
        told.append({(code, "month"): value for code, value in month.items()})
        told[-1] |= {(code, "year_to_date"): value for code, value in to_date.items()}
    return told


def _month(draw: st.DrawFn, form: Form, open_now: dict[str, int]) -> dict[str, int]:
    month: dict[str, int] = {}
    parts = {part for item in form.indicators.values() for breakdown in item.breakdowns for part in breakdown.parts}
    available = dict(open_now)
    order = ("opening", "inflow", None, "outflow", "closing")

    def role(code: str) -> str | None:
        balance = form.indicators[code].balance
        return balance.role if balance else None

    for code in sorted(form.indicators, key=lambda one: order.index(role(one))):
        item = form.indicators[code]
        account = item.balance.account if item.balance else ""
        match role(code):
            case "opening" | "closing":
                month[code] = available[account]
            case "inflow":
                month[code] = draw(st.integers(0, 400))
                available[account] += month[code]
            case "outflow":
                month[code] = draw(st.integers(0, available[account]))
                available[account] -= month[code]
            case None if code not in parts and item.subset_of is None:
                month[code] = draw(st.integers(0, 400))
    open_now |= available
    for code in list(month):
        _hand_down(draw, form, code, month)
    for code, item in form.indicators.items():
        if item.subset_of:
            month[code] = draw(st.integers(0, month[item.subset_of]))
    return month


def _hand_down(draw: st.DrawFn, form: Form, code: str, month: dict[str, int]) -> None:
    for breakdown in form.indicators[code].breakdowns:
        left = month[code]
        for number, part in enumerate(breakdown.parts):
            is_last = breakdown.complete and number == len(breakdown.parts) - 1
            month[part] = left if is_last else draw(st.integers(0, left))
            left -= month[part] if breakdown.complete else 0
            _hand_down(draw, form, part, month)

"""What lists that follow one another leave open: items that wait for their next stage, and stages of items that nobody listed.

Any list that `follows` another: its columns of dates, in their order, are the stages. Not here: showing it (`flows`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from disclosure_etl.office import Office
from disclosure_etl.warehouse.listed import StoredItem
from schemas.errors import Message, UserError
from schemas.formparts import Label
from schemas.forms import Form
from schemas.itemlists import ItemList
from schemas.periods import Period


@dataclass(frozen=True, slots=True)
class Open:
    """One key that is open at the end of a period. `waits_for`: the stage that is missing; None where the key stands in
    the following list only. `bureau`: the district as known, `bureau_written` as the row has it."""

    list: str
    key: str
    bureau: str | None
    bureau_written: str
    waits_for: str | None
    label: Label
    since: date | None
    age_days: int | None


def unmatched(office: Office, family: str, period: Period) -> list[Open]:
    """What is open at the end of `period`, the oldest first; what has no day comes last.

    Raises:
        UserError: the form has no list that follows another.
    """
    finest = office.forms.frequency_of(family)
    form = office.forms.choose(family, period if period.frequency is finest else period.parts(finest)[-1])
    if not any(one.follows for one in form.lists):
        having = "、".join(one.key for one in office.forms.forms if any(item.follows for item in one.lists))
        raise UserError(
            f"报表「{form.key}」没有相互对应的清单;有的报表:{having or '无'}。请用 --family 指明。",
            f"Form '{form.key}' has no lists that follow one another; forms that do: {having or 'none'}. Name one with "
            "--family.",
        )
    found = open_items(form, office.warehouse.listed_items(form, period), period.end)
    return sorted(found, key=lambda one: (one.since or date.max, one.list, one.key))


def open_items(form: Form, stored: Sequence[StoredItem], end: date) -> Iterator[Open]:
    """What is open on day `end`, of items in the order in which they were reported."""
    by_list: dict[str, dict[str, list[StoredItem]]] = {one.code: defaultdict(list) for one in form.lists}
    for one in stored:
        if one.item.key:
            by_list[one.item.list][one.item.key].append(one)
    lists = {one.code: one for one in form.lists}
    for following in form.lists:
        if following.follows is None:
            continue
        first, stages = lists[following.follows], by_list[following.code]
        for key, items in by_list[first.code].items():
            if (open_one := _waiting(first, following, key, items, stages.get(key, []), end)) is not None:
                yield open_one
        for key, items in stages.items():
            if key not in by_list[first.code]:
                since = min((day for one in items for day in _days(following, one)), default=None)
                yield Open(
                    following.code, key, items[0].reported_by, items[0].reported_by, None,
                    Label(zh=f"无{first.label.zh}", en=f"not in {first.label.en}"), since, _age(since, end),
                )  # fmt: skip


def _waiting(
    first: ItemList, following: ItemList, key: str, items: Sequence[StoredItem], stages: Sequence[StoredItem], end: date
) -> Open | None:
    """The first stage that an item lacks, and since when: the day of the stage before."""
    since = min((day for one in items for day in _days(first, one)), default=None)
    for column in following.dates:
        entries = [one.item.entries.get(column.code) for one in stages]
        days = [entry.day for entry in entries if entry is not None and entry.day is not None and entry.day <= end]
        if days:
            since = min(days)
            continue
        named = [one.item for one in items if one.item.bureau] or [items[0].item]
        code = first.bureau.code if first.bureau else ""
        written = named[0].entries[code].text if code in named[0].entries else ""
        return Open(first.code, key, named[0].bureau, written, column.code, column.label, since, _age(since, end))
    return None


def _days(one: ItemList, stored: StoredItem) -> list[date]:
    entries = (stored.item.entries.get(column.code) for column in one.dates)
    return [entry.day for entry in entries if entry is not None and entry.day is not None]


def _age(since: date | None, end: date) -> int | None:
    return None if since is None else (end - since).days


def told(one: Open) -> Message:
    """What is open of it, in words."""
    if one.waits_for is None:
        return Message(one.label.zh, one.label.en)
    return Message(f"待{one.label.zh}", f"no {one.label.en.lower()}")

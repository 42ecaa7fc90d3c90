"""The items of lists in the warehouse: stored with their submission, given back with it, and asked for over periods.

Not here: what they are held against (`quality.lists`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.connection import bulk, insert_new, storable
from disclosure_etl.warehouse.dimension_tables import dim_period
from disclosure_etl.warehouse.item_table import fact_item
from disclosure_etl.warehouse.tables import current_block, pending, submission
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Entry, Item, Submission
from schemas.states import OUT

_COLUMNS = ["submission_id", "position", "list", "item_key", "bureau_code", "entries", "locator"]


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item with who listed it, and for which period."""

    item: Item
    reported_by: str
    period: Period


def store_items(connection: Connection, numbered: Iterable[tuple[int, Submission]]) -> None:
    """Store the items of submissions."""
    bulk(connection, fact_item, _rows(numbered), _COLUMNS)


def _rows(numbered: Iterable[tuple[int, Submission]]) -> Iterator[tuple]:
    for key, one in numbered:
        for position, item in enumerate(one.items):
            entries = {
                code: {"text": storable(entry.text), "cell": entry.cell, "day": entry.day and entry.day.isoformat()}
                for code, entry in item.entries.items()
            }
            told = json.dumps(entries, ensure_ascii=False)
            yield key, position, item.list, storable(item.key), item.bureau, told, item.locator


def items_of(connection: Connection, submissions: Collection[int]) -> dict[int, tuple[Item, ...]]:
    """The items of these submissions, in their order."""
    found: dict[int, list[Item]] = {}
    for part in in_parts(sorted(submissions)):
        rows = connection.execute(
            select(fact_item)
            .where(fact_item.c.submission_id.in_(part))
            .order_by(fact_item.c.submission_id, fact_item.c.position)
        )
        for row in rows:
            found.setdefault(row.submission_id, []).append(_item(row))
    return {key: tuple(items) for key, items in found.items()}


def _item(row) -> Item:  # of fact_item
    entries = {
        code: Entry(told["text"], told["cell"], date.fromisoformat(told["day"]) if told["day"] else None)
        for code, told in row.entries.items()
    }
    return Item(row.list, row.item_key, row.bureau_code, entries, row.locator)


def listed_items(connection: Connection, form: Form, last: date) -> list[StoredItem]:
    """The items that count, of all bureaus, in the periods up to the one that ends on `last`: those of the submission whose
    block of the list does."""
    found: list[StoredItem] = []
    for one in form.lists:
        rows = connection.execute(
            select(fact_item, current_block.c.bureau_code.label("reported_by"), dim_period.c.code.label("period"))
            .join(current_block, current_block.c.submission_id == fact_item.c.submission_id)
            .join(dim_period, dim_period.c.id == current_block.c.period_id)
            .where(current_block.c.family == form.family, current_block.c.block == one.block)
            .where(fact_item.c.list == one.code, dim_period.c.last_day <= last)
            .order_by(dim_period.c.last_day, current_block.c.bureau_code, fact_item.c.position)
        )
        found += [StoredItem(_item(row), row.reported_by, Period.parse(row.period)) for row in rows]
    return found


def note_followers(
    connection: Connection, form: Form, period: Period, changed: Collection[str], together: Collection[str] | None
) -> None:
    """Note that returns with lists that follow another's are to be judged again, where what that one lists may have changed:
    a number that was listed nowhere may be there now. Those of later periods, and of this one those of bureaus that are not
    judged `together` with what changed; all are where None."""
    following = [one.code for one in form.lists if one.follows]
    if not changed or not following:
        return
    rows = connection.execute(
        select(submission.c.period_id, submission.c.bureau_code, dim_period.c.code)
        .join(fact_item, fact_item.c.submission_id == submission.c.id)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .where(submission.c.family == form.family, submission.c.bureau_code.is_not(None))
        .where(submission.c.status.not_in(OUT), dim_period.c.first_day >= period.start)
        .where(fact_item.c.list.in_(following))
        .distinct()
    )
    places = [
        {"family": form.family, "period_id": row.period_id, "bureau_code": row.bureau_code}
        for row in rows
        if row.code != period.code or (together is not None and row.bureau_code not in together)
    ]
    insert_new(connection, pending, places, ["family", "period_id", "bureau_code"])

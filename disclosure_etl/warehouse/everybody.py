"""What all bureaus sent, for judging some of them without reading the others' returns: totals, and the keys of their lists.

Not here: what counts in a consolidation (`figures`). Of the period itself the newest return of each bureau does here, accepted
or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, func, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.batches import in_batch, places_of, sent_for
from disclosure_etl.warehouse.dimension_tables import dim_form, dim_period
from disclosure_etl.warehouse.item_table import fact_item
from disclosure_etl.warehouse.return_decisions import UNDECIDED, standing_of
from disclosure_etl.warehouse.tables import current_block, fact_observation, submission
from schemas.forms import Form
from schemas.periods import Period


def totals(connection: Connection, form: Form, period: Period, without: Collection[str]) -> dict[str, int]:
    """The sum of each cell over the stored returns of the period, by the cell's name; of a bureau that sent twice the newest.

    Args:
        without: bureaus that are not to be in it.
    """
    has_figures = select(fact_observation.c.submission_id).where(fact_observation.c.submission_id == submission.c.id)
    sent = connection.execute(
        select(submission.c.bureau_code, submission.c.id, submission.c.revision, submission.c.arrival)
        .join(dim_period, dim_period.c.id == submission.c.period_id)
        .join(dim_form, dim_form.c.id == submission.c.form_id)
        .where(*in_batch(form, period), has_figures.exists())
    ).all()
    decided = standing_of(connection, sent_for(form, period))
    in_order = sorted(sent, key=lambda one: decided.get(one.id, UNDECIDED).rank(one))
    newest = {row.bureau_code: row.id for row in in_order if row.bureau_code not in without}
    places = places_of(connection, form)
    sums: dict[str, int] = defaultdict(int)
    for part in in_parts(sorted(newest.values())):
        rows = connection.execute(
            select(fact_observation.c.cell_id, func.sum(fact_observation.c.value))
            .where(fact_observation.c.submission_id.in_(part))
            .group_by(fact_observation.c.cell_id)
        )
        for cell, value in rows:
            if cell in places:
                sums[form.cells[places[cell]].name] += int(value or 0)
    return dict(sums)


def known_keys(connection: Connection, form: Form, period: Period) -> dict[str, frozenset[str]]:
    """Of each list that others follow: the keys of all bureaus that count, in the periods up to this one, and of this one
    also those that are held."""
    keys: dict[str, frozenset[str]] = {one.follows: frozenset() for one in form.lists if one.follows}
    for one in form.lists:
        if one.code in keys:
            counting = (
                select(fact_item.c.item_key)
                .join(current_block, current_block.c.submission_id == fact_item.c.submission_id)
                .join(dim_period, dim_period.c.id == current_block.c.period_id)
                .where(current_block.c.family == form.family, current_block.c.block == one.block)
                .where(fact_item.c.list == one.code, dim_period.c.last_day <= period.end)
            )
            sent = (
                select(fact_item.c.item_key)
                .join(submission, submission.c.id == fact_item.c.submission_id)
                .join(dim_period, dim_period.c.id == submission.c.period_id)
                .join(dim_form, dim_form.c.id == submission.c.form_id)
                .where(*in_batch(form, period), fact_item.c.list == one.code)
            )
            keys[one.code] = frozenset(key for key in connection.execute(counting.union(sent)).scalars() if key)
    return keys

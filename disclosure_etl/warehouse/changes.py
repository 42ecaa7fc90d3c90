"""What changed from one version of a period to another: bureaus' figures and the office's totals, each with why.

Only what the two versions' members differ in is read. Not here: why a bureau's block counts otherwise (`reasons`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.dimension_tables import dim_cell, dim_indicator
from disclosure_etl.warehouse.known_then import keys_then, refilled_since
from disclosure_etl.warehouse.reasons import Counts, Place, bureau_names, reasons_of, restated_between
from disclosure_etl.warehouse.signing import frozen_versions
from disclosure_etl.warehouse.tables import consolidated_figure, consolidation_member, fact_observation
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.versions import Change, ChangeList, FrozenVersion, Reason

Spot = tuple[str, str]  # indicator and column
_OTHERWISE = Reason(
    "other",
    Message(
        "不来自单位的报表:导入的历史数、应报单位或口径有变", "not of a return: imported figures, who owes, or the form"
    ),
)

_OF_RETURN = ("replaced", "corrected", "confirmed", "reinstated")


def base_of(versions: Sequence[FrozenVersion], newer: FrozenVersion) -> FrozenVersion | None:
    """The version against which a later one is read: the newest that others rely on, else the newest final one, else the one
    before; None of a first version."""
    before = [one for one in versions if one.version < newer.version]
    for wanted in (
        [one for one in before if one.is_out],
        [one for one in before if one.is_final],
        before,
    ):
        if wanted:
            return wanted[-1]
    return None


def change_list(
    connection: Connection, form: Form, period: Period, older: FrozenVersion, newer: FrozenVersion
) -> ChangeList:
    """What changed from `older` to `newer`, bureaus first, then the office's totals, in the order of the form."""
    if period.frequency is form.frequency:
        changes = _of_returns(connection, form, period, older, newer)
        earlier = [period.shifted(-step) for step in range(period.ordinal - 1, 0, -1)]
    else:
        changes = _of_parts(connection, form, period, older, newer)
        earlier = list(period.parts(form.frequency))
    totals = _totals(connection, form, period, (older, newer), earlier, changes)
    return ChangeList(older, newer, (*changes, *totals))


def _of_parts(
    connection: Connection, form: Form, period: Period, older: FrozenVersion, newer: FrozenVersion
) -> list[Change]:
    """The bureaus' changes in the parts of a coarser period of which it has another version now."""
    parts = period.parts(form.frequency)
    before, after = (keys_then(connection, form.family, parts, one.key) for one in (older, newer))
    known = {one.key: one for one in frozen_versions(connection, form.family, parts)}
    return [
        change
        for part in parts
        if part.code in before and part.code in after and before[part.code] != after[part.code]
        for change in _of_returns(connection, form, part, known[before[part.code]], known[after[part.code]])
    ]


# -- bureaus


def _of_returns(
    connection: Connection, form: Form, period: Period, older: FrozenVersion, newer: FrozenVersion
) -> list[Change]:
    before, after = (_differing(connection, one, other) for one, other in ((older, newer), (newer, older)))
    then = [refilled_since(connection, [one.key]) for one in (older, newer)]
    for place, counts in _filled_anew(connection, older, newer, {key for one in then for key, _ in one}).items():
        before.setdefault(place, counts)
        after.setdefault(place, counts)
    places = sorted({*before, *after})
    facts = _facts(connection, form, {one.submission for side in (before, after) for one in side.values()})
    why = reasons_of(connection, (older, newer), (before, after))
    changes: list[Change] = []
    silent: dict[str, list[Place]] = defaultdict(list)
    for place in places:
        old, new = (
            _figures(facts, side.get(place), place[1], values)
            for side, values in zip((before, after), then, strict=True)
        )
        spots = [spot for spot in {**old, **new} if (old.get(spot) or 0) != (new.get(spot) or 0)]
        if not spots:
            silent[place[0]].append(place)
        for spot in spots:
            scale = form.indicators[spot[0]].decimals if spot[0] in form.indicators else 0
            changes.append(Change(period.code, *place, *spot, old.get(spot), new.get(spot), scale, why.get(place, ())))
    moved = {one.bureau for one in changes}
    for bureau, of_bureau in silent.items():  # it counts otherwise, and no figure differs
        told = tuple(dict.fromkeys(reason for place in of_bureau for reason in why.get(place, ())))
        if bureau in moved and all(reason.code in _OF_RETURN for reason in told):
            continue  # the return was replaced, which its other figures tell
        block = of_bureau[0][1] if len(of_bureau) == 1 else None
        changes.append(Change(period.code, bureau, block, None, None, None, None, 0, told))
    return _in_order(form, changes)


def _differing(connection: Connection, one: FrozenVersion, other: FrozenVersion) -> dict[Place, Counts]:
    """The members of a version that the other does not have just so."""
    member = consolidation_member.c
    own, others = (
        select(member.bureau_code, member.block, member.submission_id, member.accepted).where(
            member.consolidation_id == version.key
        )
        for version in (one, other)
    )
    rows = connection.execute(own.except_(others))
    return {(row[0], row[1]): Counts(row[2], bool(row[3])) for row in rows}


def _filled_anew(
    connection: Connection, older: FrozenVersion, newer: FrozenVersion, submissions: Iterable[int]
) -> dict[Place, Counts]:
    """The blocks of nil returns that both versions count, and that were filled anew."""
    member = consolidation_member.c
    found: dict[Place, Counts] = {}
    for part in in_parts(sorted(set(submissions))):
        own, others = (
            select(member.bureau_code, member.block, member.submission_id, member.accepted)
            .where(member.consolidation_id == version.key, member.submission_id.in_(part))
            for version in (older, newer)
        )  # fmt: skip
        rows = connection.execute(own.intersect(others))
        found |= {(row[0], row[1]): Counts(row[2], bool(row[3])) for row in rows}
    return found


Facts = dict[tuple[int, str], dict[tuple[str, str, int], int | None]]


def _facts(connection: Connection, form: Form, submissions: Iterable[int]) -> Facts:
    """By return and block: (indicator, column, cell id) → value, of columns that are a period's own."""
    found: Facts = defaultdict(dict)
    for part in in_parts(sorted(set(submissions))):
        rows = connection.execute(
            select(
                fact_observation.c.submission_id, dim_cell.c.block, dim_indicator.c.code, dim_cell.c.column_code,
                dim_cell.c.id, fact_observation.c.value,
            )
            .join(dim_cell, dim_cell.c.id == fact_observation.c.cell_id)
            .join(dim_indicator, dim_indicator.c.id == dim_cell.c.indicator_id)
            .where(fact_observation.c.submission_id.in_(part), dim_cell.c.measure != "share")
            .where(dim_cell.c.column_code.in_(sorted(form.own_columns)))
        )  # fmt: skip
        for submission, block, indicator, column, cell, value in rows:
            found[(submission, block)][(indicator, column, cell)] = value
    return found


def _figures(
    facts: Facts, counts: Counts | None, block: str, then: Mapping[tuple[int, int], int | None]
) -> dict[Spot, int | None]:
    """A block's figures as they entered a version; none where nothing of it counted."""
    if counts is None:
        return {}
    return {
        (indicator, column): then.get((counts.submission, cell), value)
        for (indicator, column, cell), value in facts.get((counts.submission, block), {}).items()
    }


def _in_order(form: Form, changes: Sequence[Change]) -> list[Change]:
    order = {(cell.indicator, cell.column): cell.position for cell in form.cells if cell.measure != "share"}
    last = len(order)
    return sorted(
        changes,
        key=lambda one: (
            one.period,
            one.bureau or "",
            order.get((one.indicator or "", one.column or ""), last),
            one.block or "",
        ),
    )


# -- totals


def _totals(
    connection: Connection,
    form: Form,
    period: Period,
    versions: tuple[FrozenVersion, FrozenVersion],
    earlier: Sequence[Period],
    bureaus: Sequence[Change],
) -> list[Change]:
    """The office's totals that differ. `earlier`: the periods that are inside its cumulatives, or that it is added up from."""
    keys = [keys_then(connection, form.family, earlier, one.key) for one in versions]
    parts = {code: (keys[0].get(code), key) for code, key in keys[1].items() if keys[0].get(code) != key}
    wanted = {one.key for one in versions} | {key for pair in parts.values() for key in pair if key is not None}
    figures = _figures_of(connection, wanted)
    old, new = (figures.get(one.key, {}) for one in versions)
    names = bureau_names(connection)
    numbers = {one.key: one.version for one in frozen_versions(connection, form.family, earlier)} if parts else {}
    own = period.frequency is form.frequency
    restated = restated_between(connection, form.family, [*earlier, period], versions)
    changes = []
    for spot in {**old, **new}:
        before, after = old.get(spot, (None, 0)), new.get(spot, (None, 0))
        if (before[0] or 0) == (after[0] or 0):  # nothing told and nothing had: no change, as of a bureau
            continue
        column = form.columns.get(spot[1])
        inner = (spot[0], column.cumulates) if own and column is not None and column.cumulates else spot
        told: list[Reason] = []
        if inner == spot and own:
            told = _from_bureaus(bureaus, spot, (after[0] or 0) - (before[0] or 0), names)
        else:
            for code, (was, now) in sorted(parts.items()):
                values = [figures.get(key, {}).get(inner, (None, 0))[0] for key in (was, now) if key is not None]
                if len(values) < 2 or values[0] != values[1]:
                    told.append(_contains(code, None if was is None else numbers[was], numbers[now]))
            if own and old.get(inner) != new.get(inner):
                told.append(_contains(period.code, versions[0].version, versions[1].version))
            told += restated.get(spot[0], ())
        scale = after[1] or before[1]
        change = Change(period.code, None, None, *spot, before[0], after[0], scale, tuple(told) or (_OTHERWISE,))
        item = form.indicators.get(spot[0])
        block = next((one.code for one in form.blocks if item is not None and item in one.indicators), None)
        changes.append(replace(change, block=block))
    return _in_order(form, changes)


def _figures_of(connection: Connection, keys: Iterable[int]) -> dict[int, dict[Spot, tuple[int | None, int]]]:
    """By version: (indicator, column) → value and scale."""
    found: dict[int, dict[Spot, tuple[int | None, int]]] = defaultdict(dict)
    for part in in_parts(sorted(set(keys))):
        rows = connection.execute(select(consolidated_figure).where(consolidated_figure.c.consolidation_id.in_(part)))
        for row in rows:
            found[row.consolidation_id][(row.indicator, row.column_code)] = (row.value, row.scale)
    return found


def _from_bureaus(
    bureaus: Sequence[Change], spot: Spot, difference: int, names: Mapping[str, tuple[str, str]]
) -> list[Reason]:
    """Why a total changed: the one bureau's reasons, or which bureaus' figures did; and whether anything else is in it."""
    own = [one for one in bureaus if (one.indicator, one.column) == spot and one.bureau is not None]
    told: list[Reason] = []
    if len(own) == 1:
        zh, en = names.get(own[0].bureau or "", (own[0].bureau or "",) * 2)
        told = [
            Reason(one.code, Message(f"{zh}:{one.message.zh}", f"{en}: {one.message.en}"), one.by)
            for one in own[0].reasons
        ]
    elif own:
        listed = [names.get(one.bureau or "", (one.bureau or "",) * 2) for one in own]
        told = [
            Reason(
                "bureaus",
                Message("、".join(zh for zh, _ in listed), ", ".join(en for _, en in listed)),
            )
        ]
    return told if sum(one.difference for one in own) == difference else [*told, _OTHERWISE]


def _contains(code: str, was: int | None, now: int) -> Reason:
    if was is None:
        return Reason("contains", Message(f"含新汇总的 {code}", f"contains {code}, which was not there"))
    return Reason(
        "contains", Message(f"含 {code}(第 {was} 版 → 第 {now} 版)", f"contains {code} (version {was} → {now})")
    )

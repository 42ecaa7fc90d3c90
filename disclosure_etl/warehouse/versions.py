"""Frozen versions: made once, never changed, found again as they stood.

Not here: the figures (`figures`) and the account (`accounts`) that go into one, or whose block counts (`loading`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from disclosure_etl.bureaus import Duty
from disclosure_etl.warehouse import audit, known_then, restating, standings
from disclosure_etl.warehouse.accounts import period_account, rolled_up_account
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import bulk
from disclosure_etl.warehouse.counting import Member, members_of
from disclosure_etl.warehouse.dimension_tables import dim_form, dim_period
from disclosure_etl.warehouse.dimensions import period_id, sync_form
from disclosure_etl.warehouse.figures import FrozenFigures, period_figures, rolled_up_figures
from disclosure_etl.warehouse.pending import FREEZE, Dependents, note_freezing, settle_pending
from disclosure_etl.warehouse.tables import consolidated_figure, consolidation, consolidation_member
from schemas.consolidation import Booked, BureauState, ConsolidatedFigure, Consolidation, VersionStatus
from schemas.errors import ProgramError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Status


def freeze(
    connection: Connection,
    act: Act,
    form: Form,
    period: Period,
    duty: Duty,
    others: int = 0,
    rules: str | None = None,
    dependents: Dependents = Dependents(),  # noqa: B008 - frozen
    *,
    without_held: bool = False,
) -> Consolidation:
    """Freeze the period's provisional version, unless nothing changed since the newest one: then that one is returned, as it
    is in a locked year.

    A coarser period than the form's own is added up from the newest versions of its parts. A version that left held blocks
    out stays the newest as long as nothing else changed.

    Args:
        without_held: leave held blocks out, rather than count them as reported.
        duty: who owes a return, and by when; others: files met that are of other periods; rules: the version of the
            rules in force; dependents: what contains these figures, to be frozen anew where they changed.

    Raises:
        ProgramError: receipts are not accounted for one by one (conservation).
    """
    if (lock := standings.lock_of(connection, form.family, period)) is not None:
        known = newest(connection, form.family, period)
        if known is None and period.frequency is form.frequency:
            raise standings.locked_error(lock, period)
        if known is not None:
            return known
    sync_form(connection, form)
    settle_pending(connection, form.family, period, [FREEZE])
    last = _last(connection, form.family, period)
    modes = [True] if without_held else [True, False] if last.without_held else [False]
    for mode in modes:
        figures, members, account = _content(connection, form, period, duty, others, without_held=mode)
        hashed = _hash_of(form.digest, period, figures, members, account)
        if last.content_hash == hashed and (known := newest(connection, form.family, period)) is not None:
            return known
    version = last.version + 1
    frozen = Consolidation(
        family=form.family,
        form=form.key,
        frequency=period.frequency.value,
        period=period.code,
        run=act.run or "",
        version=version,
        status=VersionStatus.PROVISIONAL,
        content_hash=hashed,
        frozen_at=duty.at,
        figures=tuple(figures),
        **account,
    )
    if frozen.found != sum(frozen.counts.values()):
        raise ProgramError(f"{period}: {frozen.found} receipts found, {dict(frozen.counts)} accounted for")
    if frozen.cells_read != frozen.cells_loaded + frozen.cells_parked:
        raise ProgramError(f"{period}: cells read are not loaded + parked")
    store(connection, form, period, frozen, members, rules)
    known_then.keep(connection, form.family, period, version)
    told = {"version": version, "status": frozen.status.value, "content_hash": hashed, "rules": rules}
    audit.append(connection, act, "freeze", f"{form.family} {period}", told)
    note_freezing(connection, dependents.frozen)
    return frozen


def _content(
    connection: Connection, form: Form, period: Period, duty: Duty, others: int, *, without_held: bool
) -> tuple[list[ConsolidatedFigure], list[Member], dict]:
    """What a version of now would say: its figures, what they are made of, and its account."""
    if period.frequency is not form.frequency:
        parts = [newest(connection, form.family, part) for part in period.parts(form.frequency)]
        account = rolled_up_account(parts, duty.owing)
        account["restatements"] = tuple(one for part in parts if part is not None for one in part.restatements)
        return _figures_of(connection, form, period, duty, []), [], account
    members = members_of(connection, form.family, period, without_held=without_held)
    account = period_account(connection, form, period, duty, others, members)
    account["restatements"] = _booked(connection, form, period)
    figures = _figures_of(connection, form, period, duty, members)
    return figures, members, account | {"without_held": without_held}


# Versions were frozen before there were these; a hash has them where they count something.
_LATER_STATUSES = (Status.RETURNED, Status.WITHDRAWN)
_ACCOUNT = (
    "found", "missing", "late", "failures", "not_assessable", "coverage", "cells_read", "cells_loaded", "cells_parked",
)  # fmt: skip
_WHERE_SO = (
    "without_held",
    "parts",
)  # versions were frozen before there were these: told only where they say something


def _booked(connection: Connection, form: Form, period: Period) -> tuple[Booked, ...]:
    """The period's restatements, as a version keeps them."""
    return tuple(Booked(**restating.told(one)) for one in restating.standing(connection, form.family, [period.code]))  # type: ignore[arg-type]


def _fields(one: BureauState | ConsolidatedFigure | Booked) -> dict:
    """A flat record as a dictionary; `asdict` would copy every value deeply."""
    return {name: getattr(one, name) for name in type(one).__slots__}


def store(
    connection: Connection,
    form: Form,
    period: Period,
    frozen: Consolidation,
    members: Sequence[Member],
    rules: str | None = None,
) -> None:
    """Write a version down."""
    account = {name: getattr(frozen, name) for name in _ACCOUNT}
    account |= {name: value for name in _WHERE_SO if (value := getattr(frozen, name))}
    account["counts"] = {status.value: count for status, count in frozen.counts.items()}
    account["bureaus"] = [
        {**_fields(state), "received_at": state.received_at.isoformat() if state.received_at else None}
        for state in frozen.bureaus
    ]
    account["restatements"] = [_fields(one) for one in frozen.restatements]
    key = connection.execute(
        insert(consolidation).values(
            family=frozen.family,
            form_id=sync_form(connection, form),
            period_id=period_id(connection, period),
            version=frozen.version,
            status=frozen.status.value,
            run_id=frozen.run,
            frozen_at=frozen.frozen_at,
            content_hash=frozen.content_hash,
            rule_set=rules,
            account=account,
        )
    ).inserted_primary_key[0]  # type: ignore[index]
    if frozen.figures:
        connection.execute(
            insert(consolidated_figure),
            [
                {
                    "consolidation_id": key, "indicator": one.indicator, "column_code": one.column, "measure": one.measure,
                    "value": one.value, "scale": one.scale, "validated": one.validated, "position": place,
                }
                for place, one in enumerate(frozen.figures)
            ],
        )  # fmt: skip
    rows = ((key, *member) for member in members)
    bulk(
        connection,
        consolidation_member,
        rows,
        ["consolidation_id", "bureau_code", "block", "submission_id", "accepted"],
    )


class _Last(NamedTuple):
    """What freezing asks of the newest version of a period."""

    version: int
    content_hash: str | None
    without_held: bool


def _last(connection: Connection, family: str, period: Period) -> _Last:
    """Of the newest version of a period; 0 and None where there is none. Its account is much larger, and stays unread."""
    row = connection.execute(
        select(
            consolidation.c.version,
            consolidation.c.content_hash,
            consolidation.c.account["without_held"].as_boolean().label("without_held"),
        )
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code == period.code)
        .order_by(consolidation.c.version.desc())
        .limit(1)
    ).first()
    return _Last(row.version, row.content_hash, bool(row.without_held)) if row is not None else _Last(0, None, False)


def frozen_after(connection: Connection, number: int) -> list[Consolidation]:
    """The versions that were frozen after an event of the record, in that order."""
    told = [
        (*one.subject.split(" "), one.details["version"]) for one in audit.events(connection, "freeze", after=number)
    ]
    found = [newest(connection, family, Period.parse(period), version) for family, period, version in told]
    return [one for one in found if one is not None]


def others_of(connection: Connection, family: str, period: Period) -> int:
    """How many files of other periods the newest version of a period has met; 0 where there is none."""
    number = consolidation.c.account["counts"][Status.OTHER_PERIOD.value].as_integer()
    found = connection.execute(
        select(number)
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code == period.code)
        .order_by(consolidation.c.version.desc())
        .limit(1)
    ).scalar()
    return found or 0


def newest(
    connection: Connection, family: str, period: Period, version: int | None = None, as_of: datetime | None = None
) -> Consolidation | None:
    """The newest frozen version of a period (or that of a number, or what was the newest then), as it was frozen; its status
    as of now, or of then."""
    statement = (
        select(
            consolidation,
            dim_period.c.code.label("period_code"),
            dim_period.c.frequency,
            standings.standing(as_of).label("standing"),
        )
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code == period.code)
        .order_by(consolidation.c.version.desc())
        .limit(1)
    )
    if version is not None:
        statement = statement.where(consolidation.c.version == version)
    if as_of is not None:
        statement = statement.where(consolidation.c.frozen_at <= as_of)
    row = connection.execute(statement).first()
    if row is None:
        return None
    account = dict(row.account)
    account["counts"] = dict.fromkeys(Status, 0) | {Status(name): count for name, count in account["counts"].items()}
    for name in ("missing", "late"):
        account[name] = tuple(account[name])
    account["bureaus"] = tuple(_state(state) for state in account["bureaus"])
    account["restatements"] = tuple(Booked(**one) for one in account.get("restatements", ()))
    account["parts"] = tuple(tuple(part) for part in account.get("parts", ()))
    return Consolidation(
        family=family,
        form=_form_key(connection, row.form_id),
        frequency=row.frequency,
        period=row.period_code,
        run=row.run_id,
        version=row.version,
        status=VersionStatus(row.standing),
        content_hash=row.content_hash,
        frozen_at=row.frozen_at,
        figures=_figures(connection, [row.id])[row.id],
        **account,
    )


def _form_key(connection: Connection, key: int) -> str:
    row = connection.execute(select(dim_form.c.family, dim_form.c.version).where(dim_form.c.id == key)).one()
    return f"{row.family}/{row.version}"


def _state(stored: dict) -> BureauState:
    received = datetime.fromisoformat(stored["received_at"]) if stored["received_at"] else None
    lists = {name: tuple(stored.get(name, ())) for name in ("held_blocks", "attachments")}
    return BureauState(**{**stored, "received_at": received, **lists})


def _newest_figures(connection: Connection, family: str, periods: Sequence[Period]) -> list[FrozenFigures | None]:
    """The figures of the newest version of each of these periods. The accounts beside them are much larger, and stay unread."""
    last = (
        select(consolidation.c.period_id, func.max(consolidation.c.version).label("version"))
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family, dim_period.c.code.in_([period.code for period in periods]))
        .group_by(consolidation.c.period_id)
        .subquery()
    )
    rows = connection.execute(
        select(consolidation.c.id, consolidation.c.form_id, consolidation.c.status, dim_period.c.code)
        .join(last, (last.c.period_id == consolidation.c.period_id) & (last.c.version == consolidation.c.version))
        .join(dim_period, dim_period.c.id == consolidation.c.period_id)
        .where(consolidation.c.family == family)
    ).all()
    figures = _figures(connection, [row.id for row in rows])
    forms = {key: _form_key(connection, key) for key in {row.form_id for row in rows}}
    found = {row.code: FrozenFigures(forms[row.form_id], VersionStatus(row.status), figures[row.id]) for row in rows}
    return [found.get(period.code) for period in periods]


def _figures(connection: Connection, versions: Sequence[int]) -> dict[int, tuple[ConsolidatedFigure, ...]]:
    """The figures of versions, by their keys."""
    rows = connection.execute(
        select(consolidated_figure)
        .where(consolidated_figure.c.consolidation_id.in_(versions))
        .order_by(consolidated_figure.c.position)
    )
    found: dict[int, list[ConsolidatedFigure]] = {key: [] for key in versions}
    for one in rows:
        figure = ConsolidatedFigure(one.indicator, one.column_code, one.measure, one.value, one.scale, one.validated)
        found[one.consolidation_id].append(figure)
    return {key: tuple(figures) for key, figures in found.items()}


def _earlier(connection: Connection, form: Form, period: Period) -> list[FrozenFigures | None]:
    """The newest versions of the year's periods before this one, None for what was never received; nothing where the
    form has no cumulative column. A year in which the form itself began begins with it."""
    if not any(column.cumulates for column in form.columns.values()):
        return []
    first = period.shifted(1 - period.ordinal)
    steps = [first.shifted(count) for count in range(period.ordinal - 1)]
    found = zip(steps, _newest_figures(connection, form.family, steps), strict=True)
    began = Period.parse(form.valid.first).start
    return [one for step, one in found if one is not None or step.start >= began]


def figures_now(
    connection: Connection, form: Form, period: Period, duty: Duty, *, without_held: bool = False
) -> list[ConsolidatedFigure]:
    """The figures of a period as they add up now; of a coarser period than the form's own, from the newest versions of its
    parts."""
    if period.frequency is not form.frequency:
        return _figures_of(connection, form, period, duty, [])
    members = members_of(connection, form.family, period, without_held=without_held)
    return _figures_of(connection, form, period, duty, members)


def _figures_of(
    connection: Connection, form: Form, period: Period, duty: Duty, members: Sequence[Member]
) -> list[ConsolidatedFigure]:
    if period.frequency is not form.frequency:
        codes = period.parts(form.frequency)
        booked = restating.standing(connection, form.family, [part.code for part in codes])
        parts = _newest_figures(connection, form.family, codes)
        return rolled_up_figures(form, parts, duty.contained, booked)
    first = period.shifted(1 - period.ordinal)
    year = [first.shifted(step).code for step in range(period.ordinal)]
    booked = restating.standing(connection, form.family, year)
    return period_figures(connection, form, period, _earlier(connection, form, period), members, duty, booked)


def content_hash(form_digest: str, period: Period, one: Consolidation, members: Iterable[tuple]) -> str:
    """The hash of a version from what is stored of it; unless somebody changed that, it is the one that it was frozen with."""
    names = ("missing", "late", "counts", "bureaus", "without_held", "parts", "restatements")
    account = {name: getattr(one, name) for name in names}
    return _hash_of(form_digest, period, one.figures, members, account)


def _hash_of(
    form_digest: str, period: Period, figures: Iterable[ConsolidatedFigure], members: Iterable[tuple], account: dict
) -> str:
    """SHA-256 over what the version says: figures, what they were made of, and how every bureau stands."""
    content = {
        "form": form_digest,
        "period": period.code,
        "figures": [_fields(one) for one in figures],
        "members": sorted(map(list, members or account.get("parts", ()))),
        "missing": account["missing"],
        "late": account["late"],
        "counts": {
            status.value: account["counts"][status]
            for status in Status
            if status is not Status.OTHER_PERIOD and (status not in _LATER_STATUSES or account["counts"][status])
        },
        "bureaus": [
            [
                state.bureau, state.status, state.stale, state.held_blocks, state.errors, state.warnings, state.notices,
                state.not_assessable, *state.attachments,
            ]
            for state in account["bureaus"]
        ],
    }  # fmt: skip
    if account["without_held"]:
        content["without_held"] = True
    if account["restatements"]:  # versions were frozen before there were any
        content["restatements"] = [_fields(one) for one in account["restatements"]]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

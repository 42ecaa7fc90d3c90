"""Loading judged submissions, renewing verdicts, and keeping which submission's block counts.

Each is one set-based transaction, and a second time changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain, repeat

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from disclosure_etl.warehouse import known_then, moves
from disclosure_etl.warehouse.arrivals import first_receipts, in_parts
from disclosure_etl.warehouse.audit import Act
from disclosure_etl.warehouse.connection import bulk, storable, storable_all
from disclosure_etl.warehouse.dimensions import cell_ids, period_id, sync_form
from disclosure_etl.warehouse.listed import note_followers, store_items
from disclosure_etl.warehouse.pending import Dependents, note_dependents, note_freezing, settle_pending
from disclosure_etl.warehouse.settling import settle
from disclosure_etl.warehouse.tables import (
    document,
    fact_observation,
    failure,
    submission,
    submission_block,
    unread,
)
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Failure, Judged, Receipt, Submission
from schemas.states import State

_FACT_COLUMNS = ["submission_id", "cell_id", "value", "meaning", "decimals", "trouble", "text", "locator"]
_FAILURE_COLUMNS = [
    "submission_id", "failure_id", "position", "rule", "kind", "severity", "block", "indicators", "column_code", "cells", "seen",
    "expected", "difference", "diagnosis", "impact", "legal", "message_zh", "message_en", "implied_by", "case_id", "waiver",
]  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def load(
    connection: Connection,
    act: Act,
    form: Form,
    period: Period,
    judged: Sequence[Judged],
    receipts: Mapping[str, Receipt],
    rules: str | None = None,
    dependents: Dependents = Dependents(),  # noqa: B008 - frozen
) -> set[str]:
    """Store submissions that are not stored yet, with their facts, verdicts and blocks; see `Warehouse.load`."""
    known = set()
    for part in in_parts([one.submission.digest for one in judged]):
        known |= set(connection.execute(select(submission.c.digest).where(submission.c.digest.in_(part))).scalars())
    new = [one for one in judged if one.submission.digest not in known]
    if not new:
        return set()
    form_key, period_key = sync_form(connection, form), period_id(connection, period)
    first = (connection.execute(select(func.max(submission.c.id))).scalar() or 0) + 1
    numbered = list(zip(range(first, first + len(new)), new, strict=True))
    arrivals = first_receipts(connection, [one.submission.digest for one in new])
    common = {"family": form.family, "form_id": form_key, "period_id": period_key, "run_id": act.run, "rule_set": rules}
    connection.execute(
        insert(submission),
        [
            common
            | _submission_row(key, one)
            | {
                "received_at": receipts[one.submission.digest].received_at,
                "arrival": arrivals.get(one.submission.digest, 0),
            }
            for key, one in numbered
        ],
    )
    _were_read(connection, [one.submission for one in new])
    fitting = [(key, one.submission) for key, one in numbered if one.submission.form == form.key]
    bulk(connection, fact_observation, _facts(fitting, cell_ids(connection, form_key)), _FACT_COLUMNS)
    if form.lists:
        store_items(connection, fitting)
    _store_verdicts(connection, numbered)
    blocks = [block.code for block in form.blocks]
    rows = ((key, block, _is_accepted(one, block), False) for key, one in numbered for block in blocks)
    bulk(connection, submission_block, rows, ["submission_id", "block", "accepted", "stale"])
    extra = [
        {"submission_id": key, "locator": storable(place.locator), "text": storable(place.text)}
        for key, one in numbered
        for place in one.submission.unread
    ]
    if extra:
        connection.execute(insert(unread), extra)
    settled = settle(
        connection, form.family, period_key, {one.submission.bureau for one in new if one.submission.bureau}
    )
    states = {key: _alone(one) for key, one in numbered if one.submission.bureau is None} | settled.states
    moves.make(connection, act, "load", f"{form.family} {period}", states, returns=_told(new))
    changed = settled.changed
    note_dependents(connection, dependents, changed)
    note_followers(connection, form, period, changed, dependents.together)
    note_freezing(connection, [(form.family, period)])
    return changed


def _were_read(connection: Connection, sent: Sequence[Submission]) -> None:
    """What is stored was read, whatever a run that pulled the same bytes from elsewhere has noted of them meanwhile."""
    known = {one.digest: one for one in sent}
    for part in in_parts(list(known)):
        rows = connection.execute(
            select(document.c.digest).where(document.c.digest.in_(part), document.c.status != "read")
        )
        for digest in rows.scalars().all():
            one = known[digest]
            said = {
                "bureau_written": storable(one.bureau_written),
                "claimed_period": one.period or None,
                "form": one.form,
            }
            nothing = dict.fromkeys(("problem_code", "problem_zh", "problem_en"))
            connection.execute(
                update(document).where(document.c.digest == digest).values(status="read", **said, **nothing)
            )


def _alone(one: Judged) -> str:
    """The state of a return of nobody known: it counts for nobody."""
    return (State.HELD if one.fault is None else State.FAILED).value


def _told(judged: Sequence[Judged]) -> dict[str, object]:
    """What the audit event says of returns that were stored: how many, and the SHA-256 over their digests and bureaus."""
    rows = sorted((one.submission.digest, one.submission.bureau, one.submission.revision) for one in judged)
    return {"count": len(rows), "sha256": hashlib.sha256(_json(rows).encode()).hexdigest()}


def _is_accepted(one: Judged, block: str) -> bool:
    return one.fault is None and not one.whole_return_held and block not in one.held_blocks


def _submission_row(key: int, one: Judged) -> dict[str, object]:
    sent = one.submission
    return {
        "id": key,
        "digest": sent.digest,
        "claimed_period": sent.period,
        "bureau_code": sent.bureau,
        "bureau_written": storable(sent.bureau_written),
        "file": storable(sent.file),
        "revision": sent.revision,
        "nil": sent.nil,
        "header": {name: storable(text) for name, text in sent.header.items()},
        "findings": [asdict(finding) for finding in sent.findings],
        "status": State.RECEIVED.value,
        "whole_return_held": one.whole_return_held,
        "fault": one.fault,
        "not_assessable": [list(rule) for rule in one.not_assessable],
    }


def _facts(numbered: Iterable[tuple[int, Submission]], cells: list[int]) -> Iterator[tuple]:
    def rows(key: int, one: Submission) -> Iterator[tuple]:
        values = [
            None if printed == NO_DECIMALS else number
            for number, printed in zip(one.numbers, one.decimals, strict=True)
        ]
        printed = [None if places == NO_DECIMALS else places for places in one.decimals]
        texts = storable_all(one.texts)
        return zip(repeat(key), cells, values, one.meanings, printed, one.troubles, texts, one.locators, strict=False)

    return chain.from_iterable(rows(key, one) for key, one in numbered)


def _store_verdicts(connection: Connection, numbered: Sequence[tuple[int, Judged]]) -> None:
    bulk(connection, failure, _failures(numbered), _FAILURE_COLUMNS)


def _failures(numbered: Sequence[tuple[int, Judged]]) -> Iterator[tuple]:
    for key, one in numbered:
        seen: set[str] = set()
        for found in one.failures:
            if found.id not in seen:
                seen.add(found.id)
                yield _failure_row(key, len(seen), found)


def _failure_row(key: int, position: int, found: Failure) -> tuple:
    return (
        key, found.id, position, found.rule, str(found.kind), found.severity.value, found.block, _json(found.indicators),
        found.column, _json(found.cells), _json(found.seen), found.expected, found.difference, found.diagnosis,
        found.impact, found.legal, storable(found.message.zh), storable(found.message.en), found.implied_by,
        found.case, found.waiver,
    )  # fmt: skip


def renew(
    connection: Connection,
    act: Act,
    form: Form,
    period: Period,
    judged: Sequence[Judged],
    rules: str | None = None,
    dependents: Dependents = Dependents(),  # noqa: B008 - frozen
) -> set[str]:
    """Replace the machine's verdicts of stored submissions; see `Warehouse.renew`."""
    if not judged:
        return set()
    keys: dict[str, int] = {}
    for part in in_parts([one.submission.digest for one in judged]):
        rows = connection.execute(select(submission.c.digest, submission.c.id).where(submission.c.digest.in_(part)))
        keys |= {row.digest: row.id for row in rows}
    numbered = [(keys[one.submission.digest], one) for one in judged]
    before = _blocks_before(connection, list(keys.values()))
    for ids in in_parts(list(keys.values())):
        connection.execute(delete(failure).where(failure.c.submission_id.in_(ids)))
    _store_verdicts(connection, numbered)
    refilled = _refill_nil(connection, form, numbered)
    connection.execute(
        update(submission).where(submission.c.id == bindparam("key")),
        [
            {
                "key": key,
                "not_assessable": [list(rule) for rule in one.not_assessable],
                "whole_return_held": one.whole_return_held,
                "fault": one.fault,
                "rule_set": rules,
            }
            for key, one in numbered
        ],
    )
    changes, new_blocks = [], []
    for key, one in numbered:
        known = before.get(key, {})
        new_blocks += [  # an optional block was switched on since: the return has nothing in it, and nothing is held by it
            (key, block.code, _is_accepted(one, block.code), False) for block in form.blocks if block.code not in known
        ]
        for block, (accepted, stale) in known.items():
            holds = _is_accepted(one, block)
            # What was accepted stays so: a rule that can be judged only now, and fails, makes it stale, not unpublished.
            now = (accepted or holds, accepted and not holds)
            if now != (accepted, stale):
                changes.append({"key": key, "name": block, "accepted": now[0], "stale": now[1]})
    if changes:
        statement = update(submission_block).where(
            submission_block.c.submission_id == bindparam("key"), submission_block.c.block == bindparam("name")
        )
        connection.execute(statement, changes)
    bulk(connection, submission_block, iter(new_blocks), ["submission_id", "block", "accepted", "stale"])
    bureaus = {one.submission.bureau for one in judged if one.submission.bureau}
    settled = settle(connection, form.family, period_id(connection, period), bureaus)
    states = {keys[one.submission.digest]: _alone(one) for one in judged if one.submission.bureau is None}
    moves.make(connection, act, "judge", f"{form.family} {period}", states | settled.states)
    changed = settled.changed
    note_dependents(connection, dependents, changed | refilled)
    note_followers(connection, form, period, changed, dependents.together)
    settle_pending(connection, form.family, period, bureaus)
    note_freezing(connection, [(form.family, period)])  # what changed is in no version yet, should this run end here
    return changed | refilled


def _blocks_before(connection: Connection, keys: Sequence[int]) -> dict[int, dict[str, tuple[bool, bool]]]:
    found: dict[int, dict[str, tuple[bool, bool]]] = defaultdict(dict)
    for ids in in_parts(keys):
        for row in connection.execute(select(submission_block).where(submission_block.c.submission_id.in_(ids))):
            found[row.submission_id][row.block] = (row.accepted, row.stale)
    return found


def _refill_nil(connection: Connection, form: Form, numbered: Sequence[tuple[int, Judged]]) -> set[str]:
    """A nil return stands for what came before it, which may be known only now; the bureaus whose figures it changes."""
    nil = [(key, one.submission) for key, one in numbered if one.submission.nil and one.submission.form == form.key]
    if not nil:
        return set()
    form_key = sync_form(connection, form)
    own = select(submission.c.id).where(submission.c.form_id == form_key, submission.c.id.in_([key for key, _ in nil]))
    ids = list(connection.execute(own).scalars())
    nil = [(key, one) for key, one in nil if key in set(ids)]
    cells = cell_ids(connection, form_key)
    before = _values(connection, ids)
    now = {(row[0], row[1]): row[2] for row in _facts(nil, cells)}
    other = {key for (key, cell), value in now.items() if before.get((key, cell)) != value}
    if not other:
        return set()
    known_then.note_refilled(connection, before, [place for place, value in now.items() if before.get(place) != value])
    connection.execute(delete(fact_observation).where(fact_observation.c.submission_id.in_(ids)))
    bulk(connection, fact_observation, _facts(nil, cells), _FACT_COLUMNS)
    return {one.bureau for key, one in nil if key in other and one.bureau}


def _values(connection: Connection, keys: Sequence[int]) -> dict[tuple[int, int], int | None]:
    rows = connection.execute(
        select(fact_observation.c.submission_id, fact_observation.c.cell_id, fact_observation.c.value).where(
            fact_observation.c.submission_id.in_(keys)
        )
    )
    return {(row[0], row[1]): row[2] for row in rows}

"""Why a bureau's block counts otherwise in one version than in another: what was sent, decided, waived or restated between them.

Not here: which figures that changes (`changes`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from disclosure_etl.warehouse.arrivals import in_parts
from disclosure_etl.warehouse.decision_tables import confirmation, restatement, return_decision
from disclosure_etl.warehouse.dimension_tables import dim_bureau, dim_period
from disclosure_etl.warehouse.tables import consolidation, decision, submission
from disclosure_etl.warehouse.version_tables import version_failure
from schemas.errors import Message
from schemas.periods import Period
from schemas.restatements import ReasonCode
from schemas.returns import ReturnAction
from schemas.versions import FrozenVersion, Reason

Place = tuple[str, str]  # bureau and block


class Counts(NamedTuple):
    """Whose block counts in a version, and whether it was accepted."""

    submission: int
    accepted: bool


@dataclass
class _Known:
    """What is known of the returns concerned, by their keys."""

    sent: dict[int, tuple[int, str, str | None]]  # revision, file, who filled it in
    confirmed: dict[int, Reason]
    decided: dict[tuple[int, str], Reason]  # by return and action
    waived: dict[tuple[int, str], tuple[Reason, ...]]  # by return and block
    without_held: tuple[bool, bool]


def reasons_of(
    connection: Connection,
    versions: tuple[FrozenVersion, FrozenVersion],
    counted: tuple[Mapping[Place, Counts], Mapping[Place, Counts]],
) -> dict[Place, tuple[Reason, ...]]:
    """Why the blocks of `counted` (in the older and in the newer version) count otherwise."""
    before, after = counted
    keys = {one.submission for side in counted for one in side.values()}
    known = _Known(
        *_sent(connection, keys), _decided(connection, keys), _waived(connection, versions[1].key, keys),
        _without_held(connection, versions),
    )  # fmt: skip
    return {place: tuple(_why(known, place, before.get(place), after.get(place))) for place in {*before, *after}}


def bureau_names(connection: Connection) -> dict[str, tuple[str, str]]:
    """The latest Chinese and English name of every bureau."""
    rows = connection.execute(select(dim_bureau).order_by(dim_bureau.c.valid_from))
    return {row.code: (row.name_zh, row.name_en) for row in rows}


def _why(known: _Known, place: Place, old: Counts | None, new: Counts | None) -> Iterable[Reason]:
    if new is None:
        assert old is not None
        if told := known.decided.get((old.submission, ReturnAction.WITHDRAW.value)):
            yield told
        elif known.without_held[1]:
            yield Reason("left_out", Message("暂存板块未计入终稿", "held, and left out of the final version"))
        else:
            yield Reason("gone", Message("原报表不再计入", "the return counts no longer"))
        return
    revision, file, filled_by = known.sent[new.submission]
    if old is not None and old.submission == new.submission:
        if new.accepted and not old.accepted:
            waived = known.waived.get((new.submission, place[1]), ())
            yield from waived or [
                Reason("accepted", Message(f"暂存板块重判通过({file})", f"the held block passes now ({file})"))
            ]
        else:
            yield Reason(
                "carried", Message("零报告的期初、期末随上期更正", "a nil return: balances follow the period before")
            )
        return
    if (told := known.decided.get((new.submission, ReturnAction.REINSTATE.value))) or (
        told := known.confirmed.get(new.submission)
    ):
        yield told
    elif old is None and known.without_held[0] and not new.accepted:
        yield Reason("as_reported", Message("暂存板块照填报数计入初步数", "held, and counted as reported until final"))
    elif old is None and known.without_held[0] and (new.submission, place[1]) in known.waived:
        pass  # the waiver tells
    elif old is None:
        code, zh, en = ("reported", "新报", "newly reported")
        if known.without_held[0]:
            code, zh, en = ("corrected", "暂存后更正", "held before, corrected")
        yield Reason(
            code, Message(f"{zh}(第 {revision} 次报送,{file})", f"{en} (revision {revision}, {file})"), filled_by
        )
    else:
        before = known.sent[old.submission][0]
        code, zh, en = ("replaced", "更正", "replaced")
        if not old.accepted and new.accepted:
            code, zh, en = ("corrected", "暂存后更正", "held before, corrected")
        yield Reason(
            code,
            Message(
                f"{zh}(第 {revision} 次报送取代第 {before} 次,{file})",
                f"{en} (revision {revision} for {before}, {file})",
            ),
            filled_by,
        )
    if old is not None and (told := known.decided.get((old.submission, ReturnAction.WITHDRAW.value))):
        yield told
    yield from known.waived.get((new.submission, place[1]), ())


def _sent(
    connection: Connection, keys: Iterable[int]
) -> tuple[dict[int, tuple[int, str, str | None]], dict[int, Reason]]:
    sent, confirmed = {}, {}
    for part in in_parts(sorted(set(keys))):
        rows = connection.execute(
            select(
                submission.c.id, submission.c.revision, submission.c.file, submission.c.header, confirmation.c.reason,
                confirmation.c.decided_by,
            )
            .outerjoin(confirmation, confirmation.c.digest == submission.c.digest)
            .where(submission.c.id.in_(part))
        )  # fmt: skip
        for row in rows:
            sent[row.id] = (row.revision, row.file, (row.header.get("preparer") or "").strip() or None)
            if row.decided_by is not None:
                told = Message(f"确认随更正变动:{row.reason}", f"confirmed as following a correction: {row.reason}")
                confirmed[row.id] = Reason("confirmed", told, row.decided_by)
    return sent, confirmed


_DECIDED = {
    ReturnAction.WITHDRAW.value: ("withdrawn", "撤回", "withdrawn"),
    ReturnAction.REINSTATE.value: ("reinstated", "恢复较早的一次报送", "an earlier return was reinstated"),
}


def _decided(connection: Connection, keys: Iterable[int]) -> dict[tuple[int, str], Reason]:
    """Withdrawals and reinstatements; of several the newest."""
    found = {}
    for part in in_parts(sorted(set(keys))):
        rows = connection.execute(
            select(return_decision)
            .where(return_decision.c.submission_id.in_(part), return_decision.c.action.in_(sorted(_DECIDED)))
            .order_by(return_decision.c.id)
        )
        for row in rows:
            code, zh, en = _DECIDED[row.action]
            told = Message(f"{zh}:{row.reason}", f"{en}: {row.reason}")
            found[(row.submission_id, row.action)] = Reason(code, told, row.decided_by)
    return found


def _waived(connection: Connection, key: int, keys: Iterable[int]) -> dict[tuple[int, str], tuple[Reason, ...]]:
    """The waivers by which blocks were accepted in a version."""
    found: dict[tuple[int, str], dict[int, Reason]] = defaultdict(dict)
    for part in in_parts(sorted(set(keys))):
        rows = connection.execute(
            select(version_failure.c.submission_id, version_failure.c.block, decision)
            .join(decision, decision.c.id == version_failure.c.waiver)
            .where(version_failure.c.consolidation_id == key, version_failure.c.submission_id.in_(part))
            .where(version_failure.c.severity == "error")
            .order_by(decision.c.id)
        )
        for row in rows:
            told = Message(
                f"第 {row.id} 号豁免({row.rule}):{row.reason}", f"waiver {row.id} ({row.rule}): {row.reason}"
            )
            found[(row.submission_id, row.block)][row.id] = Reason("waived", told, row.decided_by)
    return {place: tuple(told.values()) for place, told in found.items()}


def _without_held(connection: Connection, versions: tuple[FrozenVersion, FrozenVersion]) -> tuple[bool, bool]:
    keys = [one.key for one in versions]
    rows = connection.execute(select(consolidation.c.id, consolidation.c.account).where(consolidation.c.id.in_(keys)))
    found = {row.id: bool(row.account.get("without_held")) for row in rows}
    return found[keys[0]], found[keys[1]]


def restated_between(
    connection: Connection, family: str, periods: Sequence[Period], versions: tuple[FrozenVersion, FrozenVersion]
) -> dict[str, tuple[Reason, ...]]:
    """Restatements of these periods that were recorded or withdrawn between two versions, by indicator: they add to its
    cumulatives, and to what longer times come to."""
    rows = connection.execute(
        select(restatement, dim_period.c.code.label("period"))
        .join(dim_period, dim_period.c.id == restatement.c.period_id)
        .where(restatement.c.family == family, dim_period.c.code.in_([one.code for one in periods]))
        .where(restatement.c.decided_at >= versions[0].frozen_at, restatement.c.decided_at <= versions[1].frozen_at)
        .order_by(restatement.c.id)
    ).all()
    names = bureau_names(connection) if rows else {}
    found: dict[str, tuple[Reason, ...]] = {}
    for row in rows:
        who_zh, who_en = names.get(row.bureau_code, (row.bureau_code,) * 2)
        zh, en = ("撤销调整", "restatement withdrawn") if row.withdraws else ("调整", "restated")
        told = Message(
            f"{who_zh} {row.period} {zh}({ReasonCode(row.code).label_zh}):{row.reason}",
            f"{who_en} {row.period} {en} ({ReasonCode(row.code).label_en}): {row.reason}",
        )
        found[row.indicator] = (*found.get(row.indicator, ()), Reason("restated", told, row.decided_by))
    return found

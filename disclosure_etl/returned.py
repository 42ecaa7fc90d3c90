"""What stewards do with a return as a whole, and at once what it changes: sent back, withdrawn, reinstated, or one of that undone.

Not here: decisions about single failures (`decisions`), or which return counts by all that (`warehouse.settling`).
"""

from __future__ import annotations

from dataclasses import dataclass

from disclosure_etl.decisions import Word
from disclosure_etl.judgement import Followed, dependents_of, follow
from disclosure_etl.office import Office
from schemas.errors import Message, UserError
from schemas.periods import Period
from schemas.returns import ALLOWED, MADE, ReturnAction, StoredReturn
from schemas.states import State

VERBS = {
    ReturnAction.RETURN: Message("退回", "send back"),
    ReturnAction.WITHDRAW: Message("撤回", "withdraw"),
    ReturnAction.REINSTATE: Message("恢复", "reinstate"),
}


@dataclass(frozen=True)
class DecidedReturn:
    """The decision's number, the return as it was before, where it stands now, and the versions frozen because of it. `is_new`:
    it was not decided before."""

    number: int
    before: StoredReturn
    now: State
    followed: Followed
    is_new: bool = True


def decide(office: Office, action: ReturnAction, one: StoredReturn, word: Word) -> DecidedReturn:
    """Send a return back to be corrected, take it out, or let an earlier one count again.

    Sent back, it counts as before until a correction comes. Withdrawn, it counts for nothing, and what it had replaced
    counts again. Reinstated, it counts as if it had come again now. Deciding what stands decided changes nothing.

    Raises:
        UserError: it is of nobody known; it stands where that cannot be decided of it; no name or reason.
    """
    word = word.checked()
    if one.bureau is None:
        raise UserError(
            f"{one.file} 未能认定单位,无从{VERBS[action].zh};请先在 bureaus.yaml 中登记该单位,或请其重报。",
            f"{one.file} is of no bureau known here; enter the bureau in bureaus.yaml, or have it sent again.",
        )
    if one.state not in ALLOWED[action]:
        if (number := _decided_before(office, action, one)) is not None:
            return DecidedReturn(number, one, one.state, Followed((), {}), is_new=False)
        wanted = sorted(ALLOWED[action])
        raise UserError(
            f"{one.file} 现为 {one.state.value},不能{VERBS[action].zh};只有 {'、'.join(wanted)} 的报表可以。",
            f"{one.file} is {one.state.value}, so you cannot {VERBS[action].en} it; only what is {', '.join(wanted)} can be.",
        )
    period, at = Period.parse(one.period), office.clock()
    form = office.forms.choose(one.family, period)
    with office.alone(f"returns {action.value} {period}") as alone:
        warehouse = alone.warehouse
        warehouse.refuse_locked(one.family, [period])
        if _now(alone, one) is not one.state:
            raise UserError(
                f"{one.file} 的状态刚刚变了,请重新查看后再决定。",
                f"{one.file} has just come to stand otherwise; look at it again, and then decide.",
            )
        run = warehouse.start_run(action.value, one.family, period, at)
        after = dependents_of(alone, one.family, period)
        number = warehouse.decide_return(form, action, one, word.reason, word.by, at, after)
        return _followed(alone, run, number, one)


def _decided_before(office: Office, action: ReturnAction, one: StoredReturn) -> int | None:
    """The number of the decision that has already made of a return what `action` would; None where none has, or where it stands
    otherwise since."""
    own = [known for known in office.warehouse.return_decisions(one.family) if known.submission == one.key]
    if not own or own[-1].action is not action or one.state not in MADE[action]:
        return None
    return own[-1].number


def undo(office: Office, family: str, number: int, word: Word) -> DecidedReturn:
    """Take back a decision about a return.

    Raises:
        UserError: there is no such decision, or it was undone before; no name or reason.
    """
    word = word.checked()
    with office.alone(f"returns undo {number}") as alone:
        return _undone(alone, family, number, word)


def _undone(office: Office, family: str, number: int, word: Word) -> DecidedReturn:
    warehouse = office.warehouse
    known = {one.number: one for one in warehouse.return_decisions(family)}
    if number not in known:
        listed = "、".join(map(str, known)) or "—"
        raise UserError(
            f"没有第 {number} 号决定,或已撤销;现有:{listed}。",
            f"There is no decision {number}, or it was undone; standing: {listed}.",
        )
    decision = known[number]
    period, at = Period.parse(decision.period), office.clock()
    warehouse.refuse_locked(family, [period])
    one = next(one for one in warehouse.returns(family, period, decision.bureau) if one.key == decision.submission)
    form = office.forms.choose(family, period)
    run = warehouse.start_run(ReturnAction.UNDO.value, family, period, at)
    warehouse.undo_return(form, decision, word.reason, word.by, at, dependents_of(office, family, period))
    return _followed(office, run, number, one)


def _followed(office: Office, run: str, number: int, one: StoredReturn) -> DecidedReturn:
    followed = follow(office, run, lambda stage, done, of: None)
    warehouse = office.warehouse
    warehouse.finish_run(run, "failed" if followed.faults else "done", {}, office.clock())
    return DecidedReturn(number, one, _now(office, one), followed)


def _now(office: Office, one: StoredReturn) -> State:
    """Where the return stands now."""
    found = office.warehouse.returns(one.family, Period.parse(one.period), one.bureau)
    return next(each.state for each in found if each.key == one.key)


def return_by_digest(found: list[StoredReturn], wanted: str) -> StoredReturn:
    """The return whose digest begins with `wanted`, or whose file has that name.

    Raises:
        UserError: none, or several.
    """
    fitting = [one for one in found if wanted and (one.digest.startswith(wanted) or one.file == wanted)]
    if len(fitting) == 1:
        return fitting[0]
    shown = [f"{one.digest[:12]} ({one.file}, {one.state.value})" for one in (fitting or found)[:10]]
    raise UserError(
        f"没有唯一的报表以「{wanted}」为摘要或文件名;可用:{'、'.join(shown) or '—'}。",
        f"No single return has a digest beginning with '{wanted}', or that file name; known: {', '.join(shown) or '—'}.",
    )

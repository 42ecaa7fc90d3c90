"""Who has what to do before a period and those after it are right: what `rerun` lists when it is done, and a dry run beforehand.

Read from the newest versions of the periods and the proposed deltas. Not here: doing any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from disclosure_etl.deltas import by_bureau
from disclosure_etl.office import Office
from schemas.consolidation import BureauState, Consolidation
from schemas.deltas import Delta
from schemas.errors import Message
from schemas.periods import Period


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that somebody has to do. `who`: a bureau's code, or '' for the steward; `what`: send, correct, confirm,
    acknowledge, look, report; `count`: of how many things."""

    who: str
    name: Message
    what: str
    periods: tuple[str, ...]
    count: int
    text: Message


_STEWARD = Message("统计管理员", "the data steward")


def tasks_of(office: Office, family: str, periods: Sequence[Period], deltas: Sequence[Delta]) -> list[Task]:
    """What is to be done in these periods, of the family's own frequency: the bureaus' tasks first, in their listed order."""
    frozen = [one for period in periods if (one := office.warehouse.consolidation(family, period)) is not None]
    names = {state.bureau: Message(state.name_zh, state.name_en) for one in frozen for state in one.bureaus}
    confirming = by_bureau(deltas)
    found: list[Task] = []
    for code in dict.fromkeys([*names, *confirming]):
        name = names.get(code, Message(code, code))
        found += _of_bureau(code, name, frozen, confirming.get(code, ()))
    following = {(one.bureau, one.period) for one in deltas}
    return [*found, *_of_steward(frozen, following)]


def _of_bureau(code: str, name: Message, frozen: Sequence[Consolidation], deltas: Sequence[Delta]) -> Iterable[Task]:
    def where(holds: Callable[[BureauState], bool]) -> tuple[str, ...]:
        return tuple(one.period for one in frozen for state in one.bureaus if state.bureau == code and holds(state))

    if periods := where(lambda state: state.status == "missing"):
        listed = "、".join(periods), ", ".join(periods)
        yield Task(
            code, name, "send", periods, len(periods), Message(f"补报 {listed[0]}", f"send the return of {listed[1]}")
        )
    if periods := where(lambda state: state.status in ("held", "partly_held", "returned")):
        listed = "、".join(periods), ", ".join(periods)
        text = Message(f"更正并重报 {listed[0]}(见 failures)", f"correct and send again {listed[1]} (see 'failures')")
        yield Task(code, name, "correct", periods, len(periods), text)
    if deltas:
        periods = tuple(dict.fromkeys(one.period for one in deltas))
        listed = "、".join(periods), ", ".join(periods)
        text = Message(
            f"确认 {listed[0]} 的 {len(deltas)} 处差额(deltas confirm {code}),或重报",
            f"confirm {len(deltas)} deltas of {listed[1]} (deltas confirm {code}), or send corrected returns",
        )
        yield Task(code, name, "confirm", periods, len(deltas), text)


def _of_steward(frozen: Sequence[Consolidation], following: Collection[tuple[str, str]]) -> Iterable[Task]:
    def task(what: str, zh: str, en: str, count: Callable[[Consolidation], int]) -> Iterable[Task]:
        counts = {one.period: number for one in frozen if (number := count(one))}
        if counts:
            number = sum(counts.values())
            text = Message(f"{zh}:{number}({'、'.join(counts)})", f"{en}: {number} ({', '.join(counts)})")
            yield Task("", _STEWARD, what, tuple(counts), number, text)

    def stale(one: Consolidation) -> int:
        return sum(state.stale and (state.bureau, one.period) not in following for state in one.bureaus)

    def warnings(one: Consolidation) -> int:
        return sum(state.warnings for state in one.bureaus)

    def faults(one: Consolidation) -> int:
        return sum(state.status == "failed" for state in one.bureaus)

    yield from task("look", "查看已认定而不再相符的报表", "look at what was accepted and no longer follows", stale)
    yield from task("acknowledge", "确认警告", "acknowledge warnings", warnings)
    yield from task("report", "将程序故障交给维护人员", "give the program faults to the maintainers", faults)

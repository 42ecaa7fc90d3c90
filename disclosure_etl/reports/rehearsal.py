"""What a rerun would take and change, as records: for machines, and a line each for people.

It is the rerun itself, in a transaction that is taken back: what it tells is what would happen. Not here: doing it for good
(`pipeline`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from disclosure_etl import deltas
from disclosure_etl.office import Office
from disclosure_etl.pipeline import Month
from disclosure_etl.reports.tasks import Task, tasks_of
from schemas.consolidation import Consolidation
from schemas.deltas import Delta
from schemas.errors import Message, UserError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import DocumentRecord, Judged


@dataclass(frozen=True)
class Would:
    """One thing that a rerun would do. `what`: take a return, refuse a file, freeze periods anew, or nothing.

    `holds` are the codes of the blocks that it would hold; `periods` those that would be judged again and frozen anew.
    """

    what: str
    text: Message
    file: str | None = None
    bureau: str | None = None
    revision: int | None = None
    holds: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rehearsed:
    """What a rerun would do, the deltas that it would propose, and who would have what to do then."""

    would: tuple[Would, ...]
    deltas: tuple[Delta, ...]
    tasks: tuple[Task, ...]


def refuse_coarser(office: Office, family: str, period: Period) -> None:
    """A coarser period has no returns of its own that could be taken or rehearsed.

    Raises:
        UserError: `period` is coarser than the family's returns.
    """
    frequency = office.forms.frequency_of(family)
    if period.frequency.months > frequency.months:
        parts = [part.code for part in period.parts(frequency)]
        raise UserError(
            f"{period} 没有自己的报表,由 {'、'.join(parts)} 相加而成;更正请对所在的{frequency.name_zh}运行 rerun,再汇总 {period}。",
            f"{period} has no returns of its own: it is added up from {', '.join(parts)}. Rerun the {frequency.name_en} that "
            f"the correction is of, then consolidate {period}.",
        )


def periods_from(first: Period | None, last: Period) -> tuple[Period, ...]:
    """The periods from `first` to `last`, both included; the last alone where there is no first.

    Raises:
        UserError: they are of different frequencies, or the first is later.
    """
    if first is None:
        return (last,)
    if first.frequency is not last.frequency or first > last:
        raise UserError(
            f"--from {first} 应与 {last} 同为一种时期,且不晚于它。",
            f"--from {first} should be a period like {last}, and not later.",
        )
    found = [first]
    while found[-1] < last:
        found.append(found[-1].shifted(1))
    return tuple(found)


def rehearsal(
    office: Office,
    family: str,
    period: Period,
    bureaus: Collection[str] | None = None,
    first: Period | None = None,
) -> Rehearsed:
    """What a rerun of `period` (from `first` on) would take, change, propose and leave to do. Nothing is written but the bytes
    that arrived, which the raw store keeps in any case.

    Raises:
        UserError: the period is added up from finer ones.
    """
    refuse_coarser(office, family, period)
    would: list[Would] = []
    again: dict[tuple[str, Period], Consolidation] = {}
    periods = periods_from(first, period)
    with office.rehearsing() as forgetful:
        for one in periods:
            month = Month(forgetful, family, one, "rerun", bureaus)
            try:
                for chunk in range(month.find()):
                    month.read_chunk(chunk)
                month.judge()
                would += [_refused(record, month.receipts[record.digest].name) for record in month.refused]
                would += [_taken(month.form, verdict) for verdict in month.judged if month.is_new(verdict)]
                month.load()
                result = month.freeze()
            except BaseException:
                month.give_up()
                raise
            again |= {(each.family, Period.parse(each.period)): each for each in (result.consolidation, *result.later)}
        proposed = deltas.propose(forgetful, family, periods[0])
        later = forgetful.warehouse.later_periods(family, period)
        tasks = tasks_of(forgetful, family, (*periods, *later), proposed)
    changed = [code for code, one in again.items() if _is_new(office, one)]
    if changed:
        codes = tuple(each.code for _, each in sorted(changed, key=_in_order))
        text = Message(
            f"将重新判定并固化:{'、'.join(codes)}", f"would be judged again and frozen anew: {', '.join(codes)}"
        )
        would.append(Would("freeze", text, periods=codes))
    if not would:
        nothing = Message("没有新到的报表,不会有任何变化。", "Nothing new has arrived; nothing would change.")
        would.append(Would("nothing", nothing))
    return Rehearsed(tuple(would), tuple(proposed), tuple(tasks))


def _in_order(place: tuple[str, Period]) -> tuple:
    """By when they end, the shorter first: as they would be frozen."""
    return place[1].end, place[1].frequency.months, place[0]


def _is_new(office: Office, one: Consolidation) -> bool:
    known = office.warehouse.consolidation(one.family, Period.parse(one.period))
    return known is None or known.version < one.version


def _refused(record: DocumentRecord, name: str) -> Would:
    text = Message(f"{name}:不能采用,{record.problem_zh}", f"{name}: not taken. {record.problem_en}")
    return Would("refuse", text, file=name)


def _taken(form: Form, verdict: Judged) -> Would:
    sent = verdict.submission
    held = [block for block in form.blocks if verdict.whole_return_held or block.code in verdict.held_blocks]
    held_zh = f"暂存:{'、'.join(block.label.zh for block in held)}" if held else "没有板块暂存"
    held_en = f"holding {', '.join(block.label.en for block in held)}" if held else "holding nothing"
    text = Message(
        f"{sent.file}:将采用({sent.bureau},{sent.period},修订号 {sent.revision}),{held_zh}",
        f"{sent.file}: would be taken ({sent.bureau}, {sent.period}, revision {sent.revision}), {held_en}",
    )
    return Would("take", text, sent.file, sent.bureau, sent.revision, tuple(block.code for block in held))


def lines(rehearsed: Rehearsed) -> Sequence[Message]:
    """All of it, a line a thing, for people."""
    by_bureau = deltas.by_bureau(rehearsed.deltas)
    proposed = [
        Message(f"将提出 {len(own)} 处差额:{bureau}", f"{len(own)} deltas would be proposed to {bureau}")
        for bureau, own in by_bureau.items()
    ]
    tasks = [Message(f"{one.name.zh}:{one.text.zh}", f"{one.name.en}: {one.text.en}") for one in rehearsed.tasks]
    return [*(one.text for one in rehearsed.would), *proposed, *tasks]

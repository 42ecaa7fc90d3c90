"""What a rerun would take and change, as records: for machines, and a line each for people.

Not here: doing it (`pipeline`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from disclosure_etl.office import Office
from disclosure_etl.pipeline import Month
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


def rehearsal(office: Office, family: str, period: Period, bureaus: Collection[str] | None = None) -> list[Would]:
    """What a rerun of `period` would take and change. Nothing is written but the bytes that arrived, which the raw store
    keeps in any case.

    Raises:
        UserError: the period is added up from finer ones.
    """
    refuse_coarser(office, family, period)
    month = Month(office, family, period, bureaus=bureaus, rehearsing=True)
    for chunk in range(month.find()):
        month.read_chunk(chunk)
    month.judge()
    refused = [_refused(record, month.receipts[record.digest].name) for record in month.refused]
    taken = [_taken(month.form, verdict) for verdict in month.judged if month.is_new(verdict)]
    if not taken:
        nothing = Message("没有新到的报表,不会有任何变化。", "Nothing new has arrived; nothing would change.")
        return refused or [Would("nothing", nothing)]
    again = (period.code, *(later.code for later in office.warehouse.later_periods(family, period)))
    text = Message(f"将重新判定并固化:{'、'.join(again)}", f"would be judged again and frozen anew: {', '.join(again)}")
    return [*refused, *taken, Would("freeze", text, periods=again)]


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

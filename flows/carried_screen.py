"""What is carried over from month to month, on a person's screen: deltas, restatements, and who has what to do.

Not here: a period's own screen (`period_screen`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from disclosure_etl.reports.tasks import Task
from flows.session import Session
from schemas.consolidation import Booked
from schemas.deltas import Delta
from schemas.periods import Period
from schemas.restatements import ReasonCode, Restatement
from schemas.values import figure_text

_MOST = 40


def show_deltas(session: Session, family: str, found: Sequence[Delta]) -> None:
    """A line a delta: what was reported, and what it follows to be."""
    table = _table(session, ("单位", "bureau"), ("时期", "period"), ("指标", "indicator"), ("栏目", "column"))
    for zh, en in (("填报", "reported"), ("应为", "follows"), ("差额", "delta")):
        table.add_column(session.pick(zh, en), justify="right")
    office = session.office
    names = {one.code: session.pick(one.name_zh, one.name_en) for one in office.bureaus.bureaus}
    for one in found[:_MOST]:
        form = office.forms.choose(family, Period.parse(one.period))
        item, column = form.indicators[one.indicator].label, form.columns[one.column].label
        figures = (figure_text(value, one.scale) for value in (one.reported, one.proposed))
        amount = figure_text(one.amount, one.scale)
        table.add_row(
            names.get(one.bureau, one.bureau), one.period, session.pick(item.zh, item.en),
            session.pick(column.zh, column.en), *figures, amount if one.amount < 0 else f"+{amount}",
        )  # fmt: skip
    session.console.print(table)
    if (rest := len(found) - _MOST) > 0:
        session.say(f"……另有 {rest} 处,见 deltas list。", f"… and {rest} more; see 'deltas list --json'.")
    session.say(
        "确认:disclosure-etl deltas confirm 单位 --reason 说明;不认可的,请重报更正后的报表。",
        "To confirm: disclosure-etl deltas confirm BUREAU --reason WHY. What is not so is corrected by a return.",
    )


def show_restatements(session: Session, found: Sequence[Restatement | Booked]) -> None:
    """A line a restatement, by itself or as a version booked it."""
    heads = (("编号", "number"), ("时期", "period"), ("单位", "bureau"), ("指标", "indicator"), ("栏目", "column"))
    table = _table(session, *heads)
    table.add_column(session.pick("金额", "amount"), justify="right")
    for zh, en in (("原因", "reason"), ("说明", "words"), ("决定人", "by")):
        table.add_column(session.pick(zh, en), overflow="fold")
    for one in found:
        code = ReasonCode(one.code)
        table.add_row(
            str(one.number), one.period, one.bureau, one.indicator, one.column, figure_text(one.amount, one.scale),
            session.pick(code.label_zh, code.label_en), one.reason, one.by,
        )  # fmt: skip
    session.console.print(table)


def show_tasks(session: Session, tasks: Sequence[Task]) -> None:
    """Who has what to do, a line each."""
    if not tasks:
        return
    session.say("待办:", "to do:")
    for one in tasks[:_MOST]:
        session.say(f"  {one.name.zh}:{one.text.zh}", f"  {one.name.en}: {one.text.en}")
    if (rest := len(tasks) - _MOST) > 0:
        session.say(f"  ……另有 {rest} 项。", f"  … and {rest} more.")


def _table(session: Session, *heads: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(session.pick(*head), overflow="fold")
    return table

"""What is wrong with a return as a whole: two different ones at once, an untouched template, a nil that is not nil, a header
without names.

Not here: rules over figures (`judging`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from schemas.batches import required_cells
from schemas.constraints import Kind
from schemas.errors import Message
from schemas.forms import Cell, Form
from schemas.records import Batch, Finding, Severity, Submission
from schemas.values import Meaning


def mark_two_returns(submissions: Sequence[Submission]) -> list[Submission]:
    """Different returns of one bureau, period and revision in one pull: each gets a finding, since nobody can say which
    counts. The same bytes under two names were one submission before this."""
    groups: dict[tuple, list[int]] = defaultdict(list)
    for index, one in enumerate(submissions):
        doubted = any(finding.block is None and finding.severity is Severity.ERROR for finding in one.findings)
        if one.bureau is not None and not doubted:
            groups[(one.bureau, one.period, one.form, one.revision)].append(index)
    marked = list(submissions)
    for (_, period, _, revision), members in groups.items():
        if len(members) < 2:
            continue
        files = tuple(submissions[index].file for index in members)
        names = "、".join(files)
        finding = Finding(
            "return:two_returns",
            Message(
                f"同一单位对 {period} 同时报来内容不同的 {len(members)} 份表(修订号均为 {revision}):{names}。"
                "均予暂存;请该单位确认以哪份为准,并以更大的修订号重报。",
                f"One bureau sent {len(members)} different returns for {period} at once (all revision {revision}): "
                f"{', '.join(files)}. All are held; the bureau confirms which counts and sends it with a higher revision.",
            ),
            (),
            files,
        )
        for index in members:
            marked[index] = replace(marked[index], findings=(*marked[index].findings, finding))
    return marked


def _typed_cells(form: Form) -> np.ndarray:
    """bool per cell: whether a clerk types it (openings come filled in, shares are formulas)."""
    return np.array(
        [
            cell.measure != "share"
            and not ((balance := form.indicators[cell.indicator].balance) is not None and balance.role == "opening")
            for cell in form.cells
        ]
    )


def return_findings(batch: Batch) -> dict[int, tuple[Finding, ...]]:
    """Findings about whole returns, by row of the batch."""
    found: dict[int, tuple[Finding, ...]] = {}
    nil = np.array([one.nil for one in batch.submissions], dtype=bool)
    now, untouched = batch.period.frequency.this_zh, set(_untouched(batch))
    for empty in untouched:
        found[empty] = (_untouched_finding(now),)
    for at, cell in _required_not_applicable(batch):
        if at not in untouched:
            found[at] = (*found.get(at, ()), _not_applicable(batch.form, batch.submissions[at], cell))
    flows = np.array(
        [
            cell.measure != "share" and cell.moment == "flow"
            and not batch.form.columns[cell.column].cumulates
            for cell in batch.form.cells
        ]
    )  # fmt: skip
    spoken = nil[:, None] & flows[None, :] & (batch.meanings == Meaning.NUMBER)
    for row in np.flatnonzero(spoken.any(axis=1)):
        one = batch.submissions[int(row)]
        places = [int(at) for at in np.flatnonzero(spoken[row])]
        cells = tuple(one.locators[at] for at in places)
        shown = "、".join(cells)
        finding = Finding(
            "return:nil_with_figures",
            Message(
                f"勾选了「{now}无数据」,却在 {shown} 填有数字。请去掉勾选,或清空这些数字后重报。",
                f"Ticked as a nil return, yet there are figures in {', '.join(cells)}. Remove the tick or the figures.",
            ),
            cells,
            tuple(one.texts[at] for at in places),
        )
        found[int(row)] = (*found.get(int(row), ()), finding)
    for at, one in enumerate(batch.submissions):
        if unsigned := _header_findings(one):
            found[at] = (*found.get(at, ()), *unsigned)
    return found


def _untouched(batch: Batch) -> list[int]:
    """Returns in which no typed cell carries a number. A nil return was filled in before; a zero that stands for a blank was
    typed by nobody."""
    typed = _typed_cells(batch.form)
    without = ~(batch.meanings[:, typed] == Meaning.NUMBER).any(axis=1)
    without &= ~(batch.meanings[:, typed] == Meaning.NIL).any(axis=1)
    rows = []
    for row in np.flatnonzero(without).tolist():
        texts = batch.submissions[row].texts
        zeros = np.flatnonzero(typed & (batch.meanings[row] == Meaning.ZERO)).tolist()
        if not any(texts[at] for at in zeros):
            rows.append(row)
    return rows


def _required_not_applicable(batch: Batch) -> list[tuple[int, Cell]]:
    """Cells that must have a figure and say that there can be none (—, 不适用)."""
    positions = np.array(required_cells(batch.form), dtype=int)
    rows, at = np.nonzero(batch.meanings[:, positions] == Meaning.NOT_APPLICABLE)
    return [
        (row, batch.form.cells[position]) for row, position in zip(rows.tolist(), positions[at].tolist(), strict=True)
    ]


def _not_applicable(form: Form, one: Submission, cell: Cell) -> Finding:
    item, column = form.indicators[cell.indicator], form.columns[cell.column].label
    text, locator = one.texts[cell.position], one.locators[cell.position]
    return Finding(
        f"{Kind.REQUIRED}:{cell.indicator}",
        Message(
            f"「{item.label.zh}」{column.zh}为必填项,{locator} 却写着「{text}」(不适用)。没有发生请填 0;确不适用请向汇总单位说明。",
            f"{item.label.en}, {column.en}, must be filled in; {locator} says '{text}' (not applicable). Nothing is written 0; "
            "if it does not apply indeed, tell the office why.",
        ),
        (locator,),
        (text,),
        None,
        Severity.WARNING,
        cell.block,
        (cell.indicator,),
        cell.column,
    )


_WHO = {
    "preparer": Message("填报人", "preparer (填报人)"),
    "checker": Message("审核人", "checker (审核人)"),
    "signer": Message("负责人", "head (负责人)"),
}


def _header_findings(one: Submission) -> tuple[Finding, ...]:
    """Whether preparer, checker and the head who signs are named, and the checker is not the preparer. A nil return is
    signed like any other."""
    found = []
    names = {name: "".join(one.header.get(name, "").split()) for name in _WHO}
    if missing := [label for name, label in _WHO.items() if not names[name]]:
        zh = "、".join(label.zh for label in missing)
        en = ", ".join(label.en for label in missing)
        found.append(
            Finding(
                "header:signer",
                Message(
                    f"表头没有{zh}。报表应由填报人填写、审核人审核、负责人签发;请补填后重报(修订号加 1)。",
                    f"The header does not name: {en}. A return is prepared, checked and signed; add the names and send it "
                    "again with the next revision number.",
                ),
                seen=tuple(label.zh for label in missing),
                severity=Severity.WARNING,
            )
        )
    if names["preparer"] and names["preparer"] == names["checker"]:
        found.append(
            Finding(
                "header:checker",
                Message(
                    f"审核人与填报人同为「{names['checker']}」。审核应由另一人进行;请另行审核后重报(修订号加 1)。",
                    f"'{names['checker']}' is both checker and preparer. Somebody else has to check; have it checked and send "
                    "it again with the next revision number.",
                ),
                seen=(names["preparer"], names["checker"]),
                severity=Severity.WARNING,
            )
        )
    return tuple(found)


def _untouched_finding(now: str) -> Finding:
    """`now`: as the box in the header says it (本月, 本年)."""
    return Finding(
        "return:untouched",
        Message(
            f"空白表未填写任何数字。如{now}确无数据,请在表头「{now}无数据」处打√;否则请填写后重报。",
            f"The blank workbook was sent back without a figure. If there is nothing to report, tick {now}无数据 in the header; "
            "otherwise fill it in and send it again.",
        ),
    )

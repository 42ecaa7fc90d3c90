"""What is wrong with a return as a whole: two different ones at once, an untouched template, a nil that is not nil.

Not here: rules over figures (`judging`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from schemas.errors import Message
from schemas.forms import Form
from schemas.records import Batch, Finding, Submission
from schemas.values import Meaning


def mark_two_returns(submissions: Sequence[Submission]) -> list[Submission]:
    """Different returns of one bureau, period and revision in one pull: each gets a finding, since nobody can say which
    counts. The same bytes under two names were one submission before this."""
    groups: dict[tuple, list[int]] = defaultdict(list)
    for index, one in enumerate(submissions):
        if one.bureau is not None and not one.findings:
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
    typed = _typed_cells(batch.form)
    nil = np.array([one.nil for one in batch.submissions], dtype=bool)
    untouched = (batch.meanings[:, typed] == Meaning.BLANK).all(axis=1)  # a nil return was filled in before
    for row in np.flatnonzero(untouched):
        found[int(row)] = (_UNTOUCHED,)
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
                f"勾选了「本月无数据」,却在 {shown} 填有数字。请去掉勾选,或清空这些数字后重报。",
                f"Ticked as a nil return, yet there are figures in {', '.join(cells)}. Remove the tick or the figures.",
            ),
            cells,
            tuple(one.texts[at] for at in places),
        )
        found[int(row)] = (*found.get(int(row), ()), finding)
    return found


_UNTOUCHED = Finding(
    "return:untouched",
    Message(
        "空白表未填写任何数字。如本月确无数据,请在表头「本月无数据」处打√;否则请填写后重报。",
        "The blank workbook was sent back without a figure. If there is nothing to report, tick 本月无数据 in the header; "
        "otherwise fill it in and send it again.",
    ),
)

"""Units as a return tells them: another one is told, a multiple or another kind holds its block, nothing is converted."""

from __future__ import annotations

import pytest

from schemas.records import Severity
from tests.intake.sheets import Rows, figures_of, good_rows, read_rows, row_of
from tests.intake.test_blocks import EXPECTED


def with_unit(label: str, unit: object) -> Rows:
    """The good return with another unit beside a label."""
    rows = good_rows()
    rows[row_of(rows, label)][1] = unit  # type: ignore[call-overload]
    return rows


def relabelled(label: str, text: str) -> Rows:
    """The good return with a label written otherwise."""
    rows = good_rows()
    rows[row_of(rows, label)][0] = text
    return rows


@pytest.mark.parametrize("rows", [
    with_unit("复印费", "万元"), relabelled("复印费", "复印费(万元)"), relabelled("复印费", "复印费(单位:千元)"), with_unit("复印费", "件"),
])  # fmt: skip
def test_a_multiple_or_another_kind_of_unit_holds_its_block(rows: Rows) -> None:
    read = read_rows(rows)
    (finding,) = read.findings
    assert (finding.code, finding.severity, finding.block) == ("return:unit", Severity.ERROR, "fees")
    assert (finding.indicators, finding.expected) == (("fees.collected.copying",), "元")
    assert figures_of(read) == EXPECTED  # not converted


def test_a_multiple_in_a_caption_holds_what_it_is_about() -> None:
    rows = good_rows()
    rows[6] = ["单位:万元"]
    for at in range(8, len(rows)):
        if len(rows[at]) > 1:
            rows[at][1] = None
    found = read_rows(rows).findings
    assert {(one.code, one.block) for one in found} == {("return:unit", "fees")}
    assert len(found) == 5


def test_another_word_for_a_thing_counted_is_a_warning() -> None:
    (finding,) = read_rows(with_unit("受理申请", "宗")).findings
    assert (finding.code, finding.severity) == ("return:unit", Severity.WARNING)


@pytest.mark.parametrize("unit", [None, "", "件", "\uff08件\uff09", "/", "件/宗"])
def test_the_right_unit_or_none_is_nothing_to_tell(unit: object) -> None:
    assert read_rows(with_unit("受理申请", unit)).findings == ()


def test_a_unit_is_looked_at_in_each_document_of_a_layout() -> None:
    assert read_rows(good_rows()).findings == ()
    assert len(read_rows(with_unit("减免费用", "百元")).findings) == 1
    assert read_rows(good_rows()).findings == ()

"""Units as a return tells them: a multiple is converted and told, another kind or a contradiction holds its block."""

from __future__ import annotations

from decimal import Decimal

import pytest

from disclosure_etl.intake.units import in_unit
from schemas.records import Severity
from schemas.values import Trouble
from tests.intake.sheets import Rows, figures_of, good_rows, position, read_rows, row_of
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


def without_units(rows: Rows) -> Rows:
    """The rows without the column of units, so that captions and labels alone tell them."""
    for at in range(8, len(rows)):
        if len(rows[at]) > 1:
            rows[at][1] = None
    return rows


COPYING = "fees.collected.copying"


@pytest.mark.parametrize("rows", [
    relabelled("复印费", "复印费(万元)"), relabelled("复印费", "复印费(单位:千元)"), with_unit("复印费", "件"),
])  # fmt: skip
def test_another_kind_of_unit_or_two_that_differ_hold_their_block(rows: Rows) -> None:
    read = read_rows(rows)
    (finding,) = read.findings
    assert (finding.code, finding.severity, finding.block) == ("return:unit", Severity.ERROR, "fees")
    assert (finding.indicators, finding.expected) == ((COPYING,), "元")
    assert figures_of(read) == EXPECTED  # not converted


@pytest.mark.parametrize(("unit", "times"), [("万元", 10_000), ("千元", 1000), ("\uff08万元\uff09", 10_000)])
def test_a_multiple_beside_a_label_is_converted_and_told(unit: str, times: int) -> None:
    read = read_rows(with_unit("复印费", unit))
    (finding,) = read.findings
    assert (finding.code, finding.severity, finding.indicators) == ("return:unit", Severity.WARNING, (COPYING,))
    assert figures_of(read) == {
        key: number * times if key[0] == COPYING else number for key, number in EXPECTED.items()
    }


def test_a_multiple_in_a_label_is_converted_where_nothing_tells_another() -> None:
    read = read_rows(without_units(relabelled("复印费", "复印费(万元)")))
    assert [(one.code, one.severity) for one in read.findings] == [("return:unit", Severity.WARNING)]
    assert figures_of(read)[(COPYING, "month")] == EXPECTED[(COPYING, "month")] * 10_000


def test_a_multiple_in_a_caption_converts_what_it_is_about() -> None:
    rows = without_units(good_rows())
    rows[6] = ["单位:万元"]
    read = read_rows(rows)
    assert {(one.code, one.block, one.severity) for one in read.findings} == {("return:unit", "fees", Severity.WARNING)}
    assert len(read.findings) == 5
    assert figures_of(read) == {
        key: number * 10_000 if key[0].startswith("fees.") else number for key, number in EXPECTED.items()
    }


def test_a_caption_that_the_column_of_units_contradicts_holds() -> None:
    rows = good_rows()
    rows[6] = ["单位:万元"]
    read = read_rows(rows)
    assert {(one.block, one.severity) for one in read.findings} == {("fees", Severity.ERROR)}
    assert figures_of(read) == EXPECTED


def in_cell(label: str, text: object) -> Rows:
    """The good return with another text for a month's figure."""
    rows = good_rows()
    rows[row_of(rows, label)][2] = text  # type: ignore[call-overload]
    return rows


@pytest.mark.parametrize(("text", "yuan", "decimals"), [
    ("0.47117万元", "4711.7", 1), ("3.5千元", "3500", 0), ("0.5万", "5000", 0), ("伍角整", "0.50", 2), ("叁仟元整", "3000", 0),
])  # fmt: skip
def test_a_figure_with_its_own_unit_is_brought_into_the_form_s(text: str, yuan: str, decimals: int) -> None:
    read, at = read_rows(in_cell("复印费", text)), position(COPYING)
    assert (read.numbers[at], read.decimals[at]) == (int(Decimal(yuan) * 100), decimals)


def test_a_conversion_is_a_notice_with_what_stands_there_and_what_was_taken() -> None:
    (finding,) = read_rows(in_cell("复印费", "0.47117万元")).findings
    assert (finding.code, finding.severity, finding.seen, finding.expected) == (
        "reading:interpreted", Severity.NOTICE, ("0.47117万元",), "4711.7",
    )  # fmt: skip
    assert "按 4711.7(元)取用" in finding.message.zh


@pytest.mark.parametrize(
    ("text", "number"), [("未收到申请", 0), ("没有", 0), ("(3)", -3), ("△3", -3), ("3条", 3), ("1.2万", 12_000)]
)
def test_a_count_that_is_not_plainly_written_is_taken_and_noted(text: str, number: int) -> None:
    read, at = read_rows(in_cell("受理申请", text)), position("applications.received")
    assert (read.numbers[at], read.texts[at], Trouble(read.troubles[at])) == (number, text, Trouble.NONE)
    assert [(one.code, one.severity, one.seen) for one in read.findings] == [
        ("reading:interpreted", Severity.NOTICE, (text,))
    ]


@pytest.mark.parametrize("text", ["\uff13件", "三", "3 件", "3.0", "零", "0件", "3①"])
def test_a_figure_in_the_prescribed_unit_is_nothing_to_tell(text: str) -> None:
    assert read_rows(in_cell("受理申请", text)).findings == ()


def test_the_unit_in_a_cell_comes_before_what_stands_around() -> None:
    rows = with_unit("复印费", "万元")
    rows[row_of(rows, "复印费")][2] = "30.50元"
    assert figures_of(read_rows(rows))[(COPYING, "month")] == Decimal("30.50")


def test_a_form_in_a_multiple_takes_it_as_written_and_the_unit_itself_converted() -> None:
    assert in_unit("万元", "万元") == -4
    assert in_unit("元", "万元") == -4
    assert in_unit("万", "万元") == -4
    assert in_unit(None, "万元") == 0
    assert in_unit(None, "元", "万元") == 4
    assert in_unit("件", "元") is None
    assert in_unit("条", "件") == 0


def test_another_word_for_a_thing_counted_is_a_warning() -> None:
    (finding,) = read_rows(with_unit("受理申请", "宗")).findings
    assert (finding.code, finding.severity) == ("return:unit", Severity.WARNING)


@pytest.mark.parametrize("unit", [None, "", "件", "\uff08件\uff09", "/", "件/宗"])
def test_the_right_unit_or_none_is_nothing_to_tell(unit: object) -> None:
    assert read_rows(with_unit("受理申请", unit)).findings == ()


def test_a_unit_is_looked_at_in_each_document_of_a_layout() -> None:
    assert read_rows(good_rows()).findings == ()
    assert len(read_rows(with_unit("减免费用", "件")).findings) == 1
    assert read_rows(good_rows()).findings == ()

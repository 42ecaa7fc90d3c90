"""What is found of a return as a whole: untouched, not applicable everywhere, unsigned, two at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from disclosure_etl.quality.returns import mark_two_returns, return_findings
from schemas.errors import Message
from schemas.records import Batch, Finding, Severity, Submission
from schemas.values import Meaning
from tests.factories import SIGNED, default_form
from tests.quality.written import MAY, verdict, written

FORM = default_form()
ZEROS = {(cell.indicator, cell.column): 0 for cell in FORM.cells if cell.measure != "share"}


def found(one: Submission) -> list[Finding]:
    """The findings about one return."""
    return list(return_findings(Batch(FORM, MAY, (one,))).get(0, ()))


def not_applicable(*places: tuple[str, str]) -> Submission:
    """A return of zeros with a dash in these places, or in all."""
    one = written(FORM, ZEROS)
    at = [cell.position for cell in FORM.cells if not places or (cell.indicator, cell.column) in places]
    meanings, texts = bytearray(one.meanings), list(one.texts)
    for position in at:
        meanings[position], texts[position] = Meaning.NOT_APPLICABLE, "—"
    return replace(one, meanings=bytes(meanings), texts=tuple(texts))


def test_a_return_of_zeros_is_filled_in() -> None:
    assert found(written(FORM, ZEROS)) == []


def test_a_dash_in_every_cell_is_an_untouched_return_and_holds_it() -> None:
    one = not_applicable()
    assert [finding.code for finding in found(one)] == ["return:untouched"]
    assert verdict(one, FORM).whole_return_held


def test_a_required_figure_that_is_not_applicable_is_a_warning_of_its_block() -> None:
    one = not_applicable(
        ("enquiries.online", "month"), ("publications.full_text", "month"), ("replies", "year_to_date")
    )
    (finding,) = found(one)
    assert (finding.code, finding.severity) == ("required:enquiries.online", Severity.WARNING)
    assert (finding.block, finding.indicators, finding.column) == ("enquiries", ("enquiries.online",), "month")
    assert (len(finding.cells), finding.seen) == (1, ("—",))


@pytest.mark.parametrize("field", list(SIGNED))
@pytest.mark.parametrize("nil", [False, True])
def test_a_return_without_a_name_in_its_header_is_a_warning_also_when_nil(field: str, nil: bool) -> None:
    one = replace(written(FORM, ZEROS, nil=nil), header={**SIGNED, field: " "})
    (finding,) = [one for one in found(one) if one.code.startswith("header:")]
    assert (finding.code, finding.severity, finding.block) == ("header:signer", Severity.WARNING, None)
    assert {"preparer": "填报人", "checker": "审核人", "signer": "负责人"}[field] in finding.message.zh.split("。")[0]


def test_an_untouched_return_is_subject_to_the_header_s_rules_too() -> None:
    one = replace(written(FORM, {}), header={})
    assert [finding.code for finding in found(one)] == ["return:untouched", "header:signer"]


def test_who_prepared_a_return_does_not_check_it() -> None:
    one = replace(written(FORM, ZEROS), header={**SIGNED, "checker": "张 敏"})
    (finding,) = found(one)
    assert (finding.code, finding.severity, finding.seen) == ("header:checker", Severity.WARNING, ("张敏", "张敏"))
    assert found(written(FORM, ZEROS)) == []


def test_two_returns_are_told_though_a_block_of_one_is_doubtful() -> None:
    part = Finding("return:unit", Message("", ""), block="fees")
    whole = Finding("identity:period", Message("", ""))
    one, two = written(FORM, ZEROS), replace(written(FORM, ZEROS), file="b.xlsx")
    for finding, codes in ((part, ["return:unit", "return:two_returns"]), (whole, ["identity:period"])):
        marked, _ = mark_two_returns([replace(one, findings=(finding,)), two])
        assert [each.code for each in marked.findings] == codes

"""Whose return, for when: the header against the file name, and nothing guessed where they disagree."""

from __future__ import annotations

import pytest

from disclosure_etl.intake.identity import Identity, bureau_in_name, identify, period_in_name
from schemas.periods import Frequency, Period
from schemas.records import Severity
from tests.intake.sheets import bureaus, good_rows, read_rows

HEADER = {"bureau": "东城分局", "bureau_code": "dongcheng", "period": "2014-05", "revision": "1"}


def told(name: str = "东城分局_2014-05.xlsx", **changed: str) -> Identity:
    """What a header with changes tells under a file name."""
    header = {**HEADER, **changed}
    cells = {field: f"表!B{row}" for row, field in enumerate(header, 2)}
    return identify(name, header, cells, Frequency.MONTHLY, bureaus())


def codes(found: Identity) -> list[str]:
    """The codes of what was found."""
    return [finding.code for finding in found.findings]


def test_header_and_file_name_agree() -> None:
    found = told()
    assert found.bureau is not None
    assert (found.bureau.code, found.period, found.revision, found.nil) == (
        "dongcheng",
        Period.parse("2014-05"),
        1,
        False,
    )
    assert found.findings == ()


@pytest.mark.parametrize(
    "name",
    [
        "东城_2014-05.xlsx", "2014年5月月报.xlsx", "201405.xlsx", "dongcheng_2014-05.xlsx", "月报(2014年05月).xlsx",
        "2014年度/东城_2014-05.xlsx", "东城分局2014年5月.csv",
    ],
)  # fmt: skip
def test_a_month_is_found_in_a_file_name(name: str) -> None:
    assert period_in_name(name) == Period.parse("2014-05")


@pytest.mark.parametrize(
    "name", ["月报.xlsx", "东城分局.xlsx", "120140599.xlsx", "2014-13.xlsx", "20145.xlsx", "5月.xlsx", ""]
)
def test_no_month_is_guessed_from_a_file_name(name: str) -> None:
    assert period_in_name(name) is None


@pytest.mark.parametrize("day", ["_2014-06-05", "_20140605", "(2014年6月3日报送)", "_2014年6月3号"])
def test_the_day_of_sending_in_a_file_name_is_no_period(day: str) -> None:
    assert period_in_name(f"东城分局{day}.xlsx") is None
    assert period_in_name(f"东城分局_2014-05{day}.xlsx") == Period.parse("2014-05")


def test_quarters_and_halves_are_found_in_a_file_name() -> None:
    assert period_in_name("2014Q2.xlsx") == Period.parse("2014Q2")
    assert period_in_name("2014年上半年.xlsx") == Period.parse("2014H1")


@pytest.mark.parametrize(
    "name", ["东城分局_2014-05.xlsx", "dongcheng_2014-05.xlsx", "收件/2014/东城分局(更正).xlsx", "DONGCHENG.xlsx"]
)
def test_a_bureau_is_found_in_a_file_name(name: str) -> None:
    found = bureau_in_name(name, bureaus(), Period.parse("2014-05"))
    assert found is not None and found.code == "dongcheng"


@pytest.mark.parametrize("name", ["东城分局_西城分局.xlsx", "月报.xlsx", "东城分局/月报.xlsx"])
def test_no_bureau_is_guessed_from_a_file_name(name: str) -> None:
    assert bureau_in_name(name, bureaus(), None) is None


def test_another_period_in_the_file_name_is_a_finding_with_both() -> None:
    found = told("东城分局_2014-06.xlsx")
    (finding,) = found.findings
    assert (finding.code, finding.seen, finding.expected) == ("identity:period", ("2014-05",), "2014-06")
    assert finding.severity is Severity.ERROR
    assert finding.cells == ("表!B4",)
    assert (found.period, found.named_period) == (Period.parse("2014-05"), Period.parse("2014-06"))


def test_another_bureau_in_the_file_name_is_a_finding_with_both() -> None:
    found = told("西城分局_2014-05.xlsx")
    (finding,) = found.findings
    assert (finding.code, finding.seen, finding.expected) == ("identity:bureau", ("dongcheng",), "xicheng")
    assert found.bureau is not None and found.bureau.code == "dongcheng"


def test_name_and_code_of_different_bureaus_are_nobody() -> None:
    found = told("2014-05.xlsx", bureau_code="xicheng")
    assert (codes(found), found.bureau, found.bureau_written) == (["identity:bureau"], None, "东城分局/xicheng")


@pytest.mark.parametrize(
    "changed", [{"bureau": "南城分局"}, {"bureau_code": "nancheng"}, {"bureau": "东城", "bureau_code": ""}]
)
def test_an_unknown_bureau_is_nobody_whatever_the_file_name(changed: dict[str, str]) -> None:
    found = told(**changed)
    assert (codes(found), found.bureau) == (["identity:unknown_bureau"], None)
    assert found.bureau_written in changed.values()


def test_the_file_name_tells_what_the_header_leaves_out() -> None:
    found = told(bureau="", bureau_code="", period="")
    assert found.bureau is not None
    assert (found.bureau.code, found.period, found.findings) == ("dongcheng", Period.parse("2014-05"), ())


def test_a_return_that_nobody_signed_is_nobody_s() -> None:
    found = told("月报.xlsx", bureau="", bureau_code="", period="")
    assert (sorted(codes(found)), found.bureau, found.period) == (["identity:bureau", "identity:period"], None, None)


@pytest.mark.parametrize(
    "written", ["2014年5月", "2014-05", "2014.5", "201405", "二〇一四年五月", "\uff12\uff10\uff11\uff14年\uff15月"]
)
def test_a_period_is_understood_as_people_write_it(written: str) -> None:
    found = told(period=written)
    assert (found.period, found.findings) == (Period.parse("2014-05"), ())


@pytest.mark.parametrize("written", ["五月", "2014-13", "去年", "2014-5-6-7", "14年5月"])
def test_a_period_that_is_not_understood_is_a_finding(written: str) -> None:
    found = told("东城分局.xlsx", period=written)
    assert (codes(found), found.period) == (["identity:period"], None)
    assert found.findings[0].seen == (written,)


@pytest.mark.parametrize("written", ["2014Q2", "2014年第二季度", "2014年上半年", "2014", "2014年"])
def test_a_period_of_another_frequency_is_a_finding_and_the_file_name_stands(written: str) -> None:
    found = told(period=written)
    assert (codes(found), found.period) == (["identity:period"], Period.parse("2014-05"))
    assert (found.findings[0].seen, found.findings[0].expected) == ((written,), "2014-05")


def test_a_quarter_in_the_file_name_of_a_monthly_return_tells_nothing() -> None:
    found = told("东城分局_2014Q2.xlsx")
    assert (found.named_period, found.findings) == (None, ())


@pytest.mark.parametrize(("written", "revision"), [("", 1), ("1", 1), ("2", 2), ("999", 999), (" 3 ", 3)])
def test_a_revision_is_a_whole_number_or_the_first(written: str, revision: int) -> None:
    found = told(revision=written)
    assert (found.revision, found.findings) == (revision, ())


@pytest.mark.parametrize("written", ["0", "1000", "-1", "1.5", "第二次", "v2", "1" * 4000])
def test_any_other_revision_is_a_finding(written: str) -> None:
    found = told(revision=written)
    assert (codes(found), found.revision) == (["identity:revision"], 1)


@pytest.mark.parametrize("written", ["²", "①", "1³", "1" * 5000], ids=["raised", "circled", "cubed", "endless"])
def test_what_python_alone_takes_for_digits_is_a_finding_too(written: str) -> None:
    assert codes(told(revision=written)) == ["identity:revision"]


@pytest.mark.parametrize(
    ("written", "nil"), [("√", True), ("是", True), ("☑", True), ("", False), ("否", False), ("□", False)]
)
def test_a_nil_return_is_ticked(written: str, nil: bool) -> None:
    assert told(nil=written).nil is nil


def test_without_an_office_nobody_is_recognised_and_nothing_found() -> None:
    found = identify("西城分局_2014-05.xlsx", HEADER, {"period": "表!B3"}, Frequency.MONTHLY, None)
    assert (found.bureau, found.bureau_written, found.findings) == (None, "dongcheng", ())


def test_a_form_of_another_time_is_a_finding() -> None:
    rows = good_rows()
    rows[2][1] = "2020-05"
    read = read_rows(rows, name="东城分局_2020-05.xlsx")
    assert [finding.code for finding in read.findings] == ["identity:form"]


def test_a_header_in_one_cell_with_its_value_is_read() -> None:
    rows = good_rows()
    rows[1:3] = [["填报单位:东城分局", None, "统计时期\uff1a2014年5月"], ["修订号: 2"]]
    read = read_rows(rows)
    assert (read.bureau, read.period, read.revision, read.findings) == ("dongcheng", "2014-05", 2, ())


@pytest.mark.parametrize("written", [2.0, "2", 2])
def test_a_revision_typed_as_a_number_is_understood(written: object) -> None:
    rows = good_rows()
    rows[2][3] = written  # type: ignore[call-overload]
    assert read_rows(rows).revision == 2

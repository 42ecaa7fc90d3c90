"""What stands on the sheet for a stored number under a number format."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure_etl.intake.displayed import displayed, stored_decimal
from disclosure_etl.intake.figures import figure
from schemas.values import Trouble

SHOWN = [
    (12.0, None, "12", "12", 0),
    (12.5, "General", "12.5", "12.5", 1),
    (0.1 + 0.2, None, "0.3", "0.3", 1),
    (1234.0, "0", "1234", "1234", 0),
    (23.8, "0.00", "23.80", "23.80", 2),
    (1234567.0, "#,##0", "1,234,567", "1234567", 0),
    (1234.5, "#,##0.00", "1,234.50", "1234.50", 2),
    (-5.0, "0", "-5", "-5", 0),
    (-5.0, "0;(0)", "(5)", "-5", 0),
    (-5.0, "#,##0;[Red]-#,##0", "-5", "-5", 0),
    (12.0, '0"件"', "12件", "12", 0),
    (12.0, "0\\件", "12件", "12", 0),
    (30.5, '"¥"0.00', "¥30.50", "30.50", 2),
    (30.5, "[$¥-804]0.00", "¥30.50", "30.50", 2),
    (12.0, "0_ ", "12", "12", 0),
    (12.0, "* 0", "12", "12", 0),
    (12.0, "[DBNum1]0", None, None, None),
    (12345.0, "0,", "12", "12", 0),
    (12345678.0, "0.0,,", "12.3", "12.3", 1),
    (0.5, "0", "1", "1", 0),
    (2.5, "0", "3", "3", 0),
    (-2.5, "0", "-3", "-3", 0),
    (1.005, "0.00", "1.01", "1.01", 2),
    (-0.4, "0", "0", "0", 0),
]  # fmt: skip


@pytest.mark.parametrize(("value", "code", "text", "number", "decimals"), [case for case in SHOWN if case[2]])
def test_a_number_shows_as_its_format_says(
    value: float, code: str | None, text: str, number: str, decimals: int
) -> None:
    shown = displayed(value, code)
    assert shown is not None
    assert (shown.text, shown.number, shown.decimals, shown.percent) == (text, Decimal(number), decimals, False)


@pytest.mark.parametrize(
    ("value", "code", "text", "number", "decimals"),
    [(0.7583, "0.00%", "75.83%", "75.83", 2), (0.57, "0%", "57%", "57", 0), (1.0, "0.0%", "100.0%", "100.0", 1)],
)
def test_a_percent_format_shows_hundredfold(value: float, code: str, text: str, number: str, decimals: int) -> None:
    shown = displayed(value, code)
    assert shown is not None
    assert (shown.text, shown.number, shown.decimals, shown.percent) == (text, Decimal(number), decimals, True)


@pytest.mark.parametrize("code", ["yyyy-mm-dd", 'yyyy"年"m"月"', "h:mm", "[h]:mm:ss", "yyyy/m/d", "e年", "m月d日"])
def test_a_number_under_a_format_of_dates_or_times_is_none(code: str) -> None:
    assert displayed(5.0, code) is None


@pytest.mark.parametrize("code", ["# ?/?", "0.00E+00", "[>0]0;0", "[DBNum1][$-804]General", "##0.0E+0", "0;@"])
def test_a_number_under_a_format_that_is_not_understood_is_the_stored_one(code: str) -> None:
    shown = displayed(15.0, code)
    assert shown is not None
    assert (shown.text, shown.number, shown.decimals, shown.percent) == ("15", 15, 0, False)


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [(5.0, '"无"', "无"), (5.0, ";;;", "5"), (0.0, "General;-General;", "0"), (0.0, "0;-0;;@", "0"), (-3.0, '0;"负"', "负"),
     (0.0, '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"_ ;_ @_ ', "-"), (0.0, '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)', "-"),
     (-5.0, "General;-General;", "-5"), (1234.0, '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"_ ;_ @_ ', "1,234")],
)  # fmt: skip
def test_a_section_of_words_only_shows_them_and_leaves_the_number(value: float, code: str, text: str) -> None:
    shown = displayed(value, code)
    assert shown is not None
    assert (shown.text, shown.number) == (text, Decimal(str(value)))


def test_zero_has_a_section_of_its_own_where_the_format_gives_one() -> None:
    shown = displayed(0.0, '0;-0;"零"0')
    assert shown is not None
    assert shown.text == "零0"
    dash = displayed(0.0, '0;-0;"-"')
    assert dash is not None
    assert (dash.text, dash.number) == ("-", 0)


def test_a_semicolon_inside_quotes_parts_no_sections() -> None:
    shown = displayed(-5.0, '0"; "')
    assert shown is not None
    assert shown.text == "-5; "


def test_an_optional_decimal_that_is_there_is_printed() -> None:
    shown = displayed(5.5, "#.#")
    assert shown is not None
    assert (shown.text, shown.decimals) == ("5.5", 1)


@pytest.mark.parametrize(("code", "text", "decimals"), [("0.##", "5.5", 1), ("0.0#", "5.5", 1), ("0.???", "5.5  ", 1)])
def test_an_optional_decimal_is_printed_only_where_there_is_one(code: str, text: str, decimals: int) -> None:
    shown = displayed(5.5, code)
    assert shown is not None
    assert (shown.text, shown.decimals) == (text, decimals)


def test_fifteen_digits_are_what_a_spreadsheet_stores() -> None:
    assert stored_decimal(0.1 + 0.2) == Decimal("0.3")
    assert stored_decimal(152.5) == Decimal("152.5")
    assert stored_decimal(10**14) == 10**14


formats = st.sampled_from(
    ["0", "0.0", "0.00", "0.000", "#,##0", "#,##0.00", '0"件"', "0_ ", "0.00;-0.00", '"¥"#,##0.00']
)
figures = st.integers(-(10**13), 10**13).map(lambda whole: whole / 1000)


@given(figures, formats)
def test_a_displayed_number_is_parsed_back_to_itself(value: float, code: str) -> None:
    shown = displayed(value, code)
    assert shown is not None
    read = figure(shown.text.replace("-¥", "-").replace("¥", ""))
    assert (read.number, read.decimals) == (shown.number, shown.decimals)


@given(figures, formats)
def test_what_is_shown_lies_within_half_a_unit_of_what_is_stored(value: float, code: str) -> None:
    shown = displayed(value, code)
    assert shown is not None
    assert abs(shown.number - stored_decimal(value)) <= Decimal(5).scaleb(-shown.decimals - 1)


@given(st.integers(-(10**6), 10**6), st.integers(0, 4))
def test_a_percentage_shown_is_parsed_back_to_itself(thousandths: int, places: int) -> None:
    shown = displayed(thousandths / 1000, "0" + ("." + "0" * places if places else "") + "%")
    assert shown is not None
    read = figure(shown.text)
    assert (read.number, read.decimals, read.percent) == (shown.number, places, True)


@pytest.mark.parametrize(("value", "code", "text"), [(7.0, "000", "007"), (0.5, "#.0", ".5"), (5.0, "[<1]0.00;0", "5")])
def test_padding_and_conditions_of_a_format_show(value: float, code: str, text: str) -> None:
    shown = displayed(value, code)
    assert shown is None or shown.text == text


sane = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20)
codes = st.text(alphabet='0#?.,%;"\\[]_*Ey$-年件 ', max_size=8)


@given(sane, codes)
def test_no_format_makes_displaying_fail(value: float, code: str) -> None:
    shown = displayed(value, code)
    assert shown is None or shown.decimals >= 0


@pytest.mark.parametrize("value", [1e26, -1e27, 1e100, 1.7e308])
def test_no_size_makes_displaying_fail(value: float) -> None:
    shown = displayed(value, "0.00")
    assert shown is None or abs(shown.number) > 10**25


@pytest.mark.parametrize(
    ("code", "text", "number"),
    [('0"0"', "50", 50), ('"1"0', "15", 15), (r"\10", "15", 15), ('"12"', "12", 12), ('0"件"', "5件", 5), ('"第1组 "0', "第1组 5", None)],
)  # fmt: skip
def test_digits_that_a_format_adds_are_seen_and_so_are_counted(code: str, text: str, number: int | None) -> None:
    found = figure(5.0, code)
    assert (found.text, found.number) == (text, number)
    assert (found.trouble is not Trouble.NONE) is (number != 5)


def test_a_format_that_shows_other_digits_under_a_condition_is_no_figure() -> None:
    assert figure(5.0, '[>=1]"77";0').number is None

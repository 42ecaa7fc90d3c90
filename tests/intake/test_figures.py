"""One cell's content, as people write it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure_etl.intake.figures import figure
from schemas.documents import CellValue, Oddity
from schemas.values import Meaning, Trouble

NUMBERS = {
    "12": ("12", 0),
    "007": ("7", 0),
    "\uff11\uff12": ("12", 0),
    "12.50": ("12.5", 2),
    "1,234": ("1234", 0),
    "1,234,567.80": ("1234567.80", 2),
    "\uff11\uff0c\uff12\uff13\uff14": ("1234", 0),
    "23.80": ("23.8", 2),
    " 12 ": ("12", 0),
    "\u300012\u00a0": ("12", 0),
    "1 234": ("1234", 0),
    "12条": ("12", 0),
    "12 人次": ("12", 0),
    "3件": ("3", 0),
    "30.50元": ("30.5", 2),
    "¥30.50": ("30.5", 2),
    "¥30": ("30", 0),
    "1.2万": ("12000", 0),
    "1.23456万元": ("12345.6", 1),
    "2亿": ("200000000", 0),
    "-5": ("-5", 0),
    "−5": ("-5", 0),
    "+5": ("5", 0),
    "12①": ("12", 0),
    "12*": ("12", 0),
    "12※": ("12", 0),
    "①12": ("12", 0),
    "15²": ("15", 0),
    "15₂": ("15", 0),
    "15.0¹²": ("15", 1),
    "¹15": ("15", 0),
    "十二": ("12", 0),
    "二十": ("20", 0),
    "三百零五": ("305", 0),
    "一百二十三": ("123", 0),
    "两千": ("2000", 0),
    "一万二千": ("12000", 0),
    "二〇一四": ("2014", 0),
    "五件": ("5", 0),
    "十条": ("10", 0),
}


@pytest.mark.parametrize("text", list(NUMBERS))
def test_a_written_number_is_read_with_its_printed_decimals(text: str) -> None:
    number, decimals = NUMBERS[text]
    read = figure(text)
    assert (read.number, read.decimals) == (Decimal(number), decimals)
    assert (read.meaning, read.trouble, read.percent) == (Meaning.NUMBER, Trouble.NONE, False)


@pytest.mark.parametrize("text", ["0", "0.00", "0件", "零", "〇", "-0", "未收到申请", "没有发生", "未发生"])
def test_zero_in_any_writing_is_zero(text: str) -> None:
    read = figure(text)
    assert read.number == 0
    assert (read.meaning, read.trouble) == (Meaning.ZERO, Trouble.NONE)


@pytest.mark.parametrize("text", ["75.83%", "75.83\uff05", "75.83 %"])
def test_a_percentage_keeps_the_number_that_is_written(text: str) -> None:
    read = figure(text)
    assert (read.number, read.decimals, read.percent) == (Decimal("75.83"), 2, True)


@pytest.mark.parametrize("value", [None, "", " ", "\u3000", "\t\n", "\u00a0\u200b"])
def test_nothing_visible_is_blank(value: CellValue) -> None:
    read = figure(value)
    assert (read.number, read.meaning, read.trouble, read.text) == (None, Meaning.BLANK, Trouble.NONE, "")


@pytest.mark.parametrize(
    "text",
    [
        "/",
        "\\",
        "\uff0f",
        "-",
        "\uff0d",
        "\u3000—\u3000",
        "暂无",
        "空",
        "(空)",
        "\uff08空\uff09",
        "(无)",
        "无。",
        "--",
        "—",
        "——",
        "–",
        "无",
        "不适用",
        "N/A",
        "n/a",
        "不涉及",
        " 无 ",
    ],
)
def test_not_applicable_is_neither_zero_nor_trouble(text: str) -> None:
    read = figure(text)
    assert (read.number, read.meaning, read.trouble) == (None, Meaning.NOT_APPLICABLE, Trouble.NONE)


@pytest.mark.parametrize(
    "text",
    [
        "12-15", "3~5", "3至5", "3—5件", "12+3", "1.2.3", "1,23", "12,34", ",123", "1e5", "0x1F", "NaN", "inf", "待补", "?",
        "12?", "12/5", "1²3", "²", "①", "*", "三千五", "二三", "十十", "百", "一二", "万", "2014年5月", "--5", ".", "5.", "%", "条", "true",
    ],
)  # fmt: skip
def test_what_is_no_plain_number_is_text_and_never_guessed(text: str) -> None:
    read = figure(text)
    assert (read.number, read.meaning, read.trouble) == (None, Meaning.TEXT, Trouble.TEXT)
    assert read.text == text


@pytest.mark.parametrize("text", ["12 34", "12\n34", "5 6", "1 2 3", "12 345 6"])
def test_two_numbers_in_a_cell_are_never_joined(text: str) -> None:
    assert figure(text).number is None


@pytest.mark.parametrize("text", ["(5)", "(1,234)", "\uff085\uff09", "(12.50)"])
def test_a_number_in_parentheses_is_never_taken_as_positive(text: str) -> None:
    read = figure(text)
    assert read.number is None or read.number < 0


@pytest.mark.parametrize("text", ["#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#N/A", "#num!", "########"])
def test_an_error_written_as_text_is_an_error(text: str) -> None:
    read = figure(text)
    assert (read.number, read.meaning, read.trouble) == (None, Meaning.ERROR, Trouble.ERROR_VALUE)


@pytest.mark.parametrize("text", ["##", "###", "####"])
def test_a_number_that_was_too_wide_for_its_column_is_an_error(text: str) -> None:
    assert figure(text).trouble is Trouble.ERROR_VALUE


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_number_is_an_error(value: float) -> None:
    assert figure(value).trouble is Trouble.ERROR_VALUE


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_is_text_and_not_one_or_zero(value: bool) -> None:
    read = figure(value)
    assert (read.number, read.trouble, read.text) == (None, Trouble.TEXT, str(value).upper())


@pytest.mark.parametrize("value", [date(2014, 5, 3), datetime(2014, 5, 3)])
def test_a_date_is_text(value: date) -> None:
    read = figure(value)
    assert (read.number, read.trouble, read.text) == (None, Trouble.TEXT, "2014-05-03")


def test_a_stored_number_has_the_decimals_of_its_format() -> None:
    read = figure(23.8, "0.00")
    assert (read.number, read.decimals, read.text) == (Decimal("23.80"), 2, "23.80")


def test_a_stored_number_that_shows_as_another_counts_as_shown() -> None:
    read = figure(12.4, "0")
    assert (read.number, read.text, read.stored) == (Decimal(12), "12", "12.4")
    assert read.trouble is Trouble.DISPLAY_DIFFERS


def test_a_rounded_percentage_is_no_difference() -> None:
    read = figure(2 / 3, "0.00%")
    assert (read.number, read.decimals, read.percent) == (Decimal("66.67"), 2, True)
    assert read.trouble is Trouble.NONE


def test_a_number_in_a_format_of_dates_is_text() -> None:
    assert figure(41760, "yyyy-mm-dd").trouble is Trouble.TEXT


def test_oddities_of_the_file_come_before_its_value() -> None:
    error = figure(5, None, "#REF!", Oddity.ERROR_VALUE)
    assert (error.text, error.number, error.trouble) == ("#REF!", None, Trouble.ERROR_VALUE)
    waiting = figure(0, None, None, Oddity.UNCALCULATED)
    assert (waiting.number, waiting.trouble) == (None, Trouble.UNCALCULATED)


def test_a_display_that_differs_is_taken_with_the_stored_value_beside_it() -> None:
    read = figure(5.0, None, "7", Oddity.DISPLAY_DIFFERS)
    assert (read.number, read.stored, read.trouble) == (Decimal(7), "5.0", Trouble.DISPLAY_DIFFERS)
    words = figure(datetime(2014, 5, 3), None, "2014-05-03", Oddity.DISPLAY_DIFFERS)
    assert (words.number, words.trouble) == (None, Trouble.TEXT)


FULL_WIDTH = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789,.-%"}
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2)


@given(
    decimals,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "条", "件", "元"]),
    st.sampled_from(["", " ", "\u3000"]),
)
def test_any_number_is_read_however_it_is_dressed(
    number: Decimal, grouped: bool, wide: bool, unit: str, space: str
) -> None:
    text = f"{number:,f}" if grouped else f"{number:f}"
    read = figure(space + (text.translate(FULL_WIDTH) if wide else text) + unit + space)
    assert (read.number, read.decimals, read.trouble) == (number, 2, Trouble.NONE)


@given(st.text(max_size=20))
def test_any_text_is_either_a_number_or_says_why_not(text: str) -> None:
    read = figure(text)
    carries = read.meaning in (Meaning.NUMBER, Meaning.ZERO)
    assert (read.number is not None) is carries
    assert (read.decimals is not None) is carries
    assert (read.meaning is Meaning.ZERO) is (read.number == 0)
    assert (read.trouble is not Trouble.NONE) is (read.meaning in (Meaning.TEXT, Meaning.ERROR))


@given(
    st.text(alphabet="0123456789,.-+()%‰①²万亿元件约余多以上负△零一二十百千点分之角整无/[]* \u3000\u00a0", max_size=12)
)
def test_any_text_of_the_signs_of_figures_is_either_a_number_or_says_why_not(text: str) -> None:
    read = figure(text)
    assert (read.number is None) is (read.meaning not in (Meaning.NUMBER, Meaning.ZERO))
    assert read.number is None or read.number.is_finite()
    assert (read.trouble is not Trouble.NONE) is (read.meaning in (Meaning.TEXT, Meaning.ERROR))

"""Numbers in the ways in which clerks write them: each is its number, or is told apart from one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.han_numerals import han_number
from disclosure_etl.intake.written_numbers import split_unit
from schemas.values import Meaning, Trouble

# text: number, printed decimals, unit as written, whether what it was taken for is told
WRITTEN: dict[str, tuple[str, int, str | None, bool]] = {
    "\uff0b12": ("12", 0, None, False), "\uff0d12": ("-12", 0, None, False), "\uff11\uff12\uff0e\uff15": ("12.5", 1, None, False),
    "1\u2009234": ("1234", 0, None, False), "1\u00a0234.50元": ("1234.50", 2, "元", False), "1 234件": ("1234", 0, "件", False),
    "'12": ("12", 0, None, False), "\u201912": ("12", 0, None, False), "12\u200b": ("12", 0, None, False),
    "12。": ("12", 0, None, False), "12;": ("12", 0, None, False), "12件。": ("12", 0, "件", False),
    "3.5万元": ("35000", 0, "万元", False), "3.5 万元": ("35000", 0, "万元", False), "0.47117万元": ("4711.7", 1, "万元", False),
    "2千": ("2000", 0, "千", False), "3百万": ("3000000", 0, "百万", False), "1.5千万元": ("15000000", 0, "千万元", False),
    "3万5千": ("35000", 0, "万", False), "1亿2千万元": ("120000000", 0, "亿元", False), "1,234.5万": ("12345000", 0, "万", False),
    "3 条次": ("3", 0, "条次", False), "100人次": ("100", 0, "人次", False), "12部": ("12", 0, "部", False),
    "廿三": ("23", 0, None, False), "卅": ("30", 0, None, False), "一亿两千万": ("120000000", 0, None, False),
    "一亿零五万": ("100050000", 0, None, False), "十二点五": ("12.5", 1, None, False), "三点七五万元": ("37500", 0, "万元", False),
    "壹拾贰": ("12", 0, None, False), "壹仟贰佰叁拾肆": ("1234", 0, None, False), "壹萬": ("10000", 0, None, False),
    "叁拾元整": ("30", 0, "元", False), "叁拾元伍角整": ("30.50", 2, "元", False), "人民币壹佰元整": ("100", 0, "元", False),
    "人民币壹仟贰佰叁拾肆元伍角陆分": ("1234.56", 2, "元", False), "叁拾元零伍分": ("30.05", 2, "元", False), "30元5角": ("30.50", 2, "元", False),
    "30.50元整": ("30.50", 2, "元", False), "30块钱": ("30", 0, "元", False), "¥-3": ("-3", 0, "元", False), "-¥3": ("-3", 0, "元", False),
    "−3": ("-3", 0, None, False), "–3": ("-3", 0, None, False), "(3)": ("-3", 0, None, True), "\uff08\uff13\uff09": ("-3", 0, None, True),
    "(1,234.50)": ("-1234.50", 2, None, True), "△3": ("-3", 0, None, True), "▲3": ("-3", 0, None, True), "负3": ("-3", 0, None, True),
    "负三": ("-3", 0, None, True), "(3件)": ("-3", 0, "件", True),
    "123①": ("123", 0, None, False), "①123": ("123", 0, None, False), "123 ①②": ("123", 0, None, False), "123*": ("123", 0, None, False),
    "123[1]": ("123", 0, None, False), "123\uff3b1\uff3d": ("123", 0, None, False), "123〔1〕": ("123", 0, None, False),
    "123【注1】": ("123", 0, None, False), "123(注)": ("123", 0, None, False), "123\uff08注1\uff09": ("123", 0, None, False),
    "123¹": ("123", 0, None, False), "123⁽¹⁾": ("123", 0, None, False), "12件①": ("12", 0, "件", False), "12㈠": ("12", 0, None, False),
    "12⒈": ("12", 0, None, False), "12❶": ("12", 0, None, False), "12㉑": ("12", 0, None, False),
}  # fmt: skip


@pytest.mark.parametrize("text", list(WRITTEN))
def test_a_number_is_read_as_it_is_written(text: str) -> None:
    number, decimals, unit, interpreted = WRITTEN[text]
    read = figure(text)
    assert (read.number, read.decimals, read.unit, read.interpreted) == (Decimal(number), decimals, unit, interpreted)
    assert (read.meaning, read.trouble, read.percent) == (Meaning.NUMBER, Trouble.NONE, False)


PERCENT = {
    "75.83﹪": ("75.83", 2), "百分之七十五": ("75", 0), "百分之七十五点八三": ("75.83", 2), "百分之75.8": ("75.8", 1),
    "百分之百": ("100", 0), "5‰": ("0.5", 1), "千分之3.5": ("0.35", 2), "万分之五": ("0.05", 2), "负5%": ("-5", 0),
}  # fmt: skip


@pytest.mark.parametrize("text", list(PERCENT))
def test_a_share_is_read_as_a_percentage(text: str) -> None:
    number, decimals = PERCENT[text]
    read = figure(text)
    assert (read.number, read.decimals, read.percent, read.trouble) == (Decimal(number), decimals, True, Trouble.NONE)


@pytest.mark.parametrize(
    "text",
    [
        "约12", "约12件", "大约12", "近300", "将近300件", "近百件", "12左右", "12件左右", "100余件", "100余", "10多件", "十多件", "百余件",
        "3万多", "3万余元", "12以上", "12件以上", "12+", "超过12", "不足12", "不少于3件", ">12", "≥12", "~12", "≈12", "数十", "几十件", "若干",
        "上百件", "3多万",
    ],
)  # fmt: skip
def test_about_so_many_is_no_figure_and_has_a_trouble_of_its_own(text: str) -> None:
    read = figure(text)
    assert (read.number, read.meaning, read.trouble, read.text) == (None, Meaning.TEXT, Trouble.APPROXIMATE, text)


@pytest.mark.parametrize(
    "text",
    [
        "3-5", "3~5件", "3—5", "3至5", "3、5", "3/5", "12 34", "3条5件", "12件(其中3件)", "共12件", "123(1)", "12½", "½", "1²3", "1①2",
        "2014年5月", "5月3日", "2014-05-03", "2014/5/3", "12:30", "1.2.3", "12,34", "1,2345", "1亿2", "一万五", "一百二", "百万", "人民币",
        "元", "整", "12正", "--5", "-(3)", "-△3", "3-", "¥3件", "$3", "3%元", "3万%", "百分之", "百分之3件", "12\u202e34", "零五", "角",
    ],
)  # fmt: skip
def test_what_may_mean_two_numbers_or_none_is_text(text: str) -> None:
    read = figure(text)
    assert (read.number, read.meaning, read.trouble) == (None, Meaning.TEXT, Trouble.TEXT)


@pytest.mark.parametrize("text", ["未收到", "未收到申请", "没有", "没有收到申请", "未收到申请。", " 没有 ", "零报告"])
def test_words_for_none_are_zero_and_told(text: str) -> None:
    read = figure(text)
    assert (read.number, read.meaning, read.trouble, read.interpreted) == (0, Meaning.ZERO, Trouble.NONE, True)


def in_han(number: int, digits: str = "零一二三四五六七八九", units: str = "十百千万亿") -> str:
    """The full Chinese numeral of a whole number."""
    for power, sign in ((8, units[4]), (4, units[3])):
        if number >= 10**power:
            high, low = divmod(number, 10**power)
            gap = digits[0] if 0 < low < 10 ** (power - 1) else ""
            return in_han(high, digits, units) + sign + (gap + in_han(low, digits, units) if low else "")
    text = ""
    for power in (3, 2, 1, 0):
        digit = number // 10**power % 10
        if digit:
            text += digits[digit] + ("" if power == 0 else units[power - 1])
        elif text and not text.endswith(digits[0]) and number % 10**power:
            text += digits[0]
    return text or digits[0]


INVOICE = ("零壹贰叁肆伍陆柒捌玖", "拾佰仟万亿")
WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789,.-+()%"}


@given(st.integers(0, 10**12 - 1))
def test_a_chinese_numeral_is_its_number(number: int) -> None:
    assert han_number(in_han(number)) == number
    assert han_number(in_han(number, *INVOICE)) == number


@given(
    st.integers(-(10**11), 10**11),
    st.sampled_from(
        [
            "{n}", "{n:,}", "{n}件", " {n} 人次 ", "'{n}", "{n}。", "{n}①", "{n}*", "{n}[3]", "{n}²", "①{n}", "{n}\u3000",
            "{n}\u00a0条", "{n:,}次;", "{n}.00",
        ]
    ),
    st.booleans(),
)  # fmt: skip
def test_a_whole_number_in_any_style_is_itself(number: int, style: str, wide: bool) -> None:
    text = style.format(n=number)
    assert figure(text.translate(WIDE) if wide else text).number == number


@given(st.integers(1, 10**9), st.sampled_from(["({})", "△{}", "▲{}", "负{}", "−{}", "-{}", "\uff0d{}"]), st.booleans())
def test_a_negative_number_in_any_style_is_itself(number: int, style: str, grouped: bool) -> None:
    assert figure(style.format(f"{number:,}" if grouped else number)).number == -number


@given(st.integers(0, 10**10), st.sampled_from(["{:,f}元", "¥{:f}", "人民币{:f}元", "{:f}元整", "RMB{:,f}"]))
def test_an_amount_in_any_style_is_itself(fen: int, style: str) -> None:
    yuan = Decimal(fen).scaleb(-2)
    read = figure(style.format(yuan))
    assert (read.number, read.unit) == (yuan, "元")


@given(
    st.integers(0, 10**10),
    st.sampled_from(["千", "万", "十万", "百万", "千万", "亿"]),
    st.sampled_from(["", "元", "件"]),
)
def test_a_number_in_a_scale_is_itself(number: int, scale: str, unit: str) -> None:
    power = split_unit(scale)[0]
    read = figure(f"{Decimal(number).scaleb(-power):f}{scale}{unit}")
    assert (read.number, read.unit) == (number, scale + unit)


@given(st.integers(1, 10**9))
def test_an_amount_as_invoices_write_it_is_itself(fen: int) -> None:
    yuan, rest = divmod(fen, 100)
    jiao, rest = divmod(rest, 10)
    coins = (in_han(jiao, *INVOICE) + "角" if jiao else "") + (in_han(rest, *INVOICE) + "分" if rest else "整")
    gap = "零" if yuan and not jiao and rest else ""
    text = (in_han(yuan, *INVOICE) + "元" if yuan else "") + gap + coins
    assert figure(text).number == Decimal(fen).scaleb(-2)
    assert figure("人民币" + text).number == Decimal(fen).scaleb(-2)


@given(st.integers(0, 100), st.integers(1, 9999))
def test_a_share_in_any_style_is_itself(whole: int, fraction: int) -> None:
    share = Decimal(f"{whole}.{fraction:04d}")
    han = "百分之" + in_han(whole) + "点" + "".join("零一二三四五六七八九"[int(digit)] for digit in f"{fraction:04d}")
    for text in (f"{share}%", f"{share}\uff05", f"百分之{share}", f"{share * 10:f}‰", f"千分之{share * 10:f}", han):
        assert (figure(text).number, figure(text).percent) == (share, True)

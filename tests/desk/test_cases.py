"""The list of a month's cases, and the page of one: what stands on them, for whom, and how they are found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi import FastAPI

from disclosure_etl.desk import cases
from disclosure_etl.desk.cases import diagnosis_of, next_open
from disclosure_etl.desk.charts import column_of
from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.conftest import FEBRUARY, JANUARY, Client, send_correction
from tests.factories import default_form, return_bytes, send, some_figures

FAMILY = "bureau-monthly"
CASES = "/months/2014-01/cases"
WARNINGS = "/months/2014-02/cases"


def rows(text: str) -> list[str]:
    """The rows of the list's table."""
    return re.findall(r"<tr>.*?</tr>", text.split("<tbody>")[1].split("</tbody>")[0], re.DOTALL)


def ids(text: str) -> list[str]:
    return re.findall(r'data-row href="[^"]*/cases/([0-9a-f]{16})"', text)


def seen(client: Client, case: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{16})"', client.get(case).text)
    assert found is not None
    return found[1]


def section(text: str, name: str) -> str:
    """The part of a page under a heading."""
    return text.split(f'id="{name}"')[1].split("</section>")[0]


@pytest.fixture
def case(steward: Client) -> str:
    """The path of the one open case of January."""
    [one] = ids(steward.get(CASES).text)
    return f"{CASES}/{one}"


def test_a_row_tells_all_that_one_chooses_by(office: Office, steward: Client, case: str) -> None:
    steward.post(f"{case}/comment", {"text": "已去电"})
    steward.post(
        f"{case}/assign", {"seen": seen(steward, case), "to": str(office.warehouse.person_by_login("zhao")[0].key)}
    )
    [row] = rows(steward.get(CASES).text)

    for told in (
        "错误",
        "海淀分局",
        "「接受咨询」本月填报 9",
        "breakdown:enquiries:channel",
        "0.69%",
        "zhao的姓名",
        "另有 2 条同因",
        "1 条留言",
    ):
        assert told in row, told
    assert 'type="checkbox"' not in row  # an error is not acknowledged with others


def test_a_bureau_is_chosen_and_the_filters_stay(steward: Client) -> None:
    shown = steward.get(f"{WARNINGS}?bureau=haidian&q=相同").text

    assert len(ids(shown)) == 1
    assert '<option value="haidian" selected>' in shown and 'value="相同"' in shown
    assert f'action="{WARNINGS[:-6]}/acknowledge?bureau=haidian&amp;state=open&amp;q=' in shown


@pytest.mark.parametrize(
    ("written", "number"), [("haidian", 1), ("海淀分局", 1), ("海淀", 1), ("HAIDIAN", 1), ("分局", 0), ("nobody", 0)]
)
def test_of_many_bureaus_one_is_found_by_its_name(
    steward: Client, monkeypatch: pytest.MonkeyPatch, written: str, number: int
) -> None:
    monkeypatch.setattr(cases, "_TO_CHOOSE_FROM", 5)
    shown = steward.get(f"{WARNINGS}?bureau={written}").text

    assert len(ids(shown)) == number
    assert f'name="bureau" value="{"海淀分局" if number else written}"' in shown


@pytest.mark.parametrize(("query", "number"), [("at=99999999999999999999", 16), ("at=0", 16), ("at=-3", 16), ("state=odd", 16), ("q=%25", 0), ("q=_", 0)])  # fmt: skip
def test_an_odd_address_is_no_fault(steward: Client, query: str, number: int) -> None:
    answer = steward.get(f"{WARNINGS}?{query}")

    assert answer.status_code == 200
    assert len(ids(answer.text)) == number


def test_files_that_were_not_taken_stand_below(office: Office, steward: Client) -> None:
    send(office, "盖章扫描<b>.png", b"\x89PNG\r\n\x1a\n" + bytes(60))
    send(office, "坏文件_2014-01.xlsx", b"PK\x03\x04 no workbook")
    run_period(office, FAMILY, JANUARY)
    shown = section(steward.get(CASES).text, "refused")

    assert "坏文件_2014-01.xlsx" in shown
    assert "<b>" not in shown


def test_the_page_of_a_case_says_what_the_rule_does_and_what_was_seen(steward: Client, case: str) -> None:
    shown = steward.get(case).text
    facts = dict(re.findall(r'<th scope="row">([^<]+)</th><td[^>]*>(.*?)</td>', section(shown, "rule")))

    assert "接受咨询:等于各分项之和" in section(shown, "rule")
    assert (facts["推算为"], facts["相差"], facts["板块"]) == ("10", "1", "咨询")
    assert re.sub(r"<[^>]+>", "", facts["填报"]) == "现场咨询 6、电话咨询 4、网上咨询 0、接受咨询 9"
    assert "0.69%" in facts["影响"] and facts["建议修复"] == "无"
    assert section(shown, "rule").count("/cases/") == 2  # what has the same cause


def test_in_english_it_is_english(app: FastAPI, steward: Client, case: str) -> None:
    steward.http.cookies.set("language", "en")
    shown = steward.get(case).text

    assert "Return for correction" in shown and "suggested repairs" in shown
    assert "退回更正" not in shown and "建议修复" not in shown
    assert "Acknowledge" in steward.get(WARNINGS).text


def test_the_last_months_are_drawn_and_told(steward: Client) -> None:
    [one] = ids(steward.get(f"{WARNINGS}?bureau=haidian").text)
    shown = section(steward.get(f"{WARNINGS}/{one}").text, "course")

    assert shown.count("<polyline") == 6 and "<table>" in shown
    assert re.search(r'aria-label="主动公开政府信息:2014-01 12、2014-02 12"', shown)
    assert "style=" not in shown and "<script" not in shown


def test_what_failed_before_at_the_bureau_is_linked(office: Office, steward: Client, case: str) -> None:
    from tests.factories import default_form, return_bytes, some_figures

    figures = some_figures(default_form(), 2)
    figures[("enquiries.on_site", "month")] += 1
    send(office, "haidian_2014-02_r2.xlsx", return_bytes(default_form(), FEBRUARY, "haidian", "海淀分局", figures, 2))
    run_period(office, FAMILY, FEBRUARY)
    [one] = ids(steward.get(f"{WARNINGS}?bureau=haidian&rule=breakdown:enquiries:channel").text)

    assert f'href="{case}"' in section(steward.get(f"{WARNINGS}/{one}").text, "history")


def test_who_only_looks_sees_what_was_decided_and_no_form(
    as_: Callable[[str], Client], steward: Client, case: str
) -> None:
    steward.post(f"{case}/waive", {"seen": seen(steward, case), "reason": "电话核实无误"})
    shown = as_("shen").get(case).text

    assert "电话核实无误" in section(shown, "steps") and "wang的姓名(wang)" in section(shown, "steps")
    assert 'name="reason"' not in shown and 'name="to"' not in shown
    assert 'type="checkbox"' not in as_("shen").get(WARNINGS).text


def test_where_the_bytes_are_gone_the_case_is_shown_without_them(office: Office, steward: Client, case: str) -> None:
    [one] = office.warehouse.returns(FAMILY, JANUARY, "haidian")
    path = office.raw_store.path(one.digest)
    path.chmod(0o644)
    path.unlink()
    shown = steward.get(case)

    assert shown.status_code == 200
    assert "原件不能在此显示" in shown.text and "退回更正" in shown.text


def test_what_somebody_writes_is_text(steward: Client, case: str) -> None:
    steward.post(f"{case}/comment", {"text": "<script>alert(1)</script> & \"'"})
    steward.post(f"{case}/waive", {"seen": seen(steward, case), "reason": "<img src=x onerror=alert(1)>"})
    shown = steward.get(case).text

    assert "<script>alert" not in shown and "<img" not in shown
    assert "&lt;script&gt;alert(1)" in shown and "&lt;img src=x" in shown


def test_a_corrected_case_is_gone(office: Office, steward: Client, case: str) -> None:
    send_correction(office)
    run_period(office, FAMILY, JANUARY)

    assert steward.get(case).status_code == 404
    assert ids(steward.get(CASES).text) == []
    assert "没有待定的条目" in steward.get(CASES).text


@pytest.mark.parametrize(
    ("before", "at", "after", "found"),
    [
        ("abc", "b", "ac", "c"), ("abc", "c", "ab", "a"), ("abcd", "b", "ad", "d"), ("a", "a", "", None), ("ab", "x", "ab", "a"),
        ("abc", "a", "abc", "b"), ("a", "a", "a", None), ("a", "a", "z", "z"),
    ],
)  # fmt: skip
def test_the_next_case_is_one_that_is_still_open(before: str, at: str, after: str, found: str | None) -> None:
    assert next_open(list(before), at, list(after)) == found


def test_a_diagnosis_is_told_in_words(office: Office) -> None:
    from dataclasses import replace

    one = office.warehouse.failures(FAMILY, JANUARY, "haidian")[0].failure
    told = diagnosis_of(replace(one, diagnosis="other_total:7392"))

    assert told is not None and told.zh == "按另一总数计算:7392"
    assert diagnosis_of(one) is None


def test_all_figures_of_a_case_stand_in_the_table_and_its_column_is_named(office: Office, steward: Client) -> None:
    form, figures = default_form(), some_figures(default_form())
    figures["replies.granted", "month"] -= 3
    send(office, "haidian_2014-01_r2.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", figures, 2))
    run_period(office, FAMILY, JANUARY)
    found = [each.failure for each in office.warehouse.failures(FAMILY, JANUARY, "haidian")]
    one = next(each for each in found if len(each.indicators) > 6 and each.implied_by is None)

    course = section(steward.get(f"{CASES}/{one.id}").text, "course")

    assert f"近 12 个月:{form.columns['month'].label.zh}" in course
    assert course.count("<figcaption>") == 6 and f"数值(全部 {len(one.indicators)} 项)" in course
    assert all(form.indicators[code].label.zh in course for code in one.indicators)


def test_a_case_of_a_column_that_the_form_has_not_names_none(office: Office) -> None:
    found = office.warehouse.failures(FAMILY, JANUARY)[0].failure

    assert column_of(default_form(), found) is not None
    assert column_of(default_form(), replace(found, column="of_a_list")) is None
    assert column_of(default_form().model_copy(update={"tables": ()}), replace(found, column=None)) is None

"""A case is seen with its cells, decided, and taken back; two who decide at once; many at once; pressed twice."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from docx import Document
from openpyxl import load_workbook

from disclosure_etl.desk.months import status_of
from disclosure_etl.office import Office
from tests.desk.conftest import JANUARY, Client

CASES = "/months/2014-01/cases"


@pytest.fixture
def case(steward: Client) -> str:
    """The path of the one open case of January."""
    return CASES + "/" + re.search(r'cases/([0-9a-f]{16})"', steward.get(CASES).text)[1]


def seen(client: Client, case: str) -> str:
    return re.search(r'name="seen" value="([0-9a-f]{16})"', client.get(case).text)[1]


def state(office: Office, bureau: str) -> str:
    one = office.warehouse.consolidation(office.settings.family, JANUARY)
    return next(status_of(each) for each in one.bureaus if each.bureau == bureau)


def test_the_cells_in_question_are_marked_in_their_surroundings(steward: Client, case: str) -> None:
    shown = steward.get(case).text

    marked = re.findall(r'class="asked"><mark>([^<]+)<', shown)
    assert marked == ["9", "6", "4", "0"]
    assert "接受咨询" in shown and "人次" in shown  # the labels beside them
    assert "breakdown:enquiries:channel" in shown and "等于各分项之和" in shown


def test_what_may_stand_counts_and_the_month_is_frozen_anew(office: Office, steward: Client, case: str) -> None:
    answer = steward.post(f"{case}/waive", {"seen": seen(steward, case), "reason": "电话核实无误"})

    assert answer.status_code == 303
    assert state(office, "haidian") == "accepted"
    waivers = office.warehouse.waivers(office.settings.family)  # of the case, and of what has its cause
    assert len(waivers) == 3
    assert {(one.by, one.reason) for one in waivers} == {("wang的姓名(wang)", "电话核实无误")}
    assert "电话核实无误" in steward.get(case).text

    undone = steward.post(f"{case}/unwaive", {"seen": seen(steward, case), "reason": "看错了"})
    assert undone.status_code == 303
    assert state(office, "haidian") == "stale"  # accepted once it stays in the figures, and waits for a person


def test_the_second_of_two_sees_what_the_first_did_and_changes_nothing(
    office: Office, as_: Callable[[str], Client], case: str
) -> None:
    wang, zhao = as_("wang"), as_("zhao")
    both = seen(wang, case), seen(zhao, case)
    wang.post(f"{case}/waive", {"seen": both[0], "reason": "核实无误"})

    late = zhao.post(f"{case}/return", {"seen": both[1], "reason": "请更正"})

    assert late.status_code == 409
    assert "wang的姓名(wang)" in late.text and "核实无误" in late.text
    assert state(office, "haidian") == "accepted"
    assert office.warehouse.return_decisions(office.settings.family) == []


def test_pressed_twice_it_is_decided_once(office: Office, steward: Client, case: str) -> None:
    shown = seen(steward, case)
    first, second = (steward.post(f"{case}/waive", {"seen": shown, "reason": "核实无误"}) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 409)
    assert len(office.warehouse.waivers(office.settings.family)) == 3
    for _ in range(2):
        steward.post(f"{case}/comment", {"text": "请看"})
    assert len(office.warehouse.comments(office.settings.family, JANUARY, case.rsplit("/", 1)[1])) == 1


def test_a_decision_without_a_reason_is_none(office: Office, steward: Client, case: str) -> None:
    assert steward.post(f"{case}/waive", {"seen": seen(steward, case), "reason": " "}).status_code == 422
    assert office.warehouse.waivers(office.settings.family) == ()


def test_sent_back_the_bureau_gets_a_notice_and_its_workbook_with_comments(
    office: Office, steward: Client, case: str
) -> None:
    answer = steward.post(f"{case}/return", {"seen": seen(steward, case), "reason": "分项与总数不符,请核对"})
    [one] = office.warehouse.returns(office.settings.family, JANUARY, "haidian")
    where = f"/months/2014-01/returns/{one.digest}/notice"

    assert answer.headers["location"] == CASES  # no other case is open
    assert f'href="{where}"' in steward.get(case).text
    assert state(office, "haidian") == "returned"
    assert "分项与总数不符,请核对" in steward.get(where).text
    texts = [one.text for one in Document(io.BytesIO(steward.get(f"{where}.docx").content)).paragraphs]
    assert "关于退回2014年1月政府信息公开统计报表的通知" in texts and "海淀分局:" in texts
    book = load_workbook(io.BytesIO(steward.get(where.removesuffix("notice") + "workbook").content))
    assert "各分项合计 10" in book["统计表"]["C19"].comment.text
    assert book["统计表"]["C19"].value == 9

    assert steward.post(f"{case}/unreturn", {"seen": seen(steward, case), "reason": "误退"}).status_code == 303
    assert state(office, "haidian") == "partly_held"
    assert steward.get(where).status_code == 404


def test_a_case_is_given_to_somebody_and_found_by_that(office: Office, steward: Client, case: str) -> None:
    key = office.warehouse.person_by_login("zhao")[0].key
    assert steward.post(f"{case}/assign", {"seen": seen(steward, case), "to": str(key)}).status_code == 303

    assert "zhao的姓名" in steward.get(CASES).text
    assert "海淀分局</td>" not in steward.get(f"{CASES}?owner=nobody").text
    assert "海淀分局</td>" in steward.get(f"{CASES}?owner=").text


@pytest.mark.parametrize(
    ("query", "found"),
    [("severity=error", True), ("severity=warning", False), ("block=enquiries", True), ("block=fees", False),
     ("bureau=haidian", True), ("bureau=dongcheng", False), ("q=现场咨询", True), ("q=nothing", False), ("state=waived", False),
     ("rule=breakdown:enquiries:channel", True)],
)  # fmt: skip
def test_cases_are_found(steward: Client, query: str, found: bool) -> None:
    assert ("data-row" in steward.get(f"{CASES}?{query}").text.split("<tbody>")[1]) == found


def test_an_auditor_sees_and_decides_nothing(as_: Callable[[str], Client], case: str) -> None:
    shown = as_("shen").get(case)

    assert shown.status_code == 200 and "接受咨询" in shown.text
    assert 'name="reason"' not in shown.text


def test_a_case_that_is_gone_is_not_there(steward: Client) -> None:
    assert steward.get(f"{CASES}/0123456789abcdef").status_code == 404

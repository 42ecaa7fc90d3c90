"""A case is seen with its cells, decided, and taken back; two who decide at once; pressed twice."""

from __future__ import annotations

import io
import os
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from docx import Document
from openpyxl import load_workbook

from disclosure_etl.desk import deciding
from disclosure_etl.desk.months import status_of
from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.conftest import JANUARY, Client, send_correction
from tests.factories import FAMILY, default_form, return_bytes, send, with_slip

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


def test_that_the_bureau_says_nothing_of_it_is_said(steward: Client, case: str) -> None:
    assert "单位没有另作说明" in steward.get(case).text


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


# -- two at once, in this process and beside it


def test_of_two_who_press_at_the_same_moment_one_decides(
    office: Office, as_: Callable[[str], Client], case: str
) -> None:
    both = [as_("wang"), as_("zhao")]
    shown = [seen(one, case) for one in both]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(both[0].post, f"{case}/waive", {"seen": shown[0], "reason": "核实无误"})
        second = pool.submit(both[1].post, f"{case}/return", {"seen": shown[1], "reason": "请更正"})
        codes = sorted((first.result().status_code, second.result().status_code))

    assert codes == [303, 409]
    waived, sent_back = office.warehouse.waivers(FAMILY), office.warehouse.return_decisions(FAMILY)
    assert bool(waived) != bool(sent_back)


def test_who_comes_late_is_told_who_did_what_and_keeps_what_they_wrote(as_: Callable[[str], Client], case: str) -> None:
    wang, zhao = as_("wang"), as_("zhao")
    late = seen(zhao, case)
    wang.post(f"{case}/return", {"seen": seen(wang, case), "reason": "分项有误"})
    wang.post(f"{case}/unreturn", {"seen": seen(wang, case), "reason": "误退"})
    answer = zhao.post(f"{case}/waive", {"seen": late, "reason": "已电话核实,无误"})

    assert answer.status_code == 409
    alert = answer.text.split('role="alert">')[1].split("</p>")[0]
    assert "wang的姓名(wang) 已于 2014-03-06 09:00 退回报表:分项有误" in alert and "误退" in alert
    assert "已电话核实,无误</textarea>" in answer.text


def test_a_run_at_work_is_waited_for_a_while_and_nothing_is_decided(
    office: Office, steward: Client, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "PATIENCE_SECONDS", 0.2)
    shown = seen(steward, case)
    with office.alone("consolidate 2014-02"):
        answer = steward.post(f"{case}/waive", {"seen": shown, "reason": "核实无误"})
        assert steward.post(f"{case}/comment", {"text": "先留言"}).status_code == 303  # it changes no figure

    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    assert "另一个运行正在进行" in answer.text and "核实无误</textarea>" in answer.text
    assert socket.gethostname() not in answer.text and str(os.getpid()) not in answer.text  # those are the log's
    assert office.warehouse.waivers(FAMILY) == ()
    assert steward.post(f"{case}/waive", {"seen": shown, "reason": "核实无误"}).status_code == 303


def test_figures_that_changed_since_are_not_decided_on(office: Office, steward: Client, case: str) -> None:
    shown = seen(steward, case)
    form = default_form()
    figures = with_slip()
    figures["enquiries.telephone", "month"] += 1
    send(office, "haidian_2014-01_r2.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", figures, 2))
    run_period(office, FAMILY, JANUARY)
    answer = steward.post(f"{case}/waive", {"seen": shown, "reason": "核实无误"})

    assert answer.status_code == 409 and "有了变化" in answer.text
    assert office.warehouse.waivers(FAMILY) == ()


# -- what goes with a decision


def test_it_may_stand_until_a_later_month_and_not_an_earlier(office: Office, steward: Client, case: str) -> None:
    for until in ("2013-12", "sometime"):
        answer = steward.post(f"{case}/waive", {"seen": seen(steward, case), "reason": "核实无误", "until": until})
        assert answer.status_code == 422 and f'value="{until}"' in answer.text
    assert steward.post(
        f"{case}/waive", {"seen": seen(steward, case), "reason": "核实无误", "until": "2014-04"}
    ).status_code == 303  # fmt: skip
    assert {(one.first, one.last) for one in office.warehouse.waivers(FAMILY)} == {("2014-01", "2014-04")}


def test_undoing_leaves_what_somebody_else_decided_of_the_same_cause(
    office: Office, as_: Callable[[str], Client], case: str
) -> None:
    wang, zhao = as_("wang"), as_("zhao")
    other = re.findall(r'<a href="(/months/2014-01/cases/[0-9a-f]{16})">', wang.get(case).text)[0]
    zhao.post(f"{other}/waive", {"seen": seen(zhao, other), "reason": "累计数另行更正"})
    wang.post(f"{case}/waive", {"seen": seen(wang, case), "reason": "核实无误"})
    assert len(office.warehouse.waivers(FAMILY)) == 3
    wang.post(f"{case}/unwaive", {"seen": seen(wang, case), "reason": "看错了"})

    assert [one.by for one in office.warehouse.waivers(FAMILY)] == ["zhao的姓名(zhao)"]
    assert "看错了" in wang.get(case).text and "核实无误" in wang.get(case).text  # what was taken back is told, too


def test_one_decided_the_next_follows(office: Office, steward: Client) -> None:
    shown = steward.get("/months/2014-02/cases").text
    order = re.findall(r'data-row href="([^"]+)"', shown)
    assert f'rel="next" data-key href="{order[1]}"' in steward.get(order[0]).text
    assert f'rel="prev" data-key href="{order[0]}"' in steward.get(order[1]).text

    accepted = steward.post(f"{order[0]}/waive", {"seen": seen(steward, order[0]), "reason": "核实无误"})
    sent_back = steward.post(f"{order[1]}/return", {"seen": seen(steward, order[1]), "reason": "请重报"})
    last = steward.post(f"{order[-1]}/waive", {"seen": seen(steward, order[-1]), "reason": "核实无误"})

    assert [one.headers["location"] for one in (accepted, sent_back, last)] == [order[1], order[2], order[2]]


def test_the_record_names_who_decided(office: Office, steward: Client, case: str) -> None:
    steward.post(
        f"{case}/assign", {"seen": seen(steward, case), "to": str(office.warehouse.person_by_login("wang")[0].key)}
    )
    steward.post(f"{case}/return", {"seen": seen(steward, case), "reason": "请更正"})
    done = {one.kind: one.actor for one in office.warehouse.events_since(FAMILY, JANUARY, 0, 50)}

    assert (done["return_back"], done["assign"]) == ("wang的姓名(wang)", "wang")


@pytest.mark.parametrize("to", ["²", "999", "x", "-1", "admin"])
def test_a_case_is_given_only_to_who_can_decide_it(office: Office, steward: Client, case: str, to: str) -> None:
    to = str(office.warehouse.person_by_login("admin")[0].key) if to == "admin" else to
    assert steward.post(f"{case}/assign", {"seen": seen(steward, case), "to": to}).status_code == 422
    assert office.warehouse.owner(FAMILY, JANUARY, case.rsplit("/", 1)[1]) == (0, None)


def test_no_decision_is_taken_for_which_the_page_has_no_form(office: Office, steward: Client, case: str) -> None:
    words = {"reason": "核实无误"}

    def forms() -> set[str]:
        return set(re.findall(rf'action="{case}/((?:un)?(?:waive|return))"', steward.get(case).text))

    def refused() -> dict[str, str]:
        told = {}
        for one in ("waive", "unwaive", "return", "unreturn"):
            if one not in forms():
                answer = steward.post(f"{case}/{one}", {"seen": seen(steward, case), **words})
                assert answer.status_code == 409 and "核实无误</textarea>" in answer.text
                told[one] = answer.text
        return told

    assert forms() == {"waive", "return"}
    assert all("没有可撤销的决定" in one for one in refused().values())
    steward.post(f"{case}/return", {"seen": seen(steward, case), "reason": "请更正"})
    assert forms() == {"unreturn"}
    assert all("请先撤销退回" in one for one in refused().values())
    assert state(office, "haidian") == "returned" and office.warehouse.waivers(FAMILY) == ()
    steward.post(f"{case}/unreturn", {"seen": seen(steward, case), "reason": "误退"})
    steward.post(f"{case}/waive", {"seen": seen(steward, case), **words})
    assert forms() == {"unwaive"}
    assert all("请先撤销接受" in one for one in refused().values())
    assert state(office, "haidian") == "accepted"


def test_who_decides_of_a_case_that_was_corrected_meanwhile_is_told_so_and_keeps_what_they_wrote(
    office: Office, steward: Client, case: str
) -> None:
    shown, wrote = seen(steward, case), "写了很久的<理由>"
    send_correction(office)
    run_period(office, FAMILY, JANUARY, command="rerun")

    for form, name in (("waive", "reason"), ("return", "reason"), ("comment", "text"), ("assign", "to")):
        answer = steward.post(f"{case}/{form}", {"seen": shown, name: wrote[:16]})
        assert answer.status_code == 409
        assert "已更正或重跑" in answer.text and f'href="{CASES}"' in answer.text
        assert ("写了很久的&lt;理由&gt;</textarea>" in answer.text) is (form != "assign")
    assert office.warehouse.waivers(FAMILY) == ()
    assert steward.get(case).status_code == 404

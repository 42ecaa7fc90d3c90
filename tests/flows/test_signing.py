"""Who answers for a version, from the command line: signed, locked, released, corrected; what stands in the way, and the receipt."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from disclosure_etl.office import Office
from schemas.periods import Period
from tests.factories import contract, default_form, return_bytes, send, send_month, some_figures, with_slip
from tests.flows.small_office import corrected

JANUARY = Period.parse("2014-01")
NOW = ("--now", "2014-02-06")
MONTHS_OF_2008 = [f"2008-{month:02d}" for month in range(5, 13)]  # the form begins in May

# -- sign-off


def test_what_stands_in_the_way_is_listed_and_nothing_is_signed(say, tmp_path: Path, small_office: Office) -> None:
    send_month(small_office, JANUARY, without=("shiju",), changed={"haidian": with_slip()})
    say(*NOW, "consolidate", "2014-01")

    said = say(*NOW, "sign-off", "2014-01", "--by", "王处长", "--json")
    shown = say(*NOW, "--lang", "zh", "sign-off", "2014-01", "--by", "王处长")

    contract("sign-off").validate(said.json)
    assert (said.code, shown.code, said.json["signed"]) == (1, 1, False)
    assert [(one["code"], one["bureau"]) for one in said.json["hindrances"]] == [
        ("partly_held", "haidian"), ("missing", None),
    ]  # fmt: skip
    assert "--without-held" in shown.out and "--missing shiju" in shown.out
    assert say("status", "2014-01", "--json").json["status"] == "provisional"


def test_a_version_without_held_blocks_is_signed_once_and_stays(say, small_office: Office) -> None:
    send_month(small_office, JANUARY, without=("shiju",), changed={"haidian": with_slip()})
    say(*NOW, "consolidate", "2014-01")
    sign = (*NOW, "sign-off", "2014-01", "--by", "王处长", "--without-held", "--missing", "市局", "--json")

    first, second = say(*sign), say(*sign)
    again = say(*NOW, "consolidate", "2014-01", "--json")

    contract("sign-off").validate(first.json)
    assert (first.code, first.json["new"], second.json["new"]) == (0, True, False)
    assert (first.json["version"], first.json["status"], first.json["without_held"]) == (2, "final", True)
    assert "未报:市局" in first.json["note"]
    assert second.json["content_hash"] == first.json["content_hash"]
    assert (again.json["version"], again.json["status"]) == (2, "final")
    assert {one["status"] for one in again.json["figures"]} == {"validated"}


def test_the_receipt_shows_content_hash_and_the_records_head(say, small_office: Office) -> None:
    send_month(small_office, JANUARY)
    say(*NOW, "consolidate", "2014-01")

    said = say(*NOW, "--lang", "en", "sign-off", "2014-01", "--by", "王处长", "--note", "核对无误")

    hashes = re.findall(r"[0-9a-f]{64}", said.out)
    assert len(hashes) == 2 and said.code == 0
    assert say("audit", "verify", "--anchor", hashes[1]).code == 0
    signed = say("audit", "list", "--kind", "sign", "--json").json
    contract("audit").validate(signed)
    assert signed[-1]["details"]["content_hash"] == hashes[0]
    status = say("--lang", "zh", "status", "2014-01")
    shown = status.out
    assert status.code == 0
    assert "终稿" in shown and "签发:王处长,2014-02-06;核对无误" in shown
    path = next(Path("out/2014-01").glob("*终稿.xlsx"))
    assert "终稿" in openpyxl.load_workbook(path).worksheets[0]["A1"].value


def test_warnings_are_acknowledged_with_a_reason(say, small_office: Office) -> None:
    form = default_form()
    for code, name in (("shiju", "市局"), ("haidian", "海淀分局")):
        data = return_bytes(form, JANUARY, code, name, some_figures(form), checker="张敏")  # who prepared it, too
        send(small_office, f"{code}.xlsx", data)
    say(*NOW, "consolidate", "2014-01")
    sign = (*NOW, "sign-off", "2014-01", "--by", "王处长", "--json")

    refused = say(*sign)
    signed = say(*sign, "--acknowledge", "人手不足,已由办公室复核")

    assert [one["code"] for one in refused.json["hindrances"]] == ["unacknowledged"]
    ids = {one["id"] for one in say("failures", "2014-01", "--json").json if one["severity"] == "warning"}
    assert len(ids) == 2 and set(signed.json["acknowledged"]) == ids
    assert "确认警告 2 条:人手不足" in signed.json["note"]


def test_an_office_may_ask_for_two_people(say, tmp_path: Path, small_office: Office) -> None:
    settings = tmp_path / "config" / "settings.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("two_persons: false", "two_persons: true"), encoding="utf-8")
    send_month(small_office, JANUARY)
    say(*NOW, "consolidate", "2014-01")
    sign = (*NOW, "--lang", "en", "sign-off", "2014-01", "--by", "王处长")

    assert "--second" in say(*sign).err
    assert "somebody else" in say(*sign, "--second", " 王处长").err
    assert say(*sign, "--second", "李主任").code == 0


def test_months_are_signed_in_order_and_a_quarter_when_its_months_are(say, small_office: Office) -> None:
    for number in (1, 2, 3):
        send_month(small_office, Period.parse(f"2014-0{number}"))
    for number in (1, 2, 3):
        say("--now", "2014-04-06", "consolidate", f"2014-0{number}")
    say("--now", "2014-04-06", "consolidate", "2014Q1")

    def sign(period: str) -> list[str]:
        said = say("--now", "2014-04-07", "sign-off", period, "--by", "王处长", "--acknowledge", "已核", "--json")
        return [one["code"] for one in said.json["hindrances"]]

    assert sign("2014-02") == ["unsigned"]
    assert sign("2014-01") == sign("2014-02") == []
    assert sign("2014Q1") == ["unsigned"]
    assert sign("2014-03") == sign("2014Q1") == []
    assert say("status", "2014Q1", "--json").json["status"] == "final"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("sign-off", "2014-01"), "--by"),
        (("sign-off", "2014-01", "--by", " "), "Name who decides"),
        (("sign-off", "2014-02", "--by", "王处长"), "not consolidated yet"),
        (("sign-off", "2014-01", "--by", "王处长", "--missing", "nowhere"), "no bureau 'nowhere'"),
        (("lock", "2014", "--by", "王处长", "--reason", ""), "Name the reason"),
        (("reopen", "2014", "--by", "王处长", "--reason", "更正"), "--second"),
        (("reopen", "2014", "--by", "王处长", "--second", "王处长", "--reason", "更正"), "somebody else"),
        (("release", "2014-01", "--by", "王处长"), "sign it off first"),
        (("changes", "2014-01"), "no earlier one"),
        (("changes", "2014-01", "--from", "3"), "must be a version before"),
        (("correction-notice", "2014-01", "--to", "7"), "no version 7"),
        (("revisions", "publication"), "Did you mean 'publications'"),
        (("revisions", "publications", "--column", "monthly"), "no column 'monthly'"),
        (("revisions", "publications", "--first", "2014-01", "--last", "2014"), "of one length"),
        (("status", "--table", "x.xlsx"), "needs a PERIOD"),
    ],
)
def test_a_mistake_is_told(say, small_office: Office, arguments: tuple[str, ...], told: str) -> None:
    send_month(small_office, JANUARY)
    say(*NOW, "consolidate", "2014-01")

    said = say(*NOW, "--lang", "en", *arguments)

    assert (said.code, told in said.err) == (2, True), said.err
    assert "Traceback" not in said.err


# -- locked years


@pytest.fixture
def year(say, small_office: Office) -> Office:
    """2008, every month of it final."""
    for code in MONTHS_OF_2008:
        month = Period.parse(code)
        for bureau, name in (("shiju", "市局"), ("haidian", "海淀分局")):
            data = return_bytes(default_form(), month, bureau, name, some_figures(default_form(), month.ordinal - 4))
            send(small_office, f"{bureau}_{code}.xlsx", data)
    for code in MONTHS_OF_2008:
        say("--now", "2009-01-10", "consolidate", code)
    for code in MONTHS_OF_2008:
        say("--now", "2009-01-11", "sign-off", code, "--by", "王处长", "--acknowledge", "已核")
    return small_office


def test_a_year_is_locked_refuses_changes_and_judges_them_when_reopened(
    say, year: Office, golden: Callable[[str, str], None]
) -> None:
    lock = ("--now", "2009-01-20", "lock", "2008", "--by", "王处长", "--reason", "年度终了", "--json")
    locked, again = say(*lock), say(*lock)

    contract("year-lock").validate(locked.json)
    assert (locked.code, locked.json["new"], again.json["new"]) == (0, True, False)
    before = say("status", "2008-06", "--json").json
    assert before["status"] == "locked"

    corrected(year, "2008-06")
    arrived = say("--now", "2009-02-01", "consolidate", "2008-06", "--json")
    assert (arrived.code, "haidian_2008-06_2.xlsx" in arrived.err) == (1, True)
    assert say("--now", "2009-02-02", "consolidate", "2008-06", "--json").code == 1  # it waits still
    consolidated = arrived.json
    held = [one for one in say("failures", "2008-06", "--json").json if one["rule"] == "return:locked"]
    rerun = say("--now", "2009-02-01", "--lang", "en", "rerun", "2008-06")
    decide = say("--now", "2009-02-01", "--lang", "en", "decide", "2008-06", held[0]["id"], "--reason", "已核")
    assert (consolidated["version"], consolidated["figures"]) == (before["version"], before["figures"])
    assert [(one["bureau"], one["severity"]) for one in held] == [("haidian", "error")]
    for said in (rerun, decide):
        assert (said.code, "reopen 2008" in said.err) == (2, True)

    reopen = (
        "--now",
        "2009-02-10",
        "reopen",
        "2008",
        "--by",
        "王处长",
        "--second",
        "李主任",
        "--reason",
        "海淀更正六月数",
    )
    reopened = say(*reopen, "--json")

    contract("year-lock").validate(reopened.json)
    assert {one["period"] for one in reopened.json["relied_on"]} == set(MONTHS_OF_2008)
    assert {"2008-06", "2008-12"} <= set(reopened.json["frozen_anew"])
    assert not say(*reopen, "--json").json["new"]
    now = say("status", "2008-06", "--json").json
    assert (now["version"], now["status"], now["superseded"]) == (before["version"] + 1, "provisional", 1)
    assert [one["rule"] for one in say("failures", "2008-06", "--json").json if one["rule"] == "return:locked"] == []
    assert say("status", "2008-06", "--as-of", "2009-01-25", "--json").json["status"] == "locked"

    path = Path("out/2008-06/更正说明-2008-06-v1-v2.txt")
    assert str(path) in "\n".join(reopened.json["notices"])
    text = path.read_text(encoding="utf-8")
    golden("correction-notice.txt", re.sub(r"第 \d+ 条", "第 N 条", re.sub(r"[0-9a-f]{64}", "…", text)))
    printed = say("--now", "2009-02-10", "correction-notice", "2008-06", "--json")
    contract("correction-notice").validate(printed.json)
    assert (printed.json["text"], printed.json["new"]) == (text, False)
    verified = say("--now", "2009-02-10", "warehouse", "verify", "--json")
    contract("warehouse-verify").validate(verified.json)
    assert verified.code == 0


def test_what_is_decided_of_a_released_version_has_its_table_and_its_notice(say, small_office: Office) -> None:
    send_month(small_office, JANUARY)
    say(*NOW, "consolidate", "2014-01")
    corrected(small_office)
    say(*NOW, "rerun", "2014-01")
    later = ("--now", "2014-12-31")
    assert say(*later, "sign-off", "2014-01", "--by", "王处长", "--acknowledge", "已核").code == 0
    assert say(*later, "release", "2014-01", "--by", "王处长").code == 0

    said = say(*later, "returns", "withdraw", "2014-01", "haidian_2014-01_2.xlsx", "--reason", "误报", "--by", "王处长")

    assert (said.code, "更正说明" in said.out) == (0, True)
    written = {path.name for path in Path("out/2014-01").iterdir()}
    assert {"汇总表-2014-01-v3.xlsx", "更正说明-2014-01-v2-v3.txt"} <= written


def test_a_year_before_a_locked_one_is_not_reopened(say, year: Office) -> None:
    send_month(year, Period.parse("2009-01"))
    say("--now", "2009-02-10", "consolidate", "2009-01")
    why = ("--by", "王处长", "--reason", "年度终了", "--json")

    later = say("--now", "2009-02-10", "lock", "2009", *why)

    assert {"earlier", "absent", "unsigned"} <= {one["code"] for one in later.json["hindrances"]}

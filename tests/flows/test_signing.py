"""Who answers for a version, from the command line: signed, locked, released, corrected; what stands in the way, and the receipt."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from disclosure_etl.office import Office
from disclosure_etl.settings import default_config_dir
from schemas.periods import Period
from tests.factories import (
    contract,
    default_form,
    make_office,
    return_bytes,
    send,
    send_month,
    some_figures,
    with_slip,
)

JANUARY = Period.parse("2014-01")
NOW = ("--now", "2014-02-06")
MONTHS_OF_2008 = [f"2008-{month:02d}" for month in range(5, 13)]  # the form begins in May
BUREAUS = """
bureaus:
  - {code: shiju, name_zh: 市局, name_en: Municipal Bureau, from: 2008-05-01, owes: [{family: bureau-monthly, from: 2008-05-01}]}
  - {code: haidian, name_zh: 海淀分局, name_en: Haidian Sub-bureau, from: 2008-05-01, parent: shiju, owes: [{family: bureau-monthly, from: 2008-05-01}]}
"""


@pytest.fixture
def small_office(tmp_path: Path) -> Office:
    """An office of two bureaus."""
    (tmp_path / "config").mkdir()
    for name in ("settings.yaml", "schedule.yaml"):
        text = (default_config_dir() / name).read_text(encoding="utf-8").replace("processes: auto", "processes: 0")
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")
    (tmp_path / "config" / "bureaus.yaml").write_text(BUREAUS, encoding="utf-8")
    return make_office(tmp_path, config=tmp_path / "config")


def corrected(office: Office, period: str = "2014-01") -> None:
    """The second revision of 海淀分局."""
    month = Period.parse(period)
    figures = some_figures(default_form(), max(1, month.ordinal - (4 if month.year == 2008 else 0)))
    figures[("publications", "month")] += 3
    figures[("publications.business", "month")] += 3
    figures[("publications", "year_to_date")] += 3
    figures[("publications.business", "year_to_date")] += 3
    figures[("publications.full_text", "month")] += 3
    figures[("publications.full_text", "year_to_date")] += 3
    data = return_bytes(default_form(), month, "haidian", "海淀分局", figures, revision=2)
    send(office, f"haidian_{period}_2.xlsx", data)


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


def test_a_year_before_a_locked_one_is_not_reopened(say, year: Office) -> None:
    send_month(year, Period.parse("2009-01"))
    say("--now", "2009-02-10", "consolidate", "2009-01")
    why = ("--by", "王处长", "--reason", "年度终了", "--json")

    later = say("--now", "2009-02-10", "lock", "2009", *why)

    assert {"earlier", "absent", "unsigned"} <= {one["code"] for one in later.json["hindrances"]}


# -- what changed, releases


@pytest.fixture
def released(say, small_office: Office) -> Office:
    """January, final and public, then corrected."""
    send_month(small_office, JANUARY)
    say(*NOW, "consolidate", "2014-01")
    say(*NOW, "sign-off", "2014-01", "--by", "王处长")
    say("--now", "2014-02-20T10:00", "release", "2014-01", "--by", "李主任")
    corrected(small_office)
    say("--now", "2014-03-06", "rerun", "2014-01")
    return small_office


@pytest.mark.usefixtures("released")
def test_a_correction_of_what_is_public_writes_the_notice_and_says_what_changed(say) -> None:
    said = say("changes", "2014-01", "--json")
    shown = say("--lang", "zh", "status", "2014-01").out

    contract("changes").validate(said.json)
    assert (said.json["from"]["version"], said.json["to"]["version"]) == (1, 2)
    assert said.json["from"]["released_by"] == "李主任"
    haidian = next(
        one for one in said.json["changes"] if one["bureau"] == "haidian" and one["indicator"] == "publications"
    )
    assert (haidian["old"], haidian["new"], haidian["why"][0]["by"]) == (12, 15, "张敏")
    assert Path("out/2014-01/更正说明-2014-01-v1-v2.txt").exists()
    assert "第 1 版为终稿;第 2 版改动合计数" in shown and "第 1 版已于 2014-02-20 发布" in shown
    assert say("--now", "2014-03-06", "rerun", "2014-01", "--json").json["version"] == 2
    assert "海淀分局" in say("--lang", "zh", "changes", "2014-01").out


@pytest.mark.usefixtures("released")
def test_the_table_of_a_later_version_has_a_sheet_of_what_changed(golden: Callable[[str, str], None]) -> None:
    book = openpyxl.load_workbook("out/2014-01/汇总表-2014-01-v2.xlsx")
    assert "更正" not in openpyxl.load_workbook("out/2014-01/汇总表-2014-01-v1.xlsx").sheetnames
    rows = [
        " | ".join(str(cell) for cell in row if cell is not None) for row in book["更正"].iter_rows(values_only=True)
    ]
    golden("changes-sheet.txt", "\n".join(rows) + "\n")


@pytest.mark.usefixtures("released")
def test_a_day_in_the_past_is_rebuilt_with_its_table(say) -> None:
    said = say("status", "2014-01", "--as-of", "2014-02-10", "--table", "then.xlsx", "--json")
    again = say("status", "2014-01", "--as-of", "2014-02-10", "--table", "then.xlsx")

    assert (said.json["version"], said.json["status"]) == (1, "final")
    assert again.code == 2  # nothing is overwritten
    book = openpyxl.load_workbook("then.xlsx")
    sheet = book.worksheets[0]
    assert "终稿,第 1 版" in sheet["A1"].value
    assert sheet["A2"].value.startswith("2014-02-20 10:00 发布前不得公开")
    heads = [cell.value for cell in sheet[4]]
    rows = {row[0]: dict(zip(heads, row, strict=True)) for row in sheet.iter_rows(min_row=5, values_only=True)}
    assert next(value for head, value in rows["海淀分局"].items() if head.startswith("主动公开")) == 12


def test_failures_of_a_day_are_those_that_were_known_then(say, small_office: Office) -> None:
    send_month(small_office, JANUARY, changed={"haidian": with_slip()})
    send(small_office, "bad_2014-01.xlsx", b"PK")
    say(*NOW, "consolidate", "2014-01")
    known = say("failures", "2014-01", "--json").json
    (small_office.settings.inbox_path / "bad_2014-01.xlsx").unlink()
    right = return_bytes(default_form(), JANUARY, "haidian", "海淀分局", some_figures(default_form()), revision=2)
    send(small_office, "haidian_2.xlsx", right)
    say("--now", "2014-02-10", "rerun", "2014-01")

    then = say("failures", "2014-01", "--as-of", "2014-02-06", "--json")

    contract("failures").validate(then.json)
    assert {one["rule"] for one in then.json} == {one["rule"] for one in known}
    assert {one["kind"] for one in then.json} >= {"breakdown", "unreadable"}
    assert say("failures", "2014-01", "--json").json == []


@pytest.mark.usefixtures("released")
def test_the_release_calendar(say) -> None:
    said = say("--now", "2014-03-21", "releases", "--json")

    contract("releases").validate(said.json)
    told = {one["period"]: (one["version"], one["final"], one["released"], one["overdue"]) for one in said.json}
    assert told == {"2014-01": (2, 1, 1, False), "2014-02": (None, None, None, True)}
    assert said.code == 1
    assert "overdue" in say("--now", "2014-03-21", "--lang", "en", "releases").out


def test_nothing_is_released_before_its_moment_nor_before_it_is_final(
    say, tmp_path: Path, small_office: Office
) -> None:
    schedule = tmp_path / "config" / "schedule.yaml"
    text = schedule.read_text(encoding="utf-8")
    schedule.write_text(text.replace("dates: {}", "dates: {2014-01: 2014-02-18}"), encoding="utf-8")
    send_month(small_office, JANUARY)
    say(*NOW, "consolidate", "2014-01")
    release = ("release", "2014-01", "--by", "李主任", "--json")
    assert "sign it off first" in say("--lang", "en", "--now", "2014-02-19", *release).err
    say(*NOW, "sign-off", "2014-01", "--by", "王处长")

    early = say("--lang", "en", "--now", "2014-02-18T09:59", *release)
    done, again = (say("--now", f"2014-02-{day}T10:00", *release) for day in (18, 19))

    assert (early.code, "embargoed until 2014-02-18 10:00" in early.err) == (2, True)
    contract("release").validate(done.json)
    assert (done.json["new"], again.json["new"], again.json["at"]) == (True, False, done.json["at"])


@pytest.mark.usefixtures("released")
def test_revisions(say) -> None:
    table, bureaus = (say("revisions", "publications", *more, "--json").json for more in ((), ("--by-bureau",)))

    for one in (table, bureaus):
        contract("revisions").validate(one)
    assert [one["value"] for one in table["periods"][0]["vintages"]] == [24, 27]
    assert table["periods"][0]["revision"] == 3
    assert bureaus["bureaus"][0] == {"bureau": "haidian", "periods": 1, "revised": 1, "mean": 3.0, "mean_absolute": 3.0}
    early = say("revisions", "publications", "--as-of", "2014-02-10", "--json").json
    assert [one["status"] for one in early["periods"][0]["vintages"]] == ["final"]
    assert "2014-01" in say("revisions", "publications").out

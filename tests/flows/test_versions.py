"""Versions held against each other, from the command line: changes, notices, releases, revisions, and days in the past."""

from __future__ import annotations

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

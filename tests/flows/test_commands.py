"""The command line as a person and a machine meet it: contracts, exit codes, messages, repeatability."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

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


def january(folder: Path, **changes) -> None:
    office = make_office(folder)
    send_month(office, JANUARY, **changes)


def test_a_clean_month_prints_the_contract_and_exits_0(say, tmp_path: Path) -> None:
    january(tmp_path)

    said = say(*NOW, "consolidate", "2014-01", "--json")

    contract("consolidation").validate(said.json)
    assert (said.code, said.err) == (0, "")
    assert (said.json["accepted"], said.json["period"], said.json["status"]) == (17, "2014-01", "provisional")


def test_held_or_missing_exits_1(say, tmp_path: Path) -> None:
    january(tmp_path, without=("yanqing",), changed={"haidian": with_slip()})

    said = say(*NOW, "consolidate", "2014-01", "--json")

    contract("consolidation").validate(said.json)
    assert said.code == 1
    assert (said.json["missing"], said.json["partly_held"]) == (["yanqing"], 1)
    held = [one for one in said.json["figures"] if one["status"] == "unvalidated"]
    assert {one["indicator"].split(".")[0] for one in held} == {"enquiries"}


def test_status_prints_what_consolidate_printed(say, tmp_path: Path) -> None:
    january(tmp_path, changed={"haidian": with_slip()})
    told = say(*NOW, "consolidate", "2014-01", "--json").json

    said = say("status", "2014-01", "--json")

    contract("consolidation").validate(said.json)
    assert told.pop("audit")["number"] > 1
    sources = told.pop("sources")  # what was found where is the run's own; the month's standing is what both tell
    assert [(one["name"], one["status"], one["files"]) for one in sources] == [("inbox", "ok", 17)]
    assert said.json == told
    assert said.code == 1


def test_consolidating_twice_changes_nothing(say, tmp_path: Path) -> None:
    january(tmp_path, changed={"haidian": with_slip()})
    first = say(*NOW, "consolidate", "2014-01", "--json")
    tables = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.xlsx")}

    second = say(*NOW, "consolidate", "2014-01", "--json")

    assert second.json == first.json
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.xlsx")} == tables


@pytest.mark.parametrize("language", ["zh", "en"])
def test_people_get_a_table_and_the_reasons(say, tmp_path: Path, language: str) -> None:
    january(tmp_path, without=("yanqing",), changed={"haidian": with_slip()})

    said = say("--lang", language, *NOW, "consolidate", "2014-01")

    expected = {
        "zh": ("海淀分局", "部分暂存", "未报", "各分项合计 10", "统计表!C20", "汇总表"),
        "en": ("Haidian Sub-bureau", "partly held", "missing", "the parts add to 10", "统计表!C20", "table:"),
    }[language]
    assert all(text in said.out for text in expected), said.out
    assert said.err == ""


def test_failures_are_listed_with_cells(say, tmp_path: Path) -> None:
    january(tmp_path, changed={"haidian": with_slip()})
    say(*NOW, "consolidate", "2014-01")

    said = say("failures", "2014-01", "--json")

    rules = {one["rule"]: one for one in said.json}
    slip = rules["breakdown:enquiries:channel"]
    assert (slip["bureau"], slip["seen"], slip["expected"], slip["difference"]) == (
        "haidian",
        ["6", "4", "0", "9"],
        "10",
        "1",
    )
    assert slip["cells"][-1] == "统计表!C19"
    assert said.code == 1


def test_the_year_is_consolidated_by_the_same_command(say, tmp_path: Path) -> None:
    january(tmp_path)
    say(*NOW, "consolidate", "2014-01")

    said = say(*NOW, "consolidate", "2014", "--early", "--json")

    contract("consolidation").validate(said.json)
    assert said.code == 1  # eleven months are missing
    assert next(one["value"] for one in said.json["figures"] if one["indicator"] == "publications") == 17 * 12


# -- template -----------------------------------------------------------------------------------------------------------


def test_the_template_carries_last_months_accepted_closings(say, tmp_path: Path) -> None:
    figures = some_figures(default_form())
    for place in (
        ("applications.closing", "month"),
        ("applications.received", "month"),
        ("applications.received.letter", "month"),
    ):
        figures[place] += 3
        figures[(place[0], "year_to_date")] += 3
    january(tmp_path, changed={"haidian": figures})
    say(*NOW, "consolidate", "2014-01")

    said = say(*NOW, "template", "--bureau", "海淀分局", "--period", "2014-02", "--out", tmp_path / "blank")

    assert said.code == 0
    checked = say("check", tmp_path / "blank" / "海淀分局_2014-02.xlsx", "--json").json
    values = {
        (one["indicator"], one["column"]): one["value"] for one in checked["observations"] if one["value"] is not None
    }
    assert values == {
        ("applications.opening", "month"): 3,
        ("applications.opening", "year_to_date"): 0,
        ("reconsiderations.opening", "month"): 0,
        ("reconsiderations.opening", "year_to_date"): 0,
        ("litigation.opening", "month"): 0,
        ("litigation.opening", "year_to_date"): 0,
    }
    assert [one["rule"] for one in checked["failures"]] == ["return:untouched", "header:signer"]


# -- an office of one's own ---------------------------------------------------------------------------------------------


def test_init_writes_an_office_once(say, tmp_path: Path) -> None:
    first = say("init", tmp_path / "office")
    before = (tmp_path / "office" / "config" / "bureaus.yaml").read_text(encoding="utf-8")
    (tmp_path / "office" / "config" / "bureaus.yaml").write_text(before + "# ours\n", encoding="utf-8")

    second = say("init", tmp_path / "office")

    assert (first.code, second.code) == (0, 0)
    assert (tmp_path / "office" / "config" / "bureaus.yaml").read_text(encoding="utf-8").endswith("# ours\n")
    assert (tmp_path / "office" / "inbox").is_dir()
    assert say("--config", tmp_path / "office" / "config", "config", "check").code == 0


def test_a_baseline_starts_an_office_that_has_a_past(say, tmp_path: Path) -> None:
    figures = some_figures(default_form())
    figures[("applications.opening", "month")] = figures[("applications.opening", "year_to_date")] = Decimal(4)
    figures[("applications.closing", "month")] = figures[("applications.closing", "year_to_date")] = Decimal(4)
    january(tmp_path, changed={"haidian": figures})
    rows = "bureau,period,indicator,column,value\nhaidian,2013-12,applications.closing,month,5\n,2013-12,publications,month,900\n"
    (tmp_path / "past.csv").write_text(rows, encoding="utf-8")

    imported = say(*NOW, "import-history", tmp_path / "past.csv", "--json")
    again = say(*NOW, "import-history", tmp_path / "past.csv", "--json")
    said = say(*NOW, "consolidate", "2014-01", "--json")

    assert imported.json == {"inserted": 2, "unchanged": 0, "replaced": 0}
    assert again.json == {"inserted": 0, "unchanged": 2, "replaced": 0}
    assert said.json["partly_held"] == 1
    (opening,) = [one for one in say("failures", "2014-01", "--json").json if one["kind"] == "opening"]
    assert (opening["seen"], opening["expected"]) == (["5", "4"], "5")
    before = say("status", "2013-12", "--json")
    contract("consolidation").validate(before.json)
    assert before.json["status"] == "unverified"


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [
        ("a,b\n1,2\n", "columns missing"),
        ("bureau,period,indicator,column,value\nnowhere,2013-12,publications,month,5\n", "line 2: no bureau 'nowhere'"),
        ("bureau,period,indicator,column,value\nhaidian,2013-13,publications,month,5\n", "line 2"),
        (
            "bureau,period,indicator,column,value\nhaidian,2013-12,publication,month,5\n",
            "line 2: form bureau-monthly/2008",
        ),
        ("bureau,period,indicator,column,value\nhaidian,2013-12,publications,month,many\n", "'many' is not a number"),
        ("bureau,period,indicator,column,value\nhaidian,2013-12,publications,month,1.5\n", "more decimals"),
    ],
)
def test_a_wrong_baseline_names_the_line(say, tmp_path: Path, text: str, said_of_it: str) -> None:
    make_office(tmp_path)
    (tmp_path / "past.csv").write_text(text, encoding="utf-8")

    said = say(*NOW, "import-history", tmp_path / "past.csv")

    assert said.code == 2
    assert said_of_it in said.err
    assert "Traceback" not in said.err


# -- mistakes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said_of_it"),
    [
        (("consolidate", "2014-13"), "'2014-13' is not a period"),
        (("consolidate", "2008-03"), "No version of 'bureau-monthly' covers 2008-03"),
        (("consolidate", "2014-01", "--family", "weekly"), "no form family 'weekly'"),
        (("status", "2014-01"), "was not consolidated yet"),
        (("rerun", "2014-01", "--bureau", "nowhere"), "no bureau 'nowhere'"),
        (("failures", "2014-01", "--bureau", "nowhere"), "no bureau 'nowhere'"),
        (("--lang", "fr", "status"), "--lang 'fr' is not known"),
        (("--now", "tomorrow", "status"), "--now 'tomorrow' is no day"),
        (("template", "--bureau", "nowhere", "--period", "2014-01"), "no bureau 'nowhere'"),
        (("template", "--period", "2014Q1"), "its periods are like 2014-01"),
        (("--config", "nowhere", "status"), "does not exist"),
        (("check", "nowhere.xlsx"), "Cannot read nowhere.xlsx"),
        (("consolidate",), "Missing argument"),
        (("consolidat", "2014-01"), "No such command"),
    ],
)
def test_a_users_mistake_is_one_message_and_exit_2(
    say, tmp_path: Path, arguments: tuple[str, ...], said_of_it: str
) -> None:
    make_office(tmp_path)

    said = say(*arguments)

    assert said.code == 2
    assert said_of_it in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_a_missing_inbox_is_told(say, tmp_path: Path) -> None:
    said = say(*NOW, "consolidate", "2014-01")

    assert said.code == 2
    assert "inbox" in said.err


def test_an_unreachable_database_is_told_without_its_password(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_office(tmp_path)
    monkeypatch.setenv("DISCLOSURE_WAREHOUSE", "postgresql://someone:verysecret@127.0.0.1:9/none")

    said = say(*NOW, "consolidate", "2014-01")

    assert said.code == 2
    assert "127.0.0.1" in said.err
    assert "verysecret" not in said.err + said.out


def test_a_program_fault_exits_3(say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from disclosure_etl.quality import judging

    def broken(frame, *rest):
        raise RuntimeError("a rule that raises")

    january(tmp_path)
    monkeypatch.setattr(judging, "validate", broken)

    said = say(*NOW, "consolidate", "2014-01", "--json")

    assert said.code == 3
    assert (said.json["failed"], said.json["failures"]) == (17, 0)


def test_doctor_finds_everything_in_place(say, tmp_path: Path) -> None:
    make_office(tmp_path)

    said = say(*NOW, "doctor", "--json")

    assert said.code == 0
    assert {one["what"]: one["ok"] for one in said.json} == {
        "config": True,
        "form": True,
        "inbox": True,
        "warehouse": True,
        "calendar": True,
    }


def test_doctor_warns_when_the_calendar_ends(say, tmp_path: Path) -> None:
    make_office(tmp_path)

    said = say("--now", "2026-12-01", "doctor", "--json")

    assert said.code == 1
    assert not next(one["ok"] for one in said.json if one["what"] == "calendar")


def test_upgrading_a_current_warehouse_changes_nothing(say, tmp_path: Path) -> None:
    january(tmp_path)
    say(*NOW, "consolidate", "2014-01")
    before = say("status", "2014-01", "--json").json

    said = say("warehouse", "upgrade")

    assert said.code == 0
    assert say("status", "2014-01", "--json").json == before


def test_rerun_takes_only_the_named_bureaus(say, tmp_path: Path) -> None:
    january(tmp_path, without=("miyun", "haidian"))
    say(*NOW, "consolidate", "2014-01")
    january(tmp_path)

    said = say(*NOW, "rerun", "2014-01", "--bureau", "haidian", "--json")

    assert said.json["missing"] == ["miyun"]
    rest = say(*NOW, "rerun", "2014-01", "--json")
    assert rest.json["missing"] == []
    shutil.rmtree(tmp_path / "inbox")


def test_a_dry_rerun_says_what_it_would_take(say, tmp_path: Path) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY, without=("haidian",))
    say("consolidate", "2014-01", "--json")
    send_month(office, JANUARY)

    said = say("rerun", "2014-01", "--dry-run", "--json")

    assert said.code == 0
    assert said.json["would"][0]["en"].startswith("haidian_2014-01.xlsx: would be taken")
    assert "将采用" in said.json["would"][0]["zh"]
    assert "haidian" in say("status", "2014-01", "--json").json["missing"]


def test_a_template_never_overwrites_what_somebody_filled_in(say, tmp_path: Path) -> None:
    make_office(tmp_path)
    ask = (*NOW, "template", "--bureau", "haidian", "--period", "2014-01", "--out", tmp_path / "blanks")
    assert say(*ask).code == 0
    (path,) = (tmp_path / "blanks").iterdir()
    blank = path.read_bytes()
    assert say(*ask).code == 0
    assert path.read_bytes() == blank
    path.write_bytes(b"filled in")

    said = say("--lang", "en", *ask)

    assert said.code == 1
    assert "left alone" in said.out
    assert path.read_bytes() == b"filled in"


def test_a_period_is_shown_as_it_stood_on_a_day(say, tmp_path: Path) -> None:
    january(tmp_path, changed={"haidian": with_slip()})
    before = say("--now", "2014-02-06", "consolidate", "2014-01", "--json").json
    office = make_office(tmp_path)
    right = return_bytes(default_form(), JANUARY, "haidian", "海淀分局", some_figures(default_form()), revision=2)
    send(office, "haidian_2.xlsx", right)
    after = say("--now", "2014-02-10", "rerun", "2014-01", "--json").json

    def as_of(day: str) -> dict:
        return say("status", "2014-01", "--as-of", day, "--json").json

    assert (as_of("2014-02-06")["version"], as_of("2014-02-09")["figures"]) == (1, before["figures"])
    assert (as_of("2014-02-10")["version"], as_of("2014-02-10")["figures"]) == (2, after["figures"])
    assert as_of("2014-02-09T23:59")["held"] == before["held"]
    assert [one["version"] for one in say("status", "--as-of", "2014-02-07", "--json").json] == [1]
    shown = say("--lang", "en", "status", "2014-01", "--as-of", "2014-02-07").out
    assert "version 2 is in force now" in shown
    early = say("--lang", "en", "status", "2014-01", "--as-of", "2014-02-05")
    assert (early.code, "not consolidated yet by 2014-02-05" in early.err) == (2, True)
    assert say("status", "2014-01", "--as-of", "yesterday").code == 2
    assert say("status", "2014-01", "--as-of", "2014-02-05", "--version", "1").code == 2

"""What the command line lets in: an office's folder, periods that are over, words as people write them; and its help."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.periods import Period
from tests.factories import make_office, send_month
from tests.flows.test_second_form import BUREAUS, FORM

JANUARY = Period.parse("2014-01")
NOW = ("--now", "2014-02-06")

# -- an office's folder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("consolidate", "2014-01"), ("rerun", "2014-01"), ("status",), ("failures", "2014-01"),
        ("template", "--period", "2014-01"), ("import-history", "past.csv"), ("serve",), ("warehouse", "upgrade"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_outside_an_offices_folder_nothing_is_done(say, tmp_path: Path, words: tuple[str, ...]) -> None:
    said = say("--lang", "en", *words, furnished=False)

    assert said.code == 2
    assert "There is no config/" in said.err and "init" in said.err and "--config" in said.err
    assert list(tmp_path.iterdir()) == []


def test_doctor_outside_an_office_says_so_and_leaves_nothing(say, tmp_path: Path) -> None:
    said = say(*NOW, "doctor", "--json", furnished=False)

    assert said.code == 1
    assert not next(one["ok"] for one in said.json if one["what"] == "config")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("config", "check"), ("--help",), ("--version",)], ids=" ".join)
def test_some_commands_need_no_office(say, words: tuple[str, ...]) -> None:
    assert say(*words, furnished=False).code == 0


# -- periods -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "period", "code"),
    [
        ("2014-01-31", "2014-01", 2), ("2014-02-01", "2014-01", 1), ("2014-03-31", "2014Q1", 2), ("2014-04-01", "2014Q1", 1),
        ("2014-12-31", "2014", 2),
    ],
)  # fmt: skip
def test_a_period_that_is_not_over_is_refused(say, tmp_path: Path, now: str, period: str, code: int) -> None:
    make_office(tmp_path)

    said = say("--now", now, "--lang", "en", "consolidate", period)

    assert said.code == code
    assert ("--early" in said.err) == (code == 2)


def test_early_consolidates_it_all_the_same(say, tmp_path: Path) -> None:
    send_month(make_office(tmp_path), JANUARY)

    said = say("--now", "2014-01-20", "consolidate", "2014-01", "--early", "--json")

    assert (said.code, said.json["accepted"]) == (0, 17)
    assert say("--now", "2014-01-20", "rerun", "2014-01").code == 2


@pytest.mark.parametrize("written", ["2014年1月", "201401", "2014.1", "2014-01"])
def test_periods_are_taken_as_people_write_them(say, tmp_path: Path, written: str) -> None:
    send_month(make_office(tmp_path), JANUARY)

    assert say(*NOW, "consolidate", written, "--json").json["period"] == "2014-01"
    assert say("status", written, "--json").json["period"] == "2014-01"
    assert say("failures", written).code == 0


@pytest.mark.parametrize("words", [("--bureau", "haidian"), ("--dry-run",)], ids=" ".join)
def test_a_coarser_period_has_no_returns_to_take(say, tmp_path: Path, words: tuple[str, ...]) -> None:
    send_month(make_office(tmp_path), JANUARY)

    said = say("--now", "2014-04-10", "--lang", "en", "rerun", "2014Q1", *words)

    assert said.code == 2
    assert "2014-01, 2014-02, 2014-03" in said.err


# -- a form in force ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("now", "fits"), [("2014-07-08", True), ("2015-05-01", False)])
def test_doctor_warns_when_no_form_is_in_force(say, tmp_path: Path, now: str, fits: bool) -> None:
    say("init", tmp_path)
    config = tmp_path / "config"
    (config / "forms").mkdir()
    form = FORM.replace("valid: {from: 2014Q1}", "valid: {from: 2014Q1, to: 2014Q4}")
    (config / "forms" / "hotline.yaml").write_text(form, encoding="utf-8")
    (config / "bureaus.yaml").write_text(BUREAUS, encoding="utf-8")
    settings = (config / "settings.yaml").read_text(encoding="utf-8")
    settings = settings.replace("family: bureau-monthly", "family: hotline").replace("bureau: shiju", "bureau: north")
    (config / "settings.yaml").write_text(settings, encoding="utf-8")

    said = say("--now", now, "doctor", "--json")

    (found,) = [one for one in said.json if one["what"] == "form"]
    assert found["ok"] is fits
    assert ("2015Q1" in found["detail"]["en"]) is not fits


def test_serve_warns_when_no_form_is_in_force(say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import deployments

    def no_server(*_) -> None:
        raise deployments._Stopped

    make_office(tmp_path)
    monkeypatch.setattr(deployments, "prefect_server", no_server)

    said = say("--now", "2008-03-06", "serve")

    assert "covers 2008-02" in said.err


# -- configuration -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("config", "check"), ("doctor",)], ids=" ".join)
def test_an_office_of_no_bureau_is_told_with_file_and_line(say, tmp_path: Path, command: tuple[str, ...]) -> None:
    say("init", tmp_path)
    path = tmp_path / "config" / "settings.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("bureau: shiju", "bureau: shijv"), encoding="utf-8")

    said = say("--lang", "en", *command)

    assert said.code == 2
    assert "settings.yaml:3: office.bureau is 'shijv'" in said.err
    assert "Did you mean 'shiju'?" in said.err


def test_init_says_what_comes_next(say, tmp_path: Path) -> None:
    said = say("--lang", "en", "init", tmp_path)

    assert "office.bureau" in said.out and "config check" in said.out


# -- help --------------------------------------------------------------------------------------------------------------


def test_the_list_of_commands_is_not_cut(say) -> None:
    listed = say("--help").out.partition("Commands:")[2]

    assert "..." not in listed
    assert "list what follows and who has what to do." in " ".join(listed.split())


@pytest.mark.parametrize("command", ["consolidate", "rerun", "status", "failures", "demo", "init", "serve"])
def test_placeholders_read_as_words(say, command: str) -> None:
    said = say(command, "--help")

    assert "TEXT" not in said.out and "%" not in said.out and "[[" not in said.out and "INTEGER" not in said.out


def test_the_version_is_told(say) -> None:
    assert say("--version", furnished=False).out.startswith("disclosure-etl ")


def test_wrong_options_are_told_in_both_languages(say) -> None:
    assert "请写 zh 或 en" in said_in_chinese(say, "--lang", "fr", "doctor")
    assert "不是日期" in said_in_chinese(say, "--lang", "zh", "--now", "明天", "doctor")


def said_in_chinese(say, *words: str) -> str:
    import os

    os.environ["LANG"] = "zh_CN.UTF-8"  # the fixture of `say` puts it back
    return say(*words).err


def test_a_wrong_baseline_tells_all_its_bad_lines_in_order(say, tmp_path: Path) -> None:
    make_office(tmp_path)
    bad = [f"nowhere,2013-{month:02d},publications,month,many" for month in range(1, 13)]
    text = "bureau,period,indicator,column,value\nhaidian,2013年12月,publications,month,5\n" + "\n".join(bad) + "\n"
    (tmp_path / "past.csv").write_text(text, encoding="utf-8")

    said = say(*NOW, "--lang", "en", "import-history", tmp_path / "past.csv")

    lines = [line for line in said.err.splitlines() if "past.csv, line" in line]
    assert [line.split("line ")[1].split(":")[0] for line in lines] == [str(number) for number in range(3, 13)]
    assert "and 2 more lines" in said.err
    assert said.code == 2

"""`status` and `failures`: nobody is told that all is well while something is missing, and every exit code 1 has a reason
on the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flows.session import CLEAN, NEEDS_PERSON, exit_code
from schemas.periods import Period
from schemas.records import failure_id
from tests.factories import FAMILY, make_office, send, send_month, with_slip

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
NOW = ("--now", "2014-02-10")


def told(said) -> set[tuple[str | None, str, str]]:
    return {(one["bureau"], one["period"], one["rule"]) for one in said.json}


@pytest.fixture
def january(say, tmp_path: Path) -> None:
    send_month(make_office(tmp_path), JANUARY, without=("yanqing", "miyun"), changed={"haidian": with_slip()})
    say(*NOW, "consolidate", "2014-01")


# -- failures -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("january")
def test_missing_bureaus_are_failures_with_their_due_day(say) -> None:
    said = say("failures", "2014-01", "--json")

    (missing,) = [one for one in said.json if (one["rule"], one["bureau"]) == ("duty:missing", "yanqing")]
    assert (missing["severity"], missing["file"], missing["expected"]) == ("error", None, "2014-02-07")
    assert missing["id"] == failure_id("duty:missing", "yanqing", "2014-01", None, ())
    assert "延庆分局" in missing["message"]["zh"] and "2014-02-07" in missing["message"]["zh"]
    assert "Yanqing" in missing["message"]["en"] and "2014-02-07" in missing["message"]["en"]
    assert said.code == 1


def test_a_bureau_alone_missing_is_no_all_clear(say, tmp_path: Path) -> None:
    send_month(make_office(tmp_path), JANUARY, without=("yanqing",))
    say("--now", "2014-02-06", "consolidate", "2014-01")

    whole, one, other = (say("failures", "2014-01", *of) for of in ((), ("--bureau", "yanqing"), ("--bureau", "miyun")))

    assert (whole.code, one.code, other.code) == (1, 1, 0)
    assert "due on 2014-02-07" in one.out
    assert "No failures" in other.out


def test_a_late_return_is_a_notice(say, tmp_path: Path) -> None:
    send_month(make_office(tmp_path), JANUARY)
    say("--now", "2014-02-20", "consolidate", "2014-01")

    said = say("failures", "2014-01", "--json")

    assert {(one["rule"], one["severity"]) for one in said.json} == {("duty:late", "notice")}
    assert said.json[0]["seen"] == ["2014-02-20"]
    assert said.code == 0


@pytest.mark.usefixtures("january")
def test_a_coarser_period_lists_what_its_months_have(say) -> None:
    said = say("--now", "2014-04-10", "failures", "2014Q1", "--json")

    found = told(said)
    assert ("haidian", "2014-01", "breakdown:enquiries:channel") in found
    assert ("yanqing", "2014-01", "duty:missing") in found
    assert {(None, "2014-02", "duty:missing"), (None, "2014-03", "duty:missing")} <= found  # never consolidated
    assert said.code == 1


@pytest.mark.usefixtures("january")
def test_a_period_never_consolidated_is_no_all_clear(say) -> None:
    for period in ("2014-02", "2014Q2"):
        said = say(*NOW, "failures", period)
        assert said.code == 2
        assert "was not consolidated yet" in said.err


# -- one resolver for bureaus ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("january")
@pytest.mark.parametrize("written", ["haidian", "海淀分局", "Haidian Sub-bureau", "北京市国土资源局海淀分局"])
def test_every_command_knows_a_bureau_by_code_name_and_alias(say, tmp_path: Path, written: str) -> None:
    failed = say("failures", "2014-01", "--bureau", written, "--json")
    rerun = say(*NOW, "rerun", "2014-01", "--bureau", written, "--dry-run", "--json")
    blank = say(*NOW, "template", "--period", "2014-02", "--bureau", written, "--out", tmp_path / "blank")

    assert {one["bureau"] for one in failed.json} == {"haidian"}
    assert (rerun.code, blank.code) == (0, 0)
    assert [path.name for path in (tmp_path / "blank").iterdir()] == ["海淀分局_2014-02.xlsx"]


@pytest.mark.parametrize("words", [("failures", "2014-01"), ("rerun", "2014-01"), ("template", "--period", "2014-01")])
def test_an_unknown_bureau_is_told_with_the_nearest_name(say, words: tuple[str, ...]) -> None:
    said = say("--lang", "zh", *words, "--bureau", "海淀局")

    assert said.code == 2
    assert "是否应为 haidian(海淀分局)?" in said.err
    assert "xicheng(西城分局)" in said.err


# -- status -------------------------------------------------------------------------------------------------------------


def test_status_lists_every_stored_consolidation(say, tmp_path: Path) -> None:
    make_office(tmp_path)
    say("--now", "2014-02-10", "consolidate", "2014-01")  # nothing was received
    say("--now", "2014-04-10", "consolidate", "2014Q1")

    listed = say("status", "--json")

    assert [one["period"] for one in listed.json] == ["2014Q1", "2014-01"]
    assert say("status").code == 1


def test_each_reason_to_look_stands_in_its_line(say, tmp_path: Path) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY, changed={"haidian": with_slip()})
    send(office, "xicheng_2014-01_again.xlsx", (tmp_path / "inbox" / "dongcheng_2014-01.xlsx").read_bytes()[:900])
    send(office, "miyun_2014-01.xlsx", (say_blank(say, tmp_path) / "密云分局_2014-01.xlsx").read_bytes())
    say("--now", "2014-02-06", "consolidate", "2014-01")

    line = next(line for line in say("--lang", "zh", "status").out.splitlines() if line.startswith("2014-01"))

    # version, accepted, held (one in part, one whole), of them in part, not taken (unreadable), failures
    assert line.split()[1:6] == ["1", "15", "2", "1", "1"]


def say_blank(say, folder: Path) -> Path:
    say("--now", "2014-02-06", "template", "--period", "2014-01", "--bureau", "miyun", "--out", folder / "blank")
    return folder / "blank"


def test_an_error_alone_needs_a_person(office) -> None:
    from disclosure_etl.pipeline import consolidate

    send_month(office, JANUARY)
    one = consolidate(office, FAMILY, JANUARY).consolidation
    first, *rest = one.bureaus

    assert exit_code(one) == CLEAN
    assert exit_code(replace(one, bureaus=(replace(first, errors=1), *rest))) == NEEDS_PERSON


@pytest.mark.usefixtures("january")
def test_an_earlier_version_is_shown_as_it_was_frozen(say, tmp_path: Path) -> None:
    from tests.factories import default_form, return_bytes, some_figures

    corrected = return_bytes(default_form(), JANUARY, "haidian", "海淀分局", some_figures(default_form()), revision=2)
    send(make_office(tmp_path), "haidian_again.xlsx", corrected)
    say("--now", "2014-02-11", "rerun", "2014-01")

    first, now = (say("--lang", "en", "status", "2014-01", *of) for of in (("--version", "1"), ()))

    assert "version 2 is in force now" in first.out and "the parts add to 10" in first.out and "9*" in first.out
    assert "the parts add to 10" not in now.out and "9*" not in now.out
    assert say("status", "2014-01", "--version", "1", "--json").json["partly_held"] == 1
    unknown = say("status", "2014-01", "--version", "9")
    assert (unknown.code, "the newest is 2" in unknown.err) == (2, True)


def test_the_legend_explains_what_is_open(say, tmp_path: Path) -> None:
    send_month(make_office(tmp_path), FEBRUARY)
    say("--now", "2014-03-06", "consolidate", "2014-02")

    assert "待判:" in say("--lang", "zh", "status", "2014-02").out
    assert "open (not assessable)" in say("--lang", "en", "status", "2014-02").out


@pytest.mark.usefixtures("january")
def test_missing_bureaus_are_named_with_the_due_day_and_the_check_hint(say) -> None:
    said = say("--lang", "zh", "status", "2014-01")

    assert "未报(2014-02-07 到期):密云分局、延庆分局" in said.out
    assert "disclosure-etl check" in said.out

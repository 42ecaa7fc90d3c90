"""The demonstration, as a person starts it: the year 2014 comes to the figures that it must come to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# The figures of the year, once corrected. They stand here on their own, apart from the story that has to meet them.
YEAR = {
    "publications": 12176, "publications.organisation": 12, "publications.regulations": 7, "publications.plans": 6,
    "publications.duties": 1, "publications.business": 12150,
    "enquiries": 9800, "enquiries.on_site": 5600, "enquiries.telephone": 4200, "enquiries.online": 0,
    "applications.opening": 0, "applications.received": 7390, "applications.received.in_person": 5604,
    "applications.received.fax": 8, "applications.received.internet": 21, "applications.received.letter": 1757,
    "replies": 7337, "replies.granted": 3167, "replies.partly_granted": 76, "replies.refused": 42,
    "replies.not_exist": 3469, "replies.not_held": 251, "replies.unclear": 262,
    "replies.not_government_information": 29, "replies.already_public": 41,
    "applications.withdrawn": 0, "applications.closing": 53,
    "fees.collected": "4711.7", "fees.collected.postage": "0", "fees.waived": "632.1",
    "reconsiderations.received": 91, "reconsiderations.upheld": 64, "reconsiderations.rejected_or_terminated": 6,
    "reconsiderations.revoked": 5, "reconsiderations.ordered_to_act": 1, "reconsiderations.closing": 15,
    "litigation.received": 290,
}  # fmt: skip


def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DISCLOSURE_", "PREFECT_"))}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**clean, "LANG": "zh_CN.UTF-8", **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return folder, command("demo", folder)


@pytest.mark.prefect
def test_the_story_comes_true_and_nothing_strays_into_it(told) -> None:
    _, done = told

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "Traceback" not in done.stdout
    assert "虚构" in done.stdout  # it says that the slips are invented


@pytest.mark.prefect
def test_unvalidated_figures_are_marked_and_later_versions_explained(told) -> None:
    folder, done = told
    lines = done.stdout.splitlines()
    june = next(line for line in lines if line.startswith("  2014-06 第 1 版"))
    may = next(line for line in lines if line.startswith("  2014-05 第 1 版"))

    assert "656*" in june and "*" not in may
    assert "照填报数计入,未经认定" in done.stdout
    assert "更正前(缺 1 份,含 2 个暂存板块)" in done.stdout
    september = next(line for line in lines if line.startswith("  2014-09 第 4 版"))
    assert "第 2、3 版随 2014-06、2014-08 更正固化" in september
    assert f"{folder}/out/2014-06/汇总表-2014-06-v1.xlsx" in done.stdout


@pytest.mark.prefect
def test_what_it_says_to_look_at_shows_something(told) -> None:
    folder, done = told
    lines = [line for line in done.stdout.splitlines() if " --config " in line and "审核台" not in line]
    steps = [line.split("--config")[1].split() for line in lines]

    assert len(steps) == 3
    for _, *words in steps:
        shown = command("--config", folder / "config", *(word.strip("'") for word in words))
        assert shown.returncode == 1  # each has something to tell
    assert "各分项合计 73" in command("--config", folder / "config", "status", "2014-06", "--version", "1").stdout
    assert (folder / "out" / "2014-06" / "汇总表-2014-06-v1.xlsx").exists()


@pytest.mark.prefect
def test_something_added_to_it_is_not_deleted_by_the_next(told) -> None:
    folder, _ = told
    mine = folder / "inbox" / "mine.xlsx"
    mine.write_bytes(b"mine")

    done = command("--lang", "en", "demo", folder)

    assert done.returncode == 2
    assert "mine.xlsx" in done.stderr
    assert mine.read_bytes() == b"mine"
    mine.unlink()


def test_the_corrected_year_has_the_figures_of_the_report(told) -> None:
    folder, _ = told

    said = json.loads(command("--config", folder / "config", "status", "2014", "--json").stdout)

    figures = {one["indicator"]: one["value"] for one in said["figures"]}
    assert {code: figures[code] for code in YEAR} == YEAR
    assert all(one["status"] == "validated" for one in said["figures"])
    assert said["missing"] == []


def test_exactly_two_blocks_were_held_before_the_corrections(told) -> None:
    folder, _ = told
    from disclosure_etl.calendar import system_clock
    from disclosure_etl.office import Office
    from disclosure_etl.settings import load_settings
    from schemas.periods import Period

    warehouse = Office(load_settings(folder / "config", {}, folder), system_clock("Asia/Shanghai")).warehouse
    first = [
        warehouse.consolidation("bureau-monthly", Period.parse(f"2014-{number:02d}"), 1) for number in range(1, 13)
    ]

    held = {(state.bureau, one.period, block) for one in first for state in one.bureaus for block in state.held_blocks}
    missing = {(bureau, one.period) for one in first for bureau in one.missing}
    provisional = warehouse.consolidation("bureau-monthly", Period.parse("2014"), 1)
    values = {figure.indicator: figure.value for figure in provisional.figures}

    assert held == {("haidian", "2014-06", "applications"), ("chaoyang", "2014-09", "reconsiderations")}
    assert missing == {("yanqing", "2014-08")}
    assert (values["applications.received.letter"], values["reconsiderations.upheld"]) == (1759, 63)
    warehouse.close()


def test_ten_cases_of_january_wait_at_the_desk(told) -> None:
    folder, _ = told
    from disclosure_etl.calendar import system_clock
    from disclosure_etl.office import Office
    from disclosure_etl.settings import load_settings
    from flows.demo.open_month import PERIOD, WAITING
    from schemas.states import State

    office = Office(load_settings(folder / "config", {}, folder), system_clock("Asia/Shanghai"))
    waiting = office.warehouse.open_cases("bureau-monthly", PERIOD)
    bureaus = [
        one.bureau for one in office.warehouse.failures_named("bureau-monthly", PERIOD, waiting) if not one.failure.case
    ]
    states = {one.bureau: one.state for one in office.warehouse.returns("bureau-monthly", PERIOD)}
    office.warehouse.close()

    assert len(waiting) == 10
    assert sorted(bureaus) == sorted(one.bureau for one in WAITING)  # one at each
    assert {one.right for one in WAITING} == {True, False}
    assert all(one.note for one in WAITING if one.right)
    assert len(states) == 17 and set(states.values()) == {State.ACCEPTED, State.PARTLY_HELD}


def test_the_duplicate_and_the_damaged_file_are_counted(told) -> None:
    folder, _ = told

    march, may = (
        json.loads(command("--config", folder / "config", "status", period, "--json").stdout)
        for period in ("2014-03", "2014-05")
    )

    assert (march["duplicate"], march["accepted"]) == (1, 17)
    assert (may["unreadable"], may["accepted"]) == (1, 17)


def test_a_folder_with_anything_else_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    done = command("--lang", "en", "demo", tmp_path)

    assert done.returncode == 2
    assert "name another folder" in done.stderr
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"

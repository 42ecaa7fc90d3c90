"""`check`: what a clerk meets before sending, without an office and without a trace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.periods import Period
from tests.factories import contract, default_form, return_bytes, some_figures, with_slip, zeros

JANUARY = Period.parse("2014-01")


def test_check_prints_the_contract_without_any_set_up(say, tmp_path: Path) -> None:
    form = default_form()
    path = tmp_path / "return.xlsx"
    path.write_bytes(return_bytes(form, JANUARY, "nowhere", "某局", with_slip()))

    said = say("check", path, "--json")

    contract("check").validate(said.json)
    assert said.code == 1
    assert (said.json["bureau"], said.json["period"], said.json["status"]) == (None, "2014-01", "partly_held")
    assert {one["kind"] for one in said.json["failures"]} == {"breakdown", "share-column", "year-to-date"}
    amounts = [one["value"] for one in said.json["observations"] if one["indicator"] == "fees.collected"]
    assert amounts == ["30.5", "30.5"]
    labels = {one["indicator"]: one["label"] for one in said.json["observations"]}
    assert labels["publications.full_text"] == "其中:全文电子化"
    assert list(tmp_path.iterdir()) == [path]  # nothing was stored


def test_check_of_several_files_prints_an_array(say, tmp_path: Path) -> None:
    form = default_form()
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad.xlsx"
    good.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", zeros(form)))
    bad.write_bytes(b"")

    said = say("check", good, bad, "--json")

    contract("check").validate(said.json)
    assert [one["status"] for one in said.json] == ["accepted", "unreadable"]
    assert said.json[1]["failures"][0]["rule"] == "unreadable:empty"
    assert said.code == 1


def test_check_of_a_clean_file_exits_0(say, tmp_path: Path) -> None:
    form = default_form()
    path = tmp_path / "good.xlsx"
    path.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", some_figures(form)))

    assert say("check", path).code == 0


def test_check_of_a_workbook_loads_no_database_no_prefect_and_no_other_reader(tmp_path: Path) -> None:
    form = default_form()
    path = tmp_path / "good.xlsx"
    path.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", some_figures(form)))
    code = (
        "import sys; from flows.cli import main; code = main(sys.argv[1:]); "
        "print(sorted({'sqlalchemy', 'prefect', 'alembic', 'docx', 'pdfplumber', 'lxml', 'xlrd', 'openpyxl'} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(path), "--json"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr.strip()) == (0, "[]")


def test_a_path_that_is_wrong_costs_the_other_files_nothing(say, tmp_path: Path) -> None:
    form = default_form()
    good, missing = tmp_path / "good.xlsx", tmp_path / "没有.xlsx"
    good.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", zeros(form)))

    said = say("--lang", "zh", "check", good, missing, "--json")

    assert said.code == 2
    assert [(one["file"], one["status"]) for one in said.json] == [("good.xlsx", "accepted")]
    assert "没有.xlsx" in said.err
    assert "不存在" in said.err
    assert "No such file" not in said.err


def test_a_folder_is_checked_file_by_file(say, tmp_path: Path) -> None:
    form = default_form()
    for code, name in (("miyun", "密云分局"), ("yanqing", "延庆分局")):
        (tmp_path / f"{name}_2014-01.xlsx").write_bytes(return_bytes(form, JANUARY, code, name, zeros(form)))
    (tmp_path / "~$密云分局_2014-01.xlsx").write_bytes(b"lock")

    said = say("check", tmp_path, "--json")

    assert (said.code, sorted(one["file"] for one in said.json)) == (
        0,
        ["密云分局_2014-01.xlsx", "延庆分局_2014-01.xlsx"],
    )


def test_a_required_figure_without_a_place_is_told_by_what_was_not_found(say, tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "return.xlsx"
    path.write_bytes(return_bytes(default_form(), JANUARY, "miyun", "密云分局", zeros(default_form())))
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows(max_col=1):
        if row[0].value == "信函申请":
            row[0].value = "寄来的"
    book.save(path)

    said = say("check", path, "--json")

    (told,) = [one for one in said.json["failures"] if one["rule"] == "required:applications.received.letter"]
    assert "没有找到「信函申请」这一行" in told["message"]["zh"]
    assert "no row" in told["message"]["en"]


def test_a_number_that_shows_as_another_is_told_with_both(say, tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "return.xlsx"
    path.write_bytes(return_bytes(default_form(), JANUARY, "miyun", "密云分局", zeros(default_form())))
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows():
        if row[0].value == "现场咨询":
            row[2].value = 0.4
    book.save(path)

    said = say("check", path, "--json")

    (told,) = [one for one in said.json["failures"] if one["rule"] == "reading:display_differs"]
    assert (told["severity"], told["seen"], told["expected"]) == ("warning", ["0"], "0.4")
    assert "显示为 0" in told["message"]["zh"] and "0.4" in told["message"]["zh"]


def test_a_figure_in_words_is_taken_and_told_as_a_notice(say, tmp_path: Path) -> None:
    import openpyxl

    path = tmp_path / "return.xlsx"
    path.write_bytes(return_bytes(default_form(), JANUARY, "miyun", "密云分局", zeros(default_form())))
    book = openpyxl.load_workbook(path)
    for row in book.worksheets[0].iter_rows():
        if row[0].value == "现场咨询":
            row[2].value = "未收到"
    book.save(path)

    said = say("check", path, "--json")

    (told,) = [one for one in said.json["failures"] if one["rule"] == "reading:interpreted"]
    assert (told["severity"], told["seen"], told["expected"]) == ("notice", ["未收到"], "0")
    assert [one["value"] for one in said.json["observations"] if one["text"] == "未收到"] == [0]


@pytest.mark.parametrize("mark", ["¹", "①", "⁽", "❷"])
def test_a_footnotes_mark_behind_a_figure_of_a_text_is_none_of_it(say, tmp_path: Path, mark: str) -> None:
    path = tmp_path / "report.txt"
    path.write_text(f"本年共受理申请20{mark}件,其中当面申请12件,网上申请9{mark}件。\n其他情况没有变化。\n", "utf-8")
    said = say("check", str(path), "--json").json
    assert [(one["value"], one["text"].replace(" ", "")) for one in said["observations"]] == [
        (20, "20件"),
        (12, "12件"),
        (9, "9件"),
    ]
    assert [one["difference"] for one in said["failures"]] == ["1"]

"""`export`: what a spreadsheet, a machine and a person get."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from tests.factories import contract
from tests.successions import OLD, month, office_of, sent

ENTRIES = [("a", OLD, "2014-01-31", ["m"]), ("b", OLD, "2014-01-31", ["m"]), ("m", "2014-02-01", None, [])]
NOW = ("--now", "2014-12-06")
ONE = ("--indicator", "publications", "--column", "month")


@pytest.fixture
def merged(say, tmp_path: Path) -> None:
    office = office_of(tmp_path, ENTRIES)
    path = tmp_path / "config" / "bureaus.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("m分局", "=m分局"), encoding="utf-8")
    a, b = month(0, 3), month(0, 4)
    sent(office, "2014-01", a=a, b=b)
    office.warehouse.close()
    again = office_of(tmp_path, ENTRIES)
    sent(again, "2014-02", m=month(7, 7, a, b))
    path.write_text(path.read_text(encoding="utf-8").replace("m分局", "=m分局"), encoding="utf-8")
    again.warehouse.close()


def rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.usefixtures("merged")
def test_a_series_by_todays_tree_is_one_file(say) -> None:
    said = say(*NOW, "--lang", "en", "export", "2014-01..2014-02", "--tree", "today", *ONE)

    head, *lines = rows(said.out)
    assert said.code == 0
    assert head[:8] == ["period", "version", "tree", "level", "code", "bureau", "kind", "note"]
    assert [(one[0], one[4], one[6], one[7], one[13]) for one in lines] == [
        ("2014-01", "shiju", "subtotal", "", "24"),
        ("2014-01", "m", "own", "with a office, b office", "24"),
        ("2014-01", "", "total", "", "24"),
        ("2014-02", "shiju", "subtotal", "", "12"),
        ("2014-02", "m", "own", "", "12"),
        ("2014-02", "", "total", "", "12"),
    ]
    assert {one[2] for one in lines} == {"2014-12-06"}


@pytest.mark.usefixtures("merged")
def test_names_that_command_stay_texts_and_figures_are_numbers(say, tmp_path: Path) -> None:
    for name in ("f.csv", "f.xlsx"):
        said = say(
            *NOW, "--lang", "zh", "export", "2014-02", *ONE, "--format", name[2:], "--out", tmp_path / "out" / name
        )
        assert (said.code, said.out) == (0, f"已写出 {tmp_path / 'out' / name}\n")

    _, _, own, total = rows((tmp_path / "out" / "f.csv").read_bytes().decode())
    sheet = openpyxl.load_workbook(tmp_path / "out" / "f.xlsx").active
    cells = {cell.coordinate: cell for row in sheet.iter_rows(min_row=2) for cell in row}

    assert (own[5], own[13]) == ("'=m分局", "12")
    assert total[5:7] == ["合计", "合计"]
    assert (cells["F3"].value, cells["F3"].data_type) == ("=m分局", "s")
    assert (cells["N3"].value, cells["N3"].data_type) == (12, "n")


@pytest.mark.usefixtures("merged")
def test_machines_get_the_contract(say, tmp_path: Path) -> None:
    printed = say(*NOW, "export", "2014-01", "2014-02", "--json").json
    say(*NOW, "export", "2014-01", "2014-02", "--format", "json", "--out", tmp_path / "f.json")

    contract("export").validate(printed)
    assert json.loads((tmp_path / "f.json").read_text(encoding="utf-8")) == printed
    assert [one["tree_day"] for one in printed["periods"]] == ["2014-01-31", "2014-02-28"]


@pytest.mark.usefixtures("merged")
def test_what_of_a_range_was_not_consolidated_is_told(say) -> None:
    said = say(*NOW, "--lang", "en", "export", "2014-02..2014-04", *ONE)

    assert said.code == 1
    assert said.err.strip() == "not consolidated, so left out: 2014-03, 2014-04"


@pytest.mark.usefixtures("merged")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("2014-03",), "2014-03 was not consolidated yet"),
        (("2014-03..2014-04",), "2014-03 was not consolidated yet"),
        (("2014-02", "--format", "pdf"), "write csv, xlsx or json"),
        (("2014-02", "--format", "xlsx"), "xlsx needs --out"),
        (("2014-01", "2014-02", "--version", "1"), "--version goes with one period"),
        (("2014-01", "--version", "1", "--as-of", "2014-12-06"), "not both"),
    ],
)
def test_what_cannot_be_is_refused(say, words: tuple[str, ...], message: str) -> None:
    said = say(*NOW, "--lang", "en", "export", *words)

    assert (said.code, said.out) == (2, "")
    assert message in said.err

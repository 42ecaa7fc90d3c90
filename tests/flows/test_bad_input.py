"""A month in which nearly every bureau sends something that cannot be used: each is told with file and cell, the others
go on, and nothing is lost or guessed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.intake.sources import Delivery
from schemas.periods import Period
from tests.factories import default_form, return_bytes, some_figures

MAY = Period.parse("2014-05")


def _good(code: str = "dongcheng", name: str = "东城分局", period: Period = MAY, revision: int = 1) -> bytes:
    return return_bytes(default_form(), period, code, name, some_figures(default_form(), period.ordinal), revision)


def _edited(edit: Callable[[Any], None], data: bytes | None = None) -> bytes:
    """A good return after somebody's edit; openpyxl keeps formulas without their results, as a script would."""
    book = openpyxl.load_workbook(io.BytesIO(data or _good()))
    edit(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell_of(sheet: Any, label: str, column: int = 3) -> Any:
    """The month's cell in the row of a label."""
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.value.strip() == label:
                return sheet.cell(cell.row, column)
    raise AssertionError(label)


def _set(label: str, value: object, number_format: str | None = None) -> bytes:
    def edit(sheet: Any) -> None:
        cell = _cell_of(sheet, label)
        cell.value = value
        cell.number_format = number_format or cell.number_format

    return _edited(edit)


def _with_error_cell() -> bytes:
    """`#DIV/0!` as a spreadsheet program stores it: a formula with an error for a result."""
    return _in_xml(_set("接受咨询", 424242), b"<v>424242</v>", b"<f>1/0</f><v>#DIV/0!</v>", kind=b"e")


def _in_xml(data: bytes, old: bytes, new: bytes, kind: bytes | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(out, "w") as target:
        for name in package.namelist():
            content = package.read(name)
            if name.startswith("xl/worksheets/") and old in content:
                before, _, after = content.partition(old)
                start = before.rindex(b"<c ")
                opening = before[start:].split(b">")[0].replace(b' t="n"', b"")
                if kind:
                    opening += b' t="' + kind + b'"'
                content = before[:start] + opening + b">" + new + after
            target.writestr(name, content)
    return out.getvalue()


def _merged(sheet: Any) -> None:
    cell = _cell_of(sheet, "接受咨询")
    sheet.merge_cells(start_row=cell.row, end_row=cell.row + 1, start_column=3, end_column=3)


def _untouched(say, folder: Path) -> bytes:
    say("template", "--bureau", "dongcheng", "--period", MAY.code, "--out", folder)
    (path,) = folder.glob("*.xlsx")
    return path.read_bytes()


def _csv(encoding: str) -> bytes:
    form, figures = default_form(), some_figures(default_form(), 5)
    lines = [
        "填报单位,东城分局",
        "单位代码,dongcheng",
        "统计时期,2014-05",
        "修订号,1",
        "填报人,张敏,审核人,李强,负责人,王芳",
        "指标,单位,本月,本年累计",
    ]
    for block in form.blocks:
        lines.append(block.label.zh)
        lines += [
            f"{item.label.zh},{item.unit},{figures[(item.code, 'month')]},{figures[(item.code, 'year_to_date')]}"
            for item in block.indicators
        ]
    return "\n".join(lines).encode(encoding)


UNREADABLE = {
    "empty": lambda: b"",
    "truncated": lambda: _good()[:3000],
    "no_known_label": lambda: _edited(lambda sheet: sheet.delete_rows(1, 200)),
    "encrypted": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le"),
    "legacy_document": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "WordDocument".encode("utf-16-le"),
}


@pytest.mark.parametrize("code", list(UNREADABLE))
def test_an_unreadable_file_is_told_with_its_reason(say, tmp_path: Path, code: str) -> None:
    _receive(tmp_path, f"东城分局_2014-05{'.doc' if code == 'legacy_document' else '.xlsx'}", UNREADABLE[code]())

    done = say("consolidate", "2014-05", "--json")

    assert (done.code, done.json["unreadable"], done.json["found"]) == (1, 1, 2)
    assert "dongcheng" in done.json["missing"]
    _the_other_went_on(done.json)
    told = [one for one in say("failures", "2014-05", "--json").json if one["kind"] == "unreadable"]
    assert [(one["rule"], one["file"][:4]) for one in told] == [(f"unreadable:{code}", "东城分局")]
    assert told[0]["message"]["zh"]
    assert told[0]["message"]["en"]


CELLS = {
    "reading:text": lambda: _set("接受咨询", "待查"),
    "reading:approximate": lambda: _set("接受咨询", "约九个"),
    "reading:other_unit": lambda: _set("接受咨询", "9元"),
    "negative:enquiries": lambda: _set("接受咨询", -9),
    "reading:too_fine": lambda: _set("接受咨询", 9.5, number_format="0.0"),
    "breakdown:enquiries:channel": lambda: _set("接受咨询", 9.5, number_format="0"),
    "reading:error_value": _with_error_cell,
    "reading:merged": lambda: _edited(_merged),
    "reading:uncalculated": lambda: _set("接受咨询", "=4+5"),
}


@pytest.mark.parametrize("rule", list(CELLS))
def test_a_cell_that_is_no_count_holds_its_block_and_is_named(say, tmp_path: Path, rule: str) -> None:
    _receive(tmp_path, "东城分局_2014-05.xlsx", CELLS[rule]())

    done = say("consolidate", "2014-05", "--json")

    assert (done.code, done.json["partly_held"], done.json["accepted"]) == (1, 1, 1)
    _the_other_went_on(done.json)
    errors = [one for one in _findings(say) if one["severity"] == "error"]
    assert rule in {one["rule"] for one in errors}
    assert {one["block"] for one in errors} == {"enquiries"}
    assert all(one["cells"] and one["file"] == "东城分局_2014-05.xlsx" for one in errors)


def test_a_csv_in_gbk_reads_like_the_workbook(say, tmp_path: Path) -> None:
    _receive(tmp_path, "东城分局_2014-05.csv", _csv("gb18030"))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["accepted"], done.json["failures"]) == (2, 0)


def test_a_file_of_another_month_is_counted_and_left(say, tmp_path: Path) -> None:
    _receive(tmp_path, "东城分局.xlsx", _good(period=Period.parse("2014-04")))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["other_period"], done.json["accepted"]) == (1, 1)
    assert "dongcheng" in done.json["missing"]


def _findings(say) -> list[dict]:
    """What the returns themselves are told; that the other bureaus are missing is no matter here."""
    return [one for one in say("failures", "2014-05", "--json").json if one["kind"] != "duty"]


def _only_finding(say, code: str) -> dict:
    found = _findings(say)
    assert {one["rule"] for one in found} == {code}
    return found[0]


def test_a_header_and_a_name_of_different_months_are_not_reconciled_by_guessing(say, tmp_path: Path) -> None:
    _receive(tmp_path, "东城分局_2014-05.xlsx", _good(period=Period.parse("2014-04")))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["held"], done.json["accepted"]) == (1, 1)
    assert _only_finding(say, "identity:period")["seen"] == ["2014-04"]


def test_a_return_that_tells_no_month_at_all_is_held_by_the_run_that_meets_it(say, tmp_path: Path) -> None:
    def blank(sheet: Any) -> None:
        _cell_of(sheet, "统计时期", 2).value = None
        for row in sheet.iter_rows(max_row=8):
            for cell in row:
                if cell.value == "2014-05":
                    cell.value = None

    _receive(tmp_path, "东城分局.xlsx", _edited(blank))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["held"], done.json["accepted"]) == (1, 1)
    _only_finding(say, "identity:period")
    assert say("consolidate", "2014-06", "--json").json["held"] == 0


def test_a_return_of_an_unknown_bureau_is_not_taken_and_named(say, tmp_path: Path) -> None:
    _receive(tmp_path, "某分局_2014-05.xlsx", _good("nowhere", "某分局"))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["misdirected"], done.json["accepted"]) == (1, 1)
    told = _only_finding(say, "misdirected:unknown_bureau")
    assert "某分局" in told["seen"][0]
    assert "统计表!B2" in told["message"]["zh"]


def test_an_untouched_template_is_held_as_such(say, tmp_path: Path) -> None:
    _receive(tmp_path, "东城分局_2014-05.xlsx", _untouched(say, tmp_path / "blank"))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["held"], done.json["accepted"]) == (1, 1)
    assert "return:untouched" in {one["rule"] for one in say("failures", "2014-05", "--json").json}


def test_two_different_returns_are_both_held_with_both_names(say, tmp_path: Path) -> None:
    other = some_figures(default_form(), 5)
    other[("enquiries.on_site", "month")] += Decimal(1)
    _receive(tmp_path, "a_2014-05.xlsx", _good())
    _receive(tmp_path, "b_2014-05.xlsx", return_bytes(default_form(), MAY, "dongcheng", "东城分局", other))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["held"], done.json["accepted"]) == (2, 1)
    found = [one for one in say("failures", "2014-05", "--json").json if one["rule"] == "return:two_returns"]
    assert {one["file"] for one in found} == {"a_2014-05.xlsx", "b_2014-05.xlsx"}


def test_what_calamine_and_the_sheet_show_differently_counts_as_shown_and_says_so(say, tmp_path: Path) -> None:
    """A count under a date format: the sheet shows a day, so nobody can say that 9 was meant."""

    def as_date(sheet: Any) -> None:
        _cell_of(sheet, "接受咨询").number_format = "yyyy-mm-dd"

    _receive(tmp_path, "东城分局_2014-05.xlsx", _edited(as_date))

    say("consolidate", "2014-05", "--json")

    found = [one for one in say("failures", "2014-05", "--json").json if one["block"] == "enquiries"]
    assert found
    assert any("1900-01-0" in seen for one in found for seen in one["seen"])


def _receive(folder: Path, name: str, data: bytes) -> None:
    """One file of 东城分局 beside a good return of 西城分局; every byte must turn up in the raw store."""
    inbox = folder / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / name).write_bytes(data)
    (inbox / "西城分局_2014-05.xlsx").write_bytes(_good("xicheng", "西城分局"))


@pytest.fixture(autouse=True)
def _nothing_is_lost(tmp_path: Path):
    yield
    for path in (tmp_path / "inbox").iterdir():
        data = path.read_bytes()
        kept = tmp_path / "var" / "raw" / digest_of(data)[:2] / digest_of(data)
        assert kept.read_bytes() == data


def _the_other_went_on(printed: dict) -> None:
    figures = {(one["indicator"], one["column"]): one["value"] for one in printed["figures"]}
    assert figures[("publications", "month")] in (12, 24)
    assert "xicheng" not in printed["missing"]


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(
    say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has it open, or it is moved away between listing and reading."""
    read = Delivery.read
    data = _good()

    def refusing(self: Delivery) -> bytes:
        if self.name.startswith("东城"):
            raise PermissionError(13, "Permission denied")
        return read(self)

    _receive(tmp_path, "东城分局_2014-05.xlsx", data)
    with monkeypatch.context() as locked:
        locked.setattr(Delivery, "read", refusing)
        done = say("consolidate", "2014-05", "--json")
        assert (done.code, done.json["unreadable"], done.json["found"], done.json["accepted"]) == (1, 1, 2, 1)
        _the_other_went_on(done.json)
        told = [one for one in say("failures", "2014-05", "--json").json if one["kind"] == "unreadable"]
        assert [(one["rule"], one["file"]) for one in told] == [("unreadable:unreachable", "东城分局_2014-05.xlsx")]
        assert "权限" in told[0]["message"]["zh"]
        again = say("consolidate", "2014-05", "--json")
        assert (again.json["unreadable"], again.json["found"], again.json["duplicate"]) == (1, 2, 0)

    assert say("consolidate", "2014-05", "--json").json["accepted"] == 2


def test_two_sheets_with_the_same_table_hold_the_return_and_are_both_named(say, tmp_path: Path) -> None:
    def another_month(sheet: Any) -> None:
        copy = sheet.parent.copy_worksheet(sheet)
        copy.title = "4月"
        _cell_of(copy, "接受咨询").value = 8
        for row in range(2, 7):
            for column in range(1, 5):
                copy.cell(row, column).value = None
        sheet.parent.move_sheet(copy, -1)

    _receive(tmp_path, "东城分局_2014-05.xlsx", _edited(another_month))

    done = say("consolidate", "2014-05", "--json")

    assert (done.json["held"], done.json["accepted"]) == (1, 1)
    (told,) = [one for one in say("failures", "2014-05", "--json").json if one["rule"] == "return:two_tables"]
    assert told["seen"] == ["9", "8"]
    assert "「统计表」和「4月」" in told["message"]["zh"]

"""Texts that mean to command: a spreadsheet that opens an exported file, or the terminal that shows a message. They stay texts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.templates import Filling, workbook
from schemas.periods import Period
from tests.factories import default_form, make_office, return_bytes, send, send_month, some_figures

JANUARY = Period.parse("2014-01")
NOW = ("--now", "2014-02-06")
COMMANDS = (
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1,1)",
    '=HYPERLINK("http://example.invalid","x")',
    "{=1+1}",
)
ESCAPE = "\x1b]0;taken over\x07\x1b[31m"


def formulas(data: bytes) -> list[str]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_what_a_return_says_is_no_formula_in_the_table_that_is_written(say, tmp_path: Path) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY, without=("dongcheng",))
    labels = ("受理申请", "当面申请", "传真申请", "互联网申请", "信函申请", "答复")
    rows = [
        ["填报单位", "东城分局"],
        ["统计时期", "2014-01"],
        ["填报人", COMMANDS[0]],
        ["审核人", COMMANDS[0]],
        ["指标", "单位", "本月"],
    ]
    rows += [[label, "件", command] for label, command in zip(labels, COMMANDS, strict=True)]
    rows += [
        [label, "件", "0"]
        for label in ("接受咨询", "现场咨询", "电话咨询", "网上咨询", "上期结转", "结转下期", "撤销申请")
    ]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    send(office, "=1+1_2014-01.csv", out.getvalue().encode())

    say(*NOW, "consolidate", "2014-01")

    (table,) = (tmp_path / "out" / "2014-01").glob("*.xlsx")
    assert formulas(table.read_bytes()) == []
    texts = [
        str(value)
        for sheet in openpyxl.load_workbook(table)
        for row in sheet.iter_rows(values_only=True)
        for value in row
    ]
    assert all(any(command in text for text in texts) for command in COMMANDS), (
        "what was planted stands in the table, so that this can fail"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_bureaus_name_is_no_formula_in_its_template(command: str) -> None:
    form = default_form()
    plain = workbook(form, JANUARY, Filling({"bureau": "东城分局"}, {}))
    planted = workbook(form, JANUARY, Filling({"bureau": command, "preparer": command}, {}))
    assert formulas(planted) == formulas(plain)
    texts = [value for row in read_document("a.xlsx", planted).grids[0].values for value in row]
    assert texts.count(command) == 2


def test_no_text_of_a_file_or_of_its_name_commands_the_terminal(say, tmp_path: Path) -> None:
    office = make_office(tmp_path)
    rows = [
        f"填报单位,{ESCAPE}东城分局", "统计时期,2014-01", f"修订号,{ESCAPE}", "指标,单位,本月", f"受理申请,件,{ESCAPE}20",
        f"答复,件,12{ESCAPE}", f"{ESCAPE}别的,件,7",
    ]  # fmt: skip
    form, figures = default_form(), some_figures(default_form())
    good = return_bytes(form, JANUARY, "xicheng", "西城分局", figures, preparer=f"张{ESCAPE}")
    send(office, "a\x1b[2J\n_2014-01.csv", "\n".join([*rows, *["说明,,"] * 200]).encode())
    send(office, "b\x1b[2J_2014-01.xlsx", good)
    send(
        office,
        "c\x9b2J_2014-01.txt",
        f"本月共受理申请 3 件,其中当面 1 件,{ESCAPE}信函 1 件。\n".encode() + "本月没有其他情况。\n".encode() * 30,
    )
    send(office, "d\u202exslx.2014-01.docx", b"PK\x03\x04")
    files = [str(path) for path in sorted(office.settings.inbox_path.iterdir())]

    for language in ("zh", "en"):
        for words in (
            ("check", *files), ("check", "--json", *files), ("consolidate", "2014-01"), ("status", "2014-01"), ("failures", "2014-01"),
            ("failures", "2014-01", "--json"), ("rerun", "2014-01", "--dry-run"), ("status", "2014-01", "--json"),
        ):  # fmt: skip
            said = say(*NOW, "--lang", language, *words)
            shown = said.out + said.err
            assert len(shown) > 10, words
            assert [sign for sign in shown if (sign < " " and sign not in "\n\t") or "\x7f" <= sign <= "\x9f"] == [], (
                words
            )
            assert "\u202e" not in shown, words

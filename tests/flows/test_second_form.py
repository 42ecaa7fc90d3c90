"""A form of another family, written here as YAML alone, goes the whole way: template, reading, checks, figures."""

from __future__ import annotations

from pathlib import Path

import openpyxl

FORM = """
family: hotline
version: "2014"
title: {zh: 热线受理情况表, en: Hotline return}
frequency: quarterly
valid: {from: 2014Q1}
tables:
  - code: calls
    title: {zh: 热线, en: Hotline}
    columns:
      - {code: citizens, label: {zh: 公民, en: Citizens}}
      - {code: companies, label: {zh: 企业, en: Companies}}
      - {code: all, label: {zh: 合计, en: All}, sum_of: [citizens, companies]}
    blocks:
      - code: calls
        label: {zh: 来电, en: Calls}
        indicators:
          - {code: calls.opening, label: {zh: 期初未办, en: Open before}, unit: 件, balance: {account: calls, role: opening}}
          - code: calls.received
            label: {zh: 新受理, en: Received}
            unit: 件
            balance: {account: calls, role: inflow}
            breakdowns:
              - {name: topic, parts: [calls.received.land, calls.received.housing], complete: false}
          - {code: calls.received.land, label: {zh: 土地类, en: Land}, unit: 件}
          - {code: calls.received.housing, label: {zh: 住房类, en: Housing}, unit: 件}
          - {code: calls.settled, label: {zh: 办结, en: Settled}, unit: 件, balance: {account: calls, role: outflow}}
          - {code: calls.closing, label: {zh: 期末未办, en: Open after}, unit: 件, balance: {account: calls, role: closing}}
"""
BUREAUS = """
bureaus:
  - {code: north, name_zh: 北局, name_en: North, from: 2010-01-01, owes: [{family: hotline, from: 2014-01-01}]}
  - {code: south, name_zh: 南局, name_en: South, from: 2010-01-01, owes: [{family: hotline, from: 2014-01-01}]}
"""
NORTH = {
    "期初未办": (0, 0, 0), "新受理": (8, 4, 12), "土地类": (5, 1, 6), "住房类": (2, 0, 2), "办结": (7, 4, 11), "期末未办": (1, 0, 1),
}  # fmt: skip
SOUTH = {**NORTH, "新受理": (8, 4, 13), "住房类": (9, 0, 9)}  # a row that does not add up, a part above its total


def fill_in(path: Path, to: Path, rows: dict[str, tuple[int, ...]]) -> None:
    """As a clerk does: open the blank workbook, sign it, type figures beside the labels, save it."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    sheet["B4"], sheet["D4"], sheet["B5"] = "张敏", "李强", "王芳"
    for row in sheet.iter_rows():
        figures = rows.get(str(row[0].value).removeprefix("其中:"))
        for cell, figure in zip(row[2:], figures or (), strict=False):
            cell.value = figure
    book.save(to)


def test_a_form_in_yaml_alone_goes_the_whole_way(say, tmp_path: Path) -> None:
    say("init", tmp_path)
    config = tmp_path / "config"
    (config / "forms").mkdir()
    (config / "forms" / "hotline.yaml").write_text(FORM, encoding="utf-8")
    (config / "bureaus.yaml").write_text(BUREAUS, encoding="utf-8")
    settings = (config / "settings.yaml").read_text(encoding="utf-8")
    settings = settings.replace("family: bureau-monthly", "family: hotline").replace("bureau: shiju", "bureau: north")
    (config / "settings.yaml").write_text(settings, encoding="utf-8")
    now = ("--now", "2014-04-08")

    assert say("config", "check").code == 0
    blank = tmp_path / "blank"
    assert say(*now, "template", "--period", "2014Q1", "--out", blank).code == 0
    fill_in(blank / "北局_2014Q1.xlsx", tmp_path / "inbox" / "北局_2014Q1.xlsx", NORTH)
    fill_in(blank / "南局_2014Q1.xlsx", tmp_path / "inbox" / "南局_2014Q1.xlsx", SOUTH)

    said = say(*now, "consolidate", "2014Q1", "--json")

    figures = {(one["indicator"], one["column"]): one["value"] for one in said.json["figures"]}
    assert figures[("calls.received", "citizens")] == 16
    assert figures[("calls.received", "all")] == 25
    assert figures[("calls.closing", "all")] == 2
    assert (said.json["accepted"], said.json["held"], said.json["found"]) == (1, 1, 2)
    failures = say("failures", "2014Q1", "--json").json
    found = {(one["bureau"], one["rule"], one["column"], one["difference"]) for one in failures}
    assert found == {
        ("south", "row-total:calls.received", "all", "-1"),
        ("south", "breakdown:calls.received:topic:calls.received.housing", "citizens", "1"),
        ("south", "balance:calls", "all", "1"),
    }


def test_the_next_quarter_begins_with_the_accepted_closings(say, tmp_path: Path) -> None:
    test_a_form_in_yaml_alone_goes_the_whole_way(say, tmp_path)

    say("--now", "2014-07-08", "template", "--period", "2014Q2", "--bureau", "north", "--out", tmp_path / "next")

    sheet = openpyxl.load_workbook(tmp_path / "next" / "北局_2014Q2.xlsx").active
    opening = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "期初未办")
    assert opening[2:5] == (1, 0, 1)

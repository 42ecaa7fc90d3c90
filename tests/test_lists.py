"""Lists behind the counts, end to end on both databases: the city's approvals, two districts' progress, over two months."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.template_lists import Rows
from disclosure_etl.intake.templates import Filling, workbook
from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, consolidate
from disclosure_etl.quality.book import rule_book
from disclosure_etl.quality.lists import list_findings
from disclosure_etl.settings import default_config_dir
from disclosure_etl.unmatched import unmatched
from schemas.errors import ConfigError
from schemas.formfile import load_forms
from schemas.periods import Period
from schemas.records import Submission
from schemas.rulecodes import rule_codes
from tests.factories import SIGNED, ZONE, contract, make_office, send
from tests.quality.written import rules_of

FAMILY = "key-areas"
PATH = default_config_dir() / "forms" / "key-areas-2014.yaml"
FORM = load_forms([PATH]).forms[0]
JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
OWES = f"owes: [{{family: {FAMILY}, from: 2010-01-01}}]"
BUREAUS = f"""
bureaus:
  - {{code: shiju, name_zh: 市局, name_en: City, from: 2010-01-01, {OWES}}}
  - {{code: east, name_zh: 东城分局, name_en: East, aliases: [东城区], from: 2010-01-01, {OWES}}}
  - {{code: west, name_zh: 西城分局, name_en: West, from: 2010-01-01, {OWES}}}
"""
NAMES = {"shiju": "市局", "east": "东城分局", "west": "西城分局"}
APPROVALS: Rows = (
    {"number": "京政地〔2014〕1号", "approved": date(2014, 1, 6), "district": "东城区"},
    {"number": "京政地〔2014〕2号", "approved": "2014年1月20日", "district": "西城分局"},
)
PROGRESS: Rows = ({"number": "京政地[2014]1号", "notice": "2014.1.16", "agreement": "20140128"},)


def figures(**month: int) -> dict[tuple[str, str], Decimal]:
    found = {(code, column): Decimal(0) for code in FORM.indicators for column in FORM.columns}
    for name, number in month.items():
        for column in FORM.columns:
            found[name.replace("__", "."), column] = Decimal(number)
    return found


def sent(bureau: str, period: Period, rows: Mapping[str, Rows], revision: int = 1, **month: int) -> bytes:
    header = {"bureau": NAMES[bureau], "bureau_code": bureau, "revision": str(revision), **SIGNED}
    return workbook(FORM, period, Filling(header, figures(**month), rows))


def read(data: bytes) -> Submission:
    return Interpreter([FORM], None).interpret(read_document("x_2014-01.xlsx", data)).submission


EAST = {"approvals": 1, "approvals__published": 1, "notices__due": 1, "notices__done": 1, "agreements__due": 1,
        "agreements__done": 1, "closures__due": 1, "closures__closing": 1}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, warehouse_url: str | None):
    config = tmp_path / "config"
    config.mkdir()
    (config / "bureaus.yaml").write_text(BUREAUS, encoding="utf-8")
    one = make_office(tmp_path, warehouse_url, datetime(2014, 3, 6, 8, tzinfo=ZONE), config)
    yield one
    one.warehouse.close()


def send_january(office: Office, progress: Rows = PROGRESS) -> None:
    city = sent("shiju", JANUARY, {"approvals": APPROVALS}, approvals=2, notices__due=2, notices__closing=2)
    send(office, "city_2014-01.xlsx", city)
    send(office, "east_2014-01.xlsx", sent("east", JANUARY, {"progress": progress}, **EAST))
    send(office, "west_2014-01.xlsx", sent("west", JANUARY, {}))


def judged(office: Office, period: Period) -> tuple[MonthResult, list[tuple[str | None, str, tuple[str, ...]]]]:
    result = consolidate(office, FAMILY, period)
    told = [
        (one.bureau, one.failure.rule, one.failure.seen)
        for one in office.warehouse.failures(FAMILY, period)
        if one.failure.kind == "list"
    ]
    return result, told


# -- end to end ---------------------------------------------------------------------------------------------------------


def test_two_months_are_linked_and_what_is_open_is_told_by_age(office: Office) -> None:
    send_january(office)
    result, told = judged(office, JANUARY)
    assert (result.faults, told) == ((), [])

    later: Rows = (
        {"number": "京政地〔2014〕1号", "closure": date(2014, 2, 10)},
        {"number": "京政地〔2013〕9号", "notice": date(2014, 2, 3)},
    )
    counts = {"closures__done": 1, "closures__opening": 1, "notices__done": 1, "notices__due": 1}
    send(office, "east_2014-02.xlsx", sent("east", FEBRUARY, {"progress": later}, **counts))
    result, told = judged(office, FEBRUARY)

    assert result.faults == ()
    assert told == [("east", "list:progress:link", ("京政地〔2013〕9号",))]
    january, february = (unmatched(office, FAMILY, period) for period in (JANUARY, FEBRUARY))
    shown = [(one.key, one.bureau, one.waits_for, str(one.since), one.age_days) for one in january]
    assert shown == [
        ("京政地〔2014〕2号", "west", "notice", "2014-01-20", 11),
        ("京政地〔2014〕1号", "east", "closure", "2014-01-28", 3),
    ]
    shown = [(one.key, one.bureau, one.waits_for, str(one.since), one.age_days) for one in february]
    assert shown == [
        ("京政地〔2014〕2号", "west", "notice", "2014-01-20", 39),
        ("京政地〔2013〕9号", "east", None, "2014-02-03", 25),
    ]


def test_a_list_is_held_against_a_correction_of_another_bureau_alone(office: Office) -> None:
    send_january(office)
    judged(office, JANUARY)
    fewer: Rows = (APPROVALS[1] | {"number": "京政地〔2014〕3号"}, APPROVALS[1])
    city = sent("shiju", JANUARY, {"approvals": fewer}, 2, approvals=2, notices__due=2, notices__closing=2)
    send(office, "city_2014-01_2.xlsx", city)

    result = consolidate(office, FAMILY, JANUARY, command="rerun", bureaus=["shiju"])

    told = [(one.bureau, one.failure.rule) for one in office.warehouse.failures(FAMILY, JANUARY)]
    assert ("east", "list:progress:link") in told
    assert [one.period for one in result.later] == ["2014-01"]  # the others' lists, once the city's counted


def test_a_second_run_changes_nothing(office: Office) -> None:
    send_january(office)
    first, told = judged(office, JANUARY)
    items = office.warehouse.listed_items(FORM, JANUARY)

    again, told_again = judged(office, JANUARY)

    assert (again.consolidation.version, told_again) == (first.consolidation.version, told)
    assert office.warehouse.listed_items(FORM, JANUARY) == items
    assert len(items) == 3


def test_what_the_city_lists_later_for_an_earlier_month_settles_a_link(office: Office) -> None:
    send_january(office)
    judged(office, JANUARY)
    stray: Rows = ({"number": "京政地〔2014〕3号", "notice": date(2014, 2, 3)},)
    send(office, "east_2014-02.xlsx", sent("east", FEBRUARY, {"progress": stray}, notices__done=1))
    assert [rule for _, rule, _ in judged(office, FEBRUARY)[1]] == ["list:progress:link"]

    more: Rows = (*APPROVALS, {"number": "京政地〔2014〕3号", "approved": date(2014, 1, 30), "district": "东城分局"})
    again = sent("shiju", JANUARY, {"approvals": more}, 2, approvals=3, notices__due=3, notices__closing=3)
    send(office, "city_2014-01_2.xlsx", again)
    judged(office, JANUARY)

    left = [one.failure.rule for one in office.warehouse.failures(FAMILY, FEBRUARY)]
    assert "list:progress:link" not in left


def test_a_slip_in_a_list_holds_its_block(office: Office) -> None:
    send_january(office, (*PROGRESS, PROGRESS[0]))
    told = judged(office, JANUARY)[1]

    assert {rule for _, rule, _ in told} == {
        "list:progress:key", "list:progress:notices.done", "list:progress:agreements.done",
    }  # fmt: skip
    held = {one.failure.rule: one.failure for one in office.warehouse.failures(FAMILY, JANUARY)}
    assert held["list:progress:key"].block == "notices"
    assert held["list:progress:notices.done"].seen == ("2", "1")


def test_the_command_s_json_keeps_its_contract(say, tmp_path: Path) -> None:
    say("status")
    (tmp_path / "config" / "bureaus.yaml").write_text(BUREAUS, encoding="utf-8")
    send_january(make_office(tmp_path, config=tmp_path / "config"))
    settings = tmp_path / "config" / "settings.yaml"
    settings.write_text(settings.read_text("utf-8").replace("family: bureau-monthly", f"family: {FAMILY}"), "utf-8")
    say("--now", "2014-02-06", "consolidate", "2014-01")

    said, shown = say("unmatched", "2014-01", "--json"), say("--lang", "zh", "unmatched", "2014-01")

    contract("unmatched").validate(said.json)
    assert (said.code, [one["age_days"] for one in said.json["unmatched"]]) == (0, [11, 3])
    assert "待公告日期" in shown.out
    assert say("unmatched", "2014-01", "--family", "bureau-monthly").code == 2


# -- template and reading -----------------------------------------------------------------------------------------------


def test_a_list_has_a_sheet_of_open_rows_with_dates_only() -> None:
    book = openpyxl.load_workbook(BytesIO(workbook(FORM, JANUARY, Filling({}))))

    assert book.sheetnames[1:] == ["批复清单", "进展清单"]
    sheet = book["批复清单"]
    assert [cell.value for cell in sheet[1]] == ["批复号", "批复日期", "所属区"]
    assert not sheet["A201"].protection.locked
    assert [(str(one.sqref), one.type) for one in sheet.data_validations.dataValidation] == [("B2:B201", "date")]
    assert read(workbook(FORM, JANUARY, Filling({}))).items == ()


@pytest.mark.parametrize(
    "written", ["2014-01-16", "2014年1月16日", "2014.1.16", "2014/1/16", "20140116", date(2014, 1, 16)]
)
def test_days_are_read_as_people_write_them(written: str | date) -> None:
    one = read(sent("east", JANUARY, {"progress": ({"number": "甲1", "notice": written},)}))

    assert [item.entries["notice"].day for item in one.items] == [date(2014, 1, 16)]
    assert one.unread == ()


# -- each rule: holds, fails, cannot be assessed ------------------------------------------------------------------------

KEYS = {"approvals": frozenset({"甲1"})}
ROW = {"number": "甲1", "notice": date(2014, 1, 5)}


def rules_failing(bureau: str, rows: Mapping[str, Rows], keys=KEYS, **month: int) -> tuple[set[str], set[str]]:
    from dataclasses import replace

    one = replace(read(sent(bureau, JANUARY, rows, **month)), bureau=bureau)
    found, waiting = list_findings(FORM, JANUARY, one, keys)
    assert all(finding.message.zh and finding.message.en and finding.cells for finding in found)
    return {finding.code for finding in found}, set(waiting)


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([ROW, ROW], "list:progress:key"),
        ([{"notice": date(2014, 1, 5)}], "list:progress:key"),
        ([{"number": "甲1", "notice": "五月初"}], "list:progress:date"),
        ([{"number": "甲1", "notice": date(2014, 2, 1)}], "list:progress:date"),
        ([{**ROW, "number": "乙2"}], "list:progress:link"),
        ([ROW, {**ROW, "number": "甲2"}], "list:progress:notices.done"),
    ],
)
def test_a_rule_fails_where_its_slip_is(rows: Rows, rule: str) -> None:
    assert rule not in rules_failing("east", {"progress": [ROW]}, notices__done=1)[0]
    assert rule in rules_failing("east", {"progress": rows}, notices__done=1)[0]


def test_an_approval_wants_its_day_and_a_known_district() -> None:
    found, _ = rules_failing("shiju", {"approvals": [{"number": "甲1", "district": "某区"}]})

    assert found == {"list:approvals:date", "list:approvals:bureau"}


def test_what_nobody_listed_cannot_be_assessed() -> None:
    assert rules_failing("east", {}, notices__done=1) == (set(), {"list:progress:notices.done"})
    for keys in (None, {"approvals": frozenset()}):
        found, waiting = rules_failing("east", {"progress": [ROW]}, keys, notices__done=1)
        assert (found, waiting) == (set(), {"list:progress:link"})


def test_the_book_has_every_rule_of_lists() -> None:
    rules = rules_of(FORM, JANUARY)
    book = {one.code: one for one in rule_book(rules)}
    codes = [code for code in rule_codes(rules) if code.startswith("list:")]

    assert len(codes) == 10
    assert all(book[code].title.zh and book[code].template.en for code in codes)
    assert book["list:progress:link"].severity == "warning"


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        ("follows: approvals", "follows: aprovals", "approvals"),
        ("block: notices", "block: notice", "agreements"),
        ("indicator: notices.done,", "indicator: notices.gone,", "notices.done"),
        ("column: notice}", "column: number}", "agreement"),
        ("sheet: {zh: 进展清单", "sheet: {zh: 批复清单", "批复清单"),
        ("kind: key", "kind: text", "key"),
    ],
)
def test_a_list_that_does_not_hang_together_is_refused(tmp_path: Path, old: str, new: str, known: str) -> None:
    text = PATH.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "key-areas-2014.yaml").write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(ConfigError, match=known) as error:
        load_forms([tmp_path / "key-areas-2014.yaml"])
    assert "key-areas-2014.yaml:" in str(error.value.message.en)

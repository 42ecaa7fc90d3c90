"""What people read, word for word: the messages of every kind of failure, the blank workbook, the 汇总表."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl

from disclosure_etl.intake.templates import Filling, workbook
from disclosure_etl.pipeline import consolidate
from schemas.constraints import Kind
from schemas.periods import Period
from schemas.values import Trouble
from tests.factories import FAMILY, default_form, make_office, send_month, some_figures, with_slip
from tests.quality.test_judging import APRIL, PUBLISHED, quiet
from tests.quality.written import history_of, shares_of, verdict, written

FORM = default_form()
Golden = Callable[[str, str], None]


def _sheets(data: bytes) -> str:
    """A workbook as text: a line per filled cell with its value or formula, format and protection, then what else a sheet
    carries."""
    lines = []
    for sheet in openpyxl.load_workbook(io.BytesIO(data)).worksheets:
        lines.append(f"## {sheet.title}")
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    locked = "" if cell.protection.locked else " unlocked"
                    lines.append(f"{cell.coordinate} {cell.value!r} [{cell.number_format}]{locked}")
        lines += [f"merged {one}" for one in sorted(map(str, sheet.merged_cells.ranges))]
        lines += [
            f"validated {one.sqref} {one.type} {one.operator} {one.formula1} {one.formula2 or ''}".rstrip()
            for one in sheet.data_validations.dataValidation
        ]
        lines += [
            f"coloured {where.sqref} {rule.type} {rule.operator or ''} {rule.formula}"
            for where, rules in sheet.conditional_formatting._cf_rules.items()
            for rule in rules
        ]
    return "\n".join(lines) + "\n"


def test_the_blank_workbook(golden: Golden) -> None:
    header = {"bureau": "东城分局", "bureau_code": "dongcheng", "revision": "1"}

    golden("blank-workbook.txt", _sheets(workbook(FORM, Period.parse("2014-05"), Filling(header, {}))))


def test_the_summary_of_a_month_with_a_held_block_and_a_missing_bureau(golden: Golden, tmp_path: Path) -> None:
    from disclosure_etl.reports.publishing import write_tables

    office = make_office(tmp_path)
    send_month(office, Period.parse("2014-01"), without=("yanqing",), changed={"haidian": with_slip()})
    for number, path in enumerate(sorted(office.settings.inbox_path.iterdir())):
        moment = office.clock().timestamp() - 86400 * 3 + number
        os.utime(path, (moment, moment))

    (written_to,) = write_tables(office, [consolidate(office, FAMILY, Period.parse("2014-01")).consolidation])

    text = _sheets(written_to.read_bytes())
    frozen_by = office.warehouse.audit_events("freeze")[-1]
    assert f"第 {frozen_by.number} 条,散列值 {frozen_by.hash}" in text
    golden(
        "summary.txt", re.sub("[0-9a-f]{16,}", "…", text)
    )  # the run's name is in what is hashed, and another each time
    office.warehouse.close()


def test_the_messages_of_every_kind_of_failure(golden: Golden) -> None:
    """One return after the other that breaks one kind of rule, in both languages."""
    month = {place: value for place, value in quiet().items() if place[1] == "month"}

    def changed(**changes: int) -> dict:
        return month | {(code.replace("__", "."), "month"): value for code, value in changes.items()}

    published = changed(publications=12176, **{f"publications__{code}": count for code, count in PUBLISHED.items()})
    returns = [
        written(FORM, changed(enquiries__on_site=6)),
        written(FORM, changed(reconsiderations__upheld=1)),
        written(FORM, changed(publications__full_text=13)),
        written(FORM, changed(publications__plans=-1)),
        written(FORM, month, blank={("enquiries.online", "month")}),
        written(FORM, quiet() | {("enquiries", "year_to_date"): 19, ("applications.opening", "month"): 1}),
        *(
            written(FORM, published, shares_of(FORM, published) | {"publications.business": share})
            for share in ("99.78", "98.78", "99.8", "90.00")
        ),
        written(
            FORM,
            month | {("enquiries", "month"): 3},
            {"enquiries.online": "50.0"},
            blank={("enquiries.online", "month")},
        ),
        *(
            written(FORM, month, blank={("enquiries", "month")}, troubles={("enquiries", "month"): trouble})
            for trouble in Trouble
            if trouble is not Trouble.NONE
        ),
        written(FORM, {("enquiries", "month"): 4}, nil=True),
        written(FORM, {}),
    ]
    told = [failure for one in returns for failure in verdict(one, FORM, history_of(FORM, APRIL)).failures]

    assert {Kind(failure.kind) for failure in told if failure.kind in set(Kind)} >= {
        Kind.READING, Kind.REQUIRED, Kind.NEGATIVE, Kind.BREAKDOWN, Kind.BALANCE, Kind.SUBSET, Kind.SHARE,
        Kind.SHARE_COLUMN, Kind.SHARE_ATTAINABLE, Kind.YEAR_TO_DATE, Kind.OPENING,
    }  # fmt: skip
    lines = [f"{one.rule} ({one.severity})\n  {one.message.zh}\n  {one.message.en}" for one in told]
    golden("messages.txt", "\n".join(dict.fromkeys(lines)) + "\n")


def test_a_filled_in_workbook_prints_its_shares(golden: Golden) -> None:
    data = workbook(FORM, Period.parse("2014-01"), Filling({"bureau": "东城分局"}, some_figures(FORM)))
    sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
    rows = [[cell.value for cell in row if cell.value is not None] for row in sheet.iter_rows()]

    golden("filled-workbook.txt", "\n".join(" | ".join(map(str, row)) for row in rows if row) + "\n")

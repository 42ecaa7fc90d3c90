"""A small form, submissions on it, and a month's work on a warehouse in one call. No assertion in here.

The form has two blocks under the columns month and year to date: `publications` (a count and an amount) and `cases`
(opening + received = closed + closing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from disclosure_etl.bureaus import Bureau, Duty
from disclosure_etl.warehouse import Warehouse
from schemas.consolidation import Consolidation
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import (
    NO_DECIMALS,
    DocumentRecord,
    Failure,
    Judged,
    Receipt,
    Severity,
    Submission,
    Unread,
    failure_id,
)
from schemas.values import Meaning, Trouble

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2014, 12, 31, 8, tzinfo=ZONE)
FAMILY = "small"
PUBLICATIONS, CASES = "publications", "cases"
Figures = Mapping[str, int]  # indicator → scaled number of the month


def small_form(version: str = "1", title: str = "小表", **validity: str) -> Form:
    """The form; another `title` makes another definition of the same version."""

    def item(code: str, role: str | None = None, decimals: int = 0) -> dict[str, object]:
        balance = {"account": "cases", "role": role} if role else None
        return {
            "code": code, "label": {"zh": code, "en": code}, "unit": "件", "decimals": decimals, "balance": balance,
        }  # fmt: skip

    label = {"zh": "栏", "en": "part"}
    cases = [
        item(f"cases.{code}", role)
        for code, role in (
            ("opening", "opening"),
            ("received", "inflow"),
            ("closed", "outflow"),
            ("closing", "closing"),
        )
    ]
    return Form.model_validate(
        {
            "family": FAMILY,
            "version": version,
            "title": {"zh": title, "en": "small"},
            "frequency": "monthly",
            "valid": {"from": "2013-01"} | validity,
            "tables": [
                {
                    "code": "main",
                    "title": label,
                    "columns": [
                        {"code": "month", "label": label},
                        {"code": "year_to_date", "label": label, "cumulates": "month", "required": False},
                    ],
                    "blocks": [
                        {
                            "code": PUBLICATIONS,
                            "label": label,
                            "indicators": [item("publications"), item("fees", decimals=2)],
                        },
                        {"code": CASES, "label": label, "indicators": cases},
                    ],
                }
            ],
        }
    )


def bureau(code: str) -> Bureau:
    """A bureau that owes the small form."""
    return Bureau.model_validate(
        {"code": code, "name_zh": f"{code}分局", "name_en": code, "from": "2008-05-01",
         "owes": [{"family": FAMILY, "from": "2008-05-01"}]}
    )  # fmt: skip


def submission(
    form: Form,
    bureau_code: str | None,
    period: str,
    month: Figures,
    *,
    year_to_date: Figures | None = None,
    revision: int = 1,
    file: str | None = None,
    nil: bool = False,
    text: str = "",
    unread: tuple[Unread, ...] = (),
) -> Submission:
    """A return with these figures; every other cell is blank. Its digest follows from all of its content."""
    numbers, meanings, decimals, texts = [], [], [], []
    for cell in form.cells:
        figures = month if cell.column == "month" else year_to_date or {}
        value = figures.get(cell.indicator) if cell.measure != "share" else None
        numbers.append(value or 0)
        meanings.append(Meaning.BLANK if value is None else Meaning.NUMBER if value else Meaning.ZERO)
        decimals.append(NO_DECIMALS if value is None else cell.scale)
        texts.append(text if value is None else str(value))
    name = file or f"{bureau_code}_{period}_{revision}.xlsx"
    content = repr(
        (form.key, bureau_code, period, sorted(month.items()), sorted((year_to_date or {}).items()), revision)
    )
    return Submission(
        digest=hashlib.sha256((content + repr((nil, text, unread)) + (name if bureau_code is None else "")).encode()).hexdigest(),
        file=name,
        form=form.key,
        bureau=bureau_code,
        bureau_written=bureau_code or "?",
        period=period,
        revision=revision,
        nil=nil,
        header={"bureau": bureau_code or "?", "period": period},
        numbers=tuple(numbers),
        meanings=bytes(meanings),
        decimals=bytes(decimals),
        troubles=bytes([Trouble.NONE]) * len(numbers),
        texts=tuple(texts),
        locators=tuple(f"统计表!C{cell.position + 5}" for cell in form.cells),
        unread=unread,
    )  # fmt: skip


def verdict(
    one: Submission, *held: str, whole: bool = False, fault: str | None = None, waiting: int = 0, impact: float = 0.1
) -> Judged:
    """The submission with one error in each of the blocks `held`."""
    failures = tuple(failed(one, block, impact) for block in held)
    return Judged(
        one,
        failures,
        frozenset(held) if not whole else frozenset((PUBLICATIONS, CASES)),
        whole,
        tuple((f"year-to-date:{number}", "year_to_date") for number in range(waiting)),
        fault,
    )


def failed(one: Submission, block: str, impact: float = 0.1) -> Failure:
    """An error in a block."""
    cells = ("统计表!C5",)
    return Failure(
        id=failure_id(f"balance:{block}", one.bureau, one.period, "month", cells),
        rule=f"balance:{block}", kind="balance", severity=Severity.ERROR, block=block, indicators=(block,),
        column="month", cells=cells, seen=("1", "2"), expected="3", difference="1", diagnosis=None, impact=impact,
        legal=None, message=Message("不平", "unbalanced"),
    )  # fmt: skip


@dataclass
class Story:
    """A warehouse, and what an office does with it in the course of a year."""

    warehouse: Warehouse
    form: Form = field(default_factory=small_form)
    owing: tuple[Bureau, ...] = tuple(bureau(code) for code in ("east", "west"))

    def __post_init__(self) -> None:
        self.warehouse.sync(self.owing, [self.form])

    def run(self, period: str) -> str:
        """A run of its own."""
        return self.warehouse.start_run("consolidate", FAMILY, Period.parse(period), AT)

    def receive(self, *judged: Judged, at: datetime | None = None, run_period: str | None = None) -> set[str]:
        """Record and load verdicts, all of one period; the bureaus whose accepted blocks changed."""
        period = run_period or judged[0].submission.period
        run = self.run(period)
        receipts = {
            one.submission.digest: receipt_of(one.submission, at or datetime(2014, 1, 5, 9, number, tzinfo=ZONE))
            for number, one in enumerate(judged)
        }
        documents = [
            DocumentRecord.read(sent.digest, "xlsx", sent.bureau_written, sent.period, sent.period, sent.form)
            for sent in (one.submission for one in judged)
        ]
        self.warehouse.record_arrivals(run, Period.parse(period), list(receipts.values()), documents)
        return self.warehouse.load(run, self.form, Period.parse(period), judged, receipts)

    def renew(self, *judged: Judged) -> set[str]:
        """Judge again what is stored."""
        return self.warehouse.renew(self.form, Period.parse(judged[0].submission.period), judged)

    def freeze(self, period: str, due: date | None = None, others: int = 0, form: Form | None = None) -> Consolidation:
        """Freeze a version."""
        moment = Period.parse(period)
        return self.warehouse.freeze(self.run(period), form or self.form, moment, Duty(self.owing, due, AT), others)

    def month(self, period: str, figures: Mapping[str, Figures]) -> Consolidation:
        """Receive one accepted return of each bureau, and freeze."""
        self.receive(*(verdict(submission(self.form, code, period, one)) for code, one in figures.items()))
        return self.freeze(period)


def receipt_of(one: Submission, at: datetime, name: str | None = None) -> Receipt:
    """One arrival of a submission's bytes."""
    return Receipt(name or one.file, "inbox", one.digest, 100, at)


def figures_of(one: Consolidation, column: str = "month") -> dict[str, int | None]:
    """The figures of one column by indicator."""
    return {figure.indicator: figure.value for figure in one.figures if figure.column == column}


def unvalidated(one: Consolidation, column: str = "month") -> set[str]:
    """The indicators of a column that are shown as reported only."""
    return {figure.indicator for figure in one.figures if figure.column == column and not figure.validated}


def values(judged: Iterable[int]) -> Figures:
    """Figures in the order publications, fees, opening, received, closed, closing."""
    names = ("publications", "fees", "cases.opening", "cases.received", "cases.closed", "cases.closing")
    return dict(zip(names, judged, strict=True))

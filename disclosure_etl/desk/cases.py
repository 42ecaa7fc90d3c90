"""The cases of a month as a list, and one case with all that somebody needs to decide it.

Not here: deciding (`deciding`), the source cells themselves (`source_cells`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl.decisions import is_waivable
from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.charts import Chart, chart
from disclosure_etl.desk.months import A_SCREENFUL, form_of_version, read_period
from disclosure_etl.desk.shown import page
from disclosure_etl.desk.source_cells import surroundings
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.quality.book import KINDS, RuleRecord, rule_book
from disclosure_etl.warehouse import StoredFailure
from disclosure_etl.warehouse.case_pages import Sent, Wanted
from schemas.constraints import Kind
from schemas.errors import Message
from schemas.forms import Form
from schemas.people import Role, Visitor
from schemas.periods import Period
from schemas.records import Failure, Waiver
from schemas.returns import ReturnDecision
from schemas.rules import RuleSet

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Seeing = Annotated[Visitor, needs(Need.SEE)]
_HISTORY = 24


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands: the failure, those that have the same cause, the return that it is of, whose it is and what was decided."""

    main: StoredFailure
    attached: tuple[StoredFailure, ...]
    sent: Sent
    assignment: int
    owner: int | None
    waiver: Waiver | None
    returned: ReturnDecision | None

    @property
    def failure(self) -> Failure:
        """The failure itself."""
        return self.main.failure

    @property
    def seen(self) -> str:
        """What a form carries, so that nobody decides of what has changed since they looked."""
        told = f"{self.failure.seen}|{self.failure.waiver}|{self.sent.key}|{self.sent.status}|{self.assignment}"
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def to_waive(self) -> list[StoredFailure]:
        """What a person accepts with the case: itself, and what has its cause, as far as nobody has yet."""
        return [self.main, *(one for one in self.attached if one.failure.waiver is None and is_waivable(one))]

    @property
    def waivers(self) -> set[int]:
        """The waivers by which it stands, and what has its cause with it."""
        return {one.failure.waiver for one in (self.main, *self.attached) if one.failure.waiver is not None}

    @property
    def is_waivable(self) -> bool:
        """Whether a person may let it stand."""
        return self.failure.waiver is None and is_waivable(self.main)


def case_of(desk: Desk, period: Period, failure_id: str) -> Case:
    """A case by its failure's id.

    Raises:
        HTTPException: there is none (404), or it no longer fails.
    """
    warehouse = desk.office.warehouse
    found = warehouse.failures_named(desk.family, period, [failure_id])
    main = [one for one in found if one.failure.id == failure_id]
    sent = warehouse.sent_with(desk.family, period, failure_id)
    if not main or sent is None:
        raise HTTPException(404)
    others = tuple(one for one in found if one.failure.id != failure_id)
    assignment, owner = warehouse.owner(desk.family, period, failure_id)
    number = main[-1].failure.waiver
    waivers = warehouse.waivers(desk.family) if number is not None else ()
    decided = warehouse.return_decisions(desk.family, sent.key)
    return Case(
        main[-1], others, sent, assignment, owner, next((one for one in waivers if one.number == number), None),
        decided[-1] if decided else None,
    )  # fmt: skip


@lru_cache(maxsize=32)
def _book(rules: RuleSet) -> dict[str, RuleRecord]:
    return {one.code: one for one in rule_book(rules)}


def rule_words(desk: Desk, form: Form, period: Period, failure: Failure) -> Message | None:
    """What a rule says in general."""
    known = _book(desk.office.rules(form, period)).get(failure.rule)
    if known is not None:
        return known.title
    return KINDS[Kind(failure.kind)] if failure.kind in set(Kind) else None


def colleagues(desk: Desk) -> dict[int, str]:
    """Those to whom a case can be given, by key."""
    deciding = (Role.STEWARD, Role.HEAD)
    return {one.key: one.name for one in desk.office.warehouse.people() if one.role in deciding and one.active}


def wanted_of(
    who: Visitor, bureau: str, block: str, severity: str, rule: str, state: str, owner: str, text: str
) -> Wanted:
    """What a list's form asks for."""
    whose = {"mine": who.person.key, "nobody": 0}.get(owner)
    return Wanted(bureau, block, severity, rule, state, whose, text.strip())


@router.get("/months/{code}/cases")
def cases(
    request: Request, desk: TheDesk, who: Seeing, code: str,
    bureau: str = "", block: str = "", severity: str = "", rule: str = "", state: str = "open", owner: str = "",
    q: str = "", at: int = 1,
) -> Response:  # fmt: skip
    """The cases of a month: errors first, then by impact."""
    period = read_period(code)
    found = desk.versions.newest(desk.family, period)
    if found is None:
        return page(request, who, "month_empty.html", period=period)
    version, one = found
    warehouse = desk.office.warehouse
    wanted = wanted_of(who, bureau, block, severity, rule, "" if state == "all" else state, owner, q)
    at = max(1, at)
    listed, number = warehouse.listed_failures(desk.family, period, wanted, (at - 1) * A_SCREENFUL, A_SCREENFUL)
    turn = {
        "bureau": bureau, "block": block, "severity": severity, "rule": rule, "state": state, "owner": owner, "q": q,
    }  # fmt: skip
    names = {each.bureau: Message(each.name_zh, each.name_en) for each in one.bureaus}
    refused = (
        warehouse.version_refused(desk.family, period, version.version)
        if at == 1 and not any((bureau, block, rule, q))
        else []
    )
    return page(
        request, who, "cases.html", period=period, version=version, listed=listed, number=number, at=at, turn=turn,
        pages=max(1, -(-number // A_SCREENFUL)), names=names, form=form_of_version(desk, one), owners=colleagues(desk),
        rules=warehouse.rules_failing(desk.family, period), refused=refused,
    )  # fmt: skip


def neighbours(desk: Desk, period: Period, failure_id: str) -> tuple[str | None, str | None]:
    """The open cases before and after one, in the order of the list."""
    order = desk.office.warehouse.open_cases(desk.family, period)
    if failure_id in order:
        place = order.index(failure_id)
        return (order[place - 1] if place else None), (order[place + 1] if place + 1 < len(order) else None)
    return None, order[0] if order else None


@router.get("/months/{code}/cases/{failure}")
def case(request: Request, desk: TheDesk, who: Seeing, code: str, failure: str) -> Response:
    """One case."""
    period = read_period(code)
    return case_page(request, desk, who, period, case_of(desk, period, failure))


def case_page(
    request: Request,
    desk: Desk,
    who: Visitor,
    period: Period,
    one: Case,
    message: Message | None = None,
    status: int = 200,
) -> Response:
    """The page of a case; `message` is what hindered a decision."""
    warehouse, failure = desk.office.warehouse, one.failure
    found = desk.versions.newest(desk.family, period)
    assert found is not None, period
    form = form_of_version(desk, found[1])
    names = {each.bureau: Message(each.name_zh, each.name_en) for each in found[1].bureaus}
    before, after = neighbours(desk, period, failure.id)
    bureau = one.main.bureau
    return page(
        request, who, "case.html", status, period=period, case=one, failure=failure, form=form, message=message,
        bureau=names.get(bureau or "", Message(bureau or one.sent.file, bureau or one.sent.file)),
        shown=surroundings(desk.documents, one.sent.file, one.sent.digest, failure.cells),
        rule=rule_words(desk, form, period, failure),
        charts=_charts(desk, form, period, one), comments=warehouse.comments(desk.family, period, failure.id),
        history=[
            each
            for each in (warehouse.failing_elsewhere(desk.family, bureau, failure.rule, _HISTORY) if bureau else [])
            if each[1] != failure.id
        ],
        owners=colleagues(desk), before=before, after=after, version=found[0], labels=_labels(form),
    )  # fmt: skip


def _labels(form: Form) -> dict[str, Message]:
    return {code: Message(item.label.zh, item.label.en) for code, item in form.indicators.items()}


def _charts(desk: Desk, form: Form, period: Period, one: Case) -> Sequence[Chart]:
    if one.main.bureau is None or not one.failure.indicators:
        return ()
    column = one.failure.column or next(iter(form.columns))
    points = desk.office.warehouse.course(desk.family, one.main.bureau, one.failure.indicators[:4], column, period)
    labels = _labels(form)
    return [
        chart(labels.get(code, Message(code, code)), own, period.code)
        for code in one.failure.indicators[:4]
        if (own := [each for each in points if each.indicator == code])
    ]

"""The cases of a month as a list, and one case with all that somebody needs to decide it.

Not here: deciding (`deciding`), the source cells themselves (`source_cells`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl.decisions import is_waivable
from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.charts import DRAWN, column_of, courses_of, rows_of
from disclosure_etl.desk.months import A_SCREENFUL, form_of_version, read_period
from disclosure_etl.desk.shown import page
from disclosure_etl.desk.source_cells import surroundings
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.quality.book import KINDS, RuleRecord, rule_book
from disclosure_etl.warehouse import StoredFailure
from disclosure_etl.warehouse.case_history import Step
from disclosure_etl.warehouse.case_pages import Listed, Sent, Wanted
from schemas.consolidation import Consolidation
from schemas.constraints import Kind
from schemas.errors import Message
from schemas.forms import Form
from schemas.kernels import Diagnosis
from schemas.people import Role, Visitor
from schemas.periods import Period
from schemas.records import Failure, Severity, Waiver
from schemas.returns import ReturnAction, ReturnDecision
from schemas.rules import RuleSet
from schemas.states import State

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Decision = Literal["waive", "unwaive", "return", "unreturn"]
Seeing = Annotated[Visitor, needs(Need.SEE)]
_HISTORY = 24
_TO_CHOOSE_FROM = 100  # bureaus of which one is chosen from a list; of more, its name is written
_LAST_PAGE = 1_000_000  # whatever an address says, a database counts no further


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
    steps: tuple[Step, ...] = ()
    known_waivers: tuple[Waiver, ...] = ()

    @property
    def failure(self) -> Failure:
        """The failure itself."""
        return self.main.failure

    @property
    def seen(self) -> str:
        """What a form carries, so that nobody decides of what has changed since they looked: a digest of what the page shows, and
        how many steps were taken until then, so that the next page can tell which were taken since."""
        shown = [
            (each.id, each.seen, each.severity, each.waiver)
            for each in (one.failure for one in (self.main, *self.attached))
        ]
        told = f"{shown}|{self.sent.key}|{self.sent.status}|{self.assignment}"
        return hashlib.sha256(told.encode()).hexdigest()[:12] + f"{len(self.steps):04x}"

    def steps_since(self, seen: str) -> tuple[Step, ...]:
        """What was decided since a page showed `seen`."""
        try:
            return self.steps[int(seen[12:], 16) :] if len(seen) == 16 else ()
        except ValueError:  # no page of ours
            return ()

    @property
    def to_waive(self) -> list[StoredFailure]:
        """What a person accepts with the case: itself, and what has its cause, as far as nobody has yet."""
        return [self.main, *(one for one in self.attached if one.failure.waiver is None and is_waivable(one))]

    @property
    def waivers(self) -> set[int]:
        """The waiver by which it stands, and those of what has its cause that were given with it; what somebody decided of these
        by themselves is another decision."""
        if self.waiver is None:
            return set()
        of_attached = {one.failure.waiver for one in self.attached}
        return {self.waiver.number} | {
            one.number
            for one in self.known_waivers
            if one.number in of_attached
            and (one.by, one.at, one.reason) == (self.waiver.by, self.waiver.at, self.waiver.reason)
        }

    @property
    def is_waivable(self) -> bool:
        """Whether it is such that a person may let it stand."""
        return self.failure.waiver is None and is_waivable(self.main)

    @property
    def possible(self) -> frozenset[Decision]:
        """The decisions that can be made of it as it stands: its page has a form for each, and no other is taken."""
        if self.waiver is not None:
            return frozenset({"unwaive"})
        if self.sent.status == State.RETURNED and self.returned and self.returned.action is ReturnAction.RETURN:
            return frozenset({"unreturn"})
        return frozenset({"return", "waive"}) if self.is_waivable else frozenset({"return"})


def case_of(desk: Desk, period: Period, failure_id: str) -> Case:
    """A case by its failure's id.

    Raises:
        HTTPException: there is none (404), or it no longer fails.
    """
    found = find_case(desk, period, failure_id)
    if found is None:
        raise HTTPException(404)
    return found


def find_case(desk: Desk, period: Period, failure_id: str) -> Case | None:
    """A case by its failure's id; None where there is none, or it no longer fails."""
    warehouse = desk.office.warehouse
    found = warehouse.failures_named(desk.family, period, [failure_id])
    main = [one for one in found if one.failure.id == failure_id]
    sent = warehouse.sent_with(desk.family, period, failure_id)
    if not main or sent is None:
        return None
    others = tuple(one for one in found if one.failure.id != failure_id)
    assignment, owner = warehouse.owner(desk.family, period, failure_id)
    number = main[-1].failure.waiver
    waivers = warehouse.waivers(desk.family) if number is not None else ()
    decided = warehouse.return_decisions(desk.family, sent.key)
    return Case(
        main[-1], others, sent, assignment, owner, next((one for one in waivers if one.number == number), None),
        decided[-1] if decided else None,
        tuple(warehouse.case_steps(desk.family, period, main[-1].bureau, main[-1].failure, sent.key)), tuple(waivers),
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


_DIAGNOSES = {
    Diagnosis.ADJUSTED: ("为使合计恰为 100 调整了一个末位单位", "adjusted by one unit of the last place to add to 100"),
    Diagnosis.OTHER_TOTAL: ("按另一总数计算", "computed on another total"),
    Diagnosis.TRUNCATED: ("截尾而未四舍五入", "cut off instead of rounded"),
    Diagnosis.UNATTAINABLE: ("任何整数都得不出", "no whole number has it"),
    Diagnosis.WRONG: ("与分项、总数不符", "does not fit part and total"),
}


def diagnosis_of(failure: Failure) -> Message | None:
    """Why a figure is off, as far as that is known; the other total with it, where it is right for one."""
    if failure.diagnosis is None:
        return None
    code, _, other = failure.diagnosis.partition(":")
    zh, en = _DIAGNOSES.get(code, (code, code))
    return Message(zh + (f":{other}" if other else ""), en + (f": {other}" if other else ""))


def colleagues(desk: Desk) -> dict[int, str]:
    """Those to whom a case can be given, by key."""
    deciding = (Role.STEWARD, Role.HEAD)
    return {one.key: one.name for one in desk.office.warehouse.people() if one.role in deciding and one.active}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is asked for, as it stands in its address."""

    bureau: str = ""
    block: str = ""
    severity: str = ""
    rule: str = ""
    state: str = "open"
    owner: str = ""
    q: str = ""
    at: int = 1

    @property
    def turn(self) -> dict[str, str]:
        """The same for the address of another page of the list."""
        return {
            "bureau": self.bureau, "block": self.block, "severity": self.severity, "rule": self.rule, "state": self.state,
            "owner": self.owner, "q": self.q,
        }  # fmt: skip

    def wanted(self, who: Visitor) -> Wanted:
        """What the warehouse is asked for."""
        whose = {"mine": who.person.key, "nobody": 0}.get(self.owner)
        state = self.state if self.state in ("open", "returned", "waived") else ""
        return Wanted(self.bureau, self.block, self.severity, self.rule, state, whose, self.q.strip())


TheFilters = Annotated[Filters, Depends(Filters)]


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody wrote into a form that was not taken, and chose: the page keeps it for them."""

    reason: str = ""
    until: str = ""
    text: str = ""
    chosen: frozenset[str] = frozenset()


def shown_of(found: StoredFailure) -> str:
    """What a list's form carries of a case: its id, and what the list shows of it."""
    one = found.failure
    told = f"{one.seen}|{one.severity}|{one.waiver}"
    return f"{one.id}:{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def can_acknowledge(one: Listed) -> bool:
    """Whether a case of the list may be chosen to be acknowledged with others."""
    failure = one.stored.failure
    return (
        failure.severity is Severity.WARNING and failure.waiver is None and is_waivable(one.stored) and not one.returned
    )


@router.get("/months/{code}/cases")
def cases(request: Request, desk: TheDesk, who: Seeing, code: str, filters: TheFilters) -> Response:
    """The cases of a month: errors first, then by impact."""
    return list_page(request, desk, who, read_period(code), filters)


def list_page(
    request: Request,
    desk: Desk,
    who: Visitor,
    period: Period,
    filters: Filters,
    message: Message | None = None,
    status: int = 200,
    typed: Typed = Typed(),
) -> Response:
    """The page of a list; `message` is what hindered acknowledging."""
    found = desk.versions.newest(desk.family, period)
    if found is None:
        return page(request, who, "month_empty.html", period=period)
    version, one = found
    warehouse = desk.office.warehouse
    bureau, block, rule, q = _bureau_of(one, filters.bureau), filters.block, filters.rule, filters.q
    wanted = replace(filters.wanted(who), bureau=bureau)
    at = min(max(1, filters.at), _LAST_PAGE)
    listed, number = warehouse.listed_failures(desk.family, period, wanted, (at - 1) * A_SCREENFUL, A_SCREENFUL)
    pages = max(1, -(-number // A_SCREENFUL))
    if at > pages:  # the last page was decided away meanwhile
        at = pages
        listed, number = warehouse.listed_failures(desk.family, period, wanted, (at - 1) * A_SCREENFUL, A_SCREENFUL)
    shown_bureaus = {each.stored.bureau for each in listed}
    few = len(one.bureaus) <= _TO_CHOOSE_FROM
    form = form_of_version(desk, one)
    names = {
        each.bureau: Message(each.name_zh, each.name_en)
        for each in one.bureaus
        if few or each.bureau in shown_bureaus or each.bureau == bureau
    }
    refused = (
        warehouse.version_refused(desk.family, period, version.version)
        if at == 1 and not any((bureau, block, rule, q))
        else []
    )
    return page(
        request, who, "cases.html", status, period=period, version=version, listed=listed, number=number, at=at,
        turn=filters.turn, pages=pages, names=names, few=few, bureau=bureau, form=form, owners=colleagues(desk),
        rules=_rules(desk, form, period, wanted.state), refused=refused, message=message, typed=typed,
        shown={each.stored.failure.id: shown_of(each.stored) for each in listed if can_acknowledge(each)},
    )  # fmt: skip


def _rules(desk: Desk, form: Form, period: Period, state: str) -> list[tuple[str, Message | None, int]]:
    """The rules that fail in a month: code, what it says, how many cases."""
    found = desk.office.warehouse.rules_failing(desk.family, period, state)
    book = _book(desk.office.rules(form, period))
    return [(code, book[code].title if code in book else None, count) for code, count in found]


def _bureau_of(one: Consolidation, written: str) -> str:
    """The code of the bureau that is meant: written as its code, its name, or a part that only its name has."""
    wanted = written.strip().casefold()
    if not wanted or any(each.bureau == written.strip() for each in one.bureaus):
        return written.strip()
    found = [each for each in one.bureaus if wanted in (each.name_zh.casefold(), each.name_en.casefold())]
    found = found or [each for each in one.bureaus if wanted in f"{each.name_zh}\n{each.name_en}".casefold()]
    return found[0].bureau if len(found) == 1 else written.strip()


def neighbours(desk: Desk, period: Period, failure_id: str) -> tuple[str | None, str | None]:
    """The open cases before and after one, in the order of the list."""
    order = desk.office.warehouse.open_cases(desk.family, period)
    if failure_id in order:
        place = order.index(failure_id)
        return (order[place - 1] if place else None), (order[place + 1] if place + 1 < len(order) else None)
    return None, order[0] if order else None


def next_open(before: Sequence[str], failure_id: str, after: Sequence[str]) -> str | None:
    """The next case to look at, given the open ones before and after a decision: the first that followed and is still open, or,
    past the end, the first of all."""
    place = before.index(failure_id) + 1 if failure_id in before else 0
    left = set(after) - {failure_id}
    return next((one for one in (*before[place:], *before[:place], *after) if one in left), None)


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
    typed: Typed = Typed(),
) -> Response:
    """The page of a case; `message` is what hindered a decision."""
    warehouse, failure = desk.office.warehouse, one.failure
    found = desk.versions.newest(desk.family, period)
    if found is None:  # loaded, and not frozen yet
        return page(request, who, "month_empty.html", period=period)
    form = form_of_version(desk, found[1])
    before, after = neighbours(desk, period, failure.id)
    bureau = one.main.bureau
    named = next((each for each in found[1].bureaus if each.bureau == bureau), None)
    name = Message(named.name_zh, named.name_en) if named else Message(bureau or one.sent.file, bureau or one.sent.file)
    courses = courses_of(warehouse, form, period, one.main, _labels(form))
    return page(
        request, who, "case.html", status, period=period, case=one, failure=failure, form=form, message=message,
        bureau=name,
        shown=surroundings(desk.documents, one.sent.file, one.sent.digest, failure.cells),
        rule=rule_words(desk, form, period, failure),
        courses=courses, charts=courses[:DRAWN], rows=rows_of(courses), column=column_of(form, failure),
        comments=warehouse.comments(desk.family, period, failure.id),
        history=[
            each
            for each in (warehouse.failing_elsewhere(desk.family, bureau, failure.rule, _HISTORY) if bureau else [])
            if each[1] not in {failure.id, *(other.failure.id for other in one.attached)}
        ],
        owners=colleagues(desk), before=before, after=after, version=found[0], diagnosis=diagnosis_of(failure), typed=typed,
        seen_names=_seen_names(form, failure),
        block=next((Message(each.label.zh, each.label.en) for each in form.blocks if each.code == failure.block), None),
    )  # fmt: skip


def _labels(form: Form) -> dict[str, Message]:
    return {code: Message(item.label.zh, item.label.en) for code, item in form.indicators.items()}


def _seen_names(form: Form, failure: Failure) -> list[Message]:
    """What each of the figures is that were seen; empty where they are not one an indicator."""
    labels = _labels(form)
    if len(failure.seen) < 2 or len(failure.seen) != len(failure.indicators):
        return []
    return [labels.get(code, Message(code, code)) for code in failure.indicators]

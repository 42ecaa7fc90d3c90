"""What the product has to come to, told as simply as possible: everything that ever came and was decided is kept, and whatever
somebody may ask is made of all of it anew. No assertion, and nothing of the product, in here.

Of the rules there are those of the small form: parts against their total, balances, openings, cumulatives, blanks, figures below zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.model.paper import (
    BLOCK_OF,
    BLOCKS,
    CLOSED,
    CLOSING,
    INDICATORS,
    MONTH,
    MONTHS,
    ONLINE,
    OPENING,
    PAPER,
    RECEIVED,
    SO_FAR,
    TOTAL,
    Cell,
    Paper,
    Tree,
)

OUT = ("superseded", "withdrawn")


class Rule(NamedTuple):
    """Σ coefficient × figure = 0, in a block; the first of the terms may look back on the month before."""

    code: str
    column: str
    block: str
    terms: tuple[tuple[int, Cell], ...]
    looks_back: bool = False


def rules_of(month: int) -> Iterator[Rule]:
    """The rules of the small form in a month."""
    for column in (MONTH, SO_FAR):
        channel = ((1, (PAPER, column)), (1, (ONLINE, column)), (-1, (TOTAL, column)))
        yield Rule("breakdown:published:channel", column, "publications", channel)
        signs = ((1, OPENING), (1, RECEIVED), (-1, CLOSED), (-1, CLOSING))
        yield Rule("balance:cases", column, "cases", tuple((sign, (code, column)) for sign, code in signs))
    for code in INDICATORS:
        own, total = (1, (code, MONTH)), (-1, (code, SO_FAR))
        if code == CLOSING or opens_year(month):
            terms: tuple = (own, total)
        else:
            terms = ((1, (code, SO_FAR)), *([own] if code != OPENING else []), total)
        looks_back = code != CLOSING and not opens_year(month)
        yield Rule(f"year-to-date:{code}", SO_FAR, BLOCK_OF[code], terms, looks_back)
    yield Rule("opening:cases", MONTH, "cases", ((1, (CLOSING, MONTH)), (-1, (OPENING, MONTH))), looks_back=True)


def opens_year(month: int) -> bool:
    """Whether cumulatives begin anew with a month."""
    return MONTHS[month].endswith("-01")


class Failing(NamedTuple):
    """A rule that does not hold, what was seen, what the others imply less what stands there, and who let it stand."""

    rule: str
    column: str | None
    block: str | None
    seen: tuple[str, ...]
    difference: int = 0
    waiver: int | None = None


@dataclass
class Sent:
    """A return that was loaded, and all that was ever found of it. `accepted` and `stale`, by block, stand as they did when it
    was last judged; `doubted`: two came at once (and under which names)."""

    paper: Paper
    name: str
    arrival: int
    figures: dict[Cell, int | None]
    digest: str
    doubted: tuple[str, ...] = ()
    is_for_locked: bool = False
    accepted: dict[str, bool] = field(default_factory=dict)
    stale: dict[str, bool] = field(default_factory=dict)
    failing: list[Failing] = field(default_factory=list)
    notices: int = 0
    open: int = 0
    state: str = "received"
    decisions: list[tuple[int, str, tuple[int, int]]] = field(default_factory=list)  # number, action, place

    @property
    def bureau(self) -> str:
        return self.paper.bureau

    @property
    def is_held_whole(self) -> bool:
        return bool(self.doubted) or self.is_for_locked

    @property
    def last(self) -> str | None:
        return self.decisions[-1][1] if self.decisions else None

    @property
    def rank(self) -> tuple[int, int, int]:
        """By revision and arrival; reinstated as if it had come again then."""
        again = [(place, number) for number, action, place in self.decisions if action == "reinstate"]
        return (*again[-1][0], again[-1][1]) if again else (self.paper.revision, self.arrival, 0)


@dataclass
class Receipt:
    """One arrival."""

    name: str
    paper: Paper | None  # None of a return that was confirmed: `digest` tells which
    digest: str
    month: int
    number: int
    replaced: bool = False


class Waiver(NamedTuple):
    """A word that a failure may stand."""

    number: int
    bureau: str
    rule: str
    column: str | None
    seen: tuple[str, ...]
    first: int
    last: int


class Restated(NamedTuple):
    """An amount between what was accepted and what is carried over from it."""

    number: int
    month: int
    bureau: str
    cell: Cell
    amount: int


@dataclass
class Naive:
    """Everything that came and was decided."""

    tree: Tree
    inbox: dict[str, Paper] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    returns: list[list[Sent]] = field(default_factory=lambda: [[] for _ in MONTHS])
    waivers: list[Waiver] = field(default_factory=list)
    restated: list[Restated] = field(default_factory=list)
    consolidated: set[int] = field(default_factory=set)
    locked: set[int] = field(default_factory=set)  # months

    # -- what comes

    def consolidate(self, month: int, bureaus: Sequence[str] | None = None) -> None:
        """Take what lies in the inbox for a month (and of these bureaus), and judge everything."""
        for name in sorted(self.inbox):
            self._receive(name, self.inbox[name])
        loaded = {one.digest for one in self.returns[month]}
        fresh: dict[str, tuple[str, Paper]] = {}
        for name in sorted(self.inbox):
            paper = self.inbox[name]
            wanted = paper.month == month and paper.digest not in loaded and self.is_owed(paper)
            if wanted and (bureaus is None or paper.bureau in bureaus):
                fresh.setdefault(paper.digest, (name, paper))
        for name, paper in fresh.values():
            alike = [(n, p) for n, p in fresh.values() if (p.bureau, p.revision) == (paper.bureau, paper.revision)]
            arrival = min(one.number for one in self.receipts if one.digest == paper.digest)
            doubted = tuple(n for n, _ in alike) if len(alike) > 1 else ()
            figures = {(code, column): None for code in INDICATORS for column in (MONTH, SO_FAR)}
            one = Sent(paper, name, arrival, figures | dict(paper.figures), paper.digest, doubted)
            one.is_for_locked = month in self.locked
            self.returns[month].append(one)
        self.consolidated.add(month)
        self.refresh()

    def _receive(self, name: str, paper: Paper) -> None:
        held = next((one for one in self.receipts if one.name == name and not one.replaced), None)
        if held is not None and held.digest == paper.digest:
            return
        if held is not None:
            held.replaced = True
        self.receipts.append(Receipt(name, paper, paper.digest, paper.month, len(self.receipts) + 1))

    def is_owed(self, paper: Paper) -> bool:
        """Whether its bureau owes it; else it was sent here by mistake."""
        return paper.bureau in self.tree.owing(paper.month)

    # -- judging

    def refresh(self) -> None:
        """Judge everything again, the earliest first, since each month looks back on the one before."""
        for month in range(len(MONTHS)):
            self.settle(month)
            if month not in self.locked:
                for one in [one for one in self.returns[month] if one.state not in OUT]:
                    self.judge(one, month)
            else:
                for one in self.returns[month]:
                    self._hold_for_lock(one)
            self.settle(month)

    def _hold_for_lock(self, one: Sent) -> None:
        if not one.accepted:
            one.accepted, one.stale = dict.fromkeys(BLOCKS, False), dict.fromkeys(BLOCKS, False)
            one.failing, one.open = [Failing("return:locked", None, None, ())], 0
            if one.doubted:
                one.failing.insert(0, Failing("return:two_returns", None, None, one.doubted))

    def judge(self, one: Sent, month: int) -> None:
        """What is found of a return, and what of it is accepted by that; what was accepted stays so."""
        one.is_for_locked = False
        if one.paper.nil:
            self._fill(one, month)
        found, one.open = [], 0
        if one.doubted:
            found.append(Failing("return:two_returns", None, None, one.doubted))
        for code in INDICATORS:
            if one.figures[code, MONTH] is None and not one.paper.nil:
                found.append(Failing(f"required:{code}", MONTH, BLOCK_OF[code], ("",)))
        found += [
            Failing(f"negative:{code}", column, BLOCK_OF[code], (str(value),))
            for (code, column), value in one.figures.items()
            if value is not None and value < 0
        ]
        for rule in rules_of(month):
            failing = self._held_against(one, month, rule)
            if failing == "open":
                one.open += 1
            elif isinstance(failing, Failing):
                found.append(failing)
        own = [w for w in self.waivers if w.bureau == one.bureau and w.first <= month <= w.last]
        used = set()
        for at, failing in enumerate(found):
            fitting = [w.number for w in own if (w.rule, w.column, w.seen) == (*failing[:2], failing.seen)]
            used.update(fitting)
            if fitting:
                found[at] = failing._replace(waiver=fitting[0])
        one.failing, one.notices = found, len({w.number for w in own} - used)
        bad = {failing.block for failing in found if failing.waiver is None}
        for block in BLOCKS:
            before, holds = one.accepted.get(block, False), block not in bad and None not in bad
            one.accepted[block], one.stale[block] = before or holds, before and not holds

    def _held_against(self, one: Sent, month: int, rule: Rule) -> Failing | str | None:
        """How a rule fails; 'open' where that cannot be told; None where it holds. What is unknown is some number from 0 on."""
        known, seen, up, down, waits = 0, [], False, False, False
        for at, (sign, cell) in enumerate(rule.terms):
            before = rule.looks_back and at == 0
            value = self.carried_over(one.bureau, month, cell) if before else one.figures[cell]
            seen.append("" if value is None else str(value))
            if value is not None:
                known += sign * value
                continue
            up, down = up or sign > 0, down or sign < 0
            waits = waits or before or at == len(rule.terms) - 1
        if rule.code == "balance:cases" and rule.column == SO_FAR:
            known += self.booked(one.bureau, month)
        if (known > 0 and not down) or (known < 0 and not up):
            return Failing(rule.code, rule.column, rule.block, tuple(seen), known)
        return None if known == 0 and not (up and down) and not waits else "open"

    def carried_over(self, bureau: str, month: int, cell: Cell) -> int | None:
        """What was accepted the month before of a bureau, or of all those before it, and what was restated of it."""
        figures = [self.accepted(one, month - 1, cell) for one in self.tree.before(bureau, month)]
        if month == 0 or None in figures:
            return None
        target = (OPENING, MONTH) if cell == (CLOSING, MONTH) else cell
        restated = (r.amount for r in self.restated if (r.month, r.bureau, r.cell) == (month, bureau, target))
        return sum(figures) + sum(restated)  # type: ignore[arg-type]

    def booked(self, bureau: str, month: int) -> int:
        """What was restated of openings in the year so far, by a bureau or those that it took over, beside what came and went."""
        whose, amount = {bureau}, 0
        while month >= 0 and not opens_year(month):
            amount += sum(
                one.amount
                for one in self.restated
                if one.month == month and one.bureau in whose and one.cell == (OPENING, MONTH)
            )
            whose = {before for one in whose for before in self.tree.before(one, month)}
            month -= 1
        return amount

    def _fill(self, one: Sent, month: int) -> None:
        """A nil return stands for: nothing came or went, and what was there before is there still."""
        typed = dict(one.paper.figures)
        for code in INDICATORS:
            for column in (MONTH, SO_FAR):
                if typed.get((code, column)) is None:
                    one.figures[code, column] = self._nil(one.bureau, month, code, column)
        for column in (MONTH, SO_FAR):
            if one.figures[CLOSING, column] is None and typed.get((OPENING, MONTH)) is not None:
                one.figures[CLOSING, column] = typed[OPENING, MONTH]

    def _nil(self, bureau: str, month: int, code: str, column: str) -> int | None:
        stands_still = column == SO_FAR and not opens_year(month)
        if code == CLOSING or (code == OPENING and not stands_still):
            return self.carried_over(bureau, month, (CLOSING, MONTH))
        return self.carried_over(bureau, month, (code, SO_FAR)) if stands_still else 0

    # -- which counts

    def settle(self, month: int) -> None:
        """The state of every return by what was found and decided of it."""
        for bureau in {one.bureau for one in self.returns[month]}:
            sent = [
                one for one in self.in_order(month, bureau) if one.accepted
            ]  # what was never judged is at no place yet
            counting = {id(one) for one in self.current(month, bureau).values()}
            able = [at for at, one in enumerate(sent) if not one.is_held_whole and one.last != "withdraw"]
            newest = able[-1] if able else -1
            for at, one in enumerate(sent):
                one.state = self._state(one, is_behind=id(one) not in counting and at < newest)

    @staticmethod
    def _state(one: Sent, *, is_behind: bool) -> str:
        if one.last == "withdraw":
            return "withdrawn"
        if is_behind:
            return "superseded"
        if one.last == "return":
            return "returned"
        if one.is_held_whole or not any(one.accepted.values()):
            return "held"
        return "accepted" if all(one.accepted.values()) else "partly_held"

    def in_order(self, month: int, bureau: str) -> list[Sent]:
        """A bureau's returns in the order in which they count."""
        return sorted((one for one in self.returns[month] if one.bureau == bureau), key=lambda one: one.rank)

    def current(self, month: int, bureau: str) -> dict[str, Sent]:
        """By block, the return that counts: the newest accepted one, else the newest."""
        found: dict[str, Sent] = {}
        for block in BLOCKS:
            able = [
                one for one in self.in_order(month, bureau)
                if not one.is_held_whole and one.last != "withdraw" and one.accepted
            ]  # fmt: skip
            accepted = [one for one in able if one.accepted[block]]
            if able:
                found[block] = (accepted or able)[-1]
        return found

    def accepted(self, bureau: str, month: int, cell: Cell) -> int | None:
        """A bureau's accepted figure."""
        one = self.current(month, bureau).get(BLOCK_OF[cell[0]]) if month >= 0 else None
        return one.figures[cell] if one is not None and one.accepted[BLOCK_OF[cell[0]]] else None

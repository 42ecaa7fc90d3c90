"""An office in which anything may happen in any order, on both databases, beside the model of it (`naive`): each rule is a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from disclosure_etl import deltas
from disclosure_etl.pipeline import consolidate, roll_up
from disclosure_etl.reports.rehearsal import rehearsal
from schemas.errors import UserError
from schemas.periods import Period
from tests.model.naive import OUT, Receipt, Sent
from tests.model.paper import (
    BLOCK_OF,
    FAMILY,
    INDICATORS,
    MONTH,
    MONTHS,
    OPENING,
    PAPER,
    QUARTER,
    RECEIVED,
    SO_FAR,
    TOTAL,
    TREES,
    Cell,
    Paper,
    Tree,
    period_of,
)
from tests.model.shown import is_whole
from tests.model.stewards import WORD, Stewards

CELLS = tuple((code, column) for code in INDICATORS for column in (MONTH, SO_FAR))
month_numbers = st.integers(0, len(MONTHS) - 1)
bureau_numbers = st.integers(0, 3)
any_number = st.integers(0, 30)
slips = st.one_of(
    st.none(), st.none(), st.tuples(st.sampled_from(CELLS), st.sampled_from([1, 1, -1, 2, None]))
)  # a cell, and by how much it is off; None leaves it blank
draws = st.tuples(*[st.integers(0, 2)] * 4)
take_back = st.sampled_from([False, False, True])


class OfficeMachine(Stewards):
    """The product on each database against one model."""

    @initialize(
        tree=st.sampled_from(TREES), months=st.integers(0, len(MONTHS)), draws=st.lists(draws, min_size=4, max_size=4)
    )
    def open(self, tree: Tree, months, draws) -> None:
        """An office in which some months are over, with nothing wrong in them."""
        self.furnish(tree)
        for month in range(months):
            self.whole_month(month, draws, None)

    # -- what comes

    @rule(
        month=month_numbers, bureau=bureau_numbers, draw=st.tuples(*[st.integers(0, 3)] * 4), slip=slips,
        revision=st.sampled_from(["next", "next", "same", "first"]), so_far=st.sampled_from([True, True, True, False]),
        slot=st.sampled_from([None, None, 1, 2]), nil=st.sampled_from([False] * 5 + [True]),
    )  # fmt: skip
    def send(self, month, bureau, draw, slip, revision, so_far, slot, nil) -> None:
        """A return comes, of a bureau that owes it or not; nobody looks yet."""
        codes = self.model.tree.codes()
        code = codes[bureau % len(codes)]
        if nil:
            blank = tuple((cell, None) for cell in CELLS)
            self.put(Paper(code, month, self.revision(month, code, revision), blank, True, self.papers % 3), slot)
        else:
            self.put(self.written(month, code, draw, revision, slip, so_far=so_far), slot)

    @rule(which=any_number)
    @precondition(lambda self: self.model.inbox)
    def send_again(self, which) -> None:
        """Bytes of before come under another name."""
        known = list(dict.fromkeys(self.model.inbox.values()))
        self.put(known[which % len(known)], None)

    def whole_month(self, month: int, draws: list, slip: Any) -> None:
        for at, code in enumerate(self.model.tree.owing(month)):
            self.put(self.written(month, code, draws[at], "next", slip if at == 0 else None, so_far=True), None)
        self.run(month, None, "consolidate")

    @rule(month=month_numbers, draws=st.lists(draws, min_size=4, max_size=4), slip=slips)
    def whole_month_comes(self, month, draws, slip) -> None:
        """Every bureau sends, one of them perhaps with a slip; the month is consolidated."""
        self.whole_month(month, draws, slip)

    @rule(month=month_numbers, bureau=bureau_numbers, draw=draws, slip=slips, only=st.booleans(), follows=st.booleans())
    def correct(self, month, bureau, draw, slip, only, follows) -> None:
        """A bureau corrects a month, which is run again; perhaps it says at once that its later figures follow."""
        codes = self.model.tree.owing(month)
        code = codes[bureau % len(codes)]
        self.put(self.written(month, code, draw, "next", slip, so_far=True), None)
        self.run(month, [code] if only else None, "rerun")
        if follows and code in {one.bureau for one in self.proposed}:
            self.confirm(code)

    # -- runs

    def run(self, month: int, bureaus: list[str] | None, command: str) -> None:
        is_refused = month in self.model.locked and command == "rerun"
        answers = self.day(
            lambda office: consolidate(office, FAMILY, period_of(month), command=command, bureaus=bureaus),
            None if is_refused else lambda: self.model.consolidate(month, bureaus),
            *([] if is_refused else [month]),
        )
        assert all(isinstance(one, UserError) == is_refused for one in answers), answers

    @rule(month=month_numbers, only=st.one_of(st.none(), st.none(), bureau_numbers))
    def consolidate(self, month, only) -> None:
        """A month is consolidated, or run again for one bureau."""
        codes = self.model.tree.codes()
        bureaus = None if only is None else [codes[only % len(codes)]]
        self.run(month, bureaus, "consolidate" if bureaus is None else "rerun")

    @rule(month=month_numbers, adds_up=st.booleans())
    def look_ahead(self, month, adds_up) -> None:
        """The quarter is added up; or a rerun is tried out, which changes nothing."""
        if adds_up and self.model.consolidated & {1, 2, 3}:
            self.rolled_up = True
            self.day(lambda office: roll_up(office, FAMILY, Period.parse(QUARTER)), None)
            return
        before = [one.unmoved() for one in self.products]
        self.day(lambda office: rehearsal(office, FAMILY, period_of(month)), None)
        assert [one.unmoved() for one in self.products] == before

    # -- what stewards do

    @rule(which=any_number, longer=st.sampled_from([0, 0, 1]), back=take_back)
    @precondition(lambda self: self.model.waivers or self.errors())
    def let_stand(self, which, longer, back) -> None:
        """A failure is waived, or a waiver taken back."""
        if self.model.waivers and (back or not self.errors()):
            self.withdraw_waiver(which)
        else:
            self.waive(which, longer)

    @rule(which=any_number, action=st.sampled_from(["return", "withdraw", "reinstate", "reinstate"]), back=take_back)
    @precondition(lambda self: any(self.model.returns))
    def decide_of_a_return(self, which, action, back) -> None:
        """A return is sent back, withdrawn or reinstated, or one of that undone."""
        if back and self.decided():
            self.undo(which)
        else:
            self.decide(which, action)

    @rule(
        which=any_number, month=month_numbers, bureau=bureau_numbers,
        cell=st.sampled_from([(OPENING, MONTH), (OPENING, MONTH), (TOTAL, SO_FAR), (PAPER, SO_FAR), (RECEIVED, SO_FAR)]),
        amount=st.sampled_from([1, 2, -1]), back=take_back,
    )  # fmt: skip
    def book(self, which, month, bureau, cell, amount, back) -> None:
        """An amount is restated, or that is taken back."""
        if back and self.model.restated:
            self.withdraw_restatement(which)
        else:
            self.restate(month, bureau, cell, amount)

    @rule(month=month_numbers, locks=st.booleans())
    @precondition(lambda self: self.model.consolidated)
    def answer_for(self, month, locks) -> None:
        """A month is signed off; the year that is over is locked where it can be, or reopened."""
        if not locks:
            self.sign(month)
        elif self.model.locked:
            self.reopen()
        elif self.is_final(0):
            self.lock()
        else:
            self.sign(0)

    # -- what follows

    @rule(which=any_number)
    @precondition(lambda self: self.proposed)
    def follow(self, which) -> None:
        """A bureau says that its figures follow."""
        names = sorted({one.bureau for one in self.proposed})
        self.confirm(names[which % len(names)])

    def confirm(self, bureau: str) -> None:
        own = [one for one in self.proposed if one.bureau == bureau]
        is_refused = any(one.month in self.model.locked for one in own)
        done = []

        def model() -> None:
            for month in sorted({one.month for one in own}) if not is_refused else ():
                changed = {one.cell: one.proposed for one in own if one.month == month}
                if is_whole(self.model, month, bureau) and self._put_into_force(month, bureau, changed):
                    done.append(month)
            self.model.refresh()

        self.clock.set(self.clock() + timedelta(days=1))
        answers = [one.do(lambda office: deltas.confirm(office, FAMILY, bureau, WORD)) for one in self.products]
        model()
        assert all(isinstance(each, UserError) == (not done) for each in answers), (answers, done)
        self.touched = set()
        self.check()
        self.days.append((self.clock(), {month: (one.says, one.status) for month, one in self.last.items()}))

    def _put_into_force(self, month: int, bureau: str, changed: dict[Cell, int]) -> bool:
        """Another return of the same revision, unless it would be held in a block that the changes are of."""
        known = [one for one in self.model.returns[month] if one.bureau == bureau]
        basis = next(one for one in self.model.in_order(month, bureau) if one.state not in OUT)
        figures = {**basis.figures, **changed}
        paper = Paper(bureau, month, max(one.paper.revision for one in known), tuple(sorted(figures.items())))
        name = f"{bureau}_{MONTHS[month]}_confirmed_{len(known) + 1}.json"
        one = Sent(paper, name, len(self.model.receipts) + 1, figures, "")
        self.model.judge(one, month)
        if not all(one.accepted[BLOCK_OF[indicator]] for indicator, _ in changed):
            return False
        stored = self.products[0].office.warehouse.returns(FAMILY, period_of(month), bureau)
        one.digest = next((each.digest for each in stored if each.file == name), "not stored")
        self.model.receipts.append(Receipt(name, None, one.digest, month, one.arrival))
        self.model.returns[month].append(one)
        self.model.refresh()
        return True

    # -- looking back

    @rule(which=any_number)
    @precondition(lambda self: self.days)
    def look_back(self, which) -> None:
        """What stood on a day is told as it stood then; what every bureau did adds up to it."""
        at, known = self.days[-1 - which % len(self.days)]
        for product in self.products:
            for month in range(len(MONTHS)):
                then = product.version(period_of(month), at + timedelta(hours=8))
                assert (then is None) == (month not in known), (product.name, MONTHS[month], at)
                if then is None:
                    continue
                assert (then.says, then.status) == known[month], (product.name, MONTHS[month], at)
                own = product.added_up(month, then.number)
                total = {cell: value for cell, (value, _) in then.says.figures.items() if value is not None}
                assert {cell: value for cell, value in own.items() if value is not None} == total, (product.name, month)

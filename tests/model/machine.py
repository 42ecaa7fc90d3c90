"""An office in which anything may happen in any order, on both databases, beside the model of it (`naive`): each rule is a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from disclosure_etl import decisions, deltas, restated, returned
from disclosure_etl.pipeline import consolidate, roll_up
from schemas.errors import UserError
from schemas.periods import Period
from schemas.returns import ReturnAction
from tests.model.days import Days
from tests.model.naive import OUT, Receipt, Restated, Sent, Waiver, opens_year
from tests.model.paper import (
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

WORD = decisions.Word("王处长", "单位来函说明")
CELLS = tuple((code, column) for code in INDICATORS for column in (MONTH, SO_FAR))
month_numbers = st.integers(0, len(MONTHS) - 1)
bureau_numbers = st.integers(0, 3)
any_number = st.integers(0, 30)
slips = st.one_of(
    st.none(), st.none(), st.tuples(st.sampled_from(CELLS), st.sampled_from([1, 1, -1, 2, None]))
)  # a cell, and by how much it is off; None leaves it blank


class OfficeMachine(Days):
    """The product on each database against one model."""

    @initialize(tree=st.sampled_from(TREES))
    def open(self, tree: Tree) -> None:
        """An office with nothing in it."""
        self.furnish(tree)

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

    @rule(month=month_numbers, draws=st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=4, max_size=4), slip=slips)
    def whole_month(self, month, draws, slip) -> None:
        """Every bureau sends, one of them perhaps with a slip; the month is consolidated."""
        for at, code in enumerate(self.model.tree.owing(month)):
            self.put(self.written(month, code, draws[at], "next", slip if at == 0 else None, so_far=True), None)
        self.run(month, None, "consolidate")

    # -- runs

    def run(self, month: int, bureaus: list[str] | None, command: str) -> None:
        self.day(
            lambda office: consolidate(office, FAMILY, period_of(month), command=command, bureaus=bureaus),
            lambda: self.model.consolidate(month, bureaus),
            month,
        )

    @rule(month=month_numbers, only=st.one_of(st.none(), st.none(), bureau_numbers))
    def consolidate(self, month, only) -> None:
        """A month is consolidated, or run again for one bureau."""
        codes = self.model.tree.codes()
        bureaus = None if only is None else [codes[only % len(codes)]]
        self.run(month, bureaus, "consolidate" if bureaus is None else "rerun")

    @rule()
    @precondition(lambda self: self.model.consolidated & {1, 2, 3})
    def add_up(self) -> None:
        """The quarter is added up."""
        self.rolled_up = True
        self.day(lambda office: roll_up(office, FAMILY, Period.parse(QUARTER)), None)

    # -- decisions

    def _errors(self) -> list[tuple[int, Sent, Any]]:
        return [
            (month, one, each)
            for month in range(len(MONTHS))
            for one in self.model.returns[month]
            if one.state not in OUT and month not in self.model.locked
            for each in one.failing
            if each.rule != "return:two_returns"
        ]

    @rule(which=any_number, longer=st.sampled_from([0, 0, 1]))
    @precondition(lambda self: self._errors())
    def waive(self, which, longer) -> None:
        """A steward lets a failure stand."""
        found = self._errors()
        month, one, error = found[which % len(found)]
        last = min(month + longer, len(MONTHS) - 1)

        def command(office):
            listed = office.warehouse.failures(FAMILY, period_of(month), one.bureau)
            same = (each for each in listed if _is(each.failure, error))
            return decisions.waive(office, FAMILY, next(same), (period_of(month), period_of(last)), WORD)

        def model() -> None:
            number = self.number("waiver")
            new = Waiver(number, one.bureau, error.rule, error.column, error.seen, month, last)
            if new._replace(number=0) not in [known._replace(number=0) for known in self.model.waivers]:
                self.numbers["waiver"] = number
                self.model.waivers.append(new)
            self.model.refresh()

        answers = self.day(command, model)
        assert not any(isinstance(one, UserError) for one in answers), answers

    @rule(which=any_number)
    @precondition(lambda self: self.model.waivers)
    def withdraw_waiver(self, which) -> None:
        """A waiver is taken back."""
        one = self.model.waivers[which % len(self.model.waivers)]

        def model() -> None:
            self.numbers["waiver"] = self.number("waiver")  # the withdrawal has one of its own
            self.model.waivers.remove(one)
            self.model.refresh()

        self.day(lambda office: decisions.withdraw(office, FAMILY, one.number, WORD), model)

    @rule(which=any_number, action=st.sampled_from(["return", "withdraw", "reinstate", "reinstate"]))
    @precondition(lambda self: any(self.model.returns))
    def decide(self, which, action) -> None:
        """A return is sent back, withdrawn or reinstated; or that is refused."""
        able = {"return": ("held", "partly_held", "accepted"), "reinstate": ("superseded",)}
        able["withdraw"] = (*able["return"], "returned")
        sent = [(month, one) for month in range(len(MONTHS)) for one in self.model.returns[month]]
        fitting = [(month, one) for month, one in sent if one.state in able[action]] or sent
        month, one = fitting[which % len(fitting)]

        def command(office):
            known = office.warehouse.returns(FAMILY, period_of(month), one.bureau)
            stored = next(each for each in known if each.digest == one.digest)
            return returned.decide(office, ReturnAction(action), stored, WORD)

        is_refused = one.state not in able[action] or month in self.model.locked

        def model() -> None:
            if is_refused:
                return
            self.numbers["return"] = self.number("return")
            own = [each.paper.revision for each in self.model.returns[month] if each.bureau == one.bureau]
            place = (max(own), len(self.model.receipts))
            one.decisions.append((self.numbers["return"], action, place))
            self.model.refresh()

        answers = self.day(command, model)
        assert all(isinstance(each, UserError) == is_refused for each in answers), answers

    @rule(which=any_number)
    @precondition(lambda self: self._decided())
    def undo(self, which) -> None:
        """A decision about a return is taken back."""
        found = self._decided()
        one, decision = found[which % len(found)]

        def model() -> None:
            self.numbers["return"] = self.number("return")
            one.decisions.remove(decision)
            self.model.refresh()

        self.day(lambda office: returned.undo(office, FAMILY, decision[0], WORD), model)

    def _decided(self) -> list[tuple[Sent, tuple]]:
        return [
            (one, decision)
            for month in range(len(MONTHS))
            for one in self.model.returns[month]
            if month not in self.model.locked
            for decision in one.decisions
        ]

    @rule(month=month_numbers, bureau=bureau_numbers, cell=st.sampled_from(
        [(OPENING, MONTH), (OPENING, MONTH), (TOTAL, SO_FAR), (PAPER, SO_FAR), (RECEIVED, SO_FAR)]),
        amount=st.sampled_from([1, 2, -1]))  # fmt: skip
    def restate(self, month, bureau, cell, amount) -> None:
        """An amount is booked between what was accepted and what is carried over."""
        codes = self.model.tree.owing(month)
        code = codes[bureau % len(codes)]
        is_refused = month in self.model.locked or (cell[1] == SO_FAR and opens_year(month))
        wanted = restated.Wanted(code, cell[0], str(amount), "recount", cell[1])

        def model() -> None:
            if is_refused:
                return
            number = self.number("restated")
            new = Restated(number, month, code, cell, amount)
            if new._replace(number=0) not in [known._replace(number=0) for known in self.model.restated]:
                self.numbers["restated"] = number
                self.model.restated.append(new)
            self.model.refresh()

        answers = self.day(lambda office: restated.restate(office, FAMILY, period_of(month), wanted, WORD), model)
        assert all(isinstance(each, UserError) == is_refused for each in answers), answers

    @rule(which=any_number)
    @precondition(lambda self: self.model.restated)
    def withdraw_restatement(self, which) -> None:
        """One of them is taken back."""
        one = self.model.restated[which % len(self.model.restated)]

        def model() -> None:
            self.numbers["restated"] = self.number("restated")
            self.model.restated.remove(one)
            self.model.refresh()

        self.day(lambda office: restated.withdraw(office, FAMILY, one.number, WORD), model)

    # -- what follows

    @rule(which=any_number)
    @precondition(lambda self: self.proposed)
    def confirm(self, which) -> None:
        """A bureau says that its figures follow."""
        names = sorted({one.bureau for one in self.proposed})
        bureau = names[which % len(names)]
        own = [one for one in self.proposed if one.bureau == bureau]
        months = sorted({one.month for one in own if is_whole(self.model, one.month, bureau)})

        def model() -> None:
            for month in months:
                self._put_into_force(month, bureau, {one.cell: one.proposed for one in own if one.month == month})
            self.model.refresh()

        self.clock.set(self.clock() + timedelta(days=1))
        answers = [one.do(lambda office: deltas.confirm(office, FAMILY, bureau, WORD)) for one in self.products]
        assert all(isinstance(each, UserError) == (not months) for each in answers), answers
        model()
        self.touched = set()
        self.check()
        self.days.append((self.clock(), {month: (one.says, one.status) for month, one in self.last.items()}))

    def _put_into_force(self, month: int, bureau: str, changed: dict[Cell, int]) -> None:
        basis = next(one for one in self.model.in_order(month, bureau) if one.state not in OUT)
        revision = max(one.paper.revision for one in self.model.returns[month] if one.bureau == bureau) + 1
        figures = {**basis.figures, **changed}
        name = f"{bureau}_{MONTHS[month]}_r{revision}.json"
        stored = self.products[0].office.warehouse.returns(FAMILY, period_of(month), bureau)
        digest = next(one.digest for one in stored if one.file == name)
        number = len(self.model.receipts) + 1
        paper = Paper(bureau, month, revision, tuple(sorted(figures.items())))
        self.model.receipts.append(Receipt(name, None, digest, month, number))
        self.model.returns[month].append(Sent(paper, name, number, figures, digest))
        self.model.refresh()

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


def _is(failure, error) -> bool:
    return (failure.rule, failure.column, failure.seen) == (error.rule, error.column, error.seen)

"""What stewards do of a day, on every database and in the model: failures waived, returns decided of, amounts restated, versions
signed, a year locked; each of them taken back.

Not here: what makes them do it (`machine`).
"""

from __future__ import annotations

from typing import Any

from disclosure_etl import decisions, restated, returned, signing
from schemas.errors import UserError
from schemas.returns import ReturnAction
from tests.model.days import Days
from tests.model.naive import OUT, Restated, Sent, Waiver, opens_year
from tests.model.paper import (
    FAMILY,
    MONTHS,
    SO_FAR,
    Cell,
    period_of,
)

WORD = decisions.Word("王处长", "单位来函说明")


class Stewards(Days):
    """Days on which somebody decides."""

    # -- decisions

    def errors(self) -> list[tuple[int, Sent, Any]]:
        return [
            (month, one, each)
            for month in range(len(MONTHS))
            for one in self.model.returns[month]
            if one.state not in OUT and month not in self.model.locked
            for each in one.failing
            if each.rule != "return:two_returns"
        ]

    def waive(self, which: int, longer: int) -> None:
        """A steward lets a failure stand."""
        found = self.errors()
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

    def withdraw_waiver(self, which: int) -> None:
        """A waiver is taken back."""
        one = self.model.waivers[which % len(self.model.waivers)]
        is_refused = one.first in self.model.locked

        def model() -> None:
            if is_refused:
                return
            self.numbers["waiver"] = self.number("waiver")  # the withdrawal has one of its own
            self.model.waivers.remove(one)
            self.model.refresh()

        answers = self.day(lambda office: decisions.withdraw(office, FAMILY, one.number, WORD), model)
        assert all(isinstance(each, UserError) == is_refused for each in answers), answers

    def decide(self, which: int, action: str) -> None:
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

        made = {"return": ("returned",), "withdraw": ("withdrawn",), "reinstate": able["return"]}
        stands = one.last == action and one.state in made[action]  # to decide it again changes nothing
        is_refused = not stands and (one.state not in able[action] or month in self.model.locked)

        def model() -> None:
            if is_refused or stands:
                return
            self.numbers["return"] = self.number("return")
            own = [each.paper.revision for each in self.model.returns[month] if each.bureau == one.bureau]
            place = (max(own), len(self.model.receipts))
            one.decisions.append((self.numbers["return"], action, place))
            self.model.refresh()

        answers = self.day(command, model)
        assert all(isinstance(each, UserError) == is_refused for each in answers), answers

    def undo(self, which: int) -> None:
        """A decision about a return is taken back."""
        found = self.decided()
        one, decision = found[which % len(found)]

        def model() -> None:
            self.numbers["return"] = self.number("return")
            one.decisions.remove(decision)
            self.model.refresh()

        self.day(lambda office: returned.undo(office, FAMILY, decision[0], WORD), model)

    def decided(self) -> list[tuple[Sent, tuple]]:
        return [
            (one, decision)
            for month in range(len(MONTHS))
            for one in self.model.returns[month]
            if month not in self.model.locked
            for decision in one.decisions
        ]

    def restate(self, month: int, bureau: int, cell: Cell, amount: int) -> None:
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

    def withdraw_restatement(self, which: int) -> None:
        """One of them is taken back."""
        one = self.model.restated[which % len(self.model.restated)]
        is_refused = one.month in self.model.locked

        def model() -> None:
            if is_refused:
                return
            self.numbers["restated"] = self.number("restated")
            self.model.restated.remove(one)
            self.model.refresh()

        answers = self.day(lambda office: restated.withdraw(office, FAMILY, one.number, WORD), model)
        assert all(isinstance(each, UserError) == is_refused for each in answers), answers

    # -- who answers for it

    def sign(self, month: int) -> None:
        """A month is signed off, unless something stands in the way."""
        missing = frozenset(self.last[month].says.missing) if month in self.last else frozenset()
        wish = signing.Wish("王处长", missing=missing, acknowledge="已核对")
        able = self.may_be_signed(month)

        def model() -> None:
            if able:
                self.signed[month] = self.last[month].number

        answers = self.day(lambda office: signing.sign_off(office, FAMILY, period_of(month), wish), model)
        assert all((not isinstance(one, UserError) and one.signed is not None) == able for one in answers), answers

    def lock(self) -> None:
        """The year that is over is locked, if its only month is final."""
        able = self.is_final(0)

        def model() -> None:
            if able:
                self.model.locked.add(0)

        answers = self.day(lambda office: signing.lock_year(office, FAMILY, 2013, WORD.by, WORD.reason), model)
        assert all((one.lock is not None) == able for one in answers), answers

    def reopen(self) -> None:
        """It is reopened by two, and what came meanwhile is judged."""

        def model() -> None:
            self.model.locked.clear()
            self.model.refresh()

        self.day(lambda office: signing.reopen_year(office, FAMILY, 2013, WORD.by, "李主任", WORD.reason), model)


def _is(failure, error) -> bool:
    return (failure.rule, failure.column, failure.seen) == (error.rule, error.column, error.seen)

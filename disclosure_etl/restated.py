"""Restating a figure: an opening, a stock or a cumulative that rightly differs from what was accepted before; and at once what
that changes.

Not here: what a restatement is (`schemas.restatements`), or where it is kept (`warehouse`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from disclosure_etl.decisions import Word
from disclosure_etl.judgement import Followed, dependents_of, follow
from disclosure_etl.office import Office
from schemas.constraints import Constraint, Kind
from schemas.errors import UserError
from schemas.periods import Period
from schemas.restatements import ReasonCode, Restatement, carried
from schemas.values import LARGEST


@dataclass(frozen=True)
class Restated:
    """A restatement, and the versions that were frozen because of it (or of its withdrawal)."""

    restatement: Restatement
    followed: Followed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants restated: whose and which figure, by how much (as text, in the indicator's unit), and why. `column`
    is needed only where the indicator is carried over in several."""

    bureau: str
    indicator: str
    amount: str
    code: str
    column: str | None = None


def restate(office: Office, family: str, period: Period, wanted: Wanted, word: Word) -> Restated:
    """Book an amount between the figure that was accepted before and the one that is carried over from it.

    Raises:
        UserError: no such indicator, column, code or amount; a figure that nothing is carried over into; a bureau that has
            nothing to do with the period; no name or reason.
    """
    word, code = word.checked(), _code(wanted.code)
    form = office.forms.choose(family, period)
    rule = _rule(list(carried(office.rules(form, period).table)), wanted, period)
    cell, at = rule.terms[-1].cell, office.clock()
    one = Restatement(
        0, family, period.code, wanted.bureau, cell.indicator, cell.column, _amount(wanted.amount, cell.scale), cell.scale,
        code, word.reason, word.by, at,
    )  # fmt: skip
    with office.alone(f"restatements add {period}") as alone:
        alone.warehouse.refuse_locked(family, [period])
        _refuse_unconcerned(alone, one, period)
        run = alone.warehouse.start_run("restate", family, period, at)
        recorded = alone.warehouse.restate(one, run, dependents_of(alone, family, period))
        return Restated(recorded, _followed(alone, run))


def _refuse_unconcerned(office: Office, one: Restatement, period: Period) -> None:
    """Nothing is carried over to who neither owes a return of the period nor sent one, such as a bureau that has merged."""
    owing = [bureau.code for bureau in office.owing(one.family, period)]
    if one.bureau not in owing and not office.warehouse.returns(one.family, period, one.bureau):
        raise UserError(
            f"「{one.bureau}」{period} 不报送 {one.family},也没有报过,无从调整;{period} 应报的有:{'、'.join(owing)}。",
            f"'{one.bureau}' owes no {one.family} of {period} and sent none: nothing of it can be restated. Who owes one: "
            f"{', '.join(owing)}.",
        )


def withdraw(office: Office, family: str, number: int, word: Word) -> Restated:
    """Take a restatement back.

    Raises:
        UserError: there is no such restatement, or it was withdrawn before; no name or reason.
    """
    word = word.checked()
    with office.alone(f"restatements withdraw {number}") as alone:
        return _withdrawn(alone, family, number, word)


def _withdrawn(office: Office, family: str, number: int, word: Word) -> Restated:
    known = {one.number: one for one in office.warehouse.restatements(family)}
    if number not in known:
        listed = "、".join(map(str, known)) or "—"
        raise UserError(
            f"没有第 {number} 号调整,或已撤销;现有:{listed}。",
            f"There is no restatement {number}, or it was withdrawn; standing: {listed}.",
        )
    one, at = known[number], office.clock()
    period = Period.parse(one.period)
    office.warehouse.refuse_locked(family, [period])
    run = office.warehouse.start_run("restate", family, period, at)
    after = dependents_of(office, family, period)
    office.warehouse.withdraw_restatement(one, word.reason, word.by, at, run, after)
    return Restated(one, _followed(office, run))


def _followed(office: Office, run: str) -> Followed:
    followed = follow(office, run, lambda stage, done, of: None)
    office.warehouse.finish_run(run, "failed" if followed.faults else "done", {}, office.clock())
    return followed


def _code(written: str) -> ReasonCode:
    try:
        return ReasonCode(written)
    except ValueError:
        zh = "、".join(f"{one.value}({one.label_zh})" for one in ReasonCode)
        en = ", ".join(f"{one.value} ({one.label_en})" for one in ReasonCode)
        raise UserError(
            f"调整原因代码「{written}」无效;可用:{zh}。", f"'{written}' is no code of a reason; use one of {en}."
        ) from None


def _rule(rules: list[Constraint], wanted: Wanted, period: Period) -> Constraint:
    fitting = [
        rule
        for rule in rules
        if rule.terms[-1].cell.indicator == wanted.indicator and wanted.column in (None, rule.column)
    ]
    # An opening is carried over into the period's own column first; that of the year to date is January's.
    own = [rule for rule in fitting if rule.kind is not Kind.YEAR_TO_DATE] or fitting
    if len(own) == 1:
        return own[0]
    shown = dict.fromkeys(f"{rule.terms[-1].cell.indicator}/{rule.column}" for rule in (fitting or rules))
    if fitting:
        raise UserError(
            f"{period} 的「{wanted.indicator}」在多个栏目中结转,请用 --column 指明:{'、'.join(shown)}。",
            f"'{wanted.indicator}' is carried over in several columns in {period}; name one with --column: {', '.join(shown)}.",
        )
    raise UserError(
        f"{period} 没有从上期结转到「{wanted.indicator}」{wanted.column or ''} 的数;可调整的有:{'、'.join(shown)}。",
        f"Nothing is carried over into '{wanted.indicator}' {wanted.column or ''} in {period}; these are: {', '.join(shown)}.",
    )


def _amount(written: str, scale: int) -> int:
    try:
        scaled = Decimal(written.strip().replace("−", "-")).scaleb(scale)
    except InvalidOperation:
        scaled = Decimal("NaN")
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or not 0 < abs(scaled) < LARGEST:
        raise UserError(
            f"调整金额「{written}」无效;请写不为零的数,至多 {scale} 位小数,如 2 或 -2。",
            f"'{written}' is no amount; write a number other than zero with at most {scale} decimals, such as 2 or -2.",
        )
    return int(scaled)

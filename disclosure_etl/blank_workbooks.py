"""The blank workbooks of a period: for whom, under which name, with which openings. Not here: what one looks like."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from decimal import Decimal

from disclosure_etl.bureaus import Bureau
from disclosure_etl.intake.templates import Filling, workbook
from disclosure_etl.lookback import looked_back
from disclosure_etl.office import Office
from schemas.compiling import constraint_table
from schemas.constraints import Kind, Source
from schemas.errors import UserError
from schemas.forms import Form
from schemas.periods import Frequency, Period
from schemas.records import History, LooksBack
from schemas.values import UNKNOWN


def blank_workbooks(
    office: Office, family: str, period: Period, written: Sequence[str] | None
) -> Iterator[tuple[str, bytes]]:
    """File name and bytes of each bureau's blank workbook.

    Args:
        written: bureaus by code or name; all that owe the return where None.

    Raises:
        UserError: a bureau that is not known on the period's last day, or a period that no return of the family is for.
    """
    form = office.forms.choose(family, period)
    if period.frequency is not form.frequency:
        example = Period.of_day(period.start, form.frequency)
        raise UserError(
            f"「{form.title.zh}」({family})没有 {period} 的报表:它的一期如 {example}。其他报表用 --family 指定。",
            f"There is no return of {family} for {period}: its periods are like {example}. Name another form with --family.",
        )
    bureaus = (
        list(office.owing(family, period)) if not written else [bureau_called(office, name, period) for name in written]
    )
    looks = LooksBack(constraint_table(form, period).looked_up(Source.PREVIOUS))
    history = looked_back(office, office.rules(form, period), [bureau.code for bureau in bureaus], looks)
    # Two families may have returns for one period; those of the office's own go without its name.
    suffix = "" if family == office.settings.family else f"_{family}"
    for row, bureau in enumerate(bureaus):
        header = {"bureau": bureau.name_zh, "bureau_code": bureau.code}
        figures = opening_figures(form, period, history, row)
        yield f"{bureau.name_zh}_{period}{suffix}.xlsx", workbook(form, period, Filling(header, figures))


def bureau_called(office: Office, written: str, period: Period) -> Bureau:
    """The bureau that has this code, name or alias on the period's last day: what people type wherever one is asked for.

    One that ended within a longer period is found as well.

    Raises:
        UserError: there is none; the closest name and all that there are are told.
    """
    days = [period.end, *(part.end for part in reversed(period.parts(Frequency.MONTHLY)))]
    for day in days:
        if found := office.bureaus.find(written, day):
            return found
    known = {
        f"{one.code}({one.name_zh})": (one.code, one.name_zh, one.name_en, *one.aliases)
        for one in office.bureaus.at(period.end)
    }
    names = {name.casefold(): shown for shown, own in known.items() for name in own}
    close = difflib.get_close_matches(written.casefold(), names, n=1, cutoff=0.5)
    guess_zh, guess_en = (f"是否应为 {names[close[0]]}?", f"Did you mean {names[close[0]]}? ") if close else ("", "")
    raise UserError(
        f"{period} 没有名为或代码为「{written}」的单位。{guess_zh}可用的有:{'、'.join(known)}。",
        f"There is no bureau '{written}' in {period}. {guess_en}Known: {', '.join(known)}.",
    )


def opening_figures(form: Form, period: Period, history: History, row: int) -> dict[tuple[str, str], Decimal]:
    """What may be filled in: openings as the preceding period's accepted closings, in each column as its rule says."""
    found: dict[tuple[str, str], Decimal] = {}
    for rule in constraint_table(form, period).constraints:
        last = rule.terms[-1].cell
        balance = form.indicators[last.indicator].balance
        is_opening = balance is not None and balance.role == "opening"
        if not is_opening or rule.kind not in (Kind.OPENING, Kind.YEAR_TO_DATE):
            continue
        source = rule.terms[0]
        if source.source is Source.PREVIOUS:
            value = int(history.figures[source.name][row])
            if value != UNKNOWN:
                found[(last.indicator, last.column)] = Decimal(value).scaleb(-last.scale)
    for rule in constraint_table(form, period).of_kind(Kind.YEAR_TO_DATE):
        source, last = rule.terms[0], rule.terms[-1].cell
        balance = form.indicators[last.indicator].balance
        opens = balance is not None and balance.role == "opening" and source.source is Source.OWN
        if opens and (source.cell.indicator, source.cell.column) in found:
            found[(last.indicator, last.column)] = found[(source.cell.indicator, source.cell.column)]
    return found

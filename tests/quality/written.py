"""Returns written straight as submissions of the default form, without a workbook around them. No assertion in here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from disclosure_etl.quality.judging import judge, looks_back_on
from disclosure_etl.quality.waivers import Waivers
from schemas.constraints import Source
from schemas.forms import SHARE_DECIMALS, Form
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Batch, Failure, History, Judged, Submission
from schemas.rules import RuleSet, RuleSettings, rule_set
from schemas.values import UNKNOWN, Meaning, Trouble
from tests.factories import SIGNED

MAY = Period.parse("2014-05")
Numbers = Mapping[tuple[str, str], int]  # (indicator, column) → whole number of the cell's smallest unit


def shares_of(form: Form, numbers: Numbers, decimals: int = 2) -> dict[str, str]:
    """The share column as a spreadsheet prints it: part ÷ stated total, half up; nothing where the total is nothing."""
    printed = {}
    for whole in form.indicators.values():
        for breakdown in whole.breakdowns:
            total = numbers.get((whole.code, "month"))
            if breakdown.shares and total:
                for part in breakdown.parts:
                    share = Decimal(numbers[(part, "month")]) * 100 / total
                    printed[part] = str(share.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
    return printed


def written(
    form: Form,
    numbers: Numbers,
    shares: Mapping[str, str] | None = None,
    *,
    bureau: str = "dongcheng",
    blank: Collection[tuple[str, str]] = (),
    troubles: Mapping[tuple[str, str], Trouble] | None = None,
    nil: bool = False,
    period: Period = MAY,
) -> Submission:
    """A return with these figures and printed shares; what is in `blank` or in no mapping is left empty."""
    values, meanings, decimals, texts, marks = [], [], [], [], []
    for cell in form.cells:
        place = (cell.indicator, cell.column)
        if cell.measure == "share":
            text = (shares or {}).get(cell.indicator) if cell.column == "month" else None
            number = None if text is None else int(Decimal(text).scaleb(SHARE_DECIMALS))
            places = len(text.partition(".")[2]) if text else 0
        else:
            number = None if place in blank else numbers.get(place)
            text, places = None if number is None else str(Decimal(number).scaleb(-cell.scale)), cell.scale
        values.append(number or 0)
        meanings.append(Meaning.BLANK if number is None else Meaning.NUMBER if number else Meaning.ZERO)
        decimals.append(NO_DECIMALS if number is None else places)
        texts.append(text or "")
        marks.append((troubles or {}).get(place, Trouble.NONE) if cell.measure != "share" else Trouble.NONE)
    return Submission(
        digest=hashlib.sha256(repr((bureau, values, decimals)).encode()).hexdigest(),
        file=f"{bureau}_{period}.xlsx",
        form=form.key,
        bureau=bureau,
        bureau_written=bureau,
        period=period.code,
        revision=1,
        nil=nil,
        header=SIGNED,
        numbers=tuple(values),
        meanings=bytes(meanings),
        decimals=bytes(decimals),
        troubles=bytes(marks),
        texts=tuple(texts),
        locators=tuple(f"统计表!C{cell.position + 10}" for cell in form.cells),
    )


def history_of(form: Form, *before: Numbers | None, period: Period = MAY) -> History:
    """What was accepted of the preceding period, one mapping a submission; None where nothing was."""
    figures = {}
    for cell in looks_back_on(rules_of(form, period)).previous:
        found = [None if one is None else one.get((cell.indicator, cell.column)) for one in before]
        figures[Source.PREVIOUS + cell.name] = np.array([UNKNOWN if value is None else value for value in found])
    return History(figures)


def rules_of(form: Form, period: Period = MAY, changes: RuleSettings | None = None) -> RuleSet:
    """The rules of a form as its roles give them, with an office's changes."""
    return rule_set(form, period, changes or RuleSettings())


def verdict(
    one: Submission,
    form: Form,
    history: History | None = None,
    period: Period = MAY,
    changes: RuleSettings | None = None,
    waivers: Waivers | None = None,
) -> Judged:
    """The verdict of a return alone."""
    batch = Batch(form, period, (one,))
    return judge(batch, rules_of(form, period, changes), history, waivers=waivers).judged[0]


def failures_of(one: Submission, form: Form, history: History | None = None, period: Period = MAY) -> list[Failure]:
    """Its failures, without those implied by others."""
    return [failure for failure in verdict(one, form, history, period).failures if failure.implied_by is None]

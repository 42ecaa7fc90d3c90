"""A bureau's last months as small charts and their table: which figures are shown of a case, and what is drawn, in the units of the
drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from disclosure_etl.warehouse import StoredFailure, Warehouse
from disclosure_etl.warehouse.case_pages import Point
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Failure

WIDTH, HEIGHT, _EDGE = 320, 72, 8
DRAWN, _MOST = 6, 24  # of the courses of a case: the others stand in the table alone


@dataclass(frozen=True, slots=True)
class Dot:
    """A month's figure on the drawing; `now` is the month in question."""

    x: float
    y: float
    point: Point
    now: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """One indicator's course: its name, the dots, and the line through them as SVG points."""

    name: Message
    dots: tuple[Dot, ...]

    @property
    def line(self) -> str:
        """The points of the line."""
        return " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in self.dots)


def chart(name: Message, points: Sequence[Point], now: str) -> Chart:
    """The drawing of some months' figures, oldest first; from nought, so that a small change looks small."""
    known = [one for one in points if one.value is not None]
    most = max((abs(one.value or 0) / 10**one.scale for one in known), default=0) or 1
    step = (WIDTH - 2 * _EDGE) / max(1, len(known) - 1)
    dots = [
        Dot(
            _EDGE + place * step,
            HEIGHT - _EDGE - (HEIGHT - 2 * _EDGE) * max(0.0, (one.value or 0) / 10**one.scale / most),
            one,
            one.period == now,
        )
        for place, one in enumerate(known)
    ]
    return Chart(name, tuple(dots))


def rows_of(charts: Sequence[Chart]) -> list[tuple[str, tuple[Point | None, ...]]]:
    """The same figures as a table, period by period: a bureau may have sent one indicator in a month and not the other."""
    periods = sorted({dot.point.period for one in charts for dot in one.dots})
    known = [{dot.point.period: dot.point for dot in one.dots} for one in charts]
    return [(period, tuple(points.get(period) for points in known)) for period in periods]


def column_of(form: Form, failure: Failure) -> Message | None:
    """The column whose course is shown, where the form has several; None also where it has not the one that is meant, as of a list."""
    column = form.columns.get(_code_of(form, failure))
    return Message(column.label.zh, column.label.en) if column is not None and len(form.columns) > 1 else None


def _code_of(form: Form, failure: Failure) -> str:
    return failure.column or next(iter(form.columns), "")


def courses_of(
    warehouse: Warehouse, form: Form, period: Period, one: StoredFailure, labels: Mapping[str, Message]
) -> Sequence[Chart]:
    """The courses of the figures that a case is about: the total, or what is shown last, before the others."""
    if one.bureau is None or not one.failure.indicators:
        return ()
    *others, last = dict.fromkeys(one.failure.indicators)
    chosen = (last, *others)[:_MOST]
    points = warehouse.course(form.family, one.bureau, chosen, _code_of(form, one.failure), period)
    return [
        chart(labels.get(code, Message(code, code)), own, period.code)
        for code in chosen
        if (own := [each for each in points if each.indicator == code])
    ]

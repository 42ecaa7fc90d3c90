"""A bureau's last months as a small chart: what is drawn, in the units of the drawing. Not here: which figures (`cases`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from disclosure_etl.warehouse.case_pages import Point
from schemas.errors import Message

WIDTH, HEIGHT, _EDGE = 320, 72, 8


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

"""What follows when bureaus merge, split or get a new code: who takes over whose balances in which period, and whose figures
of an earlier period are a bureau's today.

Not here: the entries that say so (`bureaus`), or adding anything up (`quality.bridges`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from disclosure_etl.bureaus import Bureaus
from schemas.periods import Period


@dataclass(frozen=True, slots=True)
class Changeover:
    """Bureaus of which the balances hang together at the beginning of a period: what `predecessors` left at the end of the
    period before is what `successors` begin with. One that takes over another and goes on is among both."""

    predecessors: tuple[str, ...]
    successors: tuple[str, ...]

    @property
    def is_divided(self) -> bool:
        """Whether several take over, so that nobody can say what each of them begins with."""
        return len(self.successors) > 1


def changeovers(bureaus: Bureaus, family: str, period: Period) -> tuple[Changeover, ...]:
    """The changeovers that take effect with `period`, of bureaus that owe the return.

    That is the first period on whose last day the successors exist and the predecessor does not. Several changes within one
    period are taken together: who was there at the end of the one before, who is there at its end.
    """
    changes = [
        (bureau.code, code)
        for bureau in bureaus.bureaus
        if bureau.into and bureau.day_after is not None and period.start <= bureau.day_after <= period.end
        for code in bureau.into
    ]
    if not changes:
        return ()
    owed = [bureau.code for bureau in bureaus.owing(family, period.preceding)]
    owing = [bureau.code for bureau in bureaus.owing(family, period)]
    before = list(dict.fromkeys(bureau.code for bureau in bureaus.at(period.preceding.end)))
    found = []
    for group in _connected(changes):
        # Where none of them owed this return before, their closings can only be what was imported of any of them.
        told = [code for code in owed if code in group] or [code for code in before if code in group]
        following = [code for code in owing if code in group]
        if told and following:
            found.append(Changeover(tuple(told), tuple(following)))
    return tuple(found)


def _connected(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    """The codes that hang together."""
    groups: list[set[str]] = []
    for pair in pairs:
        joined = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in joined]
        groups.append(set(pair).union(*joined))
    return groups


Origins = Mapping[str, tuple[str, ...]]  # by bureau: those whose figures of an earlier period are its own; () untold


def origins(bureaus: Bureaus, family: str, period: Period, steps: int) -> tuple[Origins, ...]:
    """Whose figures, one to `steps` periods before `period`, are together those of a bureau in it.

    Only bureaus with others than themselves are in it. () stands where a split lies between: a part of a figure is nobody's.
    """
    if not any(bureau.into for bureau in bureaus.bureaus):
        return ({},) * steps
    found: list[Origins] = []
    so_far: dict[str, tuple[str, ...]] = {}
    for step in range(steps):
        came = {
            code: () if one.is_divided else one.predecessors
            for one in changeovers(bureaus, family, period.shifted(-step))
            for code in one.successors
        }
        if came:
            heirs = {*so_far, *came}
            so_far = {code: _back(so_far.get(code, (code,)), came) for code in heirs}
        found.append(dict(so_far))
    return tuple(found)


def _back(codes: tuple[str, ...], came: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    parts = [came.get(code, (code,)) for code in codes]
    return () if not all(parts) else tuple(dict.fromkeys(code for part in parts for code in part))


def heirs(bureaus: Bureaus, family: str, period: Period, later: Period) -> Mapping[str, tuple[str, ...]]:
    """Of bureaus whose figures of `period` are looked back on under other codes in `later`: who looks back on them. Split or
    not, since the parts of a split have to fit its whole."""
    so_far: dict[str, tuple[str, ...]] = {}
    step = period
    while step.start < later.start and any(bureau.into for bureau in bureaus.bureaus):
        step = step.shifted(1)
        goes = {code: one.successors for one in changeovers(bureaus, family, step) for code in one.predecessors}
        for code in {*so_far, *goes}:
            now = so_far.get(code, (code,))
            so_far[code] = tuple(dict.fromkeys(heir for one in now for heir in goes.get(one, (one,))))
    return so_far


def siblings(bureaus: Bureaus, family: str, period: Period) -> Mapping[str, tuple[str, ...]]:
    """Of each bureau that begins with a part of what others left: the others that began with the rest of it."""
    return {
        code: tuple(other for other in one.successors if other != code)
        for one in changeovers(bureaus, family, period)
        if one.is_divided
        for code in one.successors
    }

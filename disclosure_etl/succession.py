"""What follows when bureaus merge, split or get a new code: who takes over whose balances in which period, whose figures of
an earlier period are a bureau's, and where a bureau is in the tree of another day.

Not here: the entries that say so (`bureaus`), or adding anything up (`quality.bridges`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from disclosure_etl.bureaus import Bureau, Bureaus
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
    changes = [(one, other) for day, one, other in bureaus.successions if period.start <= day <= period.end]
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
    if not bureaus.successions:
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
    while step.start < later.start and bureaus.successions:
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


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a bureau of one day is in the tree of another: it is that node, or one of those that went into it (`node`); or
    none of it alone, and stands below the nearest that all of them share (`below`; None for the top). `is_later`: the tree is
    of a later day. `is_divided`: several of the tree have a part in it; else there is none."""

    node: str | None
    below: str | None = None
    is_later: bool = True
    is_divided: bool = False


@dataclass(frozen=True)
class DatedTree:
    """The tree of bureaus on a day, and where bureaus of other days are in it."""

    bureaus: Bureaus
    day: date

    @cached_property
    def nodes(self) -> dict[str, Bureau]:
        """The bureaus of the tree, by code, in their listed order."""
        return {bureau.code: bureau for bureau in self.bureaus.at(self.day)}

    @cached_property
    def _entries(self) -> dict[str, list[Bureau]]:
        found: dict[str, list[Bureau]] = {}
        for bureau in sorted(self.bureaus.bureaus, key=lambda one: one.valid_from):
            found.setdefault(bureau.code, []).append(bureau)
        return found

    @cached_property
    def _predecessors(self) -> dict[tuple[str, date], list[Bureau]]:
        found: dict[tuple[str, date], list[Bureau]] = {}
        for day, code, successor in self.bureaus.successions:
            ended = next(one for one in self._entries[code] if one.day_after == day)
            found.setdefault((successor, day), []).append(ended)
        return found

    def above(self, code: str) -> list[str]:
        """The nodes above one, from the nearest on."""
        found: list[str] = []
        while (parent := self.nodes[code].parent) is not None:
            found.append(parent)
            code = parent
        return found

    def find(self, code: str, day: date) -> Whereabouts | None:
        """Where the bureau of this code, as it was on `day` or last before, is; None where no tree ever had it."""
        if code not in self._entries:
            return None
        entry = self._entry(code, day)
        is_later = entry.valid_from <= self.day
        now = self._now(entry)
        if len(now) == 1:
            return Whereabouts(now[0], is_later=is_later)
        if not now:
            return Whereabouts(None, self._nearest(entry, day), is_later)
        lines = [self.above(one) for one in now]
        shared = next((one for one in lines[0] if all(one in line for line in lines)), None)
        return Whereabouts(None, shared, is_later, is_divided=True)

    def _entry(self, code: str, day: date) -> Bureau:
        own = self._entries[code]
        return next((one for one in reversed(own) if one.valid_from <= day), own[0])

    def _now(self, entry: Bureau) -> list[str]:
        """The nodes that an entry went into, or came from; itself where it is there."""
        later = entry.valid_from <= self.day
        following = self._after(entry) if later else self._before(entry)
        if following is None:
            return [entry.code]
        return list(dict.fromkeys(code for one in following for code in self._now(one)))

    def _after(self, entry: Bureau) -> list[Bureau] | None:
        """What took over on the day after an entry ended; None where it has not ended by the day of the tree."""
        day = entry.day_after
        if day is None or day > self.day:
            return None
        return [one for code in entry.into or (entry.code,) for one in self._entries[code] if one.exists_on(day)]

    def _before(self, entry: Bureau) -> list[Bureau]:
        """What was there on the day before an entry began."""
        day = entry.valid_from - timedelta(days=1)
        own = [one for one in self._entries[entry.code] if one.exists_on(day)]
        return own or self._predecessors.get((entry.code, entry.valid_from), [])

    def _nearest(self, entry: Bureau, day: date) -> str | None:
        """The nearest of those above it then that is one node of the tree."""
        seen: set[str] = set()
        while entry.parent is not None and entry.parent not in seen:
            seen.add(entry.parent)
            entry = self._entry(entry.parent, min(day, entry.valid_to or day))
            if len(now := self._now(entry)) == 1:
                return now[0]
        return None

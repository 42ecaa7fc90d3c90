"""The bureaus' figures of a period laid out by the tree of a day: each bureau, what its branch comes to, what belongs to no
bureau of the tree, and the total, which by any tree is the consolidated figure.

Not here: where a bureau of another day is (`succession`), which figures (`exported`), files (`export_files`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.succession import DatedTree
from schemas.consolidation import BureauFigure, ConsolidatedFigure
from schemas.errors import Message

Place = tuple[str, str]  # indicator, column
Value = tuple[int | None, bool]  # a figure, and whether all of it was accepted
_NOTHING: Value = (None, True)

UNASSIGNED = Message("未归属", "Unassigned")
NOT_BY_BUREAU = Message("不分单位的数", "Not told by bureau")
TOTAL = Message("合计", "Total")
_SPLIT = Message("已撤并", "merged or split since")
_ENDED = Message("已撤销", "ended since")
_NOT_YET = Message("当时尚未设立", "not set up yet then")


class LineKind(StrEnum):
    """What a line is: a bureau's own figures, those of its branch, what belongs to no bureau of the tree, everything."""

    OWN = "own"
    SUBTOTAL = "subtotal"
    UNASSIGNED = "unassigned"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `level` from 0, `code` ('' of what is no bureau), and its figures. `includes`: of own figures, the bureaus of the
    period whose they are (codes, and their `included` names); more than one where bureaus merged since. `is_contained`: its figures are inside those of one above that reports for its whole branch."""

    level: int
    code: str
    name: Message
    kind: LineKind
    values: Mapping[Place, Value]
    note: Message | None = None
    includes: tuple[str, ...] = ()
    included: tuple[Message, ...] = ()
    is_contained: bool = False


@dataclass(frozen=True)
class Reported:
    """What is laid out: figures by bureau, those over all bureaus, and as the period itself has it: its last day, who owes,
    which bureau's figures are inside whose, and names of bureaus that are in no tree."""

    figures: Sequence[BureauFigure]
    consolidated: Sequence[ConsolidatedFigure]
    day: date
    owing: Sequence[str] = ()
    containers: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, Message] = field(default_factory=dict)


@dataclass
class _Node:
    """A place of the layout: a bureau of the tree, or one that stands below one of it."""

    code: str
    name: Message
    note: Message | None = None
    from_codes: list[str] = field(default_factory=list)  # whose figures are its own
    below: list[_Node] = field(default_factory=list)


def lay_out(reported: Reported, bureaus: Bureaus, tree_day: date) -> tuple[Line, ...]:
    """The lines in the order of the tree: a branch's subtotal, its own figures, those below; then what is unassigned, then the
    total. Nobody who has figures, or owes some, is left out."""
    return tuple(_Layout(reported, DatedTree(bureaus, tree_day)).lines())


class _Layout:
    """One laying out."""

    def __init__(self, reported: Reported, tree: DatedTree):
        self.reported = reported
        self.tree = tree
        self.places = tuple((one.indicator, one.column) for one in reported.consolidated)
        self.values: dict[str, dict[Place, Value]] = defaultdict(dict)
        for figure in reported.figures:
            own = self.values[figure.bureau]
            place = (figure.indicator, figure.column)
            own[place] = _added([own.get(place, _NOTHING), (figure.value, figure.validated)])
        self.nodes = {code: _Node(code, Message(one.name_zh, one.name_en)) for code, one in tree.nodes.items()}
        self.roots: list[_Node] = []
        for code, one in tree.nodes.items():
            (self.nodes[one.parent].below if one.parent else self.roots).append(self.nodes[code])
        self.unassigned: list[str] = []
        for code in dict.fromkeys([*reported.owing, *self.values]):
            self._assign(code)

    def _assign(self, code: str) -> None:
        """Put a bureau of the period where it is in the tree."""
        found = self.tree.find(code, self.reported.day)
        if found is None:
            self.unassigned.append(code)
        elif found.node is not None:
            self.nodes[found.node].from_codes.append(code)
        else:
            note = _NOT_YET if not found.is_later else _SPLIT if found.is_divided else _ENDED
            node = _Node(code, self._name(code), note, [code])
            (self.nodes[found.below].below if found.below else self.roots).append(node)

    def _name(self, code: str) -> Message:
        """The name that it had in the period, or last before."""
        own = [one for one in self.tree.bureaus.bureaus if one.code == code]
        if not own:
            return self.reported.names.get(code, Message(code, code))
        begun = [one for one in own if one.valid_from <= self.reported.day] or own[:1]
        last = max(begun, key=lambda one: one.valid_from)
        return Message(last.name_zh, last.name_en)

    def lines(self) -> Iterator[Line]:
        """All lines."""
        for root in self.roots:
            yield from self._branch(root, 0, frozenset())
        bucket = list(self._bucket())
        if bucket:
            told = {place: _added(one.values[place] for one in bucket) for place in self.places}
            yield Line(0, "", UNASSIGNED, LineKind.UNASSIGNED, told)
            yield from bucket
        total = {(one.indicator, one.column): (one.value, one.validated) for one in self.reported.consolidated}
        yield Line(0, "", TOTAL, LineKind.TOTAL, total)

    def _bucket(self) -> Iterator[Line]:
        """Bureaus that no tree knows; and what of the consolidated figures is told for no bureau, such as totals that were
        imported for the whole office."""
        for code in self.unassigned:
            name = self._name(code)
            yield Line(1, code, name, LineKind.OWN, self._sum([code]), includes=(code,), included=(name,))
        by_bureau = self._sum(code for code in self.values if code not in self.reported.containers)
        rest: dict[Place, Value] = dict.fromkeys(self.places, _NOTHING)
        for one in self.reported.consolidated:
            told = by_bureau[one.indicator, one.column][0]
            if (one.value or 0) != (told or 0):
                rest[one.indicator, one.column] = ((one.value or 0) - (told or 0), False)
        if any(value is not None for value, _ in rest.values()):
            yield Line(1, "", NOT_BY_BUREAU, LineKind.OWN, rest)

    def _branch(self, node: _Node, level: int, above: frozenset[str]) -> list[Line]:
        """The lines of a node and all below it. `above`: the bureaus above it."""
        containers, own_codes = self.reported.containers, frozenset(node.from_codes)
        below = [line for child in node.below for line in self._branch(child, level + 1, above | own_codes)]
        lines = []
        if below:
            # A figure that is inside another's counts in the branches below that one alone: there it is a part of it.
            whole = [code for one in _all_below(node) for code in one.from_codes]
            counted = [code for code in whole if code not in containers or containers[code] in above]
            lines.append(Line(level, node.code, node.name, LineKind.SUBTOTAL, self._sum(counted), node.note))
        # A bureau that is inside another's figures, and went into one that is not, is told beside it.
        apart = [code for code in node.from_codes if code in containers and containers[code] not in own_codes]
        beside = [code for code in node.from_codes if code not in apart]
        lines += [self._own(node, level + bool(below), beside, False)] if beside else []
        lines += [self._own(node, level + bool(below), apart, True)] if apart else []
        return lines + below

    def _own(self, node: _Node, level: int, codes: Sequence[str], is_contained: bool) -> Line:
        """The own figures of a node, or those among them that are inside another's."""
        counted = codes if is_contained else [code for code in codes if code not in self.reported.containers]
        names = tuple(map(self._name, codes))
        own = self._sum(counted)
        return Line(level, node.code, node.name, LineKind.OWN, own, node.note, tuple(codes), names, is_contained)

    def _sum(self, codes: Iterable[str]) -> dict[Place, Value]:
        """The sum over bureaus."""
        counted = [self.values[code] for code in codes if code in self.values]
        return {place: _added(one[place] for one in counted if place in one) for place in self.places}


def _all_below(node: _Node) -> Iterator[_Node]:
    yield node
    for child in node.below:
        yield from _all_below(child)


def _added(values: Iterable[Value]) -> Value:
    """The sum of what is known, and whether all of it was accepted."""
    told = list(values)
    known = [value for value, _ in told if value is not None]
    return (sum(known) if known else None), all(validated for _, validated in told)

"""Lists in running text: which figures are parts of which total, by the words and marks that say so (其中, 包括, 含, 分别为,
「在…中」, 「从…来看」, brackets).

What a list claims is decided elsewhere (`prose_claims`), as are shares (`prose_shares`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from disclosure_etl.intake.prose_figures import Between, Mark, Piece, Said

_OF = re.compile(
    r"(?P<hard>其中)|(?P<soft>包括了?|包含|涵盖|分别[为是有]|分为|由(?=.{0,20}(?:组成|构成))|(?:^|[^不包])含(?!义|量))"
)
_AMONG = re.compile(r"(?:^|其中|[^其])(?:在|从|按照?|就|于)?(?P<what>[^其]{0,30}?)(?:中|里)$")
_SEEN_BY = re.compile(r"(?:从|按照?|依|就|根据)(?P<what>.{2,30}?)(?:来看|上看|看|来分|划分|分类|统计|分)$")
_BESIDE = re.compile(r"^(?:另有|另外|此外|除此之外|同时|还有?|另)")
_ANEW = re.compile(r"(?:(?<!公)共|总计|合计|累计|总共|一共)[^,。;]{0,30}$")
# A verb of handling that the total does not have begins a figure of its own: 受理50件,其中网上20件,答复48件.
_HANDLED = re.compile(r"^(?:全年|年内|共|已)*(?P<verb>收到|受理|接收|答复|办结|制发|发布|接受|发生)")
_OPEN = re.compile(r"^\s*等")
_PUBLISHED = {"条", "篇", "份", "个", "项"}  # what is published is counted in any of these, also within one list
_TAIL = "的之 "


@dataclass
class ProseList:
    """Figures under a total. `heads` are the figures that may be the total, the nearest first; `parts` are positions too.

    `closed_by_etc`: the list ends with 「等」. `said`: a word opened it (其中…); otherwise it only follows. `divides`: the word
    says that the parts are the whole (分为, 分别为).
    """

    heads: list[int]
    said: bool = True
    divides: bool = False
    parts: list[int] = field(default_factory=list)
    depth: int = 0
    separators: list[Mark] = field(default_factory=list)
    closed_by_etc: bool = False
    mixed: bool = False  # parts in other units than the total's (条, 篇, 个): they cannot be added up


@dataclass
class Lists:
    """What `read_lists` finds: the lists, the figures that are in none (`heads`), the sentence and the depth of each figure."""

    lists: list[ProseList] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    sentence: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    beside: set[int] = field(default_factory=set)


def read_lists(pieces: Sequence[Piece]) -> tuple[list[Said], Lists]:
    """The figures of a text in order, and the lists that they stand in."""
    walk = _Walk()
    for piece in pieces:
        if isinstance(piece, Said):
            walk.figure(piece)
        else:
            walk.mark(piece)
    walk.found.lists = [one for one in walk.found.lists if one.parts]
    return walk.figures, walk.found


@dataclass
class _Opening:
    """A word that opens a list, before its first figure has come."""

    heads: list[int]
    what: str = ""
    divides: bool = False
    depth: int = 0


@dataclass
class _Walk:
    figures: list[Said] = field(default_factory=list)
    found: Lists = field(default_factory=Lists)
    stack: list[ProseList] = field(default_factory=list)
    openings: list[_Opening] = field(default_factory=list)  # one a depth at most
    depth: int = 0
    sentence: int = 0
    last_mark: Mark = Mark.SENTENCE
    marks_since: list[Mark] = field(default_factory=list)
    behind: str = ""  # words since the last figure, with their marks

    def figure(self, said: Said) -> None:
        """A figure arrives: the first part of a list that was opened, a further part, or a head."""
        at = len(self.figures)
        self._open_by(said.before)
        self.figures.append(said)
        self.found.sentence.append(self.sentence)
        self.found.depth.append(self.depth)
        if said.is_share:  # 其中全文电子化率达100%: what was opened is told, and no list comes of it
            self.openings = [one for one in self.openings if one.depth < self.depth]
        elif not (said.is_change or said.is_nothing):
            self._place(at, said)
        self.marks_since = []
        self.behind = ""
        if self.stack and _OPEN.match(said.after) and at in self.stack[-1].parts:
            self.stack[-1].closed_by_etc = True

    def mark(self, between: Between) -> None:
        """A mark: it may end a list, or what stands before it may open one."""
        if self.stack and not self.marks_since and _OPEN.match(between.words) and self.behind == "":
            self.stack[-1].closed_by_etc = True
        self._open_by(between.words, before=between.mark)
        self.behind += between.words + between.mark.value
        self.marks_since.append(between.mark)
        if between.mark is Mark.OPEN:
            self.depth += 1
        elif between.mark is Mark.CLOSE:
            self._close(lambda one: one.depth >= self.depth > 0)
            self.openings = [one for one in self.openings if one.depth < self.depth]
            self.depth = max(self.depth - 1, 0)
        elif between.mark is Mark.SENTENCE:
            self.stack, self.openings, self.depth = [], [], 0
            self.sentence += 1

    def _open_by(self, words: str, before: Mark | None = None) -> None:
        if found := _OF.search(words):
            hard = found["hard"] is not None
            if hard or self._follows_a_figure():
                divides = found.group().startswith("分")
                self._open(_Opening(self._heads(hard), divides=divides, depth=self.depth))
            words = words[found.end() :]
        if before in (Mark.COMMA, Mark.COLON):
            among = _SEEN_BY.search(words) or _AMONG.search(words)
            if among and ((what := among["what"].strip(_TAIL)) or self._restates()):
                self._open(_Opening(self._restated(what), what, depth=self.depth))

    def _open(self, opening: _Opening) -> None:
        self.openings = [one for one in self.openings if one.depth < opening.depth] + [opening]

    def _restates(self) -> bool:
        """「受理的7390件申请中,」: the figure in the words is the total itself."""
        return bool(self.figures) and not self.marks_since and not self.figures[-1].is_share

    def _first_said(self, again: int) -> int:
        """The head of which a figure is the repetition, or itself."""
        one = self.figures[again]
        earlier = (at for at in self._last_heads(12) if at != again)
        return next(
            (at for at in earlier if (self.figures[at].number, self.figures[at].unit) == (one.number, one.unit)), again
        )

    def _restated(self, what: str) -> list[int]:
        if self._restates():
            return [self._first_said(len(self.figures) - 1)]
        wanted = _pairs(what)
        return [
            at
            for at in self._last_heads(12)
            if (hits := len(wanted & _pairs(self.figures[at].clause + self.figures[at].after))) >= 2
            or hits == len(wanted)
        ]

    def _follows_a_figure(self) -> bool:
        """Whether the words stand behind a figure of their own sentence."""
        return bool(self.figures) and self.found.sentence[-1] == self.sentence

    def _heads(self, hard: bool) -> list[int]:
        """What may be the total of 其中: the figure just before in the sentence, or else those of the one before."""
        behind = [
            at
            for at in range(len(self.figures) - 1, max(len(self.figures) - 8, -1), -1)
            if self.found.sentence[at] == self.sentence and self._may_head(at) and self.found.depth[at] <= self.depth
        ]
        if behind:
            return behind[:1]
        return self._last_heads(6) if hard else []

    def _may_head(self, at: int) -> bool:
        one = self.figures[at]
        return not (one.is_share or one.is_change or one.is_nothing)

    def _last_heads(self, most: int) -> list[int]:
        return self.found.heads[: -most - 1 : -1]

    def _place(self, at: int, said: Said) -> None:
        if self.openings and self.openings[-1].depth == self.depth:
            opening = self.openings.pop()
            heads = [one for one in opening.heads if self._same_unit(one, at)]
            if heads and opening.what == "" and self.found.sentence[heads[0]] != self.sentence:
                nearest = self.found.sentence[heads[0]]  # 其中 at the start of a sentence speaks of the one before
                heads = [one for one in heads if self.found.sentence[one] == nearest]
            opened = ProseList(heads, divides=opening.divides, depth=opening.depth)
            if heads:
                self._close(lambda one: not (one.parts and one.parts[-1] in heads) and one.depth >= opened.depth)
                self.stack.append(opened)
                self.found.lists.append(opened)
                opened.parts.append(at)
                return
        self._leave(said)
        if _BESIDE.match(said.before.lstrip(" ,")):
            self.stack = [one for one in self.stack if one.depth < self.depth]
            self.found.beside.add(at)
        if self.stack and self.stack[-1].depth <= self.depth and self._continues(said):
            top = self.stack[-1]
            same = self._same_unit(top.parts[0], at)
            if self.depth == top.depth and (same or {said.unit, self.figures[top.parts[0]].unit} <= _PUBLISHED):
                top.separators.append(self._separator())
                top.parts.append(at)
                top.mixed |= not same
            return
        self.stack = [one for one in self.stack if one.depth < self.depth]
        if self.depth == 0:
            self.found.heads.append(at)

    def _separator(self) -> Mark:
        marks = [one for one in self.marks_since if one in (Mark.SEMICOLON, Mark.COMMA, Mark.PAUSE)]
        return Mark.SEMICOLON if Mark.SEMICOLON in marks else marks[-1] if marks else Mark.PAUSE

    def _leave(self, said: Said) -> None:
        """Close the lists that the marks before a figure end: a heavier mark than a list's own goes back to the outer one."""
        mark = self._separator()
        while self.stack and self.stack[-1].depth == self.depth:
            top = self.stack[-1]
            inner = len(self.stack) > 1
            own = top.separators
            if (
                mark is Mark.SEMICOLON and Mark.SEMICOLON not in own and (inner or (own and not self._has_shares(top)))
            ) or (mark is Mark.COMMA and inner and own and set(own) == {Mark.PAUSE}):
                self.stack.pop()
            else:
                return

    def _has_shares(self, one: ProseList) -> bool:
        return any(at + 1 < len(self.figures) and self.figures[at + 1].is_share for at in one.parts)

    def _continues(self, said: Said) -> bool:
        """Whether a figure goes on with the list on top: it says no total, and no other thing that was done."""
        top = self.stack[-1]
        if not said.unit:
            return True
        if self.depth == top.depth and _ANEW.search(said.before):
            return False
        done = _HANDLED.match(said.before.lstrip(" ,"))
        if done is None:
            return True
        verb = done["verb"]
        return any(verb in self.figures[part].before for part in top.parts)

    def _same_unit(self, one: int, other: int) -> bool:
        first, second = self.figures[one].unit, self.figures[other].unit
        return first == second or not first or not second

    def _close(self, ends: Callable[[ProseList], bool]) -> None:
        while self.stack and ends(self.stack[-1]):
            self.stack.pop()


def _pairs(words: str) -> set[str]:
    words = re.sub(r"[的之了\s]|政府|本级|受理|收到", "", words)
    return {words[at : at + 2] for at in range(len(words) - 1)}

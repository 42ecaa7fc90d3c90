"""The dated tree of reporting bureaus: who exists when, under which names, and who owes which return.

A bureau that is renamed or moved keeps its code and gets a second entry; one that merges or splits ends, and says into
which others. Not here: what follows from that for balances, and which figures are whose over time (`succession`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.periods import Period
from schemas.yamlfile import Source, read_yaml, unknown_name


class _Dated(BaseModel):
    """Something with a first and, once it is over, a last day; both are part of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    valid_from: date = Field(alias="from")
    valid_to: date | None = Field(default=None, alias="to")

    def exists_on(self, day: date) -> bool:
        """Whether it exists on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Owes(_Dated):
    """A form family that a bureau owes, from a day on."""

    family: str


class Bureau(_Dated):
    """One reporting unit while it exists under one name. `reports`: its own figures, or those of its whole branch. `into`:
    who takes over on the day after its last; one is a merger (or a rename with a new code), several a split."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    name_zh: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    parent: str | None = None
    reports: Literal["own", "whole"] = "own"
    owes: tuple[Owes, ...] = ()
    into: tuple[str, ...] = ()

    @property
    def day_after(self) -> date | None:
        """The first day on which it is no more; None where it goes on."""
        return None if self.valid_to is None else self.valid_to + timedelta(days=1)

    def owes_on(self, family: str, day: date) -> bool:
        """Whether it owes returns of `family` on `day`."""
        return any(owed.family == family and owed.exists_on(day) for owed in self.owes)

    @property
    def plain_names(self) -> tuple[str, ...]:
        """Code, names and aliases as they are compared: each once, without width, space or case."""
        return tuple(dict.fromkeys(map(_plain, (self.code, self.name_zh, self.name_en, *self.aliases))))


@dataclass(frozen=True)
class Duty:
    """What is expected of a period: who owes a return, by the end of which day (None for what is only added up), and the
    moment at which one looks. `contained` are the bureaus whose figures are inside another's, that reports for its whole
    branch: they are checked and shown, and not added a second time."""

    owing: tuple[Bureau, ...]
    due: date | None
    at: datetime
    contained: frozenset[str] = frozenset()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    bureaus: tuple[Bureau, ...] = Field(min_length=1)


def _plain(name: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).casefold()


@dataclass(frozen=True)
class Bureaus:
    """All bureaus, in the order in which lists show them."""

    bureaus: tuple[Bureau, ...]

    @cached_property
    def _by_name(self) -> dict[str, tuple[Bureau, ...]]:
        found: dict[str, list[Bureau]] = {}
        for bureau in self.bureaus:
            for name in bureau.plain_names:
                found.setdefault(name, []).append(bureau)
        return {name: tuple(owners) for name, owners in found.items()}

    def find(self, written: str, day: date | None) -> Bureau | None:
        """The bureau that has this code, name or alias on `day`, or None; nothing is guessed.

        Where `day` is None: the one bureau that ever had it, as it was last.
        """
        candidates = self._by_name.get(_plain(written), ())
        if day is not None:
            candidates = tuple(bureau for bureau in candidates if bureau.exists_on(day))
        if len({bureau.code for bureau in candidates}) != 1:
            return None
        return max(candidates, key=lambda bureau: bureau.valid_from)

    def at(self, day: date) -> tuple[Bureau, ...]:
        """The bureaus that exist on `day`."""
        return tuple(bureau for bureau in self.bureaus if bureau.exists_on(day))

    @cached_property
    def successions(self) -> tuple[tuple[date, str, str], ...]:
        """Who took over from whom: first day, predecessor, successor."""
        return tuple(
            (bureau.day_after, bureau.code, code)
            for bureau in self.bureaus
            if bureau.day_after is not None
            for code in bureau.into
        )

    def owing(self, family: str, period: Period) -> tuple[Bureau, ...]:
        """The bureaus that owe a return of `family` for `period`: those that exist, and owe it, on its last day.

        So a bureau that ends within a period leaves that period's return to its successor.
        """
        day = period.end
        return tuple(bureau for bureau in self.at(day) if bureau.owes_on(family, day))

    def units(self, family: str, period: Period) -> dict[str, tuple[str, ...]]:
        """Of each bureau that reports for its whole branch: the bureaus below it that owe a return of their own, without
        those that are inside another's which reports for its whole branch itself."""
        owing = self.owing(family, period)
        parents = {bureau.code: bureau.parent for bureau in self.at(period.end)}

        def above(code: str) -> Iterator[str]:
            while (code := parents.get(code) or "") in parents:
                yield code

        lines = {bureau.code: tuple(above(bureau.code)) for bureau in owing}
        wholes = [bureau.code for bureau in owing if bureau.reports == "whole"]
        nearest = {code: next((one for one in line if one in wholes), None) for code, line in lines.items()}
        return {whole: tuple(code for code, above in nearest.items() if above == whole) for whole in wholes}

    def known(self) -> tuple[str, ...]:
        """Every code with its latest name, `dongcheng(东城分局)`, in order: what a message lists as known."""
        latest: dict[str, Bureau] = {}
        for bureau in self.bureaus:
            before = latest.get(bureau.code)
            if before is None or before.valid_from < bureau.valid_from:
                latest[bureau.code] = bureau
        return tuple(f"{code}({bureau.name_zh})" for code, bureau in latest.items())

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code once, in order."""
        return tuple(dict.fromkeys(bureau.code for bureau in self.bureaus))


def load_bureaus(path: Path) -> Bureaus:
    """Read bureaus.yaml.

    Raises:
        ConfigError: not readable; something ends before it begins; two bureaus have one code or name at one time; a
            parent is unknown or does not exist all the while; parents form a circle; a bureau ends into itself, into one
            that is unknown or not there the day after, or does not end; one goes over into others and comes back.
    """
    file, source = read_yaml(path, _File)
    _refuse_reversed_dates(file.bureaus, source)
    _refuse_shared_names(file.bureaus, source)
    entries: dict[str, list[Bureau]] = {}
    for bureau in file.bureaus:
        entries.setdefault(bureau.code, []).append(bureau)
    _refuse_missing_parents(file.bureaus, entries, source)
    _refuse_circles(file.bureaus, entries, source)
    _refuse_wrong_successors(file.bureaus, entries, source)
    _refuse_returning(file.bureaus, source)
    return Bureaus(file.bureaus)


def _refuse_reversed_dates(bureaus: tuple[Bureau, ...], source: Source) -> None:
    for index, bureau in enumerate(bureaus):
        at = ("bureaus", index)
        dated: Iterator[tuple[tuple[str | int, ...], _Dated]] = chain(
            [(at, bureau)], (((*at, "owes", n), owed) for n, owed in enumerate(bureau.owes))
        )
        for place, span in dated:
            if span.valid_to is not None and span.valid_to < span.valid_from:
                raise source.error(
                    (*place, "to"),
                    f"「{bureau.code}」的 to({span.valid_to})早于 from({span.valid_from});请改正其一。",
                    f"'{bureau.code}' has a 'to' ({span.valid_to}) before its 'from' ({span.valid_from}); correct one.",
                )


def _refuse_shared_names(bureaus: tuple[Bureau, ...], source: Source) -> None:
    owners: dict[str, list[tuple[int, Bureau]]] = {}
    for index, bureau in enumerate(bureaus):
        for name in bureau.plain_names:
            for earlier, other in owners.get(name, ()):
                if bureau.valid_from <= (other.valid_to or date.max) and other.valid_from <= (
                    bureau.valid_to or date.max
                ):
                    line = source.line(("bureaus", earlier))
                    raise source.error(
                        ("bureaus", index),
                        f"「{bureau.code}」与第 {line} 行的「{other.code}」同时使用代码或名称「{name}」;"
                        "请改名,或用 from、to 把两者的时间分开。",
                        f"'{bureau.code}' and '{other.code}' on line {line} have the code or name '{name}' at the same "
                        "time; rename one, or part them in time with 'from' and 'to'.",
                    )
            owners.setdefault(name, []).append((index, bureau))


def _refuse_missing_parents(bureaus: tuple[Bureau, ...], entries: dict[str, list[Bureau]], source: Source) -> None:
    for index, bureau in enumerate(bureaus):
        if bureau.parent is None:
            continue
        at = ("bureaus", index, "parent")
        if bureau.parent not in entries:
            zh, en = unknown_name(bureau.parent, list(entries))
            raise source.error(
                at,
                f"「{bureau.code}」的上级「{bureau.parent}」不存在。{zh}",
                f"'{bureau.code}' has the parent '{bureau.parent}', which is not there. {en}",
            )
        if gap := _day_without(entries[bureau.parent], bureau):
            raise source.error(
                at,
                f"「{bureau.code}」的上级「{bureau.parent}」在 {gap} 不存在;"
                "请在上级变动之日用 to 结束本条,并以新的上级另立一条。",
                f"The parent '{bureau.parent}' of '{bureau.code}' does not exist on {gap}; end this entry with 'to' "
                "when the parent changes, and add one with the new parent.",
            )


def _day_without(parents: list[Bureau], child: Bureau) -> date | None:
    """The first day of `child` on which none of `parents`, entries of one code, exists."""
    day = child.valid_from
    while child.exists_on(day):
        parent = next((entry for entry in parents if entry.exists_on(day)), None)
        if parent is None:
            return day
        if parent.valid_to is None:
            return None
        day = parent.valid_to + timedelta(days=1)
    return None


def _refuse_circles(bureaus: tuple[Bureau, ...], entries: dict[str, list[Bureau]], source: Source) -> None:
    """Looks up from each entry on its first day: a circle is complete on the first day of its youngest entry."""
    for index, bureau in enumerate(bureaus):
        day, path, above = bureau.valid_from, [bureau.code], bureau.parent
        while above is not None:
            path.append(above)
            if above in path[:-1]:
                shown = " → ".join(path)
                raise source.error(
                    ("bureaus", index, "parent"),
                    f"上级关系在 {day} 成环:{shown};请改正其中一个 parent。",
                    f"Parents form a circle on {day}: {shown}; correct one 'parent'.",
                )
            above = next(entry.parent for entry in entries[above] if entry.exists_on(day))


def _refuse_wrong_successors(bureaus: tuple[Bureau, ...], entries: dict[str, list[Bureau]], source: Source) -> None:
    """A balance that is carried over to nobody, or to somebody beside the bureau itself, would be lost or doubled."""
    for index, bureau in enumerate(bureaus):
        if not bureau.into:
            continue
        at, day, code = ("bureaus", index, "into"), bureau.day_after, bureau.code
        if day is None:
            raise source.error(
                at,
                f"「{code}」写了 into 而没有 to;请写上并入或拆分前的最后一天。",
                f"'{code}' has an 'into' and no 'to'; write its last day before the merger or split.",
            )
        if code in bureau.into or any(entry.exists_on(day) for entry in entries[code]):
            raise source.error(
                at,
                f"「{code}」不能并入或拆分为自身:{day} 起它以原代码继续存在。改名、改隶属不写 into;"
                "拆出一部分的,存续的部分也请用新代码另立一条。",
                f"'{code}' cannot go over into itself: it goes on under its code on {day}. A new name or parent needs no "
                "'into'; where a part leaves, give what remains a new code and an entry of its own.",
            )
        for successor in bureau.into:
            if successor not in entries:
                zh, en = unknown_name(successor, [one for one in entries if one != code])
                raise source.error(
                    at,
                    f"「{code}」的 into 中的「{successor}」不存在。{zh}",
                    f"'{code}' goes over into '{successor}', which is not there. {en}",
                )
            if not any(entry.exists_on(day) for entry in entries[successor]):
                raise source.error(
                    at,
                    f"「{code}」并入或拆分为「{successor}」,而「{successor}」在 {day} 不存在;请改正其 from,或「{code}」的 to。",
                    f"'{code}' goes over into '{successor}', which does not exist on {day}; correct its 'from', or the 'to' "
                    f"of '{code}'.",
                )


def _refuse_returning(bureaus: tuple[Bureau, ...], source: Source) -> None:
    """Whoever goes over into others and comes back under the old code would be two bureaus of one code, and nobody could
    say which figures are whose."""
    successors: dict[str, dict[str, int]] = {}
    for index, bureau in enumerate(bureaus):
        for code in bureau.into:
            successors.setdefault(bureau.code, {}).setdefault(code, index)

    def back_to(code: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        for following in successors.get(code, ()):
            if following in path:
                return (*path[path.index(following) :], following)
            if (found := back_to(following, (*path, following))) is not None:
                return found
        return None

    for code in successors:
        if (circle := back_to(code, (code,))) is not None:
            shown = " → ".join(circle)
            raise source.error(
                ("bureaus", successors[circle[-2]][circle[-1]], "into"),
                f"合并、拆分首尾相接:{shown};恢复设立的单位请用新代码。",
                f"Mergers and splits come back to where they began: {shown}; give a bureau that is set up again a new code.",
            )

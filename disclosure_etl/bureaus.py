"""The dated tree of reporting bureaus: who exists when, under which names, and who owes which return.

Not here: carrying balances over when bureaus merge or split.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.periods import Period
from schemas.yamlfile import Source, read_yaml


class Owes(BaseModel):
    """A form family that a bureau owes, from a day on."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    family: str
    valid_from: date = Field(alias="from")
    valid_to: date | None = Field(default=None, alias="to")


class Bureau(BaseModel):
    """One reporting unit while it exists under one name. `reports`: its own figures, or those of its whole branch."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    code: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    name_zh: str
    name_en: str
    aliases: tuple[str, ...] = ()
    parent: str | None = None
    valid_from: date = Field(alias="from")
    valid_to: date | None = Field(default=None, alias="to")
    reports: Literal["own", "whole"] = "own"
    owes: tuple[Owes, ...] = ()

    def exists_on(self, day: date) -> bool:
        """Whether it exists on `day`."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    bureaus: tuple[Bureau, ...] = Field(min_length=1)


def _plain(name: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).lower()


@dataclass(frozen=True)
class Bureaus:
    """All bureaus, in the order in which lists show them."""

    bureaus: tuple[Bureau, ...]

    @cached_property
    def _by_name(self) -> dict[str, tuple[Bureau, ...]]:
        found: dict[str, tuple[Bureau, ...]] = {}
        for bureau in self.bureaus:
            for name in dict.fromkeys(map(_plain, (bureau.code, bureau.name_zh, bureau.name_en, *bureau.aliases))):
                found[name] = (*found.get(name, ()), bureau)
        return found

    def find(self, written: str, day: date | None) -> Bureau | None:
        """The bureau that has this code, name or alias on `day` (at any time where `day` is None and only one ever had)."""
        candidates = self._by_name.get(_plain(written), ())
        if day is not None:
            candidates = tuple(bureau for bureau in candidates if bureau.exists_on(day))
        return candidates[0] if len({bureau.code for bureau in candidates}) == 1 else None

    def owing(self, family: str, period: Period) -> tuple[Bureau, ...]:
        """The bureaus that exist at the period's end and owe a return of `family` for it."""
        day = period.end
        return tuple(
            bureau
            for bureau in self.bureaus
            if bureau.exists_on(day)
            and any(
                owed.family == family and owed.valid_from <= day and (owed.valid_to is None or day <= owed.valid_to)
                for owed in bureau.owes
            )
        )

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code once, in order."""
        return tuple(dict.fromkeys(bureau.code for bureau in self.bureaus))


def load_bureaus(path: Path) -> Bureaus:
    """Read bureaus.yaml.

    Raises:
        ConfigError: not readable, a parent that is not there, a circle, or two bureaus with one name at one time.
    """
    file, source = read_yaml(path, _File)
    bureaus = file.bureaus
    for index, bureau in enumerate(bureaus):
        at = ("bureaus", index)
        if bureau.valid_to is not None and bureau.valid_to < bureau.valid_from:
            raise source.error(
                at, f"「{bureau.code}」的 to 早于 from。", f"'{bureau.code}' ends ({bureau.valid_to}) before it begins."
            )
        if bureau.parent is not None and bureau.parent not in {other.code for other in bureaus}:
            known = ", ".join(other.code for other in bureaus)
            raise source.error(
                at,
                f"「{bureau.code}」的上级「{bureau.parent}」不存在;已有:{known}。",
                f"'{bureau.code}' has the parent '{bureau.parent}', which is not there; known: {known}.",
            )
    _refuse_circles(bureaus, source)
    _refuse_shared_names(bureaus, source)
    return Bureaus(bureaus)


def _refuse_circles(bureaus: Iterable[Bureau], source: Source) -> None:
    parents = {bureau.code: bureau.parent for bureau in bureaus}
    for index, code in enumerate(parents):
        path, above = [code], parents[code]
        while above is not None:
            if above in path:
                shown = " → ".join((*path, above))
                raise source.error(("bureaus", index), f"上级关系成环:{shown}。", f"Parents form a circle: {shown}.")
            path.append(above)
            above = parents.get(above)


def _refuse_shared_names(bureaus: tuple[Bureau, ...], source: Source) -> None:
    owners: dict[str, list[Bureau]] = {}
    for index, bureau in enumerate(bureaus):
        for name in dict.fromkeys(map(_plain, (bureau.code, bureau.name_zh, *bureau.aliases))):
            for other in owners.get(name, ()):
                last, first = other.valid_to or date.max, bureau.valid_from
                if first <= last and other.valid_from <= (bureau.valid_to or date.max):
                    raise source.error(
                        ("bureaus", index),
                        f"「{bureau.code}」与「{other.code}」同时使用名称或代码「{name}」。",
                        f"'{bureau.code}' and '{other.code}' have the name or code '{name}' at the same time.",
                    )
            owners.setdefault(name, []).append(bureau)

"""The small form of the model, the offices that use it, and its returns as bytes. No assertion in here.

One block with a breakdown, one with a balance account, each in a month's column and in a cumulative one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import yaml

from disclosure_etl.calendar import StoryClock
from disclosure_etl.office import Office
from disclosure_etl.settings import ConfigDirs, default_config_dir, load_settings
from schemas.periods import Period
from tests.factories import SIGNED

FAMILY = "small"
MONTHS = ("2013-12", "2014-01", "2014-02", "2014-03")  # a year begins among them, and a quarter is whole
QUARTER = "2014Q1"
OLD = "2008-05-01"
MONTH, SO_FAR = "month", "year_to_date"
TOTAL, PAPER, ONLINE = "published", "published.paper", "published.online"
OPENING, RECEIVED, CLOSED, CLOSING = "cases.opening", "cases.received", "cases.closed", "cases.closing"
BLOCKS = {"publications": (TOTAL, PAPER, ONLINE), "cases": (OPENING, RECEIVED, CLOSED, CLOSING)}
BLOCK_OF = {indicator: block for block, indicators in BLOCKS.items() for indicator in indicators}
INDICATORS = tuple(BLOCK_OF)
Cell = tuple[str, str]  # indicator and column
Figures = Mapping[Cell, int | None]

_FORM = """
family: small
version: "1"
title: {zh: 小表, en: Small}
frequency: monthly
valid: {from: 2013-12}
tables:
  - code: main
    title: {zh: 小表, en: Small}
    columns:
      - {code: month, label: {zh: 本月, en: Month}}
      - {code: year_to_date, label: {zh: 本年累计, en: Year to date}, cumulates: month, required: false}
    blocks:
      - code: publications
        label: {zh: 公开, en: Publications}
        indicators:
          - {code: published, label: {zh: 公开总数, en: Published}, unit: 件, watched: false, breakdowns: [{name: channel, parts: [published.paper, published.online]}]}
          - {code: published.paper, label: {zh: 纸质公开, en: On paper}, unit: 件, watched: false}
          - {code: published.online, label: {zh: 网上公开, en: Online}, unit: 件, watched: false}
      - code: cases
        label: {zh: 办件, en: Cases}
        indicators:
          - {code: cases.opening, label: {zh: 期初在办, en: Open at the start}, unit: 件, balance: {account: cases, role: opening}}
          - {code: cases.received, label: {zh: 收件, en: Received}, unit: 件, watched: false, balance: {account: cases, role: inflow}}
          - {code: cases.closed, label: {zh: 办结, en: Closed}, unit: 件, watched: false, balance: {account: cases, role: outflow}}
          - {code: cases.closing, label: {zh: 期末在办, en: Open at the end}, unit: 件, balance: {account: cases, role: closing}}
"""


@dataclass(frozen=True)
class Tree:
    """The bureaus of a story: three; or two of them become another at the month `at`; or one of them takes another over."""

    kind: str = "plain"  # plain, merge, absorb
    at: int = 1

    def codes(self) -> tuple[str, ...]:
        """All bureaus of any month."""
        return ("east", "west", "north", "union") if self.kind == "merge" else ("east", "west", "north")

    def owing(self, month: int) -> tuple[str, ...]:
        """The bureaus that owe the return of a month, as listed."""
        if self.kind == "merge" and month >= self.at:
            return ("north", "union")
        if self.kind == "absorb" and month >= self.at:
            return ("west", "north")
        return ("east", "west", "north")

    def before(self, bureau: str, month: int) -> tuple[str, ...]:
        """Whose figures of the month before a bureau goes on with."""
        if month == self.at and (self.kind, bureau) in (("merge", "union"), ("absorb", "west")):
            return ("east", "west")
        return (bureau,)

    def entries(self) -> list[dict[str, object]]:
        """The same as bureaus.yaml has it."""
        begins = date.fromisoformat(f"{MONTHS[self.at]}-01")
        ends, goes_on = f"{begins - timedelta(days=1)}", {"merge": "union", "absorb": "west"}.get(self.kind)
        leaving = {"merge": ("east", "west"), "absorb": ("east",)}.get(self.kind, ())
        found: list[dict[str, object]] = [{"code": "shiju", "name_zh": "市局", "name_en": "City", "from": OLD}]
        for code in self.codes():
            one: dict[str, object] = {
                "code": code, "name_zh": f"{code}分局", "name_en": f"{code} office", "parent": "shiju",
                "from": f"{begins}" if code == "union" else OLD, "owes": [{"family": FAMILY, "from": OLD}],
            }  # fmt: skip
            found.append(one | ({"to": ends, "into": [goes_on]} if code in leaving else {}))
        return found


TREES = tuple(Tree(kind, at) for kind in ("plain", "merge", "absorb") for at in (1, 2, 3) if (kind, at) < ("plain", 2))


@dataclass(frozen=True)
class Paper:
    """What a bureau writes down: a return's bytes are made of it alone, so the same paper twice is the same bytes. `note` makes
    other bytes of the same figures."""

    bureau: str
    month: int
    revision: int
    figures: tuple[tuple[Cell, int | None], ...]
    nil: bool = False
    note: int = 0

    @cached_property
    def data(self) -> bytes:
        """The return as JSON."""
        told = [
            {"indicator": indicator, "column": column, "value": value}
            for (indicator, column), value in self.figures
            if value is not None or self.nil  # of a nil return all that is blank, by which the form is known
        ]
        header = {"bureau_code": self.bureau, "period": MONTHS[self.month], "revision": self.revision, "nil": self.nil}
        return json.dumps({**header, **SIGNED, "telephone": self.note, "observations": told}).encode()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def write_config(folder: Path, tree: Tree) -> Path:
    """An office's whole configuration, with no form but the small one."""
    config = folder / "config"
    (config / "forms").mkdir(parents=True)
    (config / "forms" / "small-1.yaml").write_text(_FORM, encoding="utf-8")
    (config / "bureaus.yaml").write_text(yaml.safe_dump({"bureaus": tree.entries()}, allow_unicode=True), "utf-8")
    packaged = default_config_dir()
    text = (packaged / "settings.yaml").read_text(encoding="utf-8")
    text = text.replace("family: bureau-monthly", f"family: {FAMILY}").replace("processes: auto", "processes: 0")
    (config / "settings.yaml").write_text(text, encoding="utf-8")
    for name in ("schedule.yaml", "rules.yaml", "sources.yaml"):
        (config / name).write_bytes((packaged / name).read_bytes())
    for folder_name in ("calendar", "layouts"):
        (config / folder_name).mkdir()
    for path in (packaged / "calendar").glob("201[345].yaml"):
        (config / "calendar" / path.name).write_bytes(path.read_bytes())
    return config


def open_office(config: Path, folder: Path, inbox: Path, clock: StoryClock, url: str) -> Office:
    """An office of that configuration, whose own files are below `folder`."""
    environment = {"DISCLOSURE_INBOX": str(inbox), "DISCLOSURE_ACTOR": "steward", "DISCLOSURE_WAREHOUSE": url}
    folder.mkdir(exist_ok=True)
    inbox.mkdir(exist_ok=True)
    settings = load_settings(config, environment, folder)
    object.__setattr__(settings, "dirs", ConfigDirs(config, config))
    office = Office(settings, clock)
    _ = office.calendar, office.schedule, office.forms, office.bureaus  # read once, not by every run
    return office


def period_of(month: int) -> Period:
    """The period of a month's number."""
    return Period.parse(MONTHS[month])

"""The office of a simulation, how long and wide it is, and what goes wrong in it: drawn by chance, and some of it in its place.

Not here: what happens then (`years`), or how it is told wrongly (`ledgers`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import yaml

from disclosure_etl.calendar import StoryClock
from disclosure_etl.office import Office
from disclosure_etl.settings import default_config_dir, load_settings
from schemas.periods import Frequency, Period
from tests.campaigns.ledgers import Ledgers, Slip
from tests.factories import FAMILY, ZONE


@dataclass(frozen=True)
class Scale:
    """How long and how wide. `merged`, `absorbed`, `split`: the first month after it; `unlisted`: the year whose holidays nobody
    has entered; `troubles`: how many returns of a month come wrong or late; `reopened`: the month that is corrected when its year is
    locked; `tables`: whether the 汇总表 of every version is written."""

    first: str
    months: int
    bureaus: int
    merged: str
    split: str
    absorbed: str
    unlisted: int
    reopened: str
    troubles: int = 2
    seed: int = 1
    tables: bool = True

    @cached_property
    def periods(self) -> list[Period]:
        """All months."""
        return [Period.parse(self.first).shifted(step) for step in range(self.months)]


# -- the office


def furnish(folder: Path, scale: Scale, url: str | None = None) -> tuple[Office, StoryClock]:
    """An office of so many bureaus below one that owes nothing, two of which merge, one of which is taken over, one split."""
    config = folder / "config"
    (config / "calendar").mkdir(parents=True)
    (folder / "inbox").mkdir()
    for name in ("settings.yaml", "schedule.yaml"):
        text = (default_config_dir() / name).read_text(encoding="utf-8").replace("processes: auto", "processes: 0")
        (config / name).write_text(text, encoding="utf-8")
    (config / "calendar" / f"{scale.unlisted}.yaml").write_text("year: 1990\nholidays: []\n", encoding="utf-8")
    (config / "bureaus.yaml").write_text(
        yaml.safe_dump({"bureaus": _bureaus(scale)}, allow_unicode=True), encoding="utf-8"
    )
    clock = StoryClock(datetime(2016, 1, 1, tzinfo=ZONE))
    settings = load_settings(config, {"DISCLOSURE_WAREHOUSE": url} if url else {}, folder)
    return Office(settings, clock), clock


def _bureaus(scale: Scale) -> list[dict]:
    begin = scale.periods[0].start
    ends = {
        "b01": (scale.merged, ["m1"]),
        "b02": (scale.merged, ["m1"]),
        "b03": (scale.absorbed, ["b04"]),
        "b05": (scale.split, ["s1", "s2"]),
    }
    begins = {"m1": scale.merged, "s1": scale.split, "s2": scale.split}
    found: list[dict] = [{"code": "shiju", "name_zh": "市局", "name_en": "City", "from": begin}]
    for code in (*(f"b{number:02d}" for number in range(scale.bureaus)), *begins):
        since = Period.parse(begins[code]).start if code in begins else begin
        one = {"code": code, "name_zh": f"{code}分局", "name_en": f"{code} office", "from": since, "parent": "shiju"}
        if code in ends:
            month, into = ends[code]
            one |= {"to": Period.parse(month).preceding.end, "into": into}
        found.append({**one, "owes": [{"family": FAMILY, "from": begin}]})
    return found


# -- what goes wrong


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one return, from its own month to the step in which it is put right. `late`: it comes only then;
    `back`: it is sent back, and comes again; `forth`: another comes in between and the first one is reinstated; else a `Slip`."""

    kind: str
    bureau: str
    month: Period
    until: Period
    amount: int = 3
    between: Period | None = None

    @property
    def slip(self) -> Slip:
        """What is told wrongly."""
        return Slip(self.bureau, self.month, "flow" if self.kind == "forth" else self.kind, self.amount)


NEW_FORM = Period.parse("2019-05")
KINDS = ("total", "flow", "stock", "late", "back", "forth")


def troubles(scale: Scale, ledgers: Ledgers) -> list[Trouble]:
    """Some of each kind, never two at one bureau (or its heirs) at a time, all put right before their year is signed."""
    chance = random.Random(scale.seed)
    last, found = scale.periods[-1], []
    busy: dict[str, list[tuple[Period, Period]]] = defaultdict(list)

    def take(one: Trouble) -> bool:
        line, bureau, step = {one.bureau}, one.bureau, one.month
        while step < one.until:
            bureau = ledgers.heirs.get((bureau, step.code), bureau)
            step = step.shifted(1)
            line.add(bureau)
        if any(begin <= one.until and one.month <= end for code in line for begin, end in busy[code]):
            return False
        for code in line:
            busy[code].append((one.month, one.until))
        found.append(one)
        return True

    split, reopened = Period.parse(scale.split), Period.parse(scale.reopened)
    for code, month in (*ledgers.restated, *ledgers.unlike):
        busy[code].append((Period.parse(month), Period.parse(month)))
    locked_on = Period(Frequency.MONTHLY, reopened.year + 1, 4 if scale.months < 12 else 6)
    take(Trouble("flow", "b00", reopened, locked_on))
    take(Trouble("stock", "b01", Period.parse(scale.merged).preceding, Period.parse(scale.merged).shifted(1)))
    take(Trouble("stock", "b05", split.preceding, split.shifted(2)))
    take(Trouble("stock", "b04", NEW_FORM.shifted(-2), NEW_FORM))
    number = 0
    for month in scale.periods:
        for code in chance.sample(ledgers.owing(month), min(scale.troubles, len(ledgers.owing(month)))):
            kind = KINDS[number % len(KINDS)]
            until = min(month.shifted(chance.randint(2 if kind == "forth" else 1, 5)), last)
            latest = Period(Frequency.MONTHLY, month.year + 1, 3)  # the year is signed at the end of that step
            until = min(until, latest)
            crosses = code in ("b05", "s1", "s2") and month < split <= until
            if until <= month.shifted(kind == "forth") or crosses:
                continue
            between = month.shifted(1) if kind == "forth" else None
            number += take(Trouble(kind, code, month, until, chance.choice((2, 3, 5)), between))
    return found

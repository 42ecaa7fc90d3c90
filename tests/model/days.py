"""A day of an office on both databases beside the model of it: something is done everywhere, the databases are held against the
model, and what was done is done once more, which changes nothing.

Not here: what may be done (`machine`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from disclosure_etl import deltas
from disclosure_etl.calendar import StoryClock
from disclosure_etl.keeping import verified
from schemas.periods import Period
from tests.factories import ZONE
from tests.model.databases import Databases
from tests.model.naive import OUT, Naive, opens_year
from tests.model.paper import (
    CLOSED,
    CLOSING,
    FAMILY,
    MONTH,
    MONTHS,
    ONLINE,
    OPENING,
    PAPER,
    QUARTER,
    RECEIVED,
    SO_FAR,
    TOTAL,
    Cell,
    Paper,
    Tree,
    open_office,
    period_of,
    write_config,
)
from tests.model.product import Product, Version
from tests.model.shown import Proposed, Shown, counts, proposals, quarter, shown


class Days(RuleBasedStateMachine):
    """One office on each database, the model, and what a day is."""

    databases: ClassVar[Databases]  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        self.products: list[Product] = []
        self.days: list[tuple[datetime, dict[int, tuple[Shown, str]]]] = []
        self.last: dict[int, Version] = {}
        self.proposed: list[Proposed] = []
        self.numbers: dict[str, int] = {}  # of decisions of each kind so far
        self.signed: dict[int, int] = {}
        self.steps = self.papers = 0
        self.touched: set[int] = set()
        self.rolled_up = False

    def furnish(self, tree: Tree) -> None:
        config = write_config(self.folder, tree)
        self.clock = StoryClock(datetime(2014, 4, 7, 8, tzinfo=ZONE))
        self.inbox = self.folder / "inbox"
        for name, url in self.databases.fresh():
            office = open_office(config, self.folder / name, self.inbox, self.clock, url)
            self.products.append(Product(name, office))
        self.model = Naive(tree)

    # -- papers

    def put(self, paper: Paper, slot: int | None) -> None:
        self.papers += 1
        number = self.papers + 9 if slot is None else slot
        name = f"{paper.bureau}_{MONTHS[paper.month]}_{number:03}.json"
        (self.inbox / name).write_bytes(paper.data)
        self.model.inbox[name] = paper

    def written(self, month: int, bureau: str, draw: tuple, revision: str, slip: Any, *, so_far: bool) -> Paper:
        """A return that follows from what is accepted, but for a slip."""
        model = self.model
        paper, online, received, closed = draw
        opening = model.carried_over(bureau, month, (CLOSING, MONTH)) or 0
        closed = min(closed, opening + received)
        own = {
            TOTAL: paper + online,
            PAPER: paper,
            ONLINE: online,
            OPENING: opening,
            RECEIVED: received,
            CLOSED: closed,
        }
        own[CLOSING] = opening + received - closed
        figures: dict[Cell, int | None] = {(code, MONTH): value for code, value in own.items()}
        for code, value in own.items() if so_far else ():
            before = model.carried_over(bureau, month, (code, SO_FAR))
            if opens_year(month) or before is None or code == CLOSING:
                figures[code, SO_FAR] = value
            else:
                figures[code, SO_FAR] = before + (value if code != OPENING else 0)
        if slip is not None and figures.get(slip[0]) is not None:
            cell, by = slip
            figures[cell] = None if by is None else max(0, (figures[cell] or 0) + by)
        return Paper(bureau, month, self.revision(month, bureau, revision), tuple(sorted(figures.items())))

    def revision(self, month: int, bureau: str, which: str) -> int:
        before = [one.revision for one in self.model.inbox.values() if (one.bureau, one.month) == (bureau, month)]
        before += [one.paper.revision for one in self.model.returns[month] if one.bureau == bureau]
        last = max(before, default=0)
        return {"next": last + 1, "same": max(1, last), "first": 1}[which]

    # -- a day

    def day(self, command: Callable, model: Callable | None, *months: int) -> list[Any]:
        """Do it everywhere; what each product answers."""
        self.clock.set(self.clock() + timedelta(days=1))
        answers = [one.do(command) for one in self.products]
        if model is not None:
            model()
        self.touched = set(months)
        self.check()
        self.products[self.steps % len(self.products)].do_again(command)
        self.steps += 1
        self.days.append((self.clock(), {month: (one.says, one.status) for month, one in self.last.items()}))
        return answers

    def check(self) -> None:
        """Hold every product against the model."""
        wanted = {month: shown(self.model, month) for month in sorted(self.model.consolidated)}
        newest: dict[int, Version] = {}
        for product in self.products:
            for month, says in wanted.items():
                version = product.version(period_of(month))
                assert version is not None, (product.name, MONTHS[month])
                self.check_version(product, month, version, says)
                newest[month] = version
            for month in range(len(MONTHS)):
                expected = [
                    (bureau, one.digest, one.paper.revision, one.state)
                    for bureau in sorted(self.model.tree.codes())
                    for one in self.model.in_order(month, bureau)
                ]
                assert product.returns(month) == expected, (product.name, MONTHS[month])
                if month not in self.model.locked:
                    assert product.failures(month) == self.failing(month), (product.name, MONTHS[month])
            if self.rolled_up:
                figures = product.version(Period.parse(QUARTER))
                assert figures is not None and figures.says.figures == quarter(self.model, range(1, 4)), product.name
            assert product.office.warehouse.next_waiting() is None
        self.last = newest
        self.check_proposals()

    def check_version(self, product: Product, month: int, version: Version, says: Shown) -> None:
        where, before = (product.name, MONTHS[month], version.number), self.last.get(month)
        is_new = before is None or version.number > before.number
        if month in self.model.locked:
            assert before is not None and version == before._replace(status="locked"), where
            return
        assert version.says == says, (where, _differences(version.says, says))
        assert version.number - (before.number if before else 0) in (0, 1) or month not in self.touched, where
        if is_new or month in self.touched:
            assert version.counts == counts(self.model, month), (where, version.counts, counts(self.model, month))
        if before is not None and is_new:
            assert (version.says, version.counts) != (before.says, before.counts), (where, "nothing changed")
        assert version.status == ("final" if self.signed.get(month) == version.number else "provisional"), where

    def is_final(self, month: int) -> bool:
        """Whether the newest version of a month is signed off."""
        return month in self.last and self.signed.get(month) == self.last[month].number

    def may_be_signed(self, month: int) -> bool:
        """Whether nothing stands in the way of a sign-off: nothing held, stale, sent back or failing, the months before it in the
        year final, and nothing come for it since its newest version."""
        if month not in self.last:
            return False
        if self.is_final(month):
            return True
        before = [one for one in self.last if one < month and MONTHS[one][:4] == MONTHS[month][:4]]
        waiting = ("held", "partly_held", "returned")
        bureaus_stand = all(
            not (one.stale or one.errors or one.status in waiting) for one in self.last[month].says.bureaus
        )
        others = {one.bureau for one in self.model.returns[month]} - {
            one.bureau for one in self.last[month].says.bureaus
        }
        others_stand = not any(one[0] in others and one[-1] is None for one in self.failing(month))
        is_newest = self.last[month].counts == counts(self.model, month)
        return bureaus_stand and others_stand and is_newest and all(map(self.is_final, before))

    def failing(self, month: int) -> set[tuple]:
        """What the model has failing in a month."""
        return {
            (one.bureau, one.name, each.rule, each.column, each.seen, each.waiver)
            for one in self.model.returns[month]
            if one.state not in OUT
            for each in one.failing
        }

    def check_proposals(self) -> None:
        """The deltas are those of the model."""
        self.proposed = proposals(self.model)
        expected = sorted((one.bureau, one.month, one.cell, one.reported, one.proposed) for one in self.proposed)
        for product in self.products:
            found = deltas.propose(product.office, FAMILY)
            told = [
                (one.bureau, MONTHS.index(one.period), (one.indicator, one.column), one.reported, one.proposed)
                for one in found
            ]
            assert sorted(told) == expected, product.name

    def number(self, kind: str) -> int:
        """The number that the next decision of a kind gets."""
        return self.numbers.get(kind, 0) + 1

    def compare(self) -> None:
        """All that is stored hangs together, and both databases hold the same."""
        for product in self.products:
            assert [one for one in verified(product.office) if not one.holds] == [], product.name
        held = [one.contents() for one in self.products]
        for other in held[1:]:
            assert other.keys() == held[0].keys()
            for name, rows in other.items():
                differing = [pair for pair in zip(rows, held[0][name], strict=False) if pair[0] != pair[1]]
                assert rows == held[0][name], (name, differing[:2])

    def teardown(self) -> None:
        try:
            if self.products:
                self.compare()
        finally:
            for product in self.products:
                product.office.warehouse.close()
                self.databases.drop(product.office.settings.warehouse_url)
            shutil.rmtree(self.folder, ignore_errors=True)


def _differences(seen: Shown, expected: Shown) -> list:
    """What differs, for whoever reads the failure."""
    told: list = [
        (cell, seen.figures[cell], value) for cell, value in expected.figures.items() if seen.figures[cell] != value
    ]
    told += [(one, other) for one, other in zip(seen.bureaus, expected.bureaus, strict=False) if one != other]
    told += [(seen.missing, expected.missing), (seen.restated, expected.restated)]
    return [*told, sorted(seen.members ^ expected.members)]

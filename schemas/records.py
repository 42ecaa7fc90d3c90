"""The records that travel between the parts: submissions, a period's batch of them, failures, and what was looked back on.

Not here: how any of them comes about. Arrays are aligned with `Form.cells`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from sys import maxsize

import numpy as np

from schemas.errors import Message
from schemas.forms import Cell, Form
from schemas.periods import Period


class Severity(StrEnum):
    """What a failure does: an error holds its block, a warning wants acknowledging, a notice is recorded."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"

    @property
    def label_zh(self) -> str:
        """As lists and tables say it."""
        return {"error": "错误", "warning": "警告", "notice": "提示"}[self.value]


class Status(StrEnum):
    """What became of something received for a period; every receipt is counted under exactly one."""

    ACCEPTED = "accepted"
    PARTLY_HELD = "partly_held"
    HELD = "held"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    MISDIRECTED = "misdirected"
    OTHER_PERIOD = "other_period"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One arrival of bytes: under which name, from where, when. The same bytes may arrive more than once.

    `sender` is who sent them, where the source knows; `archive` the digest of the archive that they came in.
    """

    name: str
    source: str
    digest: str
    size: int
    received_at: datetime
    sender: str | None = None
    archive: str | None = None


ARCHIVE, ATTACHED = "archive", "attached"
NO_RETURNS = (ARCHIVE, ATTACHED)


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """What is known of some bytes. `status`: read, unreadable, failed, misdirected; or what is no return by itself: archive,
    whose files are documents of their own, and attached, to a return as its sealed scan or its copy. `loaded`: a submission of it is
    stored."""

    digest: str
    status: str
    format: str | None = None
    problem_code: str | None = None
    problem_zh: str | None = None
    problem_en: str | None = None
    bureau_written: str | None = None
    claimed_period: str | None = None
    named_period: str | None = None
    form: str | None = None
    loaded: bool = False

    @classmethod
    def unreadable(cls, digest: str, named_period: str | None, code: str, zh: str, en: str) -> DocumentRecord:
        """Bytes that no reader could make a document of."""
        return cls(digest, "unreadable", None, code, zh, en, named_period=named_period)

    @classmethod
    def read(
        cls, digest: str, format: str, bureau_written: str, claimed: str | None, named: str | None, form: str
    ) -> DocumentRecord:
        """Bytes that were read; what they say of themselves."""
        return cls(
            digest, "read", format, bureau_written=bureau_written, claimed_period=claimed, named_period=named, form=form
        )

    @classmethod
    def archive(cls, digest: str, named_period: str | None) -> DocumentRecord:
        """Bytes that were opened."""
        return cls(digest, ARCHIVE, "zip", named_period=named_period)

    @property
    def is_return(self) -> bool:
        """Whether it is counted among the returns, readable or not."""
        return self.status not in NO_RETURNS

    @classmethod
    def failed(cls, digest: str, named_period: str | None, fault: str) -> DocumentRecord:
        """Bytes that the program failed on; they are tried again by the next run."""
        return cls(digest, "failed", None, "program_fault", fault, fault, named_period=named_period)

    def misdirected(self, code: str, message: Message) -> DocumentRecord:
        """The same of a return of nobody who owes it here. It is read again by every run, since the office may yet enter
        the bureau."""
        return replace(self, status="misdirected", problem_code=code, problem_zh=message.zh, problem_en=message.en)


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that looks like a figure and was not understood: listed, never dropped."""

    locator: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure that stands before all rules: about the return as a whole (its identity), found while reading.

    `code` is stable (`identity:bureau`, `return:untouched`, …). `cells` are locators. One that is about a part of the
    return only says so in `block`, `indicators` and `column`.
    """

    code: str
    message: Message
    cells: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    expected: str | None = None
    severity: Severity = Severity.ERROR
    block: str | None = None
    indicators: tuple[str, ...] = ()
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A further cell of an item: what is written there, where, and in a column of dates the day that it means."""

    text: str
    cell: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a list. `key` is without what varies in writing; `bureau` the one that the row names, where it is known;
    `entries` are the other columns, by code; `locator` is the place of the key."""

    list: str
    key: str
    bureau: str | None
    entries: Mapping[str, Entry]
    locator: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What one bureau sent for one period: immutable, known by the digest of its bytes.

    Per cell of `Form.cells`, in that order: `numbers` (whole numbers in the cell's scale, 0 where there is none),
    `meanings` (`Meaning` values), `decimals` (as printed; 255 where there is none), `troubles` (`Trouble` values),
    `texts` (as displayed) and `locators` ('' where the place was not found in the document).
    `bureau` is None where the return names none that is known; `bureau_written` is what it wrote. `rank` is its place
    among the bureau's returns of the period: none yet where the warehouse has not told it.
    """

    digest: str
    file: str
    form: str
    bureau: str | None
    bureau_written: str
    period: str
    revision: int
    nil: bool
    header: Mapping[str, str]
    numbers: Sequence[int]
    meanings: bytes
    decimals: bytes
    troubles: bytes
    texts: Sequence[str]
    locators: Sequence[str]
    unread: tuple[Unread, ...] = ()
    findings: tuple[Finding, ...] = ()
    items: tuple[Item, ...] = ()
    rank: tuple[int, ...] = field(default=(), compare=False)


NO_DECIMALS = 255


@dataclass(frozen=True)
class Batch:
    """The submissions of one form for one period, as matrices with one row a submission, one column a cell."""

    form: Form
    period: Period
    submissions: tuple[Submission, ...]

    def _bytes(self, name: str) -> np.ndarray:
        joined = b"".join(getattr(submission, name) for submission in self.submissions)
        return np.frombuffer(joined, dtype=np.uint8).reshape(len(self.submissions), len(self.form.cells))

    @cached_property
    def numbers(self) -> np.ndarray:
        """int64, submissions × cells; meaningless where `known` is false."""
        rows = [submission.numbers for submission in self.submissions]
        return np.array(rows, dtype=np.int64).reshape(len(rows), len(self.form.cells))

    @cached_property
    def meanings(self) -> np.ndarray:
        """uint8 `Meaning` values, submissions × cells."""
        return self._bytes("meanings")

    @cached_property
    def decimals(self) -> np.ndarray:
        """uint8 printed decimals, 255 where there is no number."""
        return self._bytes("decimals")

    @cached_property
    def troubles(self) -> np.ndarray:
        """uint8 `Trouble` values."""
        return self._bytes("troubles")

    def newest_rows(self) -> dict[str | None, int]:
        """By bureau: the row of what it sent last. Where one sent twice, the other is about to be superseded."""
        ranks = [one.rank or (one.revision, maxsize) for one in self.submissions]
        rows = sorted(range(len(ranks)), key=ranks.__getitem__)
        return {self.submissions[row].bureau: row for row in rows}


@dataclass(frozen=True)
class LooksBack:
    """The cells whose figures judging asks for: of the preceding period, added up over the finer periods within this one,
    over a branch's units; and those whose course over time is watched. `whose`: by the code of a finer period, the bureaus whose
    returns for it are together those of another (it merged since; none where that cannot be told)."""

    previous: tuple[Cell, ...] = ()
    periods: tuple[Cell, ...] = ()
    units: tuple[Cell, ...] = ()
    watched: tuple[Cell, ...] = ()
    whose: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Norms:
    """What the bureaus did in a period, one float a watched figure: `season` and `year_season`, the median ratio of a
    figure to the bureau's own level and to its figure a year ago (1 where too few have one); how many report (`reporting`),
    the share of them with more than nothing (`positive`), and their `median`, in units. `pool`: how far figures stray,
    parameters × figures (`schemas.trends.Pool`); None of norms that were kept before there was any."""

    season: np.ndarray
    year_season: np.ndarray
    reporting: np.ndarray
    positive: np.ndarray
    median: np.ndarray
    pool: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Heir:
    """One of several bureaus that begin with a part of what others left, and the return that it sent last."""

    bureau: str
    name: Message
    sent: Submission | None


@dataclass(frozen=True, slots=True)
class Bridge:
    """What a bureau begins a period with, where that is not its own closing: those of its `predecessors` (their names, all
    in one), added up; where others share it, the `heirs` in order, itself among them."""

    predecessors: Message
    heirs: tuple[Heir, ...] = ()


@dataclass(frozen=True)
class History:
    """What a period's checks look back on, one entry a submission of a batch.

    `figures[column of the wide frame]` (such as `previous:` + cell name): int64, `UNKNOWN` where nothing is accepted (yet).
    `past`: the watched figures of the periods before, periods × submissions × watched cells, the preceding one first;
    None where nobody asked. `norms`: what the peers did, where the batch is only a part of them. `periods_final`: whether
    the finer periods that this one is held against are final, which it is not yet itself. `keys`: of each list that others
    follow, all keys of any bureau in this and earlier periods; None where nobody asked. `booked`: by a rule's code and column,
    what was restated and so belongs to its sum (int64, in the figures' scale). `bridges`: of bureaus whose `previous:` figures
    are other bureaus' (they merged, were split, got a new code), whose.
    """

    figures: Mapping[str, np.ndarray] = field(default_factory=dict)
    past: np.ndarray | None = None
    norms: Norms | None = None
    periods_final: bool = False
    keys: Mapping[str, frozenset[str]] | None = None
    booked: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    bridges: Mapping[str, Bridge] = field(default_factory=dict)

    def part(self, rows: slice) -> History:
        """The same of some of the submissions."""
        past = None if self.past is None else self.past[:, rows]
        return History(
            {name: values[rows] for name, values in self.figures.items()},
            past,
            self.norms,
            self.periods_final,
            self.keys,
            {place: amounts[rows] for place, amounts in self.booked.items()},
            self.bridges,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """One rule that does not hold at one place.

    `seen` are the figures as written, the total (or closing, or printed share) last; `expected` is what they imply;
    `difference` is sum of parts − total, opening + inflow − outflow − closing, or printed − true share. Numbers are
    decimal text. `id` has no run in it, so a decision outlives a rerun. `implied_by` is the failure that it follows from;
    `case` the first failure of those that one cause explains, None where it is that one itself. `waiver` is the decision
    by which it no longer holds anything.
    """

    id: str
    rule: str
    kind: str
    severity: Severity
    block: str | None
    indicators: tuple[str, ...]
    column: str | None
    cells: tuple[str, ...]
    seen: tuple[str, ...]
    expected: str | None
    difference: str | None
    diagnosis: str | None
    impact: float | None
    legal: str | None
    message: Message
    implied_by: str | None = None
    case: str | None = None
    waiver: int | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """What a steward decided: this failure of this bureau may stand, as long as these values are seen, in these periods.

    `number` is its name. It never alters a frozen consolidation, and lapses by itself when the values change.
    """

    number: int
    family: str
    bureau: str
    rule: str
    column: str | None
    indicators: tuple[str, ...]
    seen: tuple[str, ...]
    first: str
    last: str
    reason: str
    by: str
    at: datetime


def failure_id(rule: str, bureau: str | None, period: str, column: str | None, cells: Sequence[str]) -> str:
    """The stable name of a failure: a hash of what and where, without the run."""
    text = "\x1f".join((rule, bureau or "", period, column or "", *cells))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Judged:
    """A submission with its verdict: failures, the blocks held, and the rules that could not be assessed.

    `fault` is the program fault that ended its judging, if one did: then it is `failed`, whatever its figures.
    """

    submission: Submission
    failures: tuple[Failure, ...]
    held_blocks: frozenset[str]
    whole_return_held: bool
    not_assessable: tuple[tuple[str, str | None], ...]  # (rule, column)
    fault: str | None = None

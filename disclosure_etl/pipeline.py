"""The month's story on one page: pull, read, look back, judge, load, freeze; then whatever later months depend on it.

Everything is done a stage at a time for the whole period. The same steps run bare, and as tasks of a Prefect flow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from disclosure_etl.bureaus import Duty
from disclosure_etl.intake.reading import ChunkedReading, ChunkReader, everything
from disclosure_etl.office import Office
from disclosure_etl.quality.branches import units_figures
from disclosure_etl.quality.judging import Verdict, held_unjudged, judge, looks_back_on, totals_of
from disclosure_etl.quality.returns import mark_two_returns
from disclosure_etl.quality.waivers import Waivers, waives
from schemas.consolidation import Consolidation
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Batch, DocumentRecord, Judged, Receipt, Status, Submission
from schemas.rules import RuleSet

Progress = Callable[[str, int, int], None]  # stage, done, of how many


def _silent(stage: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class MonthResult:
    """What a consolidation came to: the period's frozen version, those of later periods that changed with it, and the
    program faults, which are nobody's data."""

    consolidation: Consolidation
    later: tuple[Consolidation, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass
class Month:
    """One consolidation in progress. Its steps are called in the order in which they stand here, each once, but
    `read_chunk` once a chunk."""

    office: Office
    family: str
    period: Period
    command: str = "consolidate"
    bureaus: Collection[str] | None = None
    progress: Progress = _silent
    run: str = field(init=False, default="")
    form: Form = field(init=False)
    _reading: ChunkedReading = field(init=False)
    _documents: dict[str, DocumentRecord] = field(init=False, default_factory=dict)
    _submissions: dict[str, Submission] = field(init=False, default_factory=dict)
    _receipts: dict[str, Receipt] = field(init=False, default_factory=dict)
    _others: dict[int, int] = field(init=False, default_factory=dict)  # by chunk: a chunk may be read again
    _faults: dict[str, str] = field(init=False, default_factory=dict)  # by file
    _judged: list[Judged] = field(init=False, default_factory=list)
    _rules: str = field(init=False, default="")  # the version of the rules
    _stored: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        self.form = self.office.forms.choose(self.family, self.period)

    # -- intake

    def find(self) -> int:
        """Begin a run, list what has arrived, and tell into how many chunks it falls."""
        now = self.office.clock()
        deliveries = list(self.office.inbox.deliveries(now))
        self.run = self.office.warehouse.start_run(self.command, self.family, self.period, now)
        self._documents = self.office.warehouse.documents()
        settled = frozenset(digest for digest, record in self._documents.items() if self._is_settled(record))
        self._reading = ChunkedReading(_reader(self.office, settled), deliveries, self.office.settings.chunk_size)
        return len(self._reading)

    def read_chunk(self, chunk: int) -> int:
        """Keep the bytes of one chunk, and read those that are of this period and not in the warehouse yet.

        Returns the number of submissions read. A chunk may be read again.
        """
        arrived = self._reading.chunk(chunk)
        receipts = [one.receipt for one in arrived]
        documents = [one.document for one in arrived if one.document is not None]
        self.office.warehouse.record_arrivals(self.run, self.period, receipts, documents)
        self._documents |= {record.digest: record for record in documents}
        self._others[chunk] = sum(self._is_of_another_period(self._documents[one.digest]) for one in receipts)
        self._faults |= {one.receipt.name: one.fault for one in arrived if one.fault is not None}
        for one in arrived:
            self._receipts.setdefault(one.receipt.digest, one.receipt)
            if one.submission is not None and one.document is not None and self._concerns_us(one.document):
                self._submissions[one.submission.digest] = one.submission
        self.progress("read", chunk + 1, len(self._reading))
        return sum(one.submission is not None for one in arrived)

    def _concerns_us(self, record: DocumentRecord) -> bool:
        """A return is of this period if its header says so, or its file name does where they disagree; one that tells
        no period at all is held by the run that meets it, rather than lie unseen."""
        told = {record.claimed_period, record.named_period} - {None}
        return not told or self.period.code in told

    def _is_settled(self, record: DocumentRecord) -> bool:
        """Whether bytes need no reading now: stored, refused for good, or of another period."""
        return record.loaded or record.status == "unreadable" or not self._concerns_us(record)

    def _is_of_another_period(self, record: DocumentRecord) -> bool:
        return not self._concerns_us(record)

    # -- quality

    def judge(self) -> int:
        """Judge what was read together with what the warehouse already holds for the period; the number of failures."""
        stored = self.office.warehouse.stored_batch(self.form, self.period)
        self._stored = frozenset(one.digest for one in stored.submissions)
        fitting: list[Submission] = []
        in_doubt: list[Submission] = []
        for one in mark_two_returns([one for one in self._submissions.values() if self._is_news(one)]):
            fits = one.form == self.form.key and one.period == self.period.code
            (fitting if fits else in_doubt).append(one)
        batch = Batch(self.form, self.period, (*stored.submissions, *fitting))
        rules = self.office.rules(self.form, self.period)
        verdict = _verdict(self.office, rules, batch, totals_of(batch))
        self._rules = self.office.warehouse.enter_rules(rules, self.office.clock(), verdict.norms)
        self._judged = [*verdict.judged, *(held_unjudged(one) for one in in_doubt)]
        self._note_faults(self._judged)
        self.progress("judge", len(self._judged), len(self._judged))
        return sum(len(one.failures) for one in self._judged)

    def _note_faults(self, verdicts: Sequence[Judged]) -> None:
        self._faults |= {one.submission.file: one.fault for one in verdicts if one.fault}

    def _is_news(self, one: Submission) -> bool:
        wanted = self.bureaus is None or one.bureau in self.bureaus
        return wanted and one.digest not in self._stored

    @property
    def judged(self) -> Sequence[Judged]:
        """The verdicts of `judge`, stored submissions first."""
        return self._judged

    # -- warehouse

    def load(self) -> frozenset[str]:
        """Load the new submissions and renew the verdicts of the stored ones; the bureaus whose accepted figures
        changed, on which their later months depend."""
        warehouse = self.office.warehouse
        known = [one for one in self._judged if one.submission.digest in self._stored]
        new = [one for one in self._judged if one.submission.digest not in self._stored]
        changed = warehouse.renew(self.form, self.period, known, self._rules)
        changed |= warehouse.load(self.run, self.form, self.period, new, self._receipts, self._rules)
        self.progress("load", len(new), len(new))
        return frozenset(changed)

    def freeze(self, changed: frozenset[str]) -> MonthResult:
        """Freeze the period's provisional version, judge the later months of the changed bureaus again, and end the run."""
        warehouse = self.office.warehouse
        now = self.office.clock()
        consolidation = _frozen(self.office, self.run, self.form, self.period, sum(self._others.values()), self._rules)
        later = self._follow(changed)
        faults = tuple(f"{file}: {fault}" for file, fault in self._faults.items())
        result = MonthResult(consolidation, later, faults)
        warehouse.finish_run(self.run, "failed" if self._faults else "done", _named(consolidation), now)
        return result

    def _follow(self, changed: frozenset[str]) -> tuple[Consolidation, ...]:
        """Each later month looks back on the one before it; the chain goes on with those that were judged again, and
        every later version is frozen anew, since its cumulatives contain this month."""
        warehouse = self.office.warehouse
        if not changed:
            return ()
        frozen = []
        later_periods = warehouse.later_periods(self.family, self.period)
        for later in later_periods:
            form = self.office.forms.choose(self.family, later)
            batch = warehouse.stored_batch(form, later, bureaus=changed)
            rules = self.office.rules(form, later)
            version = warehouse.enter_rules(rules, self.office.clock())
            if batch.submissions:
                everybody = warehouse.stored_batch(form, later)
                verdict = _verdict(self.office, rules, batch, totals_of(everybody), everybody)
                self._note_faults(verdict.judged)
                warehouse.renew(form, later, verdict.judged, version)
            before = warehouse.consolidation(self.family, later)
            others = before.counts[Status.OTHER_PERIOD] if before else 0
            frozen.append(_frozen(self.office, self.run, form, later, others, version))
            self.progress("follow", len(frozen), len(later_periods))
        return tuple(frozen)


def _reader(office: Office, settled: frozenset[str]) -> ChunkReader:
    return ChunkReader(
        office.forms.forms, office.bureaus, office.raw_store, office.settings.read_limits, office.inbox.name, settled
    )


def _named(one: Consolidation) -> dict[str, int]:
    return {status.value: count for status, count in one.counts.items()}


def _verdict(
    office: Office, rules: RuleSet, batch: Batch, totals: Mapping[str, int], everybody: Batch | None = None
) -> Verdict:
    """Judge a batch with all that it looks back on. `everybody`: the whole period, where the batch is a part of it."""
    warehouse, form, period = office.warehouse, batch.form, batch.period
    bureaus = [one.bureau for one in batch.submissions]
    looks = looks_back_on(rules)
    finer = office.forms.frequency_of(form.adds_up.family) if form.adds_up else None
    history = warehouse.history(form, period, bureaus, looks, finer)
    units = units_figures(everybody or batch, looks.units, office.bureaus.units(form.family, period), bureaus)
    norms = warehouse.norms_of(rules) if everybody is not None else None
    history = replace(history, figures={**history.figures, **units}, norms=norms)
    waivers = Waivers([one for one in warehouse.waivers(form.family) if waives(one, period)])
    return judge(batch, rules, history, totals, waivers)


def _frozen(
    office: Office, run: str, form: Form, period: Period, others: int = 0, rules: str | None = None
) -> Consolidation:
    owing = office.owing(form.family, period)
    contained = frozenset(unit for units in office.bureaus.units(form.family, period).values() for unit in units)
    duty = Duty(owing, office.due(period).day, office.clock(), contained)
    return office.warehouse.freeze(run, form, period, duty, others, rules)


def consolidate(
    office: Office,
    family: str,
    period: Period,
    *,
    command: str = "consolidate",
    bureaus: Collection[str] | None = None,
    progress: Progress = _silent,
) -> MonthResult:
    """The whole month at once, without Prefect: what the command line, a rerun and the desk's button do."""
    month = Month(office, family, period, command, bureaus, progress)
    for chunk in range(month.find()):
        month.read_chunk(chunk)
    month.judge()
    return month.freeze(month.load())


def roll_up(office: Office, family: str, period: Period) -> Consolidation:
    """Add up the accepted months of a quarter, half or year into a provisional version of its own."""
    form = office.forms.for_roll_up(family, period)
    warehouse = office.warehouse
    run = warehouse.start_run("roll-up", family, period, office.clock())
    consolidation = _frozen(office, run, form, period)
    warehouse.finish_run(run, "done", _named(consolidation), office.clock())
    return consolidation


def rehearse(office: Office, family: str, period: Period, bureaus: Collection[str] | None = None) -> list[Message]:
    """What a rerun of `period` would take and change, a line each.

    Nothing is written but the bytes that arrived, which the raw store keeps in any case.
    """
    form = office.forms.choose(family, period)
    warehouse = office.warehouse
    known = warehouse.documents()
    settled = frozenset(digest for digest, record in known.items() if record.loaded)
    deliveries = list(office.inbox.deliveries(office.clock()))
    new: list[Submission] = []
    lines: list[Message] = []
    for one in everything(_reader(office, settled), deliveries, office.settings.chunk_size):
        if one.document is None or (one.submission is None and one.receipt.digest in known):
            continue
        sent = one.submission
        if sent is None:
            why = one.document
            lines.append(
                Message(
                    f"{one.receipt.name}:不能采用,{why.problem_zh}", f"{one.receipt.name}: not taken. {why.problem_en}"
                )
            )
        elif sent.period == period.code and sent.form == form.key and (bureaus is None or sent.bureau in bureaus):
            new.append(sent)
    stored = warehouse.stored_batch(form, period)
    batch = Batch(form, period, (*stored.submissions, *mark_two_returns(new)))
    taken = {one.digest for one in new}
    rules = office.rules(form, period)
    for verdict in _verdict(office, rules, batch, totals_of(batch)).judged:
        sent = verdict.submission
        if sent.digest in taken:
            held = [
                block.label for block in form.blocks if verdict.whole_return_held or block.code in verdict.held_blocks
            ]
            held_zh = f"暂存:{'、'.join(label.zh for label in held)}" if held else "没有板块暂存"
            held_en = f"holding {', '.join(label.en for label in held)}" if held else "holding nothing"
            lines.append(
                Message(
                    f"{sent.file}:将采用({sent.bureau},{sent.period},修订号 {sent.revision}),{held_zh}",
                    f"{sent.file}: would be taken ({sent.bureau}, {sent.period}, revision {sent.revision}), {held_en}",
                )
            )
    if not taken:
        return lines or [Message("没有新到的报表,不会有任何变化。", "Nothing new has arrived; nothing would change.")]
    again = [str(period), *(str(one) for one in warehouse.later_periods(family, period))]
    lines.append(
        Message(f"将重新判定并固化:{'、'.join(again)}", f"would be judged again and frozen anew: {', '.join(again)}")
    )
    return lines

"""The month's story on one page: pull, read, look back, judge, load, freeze; then whatever later months depend on it.

Everything is done a stage at a time for the whole period. The same steps run bare, and as tasks of a Prefect flow. Files are read
beside other runs; from judging on, each run has the office to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from sys import maxsize

from disclosure_etl.intake.copies import copies_of
from disclosure_etl.intake.identity import NOT_THROUGH_HERE, UNCONFIRMED_SENDER
from disclosure_etl.intake.reading import Arrived, ChunkedReading, StoredReader
from disclosure_etl.intake.scans import returns_of_scans
from disclosure_etl.intake.sources import Delivery
from disclosure_etl.intake.sources.listing import Listed, Standing, list_all, standing
from disclosure_etl.judgement import dependents_of, follow, frozen, held_together, verdict_of
from disclosure_etl.office import Office
from disclosure_etl.quality.judging import held_unjudged
from disclosure_etl.quality.locked import HELD_FOR_LOCK, held_for_lock
from disclosure_etl.quality.returns import mark_two_returns
from schemas.consolidation import Consolidation, VersionStatus
from schemas.documents import SCANNED
from schemas.errors import UserError
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import ATTACHED, Batch, DocumentRecord, Judged, Receipt, Submission

_OF_THE_WAY = frozenset({NOT_THROUGH_HERE, UNCONFIRMED_SENDER})  # refused for how they came, not for what they are
_PASSED = -1  # in the place of a chunk's number: what was not fetched
_MAY_YET_BE_READ = _OF_THE_WAY | {"no_known_label"}  # once the office has described such a layout

Progress = Callable[[str, int, int], None]  # stage, done, of how many
Publish = Callable[[Office, Sequence[Consolidation]], object]  # what else is made of the versions that a run froze


def silent(stage: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


def unpublished(office: Office, versions: Sequence[Consolidation]) -> None:
    """Versions of which nothing is made but what the warehouse keeps."""


@dataclass(frozen=True)
class MonthResult:
    """What a consolidation came to: the period's frozen version, those of later periods that changed with it, and the
    program faults, which are nobody's data, and how each source fared. `held_for_lock`: the files that wait for the period's
    locked year to be reopened."""

    consolidation: Consolidation
    later: tuple[Consolidation, ...] = ()
    faults: tuple[str, ...] = ()
    sources: tuple[Standing, ...] = ()
    held_for_lock: tuple[str, ...] = ()


@dataclass
class Month:
    """One consolidation in progress. Its steps are called in the order in which they stand here, each once, but
    `read_chunk` once a chunk; if one fails, `give_up`. `publish` is called while what it is of cannot change."""

    office: Office
    family: str
    period: Period
    command: str = "consolidate"
    bureaus: Collection[str] | None = None
    progress: Progress = silent
    publish: Publish = unpublished
    run: str = field(init=False, default="")
    form: Form = field(init=False)
    _listed: list[Listed] = field(init=False, default_factory=list)
    _reading: ChunkedReading = field(init=False)
    _open: ExitStack = field(init=False, default_factory=ExitStack)
    _turn: ExitStack = field(init=False, default_factory=ExitStack)
    _alone: Office = field(init=False)  # the office from `judge` on, which nobody else changes meanwhile
    _documents: dict[str, DocumentRecord] = field(init=False, default_factory=dict)
    _unusable: dict[str, DocumentRecord] = field(init=False, default_factory=dict)  # met for the first time
    _submissions: dict[str, Submission] = field(init=False, default_factory=dict)
    _receipts: dict[str, Receipt] = field(init=False, default_factory=dict)
    _others: dict[int, int] = field(init=False, default_factory=dict)  # by chunk: a chunk may be read again
    _passed: list[tuple[Delivery, str]] = field(init=False, default_factory=list)  # not fetched, with the digests known
    _faults: dict[str, str] = field(init=False, default_factory=dict)  # by file
    _judged: list[Judged] = field(init=False, default_factory=list)
    _attached: dict[str, str] = field(
        init=False, default_factory=dict
    )  # copies and scans: by digest, that of the return
    _rules: str = field(init=False, default="")  # the version of the rules
    _stored: frozenset[str] = field(init=False, default=frozenset())
    _together: frozenset[str] | None = field(init=False, default=None)  # the bureaus that are judged; all where None

    def __post_init__(self) -> None:
        self.form = self.office.forms.choose(self.family, self.period)
        self._alone = self.office

    # -- intake

    def find(self) -> int:
        """Begin a run, list what has arrived, and tell into how many chunks it falls."""
        now = self.office.clock()
        if self.command == "rerun":
            self.office.warehouse.refuse_locked(self.family, [self.period])
        for source in self.office.sources:
            self._open.callback(source.close)
        self._listed = list_all(self.office.sources, now)
        warehouse = self.office.warehouse
        self.run = warehouse.start_run(self.command, self.family, self.period, now)
        for one in self._listed:
            if one.down is None:  # what lies at a source that is down is not known, so nothing of it is gone
                warehouse.note_gone(one.source.name, one.present)
        self._documents = warehouse.documents()
        settled = frozenset(digest for digest, record in self._documents.items() if self._is_settled(record))
        deliveries = [delivery for one in self._listed for delivery in one.deliveries]
        if self.bureaus is not None:
            deliveries = self._to_fetch(settled)
        settings = self.office.settings
        self._reading = ChunkedReading(
            _reader(self.office), deliveries, settings.chunk_size, settled, settings.processes
        )
        self._open.callback(self._reading.close)
        return len(self._reading)

    def _to_fetch(self, settled: Collection[str]) -> list[Delivery]:
        """What a run for some bureaus fetches: not what by its size and time was taken before and needs no reading, since years of
        other returns may lie beside one correction. A run for all looks at all bytes."""
        wanted: list[Delivery] = []
        for listed in self._listed:
            is_told = any(one.size is not None for one in listed.deliveries)
            known = self.office.warehouse.taken(listed.source.name) if is_told else {}
            for one in listed.deliveries:
                before = known.get(one.name)
                if before is None or before[1:] != (one.size, one.arrived_at) or before.digest not in settled:
                    wanted.append(one)
                else:
                    self._passed.append((one, before.digest))
        self._others[_PASSED] = sum(self._is_of_another_period(self._documents[digest]) for _, digest in self._passed)
        return wanted

    def read_chunk(self, chunk: int) -> int:
        """Keep the bytes of one chunk, and read those that are of this period and not in the warehouse yet.

        Returns the number of submissions read. A chunk may be read again.
        """
        arrived = self._reading.chunk(chunk)
        receipts = [one.receipt for one in arrived]
        documents = self._documents_of(arrived)
        self.office.warehouse.record_arrivals(self.run, self.period, receipts, documents)
        self._unusable |= {
            one.digest: one
            for one in documents
            if one.status != "read" and one.is_return and one.digest not in self._documents
        }
        self._documents |= {record.digest: record for record in documents}
        self._others[chunk] = sum(self._is_of_another_period(self._documents[one.digest]) for one in receipts)
        self._faults |= {one.receipt.name: one.fault for one in arrived if one.fault is not None}
        for one in arrived:
            self._receipts.setdefault(one.receipt.digest, one.receipt)
        self.progress("read", chunk + 1, len(self._reading))
        return sum(one.submission is not None for one in arrived)

    def _documents_of(self, arrived: Sequence[Arrived]) -> list[DocumentRecord]:
        """One record a digest. Whence bytes came is held against them only until they come as they should: a copy that
        somebody else sends takes nothing from the bureau's own."""
        found: dict[str, DocumentRecord] = {}
        for one in arrived:
            record = one.document
            if record is None:
                continue
            sound = found.get(record.digest) or self._documents.get(record.digest)
            if record.problem_code in _OF_THE_WAY and sound and (sound.loaded or record.digest in self._submissions):
                continue
            found[record.digest] = record
            if one.submission is not None and self._concerns_us(record):
                self._submissions[record.digest] = one.submission
                self._unusable.pop(record.digest, None)
        return list(found.values())

    def _concerns_us(self, record: DocumentRecord) -> bool:
        """Whether a return is of this family and period: that of its file name, else of its header. One that tells no
        period at all is held by the run that meets it, rather than lie unseen."""
        of_family = record.form is None or record.form.startswith(f"{self.family}/")
        return of_family and (record.named_period or record.claimed_period) in (None, self.period.code)

    def _is_settled(self, record: DocumentRecord) -> bool:
        """Whether bytes need no reading now: stored, refused for good, or not of this period."""
        refused = record.status == "unreadable" and record.problem_code not in _MAY_YET_BE_READ
        return record.loaded or refused or not record.is_return or not self._concerns_us(record)

    def _is_of_another_period(self, record: DocumentRecord) -> bool:
        return record.is_return and not self._concerns_us(record)

    # -- quality

    def judge(self) -> int:
        """Judge what was read together with what the warehouse already holds for the period; the number of failures. From here
        on until `freeze` is done nobody else judges or decides.

        A run for some bureaus judges theirs, and those that are held against theirs; the others are as they were.
        """
        self._alone = self._turn.enter_context(self.office.alone(f"{self.command} {self.period}"))
        self._look_again()
        if self.bureaus is not None:
            self._together = held_together(self.office, self.family, self.period, self.bureaus)
        stored = self._alone.warehouse.stored_batch(self.form, self.period, self._together)
        self._stored = frozenset(one.digest for one in stored.submissions)
        fitting: list[Submission] = []
        in_doubt: list[Submission] = []
        news = [one for one in self._submissions.values() if self._is_news(one)]
        formats = {digest: record.format for digest, record in self._documents.items()}
        copies = copies_of(self.form, stored.submissions, news, formats)
        for one in mark_two_returns([one for one in news if one.digest not in copies]):
            fits = one.form == self.form.key and one.period == self.period.code
            (fitting if fits else in_doubt).append(one)
        fitting = self._ranked(fitting)
        self._attached = copies | self._returns_of_scans([*stored.submissions, *fitting])
        if self._alone.warehouse.lock_of(self.family, self.period) is not None:
            held = [held_for_lock(one, self.period) for one in fitting]
            self._judged = [*held, *(held_unjudged(one) for one in in_doubt)]
            return sum(len(one.failures) for one in self._judged)
        batch = Batch(self.form, self.period, (*stored.submissions, *fitting))
        rules = self.office.rules(self.form, self.period)
        is_part = self._together is not None
        verdict = verdict_of(self._alone, rules, batch, is_part=is_part)
        # Norms are everybody's: what some bureaus are judged by is kept from when all were.
        norms = None if is_part else verdict.norms
        self._rules = self._alone.warehouse.enter_rules(rules, self.office.clock(), norms)
        self._judged = [*verdict.judged, *(held_unjudged(one) for one in in_doubt)]
        self._note_faults(self._judged)
        self.progress("judge", len(self._judged), len(self._judged))
        return sum(len(one.failures) for one in self._judged)

    def _ranked(self, news: Sequence[Submission]) -> list[Submission]:
        """New returns with the place among their bureau's that they will have when they are stored: what was judged before may
        have come after them."""
        first = self._alone.warehouse.first_receipts([one.digest for one in news])
        return [replace(one, rank=(one.revision, first.get(one.digest, 0), 0, maxsize)) for one in news]

    def _look_again(self) -> None:
        """What other runs have loaded and attached since `find` is done, and none of our business any more."""
        unsettled = [digest for digest in self._receipts if not self._documents[digest].loaded]
        for digest, record in self._alone.warehouse.documents(unsettled).items():
            if record.loaded or record.status == ATTACHED:
                self._documents[digest] = record
                self._submissions.pop(digest, None)

    def _returns_of_scans(self, sent: Sequence[Submission]) -> dict[str, str]:
        arrived = [(one, self._documents[one.digest]) for one in self._receipts.values()]
        scans = [
            receipt
            for receipt, record in arrived
            if record.status == "unreadable" and record.problem_code == SCANNED and self._concerns_us(record)
        ]
        if not scans:
            return {}
        read = [receipt for receipt, record in arrived if record.status == "read"]
        passed = {digest: one for one, digest in reversed(self._passed) if digest not in self._receipts}
        read += [Receipt(one.name, one.source, key, one.size or 0, one.arrived_at) for key, one in passed.items()]
        in_order = sorted(sent, key=lambda one: one.rank)
        return returns_of_scans(scans, in_order, read, self.office.bureaus, self.period)

    def _note_faults(self, verdicts: Sequence[Judged]) -> None:
        self._faults |= {one.submission.file: one.fault for one in verdicts if one.fault}

    def _is_news(self, one: Submission) -> bool:
        wanted = self.bureaus is None or one.bureau in self.bureaus
        return wanted and one.digest not in self._stored

    def give_up(self) -> None:
        """End the record of a run that failed; what it has stored stays, and what waits is done by the next one."""
        self._open.close()
        self._turn.close()
        if self.run:
            with suppress(UserError):  # the database that cannot be used is told of by what failed first
                self.office.warehouse.finish_run(self.run, "failed", {}, self.office.clock())

    @property
    def judged(self) -> Sequence[Judged]:
        """The verdicts of `judge`, stored submissions first."""
        return self._judged

    def is_new(self, verdict: Judged) -> bool:
        """Whether a verdict is of a submission that is not in the warehouse yet."""
        return verdict.submission.digest not in self._stored

    @property
    def refused(self) -> Sequence[DocumentRecord]:
        """Files met for the first time that cannot be used, of this family and period as far as they tell."""
        return [one for one in self._unusable.values() if self._concerns_us(one) and one.digest not in self._attached]

    @property
    def receipts(self) -> Mapping[str, Receipt]:
        """The first receipt of each digest."""
        return self._receipts

    # -- warehouse

    def load(self) -> frozenset[str]:
        """Load the new submissions and renew the verdicts of the stored ones; the bureaus whose accepted figures
        changed."""
        warehouse = self._alone.warehouse
        dependents = dependents_of(self._alone, self.family, self.period, self._together)
        known = [one for one in self._judged if not self.is_new(one)]
        new = [one for one in self._judged if self.is_new(one)]
        rules = self._rules or None  # none in a locked year, where nothing is judged
        changed = warehouse.renew(self.form, self.period, known, rules, dependents)
        changed |= warehouse.load(self.run, self.form, self.period, new, self._receipts, rules, dependents)
        if self._attached:
            attached = {one: (sent, self._receipts[one].name) for one, sent in self._attached.items()}
            warehouse.attach(self.run, attached)
        self.progress("load", len(new), len(new))
        return frozenset(changed)

    def freeze(self) -> MonthResult:
        """Freeze the period's provisional version, then whatever depends on it, publish them, and end the run."""
        warehouse = self._alone.warehouse
        now = self.office.clock()
        consolidation = frozen(self._alone, self.run, self.form, self.period, sum(self._others.values()), self._rules)
        followed = follow(self._alone, self.run, self.progress)
        self._faults |= followed.faults
        self.publish(self._alone, (consolidation, *followed.consolidations))
        faults = tuple(f"{file}: {fault}" for file, fault in self._faults.items())
        self._open.close()
        fared = tuple(map(standing, self._listed))
        stored = warehouse.failures(self.family, self.period) if consolidation.status is VersionStatus.LOCKED else ()
        waiting = tuple(one.file for one in stored if one.failure.rule == HELD_FOR_LOCK)
        result = MonthResult(consolidation, followed.consolidations, faults, fared, waiting)
        warehouse.finish_run(self.run, "failed" if self._faults else "done", _named(consolidation), now)
        self._turn.close()
        return result


def _reader(office: Office) -> StoredReader:
    bound = {source.name: source.bureaus for source in office.sources if source.bureaus}
    limits = office.settings.read_limits
    return StoredReader(office.forms_in_use, office.bureaus, office.raw_store, limits, bound, office.layouts)


def _named(one: Consolidation) -> dict[str, int]:
    return {status.value: count for status, count in one.counts.items()}


def consolidate(
    office: Office,
    family: str,
    period: Period,
    *,
    command: str = "consolidate",
    bureaus: Collection[str] | None = None,
    progress: Progress = silent,
    publish: Publish = unpublished,
) -> MonthResult:
    """The whole month at once, without Prefect: what the command line, a rerun and the desk's button do."""
    month = Month(office, family, period, command, bureaus, progress, publish)
    try:
        for chunk in range(month.find()):
            month.read_chunk(chunk)
        month.judge()
        month.load()
        return month.freeze()
    except BaseException:
        month.give_up()
        raise


def roll_up(office: Office, family: str, period: Period, publish: Publish = unpublished) -> Consolidation:
    """Add up the accepted months of a quarter, half or year into a provisional version of its own."""
    form = office.forms.for_roll_up(family, period)
    with office.alone(f"roll-up {period}") as alone:
        warehouse = alone.warehouse
        run = warehouse.start_run("roll-up", family, period, office.clock())
        consolidation = frozen(alone, run, form, period)
        followed = follow(alone, run, silent)
        publish(alone, (consolidation, *followed.consolidations))
        warehouse.finish_run(run, "done", _named(consolidation), office.clock())
    return consolidation

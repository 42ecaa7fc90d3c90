"""Reading what was pulled, a chunk of files at a time: understood, and said what it is. Works in processes of its own.

Not here: getting the bytes (`pulling`), which arrivals are of interest (`pipeline`), or that they arrived (`warehouse`).
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.identity import MISDIRECTED, NOT_THROUGH_HERE, not_through_here, period_in_name
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.limits import too_much_memory, too_slow
from disclosure_etl.intake.processes import ReaderDied, ReaderSlow, answer, reading_processes
from disclosure_etl.intake.pulling import Pulled, pull, unreadable
from disclosure_etl.intake.raw_store import RawStore
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.sources import Delivery
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from schemas.forms import Form
from schemas.layoutfile import LayoutMapping
from schemas.records import DocumentRecord, Receipt, Submission

_USUAL_SECONDS = 0.5  # for one file among many; hundreds of large ones may take longer, and are then read one by one


@dataclass(frozen=True, slots=True)
class Arrived:
    """One file: its receipt, and unless its bytes needed no reading, what they were found to be."""

    receipt: Receipt
    document: DocumentRecord | None = None
    submission: Submission | None = None
    fault: str | None = None


@dataclass(frozen=True)
class StoredReader:
    """Reads files from the raw store, by their receipts. `bound`: by source, the only bureaus that may send through it."""

    forms: tuple[Form, ...]
    bureaus: Bureaus
    store: RawStore
    limits: ReadLimits
    bound: Mapping[str, frozenset[str]] = field(default_factory=dict)
    mappings: tuple[LayoutMapping, ...] = ()

    @cached_property
    def _interpreter(self) -> Interpreter:
        """One for all files: it remembers layouts and names."""
        return Interpreter(self.forms, self.bureaus, self.mappings)

    def read(self, receipts: Sequence[Receipt]) -> list[Arrived]:
        """What each file was found to be."""
        return [self._understood(receipt) for receipt in receipts]

    def _understood(self, receipt: Receipt) -> Arrived:
        named = period_in_name(receipt.name)
        named_code = named.code if named else None
        try:
            document = read_document(receipt.name, self.store.get(receipt.digest), self.limits)
            found = self._interpreter.interpret(document)
        except Unreadable as problem:
            return _refused(receipt, problem)
        except MemoryError:
            return _refused(receipt, too_much_memory(self.limits.max_memory))
        except Exception as error:  # a fault of the program in reading one file must not cost the others their month
            fault = f"{type(error).__name__}: {error}"
            return Arrived(receipt, DocumentRecord.failed(receipt.digest, named_code, fault), fault=fault)
        one, named = found.submission, found.identity.named_period
        named_code = named.code if named else None
        record = DocumentRecord.read(
            receipt.digest, document.format, one.bureau_written, one.period or None, named_code, one.form
        )
        for finding in one.findings:
            if finding.code in MISDIRECTED:
                code = finding.code.removeprefix("identity:")
                return Arrived(receipt, record.misdirected(code, finding.message))
        bound = self.bound.get(receipt.source)
        if bound and one.bureau is not None and one.bureau not in bound:
            message = not_through_here(one.bureau, receipt.source, bound)
            return Arrived(receipt, record.misdirected(NOT_THROUGH_HERE, message))
        return Arrived(receipt, record, one)

    def reads_as(self, receipt: Receipt) -> tuple[str, frozenset[str] | None]:
        """What its reading depends on: the same bytes are one thing from their bureau, another from somebody else."""
        return receipt.digest, self.bound.get(receipt.source)


def _refused(receipt: Receipt, problem: Unreadable) -> Arrived:
    return Arrived(receipt, unreadable(receipt, problem))


@lru_cache(maxsize=2)
def _brought(path: str) -> StoredReader:
    return pickle.loads(Path(path).read_bytes())  # noqa: S301 - our own, of a moment ago


def _read_there(path: str, receipts: Sequence[Receipt]) -> list[Arrived]:
    """In a reading process: the reader lies in a file, since it is much larger than what is read with it."""
    return _brought(path).read(receipts)


_Key = tuple[str, frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk that was pulled: the files, which of them are to be read, and their reading where a process is at it."""

    pulled: Sequence[Pulled]
    unread: Sequence[Receipt]
    reading: Future[list[Arrived]] | None


class ChunkedReading:
    """The deliveries of a run in chunks: pulled one after the other in a thread, since a shared folder answers slowly and
    waiting for it costs no processor; read in so many processes as soon as they are pulled (0: in this one, without limits
    of time and memory). `settled` are the digests of bytes that need no reading."""

    def __init__(
        self,
        reader: StoredReader,
        deliveries: Sequence[Delivery],
        size: int,
        settled: frozenset[str],
        processes: int,
    ) -> None:
        self._reader, self._settled = reader, settled
        self._chunks = [deliveries[start : start + size] for start in range(0, len(deliveries), size)]
        self._first_in: dict[_Key, int] = {}  # → the chunk that reads it
        self._open = ExitStack()
        self._count = min(processes, len(self._chunks))  # a process more than there are chunks would start for nothing
        if self._count:
            self._path = str(Path(self._open.enter_context(TemporaryDirectory()), "reader"))
            Path(self._path).write_bytes(pickle.dumps(reader))
        self._puller = ThreadPoolExecutor(1)
        self._open.callback(self._puller.shutdown, cancel_futures=True)
        self._pulls = [self._puller.submit(self._pull, number) for number in range(len(self._chunks))]

    def __len__(self) -> int:
        return len(self._chunks)

    def _pull(self, number: int) -> _Chunk:
        pulled = pull(self._chunks[number], self._reader.store, self._reader.limits)
        unread: dict[_Key, Receipt] = {}
        for one in pulled:
            key = self._reader.reads_as(one.receipt)
            known = one.settled is not None or one.receipt.digest in self._settled
            if not known and self._first_in.setdefault(key, number) == number:
                unread.setdefault(key, one.receipt)
        receipts = list(unread.values())
        reading = self._submit(receipts) if self._count and receipts else None
        return _Chunk(pulled, receipts, reading)

    def _submit(self, receipts: Sequence[Receipt]) -> Future[list[Arrived]]:
        limits = self._reader.limits
        processes = reading_processes(self._count, limits.max_memory)
        seconds = limits.max_seconds + len(receipts) * _USUAL_SECONDS
        future = processes.submit(_read_there, (self._path, receipts), seconds)
        self._open.callback(future.cancel)
        return future

    def chunk(self, number: int) -> list[Arrived]:
        """One chunk's files, in the order of their deliveries.

        Raises:
            OSError: the raw store cannot be written. Asking again pulls the chunk again.
        """
        try:
            chunk = self._pulls[number].result()
        except Exception:
            self._pulls[number] = self._puller.submit(self._pull, number)
            raise
        try:
            found = answer(chunk.reading) if chunk.reading else self._reader.read(chunk.unread)
        except (ReaderDied, ReaderSlow):
            found = self._one_by_one(chunk.unread)
        if number == len(self._chunks) - 1:
            self.close()
        read: dict[_Key, Arrived | None] = {self._reader.reads_as(one.receipt): one for one in found}
        return [
            Arrived(one.receipt, one.settled)
            if one.settled
            else read.pop(self._reader.reads_as(one.receipt), None) or Arrived(one.receipt)
            for one in chunk.pulled
        ]

    def _one_by_one(self, receipts: Sequence[Receipt]) -> list[Arrived]:
        """The files of a chunk that ended its process, each by itself: only the culprit is refused."""
        readings = [(one, self._submit([one])) for one in receipts]
        found: list[Arrived] = []
        for receipt, reading in readings:
            try:
                (one,) = answer(reading)
                found.append(one)
            except ReaderSlow:
                found.append(_refused(receipt, too_slow(self._reader.limits.max_seconds)))
            except ReaderDied:
                found.append(_refused(receipt, too_much_memory(self._reader.limits.max_memory)))
        return found

    def close(self) -> None:
        """End the pulling and the reading, whatever they are at."""
        self._open.close()

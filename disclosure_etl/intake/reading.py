"""Reading what was pulled, a chunk of files at a time: understood, and said what it is. Works in processes of its own.

Not here: getting the bytes (`pulling`), which arrivals are of interest (`pipeline`), or that they arrived (`warehouse`).
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.identity import MISDIRECTED, NOT_THROUGH_HERE, not_through_here, period_in_name
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.pulling import Pulled, pull
from disclosure_etl.intake.raw_store import RawStore
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.sources import Delivery
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from schemas.forms import Form
from schemas.records import DocumentRecord, Receipt, Submission

_ENOUGH_FOR_PROCESSES = 500  # files; below this, starting processes costs more than they save
_MOST_PROCESSES = 4


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

    @cached_property
    def _interpreter(self) -> Interpreter:
        """One for all files: it remembers layouts and names."""
        return Interpreter(self.forms, self.bureaus)

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
            record = DocumentRecord.unreadable(receipt.digest, named_code, problem.code, problem.zh, problem.en)
            return Arrived(receipt, record)
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


_reader_here: StoredReader  # in a reading process: brought once, when it starts


def _begin(brought: str) -> None:
    global _reader_here
    _reader_here = pickle.loads(Path(brought).read_bytes())  # noqa: S301 - our own, of a moment ago


def _read_here(receipts: Sequence[Receipt]) -> list[Arrived]:
    return _reader_here.read(receipts)


_Key = tuple[str, frozenset[str] | None]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk that was pulled: the files, which of them are to be read, and their reading where a process is at it."""

    pulled: Sequence[Pulled]
    unread: Sequence[Receipt]
    reading: Future[list[Arrived]] | None


class ChunkedReading:
    """The deliveries of a run in chunks: pulled one after the other in a thread, since a shared folder answers slowly and
    waiting for it costs no processor; read in this process, or where there are many files and several cores, in others, as
    soon as they are pulled. `settled` are the digests of bytes that need no reading."""

    def __init__(
        self, reader: StoredReader, deliveries: Sequence[Delivery], size: int, settled: frozenset[str]
    ) -> None:
        self._reader, self._settled = reader, settled
        self._chunks = [deliveries[start : start + size] for start in range(0, len(deliveries), size)]
        self._first_in: dict[_Key, int] = {}  # → the chunk that reads it
        self._open = ExitStack()
        self._processes = self._start_processes(len(deliveries))
        self._puller = ThreadPoolExecutor(1)
        self._open.callback(self._puller.shutdown, cancel_futures=True)
        self._pulls = [self._puller.submit(self._pull, number) for number in range(len(self._chunks))]

    def _start_processes(self, files: int) -> ProcessPoolExecutor | None:
        count = min(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST_PROCESSES
        )
        if count == 1 or files < _ENOUGH_FOR_PROCESSES:
            return None
        # Spawned, not forked: under Prefect this process has threads, and a fork would copy their locks.
        # The reader travels by file: an argument larger than a pipe would make each start wait for the one before.
        brought = Path(self._open.enter_context(TemporaryDirectory()), "reader")
        brought.write_bytes(pickle.dumps(self._reader))
        pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin, initargs=(str(brought),))
        self._open.callback(pool.shutdown, cancel_futures=True)
        for _ in range(
            count
        ):  # each starts with the first thing that it is given, which had better not be the first chunk
            pool.submit(int)
        return pool

    def __len__(self) -> int:
        return len(self._chunks)

    def _pull(self, number: int) -> _Chunk:
        pulled = pull(self._chunks[number], self._reader.store)
        unread: dict[_Key, Receipt] = {}
        for one in pulled:
            key = self._reader.reads_as(one.receipt)
            if (
                one.unreachable is None
                and one.receipt.digest not in self._settled
                and self._first_in.setdefault(key, number) == number
            ):
                unread.setdefault(key, one.receipt)
        receipts = list(unread.values())
        try:
            reading = self._processes.submit(_read_here, receipts) if self._processes and receipts else None
        except BrokenProcessPool:
            reading = None
        return _Chunk(pulled, receipts, reading)

    def chunk(self, number: int) -> list[Arrived]:
        """One chunk's files, in the order of their deliveries; the processes end with the last chunk.

        Raises:
            OSError: the raw store cannot be written. Asking again pulls the chunk again.
        """
        try:
            chunk = self._pulls[number].result()
        except Exception:
            self._pulls[number] = self._puller.submit(self._pull, number)
            raise
        try:
            found = chunk.reading.result() if chunk.reading else self._reader.read(chunk.unread)
        except BrokenProcessPool:
            found = self._reader.read(chunk.unread)
        if number == len(self._chunks) - 1:
            self.close()
        read: dict[_Key, Arrived | None] = {self._reader.reads_as(one.receipt): one for one in found}
        return [
            Arrived(one.receipt, one.unreachable)
            if one.unreachable
            else read.pop(self._reader.reads_as(one.receipt), None) or Arrived(one.receipt)
            for one in chunk.pulled
        ]

    def close(self) -> None:
        """End the pulling and the processes, whatever they are at."""
        self._open.close()

"""Reading what arrived, a chunk of files at a time: kept, understood, and said what it is. Works in a process of its own.

Not here: which arrivals are of interest (`pipeline`), or that they arrived (`warehouse`).
"""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.identity import MISDIRECTED, period_in_name
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.raw_store import RawStore, digest_of
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.sources import Delivery, reason
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from schemas.forms import Form
from schemas.records import DocumentRecord, Receipt, Submission

_ENOUGH_FOR_PROCESSES = 500  # files; below this, starting processes costs more than they save
_MOST_PROCESSES = 4
_FETCHED_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Arrived:
    """One file: its receipt, and unless its bytes needed no reading, what they were found to be."""

    receipt: Receipt
    document: DocumentRecord | None = None
    submission: Submission | None = None
    fault: str | None = None


@dataclass(frozen=True)
class ChunkReader:
    """Reads chunks of deliveries. `settled` are the digests of bytes that need no reading."""

    forms: tuple[Form, ...]
    bureaus: Bureaus
    store: RawStore
    limits: ReadLimits
    source: str
    settled: frozenset[str]

    @cached_property
    def _interpreter(self) -> Interpreter:
        """One for all chunks: it remembers layouts and names."""
        return Interpreter(self.forms, self.bureaus)

    def read(self, deliveries: Sequence[Delivery]) -> list[Arrived]:
        """Keep the bytes of each file in the raw store, and read those that are not settled."""
        arrived: list[Arrived] = []
        seen: set[str] = set(self.settled)
        for delivery, fetched in self._fetched(deliveries):
            if isinstance(fetched, OSError):
                arrived.append(self._unreachable(delivery, fetched))
                continue
            data, digest = fetched
            receipt = Receipt(delivery.name, self.source, digest, len(data), delivery.arrived_at)
            if digest in seen:
                arrived.append(Arrived(receipt))
                continue
            seen.add(digest)
            arrived.append(self._understood(receipt, data))
        return arrived

    def _fetched(self, deliveries: Sequence[Delivery]) -> Iterator[tuple[Delivery, tuple[bytes, str] | OSError]]:
        """Each file's bytes and digest, or why there are none. The next few are fetched and kept while one is understood: a
        shared folder answers slowly, and waiting for it costs no processor."""
        with ThreadPoolExecutor(1) as fetching:
            ahead: deque[tuple[Delivery, Future[tuple[bytes, str] | OSError]]] = deque()
            for delivery in deliveries:
                ahead.append((delivery, fetching.submit(self._fetch, delivery)))
                if len(ahead) > _FETCHED_AHEAD:
                    first, future = ahead.popleft()
                    yield first, future.result()
            for first, future in ahead:
                yield first, future.result()

    def _fetch(self, delivery: Delivery) -> tuple[bytes, str] | OSError:
        try:
            data = delivery.read()
        except OSError as error:
            return error
        return data, self.store.put(data)

    def _unreachable(self, delivery: Delivery, error: OSError) -> Arrived:
        """A file that was listed and cannot be read, or is gone: told of under its name, since it has no bytes to be known
        by. Once it can be read, it arrives as what it is."""
        why = reason(error)
        named = period_in_name(delivery.name)
        digest = digest_of(f"unreachable {delivery.name}".encode())
        record = DocumentRecord.unreadable(
            digest,
            named.code if named else None,
            "unreachable",
            f"文件{why.zh}(读取时)。请检查文件是否被移走、占用或设了权限,然后重新运行。",
            f"The file {why.en} (when it was to be read). See whether it was moved, is in use or is protected, and run again.",
        )
        return Arrived(Receipt(delivery.name, self.source, digest, 0, delivery.arrived_at), record)

    def _understood(self, receipt: Receipt, data: bytes) -> Arrived:
        named = period_in_name(receipt.name)
        named_code = named.code if named else None
        try:
            document = read_document(receipt.name, data, self.limits)
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
        return Arrived(receipt, record, one)


_reader_here: ChunkReader  # in a reading process: brought once, when it starts


def _begin(brought: str) -> None:
    global _reader_here
    _reader_here = pickle.loads(Path(brought).read_bytes())  # noqa: S301 - our own, of a moment ago


def _read_here(deliveries: Sequence[Delivery]) -> list[Arrived]:
    return _reader_here.read(deliveries)


class ChunkedReading:
    """The chunks of a run, read in this process, or ahead of time in others where there are many files and several cores."""

    def __init__(self, reader: ChunkReader, deliveries: Sequence[Delivery], size: int) -> None:
        self._reader = reader
        self._chunks = [deliveries[start : start + size] for start in range(0, len(deliveries), size)]
        self._futures: list[Future[list[Arrived]]] = []
        self._processes = ExitStack()
        count = min(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST_PROCESSES
        )
        if count > 1 and len(deliveries) >= _ENOUGH_FOR_PROCESSES:
            # Spawned, not forked: under Prefect this process has threads, and a fork would copy their locks.
            # The reader travels by file: an argument larger than a pipe would make each start wait for the one before.
            brought = Path(self._processes.enter_context(TemporaryDirectory()), "reader")
            brought.write_bytes(pickle.dumps(reader))
            pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin, initargs=(str(brought),))
            self._processes.enter_context(pool)
            self._futures = [pool.submit(_read_here, chunk) for chunk in self._chunks]

    def __len__(self) -> int:
        return len(self._chunks)

    def chunk(self, number: int) -> list[Arrived]:
        """One chunk's files; the processes end with the last chunk."""
        if not self._futures:
            return self._reader.read(self._chunks[number])
        try:
            return self._futures[number].result()
        except BrokenProcessPool:
            return self._reader.read(self._chunks[number])
        finally:
            if number == len(self._chunks) - 1:
                self.close()

    def close(self) -> None:
        """End the processes, whatever they are at."""
        for future in self._futures:
            future.cancel()
        self._processes.close()


def everything(reader: ChunkReader, deliveries: Sequence[Delivery], size: int) -> Iterator[Arrived]:
    """All files at once, chunk by chunk."""
    reading = ChunkedReading(reader, deliveries, size)
    for number in range(len(reading)):
        yield from reading.chunk(number)

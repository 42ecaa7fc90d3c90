"""Reading what arrived, in one process or several: the same comes of it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.processes import answer, reading_processes
from disclosure_etl.intake.raw_store import RawStore, digest_of
from disclosure_etl.intake.reading import Arrived, ChunkedReading, StoredReader
from disclosure_etl.intake.sources import Delivery, FolderSource
from disclosure_etl.settings import ReadLimits
from schemas.errors import ProgramError
from schemas.records import Receipt
from tests.factories import ZONE, return_bytes, some_figures
from tests.intake.sheets import MAY, bureaus, form, good_return


def _connect() -> None:
    socket.create_connection(("127.0.0.1", 9))


def _look_up() -> None:
    socket.getaddrinfo("localhost", 80)


def _run_program() -> None:
    subprocess.run(["true"], check=True)


NOW = datetime(2014, 6, 6, 8, tzinfo=ZONE)


@pytest.fixture
def reader(tmp_path: Path) -> StoredReader:
    """A reader with an empty store."""
    return StoredReader((form(),), bureaus(), RawStore(tmp_path / "raw"), ReadLimits())


@pytest.fixture
def deliveries(tmp_path: Path) -> Sequence[Delivery]:
    """Returns, one of them twice, and files that are none."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for bureau in list(bureaus().bureaus)[:6]:
        data = return_bytes(form(), MAY, bureau.code, bureau.name_zh, some_figures(form(), 5))
        (inbox / f"{bureau.code}_2014-05.xlsx").write_bytes(data)
    (inbox / "again.xlsx").write_bytes((inbox / "shiju_2014-05.xlsx").read_bytes())
    (inbox / "空_2014-05.xlsx").write_bytes(b"")
    (inbox / "half_2014-05.xlsx").write_bytes(good_return()[:3000])
    (inbox / "工资.csv").write_text("姓名,工资\n张三,5000\n", "utf-8")
    return list(FolderSource(inbox, ZONE).deliveries(NOW))


def everything(
    reader: StoredReader,
    deliveries: Sequence[Delivery],
    size: int = 3,
    settled: frozenset[str] = frozenset(),
    processes: int = 0,
) -> list[Arrived]:
    """All files at once, chunk by chunk."""
    reading = ChunkedReading(reader, deliveries, size, settled, processes)
    return [one for number in range(len(reading)) for one in reading.chunk(number)]


def test_each_file_is_kept_and_understood_or_refused(reader: StoredReader, deliveries: Sequence[Delivery]) -> None:
    arrived = {one.receipt.name: one for one in everything(reader, deliveries)}
    for delivery in deliveries:
        receipt = arrived[delivery.name].receipt
        assert reader.store.get(receipt.digest) == delivery.read()
        assert (receipt.size, receipt.source) == (len(delivery.read()), "inbox")
    assert arrived["dongcheng_2014-05.xlsx"].submission is not None
    problems = {name: one.document.problem_code for name, one in arrived.items() if one.document}
    assert {name: code for name, code in problems.items() if code} == {
        "空_2014-05.xlsx": "empty", "half_2014-05.xlsx": "truncated", "工资.csv": "no_known_label",
    }  # fmt: skip
    assert {one.fault for one in arrived.values()} == {None}


def test_an_unreadable_file_is_known_by_the_period_in_its_name(
    reader: StoredReader, deliveries: Sequence[Delivery]
) -> None:
    (half,) = everything(reader, [one for one in deliveries if one.name.startswith("half")])
    assert half.document is not None
    assert (half.document.status, half.document.named_period) == ("unreadable", "2014-05")
    assert half.document.problem_zh and half.document.problem_en


def test_the_same_bytes_are_read_once_and_received_twice(reader: StoredReader, deliveries: Sequence[Delivery]) -> None:
    arrived = {one.receipt.name: one for one in everything(reader, deliveries)}
    first, second = arrived["again.xlsx"], arrived["shiju_2014-05.xlsx"]
    assert first.receipt.digest == second.receipt.digest
    assert first.submission is not None
    assert (second.document, second.submission) == (None, None)


def test_settled_bytes_are_received_and_not_read(reader: StoredReader, deliveries: Sequence[Delivery]) -> None:
    settled = frozenset(digest_of(one.read()) for one in deliveries)
    arrived = everything(reader, deliveries, settled=settled)
    assert [(one.document, one.submission) for one in arrived] == [(None, None)] * len(deliveries)
    assert [reader.store.get(one.receipt.digest) for one in arrived] == [one.read() for one in deliveries]


def test_a_fault_in_one_file_leaves_the_others_alone(
    reader: StoredReader, deliveries: Sequence[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    interpret = Interpreter.interpret

    def failing(self: Interpreter, document):
        if document.name.startswith("dongcheng"):
            raise IndexError("list index out of range")
        return interpret(self, document)

    monkeypatch.setattr(Interpreter, "interpret", failing)
    arrived = {one.receipt.name: one for one in everything(reader, deliveries)}
    failed = arrived["dongcheng_2014-05.xlsx"]
    assert failed.fault == "IndexError: list index out of range"
    assert failed.document is not None and failed.document.status == "failed"
    assert arrived["xicheng_2014-05.xlsx"].submission is not None


def comparable(arrived: Sequence[Arrived]) -> list[tuple[object, ...]]:
    """What was found of each file."""
    return [(one.receipt, one.document, one.submission, one.fault) for one in arrived]


def test_several_processes_find_what_one_finds(reader: StoredReader, deliveries: Sequence[Delivery]) -> None:
    alone = everything(reader, deliveries)
    together = everything(reader, deliveries, processes=2)
    assert comparable(together) == comparable(alone)
    assert [one.receipt.name for one in together] == [one.name for one in deliveries]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_the_size_of_a_chunk_loses_and_doubles_no_file(
    reader: StoredReader, deliveries: Sequence[Delivery], size: int
) -> None:
    assert [one.receipt.name for one in everything(reader, deliveries, size)] == [one.name for one in deliveries]


@dataclass(frozen=True)
class Harmed(StoredReader):
    """A reader that some files harm, as a hostile file would."""

    def _understood(self, receipt: Receipt) -> Arrived:
        if receipt.name.startswith("dongcheng"):
            harms = {"die": lambda: os._exit(9), "hang": lambda: time.sleep(60), "swell": lambda: bytearray(10**10)}
            harms[self.store.root.name]()
        return super()._understood(receipt)


@pytest.mark.parametrize(
    ("harm", "code", "seconds"), [("die", "too_large", 20), ("hang", "too_slow", 3), ("swell", "too_large", 20)]
)
def test_a_file_that_ends_its_process_is_refused_and_no_other(
    reader: StoredReader, tmp_path: Path, deliveries: Sequence[Delivery], harm: str, code: str, seconds: float
) -> None:
    """On a machine that is busy a new process needs seconds for its imports: only what hangs is given few."""
    limits = ReadLimits(max_seconds=seconds, max_memory=600_000_000)
    harmed = Harmed((form(),), bureaus(), RawStore(tmp_path / harm), limits)
    arrived = {one.receipt.name: one for one in everything(harmed, deliveries, processes=2)}
    refused = arrived["dongcheng_2014-05.xlsx"].document
    assert refused is not None
    assert (refused.status, refused.problem_code, refused.named_period) == ("unreadable", code, "2014-05")
    assert "max_seconds" in (refused.problem_en or "") or "max_memory" in (refused.problem_en or "")
    untouched = {one.receipt.name: one for one in everything(reader, deliveries)}
    assert [one for one in deliveries if comparable([arrived[one.name]]) != comparable([untouched[one.name]])] == [
        one for one in deliveries if one.name.startswith("dongcheng")
    ]
    assert {one.fault for one in arrived.values()} == {None}


@pytest.mark.parametrize("forbidden", [_connect, _look_up, _run_program])
def test_no_reader_reaches_the_network_or_starts_a_program(forbidden: Callable[[], None]) -> None:
    with pytest.raises(ProgramError, match="readers reach no network"):
        answer(reading_processes(2, 600_000_000).submit(forbidden, (), 20))


@pytest.mark.parametrize("processes", [0, 2])
def test_a_chunk_may_be_asked_for_again(
    reader: StoredReader, deliveries: Sequence[Delivery], monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    alone = everything(reader, deliveries)
    put, full = RawStore.put, [OSError(28, "No space left on device")]

    def failing_once(self: RawStore, data: bytes) -> str:
        if full and data == deliveries[4].read():
            raise full.pop()
        return put(self, data)

    monkeypatch.setattr(RawStore, "put", failing_once)
    reading = ChunkedReading(reader, deliveries, 3, frozenset(), processes)
    found = reading.chunk(0)
    with pytest.raises(OSError, match="No space"):
        reading.chunk(1)
    for number in (1, 1, 2, 3):
        again = reading.chunk(number)
        found += again if number != 1 or len(found) < 6 else []
    assert comparable(found) == comparable(alone)


def test_what_the_raw_store_has_lost_is_a_fault_of_that_file_alone(
    reader: StoredReader, deliveries: Sequence[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    get, lost = RawStore.get, digest_of(next(one for one in deliveries if one.name.startswith("dongcheng")).read())

    def losing(self: RawStore, digest: str) -> bytes:
        if digest == lost:
            self.path(digest).unlink()
        return get(self, digest)

    monkeypatch.setattr(RawStore, "get", losing)
    arrived = {one.receipt.name: one for one in everything(reader, deliveries)}
    fault = arrived["dongcheng_2014-05.xlsx"].fault
    assert fault is not None and "has lost" in fault
    assert arrived["xicheng_2014-05.xlsx"].submission is not None


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file")])
def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(
    reader: StoredReader, deliveries: Sequence[Delivery], monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    read = Delivery.read

    def refusing(self: Delivery) -> bytes:
        if self.name.startswith("dongcheng"):
            raise error
        return read(self)

    monkeypatch.setattr(Delivery, "read", refusing)
    arrived = {one.receipt.name: one for one in everything(reader, deliveries)}
    assert set(arrived) == {one.name for one in deliveries}
    gone = arrived["dongcheng_2014-05.xlsx"]
    assert gone.document is not None and gone.submission is None and gone.fault is None
    assert (gone.document.status, gone.document.problem_code) == ("unreadable", "unreachable")
    assert gone.document.named_period == "2014-05"
    assert gone.document.problem_zh and str(error.strerror) not in gone.document.problem_zh
    assert arrived["xicheng_2014-05.xlsx"].submission is not None

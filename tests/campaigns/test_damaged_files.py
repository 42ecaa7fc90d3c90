"""Ten thousand damaged, faulty and made-up files of every format, each checked as a clerk's `check` would: it is read or
refused with a reason, soon and in little memory; nothing else ever comes out of reading."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest

from disclosure_etl.checking import Checked, Checker
from disclosure_etl.intake.processes import ReaderDied, ReaderSlow, ReadingProcesses, answer
from disclosure_etl.settings import default_config_dir, processes_here
from schemas.formfile import Forms, load_forms
from schemas.records import Status
from tests.campaigns.damage import DRAWN, DRAWN_EACH, MUTATED, damaged, drawn, seeds

pytestmark = pytest.mark.slow
_SECONDS, _HANGS = 5.0, 60.0  # of processor time, which others on the machine take none of; of the clock
_MEMORY = 500_000_000  # bytes above what a process has that has read one return
_LIMIT = 2_000_000_000  # of a process, so that a run away is ended


class _End(NamedTuple):
    """What became of one file: `said` is the status, a refusal with its code, or what it must not be; seconds, bytes."""

    said: str
    sound: bool
    seconds: float
    memory: int


@lru_cache(maxsize=1)
def _forms() -> Forms:
    return load_forms(sorted((default_config_dir() / "forms").glob("*.yaml")))


@lru_cache(maxsize=1)
def _at_rest() -> int:
    """What the process holds before the first damaged file, all that is imported late included."""
    for kind, (whole, *_) in ((kind, files) for kind, files in seeds().items() if files):
        _check(kind, whole)
    return _peak()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _check(name: str, data: bytes) -> tuple[str, bool]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"东城分局_2014-05 {name}"
        path.write_bytes(data)
        ends = [_said(one) for one in Checker(_forms()).check(path)]
    return next((end for end in ends if not end[1]), ends[0])  # an archive has several


def _said(found: Checked) -> tuple[str, bool]:
    if found.status is Status.UNREADABLE:
        refusal = found.refusal
        return f"unreadable:{found.refusal_code}", bool(refusal and refusal.zh and refusal.en)
    if found.status is Status.FAILED:
        return f"failed: {found.judged.fault if found.judged else ''}", False
    return "read", True


def end_of(kind: str, number: int, data: bytes | None) -> _End:
    """Check one input in a reading process."""
    rest = _at_rest()
    data = damaged(kind, number) if data is None else data
    began = time.process_time()
    try:
        said, sound = _check(kind, data)
    except Exception as error:  # what must not happen, and is told as such
        said, sound = f"{type(error).__name__}: {error}", False
    return _End(said, sound, time.process_time() - began, _peak() - rest)


def _inputs() -> Iterator[tuple[str, int, bytes | None]]:
    for kind, count in MUTATED.items():
        yield from ((kind, number, None) for number in range(count if seeds()[kind] else 0))
    for kind in DRAWN:
        yield from ((kind, number, data) for number, data in enumerate(drawn(kind)))


def _answer(future: Future[_End]) -> _End:
    try:
        return answer(future)
    except ReaderSlow:
        return _End(f"not done after {_HANGS:g} seconds", False, _HANGS, 0)
    except ReaderDied as error:
        return _End(f"the process ended: {error}", False, 0, 0)


def _offence(end: _End) -> str | None:
    if not end.sound:
        return end.said
    if end.seconds > _SECONDS:
        return f"{end.said} after {end.seconds:.1f} s"
    return f"{end.said}, {end.memory / 1e6:.0f} MB" if end.memory > _MEMORY else None


def test_damaged_files_are_read_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends: defaultdict[str, Counter[str]] = defaultdict(Counter)
    slowest: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    offences, most = [], 0
    processes = ReadingProcesses(processes_here(), _LIMIT)
    try:
        sent = [
            (kind, number, data, processes.submit(end_of, (kind, number, data), _HANGS))
            for kind, number, data in _inputs()
        ]
        for kind, number, data, future in sent:
            end = _answer(future)
            ends[kind][end.said if end.sound else "OFFENCE"] += 1
            slowest[kind] = max(slowest[kind], (end.seconds, number))
            most = max(most, end.memory)
            if (offence := _offence(end)) is not None:
                kept = tmp_path / f"{kind.replace(' ', '-')}-{number}"
                kept.write_bytes(damaged(kind, number) if data is None else data)
                offences.append(f"{kind} {number}: {offence} ({kept})")
    finally:
        processes.stop()

    lines = [
        f"{kind:>12}: {counted.total():5} files, at most {slowest[kind][0]:.2f} s (number {slowest[kind][1]}); "
        + ", ".join(f"{said.removeprefix('unreadable:')} {count}" for said, count in counted.most_common())
        for kind, counted in ends.items()
    ]
    told = f"{sum(one.total() for one in ends.values()):12}  files; {most / 1e6:.0f} MB above rest at most"
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, told, ""]))
    assert not offences, "\n".join(offences)
    assert {kind: counted.total() for kind, counted in ends.items()} == {
        **{kind: count for kind, count in MUTATED.items() if seeds()[kind]},
        **dict.fromkeys(DRAWN, DRAWN_EACH),
    }
    # Damage that nothing survives, or that nothing notices, would be no trial.
    for kind in MUTATED.keys() & ends.keys():
        assert ends[kind]["read"] > MUTATED[kind] // 20, kind
        assert ends[kind]["read"] < MUTATED[kind] or kind in ("csv", "text", "cases", "html"), kind

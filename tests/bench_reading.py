"""Reading mixed files, a third each of .xlsx, .csv and .docx, beside the bare library calls for the same files; and in two
processes beside one. Part of `make bench`; nothing here passes or fails."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import docx
from lxml import etree

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.raw_store import RawStore
from disclosure_etl.intake.readers import read_document
from disclosure_etl.intake.reading import ChunkedReading, StoredReader
from disclosure_etl.intake.sources import FolderSource
from disclosure_etl.settings import ReadLimits
from schemas.forms import Form
from tests.factories import default_form

_CELL, _TEXT = (f"{{http://schemas.openxmlformats.org/wordprocessingml/2006/main}}{name}" for name in ("tc", "t"))
_ROUNDS = 3


def _mixed(inbox: Path, folder: Path, count: int) -> list[Path]:
    """The month's returns, every third as it is, every third as text, every third as a text document with a table."""
    workbooks = sorted(inbox.glob("*.xlsx"))[:count]
    rows = [["" if value is None else str(value) for value in row] for row in _rows(workbooks[0])]
    frame, numbers = _frame(rows)
    folder.mkdir()
    made = []
    for at, path in enumerate(workbooks):
        target = folder / path.name
        if at % 3 == 0:
            target.write_bytes(path.read_bytes())
        else:
            own = [["" if value is None else str(value) for value in row] for row in _rows(path)]
            target = target.with_suffix(".csv" if at % 3 == 1 else ".docx")
            if at % 3 == 1:
                out = io.StringIO()
                csv.writer(out, lineterminator="\r\n").writerows(own)
                target.write_bytes(out.getvalue().encode("gb18030"))
            else:
                target.write_bytes(_filled(frame, numbers, own))
        made.append(target)
    return made


def _rows(path: Path) -> list[list[object]]:
    return read_document(path.name, path.read_bytes()).grids[0].values  # type: ignore[return-value]


def _frame(rows: Sequence[Sequence[str]]) -> tuple[bytes, dict[tuple[int, int], str]]:
    """A document as an office program lays it out, with a mark for every text."""
    document = docx.Document()
    width = max(map(len, rows))
    table = document.add_table(len(rows), width)
    marks = {}
    for row, cells in zip(table.rows, rows, strict=True):
        own = row.cells
        for column in range(len(cells)):
            place = (row._index, column)
            marks[place] = f"@{place[0]}.{place[1]}@"
            own[column].text = marks[place]
    out = io.BytesIO()
    document.save(out)
    return out.getvalue(), marks


def _filled(frame: bytes, marks: dict[tuple[int, int], str], rows: Sequence[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(frame)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            if name == "word/document.xml":
                pieces = part.decode().split("@")
                texts = {mark.strip("@"): place for place, mark in marks.items()}
                for at in range(1, len(pieces), 2):
                    row, column = texts[pieces[at]]
                    said = rows[row][column] if row < len(rows) and column < len(rows[row]) else ""
                    pieces[at] = said.replace("&", "&amp;").replace("<", "&lt;")
                part = "".join(pieces).encode()
            target.writestr(name, part)
    return out.getvalue()


def _bare(files: Sequence[Path]) -> float:
    """calamine's cells and the bare XML pass; csv's rows; lxml's tree of the document, and the text of every cell."""
    from tests.bench import _read_bare

    by_kind = {kind: [path for path in files if path.suffix == kind] for kind in (".xlsx", ".csv", ".docx")}
    return (
        sum(_read_bare(by_kind[".xlsx"]))
        + _timed(lambda: _bare_csv(by_kind[".csv"]))
        + _timed(lambda: _bare_docx(by_kind[".docx"]))
    )


def _bare_csv(files: Sequence[Path]) -> None:
    for path in files:
        list(csv.reader(io.StringIO(path.read_bytes().decode("gb18030"))))


def _bare_docx(files: Sequence[Path]) -> None:
    for path in files:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as package:
            root = etree.fromstring(package.read("word/document.xml"))
        _ = ["".join(text.text or "" for text in cell.iter(_TEXT)) for cell in root.iter(_CELL)]


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _read(files: Sequence[Path]) -> None:
    for path in files:
        read_document(path.name, path.read_bytes())


def _understood(folder: Path, store: Path, form: Form, bureaus: Bureaus, processes: int) -> float:
    """Pulled, read and interpreted as a run does it, once the processes have started."""
    reader = StoredReader((form,), bureaus, RawStore(store), ReadLimits())
    deliveries = list(FolderSource(folder, UTC).deliveries(datetime.now(UTC)))

    def all_of(some: Sequence) -> int:
        reading = ChunkedReading(reader, some, 250, frozenset(), processes)
        return sum(one.submission is not None for chunk in range(len(reading)) for one in reading.chunk(chunk))

    all_of(deliveries[: 2 * processes])
    found = []
    seconds = _timed(lambda: found.append(all_of(deliveries)))
    assert found == [len(deliveries)], f"{found} of {len(deliveries)} were understood"
    return seconds


def lines(inbox: Path, base: Path, bureaus: Bureaus, count: int) -> Iterator[str]:
    """The figures, as lines to print."""
    folder, form = base / "mixed", default_form()
    files = _mixed(inbox, folder, count)
    rounds = []
    for number in range(_ROUNDS):
        before, own, after = _bare(files), _timed(lambda: _read(files)), _bare(files)
        bare = (before + after) / 2
        one, two = (
            _understood(folder, base / f"raw-{number}-{processes}", form, bureaus, processes) for processes in (1, 2)
        )
        rounds.append((own / bare, one / two))
        yield (
            f"{len(files)} mixed files: {own:.2f} s = {own / bare:.2f} × the bare calls ({bare:.2f} s before and after); read and "
            f"understood {one:.2f} s in one process, {two:.2f} s in two = {one / two:.2f} ×"
        )
    ratio, faster = (median(values) for values in zip(*rounds, strict=True))
    yield f"median of {_ROUNDS}: mixed files {ratio:.2f} × bare; two processes {faster:.2f} × of one"

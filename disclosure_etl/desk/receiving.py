"""Files that come through the desk or its API: checked at once, kept whole, and noted; the next run takes them.

They lie in a folder that is a source like any other. Not here: the pages and the API (`own_pages`, `api`), taking them (`pipeline`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from disclosure_etl.checking import Checked, Checker, refused
from disclosure_etl.intake.identity import bureau_in_name, period_in_name
from disclosure_etl.intake.limits import too_much_memory, too_slow
from disclosure_etl.intake.processes import ReaderDied, ReaderSlow, answer, reading_processes
from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.intake.sources.names import clean_name, is_not_yet
from disclosure_etl.office import Office
from disclosure_etl.reports.contract import check_object
from disclosure_etl.warehouse.casework import WAITING, Fate, Upload
from schemas.errors import Message, UserError

_PIECE = 1 << 20
_LONGEST = 150  # bytes of a name; with what stands before it, file systems take no more than 255
_LONGEST_SUFFIX = 20
_keeping = Lock()  # two requests with one idempotency key are one submission


async def _read(file: UploadFile, most: int) -> bytes:
    """The bytes of a file that is sent, as far as they may be.

    Raises:
        HTTPException: it is larger than `most` (413).
    """
    data = bytearray()
    while piece := await file.read(_PIECE):
        data += piece
        if len(data) > most:
            raise HTTPException(413)
    return bytes(data)


async def file_in(request: Request, most: int) -> tuple[str, bytes] | None:
    """The name and bytes of the file in a form; None where nobody chose one. Asked for after it is known who asks: a parameter
    of the route would be read before.

    Raises:
        HTTPException: it is larger than `most` (413), or the form cannot be read (400).
    """
    found = (await request.form()).get("file")
    if not isinstance(found, UploadFile) or not found.filename:
        return None
    return found.filename, await _read(found, most)


def plain_name(name: str) -> str:
    """The name under which a file is kept and shown: its last part, short enough, and none that sources pass over as unfinished."""
    name = clean_name(name).rpartition("/")[2]
    stem, suffix = os.path.splitext(name)
    suffix = suffix[:_LONGEST_SUFFIX] + ("_" if is_not_yet(name) else "")
    return stem.encode()[:_LONGEST].decode(errors="ignore") + suffix


def checker_of(office: Office) -> Checker:
    """What files are checked by before anybody takes them."""
    limits = office.settings.read_limits
    return Checker(office.forms, office.rule_settings, office.bureaus, limits, office.layouts)


def _check(checker: Checker, name: str, data: bytes) -> list[Checked]:
    return checker.check_data(name, data)


def _checked(office: Office, name: str, data: bytes) -> list[Checked]:
    """As `checked`, under the whole name. In a process of its own, as runs read: a file may be made to hurt whoever opens it."""
    checker, limits = checker_of(office), office.settings.read_limits
    if not office.settings.processes:
        return checker.check_data(name, data)
    processes = reading_processes(office.settings.processes, limits.max_memory)
    try:
        return answer(processes.submit(_check, (checker, name, data), limits.max_seconds))
    except ReaderSlow:
        return [refused(name, data, too_slow(limits.max_seconds))]
    except ReaderDied:
        return [refused(name, data, too_much_memory(limits.max_memory))]


def checked(office: Office, bureau: str, name: str, data: bytes) -> list[Checked]:
    """What a file is by itself, or each file of an archive. Nothing is stored.

    Raises:
        UserError: a file names another bureau than the sender's.
    """
    return _examined(office, bureau, name, data, _before(office.clock(), plain_name(name), digest_of(data)))


def _examined(office: Office, bureau: str, name: str, data: bytes, before: str) -> list[Checked]:
    """Checked under the name that the run will see, since names tell of whom and when; told under the sender's own."""
    found = [
        replace(one, file=one.file.removeprefix(before)) for one in _checked(office, before + plain_name(name), data)
    ]
    for one in found:
        if _names_another(office, one, bureau):
            raise UserError(
                f"{one.file} 写明是其他单位的报表(表头或文件名),未予受理。请核对文件,或由该单位报送。",
                f"{one.file} says (in its header or name) that it is another bureau's; refused. Check the file, or have that "
                "bureau send it.",
            )
    return found


def _names_another(office: Office, one: Checked, bureau: str) -> bool:
    """Whether anything that a run goes by names another bureau: the header, or the name, by which scans are attached."""
    sent = one.judged.submission if one.judged else None
    header: Mapping[str, str] = sent.header if sent else {}
    written = [
        office.bureaus.find(text, None) for name in ("bureau", "bureau_code") if (text := header.get(name, "").strip())
    ]
    named = [*written, bureau_in_name(one.file, office.bureaus, None)]
    codes = {found.code for found in named if found is not None} | ({sent.bureau} if sent and sent.bureau else set())
    return bool(codes - {bureau})


def _before(at: datetime, name: str, digest: str) -> str:
    """What stands before a name so that no two are alike. Nothing of it, nor where both meet, may read as a period."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
    tried = (f"{stamp}-{digest[:length]}-" for length in range(8, len(digest) + 1))
    return next((one for one in tried if period_in_name(one + name) == period_in_name(name)), f"{stamp}-")


def _period(found: Sequence[Checked]) -> str:
    """The one period that a file is for; '' where it says none or several, or says it in two ways."""
    sent = [one.judged.submission for one in found if one.judged]
    if any(finding.code == "identity:period" for one in sent for finding in one.findings):
        return ""
    periods = {one.period for one in sent if one.period}
    return periods.pop() if len(periods) == 1 else ""


def receive(
    office: Office, bureau: str, by: str, name: str, data: bytes, token: int | None = None, key: str | None = None
) -> Upload:
    """Keep a file of a bureau's for the next run, and note what checking it came to. What a token has sent with the same key
    before is given back instead.

    Raises:
        UserError: it names another bureau, is empty, or its key was used for other bytes.
    """
    if not data:
        raise UserError(
            "文件是空的,未予受理。请核对后重新选择。", "The file is empty; refused. Check it and choose again."
        )
    digest, name, now = digest_of(data), plain_name(name), office.clock()
    if (known := _sent_before(office, token, key, digest)) is not None:
        return known
    before = _before(now, name, digest)
    found = _examined(office, bureau, name, data, before)
    period = _period(found)
    result: dict[str, Any] = {"files": [check_object(one) for one in found]}
    family = office.settings.family
    upload = Upload(secrets.token_hex(16), bureau, family, period, digest, name, by, now, token, key, result)
    path = office.settings.uploads_path / bureau / (period or "unknown") / (before + name)
    with _keeping:
        if (known := _sent_before(office, token, key, digest)) is not None:
            return known
        # First the file: one that is noted and not there would be a receipt for nothing.
        _write_whole(path, data, now)
        try:
            return office.warehouse.keep_upload(upload)
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


def _sent_before(office: Office, token: int | None, key: str | None, digest: str) -> Upload | None:
    known = office.warehouse.upload_with(token, key) if token is not None and key is not None else None
    if known is not None and known.digest != digest:
        raise UserError(
            "这个幂等键(Idempotency-Key)已用于另一个文件;请换一个。",
            "This Idempotency-Key was used for another file; choose a new one.",
        )
    return known


def _write_whole(path: Path, data: bytes, at: datetime) -> None:
    """There whole or not at all: a run may look at the folder at any moment. When it came is told by the office's clock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.utime(beside, (at.timestamp(), at.timestamp()))
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


# The more a state asks of somebody, the earlier it is told of an archive with several.
_URGENT = ("failed", "misdirected", "unreadable", "held", "partly_held", "returned", WAITING, "withdrawn", "superseded")


def fates_of(office: Office, uploads: Sequence[Upload]) -> dict[str, Fate]:
    """Where what came stands, by the upload's name; of an archive, where the file in it stands that asks most."""
    digests = {digest for one in uploads for digest in (one.digest, *(file["digest"] for file in _files(one)))}
    known = office.warehouse.fates(digests)
    found = {}
    for one in uploads:
        own = [_fate_of(file, known[one.digest], known[file["digest"]]) for file in _files(one)] or [known[one.digest]]
        found[one.key] = min(own, key=lambda fate: _URGENT.index(fate.state) if fate.state in _URGENT else len(_URGENT))
    return found


def _files(one: Upload) -> Sequence[Mapping[str, Any]]:
    files: Sequence[Mapping[str, Any]] = one.result.get("files", ())
    return files


def _fate_of(file: Mapping[str, Any], whole: Fate, own: Fate) -> Fate:
    """Where a file in an upload stands. What cannot be unpacked has no bytes by which a run would know it."""
    if own.state == WAITING and whole.state == "archive" and file["status"] == "unreadable":
        told = file["failures"][0]["message"]
        return Fate("unreadable", Message(told["zh"], told["en"]))
    return own

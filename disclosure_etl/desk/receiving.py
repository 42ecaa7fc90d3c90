"""Files that come through the desk or its API: checked at once, kept whole, and noted; the next run takes them.

They lie in a folder that is a source like any other. Not here: the pages and the API (`own_pages`, `api`), taking them (`pipeline`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from fastapi import UploadFile
from starlette.exceptions import HTTPException

from disclosure_etl.checking import Checked, Checker
from disclosure_etl.intake.archives import is_archive, members
from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.intake.sources.names import DistinctNames, clean_name
from disclosure_etl.office import Office
from disclosure_etl.reports.contract import check_object
from disclosure_etl.warehouse.casework import Upload
from schemas.documents import Unreadable
from schemas.errors import UserError

_PIECE = 1 << 20


async def read_upload(file: UploadFile, most: int) -> bytes:
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


def checker_of(office: Office) -> Checker:
    """What files are checked by before anybody takes them."""
    limits = office.settings.read_limits
    return Checker(office.forms, office.rule_settings, office.bureaus, limits, office.layouts)


def checked(office: Office, name: str, data: bytes) -> list[Checked]:
    """What a file is by itself, or each file of an archive. Nothing is stored."""
    checker, name = checker_of(office), clean_name(name)
    if not is_archive(data):
        return [checker.check_bytes(name, data)]
    names = DistinctNames()
    try:
        found = list(members(data, office.settings.read_limits))
    except Unreadable:
        return [checker.check_bytes(name, data)]
    return [checker.check_bytes(names.give(f"{name}/{one.name}"), one.data) for one in found if one.problem is None]


def refuse_of_others(found: Sequence[Checked], bureau: str) -> None:
    """Nobody sends another bureau's return.

    Raises:
        UserError: a file names another bureau.
    """
    for one in found:
        own = one.judged.submission.bureau if one.judged else None
        if own is not None and own != bureau:
            raise UserError(
                f"{one.file} 写明是其他单位的报表,未予受理。请核对文件,或由该单位报送。",
                f"{one.file} says that it is another bureau's; refused. Check the file, or have that bureau send it.",
            )


def receive(
    office: Office, bureau: str, by: str, name: str, data: bytes, token: int | None = None, key: str | None = None
) -> Upload:
    """Keep a file of a bureau's for the next run, and note what checking it came to.

    Raises:
        UserError: it names another bureau.
    """
    found = checked(office, name, data)
    refuse_of_others(found, bureau)
    periods = {one.judged.submission.period for one in found if one.judged and one.judged.submission.period}
    period = next(iter(periods)) if len(periods) == 1 else ""
    now, digest = office.clock(), digest_of(data)
    result: dict[str, Any] = {"files": [check_object(one) for one in found]}
    upload = Upload(
        secrets.token_hex(16),
        bureau,
        office.settings.family,
        period,
        digest,
        clean_name(name),
        by,
        now,
        token,
        key,
        result,
    )
    kept = office.warehouse.keep_upload(upload)
    if kept.key == upload.key:
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
        folder = office.settings.uploads_path / bureau / (period or "unknown")
        _write_whole(folder / f"{stamp}-{digest[:8]}-{clean_name(name)}", data)
    return kept


def _write_whole(path: Path, data: bytes) -> None:
    """There whole or not at all: a run may look at the folder at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)

"""Keeping what an office has: whether all of it hangs together, a copy of it in one file, and an office from such a copy.

The file is a zip of text: rows as JSON lines, received bytes by digest, and a list of what is in it. Not here: what a row is
(`warehouse.copying`), or the checks (`warehouse.verifying`).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from disclosure_etl.intake.raw_store import digest_of
from disclosure_etl.judgement import duty_of
from disclosure_etl.office import Office
from disclosure_etl.warehouse import Due, Verified, Warehouse
from schemas.errors import ProgramError, UserError

_FORMAT = 1
_LIST = "manifest.json"
_FAULTS = (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError)


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in a copy: its schema version, rows, received files, and the newest event of the record, if there is any."""

    schema: str
    rows: int
    raw: int
    head: str | None


def verified(office: Office, anchor: str | None = None) -> list[Verified]:
    """Whether all that an office holds hangs together, and the newest versions are what adding up gives now."""
    due = []
    for family in sorted({form.family for form in office.forms.forms}):
        for period in office.warehouse.consolidated_periods(family):
            try:
                own = period.frequency is office.forms.frequency_of(family)
                form = office.forms.choose(family, period) if own else office.forms.for_roll_up(family, period)
            except UserError:  # the office has taken the form away, or it changed within the period
                continue
            due.append(Due(form, period, duty_of(office, form, period)))
    return [*office.warehouse.verify(due, anchor), _raw(office)]


def _raw(office: Office) -> Verified:
    """Every byte that was received is there, and is what it was."""
    digests = office.warehouse.received_digests()
    lost = []
    for digest in digests:
        try:
            office.raw_store.get(digest)
        except ProgramError:
            lost.append(digest)
    return Verified("raw", len(digests), len(lost), tuple(lost[:5]))


def backup(office: Office, path: Path) -> Copied:
    """Write a copy of the warehouse and of all received bytes. The file appears whole or not at all.

    Raises:
        UserError: it cannot be written, or is there already.
    """
    if path.exists():
        raise UserError(
            f"{path} 已存在;备份不覆盖任何文件,请换一个名字。",
            f"{path} is there already; a backup overwrites nothing. Name another.",
        )
    warehouse = Warehouse.open(office.settings.warehouse_url, any_version=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            copied = _write(office, warehouse, target)
        with beside.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise UserError(f"写不出 {path}:{error.strerror}。", f"Cannot write {path}: {error.strerror}.") from None
    finally:
        beside.unlink(missing_ok=True)
        warehouse.close()
    return copied


def _write(office: Office, warehouse: Warehouse, target: zipfile.ZipFile) -> Copied:
    listed: dict[str, Any] = {"format": _FORMAT, "made_at": office.clock().isoformat(), "tables": {}, "raw": []}
    with warehouse.copied() as copy:
        if copy.version is None:
            raise UserError("数据库是空的,没有可备份的内容。", "The database is empty; there is nothing to back up.")
        listed |= {"schema": copy.version, "head": copy.head}
        for name, columns, lines in copy.tables():
            with target.open(f"tables/{name}.jsonl", "w") as file:
                rows, digest = _stream(lines, file)
            listed["tables"][name] = {"columns": columns, "rows": rows, "sha256": digest}
        for digest in copy.received():
            path = office.raw_store.path(digest)
            if path.exists():  # what is lost is told by verifying, and keeps nobody from saving the rest
                target.write(path, f"raw/{digest}")
                listed["raw"].append(digest)
    target.writestr(_LIST, json.dumps(listed, ensure_ascii=False, indent=1))
    rows = sum(one["rows"] for one in listed["tables"].values())
    return Copied(listed["schema"], rows, len(listed["raw"]), listed["head"])


def _stream(lines: Iterator[bytes], file: IO[bytes]) -> tuple[int, str]:
    rows, digest = 0, hashlib.sha256()
    for line in lines:
        file.write(line)
        digest.update(line)
        rows += 1
    return rows, digest.hexdigest()


def restore(office: Office, path: Path) -> Copied:
    """Fill an office's empty warehouse and its raw store from a copy; in one transaction, and not at all where anything in the
    file is not what its list says.

    Raises:
        UserError: no such copy, a damaged one, one of a newer program, or a warehouse that is not empty.
    """
    try:
        with zipfile.ZipFile(path) as source:
            listed = json.loads(source.read(_LIST))
            if listed["format"] != _FORMAT:
                raise _not_a_copy(path)
            return _read(office, source, listed, path)
    except FileNotFoundError:
        raise UserError(f"没有文件 {path}。", f"There is no file {path}.") from None
    except _FAULTS as error:
        raise _not_a_copy(path) from error


def _read(office: Office, source: zipfile.ZipFile, listed: dict[str, Any], path: Path) -> Copied:
    if not all(_is_whole(source, name, told["sha256"]) for name, told in listed["tables"].items()):
        raise _not_a_copy(path)
    for digest in listed["raw"]:
        data = source.read(f"raw/{digest}")
        if digest_of(data) != digest:
            raise _not_a_copy(path)
        office.raw_store.put(data)
    warehouse = Warehouse.open(
        office.settings.warehouse_url, any_version=True, clock=office.clock, actor=office.settings.actor
    )
    try:
        with warehouse.alone("warehouse restore", office.settings.run_patience_seconds, office.tell) as alone:
            with alone.filling(listed["schema"]) as filling:
                rows = 0
                for name in filling.names:
                    with source.open(f"tables/{name}.jsonl") as file:
                        rows += filling.fill(name, listed["tables"][name]["columns"], file)
            alone.note_restored({"rows": rows, "head": listed["head"], "made_at": listed["made_at"]})
    finally:
        warehouse.close()
    return Copied(listed["schema"], rows, len(listed["raw"]), listed["head"])


def _is_whole(source: zipfile.ZipFile, name: str, told: str) -> bool:
    with source.open(f"tables/{name}.jsonl") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == told  # type: ignore[arg-type]


def _not_a_copy(path: Path) -> UserError:
    return UserError(
        f"{path} 不是完整的备份(不是由 warehouse backup 写出,或已损坏);没有恢复任何内容。请用另一份备份。",
        f"{path} is no whole copy (not written by 'warehouse backup', or damaged); nothing was restored. Use another one.",
    )

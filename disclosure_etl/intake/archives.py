"""Zip archives of files: what is in them, by name, and what is in archives inside of them; all under the limits.

Not here: office files, which are zip packages too (`packages`), or what any file is (`readers`).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.packages import encrypted, truncated
from disclosure_etl.intake.sources.names import is_passed_over
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable

_BEGINS, _END = b"PK\x03\x04", b"PK\x05\x06"
_END_SIZE = 22
_DIRECTORY = struct.Struct("<12xL")  # APPNOTE 4.3.16: in the end record, the size of the central directory before it
# APPNOTE 4.3.12: an entry of the central directory, before its name; with the length of that.
_ENTRY_BEGINS, _ENTRY = b"PK\x01\x02", struct.Struct("<28xH16x")
# One of these is a part of every document that is a package, also where another is missing.
_OFFICE = (b"[Content_Types].xml", b"mimetype", b"OFD.xml", b"xl/workbook.xml", b"word/document.xml", b"content.xml")
_UTF8 = 0x800  # APPNOTE 4.4.4, bit 11: the name is in UTF-8
_LOCKED = 0x1
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError, struct.error)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, by its path inside. `problem`: why its bytes cannot be had (then there are none), or, of an
    inner archive, why it was not opened."""

    name: str
    data: bytes = b""
    problem: Unreadable | None = None


def is_archive(data: bytes) -> bool:
    """Whether bytes are an archive of files, and no office document. Of one that is cut off nobody knows."""
    if not data.startswith((_BEGINS, _END)):
        return False
    end = data.rfind(_END)
    if end < 0 or end + _END_SIZE > len(data):
        return False
    (size,) = _DIRECTORY.unpack_from(data, end)
    directory = data[max(end - size, 0) : end]
    return not any(_has_entry(directory, part) for part in _OFFICE)


def _has_entry(directory: bytes, name: bytes) -> bool:
    """Whether a central directory has an entry of just this name: it may be a part of another."""
    at = directory.find(name)
    while at >= 0:
        entry = directory[max(at - _ENTRY.size, 0) : at]
        if entry.startswith(_ENTRY_BEGINS) and _ENTRY.unpack(entry)[0] == len(name):
            return True
        at = directory.find(name, at + 1)
    return False


def members(data: bytes, limits: ReadLimits) -> Iterator[Member]:
    """The files of an archive and of the archives in it, in their order. Folders, hidden files and lock files are none.

    Raises:
        Unreadable: damaged (truncated), with a password (encrypted), packed in an uncommon way (unknown_format), without a
            file (empty), or over a limit (too_large).
    """
    opening = _Opening(limits)
    yield from opening.members(data, "", 1)
    if not opening.files:
        raise Unreadable(
            "empty",
            "压缩包里没有文件。请把填好的报表放进去重新打包,或直接发送报表。",
            "There is no file in the archive. Pack the filled-in returns again, or send them as they are.",
        )


@dataclass
class _Opening:
    """What has come out of one archive so far, and of all in it."""

    limits: ReadLimits
    files: int = 0
    unpacked: int = 0

    def members(self, data: bytes, folder: str, depth: int) -> Iterator[Member]:
        """The files of one archive; `folder` is the path of an inner one."""
        if depth > self.limits.max_nesting:
            raise refused("max_nesting", depth, self.limits.max_nesting)
        try:
            package = zipfile.ZipFile(io.BytesIO(data))
        except (*_FAULTS, NotImplementedError) as error:
            raise truncated() from error
        with package:
            infos = [(info, name) for info in package.infolist() if (name := _name(info)) and not is_passed_over(name)]
            self._admit([info for info, _ in infos], len(data))
            for info, name in infos:
                yield from self._member(package, info, folder + name, depth)

    def _admit(self, infos: list[zipfile.ZipInfo], packed: int) -> None:
        """Nothing is unpacked before all of an archive is known to be within the limits."""
        if any(info.flag_bits & _LOCKED for info in infos):
            raise encrypted()
        own = sum(info.file_size for info in infos)
        self.files, self.unpacked = self.files + len(infos), self.unpacked + own
        if self.files > self.limits.max_files:
            raise refused("max_files", self.files, self.limits.max_files)
        if self.unpacked > self.limits.max_uncompressed_bytes:
            raise refused("max_uncompressed_bytes", self.unpacked, self.limits.max_uncompressed_bytes)
        if own > 10_000_000 and own > packed * self.limits.max_ratio:
            raise refused("max_ratio", own // packed, self.limits.max_ratio)

    def _member(self, package: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, depth: int) -> Iterator[Member]:
        try:
            data = package.read(info)
        except NotImplementedError:
            yield Member(name, problem=_uncommon())
            return
        except (*_FAULTS, RuntimeError):
            yield Member(name, problem=truncated())
            return
        if not is_archive(data):
            yield Member(name, data)
            return
        self.files -= 1
        try:
            yield from self.members(data, f"{name}/", depth + 1)
        except Unreadable as problem:
            self.files += 1
            yield Member(name, data, problem)


def _name(info: zipfile.ZipInfo) -> str:
    """A file's path inside; '' of a folder. What is not marked as UTF-8 was packed on a Chinese Windows, or by a program that
    forgets the mark."""
    if info.is_dir():
        return ""
    if info.flag_bits & _UTF8:
        return info.filename
    raw = info.orig_filename.partition("\0")[0].encode("cp437", "replace")  # as `zipfile` read it
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding).replace("\\", "/")
        except UnicodeDecodeError:
            continue
    return info.filename


def _uncommon() -> Unreadable:
    return Unreadable(
        "unknown_format",
        "压缩包用了不常见的压缩方法,无法打开。请用系统自带的「压缩为 ZIP」重新打包,或直接发送报表。",
        "The archive is packed in an uncommon way and cannot be opened. Pack it again as a plain zip, or send the returns as "
        "they are.",
    )

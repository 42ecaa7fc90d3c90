"""Files that are zip packages of parts (.xlsx, .ods, .docx): parts read under the limits, XML without entity declarations.

Not here: what any part means (`xlsx`, `ods`, `docx`).
"""

from __future__ import annotations

import io
import zipfile
import zlib

from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable

# What the library raises of a damaged package.
FAULTS: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, LookupError, ValueError, OverflowError,
)  # fmt: skip


def truncated() -> Unreadable:
    """The refusal of a file that is not whole."""
    return Unreadable(
        "truncated",
        "文件不完整或已损坏(多半是上传、拷贝中断)。请重新发送原文件。",
        "The file is incomplete or damaged (an upload or copy was probably cut off). Send the original again.",
    )


def encrypted() -> Unreadable:
    """The refusal of a file that needs a password."""
    return Unreadable(
        "encrypted",
        "文件设有打开密码,无法读取。请取消密码后重新保存并发送。",
        "The file is protected by a password. Remove the password, save and send it again.",
    )


def declares_entities() -> Unreadable:
    """The refusal of XML that could make much of little, or refer to other files."""
    return Unreadable(
        "unknown_format",
        "文件内含 XML 实体声明,正常的表格和文档没有这种内容,拒绝读取。请用办公软件另存后发送。",
        "The file declares XML entities, which no office program writes; it is refused. Save it anew.",
    )


class Package:
    """The parts of a package, none of which is unpacked before all are known to be within the limits.

    Raises:
        Unreadable: damaged (truncated), or over a limit (too_large).
    """

    def __init__(self, data: bytes, limits: ReadLimits) -> None:
        self.data = data
        try:
            self._package = zipfile.ZipFile(io.BytesIO(data))
        except FAULTS as error:
            raise truncated() from error
        infos = self._package.infolist()
        unpacked = sum(info.file_size for info in infos)
        if unpacked > limits.max_uncompressed_bytes:
            raise refused("max_uncompressed_bytes", unpacked, limits.max_uncompressed_bytes)
        packed = sum(info.compress_size for info in infos)
        if unpacked > 10_000_000 and unpacked > packed * limits.max_ratio:
            raise refused("max_ratio", unpacked // max(packed, 1), limits.max_ratio)
        self.names = frozenset(info.filename for info in infos)

    def read(self, name: str, *, optional: bool = False) -> bytes:
        """One part; b"" where an optional one is missing.

        Raises:
            Unreadable: a part is damaged, or is needed and missing (truncated), or declares entities (unknown_format).
        """
        if name not in self.names:
            if optional:
                return b""
            raise truncated()
        try:
            data = self._package.read(name)
        except FAULTS as error:
            raise truncated() from error
        # No office program writes such a part. One sign is looked for thirty times as fast as several.
        if b"!" in data and (b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data):
            raise declares_entities()
        return data

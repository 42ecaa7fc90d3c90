"""Every byte received, kept once under its digest and never edited. Who sent it, and when, is the warehouse's to say."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ProgramError


def digest_of(data: bytes) -> str:
    """SHA-256, in hexadecimal: the name that bytes are known by everywhere."""
    return hashlib.sha256(data).hexdigest()


def _write_new(path: Path, data: bytes) -> None:
    """Write a new, read-only file; nothing of it stays behind if that fails."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            raise OSError(error.errno, error.strerror, f"{path}") from error  # a full disk does not say which one
        raise


@dataclass(frozen=True)
class RawStore:
    """A folder of files named by the digest of their content."""

    root: Path

    def path(self, digest: str) -> Path:
        """Where the bytes of `digest` lie."""
        return self.root / digest[:2] / digest

    def put(self, data: bytes) -> str:
        """Keep `data` and return its digest; keeping it again changes nothing.

        The file appears whole or not at all, also when the process is killed. It is not forced to the disk: after a power
        failure `get` notices a damaged copy, and the next pull brings the bytes again, whatever stands in their place.

        Raises:
            OSError: it cannot be written; `filename` tells where.
        """
        digest = digest_of(data)
        path = self.path(digest)
        if self._is_whole(path, data):
            return digest
        temporary = path.with_name(f".{digest}.{secrets.token_hex(4)}")
        try:
            _write_new(temporary, data)
        except FileNotFoundError:  # the first of its folder
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_new(temporary, data)
        os.replace(temporary, path)
        return digest

    def _is_whole(self, path: Path, data: bytes) -> bool:
        """Whether the file holds these bytes: its length alone may be right after a power failure, too."""
        try:
            return path.stat().st_size == len(data) and path.read_bytes() == data
        except OSError:
            return False

    def get(self, digest: str) -> bytes:
        """The bytes of `digest`.

        Raises:
            ProgramError: they are not there, or not what they were.
        """
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise ProgramError(f"the raw store {self.root} has lost {digest}") from None
        if digest_of(data) != digest:
            raise ProgramError(f"the raw store's copy of {digest} is damaged")
        return data

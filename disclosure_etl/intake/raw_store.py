"""Every byte received, kept once under its digest and never edited. Who sent it, and when, is the warehouse's to say."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ProgramError


def digest_of(data: bytes) -> str:
    """SHA-256, in hexadecimal: the name that bytes are known by everywhere."""
    return hashlib.sha256(data).hexdigest()


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
        failure `get` notices a damaged copy, and the next pull brings the bytes again.
        """
        digest = digest_of(data)
        path = self.path(digest)
        if path.exists() and path.stat().st_size == len(data):
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o444)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return digest

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

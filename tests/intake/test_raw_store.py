"""Every byte kept once under its digest, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure_etl.intake.raw_store import RawStore, digest_of
from schemas.errors import ProgramError


@pytest.fixture
def store(tmp_path: Path) -> RawStore:
    """A store whose folder does not exist yet."""
    return RawStore(tmp_path / "raw" / "store")


def files(store: RawStore) -> list[Path]:
    """Everything that lies in the store."""
    return sorted(path for path in store.root.rglob("*") if path.is_file())


def test_bytes_lie_under_their_digest(store: RawStore) -> None:
    digest = store.put(b"one")
    assert digest == digest_of(b"one") == hashlib.sha256(b"one").hexdigest()
    assert files(store) == [store.path(digest)]
    assert store.get(digest) == b"one"


def test_keeping_again_changes_nothing(store: RawStore) -> None:
    path = store.path(store.put(b"one"))
    before = path.stat()
    store.put(b"one")
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert files(store) == [path]


def test_what_is_kept_is_read_only(store: RawStore) -> None:
    assert store.path(store.put(b"one")).stat().st_mode & 0o222 == 0


@pytest.mark.parametrize("damage", [b"who", b"\0\0\0\0\0"])
def test_a_copy_that_was_cut_off_or_lost_its_content_is_replaced(store: RawStore, damage: bytes) -> None:
    path = store.path(store.put(b"whole"))
    path.unlink()
    path.write_bytes(damage)
    assert store.get(store.put(b"whole")) == b"whole"


def test_what_is_lost_is_told_with_its_digest(store: RawStore) -> None:
    with pytest.raises(ProgramError, match=digest_of(b"never")):
        store.get(digest_of(b"never"))


@pytest.mark.parametrize("damage", [b"", b"wholf", b"whole and more"])
def test_a_damaged_copy_is_noticed(store: RawStore, damage: bytes) -> None:
    digest = store.put(b"whole")
    path = store.path(digest)
    path.unlink()
    path.write_bytes(damage)
    with pytest.raises(ProgramError, match=digest):
        store.get(digest)


def test_nothing_stays_behind_where_writing_fails(store: RawStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(b"before")

    def full(_handle: int, _mode: str) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    digest = digest_of(b"one")
    with pytest.raises(OSError, match="no space"):
        store.put(b"one")
    monkeypatch.undo()
    assert not store.path(digest).exists()
    assert files(store) == [store.path(digest_of(b"before"))]


def test_many_may_keep_the_same_at_once(store: RawStore) -> None:
    data = b"x" * 200_000
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(store.put, [data] * 32))
    assert digests == {digest_of(data)}
    assert files(store) == [store.path(digest_of(data))]


@given(st.lists(st.binary(max_size=64), max_size=8))
def test_whatever_is_kept_comes_back(contents: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        store = RawStore(Path(folder))
        digests = [store.put(data) for data in contents]
        assert [store.get(digest) for digest in digests] == contents
        assert len(files(store)) == len(set(contents))

"""The demonstration's folder: what the demonstration wrote there, so that a later one removes that and nothing else."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from schemas.errors import UserError

_MARKER = ".disclosure-demo"
# Machine-made and rewritten by every command: not listed one by one. Whatever else lies in var/ is somebody's own.
_MACHINE_MADE = ("raw", "prefect", "warehouse.sqlite", "warehouse.sqlite-wal", "warehouse.sqlite-shm")


def clear_earlier(folder: Path) -> bool:
    """Make `folder` an empty one with the demonstration's mark, and say whether an earlier demonstration was removed.

    Raises:
        UserError: it holds something that no demonstration wrote, or that was changed since; nothing is removed then.
    """
    earlier = folder.exists() and any(folder.iterdir())
    if earlier:
        listed = _read(folder)
        _refuse_what_is_not_ours(folder, listed)
        for name in listed:
            (folder / name).unlink(missing_ok=True)
        for name in _MACHINE_MADE:
            path = folder / "var" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        (folder / _MARKER).unlink()
        for path in sorted((one for one in folder.rglob("*") if one.is_dir()), reverse=True):
            path.rmdir()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()
    return earlier


def note_written(folder: Path) -> None:
    """List what stands in the folder now, by digest: all of it is the demonstration's, which began with an empty one."""
    lines = [f"{_digest(folder / name)}  {name}" for name in _files(folder)]
    (folder / _MARKER).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _refuse_what_is_not_ours(folder: Path, listed: dict[str, str]) -> None:
    if not (folder / _MARKER).exists():
        raise UserError(
            f"{folder} 不是空目录,也不是以前的演示目录;请换一个目录。",
            f"{folder} is neither empty nor of an earlier demonstration; name another folder.",
        )
    others = [name for name in _files(folder) if listed.get(name) != _digest(folder / name)]
    if others:
        shown = ", ".join(others[:5]) + (" …" if len(others) > 5 else "")
        raise UserError(
            f"{folder} 中有 {len(others)} 个文件不是演示写出的,或写出后有改动:{shown}。为免误删,没有动任何文件;"
            "请移走它们、删除该目录,或换一个目录。",
            f"{folder} holds {len(others)} files that the demonstration did not write, or that were changed since: {shown}. "
            "Nothing was removed; move them away, delete the folder, or name another one.",
        )


def _files(folder: Path) -> list[str]:
    """All files below the folder but the mark and what is machine-made in var/."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(
        name.as_posix()
        for name in names
        if name.as_posix() != _MARKER and not (name.parts[0] == "var" and name.parts[1] in _MACHINE_MADE)
    )


def _read(folder: Path) -> dict[str, str]:
    """The files that an earlier demonstration listed, with their digests."""
    marker = folder / _MARKER
    lines = marker.read_text(encoding="utf-8").splitlines() if marker.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "not a file"

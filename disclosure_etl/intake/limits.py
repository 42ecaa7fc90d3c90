"""What a file may cost to read; a refusal says which limit it met. Not here: what else is wrong with a file."""

from __future__ import annotations

from schemas.documents import Unreadable

_NAMES = {
    "max_bytes": ("文件大小(字节)", "file size in bytes"),
    "max_uncompressed_bytes": ("解压后大小(字节)", "unpacked size in bytes"),
    "max_ratio": ("压缩倍数", "compression ratio"),
    "max_cells": ("单元格数", "number of cells"),
}


def refused(limit: str, seen: int, allowed: int) -> Unreadable:
    """The refusal of a file that is over `limit`."""
    zh, en = _NAMES[limit]
    return Unreadable(
        "too_large",
        f"{zh}为 {seen},超过上限 {allowed}(设置项 limits.{limit})。请确认发送的是月报表本身。",
        f"Its {en} is {seen}, above the limit of {allowed} (setting limits.{limit}). Make sure that it is the return.",
    )

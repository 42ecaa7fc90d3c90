"""What a file may cost to read; a refusal says which limit it met. Not here: what else is wrong with a file."""

from __future__ import annotations

from schemas.documents import Unreadable

_NAMES = {
    "max_bytes": ("文件大小(字节)", "file size in bytes"),
    "max_uncompressed_bytes": ("解压后大小(字节)", "unpacked size in bytes"),
    "max_ratio": ("压缩倍数", "compression ratio"),
    "max_cells": ("单元格数", "number of cells"),
    "max_files": ("压缩包内文件数", "number of files in the archive"),
    "max_nesting": ("压缩包层数", "number of archives inside each other"),
}


def refused(limit: str, seen: int, allowed: int) -> Unreadable:
    """The refusal of a file that is over `limit`."""
    zh, en = _NAMES[limit]
    return Unreadable(
        "too_large",
        f"{zh}为 {seen},超过上限 {allowed}(设置项 limits.{limit})。请确认发送的是月报表本身。",
        f"Its {en} is {seen}, above the limit of {allowed} (setting limits.{limit}). Make sure that it is the return.",
    )


def too_slow(seconds: float) -> Unreadable:
    """The refusal of a file whose reading had to be ended."""
    return Unreadable(
        "too_slow",
        f"读取超过 {seconds:g} 秒仍未完成,已中止(设置项 limits.max_seconds)。请用电子表格软件打开,另存为新的 .xlsx 后重报。",
        f"Reading it took longer than {seconds:g} seconds and was ended (setting limits.max_seconds). Open it in a "
        "spreadsheet program, save it as a new .xlsx and send that.",
    )


def too_much_memory(allowed: int) -> Unreadable:
    """The refusal of a file that needs more memory than a reader has, or that ended its reader otherwise."""
    return Unreadable(
        "too_large",
        f"读取所需内存超过上限 {allowed} 字节(设置项 limits.max_memory),或文件已损坏,读取程序中止。请用电子表格软件打开,"
        "另存为新的 .xlsx 后重报。",
        f"Reading it needs more memory than the limit of {allowed} bytes (setting limits.max_memory), or it is damaged and "
        "ended the reader. Open it in a spreadsheet program, save it as a new .xlsx and send that.",
    )

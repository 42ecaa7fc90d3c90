"""That something at a source cannot be had, and why: told in both languages, never with what a library or server said,
since that may repeat a password.

Not here: trying again (`patience`).
"""

from __future__ import annotations

from schemas.errors import Message


class Unreached(OSError):  # noqa: N818 - the domain's word, as Unreadable is
    """A source, or a file at it, that cannot be had. `why` follows 'the source' or 'the file'. `passing`: it may be
    otherwise in a moment, so trying again makes sense."""

    def __init__(self, zh: str, en: str, *, passing: bool = False) -> None:
        super().__init__(en)
        self.why = Message(zh, en)
        self.passing = passing


class StillGrowing(Exception):  # noqa: N818 - nothing is wrong
    """A file that somebody is writing at this moment: it waits for the next round."""


def cut_off() -> Unreached:
    """The connection ended before the file did."""
    return Unreached("传输中断,只收到一部分", "was cut off in the middle", passing=True)


def timed_out(seconds: float) -> Unreached:
    """No answer in time."""
    return Unreached(
        f"在 {seconds:g} 秒内没有完成应答(timeout_seconds、file_seconds)",
        f"did not answer within {seconds:g} seconds (timeout_seconds, file_seconds)",
        passing=True,
    )


def no_connection() -> Unreached:
    """Nobody answers at the address, or the line broke."""
    return Unreached(
        "连接不上,请核对地址、网络和防火墙",
        "cannot be connected to; check address, network and firewall",
        passing=True,
    )


def not_let_in() -> Unreached:
    """The server does not accept who we say we are."""
    return Unreached(
        "拒绝了用户名或密码,请核对 sources.yaml 所指的凭据",
        "does not accept the user name or password; check the credentials that sources.yaml refers to",
    )


def unexpected(error: Exception) -> Unreached:
    """What no library is known to say; its text is left out, since it may hold secrets."""
    name = type(error).__name__
    return Unreached(f"出现意外的错误({name})", f"fails in an unexpected way ({name})")


def too_large(limit: int) -> Unreached:
    """More than a reader would take in any case."""
    return Unreached(
        f"超过 {limit} 字节(settings.yaml 的 limits.max_bytes)",
        f"is larger than {limit} bytes (limits.max_bytes of settings.yaml)",
    )


def reason(error: OSError) -> Message:
    """Why something cannot be read, in both languages; what the system says of it is in its own."""
    if isinstance(error, Unreached):
        return error.why
    if isinstance(error, FileNotFoundError):
        return Message("不存在", "does not exist")
    if isinstance(error, PermissionError):
        return Message("没有读取权限", "may not be read (permission)")
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return Message("不是文件", "is no file")
    return Message(f"读取出错(系统错误号 {error.errno})", f"cannot be read (system error {error.errno})")

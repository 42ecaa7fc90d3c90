"""How the one-file checker starts: on the right Python or with words about it, with files given or asked for.

Any Python can read this module, so that a wrong one is told in words. Not here: the command line (`check_cli`).
"""

from __future__ import annotations

import os
import shlex
import sys

_WRONG_USAGE = 2  # as in `flows.session`, which a wrong Python could not import
_HOW = (
    "把报表文件或文件夹拖到本窗口后按回车,即可自查;也可运行 python disclosure-check.pyz 报表.xlsx。不保存任何内容,不联网。",
    "Drag returns or folders into this window and press Enter, or run: python disclosure-check.pyz RETURN.xlsx. Nothing is "
    "stored, nothing is sent.",
)


def run() -> None:
    """What starts when the file is run or double-clicked."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console in a code page without ✓ shows ? and goes on
            stream.reconfigure(errors="replace")
    told = _wrong_python()
    if told:
        _tell(told)
        code = _WRONG_USAGE
    elif len(sys.argv) > 1:
        code = _check(sys.argv[1:])
    else:
        _tell(_HOW)
        sys.exit(_ask() if sys.stdin is not None and sys.stdin.isatty() else _WRONG_USAGE)
    if _window_closes():
        _read_line("按回车键关闭 / press Enter to close: ")
    sys.exit(code)


def _check(arguments: list[str]) -> int:
    import gc

    gc.set_threshold(100_000)  # as for the installed command
    from flows.check_cli import check

    return check(arguments)


def _ask() -> int:
    """Check what is dragged into the window, until an empty line; the worst exit code."""
    worst = 0
    while True:
        paths = dragged(_read_line("> "))
        if not paths:
            return worst
        worst = max(worst, _check(["--", *paths]))
        _tell(("可继续拖入文件;直接按回车结束。", "Drag in more, or press Enter to end."))


def dragged(line: str, windows: bool = os.name == "nt") -> list[str]:
    """The paths on a line that a terminal wrote for dragged files: quoted, or with spaces escaped where a system does that."""
    try:
        words = shlex.split(line, posix=not windows)
    except ValueError:  # an apostrophe in a name
        words = [line.strip()]
    return [word.strip("\"'") for word in words if word.strip("\"'")]


def _read_line(prompt: str) -> str:
    try:
        return input(prompt)
    except (EOFError, KeyboardInterrupt):
        return ""


def _tell(words: tuple[str, str]) -> None:
    for line in words:
        print(line, file=sys.stderr)


def _wrong_python() -> tuple[str, str] | None:
    """Words for a Python that cannot run what is inside: too old, or not the one that its compiled parts were made for."""
    here = f"Python {sys.version_info[0]}.{sys.version_info[1]}, {sys.platform}"
    try:
        if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one is to be told so
            raise ImportError
        import pydantic_core  # noqa: F401 - the smallest compiled part
    except ImportError:
        made_for = _made_for()
        return (
            f"此文件不能在这台电脑的 Python 上运行(这里是 {here};此文件适用于 {made_for})。请向发放此文件的单位索取对应的文件。",
            f"This file does not run on this Python ({here}; it is made for {made_for}). Ask whoever gave it to you for the one "
            "that does.",
        )
    return None


def _made_for() -> str:
    """The Python and system that the compiled parts are made for, as their own packages say: `cp311-win_amd64`."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        told = distribution("pydantic_core").read_text("WHEEL") or ""
    except PackageNotFoundError:
        return "Python 3.11"
    tags = [line.split(":", 1)[1].strip() for line in told.splitlines() if line.startswith("Tag:")]
    return ", ".join(f"{tag.split('-')[0]}-{tag.split('-')[-1]}" for tag in tags) or "Python 3.11"


def _window_closes() -> bool:
    """Whether the window goes with this process: on Windows, where files were dropped on the icon."""
    if os.name != "nt" or not sys.stdin or not sys.stdin.isatty():
        return False
    import ctypes

    listed = (ctypes.c_uint * 8)()
    of_this_window = ctypes.windll.kernel32.GetConsoleProcessList(listed, 8)  # type: ignore[attr-defined]
    return bool(of_this_window <= 2)  # Python and its launcher, and no shell


if __name__ == "__main__":
    run()

"""The command line's door: global options, the commands by name, and errors turned into one message and an exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.commands import (
    carrying,
    desk,
    export,
    lists,
    month,
    office,
    record,
    returns,
    returns_decided,
    rules,
    signing,
    versions,
)
from flows.session import CLEAN, NEEDS_PERSON, PROGRAM_FAULT, WRONG_USAGE, Session, read_moment
from schemas.errors import Message, ProgramError, UserError

app = typer.Typer(
    name="disclosure-etl",
    help="Consolidates monthly government-information-disclosure returns (政府信息公开): read, check, hold, load, freeze.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for commands in (
    month,
    signing,
    versions,
    returns,
    returns_decided,
    carrying,
    rules,
    lists,
    export,
    record,
    desk,
    office,
):
    commands.register(app)


def _tell_whole(group: typer.Typer) -> None:
    """Lists of commands show the first paragraph of each help in full; by itself it would be cut at 45 letters."""
    for command in group.registered_commands:
        told = command.help or (command.callback.__doc__ if command.callback else None) or ""
        command.short_help = " ".join(told.strip().split("\n\n")[0].split())
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _tell_whole(inner.typer_instance)


_tell_whole(app)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("disclosure_etl")
        except PackageNotFoundError:  # run from the sources, without having been installed
            number = "(not installed)"
        typer.echo(f"disclosure-etl {number}")
        raise typer.Exit(CLEAN)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The office's configuration folder; config/ in this folder by default."),
    ] = None,
    lang: Annotated[
        str | None, typer.Option(metavar="zh|en", help="The language of messages; by default the terminal's.")
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Run as on this day, such as 2014-06-06 or 2014-06-06T08:00."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Print the version and end.")
    ] = False,
) -> None:
    """Options of every command."""
    choose(context.obj, config, lang)
    context.obj.now = read_moment(now) if now else None


def choose(session: Session, config: Path | None, lang: str | None) -> None:
    """Take the configuration folder and the language that the options name.

    Raises:
        UserError: the language is neither zh nor en.
    """
    if lang not in (None, "zh", "en"):
        raise UserError(f"--lang「{lang}」不可用;请写 zh 或 en。", f"--lang '{lang}' is not known; write zh or en.")
    session.config, session.chosen_language = config, lang


def main(arguments: list[str] | None = None, door: typer.Typer = app) -> int:
    """Run one command and return its exit code: 0 clean, 1 needs a person, 2 usage or configuration, 3 program fault."""
    session = Session(None, None)
    try:
        code = door(args=arguments, obj=session, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return NEEDS_PERSON
    except UserError as error:
        session.warn(error.in_full)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`); nothing is left to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG_USAGE
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in _SURROUNDINGS:
            return _program_fault(error, session)
        session.warn(_of_the_machine(error))
        return WRONG_USAGE
    except Exception as error:
        if shown := _usage_error(error):
            print(shown, file=sys.stderr)
            return WRONG_USAGE
        return _program_fault(error, session)


_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
_SURROUNDINGS = _NO_ROOM | _NO_RIGHT | {errno.EIO, errno.ENFILE, errno.EMFILE, errno.ENOMEM}


def _of_the_machine(error: OSError) -> Message:
    """What the machine does not give, which is neither the data's fault nor the program's."""
    why = f"{error.strerror}", f"{error.strerror}"
    if error.errno in _NO_ROOM:
        why = ("磁盘已满", "the disk is full")
    elif error.errno in _NO_RIGHT:
        why = ("没有权限", "no permission")
    where = (f"{error.filename}:", f"{error.filename}: ") if error.filename else ("", "")
    return Message(
        f"{where[0]}{why[0]}。没有存入任何不完整的内容;改好后再运行一次,余下的会自动补上。",
        f"{where[1]}{why[1]}. Nothing was stored in part; mend it and run it again: the rest is done then.",
    )


def _usage_error(error: Exception) -> str | None:
    """Wrong words on the command line, as typer tells them."""
    message = getattr(error, "format_message", None)
    if message is None:
        return None
    usage = getattr(error, "ctx", None)
    return f"{usage.get_usage()}\n{message()}" if usage else message()


def _program_fault(error: Exception, session: Session) -> int:
    import traceback

    traceback.print_exc()
    detail = "" if isinstance(error, ProgramError) else f"{type(error).__name__}: "
    print(
        session.pick(
            f"程序故障(不是数据问题):{detail}{error}。以上内容请交给维护人员。",
            f"Program fault (not a fault of the data): {detail}{error}. Please give the above to the maintainers.",
        ),
        file=sys.stderr,
    )
    return PROGRAM_FAULT


def run() -> None:
    """The installed command."""
    # Start-up makes some hundred thousand objects that all stay; looking through them for garbage again and again took a
    # fifth of the time of `check`.
    gc.set_threshold(100_000)
    sys.exit(main())


if __name__ == "__main__":
    run()

"""The command line's door: global options, the commands by name, and errors turned into one message and an exit code."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.commands import month, office, returns, rules
from flows.session import NEEDS_PERSON, PROGRAM_FAULT, WRONG_USAGE, Session
from schemas.errors import ProgramError, UserError

app = typer.Typer(
    name="disclosure-etl",
    help="Consolidates monthly government-information-disclosure returns (政府信息公开): read, check, hold, load, freeze.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for commands in (month, returns, rules, office):
    commands.register(app)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="The office's configuration folder.")] = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; by default the terminal's.")] = None,
    now: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Take this for now, to run as on an earlier day."),
    ] = None,
) -> None:
    """Options of every command."""
    if lang not in (None, "zh", "en"):
        raise typer.BadParameter("zh | en", param_hint="--lang")
    context.obj.config, context.obj.chosen_language, context.obj.now = config, lang, now


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 clean, 1 needs a person, 2 usage or configuration, 3 program fault."""
    session = Session(None, None)
    try:
        code = app(args=arguments, obj=session, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return NEEDS_PERSON
    except UserError as error:
        session.warn(error.message)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`); nothing is left to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG_USAGE
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if shown := _usage_error(error):
            print(shown, file=sys.stderr)
            return WRONG_USAGE
        return _program_fault(error, session)


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
    sys.exit(main())


if __name__ == "__main__":
    run()

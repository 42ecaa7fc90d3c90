"""The command line of the one-file checker that `make checker` builds: `check` alone. Not here: how it starts and asks
(`checker_start`), the checking (`flows.commands.returns`)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli import choose, main
from flows.commands import returns

door = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@door.command(name="disclosure-check")
def disclosure_check(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="The returns to check, or folders of them.", metavar="FILE…")],
    config: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The office's configuration; config/ beside this file by default."),
    ] = None,
    lang: Annotated[
        str | None, typer.Option(metavar="zh|en", help="The language of messages; by default the terminal's.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")] = False,
) -> None:
    """Check returns before they are sent: what was read, what was not understood, what fails. Stores nothing."""
    choose(context.obj, config or _config_beside(), lang)
    returns.check(context, files, json)


def check(arguments: list[str]) -> int:
    """Check as the arguments say; the exit code is that of `disclosure-etl check`."""
    return main(arguments, door)


def _config_beside() -> Path | None:
    """The configuration that an office put beside the file, unless the environment names one."""
    beside = Path(sys.argv[0]).resolve().parent / "config"
    return beside if beside.is_dir() and not os.environ.get("DISCLOSURE_CONFIG") else None

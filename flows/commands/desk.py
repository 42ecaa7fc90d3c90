"""The command that starts the review desk. Not here: its accounts and tokens (`people`)."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands import people
from flows.session import CLEAN, Session


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    desk = typer.Typer(
        help="The review desk, its accounts and tokens.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    desk.callback()(start)
    people.register(desk)
    app.add_typer(desk, name="desk")


def start(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="The port; settings.yaml's desk.port by default.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on; desk.host by default.")
    ] = None,
) -> None:
    """Start the review desk, and serve it until stopped."""
    if context.invoked_subcommand is not None:
        return
    from flows.desk_server import serve

    session: Session = context.obj
    serve(session, host, port)
    raise typer.Exit(CLEAN)

"""Commands of the review desk: starting it, and making its first accounts."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.session import CLEAN, Session


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    desk = typer.Typer(
        help="Start the review desk, or make its accounts.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    desk.callback()(start)
    desk.command(name="create-user")(create_user)
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


def create_user(
    context: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="The name to sign in with.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="Their own name: decisions are recorded by it.")],
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="steward, head, reporter, auditor or administrator.")
    ] = "administrator",
    bureau: Annotated[str | None, typer.Option(metavar="BUREAU", help="The bureau of a reporter.")] = None,
) -> None:
    """Make an account. The password is asked for, or read from standard input where that is no terminal."""
    import sys

    from disclosure_etl.blank_workbooks import bureau_called
    from disclosure_etl.desk.accounts import NewPerson, create
    from schemas.errors import UserError
    from schemas.people import Role
    from schemas.periods import Period

    session: Session = context.obj
    office = session.office
    if role not in Role.__members__.values():
        raise UserError(
            f"角色「{role}」不存在;请写 {'、'.join(Role)}。", f"There is no role '{role}'; write {', '.join(Role)}."
        )
    frequency = office.forms.frequency_of(office.settings.family)
    now = Period.of_day(office.clock().date(), frequency)
    code = bureau_called(office, bureau, now).code if bureau else None
    if sys.stdin.isatty():
        asked = session.pick("密码", "Password")
        password = typer.prompt(asked, hide_input=True, confirmation_prompt=session.pick("再输一次", "Once more"))
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    made = create(office, NewPerson(login, name, Role(role), code), password, must_change=False)
    session.say(
        f"已建立账号 {made.login}({made.name},{made.role})。", f"made account {made.login} ({made.name}, {made.role})."
    )

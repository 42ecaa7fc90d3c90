"""The command around lists: what they leave open, by age. For the steward who chases it."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.session import CLEAN, Session, print_json, read_period


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(name="unmatched")(unmatched)


def unmatched(
    context: typer.Context,
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="What is open at its end, of it and all earlier ones.")],
    family: Annotated[str | None, typer.Option(metavar="FAMILY", help="The form family; by default the office's.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")] = False,
) -> None:  # fmt: skip
    """List what waits for its next stage, oldest first (approvals without notice, agreement or closure), and what matches
    nothing."""
    from disclosure_etl import unmatched as lists

    session: Session = context.obj
    wanted, chosen = read_period(period), family or session.settings.family
    found = lists.unmatched(session.office, chosen, wanted)
    if json:
        items = [
            {
                "list": one.list,
                "key": one.key,
                "bureau": one.bureau,
                "bureau_written": one.bureau_written,
                "waits_for": one.waits_for,
                "since": one.since.isoformat() if one.since else None,
                "age_days": one.age_days,
                "message": {"zh": lists.told(one).zh, "en": lists.told(one).en},
            }
            for one in found
        ]
        print_json({"family": chosen, "period": wanted.code, "unmatched": items})
        raise typer.Exit(CLEAN)
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for zh, en in (("编号", "number"), ("单位", "bureau"), ("状态", "open"), ("自", "since"), ("天数", "days")):
        table.add_column(session.pick(zh, en), overflow="fold")
    for one in found:
        age = "" if one.age_days is None else str(one.age_days)
        state = lists.told(one).in_language(session.language)
        table.add_row(one.key, one.bureau or one.bureau_written, state, one.since.isoformat() if one.since else "", age)
    if found:
        session.console.print(table, markup=False)
    session.say(f"{wanted} 期末未了结 {len(found)} 项。", f"{len(found)} open at the end of {wanted}.")
    raise typer.Exit(CLEAN)

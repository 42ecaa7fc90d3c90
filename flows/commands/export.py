"""The command that hands figures out by bureau: export. For whoever compares bureaus over time, or feeds another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json, read_as_of

if TYPE_CHECKING:
    from disclosure_etl.reports.exported import Choice, Exported

_FORMATS = ("csv", "xlsx", "json")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(name="export")(export)


def export(
    context: typer.Context,
    periods: Annotated[list[str], typer.Argument(metavar="PERIOD…", help="2014-05, 2014Q2, 2014; several, or a range 2014-01..2014-12.")],
    tree: Annotated[str, typer.Option(metavar="day|today|DAY", help="By which tree of bureaus: of the period's last day, today's, or of a day such as 2016-01-01.")] = "day",
    version: Annotated[int | None, typer.Option(metavar="N", help="An earlier version of the period.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="DAY", help="As it stood then: the newest version of that day.")] = None,
    indicator: Annotated[list[str] | None, typer.Option(metavar="INDICATOR", help="Only this one: code or label; may be repeated.")] = None,
    column: Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Only this one: code or label; may be repeated.")] = None,
    format: Annotated[str, typer.Option(metavar="csv|xlsx|json", help="What is written.")] = "csv",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The file to write; by default standard output.")] = None,
    family: Annotated[str | None, typer.Option(metavar="FAMILY", help="The form family; by default the office's.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:  # fmt: skip
    """Hand out a period's figures by bureau, branch subtotals and total, by the tree of bureaus of any day."""
    from disclosure_etl.reports.export_files import export_csv, export_object, export_workbook
    from disclosure_etl.reports.exported import Choice
    from schemas.errors import UserError

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    wanted = "json" if json else format
    if wanted not in _FORMATS:
        raise UserError(
            f"--format「{format}」无法识别;可写 csv、xlsx、json。",
            f"--format '{format}' is not known; write csv, xlsx or json.",
        )
    if version is not None and as_of is not None:
        raise UserError("--version 与 --as-of 只能给一个。", "Give --version or --as-of, not both.")
    if wanted == "xlsx" and out is None:
        raise UserError("xlsx 要用 --out 写明文件。", "xlsx needs --out with the file to write.")
    moment = read_as_of(as_of, office.schedule.timezone) if as_of else None
    choice = Choice(tree, version, moment, tuple(indicator or ()), tuple(column or ()))
    found, absent = _found(session, chosen, periods, choice)
    if wanted == "json" and out is None:
        print_json(export_object(chosen, found))
    else:
        if wanted == "json":
            import json as text

            data = (text.dumps(export_object(chosen, found), ensure_ascii=False, indent=2) + "\n").encode()
        elif wanted == "csv":
            data = export_csv(found, session.language).encode()
        else:
            data = export_workbook(found, session.language)
        if out is None:
            typer.echo(data, nl=False)
        else:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(data)
            session.say(f"已写出 {out}", f"wrote {out}")
    raise typer.Exit(NEEDS_PERSON if absent else CLEAN)


def _found(session: Session, family: str, written: list[str], choice: Choice) -> tuple[list[Exported], list[str]]:
    """The periods asked for; of a range those that were consolidated, the others being told of."""
    from disclosure_etl.reports.exported import exported, periods_of
    from disclosure_etl.reports.standing import not_consolidated
    from schemas.errors import Message, UserError

    office = session.office
    named, within = periods_of(written)
    if choice.version is not None and len(named) + len(within) > 1:
        raise UserError(
            "--version 只能与一个时期同用;多个时期请用 --as-of。",
            "--version goes with one period; for several use --as-of.",
        )
    frozen = {
        period: office.warehouse.consolidation(family, period, as_of=choice.as_of) is not None for period in within
    }
    absent = [period.code for period, is_there in frozen.items() if not is_there]
    there = [*named, *(period for period, is_there in frozen.items() if is_there)]
    if not there:
        raise not_consolidated(within[0])
    found = [exported(office, family, period, choice) for period in sorted(set(there))]
    if absent:
        shown = session.listed(absent)
        session.warn(Message(f"尚未汇总,未列入:{shown}", f"not consolidated, so left out: {shown}"))
    return found, absent

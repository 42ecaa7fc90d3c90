"""Commands of the month: consolidate, rerun, status, failures, serve, demo. For the operator and the steward."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, exit_code, exit_code_of, print_json, read_as_of, read_period

if TYPE_CHECKING:
    from datetime import datetime

    from flows.running import Ran
    from schemas.consolidation import Consolidation
    from schemas.periods import Period

Code = Annotated[str, typer.Argument(metavar="PERIOD", help="2014-05, 2014Q2, 2014H1 or 2014.")]
Family = Annotated[
    str | None,
    typer.Option(
        metavar="FAMILY",
        help="Which return, such as bureau-monthly (a form family: all versions of one return); by default 'family' in settings.yaml.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]
Early = Annotated[bool, typer.Option("--early", help="Also a period that is not over yet.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (consolidate, rerun, status, failures, serve, demo):
        app.command(name=command.__name__)(command)


def consolidate(
    context: typer.Context,
    period: Code,
    family: Family = None,
    early: Early = False,
    prefect: Annotated[
        bool, typer.Option(help="Record the run in Prefect, with a server of its own if none is set.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Read the period's returns from their sources, check, load and freeze them; a coarser period is added up."""
    session: Session = context.obj
    wanted = _over(session, period, early)
    ran = _run(session, "consolidate", wanted, family, None, prefect, json)
    _show(session, ran, json)
    raise typer.Exit(exit_code_of(ran))


def rerun(
    context: typer.Context,
    period: Code,
    bureau: Annotated[
        list[str] | None,
        typer.Option(metavar="BUREAU", help="Only this bureau's corrections: code or name; may be repeated."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="PERIOD", help="Take corrections from this period on, up to PERIOD.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would happen, and change nothing.")] = False,
    family: Family = None,
    early: Early = False,
    prefect: Annotated[bool, typer.Option(help="Record the run in Prefect.")] = False,
    json: AsJson = False,
) -> None:
    """Take corrections of a period, judge again what depends on them, and list what follows and who has what to do."""
    from disclosure_etl.blank_workbooks import bureau_called
    from disclosure_etl.reports.contract import delta_object, task_object, would_object
    from disclosure_etl.reports.rehearsal import lines, periods_from, refuse_coarser, rehearsal

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    wanted = _over(session, period, early)
    codes = [bureau_called(office, written, wanted).code for written in bureau] if bureau else None
    begin = read_period(first) if first else None
    periods_from(begin, wanted)
    if codes or dry_run or begin:
        refuse_coarser(office, chosen, wanted)
    if dry_run:
        told = rehearsal(office, chosen, wanted, codes, begin)
        if json:
            would = [would_object(one) for one in told.would]
            proposed, tasks = [delta_object(one) for one in told.deltas], [task_object(one) for one in told.tasks]
            print_json({"period": wanted.code, "dry_run": True, "would": would, "deltas": proposed, "tasks": tasks})
        else:
            for line in lines(told):
                session.say(line.zh, line.en)
        raise typer.Exit(CLEAN)
    ran = _run(session, "rerun", wanted, family, codes, prefect, json, begin)
    _show(session, ran, json)
    raise typer.Exit(exit_code_of(ran))


def _over(session: Session, written: str, early: bool) -> Period:
    """The period that was asked for, if it is over or `early` says that it need not be."""
    from flows.running import refuse_unfinished

    period = read_period(written)
    if not early:
        refuse_unfinished(session.office, period)
    return period


def _run(
    session: Session,
    command: str,
    period: Period,
    family: str | None,
    bureaus: list[str] | None,
    prefect: bool,
    quiet: bool,
    first: Period | None = None,
) -> Ran:
    from contextlib import nullcontext

    from flows.console import progress
    from flows.running import run_period

    office, chosen = session.office, family or session.settings.family
    with nullcontext(None) if quiet else progress(session) as report:
        if prefect or session.settings.file.prefect_api:
            from flows.prefect_runs import run_recorded

            return run_recorded(office, command, chosen, period.code, bureaus, first.code if first else None, report)
        return run_period(office, chosen, period, command=command, bureaus=bureaus, first=first, progress=report)


def _show(session: Session, ran: Ran, json: bool) -> None:
    one = ran.result.consolidation
    if json:
        from disclosure_etl.reports.contract import consolidation_object, delta_object, source_object, task_object

        head = session.office.warehouse.audit_head()
        told = {"number": head.number, "hash": head.hash} if head else None
        whole = consolidation_object(one)
        whole |= {"sources": [source_object(source) for source in ran.result.sources], "audit": told}
        if ran.deltas is not None and ran.tasks is not None:
            whole["deltas"] = [delta_object(each) for each in ran.deltas]
            whole["tasks"] = [task_object(each) for each in ran.tasks]
        print_json(whole)
    else:
        from flows.carried_screen import show_deltas, show_tasks
        from flows.period_screen import show_period
        from schemas.periods import Period

        show_period(session, one.family, Period.parse(one.period))
        changed = [later.period for later in ran.result.later]
        if changed:
            session.say(
                f"随之重新判定并固化:{'、'.join(changed)}", f"judged again and frozen with it: {', '.join(changed)}"
            )
        if ran.deltas:
            show_deltas(session, one.family, ran.deltas)
        show_tasks(session, ran.tasks or ())
        session.say(f"汇总表:{ran.tables[0]}", f"table: {ran.tables[0]}")
        for path in ran.notices:
            session.say(f"更正说明:{path}", f"correction notice (更正说明): {path}")
        if (head := session.office.warehouse.audit_head()) is not None:
            session.say(
                f"记录链链头:第 {head.number} 条 {head.hash}", f"head of the record: event {head.number} {head.hash}"
            )
    for source in ran.result.sources:
        if source.message is not None:
            session.warn(source.message)
        if source.waiting and not json:
            names = session.listed(source.waiting)
            session.say(
                f"来源「{source.name}」中仍在写入,留待下次:{names}",
                f"still being written at '{source.name}', left for the next run: {names}",
            )
    if ran.result.held_for_lock:
        from schemas.errors import Message

        zh, en = "、".join(ran.result.held_for_lock), ", ".join(ran.result.held_for_lock)
        year = one.period[:4]
        session.warn(
            Message(
                f"{year} 年已锁定,{zh} 只予暂存;采用须先解锁(disclosure-etl reopen {year})。",
                f"{year} is locked: {en} is held until it is reopened (disclosure-etl reopen {year}).",
            )
        )
    for fault in ran.result.faults:
        from schemas.errors import Message

        session.warn(Message(f"程序故障:{fault}", f"program fault: {fault}"))


def status(
    context: typer.Context,
    period: Annotated[
        str | None, typer.Argument(metavar="PERIOD", help="One period; all of them where left out.")
    ] = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="An earlier version of the period, as it was frozen.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DAY", help="The period as it stood then: the newest version of that day.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the 汇总表 (.xlsx) of that version or day anew.")
    ] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """Show what is stored: one period's consolidation, or a line for each."""
    from disclosure_etl.reports.contract import consolidation_object
    from flows.period_screen import show_period, show_periods, stored_version
    from schemas.errors import UserError

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    if version is not None and as_of is not None:
        raise UserError("--version 与 --as-of 只能给一个。", "Give --version or --as-of, not both.")
    moment = read_as_of(as_of, office.schedule.timezone) if as_of else None
    if period is not None:
        wanted = read_period(period)
        one = stored_version(office, chosen, wanted, version, moment)
        if table is not None:
            _write_table(session, one, table, moment)
        if json:
            print_json(consolidation_object(one))
        else:
            show_period(session, chosen, wanted, version, moment)
        raise typer.Exit(exit_code(one))
    if table is not None:
        raise UserError("--table 要与时期一同给出。", "--table needs a PERIOD beside it.")
    if version is not None:
        raise UserError("--version 要与时期一同给出。", "--version needs a PERIOD beside it.")
    stored = office.warehouse.consolidated_periods(chosen)
    found = [newest for each in stored if (newest := office.warehouse.consolidation(chosen, each, as_of=moment))]
    if json:
        print_json([consolidation_object(one) for one in found])
    elif not found:
        session.say("仓库中还没有任何时期。", "Nothing is stored yet.")
    else:
        show_periods(session, found)
    raise typer.Exit(max((exit_code(one) for one in found), default=CLEAN))


def _write_table(session: Session, one: Consolidation, file: Path, as_of: datetime | None) -> None:
    from disclosure_etl.reports.publishing import table_of
    from schemas.errors import UserError

    if file.exists():
        raise UserError(f"{file} 已存在,不予覆盖。", f"{file} is there already; nothing was overwritten.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(table_of(session.office, one, as_of))


def failures(
    context: typer.Context,
    period: Code,
    bureau: Annotated[
        str | None, typer.Option(metavar="BUREAU", help="Only this bureau's: its code, name or another name of it.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="As they were known then: when the version of that day was frozen."),
    ] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """List a period's failures with cells, what was seen and expected, and what to do; who is missing or late as well."""
    from disclosure_etl.blank_workbooks import bureau_called
    from disclosure_etl.reports.contract import standing_object
    from disclosure_etl.reports.standing import standing, standing_then
    from flows.period_screen import stored_version

    session: Session = context.obj
    office, chosen, wanted = session.office, family or session.settings.family, read_period(period)
    only = bureau_called(office, bureau, wanted).code if bureau else None
    if as_of is None:
        found = standing(office, chosen, wanted, only)
    else:
        moment = read_as_of(as_of, office.schedule.timezone)
        found = standing_then(office, stored_version(office, chosen, wanted, None, moment), only)
    if json:
        print_json(standing_object(found))
    else:
        from disclosure_etl.quality.review import reviewed
        from flows.console import show_failures, show_review, show_what_to_do

        names = {one.code: session.pick(one.name_zh, one.name_en) for one in office.bureaus.bureaus}
        show_failures(session, found.failures, found.refused, names, of=wanted.code)
        if not found.failures and not found.refused:
            session.say("没有未通过的校验。", "No failures.")
        review = office.rule_settings.review
        show_review(session, reviewed([one.failure for one in found.failures], review), review.impact_below)
        show_what_to_do(session, found.failures, found.refused)
    raise typer.Exit(NEEDS_PERSON if found.needs_a_person else CLEAN)


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(metavar="PORT", help="The Prefect server's port on this machine.")] = 4200,
) -> None:
    """Start a Prefect server, and serve the scheduled month and the rerun until stopped."""
    from flows.deployments import serve_deployments

    session: Session = context.obj
    _ = session.office
    serve_deployments(session, port)


def demo(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="A new or empty folder for the demonstration office. An earlier demonstration in it is replaced, unless "
            "something was changed or added there.",
        ),
    ] = Path("demo"),
    prefect: Annotated[bool, typer.Option(help="Run the months as Prefect flows.")] = True,
) -> None:
    """Tell the story of 2014: twelve months, two slips, their correction, and the year that adds up."""
    from flows.demo.play import play

    raise typer.Exit(play(context.obj, folder, recorded=prefect))

"""Commands of the month: consolidate, rerun, status, failures, serve, demo. For the operator and the steward."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, exit_code, exit_code_of, print_json

if TYPE_CHECKING:
    from flows.running import Ran
    from schemas.periods import Period

Code = Annotated[str, typer.Argument(metavar="PERIOD", help="2014-05, 2014Q2, 2014H1 or 2014.")]
Family = Annotated[str | None, typer.Option(help="The form family; by default the office's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (consolidate, rerun, status, failures, serve, demo):
        app.command(name=command.__name__)(command)


def consolidate(
    context: typer.Context,
    period: Code,
    family: Family = None,
    prefect: Annotated[
        bool, typer.Option(help="Record the run in Prefect, with a server of its own if none is set.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Read the period's returns from the inbox, check, load and freeze them; a coarser period is added up."""
    session: Session = context.obj
    ran = _run(session, "consolidate", period, family, None, prefect, json)
    _show(session, ran, json)
    raise typer.Exit(exit_code_of(ran))


def rerun(
    context: typer.Context,
    period: Code,
    bureau: Annotated[list[str] | None, typer.Option(help="Only this bureau's corrections (may be repeated).")] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would happen, and change nothing.")] = False,
    family: Family = None,
    prefect: Annotated[bool, typer.Option(help="Record the run in Prefect.")] = False,
    json: AsJson = False,
) -> None:
    """Take corrections of a period, and judge again what depends on them."""
    from disclosure_etl.pipeline import rehearse
    from schemas.errors import UserError
    from schemas.periods import Period

    session: Session = context.obj
    known = session.office.bureaus.codes
    for code in bureau or ():
        if code not in known:
            raise UserError(
                f"没有代码为「{code}」的单位;已有:{'、'.join(known)}。",
                f"There is no bureau with the code '{code}'; known: {', '.join(known)}.",
            )
    if dry_run:
        lines = rehearse(session.office, family or session.settings.family, Period.parse(period), bureau).lines
        if json:
            print_json({"period": period, "dry_run": True, "would": [{"zh": line.zh, "en": line.en} for line in lines]})
        else:
            for line in lines:
                session.say(line.zh, line.en)
        raise typer.Exit(CLEAN)
    ran = _run(session, "rerun", period, family, bureau, prefect, json)
    _show(session, ran, json)
    raise typer.Exit(exit_code_of(ran))


def _run(
    session: Session, command: str, code: str, family: str | None, bureaus: list[str] | None, prefect: bool, quiet: bool
) -> Ran:
    from contextlib import nullcontext

    from flows.console import progress
    from flows.running import run_period
    from schemas.periods import Period

    office, chosen = session.office, family or session.settings.family
    with nullcontext(None) if quiet else progress(session) as report:
        if prefect or session.settings.file.prefect_api:
            from flows.prefect_runs import run_recorded

            return run_recorded(office, command, chosen, code, bureaus, report)
        return run_period(office, chosen, Period.parse(code), command=command, bureaus=bureaus, progress=report)


def _show(session: Session, ran: Ran, json: bool) -> None:
    one = ran.result.consolidation
    if json:
        from disclosure_etl.reports.contract import consolidation_object

        print_json(consolidation_object(one))
    else:
        from schemas.periods import Period

        _show_period(session, one.family, Period.parse(one.period), most_failures=10)
        changed = [later.period for later in ran.result.later]
        if changed:
            session.say(
                f"随之重新判定并固化:{'、'.join(changed)}", f"judged again and frozen with it: {', '.join(changed)}"
            )
        session.say(f"汇总表:{ran.tables[0]}", f"table: {ran.tables[0]}")
    for fault in ran.result.faults:
        from schemas.errors import Message

        session.warn(Message(f"程序故障:{fault}", f"program fault: {fault}"))


def _show_period(session: Session, family: str, period: Period, most_failures: int | None = None) -> None:
    from flows.console import show_consolidation, show_failures, show_unread
    from schemas.values import figure_text

    office = session.office
    one = office.warehouse.consolidation(family, period)
    assert one is not None
    form = next(form for form in office.forms.forms if form.key == one.form)
    base = form.own_columns[-1]
    figures = {
        (figure.bureau, figure.indicator): (
            "" if figure.value is None else figure_text(figure.value, figure.scale),
            figure.validated,
        )
        for figure in office.warehouse.bureau_figures(form, period, [base])
    }
    show_consolidation(session, form, one, figures)
    names = {state.bureau: session.pick(state.name_zh, state.name_en) for state in one.bureaus}
    show_failures(
        session,
        office.warehouse.failures(family, period),
        office.warehouse.refused(family, period),
        names,
        most_failures,
    )
    show_unread(session, office.warehouse.unread(family, period))


def status(
    context: typer.Context,
    period: Annotated[
        str | None, typer.Argument(metavar="[PERIOD]", help="One period; all of them where left out.")
    ] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """Show what is stored: one period's consolidation, or a line for each."""
    from disclosure_etl.reports.contract import consolidation_object
    from schemas.errors import UserError
    from schemas.periods import Period

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    if period is not None:
        wanted = Period.parse(period)
        one = office.warehouse.consolidation(chosen, wanted)
        if one is None:
            raise UserError(
                f"{wanted} 还没有汇总;请先运行 disclosure-etl consolidate {wanted}。",
                f"{wanted} was not consolidated yet; run 'disclosure-etl consolidate {wanted}' first.",
            )
        if json:
            print_json(consolidation_object(one))
        else:
            _show_period(session, chosen, wanted, most_failures=10)
        raise typer.Exit(exit_code(one))
    found = [one for each in office.warehouse.periods(chosen) if (one := office.warehouse.consolidation(chosen, each))]
    if json:
        print_json([consolidation_object(one) for one in found])
    elif not found:
        session.say("仓库中还没有任何时期。", "Nothing is stored yet.")
    for one in [] if json else found:
        held = sum(1 for state in one.bureaus if state.held_blocks)
        session.say(
            f"{one.period}  第 {one.version} 版  未报 {len(one.missing)}  暂存 {held}  未通过 {one.failures}  覆盖率 {one.coverage:.1%}",
            f"{one.period}  version {one.version}  missing {len(one.missing)}  holding {held}  failures {one.failures}  "
            f"coverage {one.coverage:.1%}",
        )
    raise typer.Exit(max((exit_code(one) for one in found), default=CLEAN))


def failures(
    context: typer.Context,
    period: Code,
    bureau: Annotated[str | None, typer.Option(help="Only this bureau's.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """List a period's failures with cells, what was seen and expected, and what to do."""
    from disclosure_etl.reports.contract import refused_object, stored_failure_object
    from schemas.periods import Period

    session: Session = context.obj
    office, chosen, wanted = session.office, family or session.settings.family, Period.parse(period)
    found = office.warehouse.failures(chosen, wanted, bureau)
    refused = office.warehouse.refused(chosen, wanted) if bureau is None else []
    if json:
        print_json([*map(refused_object, refused), *map(stored_failure_object, found)])
    else:
        from flows.console import show_failures

        names = {one.code: session.pick(one.name_zh, one.name_en) for one in office.bureaus.bureaus}
        show_failures(session, found, refused, names)
        if not found and not refused:
            session.say("没有未通过的校验。", "No failures.")
    acts = any(one.failure.severity != "notice" for one in found) or any(one.status != "superseded" for one in refused)
    raise typer.Exit(NEEDS_PERSON if acts else CLEAN)


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="The Prefect server's port on this machine.")] = 4200,
) -> None:
    """Start a Prefect server, and serve the scheduled month and the rerun until stopped."""
    from flows.deployments import serve_deployments

    session: Session = context.obj
    serve_deployments(session, port)


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A new or empty folder for the demonstration office.")] = Path("demo"),
    prefect: Annotated[bool, typer.Option(help="Run the months as Prefect flows.")] = True,
) -> None:
    """Tell the story of 2014: twelve months, two slips, their correction, and the year that adds up."""
    from flows.demo.play import play

    raise typer.Exit(play(context.obj, folder, recorded=prefect))

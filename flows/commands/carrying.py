"""Commands about figures that are carried over from month to month: deltas after a correction, and restatements. For the
bureau's reporter, and for the steward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json, read_period

if TYPE_CHECKING:
    from disclosure_etl.restated import Restated

Bureau = Annotated[str, typer.Argument(metavar="BUREAU", help="Code or name.")]
Reason = Annotated[str, typer.Option(help="Why.")]
By = Annotated[str, typer.Option(metavar="NAME", help="By whose word; by default whoever is logged in.")]
Family = Annotated[str | None, typer.Option(metavar="FAMILY", help="The form family; by default the office's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    deltas = typer.Typer(
        help="What later figures follow to be after a correction.", no_args_is_help=True, rich_markup_mode=None
    )
    deltas.command(name="list")(deltas_list)
    deltas.command(name="confirm")(deltas_confirm)
    app.add_typer(deltas, name="deltas")
    restatements = typer.Typer(
        help="Figures that rightly differ from before.", no_args_is_help=True, rich_markup_mode=None
    )
    restatements.command(name="add")(restatements_add)
    restatements.command(name="list")(restatements_list)
    restatements.command(name="withdraw")(restatements_withdraw)
    app.add_typer(restatements, name="restatements")


def deltas_list(
    context: typer.Context,
    bureau: Annotated[str | None, typer.Option(metavar="BUREAU", help="Only this bureau's: code or name.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="PERIOD", help="The first period; by default all.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """List the deltas that wait for their bureau's word: one for each later opening, closing and cumulative."""
    from disclosure_etl.deltas import propose
    from flows.carried_screen import show_deltas

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    code = _bureau(session, bureau) if bureau else None
    found = propose(office, chosen, read_period(first) if first else None, [code] if code else None)
    if json:
        from disclosure_etl.reports.contract import delta_object

        print_json([delta_object(one) for one in found])
    elif not found:
        session.say("没有待确认的差额。", "No deltas wait to be confirmed.")
    else:
        show_deltas(session, chosen, found)
    raise typer.Exit(NEEDS_PERSON if found else CLEAN)


def deltas_confirm(context: typer.Context, bureau: Bureau, reason: Reason = "", by: By = "", family: Family = None, json: AsJson = False) -> None:  # fmt: skip
    """Put all of a bureau's deltas into force at its word; each period concerned gets one more return."""
    from disclosure_etl.decisions import Word
    from disclosure_etl.deltas import confirm
    from disclosure_etl.reports.contract import delta_object
    from disclosure_etl.reports.publishing import publish
    from flows.commands.signing import show_notices

    session: Session = context.obj
    chosen = family or session.settings.family
    word = Word(by or session.settings.actor, reason)
    done = confirm(session.office, chosen, _bureau(session, bureau), word)
    notices = publish(session.office, done.followed.consolidations)
    again = [one.period for one in done.followed.consolidations]
    if json:
        left = [{"period": code, "zh": why.zh, "en": why.en} for code, why in done.left]
        confirmed = [delta_object(one) for one in done.confirmed]
        print_json({"confirmed": confirmed, "left": left, "judged_again": again})
    else:
        periods = session.listed(dict.fromkeys(one.period for one in done.confirmed))
        session.say(
            f"已确认 {len(done.confirmed)} 处差额({periods});重新判定并固化:{'、'.join(again) or '无'}",
            f"{len(done.confirmed)} deltas confirmed ({periods}); judged again and frozen: {', '.join(again) or 'nothing'}",
        )
        for code, why in done.left:
            session.say(f"{code} 未确认:{why.zh}", f"{code} is left: {why.en}")
        show_notices(session, notices)
    raise typer.Exit(NEEDS_PERSON if done.left or done.followed.faults else CLEAN)


def restatements_add(
    context: typer.Context,
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The period whose figure differs.")],
    bureau: Bureau,
    indicator: Annotated[str, typer.Argument(metavar="INDICATOR", help="Its code, such as applications.opening.")],
    amount: Annotated[str, typer.Option(metavar="NUMBER", help="By how much it differs from what was accepted: 2 or -2.")],
    code: Annotated[str, typer.Option(metavar="CODE", help="recount, earlier_error, merger, transfer or definition.")],
    column: Annotated[str | None, typer.Option(metavar="COLUMN", help="Where the figure is carried over in several.")] = None,
    reason: Reason = "",
    by: By = "",
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Book a coded amount between an accepted figure and the opening or cumulative that is carried over from it."""
    from disclosure_etl.decisions import Word
    from disclosure_etl.restated import Wanted, restate

    session: Session = context.obj
    wanted = Wanted(_bureau(session, bureau), indicator, amount, code, column)
    word = Word(by or session.settings.actor, reason)
    done = restate(session.office, family or session.settings.family, read_period(period), wanted, word)
    _show(session, ("已记录", "recorded"), done, json)


def restatements_withdraw(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The restatement's number, as 'restatements list' shows it.")],
    reason: Reason = "",
    by: By = "",
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Take a restatement back."""
    from disclosure_etl.decisions import Word
    from disclosure_etl.restated import withdraw

    session: Session = context.obj
    word = Word(by or session.settings.actor, reason)
    done = withdraw(session.office, family or session.settings.family, number, word)
    _show(session, ("已撤销", "withdrawn"), done, json)


def restatements_list(
    context: typer.Context,
    period: Annotated[str | None, typer.Argument(metavar="PERIOD", help="Only of this period.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """List the restatements that stand."""
    from disclosure_etl.reports.contract import restatement_object
    from flows.carried_screen import show_restatements

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    found = office.warehouse.restatements(chosen, [read_period(period)] if period else None)
    if json:
        print_json([restatement_object(one) for one in found])
    elif not found:
        session.say("没有调整。", "There are no restatements.")
    else:
        show_restatements(session, found)
    raise typer.Exit(CLEAN)


def _bureau(session: Session, written: str) -> str:
    """The code of the bureau that has this code or name, at whatever time."""
    from schemas.errors import UserError

    found = session.office.bureaus.find(written, None)
    if found is None:
        known = "、".join(session.office.bureaus.known())
        raise UserError(
            f"没有名为或代码为「{written}」的单位;已有:{known}。", f"There is no bureau '{written}'; known: {known}."
        )
    return found.code


def _show(session: Session, verb: tuple[str, str], done: Restated, json: bool) -> None:
    from disclosure_etl.reports.contract import restatement_object
    from disclosure_etl.reports.publishing import publish
    from flows.commands.signing import show_notices
    from schemas.values import figure_text

    notices = publish(session.office, done.followed.consolidations)
    one, again = done.restatement, [each.period for each in done.followed.consolidations]
    if json:
        print_json({**restatement_object(one), "judged_again": again})
    else:
        amount = figure_text(one.amount, one.scale)
        session.say(
            f"{verb[0]}:第 {one.number} 号调整({one.bureau},{one.period},{one.indicator}/{one.column},{amount},"
            f"{one.code.label_zh}:{one.reason});重新判定并固化:{'、'.join(again) or '无'}",
            f"{verb[1]}: restatement {one.number} ({one.bureau}, {one.period}, {one.indicator}/{one.column}, {amount}, "
            f"{one.code.label_en}: {one.reason}); judged again and frozen: {', '.join(again) or 'nothing'}",
        )
        show_notices(session, notices)
    raise typer.Exit(NEEDS_PERSON if done.followed.faults else CLEAN)

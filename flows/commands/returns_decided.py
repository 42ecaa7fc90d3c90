"""Commands about returns as a whole: what came of a period, and sending back, withdrawing, reinstating. For the steward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json, read_period

if TYPE_CHECKING:
    from disclosure_etl.returned import DecidedReturn
    from schemas.returns import ReturnAction, StoredReturn

Code = Annotated[str, typer.Argument(metavar="PERIOD", help="2014-05.")]
Digest = Annotated[
    str,
    typer.Argument(
        metavar="RETURN", help="The beginning of its digest, as 'returns list' shows it, or its file's name."
    ),
]
Reason = Annotated[str, typer.Option(help="Why.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who decides; by default whoever is logged in.")]
Family = Annotated[str | None, typer.Option(metavar="FAMILY", help="The form family; by default the office's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]
_SHOWN = 12  # signs of a digest that people copy


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    returns = typer.Typer(help="Returns as a whole.", no_args_is_help=True, rich_markup_mode=None)
    returns.command(name="list")(listed)
    returns.command(name="send-back")(send_back)
    returns.command(name="withdraw")(withdraw)
    returns.command(name="reinstate")(reinstate)
    returns.command(name="undo")(undo)
    app.add_typer(returns, name="returns")


def listed(
    context: typer.Context,
    period: Code,
    bureau: Annotated[str | None, typer.Option(metavar="BUREAU", help="Only this bureau's: code or name.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """List everything that came for a period, revision by revision, with where it stands and what was decided of it."""
    from disclosure_etl.blank_workbooks import bureau_called

    session: Session = context.obj
    office, chosen, wanted = session.office, family or session.settings.family, read_period(period)
    code = bureau_called(office, bureau, wanted).code if bureau else None
    found = office.warehouse.returns(chosen, wanted, code)
    decided = {one.submission: one for one in office.warehouse.return_decisions(chosen)}
    if json:
        print_json(
            [{**_object(one), "decision": decided[one.key].number if one.key in decided else None} for one in found]
        )
        raise typer.Exit(CLEAN)
    if not found:
        session.say(f"{wanted} 没有报表。", f"No return of {wanted} is stored.")
        raise typer.Exit(CLEAN)
    from rich.table import Table

    from flows.console import status_text

    table = Table(box=None, pad_edge=False)
    for zh, en in (("单位", "bureau"), ("修订号", "revision"), ("状态", "state"), ("收到", "received"), ("摘要", "digest"), ("文件", "file"), ("决定", "decision")):  # fmt: skip
        table.add_column(session.pick(zh, en), overflow="fold")
    zone = office.clock().tzinfo
    for one in found:
        word = decided.get(one.key)
        said = f"{word.number}: {word.reason} ({word.by})" if word else ""
        table.add_row(
            one.bureau or f"? {one.bureau_written}", str(one.revision), status_text(session, one.state.value),
            f"{one.received_at.astimezone(zone):%Y-%m-%d %H:%M}", one.digest[:_SHOWN], one.file, said,
        )  # fmt: skip
    session.console.print(table)
    raise typer.Exit(CLEAN)


def send_back(context: typer.Context, period: Code, which: Digest, reason: Reason = "", by: By = "", family: Family = None, json: AsJson = False) -> None:  # fmt: skip
    """Send a return back to its bureau to be corrected. It counts as before until the correction comes."""
    from schemas.returns import ReturnAction

    _decide(context.obj, ReturnAction.RETURN, period, which, reason, by, family, json)


def withdraw(context: typer.Context, period: Code, which: Digest, reason: Reason = "", by: By = "", family: Family = None, json: AsJson = False) -> None:  # fmt: skip
    """Take a return out at its bureau's word: it counts for nothing, and what it had replaced counts again."""
    from schemas.returns import ReturnAction

    _decide(context.obj, ReturnAction.WITHDRAW, period, which, reason, by, family, json)


def reinstate(context: typer.Context, period: Code, which: Digest, reason: Reason = "", by: By = "", family: Family = None, json: AsJson = False) -> None:  # fmt: skip
    """Let an earlier revision count again, as if it had come again now."""
    from schemas.returns import ReturnAction

    _decide(context.obj, ReturnAction.REINSTATE, period, which, reason, by, family, json)


def undo(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The decision's number, as 'returns list' shows it.")],
    reason: Reason = "",
    by: By = "",
    family: Family = None,
    json: AsJson = False,
) -> None:
    """Take one of these decisions back."""
    from disclosure_etl import returned
    from disclosure_etl.decisions import Word

    session: Session = context.obj
    word = Word(by or session.settings.actor, reason)
    _show(
        session,
        ("已撤销决定", "undone"),
        returned.undo(session.office, family or session.settings.family, number, word),
        json,
    )


def _decide(
    session: Session,
    action: ReturnAction,
    period: str,
    which: str,
    reason: str,
    by: str,
    family: str | None,
    json: bool,
) -> None:
    from disclosure_etl import returned
    from disclosure_etl.decisions import Word

    office, chosen = session.office, family or session.settings.family
    one = returned.return_by_digest(office.warehouse.returns(chosen, read_period(period)), which)
    done = returned.decide(office, action, one, Word(by or session.settings.actor, reason))
    verb, before = returned.VERBS[action], ("", "") if done.is_new else ("此前", "before ")
    _show(session, (f"{before[0]}已{verb.zh}", f"decided {before[1]}to {verb.en}"), done, json)


def _show(session: Session, verb: tuple[str, str], done: DecidedReturn, json: bool) -> None:
    from disclosure_etl.reports.publishing import publish
    from flows.commands.signing import show_notices

    again = [one.period for one in done.followed.consolidations]
    notices = publish(session.office, done.followed.consolidations)
    if json:
        print_json(
            {
                "decision": done.number,
                **_object(done.before),
                "state": done.now.value,
                "new": done.is_new,
                "judged_again": again,
            }
        )
    else:
        from flows.console import status_text

        one = done.before
        state = status_text(session, done.now.value)
        session.say(
            f"{verb[0]}:第 {done.number} 号({one.bureau},{one.period},{one.file}),现为{state};"
            f"重新判定并固化:{'、'.join(again) or '无'}",
            f"{verb[1]}: decision {done.number} ({one.bureau}, {one.period}, {one.file}), now {state}; judged again and "
            f"frozen: {', '.join(again) or 'nothing'}",
        )
        show_notices(session, notices)
    raise typer.Exit(NEEDS_PERSON if done.followed.faults else CLEAN)


def _object(one: StoredReturn) -> dict[str, object]:
    return {
        "bureau": one.bureau, "period": one.period, "revision": one.revision, "state": one.state.value, "file": one.file,
        "digest": one.digest, "received_at": one.received_at.isoformat(),
    }  # fmt: skip

"""Commands of the record of what was done: audit verify, audit list. For the auditor, and for whoever answers for a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json

if TYPE_CHECKING:
    from disclosure_etl.warehouse import ChainVerified, Event

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]
SHOWN = 16  # signs of a hash that people copy


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    audit = typer.Typer(help="The record of what was done.", no_args_is_help=True, rich_markup_mode=None)
    audit.command(name="verify")(audit_verify)
    audit.command(name="list")(audit_list)
    app.add_typer(audit, name="audit")


def audit_verify(
    context: typer.Context,
    anchor: Annotated[
        str | None,
        typer.Option(
            metavar="HASH",
            help="The hash of an event as it was printed then (12 signs or more); it must still be there.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Recompute the chain of events from the first on. A chain that was written anew lacks the hashes that were printed before."""
    from disclosure_etl.warehouse.audit import SHORTEST_ANCHOR
    from schemas.errors import UserError

    session: Session = context.obj
    if anchor is not None and (len(anchor) < SHORTEST_ANCHOR or set(anchor) - set("0123456789abcdef")):
        raise UserError(
            f"「{anchor}」不能作为锚点:请给出至少 {SHORTEST_ANCHOR} 位的十六进制散列值(小写),即当时印出的那一串。",
            f"'{anchor}' is no anchor: give at least {SHORTEST_ANCHOR} signs of a hash (0-9, a-f), as it was printed then.",
        )
    found = session.office.warehouse.audit_verify(anchor)
    if json:
        broken = found.broken
        told = (
            {"event": broken.number, "what": broken.what, "expected": broken.expected, "seen": broken.seen}
            if broken
            else None
        )
        print_json({"events": found.events, "head": found.head, "broken": told, "anchored": found.anchored})
    else:
        _show_verified(session, found)
    raise typer.Exit(CLEAN if found.broken is None and found.anchored is not False else NEEDS_PERSON)


def _show_verified(session: Session, found: ChainVerified) -> None:
    if found.broken is not None:
        one = found.broken
        session.say(
            f"✗ 记录链在第 {one.number} 条断开:{_WHAT[one.what][0]}应为 {one.expected},实为 {one.seen}。之前 {found.events} 条完好。"
            "有人绕过程序改动过数据库;请保存现状,与备份核对。",
            f"✗ The chain breaks at event {one.number}: its {_WHAT[one.what][1]} should be {one.expected} and is {one.seen}. The "
            f"{found.events} before it hold. Somebody changed the database past the program: keep it as it is, and compare with a "
            "backup.",
        )
    else:
        session.say(
            f"✓ 记录链完好:{found.events} 条,链头 {found.head}",
            f"✓ The chain holds: {found.events} events, head {found.head}",
        )
    if found.anchored is False:
        session.say(
            "✗ 锚点不在链中:自印出该值以来,记录链被重写过,或印出的不是本库的值。",
            "✗ The anchor is not in the chain: the chain was written anew since it was printed, or it is of another warehouse.",
        )
    elif found.anchored:
        session.say("✓ 锚点在链中。", "✓ The anchor is in the chain.")


_WHAT = {
    "number": ("序号", "number"),
    "previous": ("上一条的散列值", "hash of the event before"),
    "hash": ("散列值", "hash"),
}


def audit_list(
    context: typer.Context,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Only events of this kind, such as freeze or waive.")
    ] = None,
    about: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only events about this, such as 'bureau-monthly 2014-05'.")
    ] = None,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="The newest N of them.")] = 50,
    json: AsJson = False,
) -> None:
    """List what was done: when, by whom, about what, with the hash of each event."""
    session: Session = context.obj
    found = session.office.warehouse.audit_events(kind, about)[-last:]
    if json:
        print_json([_object(one) for one in found])
        raise typer.Exit(CLEAN)
    if not found:
        session.say("没有这样的记录。", "There is no such event.")
    zone = session.office.schedule.timezone
    for one in found:
        session.say(*(_line(one, zone),) * 2)
    raise typer.Exit(CLEAN)


def _line(one: Event, zone: str) -> str:
    from zoneinfo import ZoneInfo

    at = one.at.astimezone(ZoneInfo(zone))
    details = " ".join(f"{name}={_short(value)}" for name, value in one.details.items())
    return f"#{one.number} {at:%Y-%m-%d %H:%M:%S} {one.kind} {one.subject or '-'} [{one.actor}] {details} {one.hash[:SHOWN]}"


def _short(value: object) -> str:
    match value:
        case dict() if set(value) == {"count", "sha256"}:
            return f"{value['count']}"
        case dict() | list():
            return f"({len(value)})"
        case str() if len(value) == 64:
            return value[:SHOWN]
    return f"{value}"


def _object(one: Event) -> dict[str, object]:
    return {
        "number": one.number, "at": one.at.isoformat(), "kind": one.kind, "actor": one.actor, "subject": one.subject,
        "details": dict(one.details), "previous": one.previous, "hash": one.hash,
    }  # fmt: skip

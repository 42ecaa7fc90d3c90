"""Commands of whoever answers for figures: sign-off, lock, reopen, release, releases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json, read_period

if TYPE_CHECKING:
    from disclosure_etl.hindrances import Hindrance
    from disclosure_etl.judgement import Followed
    from disclosure_etl.releasing import Planned
    from disclosure_etl.signing import Signed, YearDecided
    from schemas.periods import Period

Code = Annotated[str, typer.Argument(metavar="PERIOD", help="2014-05, 2014Q2, 2014H1 or 2014.")]
Year = Annotated[int, typer.Argument(metavar="YEAR", help="Such as 2014.")]
Family = Annotated[str | None, typer.Option(metavar="FAMILY", help="The form family; by default the office's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who decides, and answers for it.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(name="sign-off")(sign_off)
    for command in (lock, reopen, release, releases):
        app.command(name=command.__name__)(command)


def sign_off(
    context: typer.Context,
    period: Code,
    by: By,
    second: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The second person, where the office asks for two (settings.yaml: sign_off)."
        ),
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What is to be said with it.")] = "",
    missing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES", help="The bureaus that are missing, by name: signed in spite of it. May be repeated."
        ),
    ] = None,
    acknowledge: Annotated[
        str, typer.Option(metavar="REASON", help="Why the warnings that nobody waived may stand, all of them.")
    ] = "",
    without_held: Annotated[
        bool, typer.Option("--without-held", help="Leave held blocks out of the final figures.")
    ] = False,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """Sign the newest version of a period off: it is final from then on. What stands in the way is listed."""
    from disclosure_etl import signing
    from disclosure_etl.reports.publishing import publish, table_path

    session: Session = context.obj
    office, chosen, wanted = session.office, family or session.settings.family, read_period(period)
    wish = signing.Wish(by, second, note, _missing(session, missing or [], wanted), acknowledge, without_held)
    done = signing.sign_off(office, chosen, wanted, wish)
    frozen = done.followed.consolidations if done.followed else ()
    notices = publish(office, (done.version, *frozen)) if done.signed else ()
    if json:
        print_json(_signed_object(session, done))
    elif done.signed is None:
        _show_hindrances(session, done.hindrances, (f"{wanted} 不能签发", f"{wanted} cannot be signed off"))
    else:
        _show_signed(session, done)
        table = table_path(office, done.version)
        session.say(f"汇总表:{table}", f"table: {table}")
        show_notices(session, notices)
    raise typer.Exit(CLEAN if done.signed is not None else NEEDS_PERSON)


def _missing(session: Session, written: Sequence[str], period: Period) -> frozenset[str]:
    from disclosure_etl.blank_workbooks import bureau_called

    names = [name for text in written for name in re.split(r"[,,、;;\s]+", text) if name]
    return frozenset(bureau_called(session.office, name, period).code for name in names)


def _head(session: Session) -> dict[str, Any] | None:
    head = session.office.warehouse.audit_head()
    return {"number": head.number, "hash": head.hash} if head else None


def _say_head(session: Session) -> None:
    if (head := session.office.warehouse.audit_head()) is not None:
        session.say(
            f"记录链链头:第 {head.number} 条 {head.hash}", f"head of the record: event {head.number} {head.hash}"
        )


def _hindrance_objects(hindrances: Sequence[Hindrance]) -> list[dict[str, Any]]:
    return [{"code": one.code, "bureau": one.bureau, "zh": one.message.zh, "en": one.message.en} for one in hindrances]


def _frozen_anew(followed: Followed | None) -> list[str]:
    return [one.period for one in followed.consolidations] if followed else []


def _signed_object(session: Session, done: Signed) -> dict[str, Any]:
    one, signed, zone = done.version, done.signed, session.office.clock().tzinfo
    return {
        "family": one.family, "period": one.period, "version": one.version, "status": one.status.value,
        "signed": signed is not None, "new": done.is_new, "by": signed.by if signed else None,
        "second": signed.second if signed else None, "signed_at": signed.at.astimezone(zone).isoformat() if signed else None,
        "note": signed.note if signed else None, "acknowledged": list(signed.acknowledged) if signed else [],
        "without_held": one.without_held, "content_hash": one.content_hash, "audit": _head(session),
        "hindrances": _hindrance_objects(done.hindrances), "frozen_anew": _frozen_anew(done.followed),
    }  # fmt: skip


def _show_hindrances(session: Session, hindrances: Sequence[Hindrance], what: tuple[str, str]) -> None:
    session.say(f"{what[0]},还有 {len(hindrances)} 件事:", f"{what[1]} yet; {len(hindrances)} things stand in the way:")
    for one in hindrances:
        session.console.print(f"  ✗ {one.message.in_language(session.language)}", markup=False)


def _show_signed(session: Session, done: Signed) -> None:
    one, signed = done.version, done.signed
    assert signed is not None
    who = session.listed(name for name in (signed.by, signed.second) if name)
    day = f"{signed.at.astimezone(session.office.clock().tzinfo):%Y-%m-%d}"
    verb = ("已签发", "signed off") if done.is_new else ("此前已签发", "was signed off before")
    session.say(
        f"{verb[0]}:{one.period} 第 {one.version} 版为终稿({who},{day})",
        f"{verb[1]}: {one.period}, version {one.version}, is final ({who}, {day})",
    )
    if signed.note:
        session.say(f"  {signed.note}", f"  {signed.note}")
    if again := _frozen_anew(done.followed):
        session.say(f"随之重新固化:{'、'.join(again)}", f"frozen anew with it: {', '.join(again)}")
    session.say(f"内容散列值:{one.content_hash}", f"content hash: {one.content_hash}")
    _say_head(session)


def lock(
    context: typer.Context, year: Year, by: By, reason: Reason, family: Family = None, json: AsJson = False
) -> None:
    """Lock a year whose every period is final: from then on nothing of it changes what counts."""
    from disclosure_etl import signing

    session: Session = context.obj
    chosen = family or session.settings.family
    done = signing.lock_year(session.office, chosen, year, by, reason)
    _tell_year(session, done, (chosen, year), json)


def reopen(
    context: typer.Context,
    year: Year,
    by: By,
    second: Annotated[str, typer.Option(metavar="NAME", help="The second person, another than --by.")],
    reason: Reason,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """Reopen a locked year, by the word of two people: the returns that came for it meanwhile are judged."""
    from disclosure_etl import signing

    session: Session = context.obj
    chosen = family or session.settings.family
    done = signing.reopen_year(session.office, chosen, year, by, second, reason)
    _tell_year(session, done, (chosen, year), json)


def _tell_year(session: Session, done: YearDecided, of: tuple[str, int], json: bool) -> None:
    from disclosure_etl.reports.corrections import version_object
    from disclosure_etl.reports.publishing import publish

    frozen = done.followed.consolidations if done.followed else ()
    notices = publish(session.office, frozen)
    decided, zone = done.lock, session.office.clock().tzinfo
    if json:
        print_json(
            {
                "family": of[0], "year": of[1], "action": decided.action if decided else None, "new": done.is_new,
                "by": decided.by if decided else None, "second": decided.second if decided else None,
                "reason": decided.reason if decided else None, "at": decided.at.astimezone(zone).isoformat() if decided else None,
                "hindrances": _hindrance_objects(done.hindrances),
                "relied_on": [{"period": one.period, **version_object(one, zone)} for one in done.relied_on],
                "frozen_anew": _frozen_anew(done.followed), "notices": [str(path) for path in notices],
                "audit": _head(session),
            }
        )  # fmt: skip
    elif done.hindrances:
        _show_hindrances(session, done.hindrances, (f"{of[0]} {of[1]} 年不能这样做", f"{of[0]} {of[1]}: not possible"))
    else:
        _show_year(session, done, of)
        show_notices(session, notices)
        _say_head(session)
    raise typer.Exit(NEEDS_PERSON if done.hindrances else CLEAN)


def _show_year(session: Session, done: YearDecided, of: tuple[str, int]) -> None:
    locked = done.lock is not None and done.lock.action == "lock"
    zh, en = ("已锁定", "is locked") if locked else ("是开放的", "is open")
    again = "" if done.is_new else "(此前已如此)"
    session.say(f"{of[0]} {of[1]} 年{zh}{again}", f"{of[0]} {of[1]} {en}" + ("" if done.is_new else " (as before)"))
    for one in done.relied_on:
        released = one.released_at is not None
        session.say(
            f"  {one.period} 第 {one.version} 版{'已发布' if released else '曾锁定'}",
            f"  {one.period}, version {one.version}, {'is public' if released else 'was locked'}",
        )
    if done.relied_on:
        session.say(
            "以上各版如有变动,须出具更正说明(新版固化时自动写出,或用 disclosure-etl correction-notice)。",
            "Where any of these changes, a correction notice is due: it is written when the new version is frozen, or by "
            "'disclosure-etl correction-notice'.",
        )
    if frozen := _frozen_anew(done.followed):
        session.say(f"重新判定并固化:{'、'.join(frozen)}", f"judged again and frozen: {', '.join(frozen)}")


def show_notices(session: Session, notices: Sequence[object]) -> None:
    """The correction notices that were just written, in full."""
    for path in notices:
        session.say(f"更正说明:{path}", f"correction notice (更正说明): {path}")
        session.console.print(path.read_text(encoding="utf-8"), markup=False, end="")  # type: ignore[attr-defined]


def release(context: typer.Context, period: Code, by: By, family: Family = None, json: AsJson = False) -> None:
    """Record that the newest final version of a period was given to the public. Refused before its moment."""
    from disclosure_etl import releasing

    session: Session = context.obj
    done = releasing.release(session.office, family or session.settings.family, read_period(period), by)
    one, at = done.version, done.at.astimezone(session.office.clock().tzinfo)
    if json:
        print_json(
            {
                "family": one.family, "period": one.period, "version": one.version, "content_hash": one.content_hash,
                "by": done.by, "at": at.isoformat(), "new": done.is_new,
                "newer": done.newer.version if done.newer else None, "audit": _head(session),
            }
        )  # fmt: skip
    else:
        verb = ("已记录发布", "released") if done.is_new else ("此前已发布", "was released before")
        session.say(
            f"{verb[0]}:{one.period} 第 {one.version} 版({done.by},{at:%Y-%m-%d %H:%M})",
            f"{verb[1]}: {one.period}, version {one.version} ({done.by}, {at:%Y-%m-%d %H:%M})",
        )
        if done.newer is not None:
            session.say(
                f"注意:第 {done.newer.version} 版已有更正,尚未签发。",
                f"Note: version {done.newer.version} corrects it, and is signed by nobody yet.",
            )
        session.say(f"内容散列值:{one.content_hash}", f"content hash: {one.content_hash}")
        _say_head(session)
    raise typer.Exit(CLEAN)


def releases(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--first", metavar="PERIOD", help="The first period; by default all.")] = None,
    last: Annotated[str | None, typer.Option("--last", metavar="PERIOD", help="The last period.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """List the release calendar: when each period may be public, its newest version, what was released, what is overdue."""
    from disclosure_etl import releasing

    session: Session = context.obj
    span = [read_period(code) if code else None for code in (first, last)]
    found = releasing.release_calendar(session.office, family or session.settings.family, *span)
    if json:
        print_json([_planned_object(session, one) for one in found])
    elif not found:
        session.say("没有时期。", "There is no period.")
    else:
        _show_calendar(session, found)
    raise typer.Exit(NEEDS_PERSON if any(one.is_overdue or one.is_superseded for one in found) else CLEAN)


def _planned_object(session: Session, one: Planned) -> dict[str, Any]:
    released, zone = one.released, session.office.clock().tzinfo
    at = released.released_at if released is not None else None
    return {
        "period": one.period.code,
        "planned": one.moment.isoformat() if one.moment else None,
        "version": one.newest.version if one.newest else None,
        "status": one.newest.status.value if one.newest else None,
        "final": one.final.version if one.final else None,
        "released": one.released.version if one.released else None,
        "released_at": at.astimezone(zone).isoformat() if at else None,
        "released_by": one.released.released_by if one.released else None,
        "embargoed": one.is_embargoed,
        "overdue": one.is_overdue,
        "superseded": one.is_superseded,
    }


def _show_calendar(session: Session, found: Sequence[Planned]) -> None:
    from rich.table import Table

    from disclosure_etl.reports.corrections import FIRM

    zone = session.office.clock().tzinfo
    table = Table(box=None, pad_edge=False)
    heads = (("时期", "period"), ("计划发布", "planned"), ("最新版本", "newest"), ("已发布", "released"), ("", ""))
    for head in heads:
        table.add_column(session.pick(*head))
    for one in found:
        newest = session.pick("未汇总", "none")
        if one.newest is not None:
            newest = f"v{one.newest.version} {session.pick(FIRM[one.newest.status], one.newest.status.value)}"
        public = ""
        if one.released is not None and one.released.released_at is not None:
            public = f"v{one.released.version} {one.released.released_at.astimezone(zone):%Y-%m-%d}"
        told = ""
        if one.is_overdue:
            told = session.pick("逾期未发布", "overdue")
        elif one.is_superseded:
            told = session.pick("有新终稿待发布", "a newer final version waits")
        elif one.is_embargoed and one.released is None:
            told = session.pick("发布前不得公开", "embargoed")
        table.add_row(one.period.code, f"{one.moment:%Y-%m-%d %H:%M}" if one.moment else "", newest, public, told)
    session.console.print(table)

"""Commands of the desk's accounts and tokens: listed, made, changed, ended. For the operator.

Not here: starting the desk (`desk`), the administrator's pages of the same (`disclosure_etl.desk.people_pages`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, Session, print_json

if TYPE_CHECKING:
    from schemas.people import Person, Token

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="The name to sign in with.")]


def register(desk: typer.Typer) -> None:
    """Add these commands to those of the desk."""
    for name, command in (
        ("users", users),
        ("create-user", create_user),
        ("set-password", set_password),
        ("close-user", close_user),
        ("open-user", open_user),
        ("tokens", tokens),
        ("create-token", create_token),
        ("revoke-token", revoke_token),
    ):
        desk.command(name=name)(command)


def users(context: typer.Context, json: AsJson = False) -> None:
    """List the accounts: role, bureau, whether open, how they sign in, when last seen."""
    session: Session = context.obj
    warehouse = session.office.warehouse
    found, last = warehouse.people(), warehouse.last_seen()
    if json:
        print_json([_account(one, last.get(one.login)) for one in found])
        raise typer.Exit(CLEAN)
    if not found:
        session.say("还没有任何账号。", "There is no account yet.")
        raise typer.Exit(CLEAN)
    ways = {
        "password": session.pick("密码", "password"),
        "oidc": session.pick("身份认证平台", "identity provider"),
    }
    columns = (("登录名", "login"), ("姓名", "name"), ("角色", "role"), ("单位", "bureau"), ("可用", "open"), ("登录方式", "signs in with"), ("最近使用", "last seen"))  # fmt: skip
    rows = []
    for one in found:
        way = ways["password" if one.has_password else "oidc"]
        if not one.has_password and not one.bound:
            way += session.pick("(未绑定)", " (not yet)")
        is_open = session.pick("是", "yes") if one.active else session.pick("已停用", "closed")
        seen = _moment(session, last.get(one.login))
        rows.append((one.login, one.name, one.role.value, one.bureau or "—", is_open, way, seen))
    _show(session, columns, rows)
    raise typer.Exit(CLEAN)


def _account(one: Person, seen: datetime | None) -> dict[str, object]:
    return {
        "login": one.login, "name": one.name, "role": one.role.value, "bureau": one.bureau, "open": one.active,
        "signs_in_with": "password" if one.has_password else "oidc", "bound": one.bound, "must_change": one.must_change,
        "made_at": one.made_at.isoformat(), "last_seen": seen.isoformat() if seen else None,
    }  # fmt: skip


def _moment(session: Session, at: datetime | None) -> str:
    return f"{at.astimezone(session.office.clock().tzinfo):%Y-%m-%d %H:%M}" if at else "—"


def _show(session: Session, columns: tuple[tuple[str, str], ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for zh, en in columns:
        table.add_column(session.pick(zh, en), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    session.console.print(table)


def _password(session: Session) -> str:
    """A password, asked for, or the first line of standard input where that is no terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    asked = session.pick("密码", "Password")
    return typer.prompt(asked, hide_input=True, confirmation_prompt=session.pick("再输一次", "Once more"))


def _bureau(session: Session, written: str) -> str:
    from disclosure_etl.blank_workbooks import bureau_called
    from schemas.periods import Period

    office = session.office
    frequency = office.forms.frequency_of(office.settings.family)
    return bureau_called(office, written, Period.of_day(office.clock().date(), frequency)).code


def create_user(
    context: typer.Context,
    login: Login,
    name: Annotated[str, typer.Option(metavar="NAME", help="Their own name: decisions are recorded by it.")],
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="steward, head, reporter, auditor or administrator.")
    ] = "administrator",
    bureau: Annotated[str | None, typer.Option(metavar="BUREAU", help="The bureau of a reporter.")] = None,
    oidc: Annotated[
        bool, typer.Option("--oidc", help="No password: they sign in with the identity provider of settings.yaml.")
    ] = False,
) -> None:
    """Make an account. The password is asked for, or read from standard input where that is no terminal."""
    from disclosure_etl.desk.accounts import NewPerson, create
    from schemas.errors import UserError
    from schemas.people import Role

    session: Session = context.obj
    office = session.office
    if role not in Role.__members__.values():
        raise UserError(
            f"角色「{role}」不存在;请写 {'、'.join(Role)}。", f"There is no role '{role}'; write {', '.join(Role)}."
        )
    code = _bureau(session, bureau) if bureau else None
    password = None if oidc else _password(session)
    made = create(office, NewPerson(login, name, Role(role), code), password, must_change=False)
    session.say(
        f"已建立账号 {made.login}({made.name},{made.role})。", f"made account {made.login} ({made.name}, {made.role})."
    )


def set_password(
    context: typer.Context,
    login: Login,
    oidc: Annotated[
        bool,
        typer.Option(
            "--oidc",
            help="None any more: the account is bound to whom the identity provider sends next under this login.",
        ),
    ] = False,
) -> None:
    """Give an account another password, asked for or read from standard input; it is signed out everywhere."""
    from disclosure_etl.desk import accounts

    session: Session = context.obj
    one = accounts.person_called(session.office, login)
    if oidc:
        if accounts.use_provider(session.office, one):
            session.say(
                f"{one.login} 不再用密码,下次经身份认证平台登录时绑定;已在各处退出。",
                f"{one.login} has no password any more, and is bound when the identity provider next sends them; signed out everywhere.",
            )
        else:
            session.say(f"{one.login} 已在等待绑定。", f"{one.login} waits to be bound already.")
    elif accounts.set_password(session.office, one, _password(session), must_change=False):
        session.say(
            f"{one.login} 的密码已更改,已在各处退出。",
            f"{one.login} has another password, and is signed out everywhere.",
        )
    else:
        session.say(f"{one.login} 的密码已是这个。", f"That is the password of {one.login} already.")


def close_user(context: typer.Context, login: Login) -> None:
    """Close an account: nobody signs in by it, and it is signed out everywhere. What it did stays recorded by its name."""
    _set_open(context.obj, login, False)


def open_user(context: typer.Context, login: Login) -> None:
    """Open a closed account again."""
    _set_open(context.obj, login, True)


def _set_open(session: Session, login: str, wanted: bool) -> None:
    from disclosure_etl.desk.accounts import person_called

    one = person_called(session.office, login)
    state = ("可用", "open") if wanted else ("停用", "closed")
    if one.active is wanted:
        session.say(f"{one.login} 已是{state[0]}状态。", f"{one.login} is {state[1]} already.")
        return
    session.office.warehouse.change_person(one.key, {"active": wanted})
    session.say(f"{one.login} 现为{state[0]}。", f"{one.login} is {state[1]} now.")


def tokens(context: typer.Context, json: AsJson = False) -> None:
    """List the tokens of the submission API, the newest first. None of them is shown itself."""
    session: Session = context.obj
    found, now = session.office.warehouse.tokens(), session.office.clock()
    if json:
        print_json([_token(one, now) for one in found])
        raise typer.Exit(CLEAN)
    if not found:
        session.say("还没有任何令牌。", "There is no token yet.")
        raise typer.Exit(CLEAN)
    columns = (("编号", "key"), ("名称", "name"), ("单位", "bureau"), ("颁发", "issued"), ("颁发人", "by"), ("有效至", "ends"), ("状态", "state"))  # fmt: skip
    rows = []
    for one in found:
        state = session.pick("有效", "in force") if one.is_good(now) else session.pick("已失效", "not in force")
        moments = (_moment(session, one.made_at), one.made_by, _moment(session, one.ends_at))
        rows.append((str(one.key), one.name, one.bureau, *moments, state))
    _show(session, columns, rows)
    raise typer.Exit(CLEAN)


def _token(one: Token, now: datetime) -> dict[str, object]:
    return {
        "key": one.key, "name": one.name, "bureau": one.bureau, "made_by": one.made_by, "made_at": one.made_at.isoformat(),
        "ends_at": one.ends_at.isoformat() if one.ends_at else None,
        "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None, "in_force": one.is_good(now),
    }  # fmt: skip


def create_token(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="By which it is known later, such as the sending system.")
    ],
    bureau: Annotated[str, typer.Option(metavar="BUREAU", help="The bureau that is sent for: code or name.")],
    ends: Annotated[str, typer.Option(metavar="DAY", help="The last day on which it may be used.")] = "",
    json: AsJson = False,
) -> None:
    """Make a token of a bureau. It is printed once, and kept by nobody here."""
    from disclosure_etl.desk.tokens import end_of, issue
    from schemas.errors import Message

    session: Session = context.obj
    office = session.office
    secret, made = issue(office, name, _bureau(session, bureau), end_of(office.clock(), ends))
    if json:
        print_json({**_token(made, office.clock()), "token": secret})
        raise typer.Exit(CLEAN)
    session.say(secret, secret)
    told = Message(
        f"第 {made.key} 号令牌「{made.name}」({made.bureau}),只显示这一次。",
        f"Token number {made.key}, '{made.name}' ({made.bureau}), shown this once.",
    )
    session.warn(told)  # apart from the token, so that it can be taken as it is


def revoke_token(
    context: typer.Context,
    key: Annotated[int, typer.Argument(metavar="KEY", help="The token's number, as 'desk tokens' shows it.")],
) -> None:
    """Make a token unusable, at once and for good."""
    session: Session = context.obj
    if session.office.warehouse.revoke_token(key):
        session.say(f"第 {key} 号令牌已作废。", f"Token number {key} is revoked.")
    else:
        session.say(f"第 {key} 号令牌此前已作废。", f"Token number {key} is revoked already.")

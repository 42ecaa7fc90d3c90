"""Serving the desk: the application of an office behind a web server, until it is stopped.

Not here: what it shows (`disclosure_etl.desk`).
"""

from __future__ import annotations

import gc
import socket
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.shown import compile_templates
from disclosure_etl.desk.standing import Desk
from disclosure_etl.office import Office
from flows.running import run_period
from flows.session import Session
from schemas.errors import UserError


def serve(session: Session, host: str | None, port: int | None) -> None:
    """Serve the desk until it is stopped.

    Raises:
        UserError: nothing can be listened on there, or nobody has an account yet.
    """
    office = session.office
    chosen = office.settings.file.desk
    address, number = host or chosen.host, port if port is not None else chosen.port
    _require_somebody(office)
    desk = Desk(office, run_period)
    listening = listen(address, number)
    app = create_app(desk)
    _settle()
    shown = f"[{address}]" if ":" in address else address
    where = f"http://{shown}:{listening.getsockname()[1]}/"
    session.say(f"审核台:{where}  (Ctrl-C 停止)", f"The desk: {where}  (stop it with Ctrl-C)")
    try:
        uvicorn.Server(configured(app, chosen.proxies)).run(sockets=[listening])
    finally:
        listening.close()


def _settle() -> None:
    """Do what takes long once before the first visitor comes.

    What is there by now stays, and is not looked through for garbage any more. Garbage is then looked for often and in little, since
    all pages wait meanwhile: by the first threshold of `cli.run`, which suits a command that ends, they waited up to 190 ms. All is
    looked through as seldom as there, every ten million objects.
    """
    compile_templates()
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 250)


def configured(app: FastAPI, proxies: Sequence[str]) -> uvicorn.Config:
    """How the desk is served. A visitor's own address is taken from these proxies' word, and from nobody else's; requests are not
    logged, since their addresses would stand in files that nobody looks after."""
    return uvicorn.Config(
        app, log_level="warning", server_header=False, proxy_headers=bool(proxies), forwarded_allow_ips=list(proxies)
    )


def _require_somebody(office: Office) -> None:
    """Somebody can sign in.

    Raises:
        UserError: nobody has an account, or none that the ways to sign in are open to.
    """
    people, way = office.warehouse.people(), office.settings.file.desk
    if not people:
        raise UserError(
            "还没有任何账号;请先建立管理员:disclosure-etl desk create-user 登录名 --name 姓名",
            "Nobody has an account yet; make the administrator's first: disclosure-etl desk create-user LOGIN --name NAME",
        )
    if not any(one.active and (way.passwords if one.has_password else way.oidc is not None) for one in people):
        raise UserError(
            "没有人能登录:可用的账号都不能用 settings.yaml 所开的登录方式。请运行 disclosure-etl desk set-password 登录名"
            "(改用身份认证平台加 --oidc),或 disclosure-etl desk open-user 登录名。",
            "Nobody can sign in: no open account has a way that settings.yaml allows. Run 'disclosure-etl desk set-password LOGIN' "
            "(--oidc: with the identity provider), or 'disclosure-etl desk open-user LOGIN'.",
        )


def listen(address: str, number: int) -> socket.socket:
    """A bound socket, 0 being any free port.

    Raises:
        UserError: the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's algorithm on, and a page in two packets waits 40 ms for the first one's receipt.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, number))
    except OSError as error:
        listening.close()
        raise UserError(
            f"端口 {address}:{number} 不能使用({error.strerror})。请停掉占用它的程序,或用 --port 另选一个。",
            f"Port {address}:{number} cannot be used ({error.strerror}). Stop what uses it, or choose another with --port.",
        ) from error
    return listening

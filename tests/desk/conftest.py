"""An office with a desk: a month with everything in it that a steward meets, people of every role, clients and a real browser."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk.accounts import NewPerson, create
from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.standing import Desk
from disclosure_etl.office import Office
from flows.running import run_period
from schemas.people import Role
from schemas.periods import Period
from tests.factories import ZONE, default_form, make_office, return_bytes, send, send_month, some_figures, with_slip
from tests.ready_office import ReadyOffices

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
PASSWORD = "correct horse battery"
PEOPLE = {
    "wang": (Role.STEWARD, None),
    "zhao": (Role.STEWARD, None),
    "li": (Role.HEAD, None),
    "shen": (Role.AUDITOR, None),
    "admin": (Role.ADMINISTRATOR, None),
    "hd": (Role.REPORTER, "haidian"),
    "dc": (Role.REPORTER, "dongcheng"),
}


def fill(office: Office) -> None:
    """January with a slip, a missing bureau and a warning; February without anything amiss."""
    send_month(office, JANUARY, without=("yanqing",), changed={"haidian": with_slip()})
    run_period(office, office.settings.family, JANUARY)
    send_month(office, FEBRUARY)
    run_period(office, office.settings.family, FEBRUARY)


def enrol(office: Office) -> None:
    """An account of every role."""
    for login, (role, bureau) in PEOPLE.items():
        create(office, NewPerson(login, f"{login}的姓名", role, bureau), PASSWORD, must_change=False)


@dataclass
class Client:
    """Somebody at the desk: a client with their session, and the word that their forms carry."""

    http: TestClient
    csrf: str

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask for a page."""
        return self.http.get(path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """Send a form of our own pages."""
        return self.http.post(path, data={"csrf": self.csrf, **(data or {})}, **options)


NOW = datetime(2014, 3, 6, 9, tzinfo=ZONE)


def _opened(folder: Path, url: str | None) -> Office:
    return make_office(folder, url, NOW)


def _furnish(office: Office) -> None:
    fill(office)
    enrol(office)


@pytest.fixture
def office(ready_offices: ReadyOffices, tmp_path: Path) -> Iterator[Office]:
    """An office with two months in it, at the beginning of March 2014, on SQLite; `office_on` is for both databases."""
    made = ready_offices.copied(_opened, _furnish, tmp_path)
    yield made
    made.warehouse.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def office_on(request: pytest.FixtureRequest, ready_offices: ReadyOffices, tmp_path: Path) -> Iterator[Office]:
    """The same on each database: for what the databases may do in different ways."""
    on_server = request.param == "postgresql"
    if on_server and ready_offices.server.url is None:
        pytest.skip(ready_offices.server.reason)
    made = ready_offices.copied(_opened, _furnish, tmp_path, on_server=on_server)
    yield made
    made.warehouse.close()


@pytest.fixture(scope="module", autouse=True)
def _no_browser_after_a_file() -> Iterator[None]:
    yield
    from tests.desk.browsing import end  # which needs what stands here

    end()


@pytest.fixture
def app(office: Office) -> Iterator[FastAPI]:
    """Its desk."""
    desk = Desk(office, run_period)
    yield create_app(desk)
    desk.jobs.close()


def sign_in(app: FastAPI, login: str) -> Client:
    """Somebody signed in."""
    http = TestClient(app, base_url="http://desk", headers={"Origin": "http://desk"}, follow_redirects=False)
    answer = http.post("/login", data={"login": login, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    visitor = app.state.desk._visitor(http.cookies["disclosure_session"])
    assert visitor is not None
    return Client(http, visitor.csrf)


@pytest.fixture
def as_(app: FastAPI) -> Callable[[str], Client]:
    """Somebody at the desk, by login."""
    return lambda login: sign_in(app, login)


@pytest.fixture
def steward(app: FastAPI) -> Client:
    """A data steward at the desk."""
    return sign_in(app, "wang")


@pytest.fixture
def served(app: FastAPI) -> Iterator[str]:
    """The desk behind a real server; its address."""
    with serving(app) as address:
        yield address


class serving:  # noqa: N801 - used as a `with`
    """A real server of an application, on a port of its own."""

    def __init__(self, app: FastAPI) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listening]}, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.listening.close()


def haidian_corrected(office: Office) -> bytes:
    """Haidian's January as it should have been."""
    form = default_form()
    return return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form, 1), 2)


def send_correction(office: Office) -> None:
    """Haidian's corrected January arrives."""
    send(office, "haidian_2014-01_r2.xlsx", haidian_corrected(office))

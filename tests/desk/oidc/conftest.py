"""An office whose people sign in with an identity provider that is served on this machine, and a browser on its way there and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.calendar import StoryClock
from disclosure_etl.desk.accounts import NewPerson, create
from disclosure_etl.desk.app import create_app
from disclosure_etl.desk.standing import Desk
from disclosure_etl.office import Office
from disclosure_etl.settings import load_settings
from flows.running import run_period
from schemas.people import Role
from tests.desk.conftest import NOW, PASSWORD, serving
from tests.desk.oidc.identity_provider import CLIENT, SECRET, IdentityProvider

HOME = "http://desk"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """A provider that is served."""
    one = IdentityProvider()
    with serving(one.app()) as address:
        one.issuer = address
        yield one


def office_with(folder: Path, url: str | None, *lines: str, **environment: str) -> Office:
    """An office whose desk has these settings."""
    (folder / "config").mkdir(exist_ok=True)
    text = "office: {bureau: shiju}\ndesk:\n" + "".join(f"  {line}\n" for line in lines)
    (folder / "config" / "settings.yaml").write_text(text, encoding="utf-8")
    given = {"DESK_OIDC": SECRET, **({"DISCLOSURE_WAREHOUSE": url} if url else {}), **environment}
    return Office(load_settings(folder / "config", given, folder), StoryClock(NOW))


def lines_of(provider: IdentityProvider, home: str = HOME) -> tuple[str, ...]:
    """The desk's settings with that provider."""
    return (
        f"public_url: {home}", "oidc:", f"  issuer: {provider.issuer}", f"  client_id: {CLIENT}",
        "  client_secret: {secret: DESK_OIDC}", "  label_zh: 市统一身份认证", "  timeout_seconds: 2",
    )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path, provider: IdentityProvider, request: pytest.FixtureRequest) -> Iterator[Office]:
    """An office with that provider: an administrator with a password, and Sun, whom the provider may send. On each database where
    the test asks for `warehouse_url`, else on SQLite."""
    url = request.getfixturevalue("warehouse_url") if "warehouse_url" in request.fixturenames else None
    made = office_with(tmp_path, url, *lines_of(provider))
    create(made, NewPerson("admin", "王芳", Role.ADMINISTRATOR), PASSWORD, must_change=False)
    create(made, NewPerson("sun", "孙明", Role.STEWARD), None)
    yield made
    made.warehouse.close()


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    one = Desk(office, run_period)
    yield one
    one.jobs.close()


@pytest.fixture
def app(desk: Desk) -> FastAPI:
    return create_app(desk)


def browser(app: FastAPI) -> TestClient:
    return TestClient(app, base_url=HOME, headers={"Origin": HOME}, follow_redirects=False)


def sent(http: TestClient, next: str = "/") -> str:
    """On to the provider, and what it sends the browser back with."""
    on = http.get("/login/oidc", params={"next": next})
    assert on.status_code == 303, on.text
    back = httpx.get(on.headers["location"], follow_redirects=False, trust_env=False).headers["location"]
    assert back.startswith(f"{HOME}/login/oidc/callback?")
    return back


def signed_in(http: TestClient, next: str = "/") -> httpx.Response:
    return http.get(sent(http, next))


def is_in(http: TestClient) -> bool:
    return http.get("/account").status_code == 200


def refusals(office: Office) -> list[str]:
    return [one.details["why"] for one in office.warehouse.audit_events("sign_in_refused")]


def person(office: Office, login: str = "sun") -> Any:
    return office.warehouse.person_by_login(login)[0]

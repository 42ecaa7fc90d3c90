"""Every route by every role: what each gets is written down here, and a route without a row fails.

`own`: the reporter of Haidian asks for Haidian's; `other`: the reporter of Dongcheng asks for Haidian's.
"""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from disclosure_etl.desk.access import GRANTED, Need, need_of
from disclosure_etl.desk.app import ROOMS
from tests.desk.conftest import JANUARY, sign_in

# What a route takes, by method and path. A new route needs a row.
TABLE: dict[tuple[str, str], Need] = {
    ("GET", "/"): Need.SIGNED_IN,
    ("GET", "/login"): Need.OPEN,
    ("POST", "/login"): Need.OPEN,
    ("GET", "/login/oidc"): Need.OPEN,
    ("GET", "/login/oidc/callback"): Need.OPEN,
    ("POST", "/logout"): Need.SIGNED_IN,
    ("GET", "/language/{code}"): Need.OPEN,
    ("GET", "/account"): Need.SIGNED_IN,
    ("POST", "/account/password"): Need.SIGNED_IN,
    ("POST", "/account/sessions/end"): Need.SIGNED_IN,
    ("GET", "/months"): Need.SEE,
    ("GET", "/months/{code}"): Need.SEE,
    ("GET", "/months/{code}/cases"): Need.SEE,
    ("GET", "/months/{code}/cases/{failure}"): Need.SEE,
    ("POST", "/months/{code}/cases/{failure}/waive"): Need.DECIDE,
    ("POST", "/months/{code}/cases/{failure}/unwaive"): Need.DECIDE,
    ("POST", "/months/{code}/cases/{failure}/return"): Need.DECIDE,
    ("POST", "/months/{code}/cases/{failure}/unreturn"): Need.DECIDE,
    ("POST", "/months/{code}/cases/{failure}/assign"): Need.DECIDE,
    ("POST", "/months/{code}/cases/{failure}/comment"): Need.DECIDE,
    ("POST", "/months/{code}/acknowledge"): Need.DECIDE,
    ("GET", "/months/{code}/returns/{digest}/notice"): Need.SEE,
    ("GET", "/months/{code}/returns/{digest}/notice.docx"): Need.SEE,
    ("GET", "/months/{code}/returns/{digest}/workbook"): Need.SEE,
    ("POST", "/months/{code}/rerun"): Need.DECIDE,
    ("GET", "/runs/{key}"): Need.DECIDE,
    ("GET", "/months/{code}/upload"): Need.DECIDE,
    ("POST", "/months/{code}/upload"): Need.DECIDE,
    ("POST", "/runs/{key}/take"): Need.DECIDE,
    ("GET", "/own"): Need.OWN,
    ("GET", "/own/months/{code}"): Need.OWN,
    ("GET", "/own/template/{code}"): Need.OWN,
    ("POST", "/own/check"): Need.OWN,
    ("POST", "/own/send"): Need.OWN,
    ("GET", "/own/check"): Need.OWN,
    ("GET", "/own/send"): Need.OWN,
    ("GET", "/own/sent/{key}"): Need.OWN,
    ("POST", "/own/deltas"): Need.OWN,
    ("GET", "/own/returns/{code}/{digest}/notice"): Need.OWN,
    ("GET", "/own/returns/{code}/{digest}/notice.docx"): Need.OWN,
    ("GET", "/own/returns/{code}/{digest}/workbook"): Need.OWN,
    ("GET", "/api/v1/openapi.json"): Need.OPEN,
    ("POST", "/api/v1/submissions"): Need.TOKEN,
    ("GET", "/api/v1/submissions"): Need.TOKEN,
    ("GET", "/api/v1/submissions/{key}"): Need.TOKEN,
    ("GET", "/people"): Need.PEOPLE,
    ("POST", "/people"): Need.PEOPLE,
    ("POST", "/people/{key}"): Need.PEOPLE,
    ("POST", "/people/{key}/password"): Need.PEOPLE,
    ("POST", "/people/{key}/oidc"): Need.PEOPLE,
    ("POST", "/people/{key}/sessions/end"): Need.PEOPLE,
    ("POST", "/tokens"): Need.PEOPLE,
    ("POST", "/tokens/{key}/revoke"): Need.PEOPLE,
    ("GET", "/record"): Need.RECORD,
    ("POST", "/record/verify"): Need.RECORD,
    ("GET", "/months/{code}/sign-off"): Need.SIGN,
    ("POST", "/months/{code}/sign-off"): Need.SIGN,
    ("POST", "/months/{code}/sign-off/second"): Need.SIGN,
    ("GET", "/months/{code}/receipt"): Need.SEE,
    ("GET", "/months/{code}/table.xlsx"): Need.SEE,
    ("GET", "/calendar"): Need.SEE,
    ("POST", "/years/{year}/lock"): Need.SIGN,
    ("POST", "/years/{year}/reopen"): Need.SIGN,
    ("POST", "/years/{year}/reopen/second"): Need.SIGN,
}
# Who may have what, written down a second time: a role that is given more by mistake is found here.
MAY: dict[str, set[str]] = {
    "wang": {"signed_in", "see", "decide", "sign"},
    "li": {"signed_in", "see", "decide", "sign", "record"},
    "shen": {"signed_in", "see", "record"},
    "admin": {"signed_in", "people", "record"},
    "hd": {"signed_in", "own"},
}
PARTS = {"code": "2014-01", "key": "none", "year": "2014"}


def routes() -> list[tuple[str, APIRoute]]:
    found = [one for room in ROOMS for one in room.router.routes if isinstance(one, APIRoute)]
    return [(method, one) for one in found for method in sorted(one.methods)]


def test_the_desk_has_no_routes_but_those_of_its_rooms(app: FastAPI) -> None:
    assert len(app.routes) == len(ROOMS) + 1  # and the files of /static


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert {(method, one.path): need_of(one) for method, one in routes()} == TABLE


def test_every_role_is_written_down(app: FastAPI) -> None:
    warehouse = app.state.desk.office.warehouse
    for login, may in MAY.items():
        found = warehouse.person_by_login(login)
        assert found is not None
        assert {need.value for need in GRANTED[found[0].role]} == may, login


def _path(app: FastAPI, route: APIRoute) -> str:
    """The route's address: of a case and a return that there are, so that nobody is refused because there is nothing."""
    office, path = app.state.desk.office, route.path
    one = office.warehouse.failures(office.settings.family, JANUARY, "haidian")[0]
    [sent] = office.warehouse.returns(office.settings.family, JANUARY, "haidian")
    for name, value in {**PARTS, "failure": one.failure.id, "digest": sent.digest}.items():
        path = path.replace("{" + name + "}", value)
    return path


def test_nobody_gets_in_without_signing_in(app: FastAPI) -> None:
    from starlette.testclient import TestClient

    http = TestClient(app, base_url="http://desk", headers={"Origin": "http://desk"}, follow_redirects=False)
    for method, route in routes():
        if TABLE[method, route.path] not in (Need.OPEN, Need.TOKEN):
            answer = http.request(method, _path(app, route))
            assert answer.status_code == 303, (method, route.path, answer.status_code)
            assert answer.headers["location"].startswith("/login"), (method, route.path)


@pytest.mark.parametrize("login", MAY)
def test_every_route_by_role(app: FastAPI, login: str) -> None:
    client = sign_in(app, login)
    for method, route in routes():
        need = TABLE[method, route.path]
        if need in (Need.OPEN, Need.TOKEN) or route.path in ("/logout", "/account/sessions/end"):
            continue
        sent = {"data": {"csrf": client.csrf}} if method == "POST" else {}
        answer = client.http.request(method, _path(app, route), **sent)
        allowed = need.value in MAY[login]
        assert (answer.status_code != 403) == allowed, (login, method, route.path, answer.status_code)
        assert answer.status_code != 500, (login, method, route.path, answer.text[:500])

"""What a hostile visitor tries at the desk, and what must not be found anywhere after a day's use."""

from __future__ import annotations

import json
import logging
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk.accounts import NewPerson, create, set_password
from disclosure_etl.desk.app import ROOMS, create_app
from disclosure_etl.desk.door import inside
from disclosure_etl.desk.standing import Desk, digest_of_secret, takes_files
from disclosure_etl.desk.tokens import issue
from disclosure_etl.keeping import backup
from disclosure_etl.office import Office
from disclosure_etl.warehouse import Warehouse
from flows.desk_server import configured
from flows.running import run_period
from schemas.people import Role
from tests.desk.conftest import JANUARY, PASSWORD, Client, haidian_corrected, serving, sign_in
from tests.desk.test_door import visitor
from tests.desk.test_people import once

# -- nothing secret is left anywhere


def test_after_a_days_use_no_secret_is_found_anywhere(
    app: FastAPI,
    office: Office,
    as_: Callable[[str], Client],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: Any,
) -> None:
    caplog.set_level(logging.DEBUG)
    http = visitor(app)
    http.post("/login", data={"login": "wang", "password": "planted: a wrong password"})
    http.post("/login", data={"login": "planted: a password as login", "password": ""})
    http.post("/login", data={"login": "wang", "password": PASSWORD, "next": "/months"})
    first = http.cookies["disclosure_session"]
    wang = Client(http, app.state.desk._visitor(first).csrf)
    new = "planted: the next password"
    wang.post("/account/password", {"current": PASSWORD, "new": new, "again": new})
    admin = as_("admin")
    given = once(admin.post("/people", {"login": "sun", "name": "孙明", "role": "steward"}).text)
    reset = once(admin.post(f"/people/{office.warehouse.person_by_login('sun')[0].key}/password").text)
    token = once(admin.post("/tokens", {"name": "平台", "bureau": "haidian"}).text)
    sender = {"Authorization": f"Bearer {token}"}
    sent = visitor(app).post(
        "/api/v1/submissions", files={"file": ("r.xlsx", haidian_corrected(office))}, headers=sender
    )
    assert sent.status_code == 202
    visitor(app).get("/api/v1/submissions", headers={"Authorization": "Bearer planted: a wrong token"})
    wang.post("/logout")
    run_period(office, office.settings.family, JANUARY)
    secrets = [
        PASSWORD, new, given, reset, token, first, admin.http.cookies["disclosure_session"], "planted: a wrong password",
        "planted: a password as login", "planted: a wrong token",
    ]  # fmt: skip

    archive = tmp_path / "kept.zip"
    backup(office, archive)
    told = caplog.text + "".join(capfd.readouterr()) + json.dumps([dict(one.details) | {"subject": one.subject} for one in office.warehouse.audit_events()])  # fmt: skip
    with zipfile.ZipFile(archive) as copy:
        kept = {name: copy.read(name) for name in copy.namelist()}
    office.warehouse.close()
    for secret in secrets:
        assert secret not in told
        assert [name for name, data in kept.items() if secret.encode() in data] == []
        assert [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()] == []


# -- cookies


def with_settings(office: Office, **changed: Any) -> Desk:
    """A desk of an office with other settings of the desk."""
    file = office.settings.file
    settings = replace(office.settings, file=file.model_copy(update={"desk": file.desk.model_copy(update=changed)}))
    return Desk(replace(office, settings=settings), run_period)


def flags(answer: httpx.Response, name: str) -> set[str]:
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}=")]
    return {one.strip().lower() for one in cookie.split(";")[1:]}


def test_the_sessions_cookie_is_for_this_host_and_no_script(app: FastAPI) -> None:
    answer = visitor(app).post("/login", data={"login": "wang", "password": PASSWORD})

    assert {"httponly", "samesite=lax", "path=/"} <= flags(answer, "disclosure_session")
    assert not any(one.startswith("domain") for one in flags(answer, "disclosure_session"))


def test_by_tls_every_cookie_goes_by_tls_only(office: Office) -> None:
    desk = with_settings(office, https=True)
    http = TestClient(
        create_app(desk), base_url="https://desk", headers={"Origin": "https://desk"}, follow_redirects=False
    )
    answer = http.post("/login", data={"login": "wang", "password": PASSWORD})

    assert {"httponly", "samesite=lax", "path=/", "secure"} <= flags(answer, "__Host-disclosure_session")
    assert "secure" in flags(http.get("/language/en"), "language")
    assert http.get("/account").status_code == 200
    who = desk._visitor(http.cookies["__Host-disclosure_session"])
    assert "secure" in flags(http.post("/account/sessions/end", data={"csrf": who.csrf}), "__Host-disclosure_session")
    http.cookies.set("disclosure_session", "planted by another host of the domain")
    assert http.get("/account").status_code == 303
    desk.jobs.close()


# -- headers

HEADERS = {
    "content-security-policy": "default-src 'none'", "x-content-type-options": "nosniff", "x-frame-options": "DENY",
    "referrer-policy": "same-origin", "permissions-policy": "camera=()", "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}  # fmt: skip


def answers(app: FastAPI, office: Office) -> Iterator[tuple[str, httpx.Response]]:
    """An answer of every kind."""
    http, steward = visitor(app), sign_in(app, "wang")
    token, _ = issue(office, "平台", "haidian", None)
    bearer = {"Authorization": f"Bearer {token}"}
    yield "the door", http.get("/login")
    yield "on to the door", http.get("/months")
    yield "refused at the door", http.post("/login", data={"login": "wang", "password": "wrong"})
    yield "a page", steward.get("/months/2014-01")
    yield "a page that is not there", steward.get("/nowhere")
    yield "a page for others", steward.get("/people")
    yield "another site's form", visitor(app, Origin="http://elsewhere").post("/login")
    yield "in another way", steward.http.put("/months")
    yield "a download", steward.get("/months/2014-01/table.xlsx")
    yield (
        "a form that is too large",
        http.post("/login", content=b"x" * (2 << 20), headers={"Content-Type": "text/plain"}),
    )
    yield "something static", http.get("/static/desk.css")
    yield "nothing static", http.get("/static/nowhere.css")
    yield "out of the static folder", http.get("/static/..%2fapp.py")
    yield "the API", http.get("/api/v1/submissions", headers=bearer)
    yield "the API without a token", http.get("/api/v1/submissions")
    yield "the API's description", http.get("/api/v1/openapi.json")
    yield "nothing of the API", http.get("/api/v1/nowhere")


def test_every_kind_of_answer_has_the_headers(app: FastAPI, office: Office) -> None:
    for what, answer in answers(app, office):
        missing = [name for name, value in HEADERS.items() if not answer.headers.get(name, "").startswith(value)]
        assert missing == [], what
        assert (answer.headers.get("cache-control") == "no-store") is not answer.url.path.startswith("/static/"), what
        assert "server" not in answer.headers and "x-powered-by" not in answer.headers, what
        assert "access-control-allow-origin" not in answer.headers, what
        assert "unsafe" not in answer.headers["content-security-policy"], what


@pytest.mark.parametrize("path", ["/account", "/api/v1/submissions"])
def test_a_fault_has_them_too_and_tells_nothing(app: FastAPI, office: Office, path: str, monkeypatch: Any) -> None:
    token, _ = issue(office, "平台", "haidian", None)
    client = sign_in(app, "wang")

    def broken(*_: Any) -> Any:
        raise RuntimeError("planted: what only the log may say")

    monkeypatch.setattr(Warehouse, "sessions", broken)
    monkeypatch.setattr(Warehouse, "uploads", broken)
    http = TestClient(app, base_url="http://desk", raise_server_exceptions=False, cookies=client.http.cookies)
    answer = http.get(path, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 500 and "planted" not in answer.text
    assert all(answer.headers[name].startswith(value) for name, value in HEADERS.items())
    assert answer.headers["cache-control"] == "no-store"


# -- sizes


def test_a_form_is_no_file(app: FastAPI, steward: Client) -> None:
    large = "x" * (1 << 20)
    for http in (visitor(app), steward.http):
        answer = http.post("/login", data={"login": large, "password": large})
        assert answer.status_code == 413 and "表单过大" in answer.text
    assert visitor(app).post("/login", files={"file": ("x", large.encode())}).status_code == 413
    assert visitor(app).post("/login", data={"login": "wang", "password": "x" * 5000}).status_code == 422


def test_files_may_be_larger_where_they_are_sent(app: FastAPI, office: Office, as_: Callable[[str], Client]) -> None:
    token, _ = issue(office, "平台", "haidian", None)
    data = b"PK" + b"x" * (3 << 19)
    one = {"files": {"file": ("r.xlsx", data)}}

    assert as_("hd").post("/own/check", **one).status_code == 200
    assert as_("hd").post("/own/send", **one).status_code != 413
    assert as_("wang").post("/months/2014-01/upload", **one).status_code == 303
    sent = visitor(app).post("/api/v1/submissions", **one, headers={"Authorization": f"Bearer {token}"})
    assert sent.status_code == 202


def test_nobodys_file_is_read_before_it_is_known_whose_it_is() -> None:
    """FastAPI reads a form before it asks the guard, where a route has one among its parameters."""
    routes = [route for room in ROOMS for route in room.router.routes if "POST" in route.methods]
    concrete = [(route, route.path.replace("{code}", "2014-01")) for route in routes]

    assert {path for _, path in concrete if takes_files(path)} == {
        "/own/check", "/own/send", "/months/2014-01/upload", "/api/v1/submissions",
    }  # fmt: skip
    assert not any(route.body_field for route, path in concrete if takes_files(path))


# -- where a visitor comes from, and which host they name


class behind:  # noqa: N801 - used as a `with`
    """A desk as `serve` serves it, with these proxies."""

    def __init__(self, app: FastAPI, *proxies: str) -> None:
        self.serving = serving(app)
        self.serving.server = uvicorn.Server(configured(app, proxies))
        self.serving.thread = threading.Thread(
            target=self.serving.server.run, kwargs={"sockets": [self.serving.listening]}, daemon=True
        )

    def __enter__(self) -> str:
        return self.serving.__enter__()

    def __exit__(self, *_: object) -> None:
        self.serving.__exit__()


def addresses(app: FastAPI, office: Office, said: str | list[str], *proxies: str) -> list[str]:
    """From where a guess is noted to have come."""
    with behind(app, *proxies) as where:
        told = [("X-Forwarded-For", one) for one in ([said] if isinstance(said, str) else said)]
        headers = [("Origin", where), *told, ("Forwarded", "for=6.6.6.6"), ("X-Real-IP", "6.6.6.6")]
        httpx.post(f"{where}/login", data={"login": "wang", "password": "guess"}, headers=headers, trust_env=False)
    return [one.details["address"] for one in office.warehouse.audit_events("sign_in_refused")]


def test_nobody_says_where_they_come_from(app: FastAPI, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # what the server would take from the environment

    assert addresses(app, office, "6.6.6.6") == ["127.0.0.1"]


def test_a_proxy_that_is_not_ours_does_not_either(app: FastAPI, office: Office) -> None:
    assert addresses(app, office, "6.6.6.6", "10.0.0.5") == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("said", "seen"),
    [("7.7.7.7", "7.7.7.7"), ("6.6.6.6, 7.7.7.7", "7.7.7.7"), ("6.6.6.6, 7.7.7.7, 10.0.0.5", "7.7.7.7"),
     (["6.6.6.6", "7.7.7.7"], "7.7.7.7"), ("127.0.0.1, 7.7.7.7", "7.7.7.7"), ("", "127.0.0.1")],
)  # fmt: skip
def test_of_a_proxys_word_the_last_that_is_no_proxy_counts(
    app: FastAPI, office: Office, said: str | list[str], seen: str
) -> None:
    assert addresses(app, office, said, "127.0.0.1", "10.0.0.0/28") == [seen]


@pytest.mark.parametrize(
    "path", ["/months", "/months/", "/login", "/login/", "/static", "/", "/nowhere/", "/api/v1/submissions/"]
)
def test_no_answer_repeats_the_host_that_a_request_names(app: FastAPI, path: str) -> None:
    named = {"Host": "elsewhere.example", "X-Forwarded-Host": "elsewhere.example", "X-Forwarded-Proto": "https"}
    answer = visitor(app).get(path, headers=named)

    assert "elsewhere" not in answer.text + str(answer.headers)


def test_behind_a_proxy_that_names_another_host_the_public_address_counts(office: Office) -> None:
    desk = with_settings(office, public_url="http://desk.example")
    http = TestClient(create_app(desk), base_url="http://upstream:8080", follow_redirects=False)
    guess = {"login": "wang", "password": PASSWORD}

    assert http.post("/login", data=guess, headers={"Origin": "http://desk.example"}).status_code == 303
    assert http.post("/login", data=guess, headers={"Origin": "http://desk.example.evil"}).status_code == 403
    desk.jobs.close()


# -- being sent elsewhere

ELSEWHERE = [
    "//elsewhere.example", "///elsewhere.example", "/\\elsewhere.example", "\\\\elsewhere.example", "/\t/elsewhere.example",
    "/\n/elsewhere.example", "\t//elsewhere.example", "/\x00/elsewhere.example", "/\x0b/elsewhere.example", "http:elsewhere.example",
    "https://elsewhere.example", "javascript:alert(1)", "elsewhere.example", " //elsewhere.example", "/\u2028/elsewhere.example",
    "/a\r\nSet-Cookie: x=y", "/\ufeff/elsewhere.example", "/x\\y",
]  # fmt: skip


@pytest.mark.parametrize("where", ELSEWHERE)
def test_nobody_is_sent_elsewhere(app: FastAPI, where: str) -> None:
    assert inside(where) == "/"
    http = visitor(app)
    assert http.get("/language/en", params={"next": where}).headers["location"] == "/"
    assert 'name="next" value="/"' in http.get("/login", params={"next": where}).text
    answer = http.post("/login", data={"login": "wang", "password": PASSWORD, "next": where})
    assert answer.headers["location"] == "/" and "x" not in answer.cookies
    assert http.get("/login", params={"next": where}).headers["location"] == "/"


@pytest.mark.parametrize(
    "where", ["/%09/elsewhere.example", "/%5celsewhere.example", "/%2felsewhere.example", "/months?a=//b&c=d"]
)
def test_what_is_only_written_so_stays_here(app: FastAPI, where: str) -> None:
    answer = visitor(app).post("/login", data={"login": "wang", "password": PASSWORD, "next": where})

    assert httpx.URL("http://desk").join(answer.headers["location"]).host == "desk"


def test_a_page_that_was_asked_for_by_a_double_slash_leads_nowhere_else(app: FastAPI) -> None:
    answer = visitor(app).get("http://desk//elsewhere.example/..")

    assert answer.status_code == 404 or answer.headers["location"].startswith("/login?next=")


# -- sessions


def test_a_session_is_not_what_somebody_planted(app: FastAPI) -> None:
    http = visitor(app)
    http.cookies.set("disclosure_session", "planted")
    http.post("/login", data={"login": "wang", "password": PASSWORD})

    assert app.state.desk._visitor("planted") is None
    assert "planted" not in [one.value for one in http.cookies.jar if one.domain == "desk.local"]


def test_signing_in_again_ends_the_browsers_earlier_session(app: FastAPI, steward: Client) -> None:
    before = steward.http.cookies["disclosure_session"]
    answer = steward.http.post("/login", data={"login": "li", "password": PASSWORD})

    assert answer.status_code == 303
    assert app.state.desk._visitor(before) is None
    assert app.state.desk._visitor(steward.http.cookies["disclosure_session"]).person.login == "li"


def test_the_database_holds_nothing_that_opens_a_session(app: FastAPI, office: Office, steward: Client) -> None:
    digest = digest_of_secret(steward.http.cookies["disclosure_session"])
    assert office.warehouse.visitor(digest) is not None
    http = visitor(app)
    http.cookies.set("disclosure_session", digest)

    assert http.get("/account").status_code == 303


def test_a_session_ends_after_so_many_hours_however_it_is_used(app: FastAPI, steward: Client) -> None:
    desk, began = app.state.desk, app.state.desk.office.clock()
    for minutes in range(30, 12 * 60 + 31, 30):
        now = began + timedelta(minutes=minutes)
        object.__setattr__(desk.office, "clock", lambda now=now: now)
        object.__setattr__(desk.office.warehouse, "clock", lambda now=now: now)
        assert steward.get("/account").status_code == (200 if minutes <= 12 * 60 else 303), minutes


def test_a_password_that_is_changed_while_somebody_signs_in_with_it_lets_nobody_in(
    app: FastAPI, office: Office, monkeypatch: Any
) -> None:
    begin, wang = Warehouse.begin_session, office.warehouse.person_by_login("wang")[0]

    def meanwhile(warehouse: Warehouse, *rest: Any) -> None:
        set_password(office, wang, "another long word", must_change=False)
        begin(warehouse, *rest)

    monkeypatch.setattr(Warehouse, "begin_session", meanwhile)
    answer = visitor(app).post("/login", data={"login": "wang", "password": PASSWORD})

    assert answer.status_code == 401
    assert office.warehouse.sessions(wang.key) == []


def test_whoever_has_to_choose_a_password_may_leave(app: FastAPI, office: Office) -> None:
    create(office, NewPerson("new", "新人", Role.STEWARD), PASSWORD)
    client = sign_in(app, "new")

    assert (
        client.post("/account/password", {"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}).status_code == 422
    )
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/account").status_code == 303

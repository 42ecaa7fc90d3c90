"""The administrator's pages and the record: accounts and tokens made, changed, ended, each secret shown once; every event in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files

import httpx
import pytest
from fastapi import FastAPI

from disclosure_etl.desk.standing import digest_of_secret
from disclosure_etl.desk.words import EVENTS
from disclosure_etl.office import Office
from schemas.people import Role
from tests.desk.conftest import Client
from tests.desk.test_door import visitor


@pytest.fixture
def admin(as_: Callable[[str], Client]) -> Client:
    """The administrator."""
    return as_("admin")


def once(text: str) -> str:
    return re.search(r'class="once">([^<]+)<', text)[1]


def key_of(office: Office, login: str) -> int:
    return office.warehouse.person_by_login(login)[0].key


def seen(admin: Client, key: int) -> str:
    """What the page carries of an account."""
    return re.search(rf'id="f{key}".*?name="seen" value="([0-9a-f]{{16}})"', admin.get("/people").text)[1]


def save(admin: Client, key: int, row: dict[str, str]) -> httpx.Response:
    """Save a row of the page as it is shown."""
    return admin.post(f"/people/{key}", {**row, "seen": seen(admin, key)})


def test_a_new_account_gets_a_password_that_is_shown_once_and_changed_first(
    app: FastAPI, office: Office, admin: Client
) -> None:
    made = admin.post("/people", {"login": "sun", "name": "孙明", "role": "reporter", "bureau": "haidian"})
    password = once(made.text)

    assert password not in admin.get("/people").text
    http = visitor(app)
    assert http.post("/login", data={"login": "sun", "password": password}).status_code == 303
    assert http.get("/own").headers["location"] == "/account"
    assert office.warehouse.person_by_login("sun")[0].bureau == "haidian"


@pytest.mark.parametrize(
    "wish",
    [{"login": "wang", "role": "steward"}, {"login": "x", "role": "steward"}, {"login": "sun", "role": "king"},
     {"login": "sun", "role": "reporter"}, {"login": "sun", "role": "reporter", "bureau": "nowhere"}],
)  # fmt: skip
def test_an_account_that_cannot_be_is_refused(office: Office, admin: Client, wish: dict[str, str]) -> None:
    before = len(office.warehouse.people())

    assert admin.post("/people", {"name": "孙明", **wish}).status_code == 422
    assert len(office.warehouse.people()) == before


def test_whoever_gets_another_role_is_signed_out(office: Office, admin: Client, as_: Callable[[str], Client]) -> None:
    wang, key = as_("wang"), key_of(office, "wang")
    save(admin, key, {"name": "王芳", "role": "steward", "active": "true"})
    assert wang.get("/months/2014-01").status_code == 200  # another name alone ends nothing

    save(admin, key, {"name": "王芳", "role": "auditor", "active": "true"})

    assert wang.get("/months/2014-01").status_code == 303


def test_a_page_that_is_out_of_date_undoes_nothing(office: Office, admin: Client) -> None:
    key = key_of(office, "zhao")
    shown = seen(admin, key)
    row = {"name": "赵六", "role": "steward"}
    assert admin.post(f"/people/{key}", {**row, "seen": shown}).status_code == 303  # closed
    before = office.warehouse.person_by_login("zhao")

    for stale in (shown, ""):
        answer = admin.post(f"/people/{key}", {**row, "name": "赵小六", "active": "true", "seen": stale})
        assert answer.status_code == 409 and "没有保存" in answer.text
        assert seen(admin, key) in answer.text and 'value="赵六"' in answer.text  # as it is now

    assert office.warehouse.person_by_login("zhao") == before and not before[0].active
    assert save(admin, key, {**row, "active": "true"}).status_code == 303


def test_a_row_that_is_refused_keeps_what_was_typed_and_can_be_sent_again(office: Office, admin: Client) -> None:
    key = key_of(office, "zhao")
    refused = save(admin, key, {"name": "赵小六", "role": "reporter", "active": "true"})

    assert refused.status_code == 422 and "请为填报人员选择单位" in refused.text
    assert f'id="n{key}" name="name" value="赵小六"' in refused.text
    assert 'value="reporter" selected' in refused.text.split(f'id="r{key}"')[1].split("</select>")[0]
    assert office.warehouse.person_by_login("zhao")[0].role is Role.STEWARD
    again = {"name": "赵小六", "role": "reporter", "bureau": "haidian", "active": "true"}
    token = refused.text.split(f'action="/people/{key}"')[1].split('name="seen" value="')[1][:16]
    office.warehouse.change_person(key, {"active": False})  # by somebody else, meanwhile
    assert admin.post(f"/people/{key}", {**again, "seen": token}).status_code == 409
    office.warehouse.change_person(key, {"active": True})
    assert admin.post(f"/people/{key}", {**again, "seen": token}).status_code == 303
    assert office.warehouse.person_by_login("zhao")[0].bureau == "haidian"


def test_an_administrator_ends_sessions_and_gives_a_new_password(
    app: FastAPI, office: Office, admin: Client, as_: Callable[[str], Client]
) -> None:
    wang, key = as_("wang"), key_of(office, "wang")
    admin.post(f"/people/{key}/sessions/end")
    assert wang.get("/account").status_code == 303

    password = once(admin.post(f"/people/{key}/password").text)
    assert visitor(app).post("/login", data={"login": "wang", "password": password}).status_code == 303


@pytest.mark.parametrize("change", [{"role": "auditor", "active": "true"}, {"role": "administrator"}])
def test_the_last_administrator_neither_closes_nor_changes_their_own_account(
    office: Office, admin: Client, change: dict[str, str]
) -> None:
    answer = save(admin, key_of(office, "admin"), {"name": "王芳", **change})

    assert answer.status_code == 422 and "至少要有一个可用的管理员账号" in answer.text
    assert admin.get("/people").status_code == 200


def test_a_token_is_shown_once_and_revoked(office: Office, admin: Client) -> None:
    token = once(admin.post("/tokens", {"name": "区级平台", "bureau": "haidian", "ends": "2014-12-31"}).text)

    kept = office.warehouse.token(digest_of_secret(token))
    assert kept.bureau == "haidian" and kept.is_good(office.clock())
    assert token not in admin.get("/people").text
    for _ in range(2):
        assert admin.post(f"/tokens/{kept.key}/revoke").status_code == 303
    assert not office.warehouse.token(digest_of_secret(token)).is_good(office.clock())


def test_no_secret_is_in_the_record_or_anywhere_else(office: Office, admin: Client, tmp_path) -> None:
    secrets = [
        once(admin.post("/people", {"login": "sun", "name": "孙明", "role": "steward"}).text),
        once(admin.post("/tokens", {"name": "平台", "bureau": "haidian"}).text),
        admin.http.cookies["disclosure_session"],
    ]
    told = [json.dumps(dict(one.details)) + one.subject for one in office.warehouse.audit_events()]
    for secret in secrets:
        assert not any(secret in one for one in told)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_every_kind_of_event_has_words() -> None:
    schema = json.loads((files("schemas") / "contracts" / "audit.schema.json").read_text("utf-8"))

    assert set(EVENTS) == set(schema["items"]["properties"]["kind"]["enum"])


def test_the_record_is_paged_filtered_and_verified(office: Office, as_: Callable[[str], Client]) -> None:
    shen = as_("shen")
    shown = shen.get("/record").text
    head = office.warehouse.audit_head()

    assert head.hash in shown
    assert "固化新版本" in shen.get("/record?kind=freeze").text.split("<tbody>")[1]
    assert "登录" not in shen.get("/record?kind=freeze").text.split("<tbody>")[1]
    assert "链完整" in shen.post("/record/verify", {"anchor": head.hash}).text
    assert "没有这个摘要" in shen.post("/record/verify", {"anchor": "0" * 64}).text

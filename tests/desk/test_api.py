"""The submission API: sending, asking, one submission a key, every problem as problem+json, and nothing of another bureau's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import anyio
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk.pace import Pace
from disclosure_etl.desk.tokens import issue
from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.conftest import JANUARY, haidian_corrected
from tests.factories import contract, default_form, return_bytes, some_figures

PATH = "/api/v1/submissions"


@dataclass
class Sender:
    """A bureau's own system."""

    http: TestClient
    token: str

    def send(self, data: bytes, key: str | None = None, name: str = "r.xlsx"):
        headers = {"Authorization": f"Bearer {self.token}", **({"Idempotency-Key": key} if key else {})}
        return self.http.post(PATH, files={"file": (name, data)}, headers=headers)

    def get(self, path: str):
        return self.http.get(path, headers={"Authorization": f"Bearer {self.token}"})


def sender(app: FastAPI, office: Office, bureau: str, **options) -> Sender:
    token, _ = issue(office, f"{bureau} 平台 {len(office.warehouse.tokens())}", bureau, options.get("ends"))
    return Sender(TestClient(app, base_url="http://desk"), token)


@pytest.fixture
def haidian(app: FastAPI, office: Office) -> Sender:
    """The system of Haidian."""
    return sender(app, office, "haidian")


def is_problem(answer, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status and answer.json()["detail"]["zh"] and answer.json()["detail"]["en"]


def test_what_is_sent_is_found_at_its_location_and_taken_by_the_next_run(office: Office, haidian: Sender) -> None:
    answer = haidian.send(haidian_corrected(office))
    assert answer.status_code == 202
    where = answer.headers["location"]
    told = haidian.get(where).json()
    assert (told["state"], told["period"], told["bureau"]) == ("waiting", "2014-01", "haidian")
    assert told["result"]["files"][0]["status"] == "accepted"

    run_period(Office(office.settings, office.clock), office.settings.family, JANUARY, command="rerun")

    assert haidian.get(where).json()["state"] == "accepted"
    assert [one["id"] for one in haidian.get(PATH).json()["items"]] == [told["id"]]


def test_one_key_is_one_submission(office: Office, haidian: Sender) -> None:
    data = haidian_corrected(office)
    first, second = haidian.send(data, "k1"), haidian.send(data, "k1")

    assert first.json()["id"] == second.json()["id"]
    assert len(list(office.settings.uploads_path.rglob("*.xlsx"))) == 1
    is_problem(haidian.send(data + b" ", "k1"), 422)
    assert len(list(office.settings.uploads_path.rglob("*.xlsx"))) == 1


def test_nobody_sends_or_sees_what_is_another_bureaus(app: FastAPI, office: Office, haidian: Sender) -> None:
    other = sender(app, office, "dongcheng")
    where = haidian.send(haidian_corrected(office)).headers["location"]

    is_problem(other.get(where), 404)
    assert other.get(PATH).json()["items"] == []
    form = default_form()
    is_problem(haidian.send(return_bytes(form, JANUARY, "dongcheng", "东城分局", some_figures(form), 2)), 422)


def test_without_a_token_in_force_nothing_is_done(app: FastAPI, office: Office, haidian: Sender) -> None:
    ended = sender(app, office, "haidian", ends=office.clock() - timedelta(days=1))
    is_problem(ended.get(PATH), 401)
    is_problem(Sender(haidian.http, "dtl_guess").get(PATH), 401)
    answer = haidian.http.post(PATH, files={"file": ("r.xlsx", b"x")})
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    office.warehouse.revoke_token(1)
    is_problem(haidian.get(PATH), 401)


def test_a_session_is_no_token(app: FastAPI, office: Office) -> None:
    from tests.desk.conftest import sign_in

    is_problem(sign_in(app, "hd").get(PATH), 401)


def test_limits_hold(app: FastAPI, office: Office, haidian: Sender) -> None:
    limits = office.settings.file.limits.model_copy(update={"max_bytes": 1000})
    object.__setattr__(office.settings, "file", office.settings.file.model_copy(update={"limits": limits}))
    is_problem(haidian.send(b"x" * 1001), 413)

    app.state.desk.pace = Pace(3)
    answers = [haidian.get(PATH) for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert int(answers[3].headers["retry-after"]) > 0
    is_problem(answers[3], 429)


def test_what_is_no_request_is_told_as_that(haidian: Sender) -> None:
    headers = {"Authorization": f"Bearer {haidian.token}"}
    is_problem(haidian.http.post(PATH, headers=headers), 422)
    is_problem(haidian.http.delete(PATH, headers=headers), 405)
    is_problem(haidian.get("/api/v1/nothing"), 404)
    is_problem(haidian.get(f"{PATH}?limit=0"), 422)


def raw(haidian: Sender, data: bytes, **headers: str):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return haidian.http.post(PATH, content=data, headers={"Authorization": f"Bearer {haidian.token}", **names})


@pytest.mark.parametrize(
    "headers",
    [
        {"X_File_Name": "%E6%B5%B7%E6%B7%80.xlsx"},
        {"Content_Disposition": "attachment; filename*=UTF-8''%E6%B5%B7%E6%B7%80.xlsx"},
        {"Content_Disposition": 'attachment; filename="a.xlsx"', "X_File_Name": "%E6%B5%B7%E6%B7%80.xlsx"},
    ],
)
def test_the_bytes_of_a_file_may_come_as_they_are(office: Office, haidian: Sender, headers: dict[str, str]) -> None:
    answer = raw(haidian, haidian_corrected(office), Content_Type="application/octet-stream", **headers)

    assert answer.status_code == 202, answer.text
    assert (answer.json()["file"], answer.json()["period"]) == ("海淀.xlsx", "2014-01")


def test_what_has_no_name_is_known_by_its_content(office: Office, haidian: Sender) -> None:
    assert raw(haidian, haidian_corrected(office)).json()["file"] == "return"
    is_problem(raw(haidian, b""), 422)
    is_problem(haidian.send(b""), 422)


def test_what_is_not_taken_is_told(haidian: Sender) -> None:
    is_problem(raw(haidian, b"file=x", Content_Type="application/x-www-form-urlencoded"), 415)
    is_problem(raw(haidian, b"x", Content_Encoding="gzip"), 415)
    is_problem(raw(haidian, b"--x", Content_Type="multipart/form-data"), 400)
    is_problem(raw(haidian, b"x", Idempotency_Key="k" * 256), 422)


def test_no_more_is_read_than_may_be(app: FastAPI, office: Office, haidian: Sender) -> None:
    limits = office.settings.file.limits.model_copy(update={"max_bytes": 1000})
    object.__setattr__(office.settings, "file", office.settings.file.model_copy(update={"limits": limits}))
    read = 0
    answered = []

    async def receive() -> dict:
        nonlocal read
        assert read < 200_000
        read += 10_000
        return {"type": "http.request", "body": b"x" * 10_000, "more_body": True}  # without an end

    async def send(message: dict) -> None:
        answered.append(message)

    headers = [(b"authorization", f"Bearer {haidian.token}".encode()), (b"host", b"desk")]
    scope = {
        "type": "http", "method": "POST", "path": PATH, "raw_path": PATH.encode(), "query_string": b"", "headers": headers,
        "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("desk", 80), "root_path": "",
    }  # fmt: skip
    anyio.run(app, scope, receive, send)
    assert answered[0]["status"] == 413
    is_problem(raw(haidian, b"x" * 1001), 413)
    is_problem(raw(haidian, b"x", Content_Length="99999999"), 413)
    assert not office.settings.uploads_path.exists()


def test_who_has_no_token_is_told_so_before_anything_is_read(haidian: Sender) -> None:
    haidian.token = "dtl_guess"
    is_problem(raw(haidian, b"x" * 100, Content_Length="99999999"), 401)


def test_its_result_is_in_the_contract_of_check(office: Office, haidian: Sender) -> None:
    where = haidian.send(haidian_corrected(office)).headers["location"]

    told = haidian.get(where).json()["result"]["files"]
    contract("check").validate(told)
    assert told[0]["digest"] == haidian.get(where).json()["digest"]


def test_the_list_is_paged_the_newest_first(office: Office, haidian: Sender) -> None:
    form, sent = default_form(), []
    for revision in range(2, 5):
        office.clock.set(office.clock() + timedelta(minutes=1))  # type: ignore[attr-defined]
        data = return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form, 1), revision)
        sent.insert(0, haidian.send(data).json()["id"])

    first = haidian.get(f"{PATH}?limit=2").json()
    second = haidian.get(first["next"]).json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == sent
    assert second["next"] is None


def test_a_file_that_gave_no_figures_says_why(office: Office, haidian: Sender) -> None:
    where = haidian.send(b"nothing at all", name="海淀_2014-01.xlsx").headers["location"]
    run_period(Office(office.settings, office.clock), office.settings.family, JANUARY, command="rerun")

    told = haidian.get(where).json()
    assert told["state"] == "unreadable"
    assert told["why"]["zh"]
    assert told["why"]["en"]


def test_a_token_of_a_bureau_that_is_gone_is_refused(office: Office, haidian: Sender) -> None:
    left = tuple(one for one in office.bureaus.bureaus if one.code != "haidian")
    office.__dict__["bureaus"] = type(office.bureaus)(left)

    is_problem(haidian.get(PATH), 403)


def test_a_fault_is_a_problem_too(app: FastAPI, haidian: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    from disclosure_etl.desk import api

    def fault(*_: object, **__: object) -> None:
        raise RuntimeError("of the program")

    monkeypatch.setattr(api, "receive", fault)
    haidian.http = TestClient(app, base_url="http://desk", raise_server_exceptions=False)
    answer = haidian.send(b"x")
    is_problem(answer, 500)
    assert "of the program" not in answer.json()["detail"]["en"].replace("A fault of the program", "")


def test_its_description_names_every_problem_and_the_token(haidian: Sender) -> None:
    told = haidian.http.get("/api/v1/openapi.json").json()

    assert set(told["paths"]) == {PATH, f"{PATH}/{{key}}"}
    assert told["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    answers = told["paths"][PATH]["post"]["responses"]
    assert set(answers) == {"202", "400", "401", "403", "405", "413", "415", "422", "429", "500", "503"}
    assert all(set(answers[code]["content"]) == {"application/problem+json"} for code in answers if code != "202")
    assert "check.failure" in told["components"]["schemas"]

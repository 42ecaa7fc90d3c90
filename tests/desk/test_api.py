"""The submission API: sending, asking, one submission a key, every problem as problem+json, and nothing of another bureau's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from disclosure_etl.desk.pace import Pace
from disclosure_etl.desk.tokens import issue
from disclosure_etl.office import Office
from flows.running import run_period
from tests.desk.conftest import JANUARY, haidian_corrected
from tests.factories import default_form, return_bytes, some_figures

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
    token, _ = issue(office, f"{bureau} 平台", bureau, options.get("ends"))
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

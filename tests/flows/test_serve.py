"""`serve` with a real Prefect server: the schedule stands, a rerun can be started from outside, and nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from schemas.periods import Period
from tests.factories import make_office, send_month

pytestmark = pytest.mark.prefect
JANUARY = Period.parse("2014-01")


def call(api: str, path: str, body: dict | None = None) -> dict | list:
    data = json.dumps(body or {}).encode() if body is not None else None
    request = urllib.request.Request(f"{api}{path}", data, {"Content-Type": "application/json"})
    for patience in (0.5, 1, 2, 4, 0):  # the server's database may be busy: it says 503 and means "again"
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 503 or not patience:
                raise
            time.sleep(patience)
    raise AssertionError("unreachable")


def wait_for(what: str, look, seconds: float = 90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except OSError:
            pass
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come within {seconds} s")


def processes_of(group: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if group in line]


def test_serve_schedules_the_month_and_takes_reruns_and_leaves_nothing_behind(say, tmp_path: Path) -> None:
    say("init", tmp_path)
    office = make_office(tmp_path, config=tmp_path / "config")
    send_month(office, JANUARY, without=("yanqing",))
    say("--now", "2014-02-06", "consolidate", "2014-01")
    send_month(office, JANUARY)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    serving = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "--config", str(tmp_path / "config"), "--lang", "en", "serve", "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path,
    )  # fmt: skip
    try:
        deployments = wait_for(
            "the deployments", lambda: len(found := call(api, "/deployments/filter", {})) == 2 and found
        )
        named = {one["name"]: one for one in deployments}
        (schedule,) = named["monthly"]["schedules"]
        assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("0 8 6 * *", "Asia/Shanghai")

        started = call(
            api,
            f"/deployments/{named['rerun']['id']}/create_flow_run",
            {"parameters": {"period": "2014-01", "now": "2014-02-10T08:00:00+08:00"}},
        )
        state = wait_for(
            "the rerun",
            lambda: (
                (one := call(api, f"/flow_runs/{started['id']}"))["state_type"] in ("COMPLETED", "FAILED", "CRASHED")
                and one
            ),
        )
        assert state["state_type"] == "COMPLETED", state["state"]
        artifacts = call(api, "/artifacts/filter", {})
        assert any(
            one["key"] == "bureau-monthly-2014-01" and "| 主动公开政府信息 | 204" in one["data"] for one in artifacts
        )
    finally:
        serving.send_signal(signal.SIGTERM)
        out, err = serving.communicate(timeout=60)

    assert serving.returncode == 0
    assert "Traceback" not in out + err
    assert "Stopped." in out
    wait_for("the end of every process", lambda: not processes_of(str(port)), 10)
    assert say("--config", tmp_path / "config", "status", "2014-01", "--json").json["missing"] == []


def test_a_port_in_use_is_told(say, tmp_path: Path) -> None:
    say("init", tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = say("--lang", "en", "--config", tmp_path / "config", "serve", "--port", str(port))

    assert said.code == 2
    assert f"Port {port} cannot be used" in said.err

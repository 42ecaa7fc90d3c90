"""A Prefect server of our own, as a child process: started when needed, gone when the work is done, silent but for its log.

An in-process temporary server would print its own troubles on a person's terminal while it exits.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ProgramError, UserError

_STARTUP_SECONDS = 120


def quiet_environment(home: Path, api: str | None) -> dict[str, str]:
    """The variables under which Prefect keeps to itself. They must be set before Prefect is imported."""
    variables = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": os.environ.get("PREFECT_LOGGING_LEVEL", "ERROR"),
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_CLI_COLORS": "false",
    }
    return variables | ({"PREFECT_API_URL": api} if api else {})


def use(variables: Mapping[str, str]) -> None:
    """Set the variables for this process and its children."""
    os.environ.update(variables)


@contextmanager
def prefect_server(home: Path, port: int | None = None) -> Iterator[str]:
    """A server on loopback with its files below `home`; yields the address of its API, and stops it afterwards.

    Raises:
        UserError: something else listens on `port`. ProgramError: the server did not come up; its log says why.
    """
    home.mkdir(parents=True, exist_ok=True)
    if port is None:
        port = _free_port()
    else:
        _check_free(port)
    api = f"http://127.0.0.1:{port}/api"
    log = home / "server.log"
    environment = {**os.environ, **quiet_environment(home, api), "PREFECT_LOGGING_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with child_process(command, environment, log) as process:
        _wait_until_healthy(process, api, log)
        yield api


@contextmanager
def child_process(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own and speaks only to `log`; it and whatever it started end with the context."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            _stop(process)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise UserError(
                f"端口 {port} 不能使用({error});多半已有一个 serve 在运行。请停止它,或用 --port 另选一个端口。",
                f"Port {port} cannot be used ({error}); another 'serve' is probably running. Stop it, or choose another "
                "with --port.",
            ) from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(process: subprocess.Popen[bytes], api: str, log: Path) -> None:
    end = time.monotonic() + _STARTUP_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ProgramError(f"the Prefect server ended at start with code {process.returncode}; see {log}")
        try:
            with urllib.request.urlopen(f"{api}/health", timeout=2) as answer:  # noqa: S310 - our own loopback address
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise ProgramError(f"the Prefect server did not answer within {_STARTUP_SECONDS} s; see {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it started."""
    for signal_number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.wait()

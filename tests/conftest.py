"""Fixtures of all tests: both databases, an office in a temporary folder, the command line as a person calls it."""

from __future__ import annotations

import gc
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from disclosure_etl.office import Office
from disclosure_etl.settings import default_config_dir
from flows.cli import main
from tests import compiled_once, quick_passwords, read_once, ready_schema
from tests.factories import make_office
from tests.postgres import Server, postgres_server
from tests.ready_office import ReadyOffices


@pytest.fixture(scope="session", autouse=True)
def _set_up_once() -> Iterator[None]:
    """What every test's office begins with is worked out once a process; and what is there before the first test stays to the end,
    so that nobody looks through it for garbage."""
    with (
        ready_schema.by_statements(),
        compiled_once.compiled_once(),
        read_once.reading_once(),
        quick_passwords.hashed_quickly(),
    ):
        gc.collect()
        gc.freeze()
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL server for the session."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def ready_offices(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> ReadyOffices:
    """Offices with something in them, to be copied."""
    return ReadyOffices(tmp_path_factory.mktemp("ready"), postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse_url(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """A new database of each kind, the server's with its schema; None leaves SQLite's file to the settings."""
    if request.param == "sqlite":
        return None
    return ready_schema.database(_server(request))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database of each kind with nothing in it, not even the schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'var' / 'warehouse.sqlite'}"
    return _server(request).fresh_database()


def _server(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue("postgres")
    if server.url is None:
        pytest.skip(server.reason)
    return server


@pytest.fixture
def office(tmp_path: Path, warehouse_url: str | None) -> Iterator[Office]:
    """The reference office with an empty inbox, on both databases."""
    one = make_office(tmp_path, warehouse_url)
    yield one
    if "warehouse" in one.__dict__:
        one.warehouse.close()


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Hold a text against `tests/golden`. After an intended change, `UPDATE_GOLDEN=1 make test` rewrites the files, and the
    diff is what the reviewer reads."""

    def compare(name: str, text: str) -> None:
        path = Path(__file__).parent / "golden" / name
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare


_NEED_NO_OFFICE = {"--config", "check", "demo", "init", "config", "rules", "--help", "--version"}


@dataclass(frozen=True)
class Said:
    """What a command printed, and the code it ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Standard output as JSON."""
        return json.loads(self.out)


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run `disclosure-etl …` in the test's folder, in this process. The folder becomes an office's (as `init` makes it, but
    for its inbox) before the first command that wants one, unless `furnished` is false."""
    for name in [name for name in os.environ if name.startswith(("DISCLOSURE_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, furnished: bool = True) -> Said:
        if furnished and not _NEED_NO_OFFICE & set(map(str, arguments)) and not (tmp_path / "config").exists():
            (tmp_path / "config").mkdir()
            for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml"):
                shutil.copyfile(default_config_dir() / name, tmp_path / "config" / name)
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Said(code, printed.out, printed.err)

    return run

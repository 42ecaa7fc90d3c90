"""A folder of a real SFTP server."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from disclosure_etl.intake.sources import StillGrowing, Unreached
from schemas.errors import ConfigError
from tests.intake.sources.conftest import PASSWORD, Opened, arrived, contents
from tests.intake.sources.relay import relay
from tests.intake.sources.trees import LONG_AGO, check_tree, lay_tree

asyncssh = pytest.importorskip("asyncssh", reason="asyncssh is not installed: pip install 'disclosure-etl[sources]'")
pytest.importorskip("sshfs", reason="sshfs is not installed: pip install 'disclosure-etl[sources]'")

ELSEWHERE = asyncssh.generate_private_key("ssh-ed25519")
MINE = asyncssh.generate_private_key("ssh-ed25519")


@dataclass
class Served:
    """The server's address, key and folder; how often somebody tried to come in; how it behaves while a file is read."""

    root: Path
    port: int = 0
    host_key: str = ""
    logins: list[str] = field(default_factory=list)
    cuts: int = 0  # how many files end in the middle, and the connection with them
    wait: float = 0
    refused: bytes = b"/nothing"


@contextmanager
def serving(served: Served) -> Iterator[None]:
    """An SFTP server for as long as a test runs, on a thread with an event loop of its own."""

    class Login(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            served.logins.append("password")
            return (username, password) == ("ming", PASSWORD)

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: Any) -> bool:
            served.logins.append("key")
            return bool(key.public_data == MINE.public_data)

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=str(served.root))
            self._connection = channel.get_connection()

        async def read(self, file_obj: Any, offset: int, size: int) -> bytes:
            if served.wait:
                await asyncio.sleep(served.wait)
            data = bytes(super().read(file_obj, offset, size))
            if served.cuts and offset:
                served.cuts -= 1
                self._connection.abort()
            return data[: len(data) // 2] if served.cuts else data

        def open(self, path: bytes, pflags: int, attrs: Any) -> object:
            if path.endswith(served.refused):
                raise asyncssh.SFTPPermissionDenied("Permission denied")
            return super().open(path, pflags, attrs)

    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Any:
        return await asyncssh.create_server(
            Login, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=Files, allow_scp=False
        )

    async def stop() -> None:
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    served.port = server.sockets[0].getsockname()[1]
    served.host_key = key.export_public_key().decode().strip()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "served").mkdir()
    one = Served(tmp_path / "served")
    lay_tree(one.root)
    with serving(one):
        yield one


@pytest.fixture
def declared(served: Served) -> dict[str, Any]:
    return {
        "kind": "sftp", "host": "127.0.0.1", "port": served.port, "user": "ming", "password": {"secret": "PASS"},
        "known_hosts": [f"[127.0.0.1]:{served.port} {served.host_key}"],
    }  # fmt: skip


@pytest.mark.parametrize("path", [".", "/"])
def test_a_tree_arrives(opened: Opened, declared: dict, path: str) -> None:
    check_tree(opened(path=path, **declared))


@pytest.mark.parametrize("path", ["/五月/", "五月"])
def test_a_folder_of_it_arrives_under_its_own_names(opened: Opened, declared: dict, path: str) -> None:
    assert contents(opened(path=path, **declared)) == {"b.csv": b"22"}


def test_a_file_of_many_blocks_arrives_whole(opened: Opened, declared: dict, served: Served) -> None:
    data = os.urandom(900_000)
    _lay(served, "large.xlsx", data)
    assert contents(opened(**declared))["large.xlsx"] == data


def test_more_than_a_reader_takes_is_not_fetched(opened: Opened, declared: dict, served: Served) -> None:
    _lay(served, "large.xlsx", bytes(1_000_001))
    large = next(one for one in arrived(opened(**declared)) if one.name == "large.xlsx")
    with pytest.raises(Unreached, match="max_bytes"):
        large.read()


def test_a_wrong_password_is_told_at_once_and_not_shown(
    opened: Opened, declared: dict, served: Served, slept: list[float]
) -> None:
    with pytest.raises(Unreached, match="does not accept") as raised:
        arrived(opened(known="wrong-Pa55", **declared))
    assert slept == [] and served.logins == ["password"]
    assert "wrong-Pa55" not in repr(raised.value) + str(raised.value.why)


def test_a_key_is_a_way_in(opened: Opened, declared: dict) -> None:
    check_tree(opened(**_with_key(declared, MINE)))


def test_a_wrong_key_is_told_at_once(opened: Opened, declared: dict, served: Served, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="does not accept"):
        arrived(opened(**_with_key(declared, ELSEWHERE)))
    assert slept == [] and set(served.logins) == {"key"}


def test_what_is_no_key_is_told_and_not_shown(opened: Opened, declared: dict, slept: list[float]) -> None:
    declared["private_key"] = declared.pop("password")
    with pytest.raises(Unreached, match="private_key is no key") as raised:
        arrived(opened(known="no-key-at-all", **declared))
    assert slept == [] and "no-key-at-all" not in repr(raised.value) + str(raised.value.why)


@pytest.mark.parametrize("as_file", [False, True])
def test_a_wrong_host_key_is_refused_before_any_password_is_sent(
    opened: Opened, declared: dict, served: Served, slept: list[float], tmp_path: Path, as_file: bool
) -> None:
    line = f"[127.0.0.1]:{served.port} {ELSEWHERE.export_public_key().decode().strip()}"
    (tmp_path / "known").write_text(line, "utf-8")
    with pytest.raises(Unreached, match="host key"):
        arrived(opened(**declared | {"known_hosts": "known" if as_file else [line]}))
    assert slept == [] and served.logins == []


def test_a_server_of_which_no_host_key_is_known_is_refused(opened: Opened, declared: dict, served: Served) -> None:
    with pytest.raises(Unreached, match="host key"):
        arrived(opened(**declared | {"known_hosts": [f"other.example {served.host_key}"]}))
    assert served.logins == []


@pytest.mark.parametrize("known_hosts", ["nowhere", [], ["[127.0.0.1]:22 no-key"]])
def test_host_keys_that_are_none_are_told(
    opened: Opened, declared: dict, served: Served, known_hosts: str | list[str]
) -> None:
    with pytest.raises((ConfigError, Unreached), match=r"host keys?"):
        arrived(opened(**declared | {"known_hosts": known_hosts}))
    assert served.logins == []


def test_host_keys_may_stand_in_a_file(opened: Opened, declared: dict, tmp_path: Path) -> None:
    (tmp_path / "known").write_text("\n".join(declared["known_hosts"]), "utf-8")
    check_tree(opened(**declared | {"known_hosts": "known"}))


def test_a_folder_that_is_not_there_is_told(opened: Opened, declared: dict, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="has no folder 'nowhere'"):
        arrived(opened(path="nowhere", **declared))
    assert slept == []


def test_a_file_that_may_not_be_read_is_told_and_is_no_wrong_password(
    opened: Opened, declared: dict, served: Served, slept: list[float]
) -> None:
    served.refused = b"b.csv"
    with pytest.raises(Unreached, match="may not be read"):
        contents(opened(path="五月", **declared))
    assert slept == []


def test_a_file_that_has_gone_is_no_trouble_of_the_source(opened: Opened, declared: dict, served: Served) -> None:
    (one,) = arrived(opened(path="五月", **declared))
    (served.root / "五月" / "b.csv").unlink()
    with pytest.raises(FileNotFoundError):
        one.read()


def test_a_connection_that_breaks_within_a_file_is_made_anew_and_then_told(
    opened: Opened, declared: dict, served: Served, slept: list[float]
) -> None:
    data = os.urandom(500_000)
    _lay(served, "五月/b.csv", data)
    (one,) = arrived(opened(path="五月", attempts=3, **declared))
    served.cuts = 1
    assert one.read() == data
    assert slept == [1] and served.logins == ["password"] * 2
    served.cuts = 10**6
    with pytest.raises(Unreached, match=r"cannot be connected|cut off"):
        one.read()
    assert slept == [1, 1, 2]


@pytest.mark.parametrize(("stalls", "why"), [(False, r"cannot be connected|cut off"), (True, "within 2 seconds")])
def test_a_line_that_breaks_or_stalls_within_a_file_is_made_anew_and_then_told(
    opened: Opened, declared: dict, served: Served, slept: list[float], stalls: bool, why: str
) -> None:
    data = os.urandom(500_000)
    _lay(served, "五月/b.csv", data)
    with relay(served.port) as between:
        here = {"port": between.port, "known_hosts": [f"[127.0.0.1]:{between.port} {served.host_key}"]}
        (one,) = arrived(opened(path="五月", seconds=1, **declared | here))
        between.spoil(1, after=100_000, stalls=stalls)
        assert one.read() == data
        assert (slept, between.times) == ([1], 0)
        between.spoil(100, after=100_000, stalls=stalls)
        with pytest.raises(Unreached, match=why):
            one.read()
        assert slept == [1, 1]


def test_a_growing_file_waits(opened: Opened, declared: dict, served: Served) -> None:
    (served.root / "fresh.xlsx").write_bytes(b"1")
    source = opened(**declared)
    grown = next(one for one in arrived(source) if one.name.startswith("东城"))
    assert source.waiting() == ["fresh.xlsx"]
    (served.root / "东城_2014-05.xlsx").write_bytes(b"longer")
    with pytest.raises(StillGrowing):
        grown.read()
    assert source.waiting() == ["fresh.xlsx", "东城_2014-05.xlsx"]


def test_a_file_that_takes_too_long_is_told_after_trying_again(
    opened: Opened, declared: dict, served: Served, slept: list[float]
) -> None:
    (one,) = arrived(opened(path="五月", seconds=0.4, **declared))
    served.wait = 3
    with pytest.raises(Unreached, match=r"did not answer within 0\.8 seconds"):
        one.read()
    assert slept == [1]


def test_a_server_that_says_nothing_and_none_at_all_are_told_after_trying_again(
    opened: Opened, declared: dict, slept: list[float]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unreached, match=r"did not answer within 0\.3 seconds"):
            arrived(opened(**declared | {"port": port}, seconds=0.3))
    with pytest.raises(Unreached, match="cannot be connected"):
        arrived(opened(**declared | {"port": port}, seconds=0.3))
    assert slept == [1, 1]


def _lay(served: Served, name: str, data: bytes) -> None:
    (served.root / name).write_bytes(data)
    os.utime(served.root / name, (LONG_AGO, LONG_AGO))


def _with_key(declared: dict[str, Any], key: Any) -> dict[str, Any]:
    rest = {name: value for name, value in declared.items() if name != "password"}
    return {**rest, "private_key": {"secret": "PASS"}, "known": key.export_private_key().decode()}

"""A folder of a real WebDAV server."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from disclosure_etl.intake.pulling import pull
from disclosure_etl.intake.raw_store import RawStore
from disclosure_etl.intake.sources import StillGrowing, Unreached
from disclosure_etl.settings import ReadLimits
from tests.intake.sources.conftest import PASSWORD, Opened, arrived, contents
from tests.intake.sources.http_server import Answer, site
from tests.intake.sources.relay import Relay, relay
from tests.intake.sources.trees import LONG_AGO, check_tree, lay_tree

pytest.importorskip("webdav4", reason="webdav4 is not installed: pip install 'disclosure-etl[sources]'")
wsgidav = pytest.importorskip("wsgidav.wsgidav_app", reason="wsgidav is not installed")
wsgi = pytest.importorskip("cheroot.wsgi", reason="cheroot is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("dav")
    users = {"*": {"ming": {"password": PASSWORD}}}
    app = wsgidav.WsgiDAVApp(
        {
            "provider_mapping": {"/": str(root)},
            "simple_dc": {"user_mapping": users},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    one = wsgi.Server(("127.0.0.1", 0), app)
    one.prepare()
    threading.Thread(target=one.serve, daemon=True).start()
    yield f"http://127.0.0.1:{one.bind_addr[1]}", root
    one.stop()


@pytest.fixture
def declared(server: tuple[str, Path]) -> dict[str, object]:
    return {"kind": "webdav", "url": server[0], "user": "ming", "password": {"secret": "PASS"}}


@pytest.fixture
def root(server: tuple[str, Path]) -> Path:
    lay_tree(server[1])
    return server[1]


@pytest.mark.usefixtures("root")
def test_a_tree_arrives(opened: Opened, declared: dict) -> None:
    check_tree(opened(**declared))


@pytest.mark.usefixtures("root")
def test_a_folder_of_it_arrives_under_its_own_names(opened: Opened, declared: dict) -> None:
    assert contents(opened(path="/五月/", **declared)) == {"b.csv": b"22"}


def test_a_wrong_password_is_told_and_not_shown(opened: Opened, declared: dict, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="does not accept") as raised:
        arrived(opened(known="wrong-Pa55", **declared))
    assert slept == [] and "wrong-Pa55" not in repr(raised.value)


def test_a_folder_that_is_not_there_is_told(opened: Opened, declared: dict) -> None:
    with pytest.raises(Unreached, match="has no folder"):
        arrived(opened(path="nowhere", **declared))


def test_a_growing_file_waits(opened: Opened, declared: dict, root: Path) -> None:
    fresh = root / "fresh.xlsx"
    fresh.write_bytes(b"1")
    source = opened(**declared)
    grown = next(one for one in arrived(source) if one.name.startswith("东城"))
    assert source.waiting() == ["fresh.xlsx"]
    (root / "东城_2014-05.xlsx").write_bytes(b"longer")
    with pytest.raises(StillGrowing):
        grown.read()
    assert source.waiting() == ["fresh.xlsx", "东城_2014-05.xlsx"]
    fresh.unlink()
    os.utime(root / "东城_2014-05.xlsx", (LONG_AGO, LONG_AGO))


LARGE = bytes(range(256)) * 2000
PORTION = 100_000


@pytest.fixture
def relayed(server: tuple[str, Path], declared: dict, root: Path) -> Iterator[tuple[Relay, dict]]:
    """The server behind a relay, with a folder in which one large file lies."""
    large = root / "large" / "a.xlsx"
    large.parent.mkdir(exist_ok=True)
    large.write_bytes(LARGE)
    os.utime(large, (LONG_AGO, LONG_AGO))
    with relay(int(server[0].rpartition(":")[2])) as between:
        yield between, declared | {"url": f"http://127.0.0.1:{between.port}", "path": "large"}
    shutil.rmtree(large.parent)


@pytest.mark.parametrize("after", [0, 10, PORTION], ids=["before the answer", "in its head", "in the file"])
def test_a_file_that_is_cut_off_once_is_fetched_anew_and_whole(
    opened: Opened, relayed: tuple[Relay, dict], slept: list[float], tmp_path: Path, after: int
) -> None:
    between, declared = relayed
    found = arrived(opened(**declared))
    between.spoil(1, after=after, request=b"GET ")
    (pulled,) = pull(found, RawStore(tmp_path / "raw"), ReadLimits())
    assert (slept, between.times) == ([1], 0)
    assert RawStore(tmp_path / "raw").get(pulled.receipt.digest) == LARGE


@pytest.mark.parametrize(("stalls", "why"), [(False, "cut off"), (True, "within 0.5 seconds")])
def test_a_file_that_is_always_cut_off_or_stalls_is_told_and_no_half_of_it_kept(
    opened: Opened, relayed: tuple[Relay, dict], slept: list[float], tmp_path: Path, stalls: bool, why: str
) -> None:
    between, declared = relayed
    found = arrived(opened(seconds=0.5, attempts=3, **declared))
    between.spoil(100, after=1000, request=b"GET ", stalls=stalls)
    (pulled,) = pull(found, RawStore(tmp_path / "raw"), ReadLimits())
    assert pulled.settled is not None and why in pulled.settled.problem_en
    assert (slept, between.times) == ([1, 2], 97), "asked for three times, and by nobody else"
    assert not (tmp_path / "raw").exists()


def test_a_file_that_stalls_once_is_fetched_anew_and_whole(
    opened: Opened, relayed: tuple[Relay, dict], slept: list[float]
) -> None:
    between, declared = relayed
    (one,) = arrived(opened(seconds=0.5, **declared))
    between.spoil(1, after=PORTION, request=b"GET ", stalls=True)
    assert one.read() == LARGE
    assert slept == [1]


def test_more_than_a_reader_takes_is_not_fetched_to_its_end(
    opened: Opened, relayed: tuple[Relay, dict], root: Path
) -> None:
    _, declared = relayed
    (one,) = arrived(opened(**declared))
    (root / "large" / "a.xlsx").write_bytes(bytes(2_000_000))  # after the look
    with pytest.raises(Unreached, match="max_bytes"):
        one.read()


def test_no_server_and_a_slow_one_are_told_after_trying_again(opened: Opened, slept: list[float]) -> None:
    with site() as slow:
        slow.answers["/"] = Answer(wait=1)
        with pytest.raises(Unreached, match=r"answered with HTTP 501|seconds"):
            arrived(opened(kind="webdav", url=slow.url, seconds=0.2))
        address = slow.url
    with pytest.raises(Unreached, match="cannot be connected"):
        arrived(opened(kind="webdav", url=address))
    assert slept

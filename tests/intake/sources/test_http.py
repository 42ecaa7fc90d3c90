"""Downloads over HTTP: whole or not at all, and from no host that is not listed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from disclosure_etl.intake.sources import Unreached
from tests.intake.sources.conftest import PASSWORD, Opened, arrived, contents
from tests.intake.sources.http_server import Answer, Site, site

pytest.importorskip("httpx", reason="httpx is not installed: pip install 'disclosure-etl[sources]'")


@pytest.fixture
def here() -> Iterator[Site]:
    with site() as one:
        yield one


def test_listed_addresses_and_links_on_a_page_are_fetched_when_they_are_read(opened: Opened, here: Site) -> None:
    page = '<a href="b%20c.xlsx">一</a><A HREF="/files/d.csv#x">二</A><a href="about.html">关于</a><a href="~$b.xlsx">锁</a>'
    here.answers |= {
        "/a.xlsx": Answer(b"a"), "/list/": Answer(page.encode()), "/list/b%20c.xlsx": Answer(b"b"), "/files/d.csv": Answer(b"d"),
    }  # fmt: skip
    source = opened(kind="http", urls=[f"{here.url}/a.xlsx"], index=[f"{here.url}/list/"])
    found = arrived(source)
    assert here.asked == ["/list/"]
    assert {one.name: one.read() for one in found} == {
        "127.0.0.1/a.xlsx": b"a", "127.0.0.1/list/b c.xlsx": b"b", "127.0.0.1/files/d.csv": b"d",
    }  # fmt: skip


def test_a_download_that_is_cut_off_is_tried_again_and_then_told(
    opened: Opened, here: Site, slept: list[float]
) -> None:
    here.answers["/a.xlsx"] = Answer(b"0123456789", cut=4)
    here.answers["/b.xlsx"] = Answer(b"0123456789", cut=4, times=1)
    one, two = arrived(opened(kind="http", attempts=3, urls=[f"{here.url}/a.xlsx", f"{here.url}/b.xlsx"]))
    with pytest.raises(Unreached, match="cut off"):
        one.read()
    assert slept == [1, 2]
    assert two.read() == b"0123456789"


def test_a_slow_server_is_not_waited_for(opened: Opened, here: Site, slept: list[float]) -> None:
    here.answers["/a.xlsx"] = Answer(b"0123456789", wait=1)
    (one,) = arrived(opened(kind="http", seconds=0.2, urls=[f"{here.url}/a.xlsx"]))
    with pytest.raises(Unreached, match=r"within 0\.2 seconds"):
        one.read()
    assert slept == [1]


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_password_is_told_at_once_and_not_shown(
    opened: Opened, here: Site, slept: list[float], status: int
) -> None:
    here.answers["/a.xlsx"] = Answer(status=status)
    source = opened(kind="http", urls=[f"{here.url}/a.xlsx"], user="ming", password={"secret": "PASS"})
    with pytest.raises(Unreached, match="does not accept") as raised:
        contents(source)
    assert slept == [] and PASSWORD not in str(raised.value.why)


def test_nothing_is_fetched_from_a_host_that_is_not_listed(opened: Opened, here: Site) -> None:
    with site() as other:
        other.answers["/x.xlsx"] = Answer(b"x")
        here.answers["/a.xlsx"] = Answer(status=302, headers={"Location": f"{other.url}/x.xlsx"})
        here.answers["/list"] = Answer(f'<a href="{other.url}/x.xlsx">x</a>'.encode())
        source = opened(kind="http", urls=[f"{here.url}/a.xlsx"], index=[f"{here.url}/list"])
        for one in arrived(source):
            with pytest.raises(Unreached, match="not listed"):
                one.read()
        assert other.asked == []


def test_a_listed_host_may_be_redirected_to_and_learns_no_password(opened: Opened, here: Site) -> None:
    with site() as other:
        other.answers["/x.xlsx"] = Answer(b"x")
        here.answers["/a.xlsx"] = Answer(status=302, headers={"Location": f"{other.url}/x.xlsx"})
        by = {"urls": [f"{here.url}/a.xlsx"], "hosts": [other.url.removeprefix("http://")]}
        source = opened(kind="http", user="ming", password={"secret": "PASS"}, **by)
        assert list(contents(source).values()) == [b"x"]
        assert here.authorizations[0] is not None and other.authorizations == [None]


def test_more_than_a_reader_takes_is_not_fetched_to_its_end(opened: Opened, here: Site) -> None:
    here.answers["/a.xlsx"] = Answer(b"0" * 1_500_000)
    with pytest.raises(Unreached, match="max_bytes"):
        contents(opened(kind="http", urls=[f"{here.url}/a.xlsx"]))


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_what_comes_compressed_is_told(opened: Opened, here: Site, encoding: str) -> None:
    here.answers["/a.xlsx"] = Answer(b"packed", headers={"Content-Encoding": encoding})
    with pytest.raises(Unreached, match="comes compressed"):
        contents(opened(kind="http", urls=[f"{here.url}/a.xlsx"]))


def test_a_page_that_is_not_there_means_that_the_source_is_down(opened: Opened, here: Site) -> None:
    with pytest.raises(Unreached, match="404"):
        arrived(opened(kind="http", index=[f"{here.url}/nowhere"]))


def test_names_lead_nowhere(opened: Opened, here: Site) -> None:
    here.answers["/list"] = Answer(b'<a href="/x/%2e%2e/%2e%2e/etc/%0Apasswd%00.csv">x</a>')
    (one,) = arrived(opened(kind="http", index=[f"{here.url}/list"]))
    assert one.name == "127.0.0.1/x/etc/\ufffdpasswd\ufffd.csv"

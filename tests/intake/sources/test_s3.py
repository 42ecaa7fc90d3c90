"""Objects of a bucket of a store that speaks S3."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from disclosure_etl.intake.sources import StillGrowing, Unreached
from tests.intake.sources.conftest import NOW, PASSWORD, Opened, arrived, contents
from tests.intake.sources.http_server import Answer, Site, site

pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'disclosure-etl[sources]'")
moto = pytest.importorskip("moto.server", reason="moto is not installed")
session = pytest.importorskip("botocore.session", reason="botocore is not installed")

LIST = "/reports?list-type=2&prefix=&delimiter=%2F&encoding-type=url"
Put = Callable[..., None]


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def declared(store: str) -> dict[str, Any]:
    return _declared(store)


@pytest.fixture(scope="module")
def client(store: str) -> Iterator[Any]:
    made = session.get_session().create_client(
        "s3", "us-east-1", endpoint_url=store, aws_access_key_id="x", aws_secret_access_key="y"
    )
    yield made
    made.close()


@pytest.fixture
def put(client: Any) -> Iterator[Put]:
    """Put an object into the bucket `reports`, which is empty before."""
    client.create_bucket(Bucket="reports")

    def put_one(name: str, data: bytes) -> None:
        client.put_object(Bucket="reports", Key=name, Body=data)

    yield put_one
    while names := [one["Key"] for one in client.list_objects_v2(Bucket="reports").get("Contents", ())]:
        client.delete_objects(Bucket="reports", Delete={"Objects": [{"Key": name} for name in names]})
    client.delete_bucket(Bucket="reports")


@pytest.fixture
def tree(put: Put) -> None:
    for name, data in {
        "东城_2014-05.xlsx": b"1", "五月/": b"", "五月/b.csv": b"22", "五月/~$b.xlsx": b"3", "c.xlsx.part": b"4",
    }.items():  # fmt: skip
        put(name, data)


@pytest.mark.usefixtures("tree")
def test_a_tree_arrives(opened: Opened, declared: dict) -> None:
    source = opened(**declared)
    assert contents(source) == {"东城_2014-05.xlsx": b"1", "五月/b.csv": b"22"}
    assert {one.arrived_at for one in arrived(source)} == {NOW}  # what was written later never arrives later
    assert source.waiting() == []


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("path", ["五月", "/五月/"])
def test_a_folder_of_it_arrives_under_its_own_names(opened: Opened, declared: dict, path: str) -> None:
    assert contents(opened(path=path, **declared)) == {"b.csv": b"22"}


def test_names_and_bytes_of_all_kinds_arrive(opened: Opened, declared: dict, put: Put) -> None:
    files = {"a b+c%20#?&.csv": b"1", "五月/空.csv": b"", "large.xlsx": os.urandom(900_000)}
    for name, data in files.items():
        put(name, data)
    assert contents(opened(**declared)) == files


def test_more_than_a_reader_takes_is_not_fetched(opened: Opened, declared: dict, put: Put) -> None:
    put("large.xlsx", bytes(1_000_001))
    with pytest.raises(Unreached, match="max_bytes"):
        contents(opened(**declared))


def test_an_object_that_is_replaced_meanwhile_waits(opened: Opened, declared: dict, put: Put) -> None:
    put("a.xlsx", b"1")
    source = opened(**declared)
    (one,) = arrived(source)
    put("a.xlsx", b"longer")
    with pytest.raises(StillGrowing):
        one.read()
    assert source.waiting() == ["a.xlsx"]
    assert contents(source) == {"a.xlsx": b"longer"}


def test_an_object_that_has_gone_is_no_trouble_of_the_source(
    opened: Opened, declared: dict, put: Put, client: Any
) -> None:
    put("a.xlsx", b"1")
    (one,) = arrived(opened(**declared))
    client.delete_object(Bucket="reports", Key="a.xlsx")
    with pytest.raises(FileNotFoundError):
        one.read()


def test_a_bucket_that_is_not_there_is_told(opened: Opened, declared: dict, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="has no folder 'nowhere'"):
        arrived(opened(**declared | {"bucket": "nowhere"}))
    assert slept == []


@pytest.mark.usefixtures("tree")
def test_a_folder_that_is_not_there_is_told(opened: Opened, declared: dict, slept: list[float]) -> None:
    with pytest.raises(Unreached, match="has no folder 'reports/nowhere'"):
        arrived(opened(path="nowhere", **declared))
    assert slept == []


@pytest.mark.usefixtures("put")
def test_an_empty_bucket_is_no_trouble(opened: Opened, declared: dict) -> None:
    assert arrived(opened(**declared)) == []


@pytest.fixture
def here() -> Iterator[Site]:
    with site() as one:
        yield one


@pytest.mark.parametrize(("status", "code"), [(403, "SignatureDoesNotMatch"), (403, "AccessDenied"), (401, "X")])
def test_a_wrong_key_is_told_at_once_and_not_shown(
    opened: Opened, here: Site, slept: list[float], status: int, code: str
) -> None:
    said = f"<Error><Code>{code}</Code><Message>not {PASSWORD}</Message></Error>"
    here.answers[LIST] = Answer(said.encode(), status)
    with pytest.raises(Unreached, match="does not accept") as raised:
        arrived(opened(**_declared(here.url)))
    assert slept == [] and len(here.asked) == 1
    assert PASSWORD not in repr(raised.value) + str(raised.value.why)


def test_a_store_that_is_out_of_order_is_told_after_trying_again(
    opened: Opened, here: Site, slept: list[float]
) -> None:
    said = b"<Error><Code>ServiceUnavailable</Code><Message>Down</Message></Error>"
    here.answers[LIST] = Answer(said, 503)
    with pytest.raises(Unreached, match="answered with an error"):
        arrived(opened(**_declared(here.url)))
    assert slept == [1] and len(here.asked) == 2


def test_an_object_that_is_cut_off_is_tried_again_and_then_told(opened: Opened, here: Site, slept: list[float]) -> None:
    at = {"Last-Modified": "Sun, 01 Jun 2014 00:00:00 GMT"}
    here.answers |= {
        LIST: _listed("a.xlsx", "b.xlsx"),
        "/reports/a.xlsx": Answer(b"0123456789", headers=at, cut=4),
        "/reports/b.xlsx": Answer(b"0123456789", headers=at, cut=4, times=1),
    }
    one, two = arrived(opened(attempts=3, **_declared(here.url)))
    with pytest.raises(Unreached, match="cut off"):
        one.read()
    assert slept == [1, 2] and here.asked.count("/reports/a.xlsx") == 3
    assert two.read() == b"0123456789"
    assert slept == [1, 2, 1]


def test_all_pages_of_a_list_arrive(opened: Opened, here: Site) -> None:
    here.answers[LIST] = _listed("a.xlsx", more="next")
    second = "/reports?list-type=2&prefix=&delimiter=%2F&continuation-token=next&encoding-type=url"
    here.answers[second] = _listed("b.xlsx")
    assert [one.name for one in arrived(opened(**_declared(here.url)))] == ["a.xlsx", "b.xlsx"], here.asked


def test_an_object_that_takes_too_long_is_told(opened: Opened, here: Site) -> None:
    here.answers |= {LIST: _listed("a.xlsx"), "/reports/a.xlsx": Answer(b"0123456789", wait=3)}
    (one,) = arrived(opened(seconds=1, attempts=1, **_declared(here.url)))
    with pytest.raises(Unreached, match="did not answer within 1 seconds"):
        one.read()


def test_a_slow_store_and_none_at_all_are_told_after_trying_again(
    opened: Opened, here: Site, slept: list[float]
) -> None:
    here.answers[LIST] = Answer(wait=1)
    with pytest.raises(Unreached, match=r"did not answer within 0\.2 seconds"):
        arrived(opened(seconds=0.2, **_declared(here.url)))
    assert slept == [1]
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreached, match="cannot be connected"):
        arrived(opened(**_declared(address)))
    assert slept == [1, 1]


def _listed(*names: str, more: str = "") -> Answer:
    objects = "".join(
        f"<Contents><Key>{name}</Key><LastModified>2014-06-01T00:00:00.000Z</LastModified><Size>10</Size></Contents>"
        for name in names
    )
    token = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    return Answer(
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>reports</Name><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{token}{objects}</ListBucketResult>".encode()
    )


def _declared(address: str) -> dict[str, Any]:
    return {
        "kind": "s3", "endpoint_url": address, "region": "us-east-1", "bucket": "reports",
        "key": {"secret": "PASS"}, "secret_key": {"secret": "PASS"},
    }  # fmt: skip

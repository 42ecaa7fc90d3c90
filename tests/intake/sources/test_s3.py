"""Objects of a bucket, on a real server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from disclosure_etl.intake.sources import Unreached
from tests.intake.sources.conftest import Opened, arrived, contents
from tests.intake.sources.http_server import Answer, site

pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'disclosure-etl[sources]'")
moto = pytest.importorskip("moto.server", reason="moto is not installed")

OBJECTS = {"2014/东城_2014-05.xlsx": b"1", "2014/五月/b.csv": b"22", "2014/half.xlsx.part": b"3", "2013/old.xlsx": b"4"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    import botocore.session

    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = botocore.session.Session().create_client(
        "s3",
        "us-east-1",
        endpoint_url=url,
        aws_access_key_id="planted-Pa55-word",
        aws_secret_access_key="planted-Pa55-word",
    )
    client.create_bucket(Bucket="returns")
    for key, body in OBJECTS.items():
        client.put_object(Bucket="returns", Key=key, Body=body)
    yield url
    server.stop()


@pytest.fixture
def declared(endpoint: str) -> dict[str, object]:
    return {
        "kind": "s3", "endpoint_url": endpoint, "region": "us-east-1", "bucket": "returns", "path": "2014", "key": {"secret": "PASS"},
        "secret_key": {"secret": "PASS"},
    }  # fmt: skip


def test_objects_below_the_path_arrive(opened: Opened, declared: dict) -> None:
    assert contents(opened(**declared)) == {"东城_2014-05.xlsx": b"1", "五月/b.csv": b"22"}


@pytest.mark.parametrize("there", [{"bucket": "nowhere"}, {"path": "nowhere"}])
def test_a_bucket_or_folder_that_is_not_there_is_told(opened: Opened, declared: dict, there: dict) -> None:
    with pytest.raises(Unreached, match="has no folder"):
        arrived(opened(**declared | there))


def test_a_wrong_key_is_told_at_once_and_not_shown(opened: Opened, declared: dict, slept: list[float]) -> None:
    refusal = b"<?xml version='1.0'?><Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>"
    with site() as strict:
        source = opened(**declared | {"endpoint_url": strict.url})
        strict.answers = _EveryPath(Answer(refusal, status=403, headers={"Content-Type": "application/xml"}))
        with pytest.raises(Unreached, match="does not accept") as raised:
            arrived(source)
    assert slept == [] and "planted" not in repr(raised.value)


def test_no_server_and_a_slow_one_are_told_after_trying_again(
    opened: Opened, declared: dict, slept: list[float]
) -> None:
    with site() as slow:
        slow.answers = _EveryPath(Answer(wait=1))
        with pytest.raises(Unreached, match=r"within 0\.2 seconds"):
            arrived(opened(seconds=0.2, **declared | {"endpoint_url": slow.url}))
        address = slow.url
    with pytest.raises(Unreached):
        arrived(opened(seconds=1, **declared | {"endpoint_url": address}))
    assert slept == [1, 1]


class _EveryPath(dict):
    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    def get(self, _path, _default=None) -> Answer:
        return self._answer

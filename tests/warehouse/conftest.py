"""The warehouse on both databases, with an office of two bureaus on it. The server comes from `tests/conftest.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from disclosure_etl.warehouse import Warehouse
from tests.postgres import Server
from tests.warehouse.small import Story


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'var' / 'warehouse.sqlite'}"
    server: Server = request.getfixturevalue("postgres")
    if server.url is None:
        pytest.skip(server.reason)
    return server.fresh_database()


@pytest.fixture
def warehouse(empty_url: str) -> Iterator[Warehouse]:
    """An open warehouse with nothing in it."""
    opened = Warehouse.open(empty_url)
    yield opened
    opened.close()


@pytest.fixture
def story(warehouse: Warehouse) -> Story:
    """An office of two bureaus, east and west, with the small form."""
    return Story(warehouse)

"""The warehouse on both databases, with an office of two bureaus on it. The server comes from `tests/conftest.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from disclosure_etl.warehouse import Warehouse
from tests.warehouse.small import Story


@pytest.fixture
def url(warehouse_url: str | None, tmp_path: Path) -> str:
    """The address of a new database of each kind."""
    return warehouse_url or f"sqlite:///{tmp_path / 'var' / 'warehouse.sqlite'}"


@pytest.fixture
def warehouse(url: str) -> Iterator[Warehouse]:
    """An open warehouse with nothing in it."""
    opened = Warehouse.open(url)
    yield opened
    opened.close()


@pytest.fixture
def story(warehouse: Warehouse) -> Story:
    """An office of two bureaus, east and west, with the small form."""
    return Story(warehouse)

"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from disclosure_etl.office import Office
from tests.flows.small_office import make_small_office


@pytest.fixture
def small_office(tmp_path: Path) -> Office:
    """An office of two bureaus."""
    return make_small_office(tmp_path)

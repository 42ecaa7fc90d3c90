"""What the tests of sources share: declared sources as they would be opened, impatient and without sleeping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from disclosure_etl.intake.sources import Delivery, Source
from disclosure_etl.intake.sources.declared import read_sources
from disclosure_etl.intake.sources.opening import Surroundings, open_source
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.secret_values import Secrets
from disclosure_etl.settings import default_config_dir
from schemas.formfile import load_forms
from tests.factories import ZONE

NOW = datetime(2014, 6, 6, 8, tzinfo=ZONE)
PASSWORD = "planted-Pa55-word"
Opened = Callable[..., Source]


@pytest.fixture
def slept() -> list[float]:
    """How long was waited between attempts."""
    return []


@pytest.fixture
def opened(tmp_path: Path, slept: list[float]) -> Iterator[Opened]:
    """Open a source as sources.yaml declares it; the secret PASS is the password."""
    with ExitStack() as closing:

        def open_declared(known: str = PASSWORD, seconds: float = 5, attempts: int = 2, **declared: Any) -> Source:
            path = tmp_path / "sources.yaml"
            path.write_text(yaml.safe_dump({"sources": [{"name": "there", **declared}]}, allow_unicode=True), "utf-8")
            secrets = Secrets({"PASS": known}, tmp_path / "secrets.yaml")
            (one,) = read_sources(path, ("dongcheng", "xicheng"), secrets)
            forms = load_forms(sorted((default_config_dir() / "forms").glob("*.yaml")))
            around = Surroundings(
                tmp_path, tmp_path / "inbox", ZONE, secrets, 1_000_000, "bureau-monthly", lambda: forms
            )
            patience = Patience(seconds, 2 * seconds, attempts, 1, slept.append)
            source = open_source(one, around, patience)
            closing.callback(source.close)
            return source

        yield open_declared


def arrived(source: Source) -> list[Delivery]:
    """What a source has."""
    return list(source.deliveries(NOW))


def contents(source: Source) -> dict[str, bytes]:
    """What a source has, fetched."""
    return {one.name: one.read() for one in arrived(source)}

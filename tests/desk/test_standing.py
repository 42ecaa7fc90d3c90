"""What the desk has before the first visitor and keeps while it runs: templates; versions, read once however many ask."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from disclosure_etl.desk.shown import FOLDER, compile_templates
from disclosure_etl.desk.standing import Versions
from disclosure_etl.office import Office
from disclosure_etl.warehouse import Warehouse
from schemas.consolidation import Consolidation
from schemas.periods import Period
from schemas.versions import FrozenVersion
from tests.desk.conftest import JANUARY
from tests.factories import FAMILY


def test_a_version_that_many_ask_for_at_once_is_read_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    versions, read = Versions(office), Warehouse.consolidation
    numbers: list[int] = []
    all_ask = Barrier(8, timeout=20)

    def slowly(warehouse: Warehouse, family: str, period: Period, version: int) -> Consolidation | None:
        numbers.append(version)
        time.sleep(0.05)
        return read(warehouse, family, period, version)

    monkeypatch.setattr(Warehouse, "consolidation", slowly)

    def ask(_: int) -> tuple[FrozenVersion, Consolidation] | None:
        all_ask.wait()
        return versions.newest(FAMILY, JANUARY)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(numbers) == 1 and found[0] is not None and all(one == found[0] for one in found)


def test_every_template_is_compiled_beforehand() -> None:
    assert compile_templates() == len(list((FOLDER / "templates").rglob("*.html"))) > 20

"""Empty databases by the dozen: the schema is made once of each kind, and copied. No assertion in here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import psycopg

from disclosure_etl.calendar import StoryClock
from disclosure_etl.warehouse import Warehouse
from tests.factories import ZONE
from tests.postgres import Server

_BEGUN = StoryClock(datetime(2014, 4, 1, 8, tzinfo=ZONE))


@dataclass
class Databases:
    """Copies of empty warehouses below `folder`, and on a server if there is one."""

    folder: Path
    server: Server

    def __post_init__(self) -> None:
        self._file = self.folder / "empty.sqlite"
        self._made(f"sqlite:///{self._file}")
        self._template = None if self.server.url is None else self.server.fresh_database()
        if self._template is not None:
            self._made(self._template)

    @staticmethod
    def _made(url: str) -> None:
        Warehouse.open(url, clock=_BEGUN, actor="steward").close()

    def fresh(self) -> list[tuple[str, str]]:
        """Name and address of an empty database of each kind."""
        path = self.folder / f"{uuid4().hex}.sqlite"
        shutil.copyfile(self._file, path)
        found = [("sqlite", f"sqlite:///{path}")]
        if self._template is not None:
            found.append(("postgresql", self.server.fresh_database(self._template)))
        return found

    def drop(self, url: str) -> None:
        """One of them is needed no more."""
        if url.startswith("sqlite"):
            Path(url.removeprefix("sqlite:///")).unlink(missing_ok=True)
            return
        name = url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(str(self.server.url), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name}")  # type: ignore[arg-type]

"""An office with something in it, made once a process for each kind of database, and copied for every test that begins with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from disclosure_etl.office import Office
from tests import ready_schema
from tests.postgres import Server

Opening = Callable[[Path, str | None], Office]  # an office in a folder, with its database there or at the address


@dataclass
class ReadyOffices:
    """The offices that are copied, below `folder`, with databases in their folders or on the server."""

    folder: Path
    server: Server
    _made: dict[tuple[str, bool], tuple[Path, str | None]] = field(default_factory=dict)

    def copied(
        self, name: str, opening: Opening, fill: Callable[[Office], None], into: Path, *, on_server: bool = False
    ) -> Office:
        """The office of that name, in the folder `into`: as `opening` opens it, and `fill` filled the first of the name."""
        if (name, on_server) not in self._made:
            self._made[name, on_server] = self._make(name, opening, fill, on_server)
        folder, database = self._made[name, on_server]
        shutil.copytree(folder, into, dirs_exist_ok=True)
        return opening(into, database and self.server.fresh_database(database))

    def _make(
        self, name: str, opening: Opening, fill: Callable[[Office], None], on_server: bool
    ) -> tuple[Path, str | None]:
        folder = self.folder / f"{name}-{'server' if on_server else 'file'}"
        folder.mkdir()
        database = ready_schema.database(self.server) if on_server else None
        made = opening(folder, database)
        fill(made)
        made.warehouse.close()
        return folder, database

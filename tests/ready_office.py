"""An office with something in it, made once a process for each kind of database, and copied for every test that begins with it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from disclosure_etl.office import Office
from tests import ready_schema
from tests.postgres import Server

Opening = Callable[[Path, str | None], Office]  # an office in a folder, with its database there or at the address
Filling = Callable[[Office], None]


@dataclass
class ReadyOffices:
    """The offices that are copied, below `folder`, with databases in their folders or on the server."""

    folder: Path
    server: Server
    _made: dict[tuple[Opening, Filling, bool], tuple[Path, str | None]] = field(default_factory=dict)

    def copied(self, opening: Opening, fill: Filling, into: Path, *, on_server: bool = False) -> Office:
        """An office in the folder `into`, as `opening` opens it: a copy of the one that was filled so."""
        if (opening, fill, on_server) not in self._made:
            self._made[opening, fill, on_server] = self._make(opening, fill, on_server)
        folder, database = self._made[opening, fill, on_server]
        shutil.copytree(folder, into, dirs_exist_ok=True)
        return opening(into, database and self.server.fresh_database(database))

    def _make(self, opening: Opening, fill: Filling, on_server: bool) -> tuple[Path, str | None]:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        database = ready_schema.database(self.server) if on_server else None
        made = opening(folder, database)
        fill(made)
        made.warehouse.close()
        return folder, database

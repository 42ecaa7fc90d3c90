"""What the desk has while it runs: the office, its people's sessions, what frozen versions say, the runs that it started.

Not here: pages (`shown`) or routes.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock
from typing import Any

from anyio import to_thread
from fastapi import Request

from disclosure_etl.desk.begun import Seals
from disclosure_etl.desk.jobs import Jobs
from disclosure_etl.desk.pace import Pace
from disclosure_etl.desk.provider import Provider, provider_of
from disclosure_etl.desk.source_cells import Documents
from disclosure_etl.desk_settings import DeskSettings
from disclosure_etl.office import Office
from disclosure_etl.reports.publishing import publish
from disclosure_etl.warehouse import Warehouse
from schemas.consolidation import Consolidation
from schemas.errors import AwayError, Language, Message
from schemas.people import Person, Visitor
from schemas.periods import Period
from schemas.versions import FrozenVersion

_log = logging.getLogger("disclosure_etl.desk")
_SEEN_AGAIN = timedelta(minutes=1)  # a session is noted as in use at most so often
_PATIENCE, _IN_PASSING = 5.0, 0.2  # seconds that a page waits for another writer, and that what is only noted waits
PATIENCE_SECONDS = 20  # that somebody before a page waits for a run at work: less long than a command does
_VERSIONS_KEPT = 64
_ANOTHERS_READING = 2.0  # seconds that somebody waits while another reads a version
_AROUND_A_FILE = 1 << 16
_LARGEST_FORM = 1 << 20
_TAKE_FILES = re.compile(r"/own/(?:check|send)|/months/[^/]+/upload|/api/v1/submissions")


def digest_of_secret(secret: str) -> str:
    """What is kept of a session's or token's secret. They are long and random, so that a plain hash does."""
    return hashlib.sha256(secret.encode()).hexdigest()


def takes_files(path: str) -> bool:
    """Whether files are sent there."""
    return _TAKE_FILES.fullmatch(path) is not None


@dataclass
class Versions:
    """Frozen versions that were asked for lately: they never change, and a large one takes a while to read."""

    office: Office
    _kept: OrderedDict[tuple[str, str, int], Consolidation] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)
    _reading: Lock = field(default_factory=Lock)

    def newest(self, family: str, period: Period) -> tuple[FrozenVersion, Consolidation] | None:
        """The newest version of a period with its status of now; None where there is none."""
        found = self.office.warehouse.frozen_versions(family, [period])
        return (found[-1], self.of(found[-1])) if found else None

    def of(self, version: FrozenVersion) -> Consolidation:
        """A version, its account and figures. Its status is that of `version`."""
        key = (version.family, version.period, version.version)
        found = self._known(key)
        if found is None:
            # By one of those who ask for it at once, as everybody does after a run; where it takes long, by each.
            first = self._reading.acquire(timeout=_ANOTHERS_READING)
            try:
                found = self._known(key) or self._read(key)
            finally:
                if first:
                    self._reading.release()
        return replace(found, status=version.status)

    def _known(self, key: tuple[str, str, int]) -> Consolidation | None:
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return known

    def _read(self, key: tuple[str, str, int]) -> Consolidation:
        family, period, number = key
        found = self.office.warehouse.consolidation(family, Period.parse(period), number)
        assert found is not None, key
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > _VERSIONS_KEPT:
                self._kept.popitem(last=False)
        return found


@dataclass
class Desk:
    """The desk of one office. `rerun` consolidates or reruns periods; it is passed in, since it stands above. `deciding` is held
    while a case is given to somebody or commented, which waits for no run; decisions hold the office itself (`Office.alone`)."""

    office: Office
    rerun: Callable[..., Any]
    versions: Versions = field(init=False)
    jobs: Jobs = field(init=False)
    pace: Pace = field(default_factory=Pace)
    documents: Documents = field(init=False)
    deciding: Lock = field(default_factory=Lock)
    provider: Provider | None = field(init=False)
    seals: Seals = field(default_factory=Seals)

    def __post_init__(self) -> None:
        # A person before a page waits less long for the database than a command does.
        self.office.__dict__["warehouse"] = replace(self.office.warehouse, patience=_PATIENCE)
        self.versions = Versions(self.office)
        self.jobs = Jobs(self.office.clock)
        self.documents = Documents(self.office)
        self.provider = provider_of(self.office)

    @property
    def settings(self) -> DeskSettings:
        """The desk's own settings."""
        return self.office.settings.file.desk

    @property
    def home(self) -> str | None:
        """The address that people type, where the office has said so."""
        return self.settings.public_url.rstrip("/") if self.settings.public_url else None

    def cookie(self, name: str) -> str:
        """What a cookie of ours is called. By TLS browsers hold the prefix against what other hosts of the domain would plant."""
        return f"{'__Host-' if self.settings.https else ''}disclosure_{name}"

    @property
    def family(self) -> str:
        """The form family of the pages."""
        return self.office.settings.family

    def office_of(self, person: Person) -> Office:
        """The office as somebody works in it: what is done is recorded by their login. Its sources are looked for anew, since the
        first upload makes one."""
        own = copy(self.office)
        own.__dict__.pop("sources", None)
        own.__dict__["warehouse"] = replace(self.office.warehouse, actor=person.login)
        return own

    def largest_request(self, path: str) -> int:
        """How many bytes a request may have: where files are sent, one at its limit, and what a form puts around it; everywhere else
        what people write."""
        return self.office.settings.read_limits.max_bytes + _AROUND_A_FILE if takes_files(path) else _LARGEST_FORM

    @contextmanager
    def noting(self) -> Iterator[Warehouse]:
        """The warehouse for what is only noted in passing: written at once, or left where the database is busy or away."""
        with suppress(AwayError):
            yield replace(self.office.warehouse, patience=_IN_PASSING)

    def publish(self, person: Person, versions: Collection[Consolidation], told: Message) -> Message:
        """Write what follows from a decision into out/, and `told`, what was decided, with what hindered that: the decision is in the
        warehouse, and the files are written by whatever publishes next."""
        try:
            publish(self.office_of(person), versions)
        except Exception:  # whatever it was, nobody is to think that nothing was decided
            _log.exception("decided, but the files in out/ could not be written")
            return Message(
                f"{told.zh}已记入数据库,但输出文件夹中的文件没有写成(已记入日志,请告诉系统管理员);下一次汇总、重跑或决定时会补写。",
                f"{told.en} It is recorded, but the files in the output folder could not be written (it is in the log: tell the "
                "administrator); the next run or decision writes them.",
            )
        return told

    async def visitor(self, secret: str) -> Visitor | None:
        """Whose session a browser's secret is; None where it ended, or nobody used it for too long."""
        return await to_thread.run_sync(self._visitor, secret) if secret else None

    def _visitor(self, secret: str) -> Visitor | None:
        digest, now = digest_of_secret(secret), self.office.clock()
        who = self.office.warehouse.visitor(digest)
        if who is None:
            return None
        idle, longest = timedelta(minutes=self.settings.idle_minutes), timedelta(hours=self.settings.longest_hours)
        if now - who.seen_at > idle or now - who.began_at > longest:
            with self.noting() as warehouse:
                warehouse.end_session(digest)
            return None
        if now - who.seen_at > _SEEN_AGAIN:
            with self.noting() as warehouse:
                warehouse.touch_session(digest)
        return who

    def language_of(self, request: Request) -> Language:
        """The language that a browser chose, or the office's."""
        chosen = request.cookies.get("language")
        return chosen if chosen in ("zh", "en") else self.office.settings.language  # type: ignore[return-value]


def desk_of(request: Request) -> Desk:
    """The desk that a request came to."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk

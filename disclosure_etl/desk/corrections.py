"""A corrected file from the steward's hands: what it would change is seen at once, before anything is taken.

The trial is the rerun itself with this file alone, in a transaction that is taken back. Not here: what bureaus send themselves
(`own_pages`), keeping what came (`receiving`).
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl.calendar import system_clock
from disclosure_etl.checking import Checked, Checker
from disclosure_etl.desk.access import Need, Refused, needs
from disclosure_etl.desk.jobs import Report
from disclosure_etl.desk.months import read_period
from disclosure_etl.desk.receiving import file_in, plain_name, receive
from disclosure_etl.desk.runs import job_of
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import Desk, desk_of
from disclosure_etl.intake.sources import FolderSource
from disclosure_etl.intake.sources.names import is_hidden
from disclosure_etl.office import Office
from disclosure_etl.reports.rehearsal import Rehearsed, rehearsal
from schemas.errors import Message, UserError
from schemas.people import Visitor
from schemas.periods import Period

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Deciding = Annotated[Visitor, needs(Need.DECIDE)]
_TRIALS = ".trials"  # beside the uploads; hidden, so that no run takes what lies in it
_KEPT_SECONDS = 7 * 24 * 3600  # of a trial that nobody took
_KEY = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class Trial:
    """What a file is by itself, and what taking it would change. `folder`: where it lies until it is taken."""

    folder: str
    checked: Sequence[Checked]
    rehearsed: Rehearsed

    @property
    def bureau(self) -> str | None:
        """The one bureau that the file says it is of; None where it says none, or several."""
        found = {one.judged.submission.bureau if one.judged else None for one in self.checked}
        return next(iter(found)) if len(found) == 1 else None


def _folder(office: Office, key: str) -> Path:
    if not _KEY.fullmatch(key):
        raise HTTPException(404)
    return office.settings.uploads_path / _TRIALS / key


def _forget_the_old(office: Office) -> None:
    """Take away what nobody took: a file that was only tried out counts nowhere."""
    oldest = system_clock("UTC")().timestamp() - _KEPT_SECONDS  # not the office's time: folders have the system's
    for folder in (office.settings.uploads_path / _TRIALS).glob("*"):
        with suppress(OSError):  # somebody else takes it, or takes it away
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder)


def tried(office: Office, period: Period, key: str) -> Trial:
    """The rerun of a month with what lies in a trial's folder, and nothing else, taken back.

    Raises:
        UserError: as for a dry run.
    """
    folder = _folder(office, key)
    own = copy(office)
    alone = FolderSource(folder, ZoneInfo(office.schedule.timezone), "trial")
    own.__dict__["sources"] = (alone,)
    limits, rules = office.settings.read_limits, office.rule_settings
    checker = Checker(office.forms, rules, office.bureaus, limits, office.layouts)
    checked = [one for path in sorted(folder.iterdir()) for one in checker.check(path)]
    return Trial(key, checked, rehearsal(own, office.settings.family, period))


@router.get("/months/{code}/upload")
def upload_page(request: Request, who: Deciding, code: str) -> Response:
    """The form for a corrected file."""
    return page(request, who, "upload.html", period=read_period(code), message=None)


@router.post("/months/{code}/upload")
async def upload(request: Request, desk: TheDesk, who: Deciding, code: str) -> Response:
    """Put a file aside, and see what it would change."""
    period = read_period(code)
    sent = await file_in(request, desk.office.settings.read_limits.max_bytes)
    if sent is None:
        told = Message("请选择文件。", "Choose a file.")
        return page(request, who, "upload.html", 422, period=period, message=told)
    name, data = plain_name(sent[0]), sent[1]
    name = f"_{name}" if is_hidden(name) else name  # a run would pass it over, and the trial would find nothing
    key = secrets.token_hex(12)
    _forget_the_old(desk.office)
    folder = _folder(desk.office, key)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    office = desk.office_of(who.person)

    def work(_report: Report) -> Any:
        return tried(office, period, key)

    doing = Message(f"试算 {period}:{name}", f"trial of {name} for {period}")
    job = desk.jobs.start(who.person.login, "trial", f"{period} {key}", doing, work)
    return done(request, f"/runs/{job.key}")


@contextmanager
def _claimed(folder: Path) -> Iterator[Path]:
    """The folder of a trial, moved to where nobody else who takes it finds it; back in its place where it is not taken after all.

    Raises:
        Refused: it was taken, is being taken, or is kept no longer (409).
    """
    claimed = folder.with_name(f"{folder.name}.taken")
    try:
        os.rename(folder, claimed)
        os.utime(claimed)  # from now on it is not old
    except FileNotFoundError:
        told = Message(
            "这个文件已经采用过了,请在该月的页面查看结果;若试算已超过 7 天,文件不再保留,请重新上传。",
            "This file was already taken: see what came of it on the page of the month. One that was tried over 7 days ago is no "
            "longer kept: upload it again.",
        )
        raise Refused(told, 409) from None
    try:
        yield claimed
    except BaseException:
        os.rename(claimed, folder)
        raise
    shutil.rmtree(claimed, ignore_errors=True)


@router.post("/runs/{key}/take")
def take(request: Request, desk: TheDesk, who: Deciding, key: str) -> Response:
    """Take the file of a trial for good, and rerun its month. Pressed twice, it is taken once, and the second told so."""
    job = job_of(desk, who, key)
    if job.kind != "trial" or not isinstance(job.result, Trial):
        raise HTTPException(409)
    period, folder = Period.parse(job.subject.split(" ")[0]), _folder(desk.office, job.result.folder)
    office = desk.office_of(who.person)
    if job.result.bureau is None:
        raise UserError(
            "文件没有说明是哪个单位的,不能采用;请在表头填写单位后重新上传。",
            "The file does not say of which bureau it is and cannot be taken: fill that in and upload it again.",
        )
    with _claimed(folder) as claimed:
        for path in sorted(claimed.iterdir()):
            receive(office, job.result.bureau, who.person.signature, path.name, path.read_bytes())

    def work(report: Report) -> Any:
        return desk.rerun(office, desk.family, period, command="rerun", progress=report)

    again = desk.jobs.start(
        who.person.login, "rerun", period.code, Message(f"采用并重跑 {period}", f"take it and rerun {period}"), work
    )
    return done(request, f"/runs/{again.key}")

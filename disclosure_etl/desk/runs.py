"""Runs from the desk: taking corrections and judging again, with what it does as it does it, and what came of it.

Not here: the runs themselves (passed in), their queue (`jobs`).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.jobs import Job, Report
from disclosure_etl.desk.months import read_period
from disclosure_etl.desk.shown import done, page
from disclosure_etl.desk.standing import Desk, desk_of
from schemas.errors import Message
from schemas.people import Visitor

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Deciding = Annotated[Visitor, needs(Need.DECIDE)]

_STAGES = {
    "find": Message("查看来源", "looking at the sources"),
    "read": Message("读取报表", "reading returns"),
    "judge": Message("校验", "judging"),
    "load": Message("装入", "loading"),
    "follow": Message("重新判定所依赖的时期", "judging again what depends on it"),
}


@router.post("/months/{code}/rerun")
def rerun(request: Request, desk: TheDesk, who: Deciding, code: str) -> Response:
    """Take what has arrived for a month, judge it and what depends on it, and freeze new versions."""
    period = read_period(code)
    known = desk.versions.newest(desk.family, period)
    command = "rerun" if known else "consolidate"
    office = desk.office_of(who.person)

    def work(report: Report) -> Any:
        return desk.rerun(office, desk.family, period, command=command, progress=report)

    doing = (
        Message(f"重跑 {period}", f"rerun {period}") if known else Message(f"汇总 {period}", f"consolidate {period}")
    )
    job = desk.jobs.start(who.person.login, "rerun", period.code, doing, work)
    return done(request, f"/runs/{job.key}")


def job_of(desk: Desk, who: Visitor, key: str) -> Job:
    """A run that somebody may watch: their own.

    Raises:
        HTTPException: there is none (404).
    """
    job = desk.jobs.get(key)
    if job is None or job.owner != who.person.login:
        raise HTTPException(404)
    return job


@router.get("/runs/{key}")
def run(request: Request, desk: TheDesk, who: Deciding, key: str) -> Response:
    """How far a run is, and when it is over what came of it."""
    job = job_of(desk, who, key)
    names = {one.code: Message(one.name_zh, one.name_en) for one in desk.office.bureaus.bureaus}
    template = "run_part.html" if request.headers.get("hx-request") else "run.html"
    return page(request, who, template, job=job, stages=_STAGES, names=names)

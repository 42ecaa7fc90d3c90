"""Serving the scheduled month and the rerun: a Prefect server, two deployments, and nothing left behind when stopped.

`python -m flows.deployments CRON TIMEZONE` is the part that runs as a child: Prefect's runner, at the API of its environment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flows.prefect_server import child_process, prefect_server, quiet_environment
from flows.running import form_gap
from flows.session import Session
from schemas.errors import ProgramError


class _Stopped(BaseException):
    """SIGINT or SIGTERM was received."""


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    def stop(_signal: int, _frame: object) -> None:
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve_deployments(session: Session, port: int) -> None:
    """Serve until SIGINT or SIGTERM. The schedule's cron and time zone stand in schedule.yaml.

    Raises:
        ProgramError: server or runner ended by themselves; their logs say why.
    """
    settings, schedule = session.settings, session.office.schedule
    if gap := form_gap(session.office, settings.family):
        session.warn(gap)
    home = settings.prefect_home
    log = home / "runner.log"
    command = [sys.executable, "-m", "flows.deployments", schedule.cron, schedule.timezone]
    try:
        with _stopped_by_signals(), prefect_server(home, port) as api:
            environment = {**os.environ, **quiet_environment(home, api)}
            if settings.dirs.office is not None:  # flow runs are processes of their own and must find the same office
                environment["DISCLOSURE_CONFIG"] = str(settings.dirs.office)
            with child_process(command, environment, log) as runner:
                session.say(
                    f"Prefect 服务:{api.removesuffix('/api')}(定时 {schedule.cron},{schedule.timezone})。按 Ctrl-C 停止。",
                    f"Prefect server: {api.removesuffix('/api')} (cron {schedule.cron}, {schedule.timezone}). Ctrl-C stops it.",
                )
                code = runner.wait()
                raise ProgramError(f"Prefect's runner ended by itself with code {code}; see {log}")
    except _Stopped:
        session.say("已停止。", "Stopped.")


def _run(cron: str, timezone: str) -> None:
    """Register both deployments and run what is due, until the process is ended."""
    from prefect import serve
    from prefect.schedules import Cron

    from flows.consolidate import consolidate, rerun

    monthly = consolidate.to_deployment(
        name="monthly",
        schedules=[Cron(cron, timezone=timezone)],
        description="The scheduled month: the last one that is over.",
    )
    on_demand = rerun.to_deployment(
        name="rerun", description="Corrections of a period; parameters period, first, bureaus, dry_run."
    )
    serve(monthly, on_demand, print_starting_message=False)


if __name__ == "__main__":
    _run(*sys.argv[1:])

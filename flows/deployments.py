"""Serving the scheduled month and the rerun: a Prefect server, two deployments, and nothing left behind when stopped."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from flows.prefect_server import prefect_server, quiet_environment, use
from flows.session import Session


def serve_deployments(session: Session, port: int) -> None:
    """Serve until SIGINT or SIGTERM. The schedule's cron and time zone stand in schedule.yaml."""
    settings, schedule = session.settings, session.office.schedule

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    if session.settings.dirs.office is not None:  # flow runs are processes of their own and must find the same office
        os.environ["DISCLOSURE_CONFIG"] = str(session.settings.dirs.office)
    with prefect_server(settings.prefect_home, port) as api:
        use(quiet_environment(settings.prefect_home, api))
        from prefect import serve
        from prefect.schedules import Cron

        from flows.consolidate import consolidate, rerun

        monthly = consolidate.to_deployment(
            name="monthly",
            schedules=[Cron(schedule.cron, timezone=schedule.timezone)],
            description="The scheduled month: the last one that is over.",
        )
        on_demand = rerun.to_deployment(
            name="rerun", description="Corrections of a period; parameters period, bureaus, dry_run."
        )
        session.say(
            f"Prefect 服务:{api.removesuffix('/api')}(定时 {schedule.cron},{schedule.timezone})。按 Ctrl-C 停止。",
            f"Prefect server: {api.removesuffix('/api')} (cron {schedule.cron}, {schedule.timezone}). Ctrl-C stops it.",
        )
        with suppress(KeyboardInterrupt, SystemExit):
            serve(monthly, on_demand, print_starting_message=False)
    session.say("已停止。", "Stopped.")

"""Running the month under Prefect from the command line: at the server that is set, else at one of our own for the while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from disclosure_etl.office import Office
from disclosure_etl.pipeline import Progress
from disclosure_etl.settings import Settings
from flows.prefect_server import prefect_server, quiet_environment, use
from flows.running import Ran


@contextmanager
def recording(settings: Settings) -> Iterator[str]:
    """A Prefect API for as long as needed; Prefect must not have been imported before."""
    home = settings.prefect_home
    if settings.file.prefect_api:
        use(quiet_environment(home, settings.file.prefect_api))
        yield settings.file.prefect_api
        return
    with prefect_server(home) as api:
        use(quiet_environment(home, api))
        yield api


def run_recorded(
    office: Office,
    command: str,
    family: str,
    code: str,
    bureaus: list[str] | None,
    first: str | None,
    progress: Progress | None,
) -> Ran:
    """One run as a flow run, in this process."""
    with recording(office.settings):
        return run_in_flow(office, command, family, code, bureaus, first, progress)


def run_in_flow(
    office: Office,
    command: str,
    family: str,
    code: str,
    bureaus: list[str] | None = None,
    first: str | None = None,
    progress: Progress | None = None,
) -> Ran:
    """The stages under a flow of their own name, at the API that is in use."""
    from prefect import flow

    from flows.consolidate import in_tasks

    @flow(name=command, flow_run_name=f"{command}-{code}")
    def stages() -> Ran:
        return in_tasks(office, family, code, command, bureaus, first, progress)

    return stages()

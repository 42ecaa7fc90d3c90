"""The month and its rerun as Prefect flows. Each task is one call into `disclosure_etl`, over a chunk or a whole stage.

Not here: any step of the work itself (`disclosure_etl.pipeline`).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from disclosure_etl.office import Office
from disclosure_etl.pipeline import Month, MonthResult, Progress, silent
from disclosure_etl.reports.publishing import begin_publishing, publish
from disclosure_etl.reports.rehearsal import Rehearsed, lines, periods_from, rehearsal
from flows.artifacts import run_markdown, tasks_markdown
from flows.running import RERUN, Ran, default_period, open_office, ran_to, rerun_periods, run_period
from schemas.errors import UserError
from schemas.periods import Period


@flow(name="consolidate", flow_run_name="consolidate-{period}")
def consolidate(
    period: str | None = None, family: str | None = None, config: str | None = None, now: datetime | None = None
) -> Ran:
    """Consolidate a period: pull, read, judge, load, freeze.

    Args:
        period: such as 2014-05; the last one that is over where None (what the schedule asks for).
        family: the form family; the office's default where None.
        config: the office's configuration folder; found as on the command line where None.
        now: the moment that the run takes for now; the office's clock where None.
    """
    office = open_office(Path(config) if config else None, now)
    return in_tasks(office, family or office.settings.family, period, "consolidate", None)


@flow(name="rerun", flow_run_name="rerun-{period}")
def rerun(
    period: str,
    bureaus: list[str] | None = None,
    dry_run: bool = False,
    first: str | None = None,
    family: str | None = None,
    config: str | None = None,
    now: datetime | None = None,
) -> Ran | Rehearsed:
    """Take corrections of a period (from `first` on, of these bureaus only, where given), and judge what depends on them again.

    A dry run changes nothing, and returns what it would do.
    """
    office = open_office(Path(config) if config else None, now)
    chosen = family or office.settings.family
    if dry_run:
        begin = Period.parse(first) if first else None
        rehearse = task(rehearsal, name="rehearse", cache_policy=NO_CACHE)
        told = rehearse(office, chosen, Period.parse(period), bureaus, begin)
        text = "\n".join(f"- {line.zh}  \n  {line.en}" for line in lines(told))
        create_markdown_artifact(f"# Rerun {period} (dry run)\n\n{text}", key=f"rerun-{period.lower()}")
        return told
    return in_tasks(office, chosen, period, RERUN, bureaus, first)


def in_tasks(
    office: Office,
    family: str,
    code: str | None,
    command: str,
    bureaus: list[str] | None,
    first: str | None = None,
    progress: Progress | None = None,
) -> Ran:
    """The stages of a month (of a rerun: of each from `first` on) as tasks of the flow that calls this."""
    period = Period.parse(code) if code else default_period(office, family)
    if period.frequency is not office.forms.frequency_of(family):
        ran = task(run_period, name="roll-up", cache_policy=NO_CACHE)(office, family, period)
        _leave_artifact(office, ran)
        return ran

    begin_publishing(office)

    def run(one: Period) -> MonthResult:
        return _month_in_tasks(Month(office, family, one, command, bureaus, progress or silent, publish))

    if command == RERUN:
        office.warehouse.refuse_locked(family, periods_from(Period.parse(first) if first else None, period))
        ran = rerun_periods(office, family, period, Period.parse(first) if first else None, run)
    else:
        ran = ran_to(office, run(period))
    _leave_artifact(office, ran)
    return ran


def _month_in_tasks(month: Month) -> MonthResult:
    """The stages of one month. Only pulling is tried again when it fails."""

    def again(_task, _run, state) -> bool:  # what a person has to mend will not mend itself in half a minute
        return not isinstance(state.result(raise_on_failure=False), UserError)

    find = task(
        month.find, name="find", retries=2, retry_delay_seconds=5, retry_condition_fn=again, cache_policy=NO_CACHE
    )
    read = task(
        month.read_chunk, name="read", retries=2, retry_delay_seconds=5, retry_condition_fn=again, cache_policy=NO_CACHE
    )
    try:
        for chunk in range(find()):
            read(chunk)
        task(month.judge, name="judge", cache_policy=NO_CACHE)()
        task(month.load, name="load", cache_policy=NO_CACHE)()
        return task(month.freeze, name="freeze", cache_policy=NO_CACHE)()
    except BaseException:
        month.give_up()
        raise


def _leave_artifact(office: Office, ran: Ran) -> None:
    one = ran.result.consolidation
    form = next(form for form in office.forms.forms if form.key == one.form)
    failures = office.warehouse.failures(one.family, Period.parse(one.period))
    text = "\n\n".join([run_markdown(form, one, failures), tasks_markdown(ran.tasks or ())])
    create_markdown_artifact(text.rstrip() + "\n", key=f"{one.family}-{one.period}".lower())

"""What a run froze and did not live to write into out/ is written by the next that publishes anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from disclosure_etl.office import Office
from disclosure_etl.reports import publishing
from disclosure_etl.reports.publishing import begin_publishing, publish, table_path
from flows.running import run_period
from schemas.consolidation import Consolidation
from schemas.periods import Period
from tests.factories import make_office, send_month

FAMILY = "bureau-monthly"
JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")


class Died(BaseException):
    """A process that ends here."""


def die(_office: Office, _versions: object) -> None:
    raise Died


def newest(office: Office, period: Period) -> Consolidation:
    found = office.warehouse.consolidation(FAMILY, period)
    assert found is not None
    return found


def test_what_a_dead_run_froze_is_written_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = make_office(tmp_path)
    for period in (JANUARY, FEBRUARY):
        send_month(office, period)
    with monkeypatch.context() as dying:
        dying.setattr(publishing, "write_tables", die)
        with pytest.raises(Died):
            run_period(office, FAMILY, JANUARY)
    table = table_path(office, newest(office, JANUARY))
    assert not table.exists()

    run_period(office, FAMILY, FEBRUARY)
    assert table.exists() and table_path(office, newest(office, FEBRUARY)).exists()


def test_what_somebody_took_away_is_not_written_again(tmp_path: Path) -> None:
    office = make_office(tmp_path)
    for period in (JANUARY, FEBRUARY):
        send_month(office, period)
    run_period(office, FAMILY, JANUARY)
    table = table_path(office, newest(office, JANUARY))
    table.unlink()

    run_period(office, FAMILY, FEBRUARY)
    assert not table.exists()


@pytest.mark.parametrize("written", [None, "no number", "999999"])
def test_a_mark_that_is_gone_or_spoilt_is_set_anew(tmp_path: Path, written: str | None) -> None:
    office = make_office(tmp_path)
    send_month(office, JANUARY)
    run_period(office, FAMILY, JANUARY)
    mark = office.settings.reports_path / ".published"
    mark.unlink() if written is None else mark.write_text(written)

    begin_publishing(office)
    publish(office, [newest(office, JANUARY)])
    head = office.warehouse.audit_head()
    assert head is not None and int(mark.read_text()) == head.number

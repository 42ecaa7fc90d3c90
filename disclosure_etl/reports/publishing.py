"""What is written into out/ of every frozen version: its 汇总表, and the correction notice (更正说明) where one is due.

A version is published right after it is frozen. A run that ends in between leaves it to the next that publishes anything: a
mark in out/ says up to which event of the record all of it is written. Not here: what stands in the files (`summary`,
`corrections`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from disclosure_etl.office import Office
from disclosure_etl.reports.corrections import names_of, notice, notice_path
from disclosure_etl.reports.firmness import changes_of, embargo_of, form_of, versions_then
from disclosure_etl.reports.standing import absences, failures_of
from disclosure_etl.reports.summary import summary_path, summary_workbook
from disclosure_etl.reports.summary_changes import Beside
from disclosure_etl.warehouse import base_of
from schemas.consolidation import Consolidation
from schemas.forms import Form
from schemas.periods import Period
from schemas.versions import ChangeList, FrozenVersion

_MARK = ".published"  # in out/: the number of the event up to which every version's files are written


def table_path(office: Office, one: Consolidation) -> Path:
    """Where the 汇总表 of a version stands."""
    return summary_path(office.settings.reports_path, one, office.settings.family)


def in_office_time(office: Office, one: Consolidation) -> Consolidation:
    """A version with its moment in the office's time zone: a database gives it back in its own."""
    return replace(one, frozen_at=one.frozen_at.astimezone(office.clock().tzinfo))


def begin_publishing(office: Office) -> None:
    """Set the mark where there is none yet, before anything is frozen that would have to be written by others."""
    mark = office.settings.reports_path / _MARK
    if not mark.exists():
        head = office.warehouse.audit_head()
        _set(mark, head.number if head else 0)


def publish(office: Office, versions: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write what is made of new versions, and of those that an earlier run froze and did not live to write: their tables, and
    the correction notices that are due; the new ones of these."""
    mark = office.settings.reports_path / _MARK
    head = office.warehouse.audit_head()
    due = dict.fromkeys((one.family, one.period, one.version) for one in versions)
    left = [one for one in _left_behind(office, _number(mark)) if (one.family, one.period, one.version) not in due]
    write_tables(office, (*left, *versions))
    notices = write_notices(office, (*left, *versions))
    if head is not None and head.number != _number(mark):
        _set(mark, head.number)
    return notices


def _left_behind(office: Office, number: int | None) -> Sequence[Consolidation]:
    """The versions that were frozen after an event."""
    return [] if number is None else office.warehouse.frozen_after(number)


def _number(mark: Path) -> int | None:
    """The mark; None where there is none, or somebody has written over it."""
    try:
        return int(mark.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _set(mark: Path, number: int) -> None:
    mark.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(mark, f"{number}\n".encode("ascii"))


def write_tables(office: Office, consolidations: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write the 汇总表 of each version that has none yet."""
    written = []
    for one in consolidations:
        path = table_path(office, one)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, table_of(office, one))
        written.append(path)
    return tuple(written)


def table_of(office: Office, one: Consolidation, as_of: datetime | None = None) -> bytes:
    """The 汇总表 of a version: its figures, bureaus and failures as they entered it, and what changed since the version that
    others know. Whether it is embargoed is told as of when it was frozen, or of a moment, so that it is the same file at any time."""
    period, form = Period.parse(one.period), form_of(office, one)
    stored = office.warehouse.bureau_figures(form, period, form.own_columns, one.version)
    figures = sorted(stored, key=lambda figure: (figure.bureau, figure.indicator, figure.column))
    ahead = embargo_of(office, one, as_of or one.frozen_at)
    changes = changes_of(office, one, as_of=as_of or one.frozen_at) if one.version > 1 else None
    beside = Beside(ahead.zh if ahead else "", changes, names_of(office))
    told = office.warehouse.freezing(one)
    one = in_office_time(office, one)
    return summary_workbook(form, one, figures, failures_of(office, one), absences(office, one), beside, told)


def notice_due(office: Office, one: Consolidation) -> Path | None:
    """Where the correction notice (更正说明) of a version stands or is to stand; None where it corrects nothing on which others
    rely, that is none that was released or locked."""
    versions = versions_then(office, one) if one.version > 1 else []
    base = base_of(versions, versions[-1]) if versions else None
    return _notice_path(office, base, versions[-1]) if base is not None and base.is_out else None


def _notice_path(office: Office, older: FrozenVersion, newer: FrozenVersion) -> Path:
    return notice_path(office.settings.reports_path, older, newer, office.settings.family)


def write_notices(office: Office, consolidations: Collection[Consolidation]) -> tuple[Path, ...]:
    """Write the correction notices that are due and not there yet; these."""
    written = []
    for one in consolidations:
        path = notice_due(office, one)
        if path is not None and not path.exists() and (changes := changes_of(office, one)) is not None:
            written.append(write_notice(office, changes, form_of(office, one))[0])
    return tuple(written)


def write_notice(office: Office, changes: ChangeList, form: Form) -> tuple[Path, bool]:
    """Write one correction notice; where it lies, and whether it is new."""
    path = _notice_path(office, changes.older, changes.newer)
    if path.exists():
        return path, False
    zone = ZoneInfo(office.schedule.timezone)
    lock = office.warehouse.last_lock(changes.newer.family, Period.parse(changes.newer.period).year)
    text = notice(form, changes, names_of(office), office.warehouse.audit_head(), zone, lock)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(path, text.encode())
    return path, True


def _write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all: what is there is never written again."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"{path}") from error
    finally:
        beside.unlink(missing_ok=True)

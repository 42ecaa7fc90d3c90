"""An office whose bureaus merge and split, and returns that carry balances over. No assertion in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import yaml

from disclosure_etl.office import Office
from disclosure_etl.pipeline import MonthResult, consolidate
from disclosure_etl.settings import default_config_dir
from schemas.periods import Period
from tests.factories import FAMILY, ZONE, Figures, default_form, make_office, return_bytes, send, some_figures

FORM = default_form()
OPENING, CLOSING = "applications.opening", "applications.closing"
Entry = tuple[str, str | None, str | None, list[str]]  # code, first and last day, into
OLD = "2008-05-01"


def write_bureaus(config: Path, entries: Sequence[Entry], parents: Mapping[tuple[str, str | None], str]) -> None:
    """bureaus.yaml with a top `shiju` that owes nothing, and these below it, or below another: by code and first day."""
    owes = [{"family": FAMILY, "from": OLD}]
    bureaus: list[dict] = [{"code": "shiju", "name_zh": "市局", "name_en": "City", "from": OLD}]
    for code, first, last, into in entries:
        one = {"code": code, "name_zh": f"{code}分局", "name_en": f"{code} office", "from": first or OLD, "owes": owes}
        one |= (
            {"parent": parents.get((code, first), "shiju")}
            | ({"to": last} if last else {})
            | ({"into": into} if into else {})
        )
        bureaus.append(one)
    (config / "bureaus.yaml").write_text(yaml.safe_dump({"bureaus": bureaus}, allow_unicode=True), encoding="utf-8")


def office_of(
    folder: Path,
    entries: Sequence[Entry],
    url: str | None = None,
    parents: Mapping[tuple[str, str | None], str] | None = None,
) -> Office:
    """An office with these bureaus, all of which owe the monthly return, in 2014."""
    config = folder / "config"
    config.mkdir(exist_ok=True)
    write_bureaus(config, entries, parents or {})
    (config / "settings.yaml").write_bytes((default_config_dir() / "settings.yaml").read_bytes())
    return make_office(folder, url, datetime(2014, 12, 6, 8, tzinfo=ZONE), config)


def month(opening: int, closing: int, *before: Figures) -> Figures:
    """A month that begins with `opening` open applications and ends with `closing`; cumulatives on top of those of `before`,
    as if all of them were one bureau's."""
    figures = some_figures(FORM)
    for code in ("applications.received", "applications.received.in_person"):
        figures[(code, "month")] += closing - opening
    figures[(OPENING, "month")], figures[(CLOSING, "month")] = (
        figures[(OPENING, "month")] + opening,
        figures[(CLOSING, "month")] + closing,
    )
    for code, item in FORM.indicators.items():
        role = item.balance.role if item.balance else None
        own = figures[(code, "month")]
        so_far = sum(one[(code, "year_to_date")] for one in before)
        figures[(code, "year_to_date")] = (
            own if role == "closing" or not before else so_far + (own if role != "opening" else 0)
        )
    return figures


def sent(office: Office, period: str, *, revision: int = 1, **returns: Figures) -> MonthResult:
    """These bureaus' returns of a month, and its consolidation."""
    moment = Period.parse(period)
    for code, figures in returns.items():
        data = return_bytes(FORM, moment, code, f"{code}分局", figures, revision)
        send(office, f"{code}_{period}_{revision}.xlsx", data)
    return consolidate(office, FAMILY, moment)


def failing(office: Office, period: str, bureau: str | None = None) -> dict[str, list[str]]:
    """By bureau: the rules that fail with an error, without what follows from another."""
    found: dict[str, list[str]] = {}
    for one in office.warehouse.failures(FAMILY, Period.parse(period), bureau):
        if one.failure.severity.value == "error" and one.failure.implied_by is None:
            found.setdefault(one.bureau or "?", []).append(one.failure.rule)
    return found


def waiting(office: Office, period: str) -> dict[str, int]:
    """By bureau: how many rules cannot be assessed."""
    one = office.warehouse.consolidation(FAMILY, Period.parse(period))
    assert one is not None
    return {state.bureau: state.not_assessable for state in one.bureaus}

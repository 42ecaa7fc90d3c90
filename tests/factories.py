"""What tests build with: the default form, consistent returns, an office in a temporary folder. No assertion in here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from jsonschema import Draft202012Validator

from disclosure_etl.bureaus import load_bureaus
from disclosure_etl.calendar import StoryClock
from disclosure_etl.intake.templates import Filling, workbook
from disclosure_etl.office import Office
from disclosure_etl.settings import default_config_dir, load_settings
from schemas.formfile import load_forms
from schemas.forms import Form
from schemas.periods import Period

ZONE = ZoneInfo("Asia/Shanghai")
FAMILY = "bureau-monthly"
SIGNED = {"preparer": "张敏", "checker": "李强", "signer": "王芳"}
Figures = dict[tuple[str, str], Decimal]


def default_form() -> Form:
    """`bureau-monthly` 2008, without optional blocks."""
    return load_forms([default_config_dir() / "forms" / "bureau-monthly-2008.yaml"]).forms[0]


def zeros(form: Form) -> Figures:
    """A return in which nothing happened: zero everywhere, which every rule accepts."""
    return {(code, column): Decimal(0) for code in form.indicators for column in form.columns}


def some_figures(form: Form, month: int = 1) -> Figures:
    """A consistent return of the n-th month of a year in which every month is alike and nothing stays open."""
    own = {
        "publications": 12, "publications.organisation": 2, "publications.business": 10, "publications.full_text": 12,
        "enquiries": 9, "enquiries.on_site": 5, "enquiries.telephone": 4,
        "applications.received": 20, "applications.received.in_person": 15, "applications.received.letter": 5,
        "replies": 20, "replies.granted": 12, "replies.not_exist": 8, "replies.on_time": 20,
        "fees.collected": 3050, "fees.collected.copying": 3050,
        "reconsiderations.received": 2, "reconsiderations.upheld": 2,
        "litigation.received": 1, "litigation.upheld": 1,
    }  # fmt: skip
    figures = zeros(form)
    for code, number in own.items():
        scale = form.indicators[code].decimals
        figures[(code, "month")] = Decimal(number).scaleb(-scale)
        figures[(code, "year_to_date")] = Decimal(number * month).scaleb(-scale)
    return figures


def with_slip() -> Figures:
    """A consistent return, but for one enquiry too many on site."""
    figures = some_figures(default_form())
    figures[("enquiries.on_site", "month")] += 1
    return figures


def contract(name: str) -> Draft202012Validator:
    """A JSON contract that machines rely on, as a validator."""
    schema = json.loads((files("schemas") / "contracts" / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def return_bytes(
    form: Form,
    period: Period,
    bureau: str,
    name: str,
    figures: Mapping[tuple[str, str], Decimal],
    revision: int = 1,
    **header: str,
) -> bytes:
    """A filled workbook, signed by whom it must be."""
    texts = {"bureau": name, "bureau_code": bureau, "revision": str(revision), **SIGNED, **header}
    return _written(form, period, tuple(texts.items()), tuple((cell, str(one)) for cell, one in figures.items()))


@lru_cache(maxsize=4096)
def _written(
    form: Form, period: Period, texts: tuple[tuple[str, str], ...], figures: tuple[tuple[tuple[str, str], str], ...]
) -> bytes:
    """Writing a workbook takes longer than consolidating it, and many tests send the same ones, on two databases each."""
    return workbook(form, period, Filling(dict(texts), {cell: Decimal(one) for cell, one in figures}))


def make_office(
    folder: Path, warehouse_url: str | None = None, now: datetime | None = None, config: Path | None = None
) -> Office:
    """An office with the packaged configuration and everything else below `folder`."""
    environment = {"DISCLOSURE_WAREHOUSE": warehouse_url} if warehouse_url else {}
    settings = load_settings(config, environment, folder)
    settings.inbox_path.mkdir(parents=True, exist_ok=True)
    return Office(settings, StoryClock(now or datetime(2014, 2, 6, 8, tzinfo=ZONE)))


def office_of(
    folder: Path, warehouse_url: str | None, *codes: str, now: datetime | None = None, **file: object
) -> Office:
    """An office of its own with just these bureaus, each of which owes the monthly return; names are those of the packaged
    office, or made of the code.

    Args:
        file: entries of bureaus.yaml by code, in the place of the usual one.
    """
    known = {one.code: one.name_zh for one in load_bureaus(default_config_dir() / "bureaus.yaml").bureaus}
    owes = [{"family": FAMILY, "from": "2008-05-01"}]
    bureaus = [
        file.get(code)
        or {
            "code": code,
            "name_zh": known.get(code, f"{code}分局"),
            "name_en": code,
            "from": "2008-05-01",
            "owes": owes,
        }
        for code in codes
    ]
    config = folder / "config"
    config.mkdir(exist_ok=True)
    (config / "bureaus.yaml").write_text(yaml.safe_dump({"bureaus": bureaus}, allow_unicode=True), encoding="utf-8")
    settings = (default_config_dir() / "settings.yaml").read_text(encoding="utf-8")
    (config / "settings.yaml").write_text(settings.replace("bureau: shiju", f"bureau: {codes[0]}"), encoding="utf-8")
    return make_office(folder, warehouse_url, now, config)


def send(office: Office, name: str, data: bytes) -> Path:
    """Put a file into the office's inbox."""
    path = office.settings.inbox_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def send_month(
    office: Office, period: Period, *, without: tuple[str, ...] = (), changed: Mapping[str, Figures] | None = None
) -> None:
    """Every owing bureau's return of a month, all alike but for those in `changed`."""
    form = office.forms.choose(FAMILY, period)
    for bureau in office.owing(FAMILY, period):
        if bureau.code in without:
            continue
        figures = (changed or {}).get(bureau.code) or some_figures(form, period.ordinal)
        data = return_bytes(form, period, bureau.code, bureau.name_zh, figures)
        send(office, f"{bureau.code}_{period}.xlsx", data)

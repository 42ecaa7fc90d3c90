"""An office of two bureaus, for stories of several months. No assertion in here."""

from __future__ import annotations

from pathlib import Path

from disclosure_etl.office import Office
from disclosure_etl.settings import default_config_dir
from schemas.periods import Period
from tests.factories import default_form, make_office, return_bytes, send, some_figures

BUREAUS = """
bureaus:
  - {code: shiju, name_zh: 市局, name_en: Municipal Bureau, from: 2008-05-01, owes: [{family: bureau-monthly, from: 2008-05-01}]}
  - {code: haidian, name_zh: 海淀分局, name_en: Haidian Sub-bureau, from: 2008-05-01, parent: shiju, owes: [{family: bureau-monthly, from: 2008-05-01}]}
"""


def make_small_office(tmp_path: Path) -> Office:
    """An office of two bureaus, 市局 and 海淀分局."""
    (tmp_path / "config").mkdir()
    for name in ("settings.yaml", "schedule.yaml"):
        text = (default_config_dir() / name).read_text(encoding="utf-8").replace("processes: auto", "processes: 0")
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")
    (tmp_path / "config" / "bureaus.yaml").write_text(BUREAUS, encoding="utf-8")
    return make_office(tmp_path, config=tmp_path / "config")


def corrected(office: Office, period: str = "2014-01") -> None:
    """The second revision of 海淀分局."""
    month = Period.parse(period)
    figures = some_figures(default_form(), max(1, month.ordinal - (4 if month.year == 2008 else 0)))
    figures[("publications", "month")] += 3
    figures[("publications.business", "month")] += 3
    figures[("publications", "year_to_date")] += 3
    figures[("publications.business", "year_to_date")] += 3
    figures[("publications.full_text", "month")] += 3
    figures[("publications.full_text", "year_to_date")] += 3
    data = return_bytes(default_form(), month, "haidian", "海淀分局", figures, revision=2)
    send(office, f"haidian_{period}_2.xlsx", data)

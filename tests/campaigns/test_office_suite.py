"""Returns through a real office suite: opened, calculated, saved by somebody else's program in every format, and read back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.quality.judging import judge
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Batch
from schemas.rules import RuleSettings, rule_set
from tests.factories import default_form, return_bytes, some_figures
from tests.intake.layouts import SHIFTS, WRITERS, filled_in, understood
from tests.intake.sheets import good_return, read_bytes

pytestmark = pytest.mark.slow
MAY = Period.parse("2014-05")


def _converted(folder: Path, sources: Mapping[str, bytes], kind: str, *options: str) -> dict[str, bytes]:
    """Files by their stems as the suite saves them; one start of it for all, since that takes longest."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("no soffice on this machine")
    given, target = folder / "given", folder / "saved"
    given.mkdir()
    for name, data in sources.items():
        (given / name).write_bytes(data)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    subprocess.run(
        [program, profile, "--headless", *options, "--convert-to", kind, "--outdir", target, *sorted(given.iterdir())],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return {path.stem: path.read_bytes() for path in target.iterdir()}


def _saved_by_an_office_suite(folder: Path, data: bytes, kind: str = "xlsx") -> bytes:
    return _converted(folder, {"return.xlsx": data}, kind)["return"]


def test_what_an_office_suite_saves_reads_as_what_was_filled_in(tmp_path: Path) -> None:
    form = default_form()
    data = return_bytes(form, MAY, "dongcheng", "东城分局", some_figures(form, 5))
    interpreter = Interpreter([form], None)
    before = interpreter.interpret(read_document("a_2014-05.xlsx", data)).submission

    saved = _saved_by_an_office_suite(tmp_path, data)
    after = interpreter.interpret(read_document("a_2014-05.xlsx", saved)).submission

    assert after.numbers == before.numbers
    assert after.meanings == before.meanings
    assert after.unread == ()
    (judged,) = judge(Batch(form, MAY, (after,)), rule_set(form, MAY, RuleSettings())).judged
    assert judged.failures == ()


def test_the_share_formulas_calculate_what_the_rules_expect(tmp_path: Path) -> None:
    form = default_form()
    figures = some_figures(form, 5)
    figures[("publications", "month")] = Decimal(12176)
    for code, number in (("organisation", 12), ("regulations", 7), ("plans", 6), ("duties", 1), ("business", 12150)):
        figures[(f"publications.{code}", "month")] = Decimal(number)
    data = return_bytes(form, MAY, "dongcheng", "东城分局", figures)

    saved = _saved_by_an_office_suite(tmp_path, data)
    one = Interpreter([form], None).interpret(read_document("a_2014-05.xlsx", saved)).submission

    shares = {
        cell.indicator: one.texts[cell.position]
        for cell in form.cells
        if cell.measure == "share"
        and cell.indicator.startswith("publications.")
        and one.decimals[cell.position] != NO_DECIMALS
    }
    assert shares["publications.business"].rstrip("%") == "99.79"
    (judged,) = judge(Batch(form, MAY, (one,)), rule_set(form, MAY, RuleSettings())).judged
    assert {failure.kind for failure in judged.failures} <= {"year-to-date", "share-column", "subset"}


UTF_8 = "csv:Text - txt - csv (StarCalc):44,34,76"
GB_18030 = "csv:Text - txt - csv (StarCalc):44,34,85"
_WRITER = "--infilter=HTML (StarWriter)"
# What it writes: from which of our files, as what, with which options.
ROUTES: dict[str, tuple[str, tuple[str, ...]]] = {
    "xls": ("xlsx", ("xls",)),
    "ods": ("xlsx", ("ods",)),
    "html": ("xlsx", ("html",)),
    "csv in UTF-8": ("xlsx", (UTF_8,)),
    "csv in GB18030": ("xlsx", (GB_18030,)),
    "pdf of the spreadsheet program": ("xlsx", ("pdf",)),
    "docx": ("html", ("docx:MS Word 2007 XML", _WRITER)),
    "pdf of the word processor": ("html", ("pdf:writer_web_pdf_Export", _WRITER)),
}
# A text table is written of the first sheet alone.
ONE_SHEET = {"another table before"}


@pytest.mark.parametrize("route", list(ROUTES))
def test_whatever_an_office_suite_writes_of_a_rearranged_return_reads_alike(tmp_path: Path, route: str) -> None:
    source, (kind, *options) = ROUTES[route]
    shifts = [shift for shift in SHIFTS if not (route.startswith("csv") and shift in ONE_SHEET)]
    given = {f"{at:02}.{source}": WRITERS[source](SHIFTS[shift](filled_in())) for at, shift in enumerate(shifts)}
    saved = _converted(tmp_path, given, kind, *options)
    wanted = understood(read_bytes(good_return()))
    differing = [shift for at, shift in enumerate(shifts) if understood(read_bytes(saved[f"{at:02}"])) != wanted]
    assert differing == []


@pytest.mark.parametrize("kind", ["xls", "ods", "html"])
def test_the_blank_workbook_filled_in_and_saved_in_another_format_reads_alike(tmp_path: Path, kind: str) -> None:
    saved = _saved_by_an_office_suite(tmp_path, good_return(), kind)
    assert understood(read_bytes(saved)) == understood(read_bytes(good_return()))

"""The blank workbook through a real office suite: opened, calculated, saved by somebody else's program, and read back."""

from __future__ import annotations

import shutil
import subprocess
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

pytestmark = pytest.mark.slow
MAY = Period.parse("2014-05")


def _saved_by_an_office_suite(folder: Path, data: bytes, kind: str = "xlsx") -> bytes:
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("no soffice on this machine")
    source, target = folder / "return.xlsx", folder / "saved"
    source.write_bytes(data)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    subprocess.run(
        [program, profile, "--headless", "--convert-to", kind, "--outdir", str(target), str(source)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return next(target.iterdir()).read_bytes()


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

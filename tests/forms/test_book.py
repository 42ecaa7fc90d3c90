"""The rule book: a line for every rule of every form, and for every rule that reads no single form's figures an example that
passes, one that fails and one that cannot be assessed. (Rules over figures have theirs in `test_walker`.)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from disclosure_etl.bureaus import load_bureaus
from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.quality.book import rule_book
from disclosure_etl.quality.judging import judge
from disclosure_etl.quality.locked import held_for_lock
from disclosure_etl.quality.returns import mark_two_returns
from disclosure_etl.quality.waivers import Waivers
from disclosure_etl.reports.rulebook import book_markdown, book_object
from disclosure_etl.settings import default_config_dir
from schemas.constraints import CELLWISE, LINEAR, SHARES, TRENDS, Kind
from schemas.formfile import load_forms
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import Batch, History, Submission, Waiver
from schemas.rulecodes import FINDINGS, rule_codes
from schemas.rules import RuleSet, RuleSettings, rule_set
from schemas.values import UNKNOWN, Trouble
from tests.factories import ZONE, datetime, default_form, return_bytes, some_figures
from tests.quality.test_judging import quiet
from tests.quality.written import MAY, rules_of, written

FORMS = load_forms(sorted((default_config_dir() / "forms").glob("*.yaml"))).forms
BUREAUS = load_bureaus(default_config_dir() / "bureaus.yaml")
FORM = default_form()


def rules_in_force(form: Form) -> RuleSet:
    period = Period.parse(form.valid.first)
    period = period.shifted(1) if form.covers(period.shifted(1)) else period
    return rule_set(form, period, RuleSettings())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.key)
def test_every_rule_has_a_line_with_words_in_the_book(form: Form) -> None:
    rules = rules_in_force(form)
    records = rule_book(rules)

    printed = book_markdown(rules, records)
    told = book_object(rules, records)

    codes = list(rule_codes(rules))
    assert [one.code for one in records] == codes
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if f"| `{code}` |" not in printed] == []
    assert [one["code"] for one in told["rules"]] == codes
    assert all(one.title.zh and one.title.en and one.template.zh and one.template.en for one in records)
    figures = [cell for cell in form.cells if cell.measure != "share"]
    assert len(told["power"]) == len(figures)  # what catches a slip is told of every figure
    assert all(one["reason"]["zh"] for one in told["power"])


# -- examples of rules about returns as a whole, readings, and the course of a bureau ---------------------------------


def judged(*returns: Submission, history: History | None = None, waivers: Waivers | None = None) -> set[str]:
    batch = Batch(FORM, MAY, returns)
    verdict = judge(batch, rules_of(FORM), history, {}, waivers)
    return {failure.rule for one in verdict.judged for failure in one.failures}


def read(name: str = "东城分局_2014-05.xlsx", period: Period = MAY, forms=(FORM,), **header: str) -> set[str]:
    """The findings of a good return with some of its header changed."""
    texts = {"bureau": "东城分局", "bureau_code": "dongcheng", "revision": "1"} | header
    data = return_bytes(
        FORM, period, texts.pop("bureau_code"), texts.pop("bureau"), some_figures(FORM, 5), **_revised(texts)
    )
    found = Interpreter(forms, BUREAUS).interpret(read_document(name, data)).submission
    return {finding.code for finding in found.findings}


def _revised(texts: dict[str, str]) -> dict:
    revision = texts.pop("revision")
    return {**texts, "revision": revision}


def course(now: dict[str, int], past: int | None = 40) -> tuple[tuple[Submission, ...], History]:
    """Twelve bureaus with the same 40 publications every month, of which the first one's are `now`."""
    figures = quiet() | {("publications", "month"): 40, ("publications.business", "month"): 38}
    returns = [written(FORM, figures | {(code, "month"): value for code, value in now.items()}, bureau="b0")]
    returns += [written(FORM, figures, bureau=f"b{number}") for number in range(1, 12)]
    watched = rules_of(FORM).table.watched
    before = np.full((12, 12, len(watched)), UNKNOWN)
    if past is not None:
        for at, cell in enumerate(watched):
            before[:, :, at] = past if cell.indicator == "publications" else figures[(cell.indicator, "month")]
    return tuple(returns), History(past=before)


def trend(code: str, now: dict[str, int], past: int | None = 40) -> tuple[bool, bool]:
    """Whether the rule fails at the first bureau, and whether it could not be assessed."""
    returns, history = course(now, past)
    first = judge(Batch(FORM, MAY, returns), rules_of(FORM), history, {}).judged[0]
    return code in {failure.rule for failure in first.failures}, code in {rule for rule, _ in first.not_assessable}


@pytest.mark.parametrize("code", [str(kind) for kind in TRENDS])
def test_what_is_looked_at_over_time_passes_fails_and_waits(code: str) -> None:
    failing = {
        "jump": ({"publications": 4000}, 40),
        "year-jump": ({"publications": 4000}, 40),
        "zero-among-peers": ({"publications": 0}, 40),
        "copy": ({}, 40),
    }[code]
    passing = {"publications": 43, "publications.business": 41}

    assert trend(code, *failing)[0]
    assert trend(code, passing) == (False, False)
    # Without a past nothing is compared, and nothing is waited for.
    assert trend(code, passing, None) == (False, False)
    blank, history = course({})
    first = written(FORM, {place: value for place, value in quiet().items() if place[1] != "month"}, bureau="b0")
    verdict = judge(Batch(FORM, MAY, (first, *blank[1:])), rules_of(FORM), history, {}).judged[0]
    assert code in {rule for rule, _ in verdict.not_assessable}


def _two(same: bool) -> set[str]:
    one, other = written(FORM, quiet()), written(FORM, quiet() | {("enquiries", "month"): 99})
    return {finding.code for sent in mark_two_returns([one] if same else [one, other]) for finding in sent.findings}


def _twice(form: Form, other: int | None) -> set[str]:
    import io

    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(return_bytes(form, MAY, "dongcheng", "东城分局", some_figures(form, 5))))
    sheet = book.worksheets[0]
    if other is not None:
        row = next(row for row in range(1, 200) if str(sheet.cell(row, 1).value).strip() == "信函申请")
        sheet.insert_rows(row + 1)
        for column, value in ((1, "信函申请"), (2, "件"), (3, other), (4, 25)):
            sheet.cell(row + 1, column).value = value
    out = io.BytesIO()
    book.save(out)
    found = Interpreter((form,), BUREAUS).interpret(read_document("东城分局_2014-05.xlsx", out.getvalue())).submission
    return {finding.code for finding in found.findings}


def _two_tables(second: bool) -> set[str]:
    import io

    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(return_bytes(FORM, MAY, "dongcheng", "东城分局", some_figures(FORM, 5))))
    if second:
        copy = book.copy_worksheet(book.worksheets[0])
        for row in copy.iter_rows(min_row=9):
            if isinstance(row[2].value, int | float):
                row[2].value = 7
    out = io.BytesIO()
    book.save(out)
    found = Interpreter((FORM,), BUREAUS).interpret(read_document("东城分局_2014-05.xlsx", out.getvalue())).submission
    return {finding.code for finding in found.findings}


def _unit(unit: str) -> set[str]:
    import io

    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(return_bytes(FORM, MAY, "dongcheng", "东城分局", some_figures(FORM, 5))))
    for row in book.worksheets[0].iter_rows(min_row=8):
        if row[1].value == "元":
            row[1].value = unit
    out = io.BytesIO()
    book.save(out)
    found = Interpreter((FORM,), BUREAUS).interpret(read_document("东城分局_2014-05.xlsx", out.getvalue())).submission
    return {finding.code for finding in found.findings}


def _waived(numbers) -> set[str]:
    at = datetime(2014, 6, 1, tzinfo=ZONE)
    waiver = Waiver(
        1, "bureau-monthly", "dongcheng", "subset:publications.full_text", "month",
        ("publications.full_text", "publications"), ("13", "12"), "2014-05", "2014-05", "理由", "某人", at,
    )  # fmt: skip
    return judged(written(FORM, numbers), waivers=Waivers((waiver,)))


def _header(**header: str) -> set[str]:
    signed = {"preparer": "甲", "checker": "乙", "signer": "丙"} | header
    return judged(replace(written(FORM, quiet()), header=signed))


TEXTS_13 = quiet() | {("publications.full_text", "month"): 13}
OTHER_FORM = next(form for form in FORMS if form.key == "bureau-monthly/2019")
# A passing and a failing example of each finding. What they are about is always there to be looked at (or is itself what is
# missing), so none of them can be not assessable, but for those said below.
EXAMPLES: dict[str, tuple[Callable[[], set[str]], Callable[[], set[str]]]] = {
    "identity:bureau": (read, lambda: read(name="西城分局_2014-05.xlsx")),
    "identity:unknown_bureau": (read, lambda: read(name="a_2014-05.xlsx", bureau="乌有分局", bureau_code="nowhere")),
    "identity:not_owed": (read, lambda: _never_owed()),
    "identity:period": (read, lambda: read(name="东城分局_2014-06.xlsx")),
    "identity:form": (read, lambda: _old_form()),
    "identity:revision": (read, lambda: read(revision="第二次")),
    "return:two_returns": (lambda: _two(True), lambda: _two(False)),
    "return:two_tables": (lambda: _two_tables(False), lambda: _two_tables(True)),
    "return:locked": (lambda: judged(written(FORM, quiet())), lambda: _held_for_lock()),
    "return:untouched": (lambda: judged(written(FORM, quiet())), lambda: judged(written(FORM, {}))),
    "return:nil_with_figures": (
        lambda: judged(written(FORM, {}, nil=True)),
        lambda: judged(written(FORM, {("enquiries", "month"): 4}, nil=True)),
    ),
    "return:listed_twice": (lambda: _twice(FORM, None), lambda: _twice(FORM, 9)),
    "return:unit": (lambda: _unit("元"), lambda: _unit("万元")),
    "header:signer": (_header, lambda: _header(signer="")),
    "header:checker": (_header, lambda: _header(checker="甲")),
    "waiver:lapsed": (
        lambda: _waived(TEXTS_13),
        lambda: _waived(quiet() | {("publications.full_text", "month"): 14}),
    ),
    "waiver:idle": (lambda: _waived(TEXTS_13), lambda: _waived(quiet())),
}
# Of these nobody's file tells; `tests/flows/test_questions.py` shows them with bureaus that send, send late and send nothing.
OF_BUREAUS = {"duty:missing", "duty:late"}


def _never_owed() -> set[str]:
    idle = type(BUREAUS)(tuple(one.model_copy(update={"owes": ()}) for one in BUREAUS.bureaus))
    data = return_bytes(FORM, MAY, "dongcheng", "东城分局", some_figures(FORM, 5))
    found = Interpreter((FORM,), idle).interpret(read_document("东城分局_2014-05.xlsx", data)).submission
    return {finding.code for finding in found.findings}


def _held_for_lock() -> set[str]:
    return {failure.rule for failure in held_for_lock(written(FORM, quiet()), MAY).failures}


def _old_form() -> set[str]:
    period = Period.parse("2020-05")
    shifted = FORM.model_copy(update={"valid": FORM.valid.model_copy(update={"last": "2030-12"})})
    data = return_bytes(shifted, period, "dongcheng", "东城分局", some_figures(FORM, 5))
    found = Interpreter((FORM, OTHER_FORM), BUREAUS).interpret(read_document("东城分局_2020-05.xlsx", data)).submission
    return {finding.code for finding in found.findings}


@pytest.mark.parametrize("code", [code for code in FINDINGS if code not in OF_BUREAUS])
def test_a_finding_has_an_example_that_passes_and_one_that_fails(code: str) -> None:
    passing, failing = EXAMPLES[code]

    assert code not in passing()
    assert code in failing()


@pytest.mark.parametrize("trouble", [one for one in Trouble if one is not Trouble.NONE], ids=lambda one: one.code)
def test_a_cell_that_cannot_be_read_is_told_and_one_that_can_is_not(trouble: Trouble) -> None:
    place = ("enquiries", "month")
    good = written(FORM, quiet())
    bad = written(FORM, quiet(), blank={place}, troubles={place: trouble})

    assert f"reading:{trouble.code}" not in judged(good)
    assert f"reading:{trouble.code}" in judged(bad)


def test_every_kind_of_rule_has_its_examples_somewhere() -> None:
    """Figures in the walker, readings, trends and findings here: a new kind has to say where its own are."""
    assert set(Kind) == {*LINEAR, *SHARES, *TRENDS, *CELLWISE}
    assert set(FINDINGS) == {*EXAMPLES, *OF_BUREAUS}

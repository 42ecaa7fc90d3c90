"""Published reports as they were written: how many of their sums and shares are found and judged as a person found them.

The cases stand beside the project and are not part of it; without them there is nothing to measure, and the test is skipped.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from disclosure_etl.checking import Checker
from disclosure_etl.reports.contract import check_object
from schemas.formfile import load_forms
from tests.factories import contract

CASES = Path(os.environ.get("DISCLOSURE_CASES", Path(__file__).parents[3] / "shared" / "cases")) / "reports"
LEAST_FOUND = 0.9
# What a person marked as not holding although nothing is wrong: channels that overlap, a list that ends with 「等」.
TRAPS = {("006-bj-dongcheng-fagaiwei-2014.txt", "三渠道=130"), ("050-huludao-jiaoyu-2022.txt", "497(原文带“等”)")}
# What is not found as it stands in the list of expectations, and why.
MISSES = {
    ("006-bj-dongcheng-fagaiwei-2014.txt", "网站+微博=130"): (
        "two of three overlapping channels happen to add up; the text claims no such sum, and each is only held to be at most "
        "the total"
    ),
}
DIAGNOSES = {
    ("001-bj-guotu-2014.txt", "业务动态"): "adjusted",
    ("010-bj-xicheng-zhanlanlu-2014.txt", "业务"): "unattainable",
}

pytestmark = pytest.mark.skipif(not (CASES / "expected.json").is_file(), reason="the cases are not here")


@dataclass
class Report:
    """One report as `check` judged it, by figures instead of places."""

    printed: dict[str, Any]
    values: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.printed["observations"]:
            if one["value"] is not None:
                self.values[one["cell"]] = Decimal(str(one["value"]))

    def relations(self) -> list[tuple[tuple, dict[str, Any]]]:
        """Each relation, with its signed figures (or part, total and share)."""
        told = []
        for one in self.printed["structure"]:
            if all(cell in self.values for cell in one["cells"]):
                figures = [self.values[cell] for cell in one["cells"]]
                if one["relation"] == "share":
                    told.append((("share", *figures), one))
                else:
                    told.append((signed([a * b for a, b in zip(one["times"], figures, strict=True)]), one))
        return told

    def failure(self, relation: dict[str, Any]) -> dict[str, Any] | None:
        """The failure of a relation."""
        return next((one for one in self.printed["failures"] if one["cells"] == relation["cells"]), None)


def signed(terms: list[Decimal]) -> tuple:
    """Terms without their order and common sign."""
    ordered = sorted(map(Decimal, terms))
    return tuple(max(ordered, sorted(-one for one in ordered)))


@lru_cache
def reports() -> dict[str, Report]:
    folder = files("config") / "forms"
    forms = load_forms([Path(str(one)) for one in folder.iterdir() if one.name.endswith(".yaml")], ())
    paths = sorted(CASES.glob("*.txt"))
    return {path.name: Report(check_object(*Checker(forms).check(path))) for path in paths}


@lru_cache
def outcomes() -> dict[tuple[str, str], str]:
    """Of every line expected: `as expected`, or what is otherwise."""
    expected = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
    return {
        (name, line["label"]): (sum_outcome if kind == "sums" else share_outcome)(reports()[name], name, line)
        for name, lines in expected.items()
        for kind in ("sums", "shares")
        for line in lines[kind]
    }


def sum_outcome(report: Report, name: str, line: dict[str, Any]) -> str:
    parts, total = [Decimal(part) for part in line["parts"]], Decimal(line["total"])
    relations = report.relations()
    if (name, line["label"]) in TRAPS:
        bounded = [signed([part, -total]) for part in parts]
        found = Counter(key for key, one in relations if one["relation"] == "<=" and one["verdict"] == "holds")
        return "as expected" if not Counter(bounded) - found else "not found"
    for key, one in relations:
        if key == signed([*parts, -total]):
            if line["holds"]:
                return "as expected" if one["verdict"] == "holds" else f"judged {one['verdict']}"
            failure = report.failure(one)
            right = failure is not None and Decimal(failure["difference"]) == sum(parts) - total
            return "as expected" if right else "not reported with its difference"
    return "not found"


def share_outcome(report: Report, name: str, line: dict[str, Any]) -> str:
    wanted = (Decimal(line["part"]), Decimal(line["total"]), Decimal(line["printed"]))
    for key, one in report.relations():
        if key[0] == "share" and tuple(key[1:]) == wanted:
            if line["holds"]:
                return "as expected" if one["verdict"] == "holds" else f"judged {one['verdict']}"
            failure = report.failure(one)
            right = failure is not None and failure["diagnosis"] == DIAGNOSES[name, line["label"]]
            return "as expected" if right else "not reported with its diagnosis"
    return "not found"


def test_nine_in_ten_are_found_and_judged_as_a_person_did(capsys) -> None:
    told = outcomes()
    right = sum(one == "as expected" for one in told.values())
    misses = {
        key: f"{what}: {MISSES.get(key, 'no cause known')}" for key, what in told.items() if what != "as expected"
    }

    lines = [f"{right} of {len(told)} sums and shares found and judged as expected ({right / len(told):.1%})"]
    lines += [f"  missed: {name} {label}: {what}" for (name, label), what in misses.items()]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")

    assert right >= LEAST_FOUND * len(told)
    assert set(misses) == set(MISSES)


def test_everything_that_does_not_hold_is_reported() -> None:
    expected = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
    wrong = {
        (name, line["label"]): outcomes()[name, line["label"]]
        for name, lines in expected.items()
        for kind in ("sums", "shares")
        for line in lines[kind]
        if not line["holds"]
    }

    assert {key for key, what in wrong.items() if what != "as expected"} == set()


def test_nothing_else_is_reported() -> None:
    expected = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
    alarms = set()
    for name, report in reports().items():
        lines = expected.get(name, {"sums": [], "shares": []})
        sums = [
            signed([*map(Decimal, line["parts"]), -Decimal(line["total"])])
            for line in lines["sums"]
            if not line["holds"] and (name, line["label"]) not in TRAPS
        ]
        shares = [
            ("share", Decimal(line["part"]), Decimal(line["total"]), Decimal(line["printed"]))
            for line in lines["shares"]
            if not line["holds"]
        ]
        told = {tuple(one["cells"]): key for key, one in report.relations()}
        for failure in report.printed["failures"]:
            if told.get(tuple(failure["cells"])) not in [*sums, *shares]:
                alarms.add((name, failure["rule"], tuple(failure["seen"])))

    assert alarms == set()


def test_every_report_keeps_to_the_contract() -> None:
    for report in reports().values():
        contract("check").validate(report.printed)
        assert report.printed["status"] != "unreadable"

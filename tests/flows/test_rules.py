"""The commands around rules: what they are asked for is what they answer, or they say why not."""

from __future__ import annotations

from pathlib import Path

import pytest

RULE = """rules:
  - {form: bureau-monthly/2008, code: online, title: {zh: 网上, en: online}, relation: "<=", severity: warning,
     terms: [{indicator: applications.received.internet}, {indicator: enquiries.online, times: -1}]}
"""


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        (("--form", "bureau-monthly/2008", "--period", "2019-06"), "不适用于 2019-06", "bureau-monthly/2008 is not in force for 2019-06"),
        (("--period", "2014Q1"), "2014Q1 是季度时期", "'bureau-monthly' comes by the month; 2014Q1 is a quarter."),
        (("--form", "national-annual/2014", "--period", "2014-05"), "「national-annual」是年度报表", "comes by the year; 2014-05 is a month."),
        (("--json", "--markdown"), "只能选一个", "Choose one of --json and --markdown."),
        (("compare", "2014"), "2014 是年度时期", "'bureau-monthly' comes by the month; 2014 is a year."),
        (("health", "--from", "2014-05", "--to", "2014-04"), "--from 2014-05 晚于 --to 2014-04", "--from 2014-05 is later than --to 2014-04."),
    ],
)  # fmt: skip
def test_a_question_without_an_answer_is_told(say, arguments: tuple[str, ...], zh: str, en: str) -> None:
    say("init")
    assert zh in say("--lang", "zh", "rules", *arguments).err
    said = say("rules", *arguments)
    assert (said.code, said.out) == (2, "")
    assert en in said.err


@pytest.mark.parametrize(("form", "period"), [("bureau-monthly/2008", "2014-05"), ("bureau-monthly", "2019-06")])
def test_the_book_is_that_of_the_form_and_period_named(say, form: str, period: str) -> None:
    say("init")
    said = say("rules", "--form", form, "--period", period, "--json")

    assert said.code == 0
    assert (said.json["form"].partition("/")[0], said.json["period"]) == ("bureau-monthly", period)
    assert said.json["form"].endswith("/2008" if period < "2019" else "/2019")


def test_rules_on_trial_are_held_against_those_in_force(say, tmp_path: Path) -> None:
    say("init")
    (tmp_path / "config" / "rules.yaml").write_text(RULE, encoding="utf-8")
    (tmp_path / "again.yaml").write_text(RULE, encoding="utf-8")
    (tmp_path / "change.yaml").write_text(
        "overrides:\n  - {rule: 'stated:online', severity: notice, reason: 口径}\n", encoding="utf-8"
    )

    again = say("rules", "try", "again.yaml")
    span = say("rules", "try", "change.yaml", "--from", "2014-05", "--to", "2014-04")

    assert (again.code, span.code, say("rules", "try", "change.yaml").code) == (2, 2, 0)
    assert "again.yaml:2: Rule code 'online' stands twice." in again.err
    assert "--from 2014-05 is later than --to 2014-04." in span.err

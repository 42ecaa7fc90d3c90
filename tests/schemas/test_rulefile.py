"""An office's rules.yaml: what is wrong in it is told with file, line and the known names, before any return is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from disclosure_etl.settings import default_config_dir
from schemas.errors import ConfigError
from schemas.formfile import load_forms
from schemas.rulefile import check_rule_settings
from schemas.rules import RuleSettings
from schemas.yamlfile import read_yaml

FORMS = load_forms(sorted((default_config_dir() / "forms").glob("*.yaml")))
BUREAUS = ("dongcheng", "xicheng")


def read(tmp_path: Path, text: str) -> RuleSettings:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    settings, source = read_yaml(path, RuleSettings)
    check_rule_settings(settings, source, FORMS, BUREAUS)
    return settings


def test_the_packaged_file_changes_nothing() -> None:
    settings, source = read_yaml(default_config_dir() / "rules.yaml", RuleSettings)

    check_rule_settings(settings, source, FORMS, BUREAUS)
    assert settings == RuleSettings()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("overrides:\n  - {rule: 'subset:publications.fulltext', severity: warning, reason: 口径}", 2, "subset:publications.full_text"),
        ("overrides:\n  - {rule: jump, bureau: dongchen, severity: 'off', reason: 口径}", 2, "'dongcheng'"),
        ("overrides:\n  - {rule: jump, form: monthly, severity: 'off', reason: 口径}", 2, "There is no form 'monthly'"),
        ("overrides:\n  - {rule: jump, severity: severe, reason: 口径}", 2, "not a known value"),
        ("overrides:\n  - {rule: jump, severity: notice}", 2, "'overrides.reason' is missing"),
        ("overrides:\n  - {rule: jump, reason: 口径}", 2, "severity, tolerance or thresholds expected"),
        ("overrides:\n  - {rule: jump, severity: notice, from: 2014-13, reason: 口径}", 2, "'2014-13' is not a period"),
        ("overrides:\n  - {rule: 'balance:applications', thresholds: {least_change: 2.0}, reason: 口径}", 2, "has no thresholds"),
        ("overrides:\n  - {rule: jump, severity: notice, from: 2014-05, to: 2014-04, reason: 口径}", 2, "'from' (2014-05) is later than 'to' (2014-04)"),
        ("rules:\n  - {form: dingxi-monthly, code: a, title: {zh: 甲, en: A}, terms: [{indicator: publications}, {indicator: catalogue}],\n     valid: {from: 2014-05, to: 2014-04}}", 3, "'from' (2014-05) is later than 'to' (2014-04)"),
        ("rules:\n  - {form: bureau-monthly/2008, code: a, title: {zh: 甲, en: A}, terms: [{indicator: publications}, {indicator: enquiries}],\n     tolerance: 0.5}", 3, "finer than the figures of rule 'a'"),
        ("overrides:\n  - {rule: 'duty:late', severity: error, reason: 口径}", 2, "'duty:late' is not open to changes"),
        ("overrides:\n  - {rule: 'duty:*', severity: error, reason: 口径}", 2, "Open are: return:*, header:*"),
        ("overrides:\n  - {rule: 'identity:period', severity: notice, reason: 口径}", 2, "'identity:period' is not open to changes"),
        ("overrides:\n  - {rule: 'waiver:idle', severity: 'off', reason: 口径}", 2, "'waiver:idle' is not open to changes"),
        ("overrides:\n  - {rule: 'subsets:*', severity: 'off', reason: 口径}", 2, "Did you mean 'subset:*'?"),
        ("overrides:\n  - {rule: 'breakdown:enquiries:*', severity: 'off', reason: 口径}", 2, "There is no rule 'breakdown:enquiries:*'"),
        ("overrides:\n  - {rule: jump, tolerance: 1.0, reason: 口径}", 2, "Rule 'jump' has no tolerance"),
        ("overrides:\n  - {rule: 'required:*', tolerance: 1.0, reason: 口径}", 2, "Rule 'required:*' has no tolerance"),
        ("overrides:\n  - {rule: 'balance:applications', tolerance: 0.5, reason: 口径}", 2, "finer than the figures of rule 'balance:applications', which have 0 decimals"),
        ("overrides:\n  - rule: zero-among-peers\n    thresholds: {zero_median: 20.0,\n      least_change: 2.0}\n    reason: 口径", 4, "'zero-among-peers' does not use 'least_change'; it uses: zero_median"),
        ("overrides:\n  - {rule: 'jump:*', thresholds: {copy_figures: 3}, reason: 口径}", 2, "it uses: least_change, least_difference"),
        ("trends: {false_alarm: 2.0}", 1, "Did you mean 'false_alarms'?"),
        ("rules:\n  - {form: bureau-monthly, code: a, title: {zh: 甲, en: A}, terms: [{indicator: publication}, {indicator: enquiries}]}", 2, "'publications'"),
        ("rules:\n  - {form: bureau-monthly, code: a, title: {zh: 甲, en: A}, terms: [{indicator: publications, column: year}, {indicator: enquiries}]}", 2, "year_to_date"),
        ("rules:\n  - {form: bureau-monthly/2008, code: a, title: {zh: 甲, en: A}, terms: [{indicator: fees.waived}, {indicator: enquiries}]}", 2, "different decimals"),
        ("rules:\n  - {form: dingxi-monthly, code: a, title: {zh: 甲, en: A}, message: {zh: '{totl}', en: x}, terms: [{indicator: publications}, {indicator: catalogue}]}", 2, "'total'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_the_known_names(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)

    assert f"rules.yaml:{line}:" in error.value.message.en
    assert said in error.value.message.en
    assert error.value.message.zh != error.value.message.en


def test_a_rule_code_stands_once_in_form_and_office_together(tmp_path: Path) -> None:
    rule = "  - {form: bureau-monthly/2008, code: a, title: {zh: 甲, en: A}, terms: [{indicator: enquiries}, {indicator: publications, times: -1}]}\n"

    with pytest.raises(ConfigError, match="stands twice"):
        read(tmp_path, "rules:\n" + rule + rule)


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        """
review: {impact_below: 0.01}
overrides:
  - {rule: "subset:*", form: bureau-monthly, bureau: dongcheng, severity: warning, from: 2014-01, to: 2014-06, reason: 系统改造}
  - {rule: jump, thresholds: {least_change: 3.0}, reason: 小单位波动大}
rules:
  - {form: bureau-monthly/2008, code: online, title: {zh: 网上, en: online}, relation: "<=", severity: warning,
     terms: [{indicator: applications.received.internet}, {indicator: enquiries.online, times: -1}]}
""",
    )

    assert [one.rule for one in settings.overrides] == ["subset:*", "jump"]
    assert settings.rules[0].code == "online"


@pytest.mark.parametrize(
    "change",
    [
        "{rule: 'header:signer', severity: notice, reason: 口径}",
        "{rule: 'year-to-date:fees.waived', tolerance: 0.01, reason: 口径}",
        "{rule: 'jump:*', thresholds: {least_change: 2.0, least_difference: 9.0}, reason: 口径}",
        "{rule: copy, thresholds: {copy_figures: 9}, bureau: xicheng, reason: 口径}",
    ],
)
def test_what_has_an_effect_is_taken(tmp_path: Path, change: str) -> None:
    assert len(read(tmp_path, f"overrides:\n  - {change}").overrides) == 1


RULE = """rules:
  - {form: bureau-monthly/2008, code: online, title: {zh: 网上, en: online}, relation: "<=", severity: warning,
     terms: [{indicator: applications.received.internet}, {indicator: enquiries.online, times: -1}]}
"""


def test_what_is_to_be_added_is_held_against_what_is_there(tmp_path: Path) -> None:
    there = read(tmp_path, RULE)
    path = tmp_path / "more.yaml"

    def added(text: str) -> None:
        path.write_text(text, encoding="utf-8")
        settings, source = read_yaml(path, RuleSettings)
        check_rule_settings(settings, source, FORMS, BUREAUS, beside=there)

    added("overrides:\n  - {rule: 'stated:online', severity: notice, reason: 口径}")
    with pytest.raises(ConfigError, match=r"more\.yaml:2: Rule code 'online' stands twice"):
        added(RULE)

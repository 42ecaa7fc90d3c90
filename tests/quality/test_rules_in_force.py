"""What an office changes about rules: severity, tolerance and rules of its own, by bureau and for a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from disclosure_etl.quality.book import rule_book
from disclosure_etl.quality.judging import judge
from disclosure_etl.quality.review import reviewed
from schemas.constraints import Kind
from schemas.forms import FormRule
from schemas.periods import Period
from schemas.records import Batch, Failure, Severity
from schemas.rules import Override, RuleSettings, rule_set
from tests.factories import default_form
from tests.quality.test_judging import APRIL, quiet, with_changes
from tests.quality.written import MAY, history_of, rules_of, shares_of, verdict, written

FORM = default_form()
TOO_MANY_TEXTS = with_changes(publications__full_text=13)
SUBSET = "subset:publications.full_text"


def changes(**more: object) -> RuleSettings:
    return RuleSettings(overrides=(Override.model_validate({"rule": SUBSET, "reason": "口径调整", **more}),))


def severities(settings: RuleSettings, bureau: str = "dongcheng", period: Period = MAY) -> dict[str, Severity]:
    one = written(FORM, TOO_MANY_TEXTS, shares_of(FORM, TOO_MANY_TEXTS), bureau=bureau, period=period)
    return {failure.rule: failure.severity for failure in verdict(one, FORM, period=period, changes=settings).failures}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"severity": "warning"}, Severity.WARNING),
        ({"severity": "off"}, None),
        ({"severity": "off", "bureau": "xicheng"}, Severity.ERROR),
        ({"severity": "notice", "bureau": "dongcheng"}, Severity.NOTICE),
        ({"severity": "notice", "from": "2014-06"}, Severity.ERROR),
        ({"severity": "notice", "from": "2014-01", "to": "2014-05"}, Severity.NOTICE),
        ({"severity": "notice", "form": "dingxi-monthly"}, Severity.ERROR),
        ({"severity": "notice", "rule": "subset:*"}, Severity.NOTICE),
        ({"tolerance": 1}, None),
        ({"tolerance": 1, "bureau": "xicheng"}, Severity.ERROR),
        ({"tolerance": 1, "bureau": "dongcheng"}, None),
        ({"tolerance": 0.5}, Severity.ERROR),
    ],
)
def test_a_change_holds_where_and_when_it_says(more: dict, expected: Severity | None) -> None:
    assert severities(changes(**more)).get(SUBSET) == expected


def test_a_bureaus_own_change_goes_before_one_for_all() -> None:
    both = RuleSettings(
        overrides=(
            Override(rule=SUBSET, bureau="dongcheng", severity="notice", reason="本单位"),
            Override(rule=SUBSET, severity="off", reason="全局"),
        )
    )

    assert severities(both)[SUBSET] is Severity.NOTICE
    assert SUBSET not in severities(both, "xicheng")


@pytest.mark.parametrize("order", [1, -1])
def test_a_bureaus_own_thresholds_go_before_those_for_all_in_any_order(order: int) -> None:
    both = (
        Override.model_validate({"rule": "jump", "thresholds": {"least_change": 2.0}, "reason": "全局"}),
        Override.model_validate(
            {"rule": "jump:*", "bureau": "xicheng", "thresholds": {"least_change": 4.0}, "reason": "本单位"}
        ),
    )

    rules = rules_of(FORM, changes=RuleSettings(overrides=both[::order]))

    assert list(np.asarray(rules.thresholds(Kind.JUMP, ["dongcheng", "xicheng"]).least_change)) == [2.0, 4.0]


def test_all_of_a_kind_are_told_by_their_kind_and_not_by_their_codes() -> None:
    """The parts of a list that is open are bounded as subsets are, whatever their codes begin with."""
    table = default_form().tables[0]
    blocks = tuple(
        block.model_copy(
            update={
                "indicators": tuple(
                    item.model_copy(
                        update={
                            "breakdowns": tuple(one.model_copy(update={"complete": False}) for one in item.breakdowns)
                        }
                    )
                    for item in block.indicators
                )
            }
        )
        for block in table.blocks
    )
    form = FORM.model_copy(update={"tables": (table.model_copy(update={"blocks": blocks}),)})
    part = next(row.code for row in rules_of(form).table.constraints if row.code.startswith("breakdown:"))

    def under(rule: str) -> tuple[Severity | None, int, str | None]:
        changed = RuleSettings.model_validate(
            {"overrides": [{"rule": rule, "severity": "off", "tolerance": 2, "reason": "口径"}]}
        )
        rules = rules_of(form, changes=changed)
        tolerance = next(row.tolerance for row in rules.table.constraints if row.code == part)
        reason = next(one.reason for one in rule_book(rules) if one.code == part)
        return rules.severity(part, "dongcheng", Severity.ERROR), tolerance, reason

    assert under("subset:*") == (None, 2, "口径")
    assert under("breakdown:*") == (Severity.ERROR, 0, None)
    assert (
        rules_of(FORM, changes=changes(rule="jump:*", severity="off")).severity("jump", None, Severity.WARNING) is None
    )


def test_a_rule_about_the_return_as_a_whole_can_be_changed() -> None:
    unsigned = replace(written(FORM, quiet()), header={})

    told = {one.rule: one.severity for one in verdict(unsigned, FORM).failures}
    changed = verdict(unsigned, FORM, changes=changes(rule="header:*", severity="notice")).failures

    assert told["header:signer"] is Severity.WARNING
    assert {one.rule: one.severity for one in changed}["header:signer"] is Severity.NOTICE


def test_a_rule_that_is_off_is_not_waited_for_either() -> None:
    off = RuleSettings(overrides=(Override(rule="opening:applications", severity="off", reason="首年"),))

    waiting = verdict(written(FORM, quiet()), FORM, changes=off).not_assessable

    assert "opening:applications" not in {rule for rule, _ in waiting}
    assert "opening:litigation" in {rule for rule, _ in waiting}


def test_the_version_tells_rule_sets_apart() -> None:
    plain, again = rules_of(FORM), rules_of(FORM)
    changed = rules_of(FORM, changes=changes(severity="notice"))

    assert plain.version == again.version
    assert plain.version != changed.version


RULE = FormRule.model_validate(
    {
        "code": "online", "title": {"zh": "网上申请不多于网上咨询", "en": "online"}, "relation": "<=", "severity": "warning",
        "terms": [{"indicator": "applications.received.internet"}, {"indicator": "enquiries.online", "times": -1}],
        "columns": ["month"], "valid": {"from": "2014-05"},
    }
)  # fmt: skip


@pytest.mark.parametrize(("period", "fires"), [(MAY, True), (Period.parse("2014-04"), False)])
def test_a_rule_written_out_holds_from_its_day(period: Period, fires: bool) -> None:
    form = FORM.model_copy(update={"rules": (RULE,)})
    numbers = with_changes(applications__received__internet=1)

    found = judge(Batch(form, period, (written(form, numbers, period=period),)), rule_set(form, period, RuleSettings()))

    told = [one for one in found.judged[0].failures if one.rule == "stated:online"]
    assert bool(told) is fires
    if fires:
        assert (told[0].severity, told[0].seen, told[0].difference) == (Severity.WARNING, ("1", "0"), "1")
        assert "网上申请不多于网上咨询" in told[0].message.zh


def test_today_s_rules_can_be_asked_of_an_old_month() -> None:
    april = Period.parse("2014-04")
    form = FORM.model_copy(update={"rules": (RULE,)})

    own, today = rule_set(form, april, RuleSettings()), rule_set(form, april, RuleSettings(), MAY)

    assert [row.code for row in own.table.constraints if row.code.startswith("stated:")] == []
    assert [row.code for row in today.table.constraints if row.code.startswith("stated:")] == ["stated:online"]
    assert own.version != today.version


def test_the_book_shows_what_was_changed_and_why() -> None:
    book = {one.code: one for one in rule_book(rules_of(FORM, changes=changes(severity="warning")))}

    assert (book[SUBSET].severity, book[SUBSET].reason) == ("warning", "口径调整")
    assert book["balance:applications"].reason is None


def test_warnings_of_little_effect_become_notices_and_the_effect_is_told() -> None:
    """A share of a share: of 4,000 published over all bureaus, one text too many is a quarter of a per mille."""
    settings = RuleSettings.model_validate(
        {"review": {"impact_below": 0.001}, "overrides": [{"rule": SUBSET, "severity": "warning", "reason": "口径"}]}
    )
    one = written(FORM, TOO_MANY_TEXTS, shares_of(FORM, TOO_MANY_TEXTS))
    totals = {cell.name: 4000 for cell in FORM.cells}

    (judged,) = judge(
        Batch(FORM, MAY, (one,)), rules_of(FORM, changes=settings), history_of(FORM, APRIL), totals
    ).judged

    severity = {failure.rule: failure.severity for failure in judged.failures}
    assert severity[SUBSET] is Severity.NOTICE
    effect = reviewed(judged.failures, settings.review)
    kept = sum(failure.impact or 0 for failure in judged.failures if failure.rule != SUBSET)
    whole = sum(failure.impact or 0 for failure in judged.failures)
    assert effect.demoted == len([failure for failure in judged.failures if failure.rule == SUBSET])
    assert effect.share == pytest.approx(kept / whole)


def test_nothing_demoted_is_all_reviewed() -> None:
    found: list[Failure] = list(verdict(written(FORM, TOO_MANY_TEXTS), FORM).failures)

    assert reviewed(found, RuleSettings().review).share == 1.0

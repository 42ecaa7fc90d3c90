"""A steward's word on a failure: it lets the block through for these very figures, lapses when they change, and is never
touched by a rerun."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from disclosure_etl.decisions import Word, failure_by_id, waive, withdraw
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from disclosure_etl.trials import compare, try_out
from disclosure_etl.warehouse import StoredFailure
from disclosure_etl.warehouse.tables import decision
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.periods import Period
from schemas.rules import RuleSettings
from tests.factories import FAMILY, return_bytes, send, send_month, some_figures

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
WORD = Word("王处长", "经核实,两件系同一人重复登记")


def run(office: Office, period: Period = JANUARY) -> Consolidation:
    return consolidate(office, FAMILY, period).consolidation


def state(one: Consolidation, bureau: str = "haidian"):
    return next(each for each in one.bureaus if each.bureau == bureau)


def slip(office: Office, by: int = 1, month: int = 1):
    figures = some_figures(office.forms.choose(FAMILY, JANUARY), month)
    for column in ("month", "year_to_date"):
        figures[("publications.full_text", column)] += Decimal(by)
    return figures


def held(office: Office) -> StoredFailure:
    """One block held in January: more full texts than publications."""
    send_month(office, JANUARY, changed={"haidian": slip(office)})
    assert state(run(office)).held_blocks == ("publications",)
    found = office.warehouse.failures(FAMILY, JANUARY, "haidian")
    return next(one for one in found if one.failure.column == "month")


def waive_all(office: Office, until: Period = JANUARY) -> None:
    held(office)
    for one in office.warehouse.failures(FAMILY, JANUARY, "haidian"):
        waive(office, FAMILY, one, (JANUARY, until), WORD)


def test_a_waiver_lets_the_block_through_in_a_version_of_its_own(office: Office) -> None:
    waive_all(office)

    one = office.warehouse.consolidation(FAMILY, JANUARY)
    assert one is not None
    assert (state(one).status, state(one).errors, one.version > 1) == ("accepted", 0, True)
    assert all(figure.validated for figure in one.figures)
    first = office.warehouse.consolidation(FAMILY, JANUARY, 1)
    assert first is not None
    assert state(first).held_blocks == ("publications",)  # what was frozen stays frozen
    found = office.warehouse.failures(FAMILY, JANUARY, "haidian")
    assert [failure.failure.waiver is not None for failure in found] == [True, True]


def test_a_rerun_renews_verdicts_and_never_touches_a_decision(office: Office) -> None:
    waive_all(office)
    with office.warehouse.engine.connect() as connection:
        before = connection.execute(select(decision)).all()

    again = run(office)

    with office.warehouse.engine.connect() as connection:
        assert connection.execute(select(decision)).all() == before
    assert state(again).status == "accepted"


def test_a_waiver_lapses_when_the_figures_change(office: Office) -> None:
    waive_all(office)
    form = office.forms.choose(FAMILY, JANUARY)
    send(office, "haidian_2014-01_r2.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", slip(office, 2), 2))

    run(office)

    found = [one.failure for one in office.warehouse.failures(FAMILY, JANUARY, "haidian")]
    assert [one.seen for one in found if one.kind == "subset" and one.waiver is None] == [("14", "12"), ("14", "12")]
    assert [one.rule for one in found if one.kind == "waiver"] == ["waiver:lapsed", "waiver:lapsed"]


def test_a_waiver_that_matches_nothing_any_more_is_told(office: Office) -> None:
    waive_all(office)
    form = office.forms.choose(FAMILY, JANUARY)
    send(office, "haidian_2014-01_r2.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form), 2))

    one = run(office)

    found = office.warehouse.failures(FAMILY, JANUARY, "haidian")
    assert {failure.failure.rule for failure in found} == {"waiver:idle"}
    assert state(one).status == "accepted"


def test_a_waiver_holds_for_its_periods_and_no_longer(office: Office) -> None:
    held(office)
    (month,) = [one for one in office.warehouse.failures(FAMILY, JANUARY, "haidian") if one.failure.column == "month"]
    waive(office, FAMILY, month, (JANUARY, FEBRUARY), WORD)
    send_month(office, FEBRUARY, changed={"haidian": slip(office, month=2)})

    run(office, FEBRUARY)

    found = office.warehouse.failures(FAMILY, FEBRUARY, "haidian")
    by_column = {one.failure.column: one.failure for one in found if one.failure.kind == "subset"}
    assert by_column["month"].waiver is not None
    assert by_column["year_to_date"].waiver is None


def test_a_withdrawn_waiver_holds_nothing(office: Office) -> None:
    waive_all(office)
    for waiver in office.warehouse.waivers(FAMILY):
        withdraw(office, FAMILY, waiver.number, WORD)

    found = office.warehouse.failures(FAMILY, JANUARY, "haidian")
    assert [one.failure.waiver for one in found if one.failure.kind == "subset"] == [None, None]
    assert office.warehouse.waivers(FAMILY) == ()
    with pytest.raises(UserError, match="no waiver 1"):
        withdraw(office, FAMILY, 1, WORD)


def test_the_same_waiver_twice_is_one(office: Office) -> None:
    found = held(office)

    first = waive(office, FAMILY, found, (JANUARY, JANUARY), WORD)
    second = waive(office, FAMILY, found, (JANUARY, JANUARY), WORD)

    assert first.waiver == second.waiver
    assert second.followed.consolidations == () or second.followed.consolidations[0].version == (
        first.followed.consolidations[0].version
    )


@pytest.mark.parametrize(("word", "lacks"), [(Word("王处长", ""), "--reason"), (Word("", "理由充分"), "--by")])
def test_a_decision_names_who_and_why(office: Office, word: Word, lacks: str) -> None:
    with pytest.raises(UserError, match=lacks):
        waive(office, FAMILY, held(office), (JANUARY, JANUARY), word)


def test_nobody_can_vouch_for_one_of_two_returns_that_differ(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    for number, figures in enumerate((some_figures(form), slip(office))):
        send(office, f"haidian_{number}.xlsx", return_bytes(form, JANUARY, "haidian", "海淀分局", figures))
    run(office)
    found = [one for one in office.warehouse.failures(FAMILY, JANUARY, "haidian") if "two_returns" in one.failure.rule]

    one = failure_by_id(found, found[0].failure.id)  # both files tell it, and it is one
    with pytest.raises(UserError, match="cannot be waived"):
        waive(office, FAMILY, one, (JANUARY, JANUARY), WORD)


def test_two_waivers_for_one_failure_are_both_in_use(office: Office) -> None:
    one = held(office)
    waive(office, FAMILY, one, (JANUARY, JANUARY), WORD)
    waive(office, FAMILY, one, (JANUARY, FEBRUARY), WORD)

    rules = {failure.failure.rule for failure in office.warehouse.failures(FAMILY, JANUARY, "haidian")}
    assert not [rule for rule in rules if rule.startswith("waiver:")]


def test_a_failure_is_found_by_the_beginning_of_its_id(office: Office) -> None:
    found = held(office)
    everything = office.warehouse.failures(FAMILY, JANUARY)

    assert failure_by_id(everything, found.failure.id[:10]) == found
    with pytest.raises(UserError, match="subset:publications"):
        failure_by_id(everything, "zzz")


# -- rules over history -----------------------------------------------------------------------------------------------


def candidate(**rule: object) -> RuleSettings:
    return RuleSettings.model_validate(
        {
            "rules": [
                {
                    "form": "bureau-monthly/2008", "code": "few-letters", "title": {"zh": "信函少", "en": "few letters"},
                    "terms": [{"indicator": "applications.received.letter", "times": 4}, {"indicator": "applications.received", "times": -1}],
                    "relation": "<=", "severity": "warning", "columns": ["month"], **rule,
                }
            ]
        }
    )  # fmt: skip


def test_a_rule_on_trial_tells_how_often_it_would_have_fired_and_on_what(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    many = some_figures(form)
    for column in ("month", "year_to_date"):
        many[("applications.received.letter", column)] += 1
        many[("applications.received.in_person", column)] -= 1
    send_month(office, JANUARY, changed={"haidian": many})
    send_month(office, FEBRUARY)
    for period in (JANUARY, FEBRUARY):
        run(office, period)
    stored = office.warehouse.failures(FAMILY, JANUARY)

    trial = try_out(office, FAMILY, candidate(), None, None)

    assert (trial.returns, trial.periods) == (34, ("2014-01", "2014-02"))
    assert dict(trial.fired) == {"stated:few-letters": 1}
    assert [(one.period, one.bureau, one.after) for one in trial.differences] == [("2014-01", "haidian", "warning")]
    assert office.warehouse.failures(FAMILY, JANUARY) == stored


def test_an_old_month_is_compared_under_its_own_rules_and_todays(office: Office) -> None:
    held(office)
    office.__dict__["rule_settings"] = RuleSettings.model_validate(
        {"overrides": [{"rule": "subset:publications.full_text", "severity": "warning", "reason": "新口径"}]}
    )

    trial = compare(office, FAMILY, JANUARY)

    assert {(one.failure.rule, one.before, one.after) for one in trial.differences} == {
        ("subset:publications.full_text", "error", "warning")
    }
    assert len(trial.differences) == 2


def test_returns_of_one_month_are_each_compared_with_the_rules_that_judged_them(office: Office) -> None:
    form = office.forms.choose(FAMILY, JANUARY)
    send_month(office, JANUARY)
    send_month(office, FEBRUARY, changed={"dongcheng": slip(office, month=2)})
    for period in (JANUARY, FEBRUARY):
        run(office, period)
    office.__dict__["rule_settings"] = RuleSettings.model_validate(
        {"overrides": [{"rule": "subset:publications.full_text", "severity": "warning", "reason": "新口径"}]}
    )
    more = some_figures(form)  # one enquiry more in January, so that February of this bureau alone is judged again
    for column in ("month", "year_to_date"):
        for code in ("enquiries", "enquiries.on_site"):
            more[(code, column)] += 1
    send(office, "miyun_r2.xlsx", return_bytes(form, JANUARY, "miyun", "密云分局", more, 2))
    run(office)
    assert len(set(office.warehouse.rule_versions(FAMILY, FEBRUARY).values())) == 2

    trial = compare(office, FAMILY, FEBRUARY)

    assert {(one.bureau, one.before, one.after) for one in trial.differences} == {("dongcheng", "error", "warning")}


def test_rules_tell_how_they_fared(office: Office) -> None:
    waive_all(office)
    form = office.forms.choose(FAMILY, JANUARY)
    other = some_figures(form)
    other[("enquiries.on_site", "month")] += 1
    send(office, "miyun_r2_2014-01.xlsx", return_bytes(form, JANUARY, "miyun", "密云分局", other, 2))
    run(office)
    send(office, "miyun_r3_2014-01.xlsx", return_bytes(form, JANUARY, "miyun", "密云分局", some_figures(form), 3))
    run(office)

    health = {one.rule: one for one in office.warehouse.rule_health(FAMILY, None, None)}

    assert (health["subset:publications.full_text"].fired, health["subset:publications.full_text"].waived) == (2, 2)
    corrected = health["breakdown:enquiries:channel"]
    assert (corrected.fired, corrected.corrected, corrected.waived) == (1, 1, 0)
    assert health["opening:applications"].not_assessable >= 17
    assert office.warehouse.rule_health(FAMILY, FEBRUARY, None) == []


def test_a_whole_branch_is_counted_once_and_is_at_least_its_units(office: Office) -> None:
    bureaus = office.bureaus.bureaus
    whole = tuple(
        one.model_copy(update={"reports": "whole"}) if one.code == "shiju" else one for one in bureaus
    )  # every district stands below the municipal bureau
    office.__dict__["bureaus"] = type(office.bureaus)(whole)
    form = office.forms.choose(FAMILY, JANUARY)
    everything = {place: value * 17 for place, value in some_figures(form).items()}
    everything[("litigation.received", "month")] -= 3  # its own share of 17, less than its units' 16
    send_month(office, JANUARY, changed={"shiju": everything})

    one = run(office)

    totals = {(figure.indicator, figure.column): figure.value for figure in one.figures}
    assert totals[("publications", "month")] == 17 * 12
    rules = {failure.failure.rule for failure in office.warehouse.failures(FAMILY, JANUARY, "shiju")}
    assert "branch:litigation.received" in rules
    assert "branch:publications" not in rules

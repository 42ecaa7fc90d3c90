"""Returns as a whole: sent back they count on, withdrawn they count for nothing, reinstated as if they had come again; every
decision may be undone, and is told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from disclosure_etl import judgement
from disclosure_etl.decisions import Word
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from disclosure_etl.quality.judging import Verdict, judge
from disclosure_etl.returned import decide, return_by_digest, undo
from schemas.consolidation import Consolidation
from schemas.errors import UserError
from schemas.periods import Period
from schemas.records import Status
from schemas.returns import ReturnAction, StoredReturn
from schemas.states import State
from tests.factories import FAMILY, default_form, return_bytes, send, send_month, some_figures, with_slip

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
WORD = Word("王处长", "单位来电说明")
RETURN, WITHDRAW, REINSTATE = ReturnAction.RETURN, ReturnAction.WITHDRAW, ReturnAction.REINSTATE


def run(office: Office, period: Period = JANUARY) -> Consolidation:
    return consolidate(office, FAMILY, period).consolidation


def returns(office: Office, bureau: str = "haidian", period: Period = JANUARY) -> list[StoredReturn]:
    return office.warehouse.returns(FAMILY, period, bureau)


def states(office: Office, bureau: str = "haidian") -> list[str]:
    return [one.state.value for one in returns(office, bureau)]


def stands(office: Office, bureau: str = "haidian", period: Period = JANUARY) -> str:
    one = office.warehouse.consolidation(FAMILY, period)
    assert one is not None
    return next(state.status for state in one.bureaus if state.bureau == bureau)


def figure(office: Office, period: Period = JANUARY) -> int | None:
    one = office.warehouse.consolidation(FAMILY, period)
    assert one is not None
    return next(each.value for each in one.figures if (each.indicator, each.column) == ("enquiries", "month"))


def more(by: int, revision: int) -> bytes:
    """Haidian's January with so many more enquiries by telephone, in every cell that they are in."""
    figures = some_figures(default_form())
    for column in ("month", "year_to_date"):
        for indicator in ("enquiries", "enquiries.telephone"):
            figures[(indicator, column)] += Decimal(by)
    for part in ("on_site", "telephone", "online"):
        figures.pop((f"enquiries.{part}", "share"), None)
    return return_bytes(default_form(), JANUARY, "haidian", "海淀分局", figures, revision)


@pytest.fixture
def corrected(office: Office) -> int:
    """January, in which Haidian sent a first and a second revision; how many enquiries there were at first."""
    send_month(office, JANUARY)
    run(office)
    first = figure(office)
    assert first is not None
    send(office, "haidian_second.xlsx", more(5, 2))
    run(office)
    assert (states(office), figure(office)) == (["superseded", "accepted"], first + 5)
    return first


def test_a_return_that_was_sent_back_counts_until_its_correction_comes(office: Office) -> None:
    send_month(office, JANUARY, changed={"haidian": with_slip()})
    before = run(office)
    done = decide(office, RETURN, returns(office)[0], WORD)

    assert (done.now.value, stands(office)) == ("returned", "returned")
    now = office.warehouse.consolidation(FAMILY, JANUARY)
    assert now is not None and now.figures == before.figures and now.version == before.version + 1
    assert now.counts[Status.RETURNED] == 1 and now.found == sum(now.counts.values())

    send(
        office,
        "haidian_2.xlsx",
        return_bytes(default_form(), JANUARY, "haidian", "海淀分局", some_figures(default_form()), 2),
    )
    run(office)
    assert states(office) == ["superseded", "accepted"]


def test_a_withdrawn_return_counts_for_nothing_and_the_bureau_is_missing(office: Office) -> None:
    send_month(office, JANUARY)
    before = run(office)
    decide(office, WITHDRAW, returns(office)[0], WORD)

    assert (states(office), stands(office)) == (["withdrawn"], "missing")
    now = office.warehouse.consolidation(FAMILY, JANUARY)
    assert now is not None and now.counts[Status.WITHDRAWN] == 1 and "haidian" in now.missing
    assert now.coverage < before.coverage == 1
    run(office)  # its file lies in the inbox still
    assert states(office) == ["withdrawn"]


def test_what_a_withdrawn_return_had_replaced_counts_again(office: Office, corrected: int) -> None:
    done = decide(office, WITHDRAW, returns(office)[1], WORD)
    assert (states(office), figure(office)) == (["accepted", "withdrawn"], corrected)

    undo(office, FAMILY, done.number, WORD)
    assert (states(office), figure(office)) == (["superseded", "accepted"], corrected + 5)


def test_bytes_that_come_again_count_only_when_reinstated(office: Office, corrected: int) -> None:
    """A, B, A: the third is no correction by itself; somebody says so."""
    send(office, "haidian_again.xlsx", (office.settings.inbox_path / "haidian_2014-01.xlsx").read_bytes())
    run(office)
    assert figure(office) == corrected + 5
    assert [one.code for one in office.warehouse.refused(FAMILY, JANUARY)] == ["come_again"]

    first = returns(office)[0]
    done = decide(office, REINSTATE, first, WORD)
    assert (done.now.value, figure(office)) == ("accepted", corrected)
    assert [one.digest for one in returns(office)][-1] == first.digest
    assert office.warehouse.refused(FAMILY, JANUARY) == []

    send(office, "haidian_third.xlsx", more(9, 2))  # of the same number as the second, but later than the reinstatement
    run(office)
    assert (states(office)[-1], figure(office)) == ("accepted", corrected + 9)


def test_a_bureau_stands_where_the_return_stands_that_was_reinstated(office: Office) -> None:
    """A slip, its correction; then the first return is reinstated: it is the newest, and held again."""
    send_month(office, JANUARY, changed={"haidian": with_slip()})
    run(office)
    send(office, "haidian_second.xlsx", more(5, 2))
    run(office)
    assert (states(office), stands(office)) == (["superseded", "accepted"], "accepted")

    decide(office, REINSTATE, returns(office)[0], WORD)

    assert [(one.revision, one.state.value) for one in returns(office)] == [(2, "accepted"), (1, "partly_held")]
    state = next(one for one in office.warehouse.consolidation(FAMILY, JANUARY).bureaus if one.bureau == "haidian")  # type: ignore[union-attr]
    assert (state.status, state.revision) == ("partly_held", 1)


def test_later_months_follow_a_withdrawal(office: Office) -> None:
    for period in (JANUARY, FEBRUARY):
        send_month(office, period)
        run(office, period)
    done = decide(office, WITHDRAW, returns(office)[0], WORD)
    assert [one.period for one in done.followed.consolidations][:2] == ["2014-01", "2014-02"]
    waiting = next(
        one
        for one in office.warehouse.consolidation(FAMILY, FEBRUARY).bureaus
        if one.bureau == "haidian"  # type: ignore[union-attr]
    )
    assert waiting.not_assessable > 0


def test_a_return_that_was_sent_back_is_so_again_after_a_program_fault(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_month(office, JANUARY)
    run(office)
    decide(office, RETURN, returns(office)[0], WORD)

    def failing(*given: object) -> Verdict:
        verdict = judge(*given)  # type: ignore[arg-type]
        judged = [
            replace(one, fault="no such column") if one.submission.bureau == "haidian" else one
            for one in verdict.judged
        ]
        return replace(verdict, judged=tuple(judged))

    with monkeypatch.context() as broken:
        broken.setattr(judgement, "judge", failing)
        run(office)
        assert states(office) == ["failed"]
    run(office)
    assert states(office) == ["returned"]


@pytest.mark.parametrize("action", [RETURN, WITHDRAW, REINSTATE])
def test_what_cannot_be_decided_is_refused_with_what_can(office: Office, corrected: int, action: ReturnAction) -> None:
    first, second = returns(office)
    wrong = second if action is REINSTATE else first
    with pytest.raises(UserError, match=wrong.state.value):
        decide(office, action, wrong, WORD)
    with pytest.raises(UserError, match="--reason"):
        decide(office, action, first if action is REINSTATE else second, Word("王处长", ""))
    assert (states(office), figure(office)) == (["superseded", "accepted"], corrected + 5)


def test_every_decision_is_told_and_undone_once(office: Office, corrected: int) -> None:
    number = decide(office, REINSTATE, returns(office)[0], WORD).number
    undo(office, FAMILY, number, WORD)
    with pytest.raises(UserError, match="—"):
        undo(office, FAMILY, number, WORD)
    told = [one for one in office.warehouse.audit_events() if one.kind.startswith("return_")]
    assert [(one.kind, one.actor, one.details["reason"]) for one in told] == [
        ("return_reinstated", "王处长", WORD.reason), ("return_undone", "王处长", WORD.reason),
    ]  # fmt: skip
    assert figure(office) == corrected + 5


def test_a_return_is_named_by_digest_or_file(office: Office, corrected: int) -> None:
    found = returns(office)
    assert return_by_digest(found, found[0].digest[:8]) is found[0]
    assert return_by_digest(found, "haidian_second.xlsx") is found[1]
    for wrong in ("", "zz"):
        with pytest.raises(UserError, match="haidian_second"):
            return_by_digest(found, wrong)


@pytest.mark.parametrize("action", [RETURN, WITHDRAW])
def test_what_stands_decided_is_not_decided_again(office: Office, action: ReturnAction) -> None:
    send_month(office, JANUARY)
    run(office)
    (mine,) = returns(office)
    first = decide(office, action, mine, WORD)
    (mine,) = returns(office)

    again = decide(office, action, mine, Word("李主任", "再按一次"))

    assert (again.number, again.is_new, again.now) == (first.number, False, first.now)
    assert len(office.warehouse.return_decisions(FAMILY)) == 1


def test_what_came_after_a_decision_is_to_be_decided_anew(office: Office) -> None:
    send_month(office, JANUARY)
    run(office)
    send(office, "haidian_2.xlsx", more(1, 2))
    run(office)
    decide(office, REINSTATE, returns(office)[0], WORD)
    send(office, "haidian_3.xlsx", more(2, 3))
    run(office)
    (back,) = (one for one in returns(office) if one.revision == 1)

    assert back.state is State.SUPERSEDED
    assert decide(office, REINSTATE, back, WORD).is_new

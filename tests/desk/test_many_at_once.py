"""Many cases of a month decided at once, for one reason: all of them or none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from disclosure_etl.decisions import Word, waive_many, withdraw_many
from disclosure_etl.hindrances import warnings_of
from disclosure_etl.office import Office
from disclosure_etl.warehouse import pending
from disclosure_etl.warehouse.tables import run
from schemas.errors import UserError
from tests.desk.conftest import FEBRUARY, JANUARY, Client
from tests.factories import FAMILY

ACKNOWLEDGE = "/months/2014-02/acknowledge"


def error_of(client: Client) -> str:
    """The id of the one open case of January."""
    return re.search(r'cases/([0-9a-f]{16})"', client.get("/months/2014-01/cases").text)[1]


def warnings(client: Client) -> dict[str, str]:
    """What the list's form carries of each warning of February, by id."""
    shown = client.get("/months/2014-02/cases").text
    return {key: told for told, key in re.findall(r'name="shown" value="(([0-9a-f]{16}):[0-9a-f]{8})"', shown)}


def runs(office: Office) -> int:
    """How many runs there were."""
    with office.warehouse.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(run)).scalar_one()


def test_many_warnings_are_acknowledged_for_one_reason_and_judged_once(office: Office, steward: Client) -> None:
    shown, before = warnings(steward), runs(office)
    answer = steward.post(
        f"{ACKNOWLEDGE}?state=open&bureau=",
        {"id": list(shown), "shown": list(shown.values()), "reason": "逐家核实,确无变化"},
    )

    assert answer.status_code == 303 and answer.headers["location"] == "/months/2014-02/cases?state=open"
    assert len(shown) == len(office.warehouse.waivers(FAMILY)) == 16
    assert runs(office) == before + 1
    failures = office.warehouse.failures(FAMILY, FEBRUARY)
    assert warnings_of(failures, office.warehouse.consolidation(FAMILY, FEBRUARY)) == ()

    version = office.warehouse.consolidation(FAMILY, FEBRUARY).version
    again = steward.post(ACKNOWLEDGE, {"id": list(shown), "shown": list(shown.values()), "reason": "逐家核实,确无变化"})
    assert again.status_code == 409 and "wang的姓名(wang)" in again.text
    assert len(office.warehouse.waivers(FAMILY)) == 16 and runs(office) == before + 1
    assert office.warehouse.consolidation(FAMILY, FEBRUARY).version == version


def test_of_many_of_which_one_was_decided_meanwhile_none_is(office: Office, as_: Callable[[str], Client]) -> None:
    wang, zhao = as_("wang"), as_("zhao")
    shown = warnings(wang)
    first = next(iter(shown))
    zhao.post(ACKNOWLEDGE, {"id": [first], "shown": [shown[first]], "reason": "已核实"})
    answer = wang.post(ACKNOWLEDGE, {"id": list(shown), "shown": list(shown.values()), "reason": "一并确认"})

    assert answer.status_code == 409
    assert "zhao的姓名(zhao)" in answer.text and 'value="一并确认"' in answer.text
    assert answer.text.count("checked") == 15  # what was chosen stays so
    assert [one.by for one in office.warehouse.waivers(FAMILY)] == ["zhao的姓名(zhao)"]


def test_a_warning_of_a_return_that_was_sent_back_is_not_acknowledged_besides(
    office: Office, as_: Callable[[str], Client]
) -> None:
    wang, zhao = as_("wang"), as_("zhao")
    shown = warnings(wang)
    first = next(iter(shown))
    case = f"/months/2014-02/cases/{first}"
    seen = re.search(r'name="seen" value="([0-9a-f]{16})"', zhao.get(case).text)[1]
    assert zhao.post(f"{case}/return", {"seen": seen, "reason": "请核对"}).status_code == 303

    late = wang.post(ACKNOWLEDGE, {"id": list(shown), "shown": list(shown.values()), "reason": "一并确认"})
    assert late.status_code == 409 and "有 1 条在您打开列表后有了变化" in late.text
    assert office.warehouse.waivers(FAMILY) == ()
    assert first not in warnings(wang)  # it can be chosen no more
    rest = warnings(wang)
    assert len(rest) == len(shown) - 1
    wang.post(ACKNOWLEDGE, {"id": list(rest), "shown": list(rest.values()), "reason": "一并确认"})
    assert len(office.warehouse.waivers(FAMILY)) == len(rest)
    failures = office.warehouse.failures(FAMILY, FEBRUARY)
    assert (
        warnings_of(failures, office.warehouse.consolidation(FAMILY, FEBRUARY)) == ()
    )  # none stands in the way of signing


@pytest.mark.parametrize(
    ("which", "reason", "status"),
    [
        ("none", "已核实", 422),
        ("all", " ", 422),
        ("unshown", "已核实", 409),
        ("unknown", "已核实", 409),
        ("error", "已核实", 409),
    ],
)
def test_what_cannot_be_acknowledged_changes_nothing(
    office: Office, steward: Client, which: str, reason: str, status: int
) -> None:
    shown, where, error = warnings(steward), ACKNOWLEDGE, error_of(steward)
    sent = {
        "none": {}, "all": {"id": list(shown), "shown": list(shown.values())}, "unshown": {"id": list(shown)},
        "unknown": {"id": ["0" * 16], "shown": ["0" * 16 + ":00000000"]}, "error": {"id": [error], "shown": [f"{error}:00000000"]},
    }[which]  # fmt: skip
    if which == "error":
        where = "/months/2014-01/acknowledge"
    assert steward.post(where, {**sent, "reason": reason}).status_code == status
    assert office.warehouse.waivers(FAMILY) == ()


def test_all_that_cannot_be_waived_are_named_and_none_is(office: Office) -> None:
    found = office.warehouse.failures(FAMILY, JANUARY)
    odd = [
        replace(one, failure=replace(one.failure, kind="identity", rule=f"identity:{at}"))
        for at, one in enumerate(found[:2])
    ]
    with pytest.raises(UserError) as refused:
        waive_many(office, FAMILY, [*odd, found[2]], (JANUARY, JANUARY), Word("王芳", "核实无误"))

    assert all(rule in refused.value.message.zh for rule in ("identity:0", "identity:1"))
    assert found[2].failure.rule not in refused.value.message.zh
    assert office.warehouse.waivers(FAMILY) == ()


def test_many_decisions_are_one_all_of_them_or_none(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    found, word = office.warehouse.failures(FAMILY, JANUARY), Word("王芳", "核实无误")
    assert len(found) > 1

    def breaks(*_: object) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(pending, "note_judgements", breaks)
        with pytest.raises(RuntimeError):
            waive_many(office, FAMILY, found, (JANUARY, JANUARY), word)
    assert office.warehouse.waivers(FAMILY) == ()
    assert office.warehouse.audit_events("waive") == []

    waive_many(office, FAMILY, found, (JANUARY, JANUARY), word)
    told = [one.details["decision"] for one in office.warehouse.audit_events("waive")]
    assert told == [one.number for one in office.warehouse.waivers(FAMILY)]  # in the order in which they were decided
    waivers = office.warehouse.waivers(FAMILY)
    assert {one.rule for one in waivers} == {one.failure.rule for one in found}
    with monkeypatch.context() as patched:
        patched.setattr(pending, "note_judgements", breaks)
        with pytest.raises(RuntimeError):
            withdraw_many(office, FAMILY, [one.number for one in waivers], word)
    assert office.warehouse.waivers(FAMILY) == waivers

    withdraw_many(office, FAMILY, [one.number for one in waivers], word)
    assert office.warehouse.waivers(FAMILY) == ()

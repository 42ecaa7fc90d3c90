"""Which failures are cases, by the words of Python; `case_pages` says the same to the database (tests/desk/test_months.py)."""

from __future__ import annotations

from schemas.cases import cases_among
from schemas.errors import Message
from schemas.records import Failure, Severity


def failure(name: str, case: str | None = None, waiver: int | None = None) -> Failure:
    return Failure(
        name, "r", "k", Severity.ERROR, None, (), None, (), (), None, None, None, None, None, Message("", ""), case=case,
        waiver=waiver,
    )  # fmt: skip


def test_what_has_no_other_cause_is_a_case() -> None:
    assert [one.id for one in cases_among([failure("a"), failure("b", "a"), failure("c", waiver=1)])] == ["a", "c"]


def test_what_was_not_let_stand_though_its_cause_was_is_a_case() -> None:
    assert [one.id for one in cases_among([failure("a", waiver=1), failure("b", "a"), failure("c", "a", 1)])] == [
        "a",
        "b",
    ]


def test_a_cause_that_is_not_there_hides_nothing() -> None:
    assert [one.id for one in cases_among([failure("b", "gone")])] == ["b"]

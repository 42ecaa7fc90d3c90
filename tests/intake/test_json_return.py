"""Returns as JSON: what `check --json` prints is read as the same return; what is not in the contract is told with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from disclosure_etl.intake.interpreter import Interpreter
from disclosure_etl.intake.readers import read_document
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from schemas.periods import Period
from tests.factories import contract, default_form, return_bytes, some_figures
from tests.forms.trials import AS_SHIPPED

MAY = Period.parse("2014-05")


def a_return(**changed: Any) -> dict[str, Any]:
    figures = [
        {"indicator": "applications.received", "column": "month", "value": 20},
        {"indicator": "applications.received", "column": "year_to_date", "value": 95},
        {"indicator": "fees", "column": "month", "value": "23.80"},
    ]
    return {"bureau": "dongcheng", "period": "2014-05", "observations": figures} | changed


def read(content: Any):
    return read_document("a.json", json.dumps(content, ensure_ascii=False).encode())


def test_what_check_prints_is_read_as_the_same_return(say, tmp_path: Path) -> None:
    form = default_form()
    first = tmp_path / "dongcheng_2014-05.xlsx"
    first.write_bytes(return_bytes(form, MAY, "dongcheng", "东城分局", some_figures(form, 5), revision=2))
    printed = say("check", str(first), "--json").json
    contract("return").validate(printed)
    again = tmp_path / "dongcheng_2014-05.json"
    again.write_text(json.dumps(printed, ensure_ascii=False), "utf-8")

    found = say("check", str(again), "--json").json

    def known(one: dict) -> list[tuple]:
        keys = ("indicator", "column", "measure", "value", "meaning")
        return [tuple(figure[key] for key in keys) for figure in one["observations"]]

    assert known(found) == known(printed)
    assert (found["form"], found["period"], found["unread"]) == (printed["form"], "2014-05", [])
    assert found["failures"] == printed["failures"] == []
    assert found["header"] == printed["header"]
    assert (found["header"]["revision"], found["header"]["signer"]) == ("2", printed["header"]["signer"])


def test_a_nil_return_is_one_as_json_too(say, tmp_path: Path) -> None:
    form = default_form()
    first = tmp_path / "dongcheng_2014-05.xlsx"
    first.write_bytes(return_bytes(form, MAY, "dongcheng", "东城分局", {}, nil="√"))
    printed = say("check", str(first), "--json").json
    again = tmp_path / "dongcheng_2014-05.json"
    again.write_text(json.dumps(printed, ensure_ascii=False), "utf-8")
    found = say("check", str(again), "--json").json
    assert (found["status"], found["header"]["nil"]) == (printed["status"], True) == ("accepted", True)


def test_a_place_is_called_by_its_codes(say, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps(a_return(observations=[*a_return()["observations"], {"label": "别的", "value": 7}])), "utf-8"
    )
    found = say("check", str(path), "--json").json
    assert [(one["cell"], one["text"]) for one in found["observations"][:2]] == [
        ("applications.received/month", "20"), ("applications.received/year_to_date", "95"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("{", "line 1, column 2"),
        ('{"observations": [1, NaN]}', "somewhere"),
        ('{"observations": [' + "9" * 5000 + "]}", "somewhere"),
        ("{}", "observations"),
        ('{"observations": 5}', "observations"),
        ('{"observations": [5]}', r"observations\[0\]"),
        ('{"observations": [{"indicator": 5}]}', r"observations\[0\]\.indicator"),
        ('{"observations": [{"indicator": "a", "column": 5}]}', r"observations\[0\]\.column"),
        ('{"observations": [{"indicator": "a", "value": true}]}', r"observations\[0\]\.value"),
        ('{"observations": [{"indicator": "a", "value": [1]}]}', r"observations\[0\]\.value"),
        ('{"bureau": {}, "observations": []}', "bureau"),
        ('[{"observations": []}, {"observations": []}]', "one return"),
    ],
)
def test_what_is_not_in_the_contract_is_told_with_its_place(content: str, where: str) -> None:
    with pytest.raises(Unreadable, match=where) as caught:
        read_document("a.json", content.encode())
    assert (caught.value.code, "return.schema.json" in caught.value.zh) == ("unknown_format", True)


def test_more_figures_than_the_limit_are_refused() -> None:
    with pytest.raises(Unreadable, match=r"limits\.max_cells"):
        read_document("a", json.dumps(a_return()).encode(), ReadLimits(max_cells=2))


def test_columns_that_each_row_has_others_of_cost_no_more_than_the_limit() -> None:
    """Two figures a row, each of a column that the row before has: all rows by all columns."""
    chain = [{"indicator": f"i{at // 2}", "column": f"c{(at + 1) // 2}", "value": 1} for at in range(20_000)]
    with pytest.raises(Unreadable, match=r"limits\.max_cells"):
        read(a_return(observations=chain))


def test_nesting_beyond_reason_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        read_document("a", b'{"observations": ' + b"[" * 100_000)
    assert caught.value.code in ("unknown_format", "truncated")


@pytest.mark.parametrize("text", ["[附件1]\n受理申请,20\n答复,19\n", "[1],[2]\n[3],[4]\n"])
def test_a_text_table_that_begins_with_a_bracket_is_none(text: str) -> None:
    assert read_document("a.csv", text.encode()).format == "csv"


def test_decimals_stay_as_written() -> None:
    for value in ("23.80", 23.8):
        (grid,) = read(a_return(observations=[{"indicator": "fees", "column": "month", "value": value}])).grids
        assert grid.values[-1] == ["fees", str(value)]


def test_the_contract_takes_the_smallest_return_and_nothing_without_figures() -> None:
    contract("return").validate(a_return())
    assert not contract("return").is_valid({"bureau": "dongcheng"})


@pytest.mark.parametrize("key", sorted(AS_SHIPPED))
def test_every_cell_of_every_form_is_found_by_its_codes(key: str) -> None:
    form = AS_SHIPPED[key]
    figures = [
        {"indicator": cell.indicator, "column": cell.column, "measure": cell.measure, "value": f"{at + 1}"}
        for at, cell in enumerate(form.cells)
    ]
    period = Period.parse(form.valid.first)
    found = Interpreter([form], None).interpret(read(a_return(observations=figures, period=period.code))).submission
    assert [text.rstrip("%") for text in found.texts] == [one["value"] for one in figures]
    assert found.unread == ()

"""`check`: what a clerk meets before sending, without an office and without a trace."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from schemas.periods import Period
from tests.factories import contract, default_form, return_bytes, some_figures, with_slip, zeros

JANUARY = Period.parse("2014-01")


def test_check_prints_the_contract_without_any_set_up(say, tmp_path: Path) -> None:
    form = default_form()
    path = tmp_path / "return.xlsx"
    path.write_bytes(return_bytes(form, JANUARY, "nowhere", "某局", with_slip()))

    said = say("check", path, "--json")

    contract("check").validate(said.json)
    assert said.code == 1
    assert (said.json["bureau"], said.json["period"], said.json["status"]) == (None, "2014-01", "partly_held")
    assert {one["kind"] for one in said.json["failures"]} == {"breakdown", "share-column", "year-to-date"}
    amounts = [one["value"] for one in said.json["observations"] if one["indicator"] == "fees.collected"]
    assert amounts == ["30.5", "30.5"]
    labels = {one["indicator"]: one["label"] for one in said.json["observations"]}
    assert labels["publications.full_text"] == "其中:全文电子化"
    assert list(tmp_path.iterdir()) == [path]  # nothing was stored


def test_check_of_several_files_prints_an_array(say, tmp_path: Path) -> None:
    form = default_form()
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad.xlsx"
    good.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", zeros(form)))
    bad.write_bytes(b"")

    said = say("check", good, bad, "--json")

    contract("check").validate(said.json)
    assert [one["status"] for one in said.json] == ["accepted", "unreadable"]
    assert said.json[1]["failures"][0]["rule"] == "unreadable:empty"
    assert said.code == 1


def test_check_of_a_clean_file_exits_0(say, tmp_path: Path) -> None:
    form = default_form()
    path = tmp_path / "good.xlsx"
    path.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", some_figures(form)))

    assert say("check", path).code == 0


def test_check_loads_neither_the_database_library_nor_prefect(tmp_path: Path) -> None:
    form = default_form()
    path = tmp_path / "good.xlsx"
    path.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", some_figures(form)))
    code = (
        "import sys; from flows.cli import main; code = main(sys.argv[1:]); "
        "print(sorted({'sqlalchemy', 'prefect', 'alembic'} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(path), "--json"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr.strip()) == (0, "[]")

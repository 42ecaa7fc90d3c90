"""The one-file checker: how it starts and asks, and (slow) that the file alone checks as the installed command does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from flows import check_cli, checker_start
from schemas.periods import Period
from tests.factories import default_form, return_bytes, some_figures, with_slip

ROOT = Path(__file__).parent.parent.parent
JANUARY = Period.parse("2014-01")
NOT_NEEDED = ("sqlalchemy", "prefect", "alembic", "psycopg", "fastapi", "hypothesis", "openpyxl")


def write_returns(folder: Path) -> tuple[Path, Path]:
    """A return without fault, and one with a slip."""
    form = default_form()
    good, bad = folder / "好 表.xlsx", folder / "bad.xlsx"
    good.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", some_figures(form)))
    bad.write_bytes(return_bytes(form, JANUARY, "miyun", "密云分局", with_slip()))
    return good, bad


@pytest.mark.parametrize(
    ("line", "windows", "paths"),
    [
        ("", False, []),
        ("   ", True, []),
        ("a.xlsx", False, ["a.xlsx"]),
        ("'a b.xlsx' c.xlsx", False, ["a b.xlsx", "c.xlsx"]),
        ("a\\ b.xlsx ", False, ["a b.xlsx"]),
        ('"C:\\报表 2014\\a.xlsx" C:\\b.xlsx', True, ["C:\\报表 2014\\a.xlsx", "C:\\b.xlsx"]),
        ("it's.xlsx", False, ["it's.xlsx"]),
    ],
)
def test_dragged_files_are_their_paths(line: str, windows: bool, paths: list[str]) -> None:
    assert checker_start.dragged(line, windows) == paths


def test_it_asks_where_nothing_is_named_until_an_empty_line(tmp_path: Path, monkeypatch, capsys) -> None:
    good, bad = write_returns(tmp_path)
    lines = iter([f"'{good}'", f"'{bad}'", ""])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    monkeypatch.setattr(sys, "argv", ["disclosure-check.pyz"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    with pytest.raises(SystemExit) as ended:
        checker_start.run()

    assert ended.value.code == 1  # the worst of the two
    told = capsys.readouterr()
    assert "✓ 好 表.xlsx" in told.out
    assert "✗ bad.xlsx" in told.out
    assert "回车" in told.err
    assert "press Enter" in told.err


def test_without_a_terminal_it_says_how_in_two_lines_and_exits_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows.checker_start"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )  # fmt: skip

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 2)


def test_a_python_that_its_parts_are_not_made_for_is_told_so(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_core", None)
    monkeypatch.setattr(sys, "argv", ["disclosure-check.pyz", "a.xlsx"])

    with pytest.raises(SystemExit) as ended:
        checker_start.run()

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]}" in told
    assert "made for cp" in told
    assert "Traceback" not in told


def test_the_configuration_beside_the_file_is_the_office_s(tmp_path: Path, monkeypatch, capsys) -> None:
    good, _ = write_returns(tmp_path)
    (tmp_path / "config").mkdir()
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "disclosure-check.pyz")])
    assert check_cli.check([str(good)]) == 0  # with forms and bureaus of its own, or without

    (tmp_path / "config" / "settings.yaml").write_text("nonsense: 1\n", encoding="utf-8")
    assert check_cli.check([str(good)]) == 2
    assert "settings.yaml" in capsys.readouterr().err


def test_its_lock_has_the_versions_of_the_program_s() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9._-]+==[^ ;\\]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    own = pins("requirements-checker.txt")
    assert own <= pins("requirements.txt")
    assert not [pin for pin in own if pin.startswith(NOT_NEEDED)]


@pytest.mark.slow
def test_the_file_alone_checks_like_the_command(tmp_path: Path) -> None:
    """Built, copied alone, and run by a Python without packages, an empty home and, where that can be had, no network."""
    as_installed = ["-o", ".venv/.ready", "-o", ".venv/.ready-dev"]  # the environment that runs this test is ready
    subprocess.run(["make", "checker", *as_installed], cwd=ROOT, check=True, capture_output=True)
    built = ROOT / "dist" / "disclosure-check.pyz"
    packages = {name.split("/")[1].lower() for name in zipfile.ZipFile(built).namelist() if name.count("/") > 1}
    assert packages.isdisjoint(NOT_NEEDED)
    alone, home = tmp_path / "alone", tmp_path / "home"
    alone.mkdir()
    home.mkdir()
    (alone / built.name).write_bytes(built.read_bytes())
    venv.create(tmp_path / "bare", with_pip=False)
    good, bad = write_returns(alone)
    offline = next((way for way in (["unshare", "-n"], ["unshare", "-rn"]) if _works(way)), [])
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "https_proxy": "http://127.0.0.1:9"}

    for arguments, code in (
        ([good], 0),
        ([bad], 1),
        (["没有.xlsx"], 2),
        ([good, bad, "--json"], 1),
        (["--lang", "xx", bad], 2),
    ):
        words = [str(one.name if isinstance(one, Path) else one) for one in arguments]
        ran = subprocess.run(
            [*offline, str(tmp_path / "bare" / "bin" / "python"), built.name, *words],
            cwd=alone, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        globally = words[:2] if words[0] == "--lang" else []
        command = [*globally, "check", *words[len(globally) :]]
        plain = subprocess.run(
            [sys.executable, "-m", "flows.cli", *command],
            cwd=alone, env={**environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ran.returncode, plain.returncode) == (code, code), ran.stderr
        assert (ran.stdout, ran.stderr) == (plain.stdout, plain.stderr)
    assert sorted(one.name for one in alone.iterdir()) == sorted([built.name, good.name, bad.name])


def _works(way: list[str]) -> bool:
    try:
        return subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.slow
def test_check_takes_little_longer_than_the_imports_it_needs(tmp_path: Path) -> None:
    """At most half a second above pandas and pandera, for one workbook; the best of several whole processes each."""
    from time import perf_counter

    good, _ = write_returns(tmp_path)

    def seconds(*words: str) -> float:
        begun = perf_counter()
        subprocess.run(
            [sys.executable, *words], check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        return perf_counter() - begun

    bare, check = zip(
        *((seconds("-c", "import pandas, pandera.pandas"), seconds("-m", "flows.cli", "check", str(good))) for _ in range(7)),
        strict=True,
    )  # fmt: skip

    assert min(check) - min(bare) <= 0.5

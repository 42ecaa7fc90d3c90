"""The structural promises: layers, charters, no addresses or machine paths, everything that a user can call is documented."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import typer.main

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for folder in ("schemas", "disclosure_etl", "flows", "tests") for path in (ROOT / folder).rglob("*.py")
)
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_module_opens_with_its_charter(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{relative(path)} has no charter"


@pytest.mark.parametrize("path", [path for path in SOURCES if "tests" not in path.parts], ids=relative)
def test_everything_public_has_a_docstring(path: Path) -> None:
    if "migrations" in path.parts:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    inner = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(node)
        if child is not node
    }
    private = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.startswith("_")
        for child in ast.walk(node)
    }

    bare = [node.name for node in public if id(node) not in inner | private and not ast.get_docstring(node)]

    assert bare == []


def test_no_room_is_called_utils() -> None:
    assert [relative(path) for path in SOURCES if path.stem in ("utils", "helpers", "common", "misc")] == []


def test_modules_stay_of_one_concept() -> None:
    long = {
        relative(path): count for path in SOURCES if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }

    assert long == {}


@pytest.mark.parametrize("path", [path for path in TRACKED if path.is_file()], ids=relative)
def test_no_machine_path_and_no_registry_address_is_committed(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "ignore")

    assert not re.search(r"(?<![\w.])/(?:work|root|home|Users)/\w", text)
    if path.name.startswith("requirements"):
        assert "://" not in text


def test_requirements_are_locked_with_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-checker.txt"):
        entries = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8"))
        pins = [entry for entry in entries if re.match(r"[A-Za-z0-9]", entry)]
        assert pins
        assert all("--hash=sha256:" in entry for entry in pins)


def _commands(group, words: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    found = []
    for name, command in group.commands.items():
        found += _commands(command, (*words, name)) if hasattr(command, "commands") else [((*words, name), command)]
    return found


def test_every_command_and_option_is_documented() -> None:
    from flows.cli import app

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for words, command in _commands(typer.main.get_command(app)):
        assert command.help, words
        assert f"disclosure-etl {' '.join(words)}" in readme, f"README does not name {' '.join(words)}"
        for parameter in command.params:
            assert getattr(parameter, "help", None) or parameter.name == "help", (words, parameter.name)


def test_every_setting_is_documented_in_the_file_that_init_writes() -> None:
    from disclosure_etl.settings import SettingsFile

    text = (ROOT / "config" / "settings.yaml").read_text(encoding="utf-8")

    assert [name for name in SettingsFile.model_fields if not re.search(rf"^{name}:", text, re.MULTILINE)] == []


def test_the_wheel_carries_what_it_needs_and_works_anywhere(tmp_path: Path) -> None:
    """Built offline from this checkout; the command runs from the unpacked wheel, away from the sources."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        package.extractall(tmp_path / "site")
    away = tmp_path / "away"
    away.mkdir()
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from flows.cli import main; sys.exit(main(sys.argv[1:]))"

    ran = subprocess.run(
        [sys.executable, "-P", "-c", code, "--lang", "en", "config", "check"],
        cwd=away, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert "default_config" in ran.stdout
    assert "bureau-monthly/2008" in ran.stdout


def test_the_command_installs_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["scripts"] == {"disclosure-etl": "flows.cli:run"}

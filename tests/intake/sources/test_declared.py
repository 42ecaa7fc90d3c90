"""What sources.yaml may say, and what it is told where it says something else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from disclosure_etl.intake.sources.declared import KINDS, Declared, read_sources
from disclosure_etl.intake.sources.secret_values import Secrets
from disclosure_etl.settings import default_config_dir
from schemas.errors import ConfigError

BUREAUS = ("dongcheng", "xicheng", "haidian")
README = Path(__file__).parents[3] / "README.md"


def declared(tmp_path: Path, text: str, **known: str) -> tuple[Declared, ...]:
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    return read_sources(path, BUREAUS, Secrets(known, tmp_path / "secrets.yaml"))


def told(tmp_path: Path, text: str, **known: str) -> str:
    with pytest.raises(ConfigError) as raised:
        declared(tmp_path, text, **known)
    return str(raised.value.message.en)


def test_the_example_of_the_readme_shows_every_kind_and_is_taken(tmp_path: Path) -> None:
    text = re.search(r"```yaml\n(sources:.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    named = dict.fromkeys(re.findall(r"secret: (\w+)", text), "known")
    assert {one.kind for one in declared(tmp_path, text, **named)} == set(KINDS)


def test_the_packaged_file_is_taken() -> None:
    (one,) = read_sources(default_config_dir() / "sources.yaml", BUREAUS, Secrets({}, Path("nowhere.yaml")))
    assert (one.name, one.kind) == ("inbox", "folder")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{name: a, kind: ftp}", "ftp"),
        ("{name: a, kind: folder, bureaus: [dongchen]}", "dongcheng"),
        ("{name: a, kind: folder}\n  - {name: a, kind: folder}", "two sources 'a'"),
        ("{name: a, kind: http}", "nothing to download"),
        ("{name: a, kind: http, urls: ['https://ming:planted@x.example/a']}", "holds a password"),
        ("{name: a, kind: http, urls: ['https://x.example/a?token=planted']}", "holds a password"),
        ("{name: a, kind: sql, url: 'postgresql://u:planted@x/y', table: t}", "holds a password"),
        ("{name: a, kind: webdav, url: 'https://x.example', password: planted}", "must be {secret: NAME}"),
        ("{name: a, kind: webdav, url: 'https://x.example', password: {secret: NOWHERE}}", "needs 'NOWHERE'"),
        ("{name: a, kind: sftp, host: x.example, user: ming}", "known_hosts"),
        ("{name: a, kind: sql, url: 'sqlite://', table: 't; drop table x'}", "table"),
    ],
)
def test_what_cannot_be_used_is_told_and_no_secret_shown(tmp_path: Path, source: str, words: str) -> None:
    said = told(tmp_path, f"sources:\n  - {source}\n")
    assert words in said
    assert "planted" not in said


def test_the_environment_stands_over_the_secrets_file_and_neither_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "secrets.yaml"
    path.write_text('A: "of the file"\nB: "of the file"\n', encoding="utf-8")
    path.chmod(0o600)
    secrets = Secrets({"A": "of the environment"}, path)
    one, two = secrets.get("A"), secrets.get("B")
    assert one is not None and one.reveal() == "of the environment"
    assert two is not None and two.reveal() == "of the file"
    assert secrets.get("C") is None
    assert "of the" not in f"{one} {one!r} {secrets!r}"


def test_a_secrets_file_that_everybody_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "secrets.yaml"
    path.write_text('A: "planted"\n', encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as raised:
        Secrets({}, path).get("A")
    assert "planted" not in str(raised.value)


def test_a_line_of_a_spoilt_secrets_file_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "secrets.yaml"
    path.write_text("A: [planted\n", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not shown") as raised:
        Secrets({}, path).get("A")
    assert "planted" not in str(raised.value)

"""A disk that is full, a line to the database that breaks, at every kind of moment of a run: it says so in one message and ends, what
is stored hangs together, and the next run ends as if nothing had happened."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from disclosure_etl.keeping import verified
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from tests.campaigns.line import line
from tests.campaigns.test_two_at_once import JANUARY, content, office_in, sent, two_months
from tests.factories import FAMILY
from tests.postgres import Server

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, which a file can fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk of one's own: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run(folder: Path, module: str, words: tuple[str, ...], **more: str) -> Ran:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DISCLOSURE_", "PREFECT_"))}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "DISCLOSURE_LANG": "en", **more}
    command = [sys.executable, "-m", module, "--now", "2014-03-06", *words, "--json"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def campaign(
    office: Office, other: Office, disturbed: Callable[[int], tuple[str, Ran]], number: int, message: str
) -> list[str]:
    """So many corrections of January, each met by a disturbed run and then an undisturbed one; those that the disturbance hit."""
    hit = []
    for one in (office, other):
        two_months(one)
    for at in range(number):
        for each in (office, other):
            sent(each, JANUARY, "haidian", revision=at + 2, more=at + 1)
        consolidate(other, FAMILY, JANUARY)
        before = content(office)
        moment, ran = disturbed(at)
        office.warehouse.engine.dispose()
        assert [one for one in verified(office) if not one.holds] == [], moment
        if ran.returncode == 2:
            hit.append(moment)
            assert re.fullmatch(message, ran.stderr.strip()), (moment, ran.stderr)
            assert ran.stdout == "", moment
        else:
            assert ran.returncode in (0, 1), (moment, ran.stderr)
        if content(office) not in (before, content(other)):  # what is left is noted, whatever part of it was stored
            assert known_as_open(office), moment
        consolidate(office, FAMILY, JANUARY)
        assert content(office) == content(other), moment
    return hit


def known_as_open(office: Office) -> bool:
    """Whether the next run knows that something is left: a file that was not loaded, or what waits."""
    unloaded = [one for one in office.warehouse.documents().values() if one.is_return and not one.loaded]
    return bool(unloaded or content(office)["pending"])


def reading_itself(folder: Path, url: str | None = None) -> Office:
    """An office whose runs read in their own process: one that is only just starting complains when its run ends at once."""
    office = office_in(folder, url)
    settings = folder / "config" / "settings.yaml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("processes: auto", "processes: 0"), encoding="utf-8"
    )
    return office


FILLED = ("begin:12", "raw:2", "commit:7", "rows:2", "table:1")
FILLED_SLOWLY = tuple(f"{moment}:{number}" for number in range(1, 25, 3) for moment in ("begin", "commit")) + tuple(
    f"{moment}:{number}" for moment, most in (("raw", 2), ("rows", 4), ("table", 2)) for number in range(1, most + 1)
)


@pytest.mark.parametrize("moments", [FILLED, pytest.param(FILLED_SLOWLY, marks=pytest.mark.slow)], ids=["few", "many"])
def test_a_full_disk_ends_a_run_and_harms_nothing(moments: tuple[str, ...], tmp_path: Path, small_disk: Path) -> None:
    office, other = reading_itself(small_disk), reading_itself(tmp_path / "other")
    filler = small_disk / "filler"

    def disturbed(at: int) -> tuple[str, Ran]:
        moment = moments[at]
        ran = run(small_disk, "tests.campaigns.filled", ("consolidate", "2014-01"), FILL_AT=moment, FILL=str(filler))
        filler.unlink(missing_ok=True)
        return moment, ran

    hit = campaign(office, other, disturbed, len(moments), r"[^\n]*disk[^\n]*full[^\n]*")

    assert len(hit) >= len(moments) * 2 // 3, hit
    for one in (office, other):
        one.warehouse.close()


@pytest.mark.parametrize("number", [6, pytest.param(30, marks=pytest.mark.slow)], ids=["few", "many"])
def test_a_line_that_breaks_ends_a_run_and_harms_nothing(number: int, tmp_path: Path, postgres: Server) -> None:
    if postgres.url is None:
        pytest.skip(postgres.reason)
    url = postgres.fresh_database()
    office, other = reading_itself(tmp_path / "cut", url), reading_itself(tmp_path / "other")
    there = make_url(url)
    if not there.port:
        pytest.skip("the server listens on no port")
    with line(there.port) as to_server:
        through = there.set(port=to_server.port).render_as_string(hide_password=False)

        def through_the_line() -> Ran:
            words = ("consolidate", "2014-01")
            return run(tmp_path / "cut", "flows.cli", words, DISCLOSURE_WAREHOUSE=through)

        said = 0

        def disturbed(at: int) -> tuple[str, Ran]:
            nonlocal said
            if at == 0:
                to_server.mended()
                ran = through_the_line()
                said = to_server.said
                return "not at all", ran
            moment = 1 + said * at // number
            to_server.mended(moment, heard=at % 2 == 0)
            return f"{moment} of {said}{', heard' * (at % 2 == 0)}", through_the_line()

        hit = campaign(
            office, other, disturbed, number, r"The database [^\n]* cannot be used[^\n]*|[^\n]*run lock was lost[^\n]*"
        )

    assert len(hit) >= (number - 1) * 2 // 3, hit
    for one in (office, other):
        one.warehouse.close()

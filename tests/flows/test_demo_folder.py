"""The demonstration's folder: a later demonstration removes what an earlier one wrote, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.demo.folder import clear_earlier, note_written
from flows.demo.play import _noted
from schemas.errors import UserError


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder as a demonstration leaves it."""
    folder = tmp_path / "demo"
    clear_earlier(folder)
    for name in (
        "inbox/2014-01/a.xlsx",
        "out/2014-01/t.xlsx",
        "config/settings.yaml",
        "var/raw/ab/abc",
        "var/warehouse.sqlite",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    note_written(folder)
    return folder


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_an_earlier_demonstration_is_removed_whole(earlier: Path) -> None:
    (earlier / "var" / "warehouse.sqlite").write_text("used since", encoding="utf-8")

    assert clear_earlier(earlier) is True
    assert [path.name for path in earlier.iterdir()] == [".disclosure-demo"]


def test_a_new_folder_is_no_earlier_demonstration(tmp_path: Path) -> None:
    assert clear_earlier(tmp_path / "new") is False


@pytest.mark.parametrize("name", ["notes.txt", "inbox/2014-01/mine.xlsx", "out/2014-01/t.xlsx", "var/mine.txt"])
def test_what_somebody_added_or_changed_keeps_everything(earlier: Path, name: str) -> None:
    (earlier / name).write_text("mine", encoding="utf-8")
    before = everything(earlier)

    with pytest.raises(UserError) as refused:
        clear_earlier(earlier)

    assert name in refused.value.message.en and name in refused.value.message.zh
    assert everything(earlier) == before


def test_one_that_was_broken_off_before_it_listed_anything_is_left(earlier: Path) -> None:
    (earlier / ".disclosure-demo").write_text("", encoding="utf-8")

    with pytest.raises(UserError):
        clear_earlier(earlier)


def test_versions_in_between_are_told_with_the_month_that_caused_them() -> None:
    """June's rerun freezes August and September anew, August's rerun September: September's own comes as version 4."""
    from types import SimpleNamespace

    def ran(period: str, version: int, **later: int):
        others = tuple(SimpleNamespace(period=f"2014-{name[1:]}", version=number) for name, number in later.items())
        return SimpleNamespace(
            result=SimpleNamespace(consolidation=SimpleNamespace(period=period, version=version), later=others)
        )

    versions: dict[str, list[str]] = {}
    for month in ("2014-06", "2014-08", "2014-09"):
        assert _noted(versions, ran(month, 1)) == []

    assert _noted(versions, ran("2014-06", 2, m08=2, m09=2)) == []
    assert _noted(versions, ran("2014-08", 3, m09=3)) == ["2014-06"]
    assert _noted(versions, ran("2014-09", 4)) == ["2014-06", "2014-08"]

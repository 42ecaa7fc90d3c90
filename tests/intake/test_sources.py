"""What counts as arrived in a folder, under which name, and when."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from disclosure_etl.intake.sources import Delivery, FolderSource
from schemas.errors import UserError
from tests.factories import ZONE

NOW = datetime(2014, 6, 6, 8, tzinfo=ZONE)


def arrived(folder: Path, now: datetime = NOW) -> list[Delivery]:
    """The deliveries of a folder."""
    return list(FolderSource(folder, ZONE).deliveries(now))


def lay(folder: Path, *names: str) -> None:
    """Put a file under each name, with the name as content."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")


def test_files_of_all_subfolders_arrive_by_name(tmp_path: Path) -> None:
    lay(tmp_path, "b.xlsx", "2014/05/东城.xlsx", "2014/a.csv")
    found = arrived(tmp_path)
    assert [one.name for one in found] == ["2014/05/东城.xlsx", "2014/a.csv", "b.xlsx"]
    assert [one.read().decode() for one in found] == [one.name for one in found]


@pytest.mark.parametrize(
    "name",
    ["~$东城.xlsx", ".DS_Store", ".~lock.a.xlsx#", "a.xlsx.part", "a.tmp", "a.XLSX.TMP", "a.crdownload", "a.swp", ".git/config", "x/~$a.xlsx"],
)  # fmt: skip
def test_lock_files_hidden_files_and_unfinished_downloads_are_passed_over(tmp_path: Path, name: str) -> None:
    lay(tmp_path, "东城.xlsx", name)
    assert [one.name for one in arrived(tmp_path)] == ["东城.xlsx"]


def test_a_file_of_any_suffix_arrives(tmp_path: Path) -> None:
    lay(tmp_path, "说明.docx", "无后缀", "a.zip")
    assert {one.name for one in arrived(tmp_path)} == {"说明.docx", "无后缀", "a.zip"}


def test_folders_and_broken_links_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").mkdir()
    (tmp_path / "gone.xlsx").symlink_to(tmp_path / "nowhere")
    assert arrived(tmp_path) == []


def test_a_name_in_gbk_bytes_is_read(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/" + "东城分局_2014-05.xlsx".encode("gbk")
    with open(raw, "wb") as file:
        file.write(b"1")
    (one,) = arrived(tmp_path)
    assert one.name == "东城分局_2014-05.xlsx"
    assert one.read() == b"1"


def test_a_folder_in_gbk_bytes_is_read(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/" + "五月".encode("gbk")
    os.mkdir(folder)
    with open(folder + b"/a.xlsx", "wb") as file:
        file.write(b"1")
    assert [one.name for one in arrived(tmp_path)] == ["五月/a.xlsx"]


def test_a_name_in_gbk_below_a_folder_in_utf_8_is_read(tmp_path: Path) -> None:
    (tmp_path / "五月份").mkdir()
    with open(os.fsencode(tmp_path / "五月份") + b"/" + "东城.xlsx".encode("gbk"), "wb") as file:
        file.write(b"1")
    assert [one.name for one in arrived(tmp_path)] == ["五月份/东城.xlsx"]


def test_bytes_that_are_no_text_at_all_still_have_a_name(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff\xff.xlsx", "wb") as file:
        file.write(b"1")
    (one,) = arrived(tmp_path)
    assert one.name.encode() and one.name.endswith(".xlsx")


def test_a_file_arrived_when_it_was_last_written_but_never_in_the_future(tmp_path: Path) -> None:
    lay(tmp_path, "early.xlsx", "future.xlsx")
    early = NOW - timedelta(days=3)
    os.utime(tmp_path / "early.xlsx", (early.timestamp(), early.timestamp()))
    os.utime(tmp_path / "future.xlsx", ((NOW + timedelta(days=3)).timestamp(),) * 2)
    assert {one.name: one.arrived_at for one in arrived(tmp_path)} == {"early.xlsx": early, "future.xlsx": NOW}


def test_an_inbox_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        arrived(tmp_path / "没有")
    assert "没有" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "zh", "en"), [("inbox", "收件目录", "The inbox"), ("share", "来源「share」", "'share'")]
)
def test_a_folder_that_cannot_be_listed_is_called_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, zh: str, en: str
) -> None:
    (tmp_path / "closed").mkdir()
    denied(monkeypatch, "closed")
    for folder in ("gone", "closed"):
        with pytest.raises(UserError) as caught:
            list(FolderSource(tmp_path / folder, ZONE, name).deliveries(NOW))
        said = caught.value.message
        assert zh in said.zh and en in said.en and folder in said.zh
        assert ("收件目录" in said.zh, "inbox" in said.en) == (name == "inbox", name == "inbox")


def test_an_empty_inbox_has_nothing(tmp_path: Path) -> None:
    assert arrived(tmp_path) == []


def denied(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Folders that may not be listed, whoever runs the test."""
    scandir = os.scandir

    def listed(path):
        if Path(path).name in names:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", listed)


@pytest.mark.parametrize("name", ["inbox", "五月"])
def test_a_folder_that_may_not_be_listed_is_told_and_never_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lay(tmp_path / "inbox", "a.xlsx", "五月/b.xlsx")
    denied(monkeypatch, name)
    with pytest.raises(UserError) as caught:
        arrived(tmp_path / "inbox")
    assert (caught.value.exit_code, name in caught.value.message.zh) == (2, True)
    assert "权限" in caught.value.message.zh and "Permission" not in caught.value.message.zh


def test_a_hidden_folder_that_may_not_be_listed_is_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, "a.xlsx", ".trash/b.xlsx")
    denied(monkeypatch, ".trash")
    assert [one.name for one in arrived(tmp_path)] == ["a.xlsx"]

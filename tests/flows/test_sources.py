"""Several sources in one month, as an operator meets them: who may send through which, one that is down, one still growing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from disclosure_etl.settings import default_config_dir
from schemas.periods import Period
from tests.factories import contract, make_office, send_month
from tests.intake.sources.http_server import Answer, site

JANUARY = Period.parse("2014-01")
NOW = ("--now", "2014-02-06")


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """An office to whose inbox everybody has sent."""
    send_month(make_office(tmp_path), JANUARY)
    (tmp_path / "config").mkdir(exist_ok=True)
    for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml"):
        shutil.copyfile(default_config_dir() / name, tmp_path / "config" / name)
    return tmp_path


def declare(office: Path, *sources: dict) -> None:
    (office / "config" / "sources.yaml").write_text(yaml.safe_dump({"sources": list(sources)}), encoding="utf-8")


def bureau_file(office: Path) -> Path:
    return sorted((office / "inbox").rglob("*.xlsx"))[0]


def test_a_return_through_another_bureaus_source_is_misdirected_and_counts_through_its_own(say, office: Path) -> None:
    there = office / "share"
    there.mkdir()
    moved = bureau_file(office)
    moved.rename(there / moved.name)
    declare(
        office,
        {"name": "inbox", "kind": "folder"},
        {"name": "share", "kind": "folder", "path": "share", "bureaus": ["pinggu"]},
    )

    said = say(*NOW, "consolidate", "2014-01", "--json")

    contract("consolidation").validate(said.json)
    assert (said.json["accepted"], said.json["misdirected"], said.code) == (16, 1, 1)
    assert "share" in say("--lang", "en", "failures", "2014-01").out

    declare(office, {"name": "inbox", "kind": "folder"}, {"name": "share", "kind": "folder", "path": "share"})
    again = say(*NOW, "consolidate", "2014-01", "--json")
    assert (again.json["accepted"], again.json["misdirected"]) == (17, 0)


def test_a_source_that_is_down_fails_alone_and_is_told(say, office: Path) -> None:
    declare(
        office,
        {"name": "inbox", "kind": "folder"},
        {"name": "gone", "kind": "folder", "path": "nowhere"},
    )

    said = say(*NOW, "consolidate", "2014-01", "--json")

    assert [(one["name"], one["status"]) for one in said.json["sources"]] == [("inbox", "ok"), ("gone", "down")]
    assert (said.json["accepted"], said.code) == (17, 1)
    assert "gone" in said.err
    doctor = say(*NOW, "doctor", "--json")
    assert [one["ok"] for one in doctor.json if one["what"] == "source"] == [False]


def test_returns_are_downloaded_once_the_server_answers_and_a_second_run_changes_nothing(
    say, office: Path, monkeypatch
) -> None:
    pytest.importorskip("httpx", reason="httpx is not installed: pip install 'disclosure-etl[sources]'")
    monkeypatch.setenv("SITE_PASSWORD", "planted-Pa55")
    moved = bureau_file(office)
    with site() as server:
        by = {"user": "ming", "password": {"secret": "SITE_PASSWORD"}, "attempts": 1}
        declare(
            office,
            {"name": "inbox", "kind": "folder"},
            {"name": "site", "kind": "http", "urls": [f"{server.url}/one.xlsx"], **by},
        )
        data = moved.read_bytes()
        moved.unlink()
        server.answers["/one.xlsx"] = Answer(status=401)
        refused = say(*NOW, "consolidate", "2014-01", "--json")
        assert (refused.json["accepted"], refused.json["unreadable"], refused.code) == (16, 1, 1)
        assert "planted-Pa55" not in refused.out + refused.err + say("failures", "2014-01").out

        server.answers["/one.xlsx"] = Answer(data)
        first = say(*NOW, "consolidate", "2014-01", "--json")
        assert (first.json["accepted"], first.code) == (17, 0)
        assert say(*NOW, "consolidate", "2014-01", "--json").json == first.json
    for path in office.rglob("*"):
        if path.is_file():
            assert b"planted-Pa55" not in path.read_bytes(), path


def test_doctor_asks_a_server_for_the_first_address_and_fetches_nothing(say, office: Path) -> None:
    pytest.importorskip("httpx", reason="httpx is not installed: pip install 'disclosure-etl[sources]'")

    def sources() -> list[tuple[bool, str]]:
        found = say(*NOW, "doctor", "--json").json
        return [(one["ok"], one["detail"]["en"]) for one in found if one["what"] == "source"]

    with site() as server:
        urls = [f"{server.url}/one.xlsx", f"{server.url}/two.xlsx"]
        declare(office, {"name": "site", "kind": "http", "urls": urls, "attempts": 1, "timeout_seconds": 2})
        server.answers["/one.xlsx"] = Answer(b"0123456789", cut=4)  # whoever fetched it would notice
        assert sources() == [(True, "site (http, 2 files)")]
        assert server.asked == ["/one.xlsx"]
        server.answers.clear()
        ((fine, said),) = sources()
        assert not fine and "HTTP 404" in said and "site" in said
    ((fine, said),) = sources()
    assert not fine and "cannot be connected" in said


def test_files_that_are_not_finished_wait_for_the_next_run(say, office: Path) -> None:
    fresh = bureau_file(office)
    old = fresh.stat().st_mtime - 3600
    for path in (office / "inbox").rglob("*.xlsx"):
        os.utime(path, (old, old))
    os.utime(fresh)
    declare(office, {"name": "inbox", "kind": "folder", "settle_seconds": 60})

    said = say(*NOW, "consolidate", "2014-01", "--json")

    assert (said.json["accepted"], said.json["sources"][0]["waiting"]) == (
        16,
        [fresh.relative_to(office / "inbox").as_posix()],
    )
    os.utime(fresh, (old, old))
    assert say(*NOW, "consolidate", "2014-01", "--json").json["accepted"] == 17

"""Returns that arrive packed, and sealed scans beside them, as an office and a clerk meet them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from sqlalchemy import text

from disclosure_etl.intake.readers import read_document
from disclosure_etl.office import Office
from disclosure_etl.pipeline import consolidate
from disclosure_etl.reports.standing import standing
from schemas.periods import Period
from schemas.records import Status
from tests.factories import FAMILY, contract, default_form, make_office, return_bytes, send, send_month, some_figures
from tests.intake.sheets import package

JANUARY, FEBRUARY = Period.parse("2014-01"), Period.parse("2014-02")
NOW = ("--now", "2014-02-06")
SCAN = b"\xff\xd8\xff\xe0 a photograph"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An office to which all but Dongcheng and Xicheng have sent their January."""
    office = make_office(tmp_path)
    send_month(office, JANUARY, without=("dongcheng", "xicheng"))
    return office


def a_return(code: str, name: str, period: Period = JANUARY, revision: int = 1) -> bytes:
    form = default_form()
    return return_bytes(form, period, code, name, some_figures(form, period.ordinal), revision)


def run(office: Office):
    return consolidate(office, FAMILY, JANUARY).consolidation


def rows(office: Office, statement: str) -> list[tuple]:
    with office.warehouse.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def attached(one) -> dict[str, tuple[str, ...]]:
    return {state.bureau: state.attachments for state in one.bureaus if state.attachments}


def test_the_files_of_an_archive_arrive_each_by_itself_and_the_archive_is_kept(office: Office) -> None:
    archive = package({"东城/东城.xlsx": a_return("dongcheng", "东城分局"), "西城.xlsx": a_return("xicheng", "西城分局"), "说明.txt": b""})  # fmt: skip
    send(office, "报送.zip", archive)

    one = run(office)

    assert (one.found, one.counts[Status.ACCEPTED], one.counts[Status.UNREADABLE]) == (18, 17, 1)
    assert one.missing == ()
    found = rows(office, "SELECT name, archive FROM receipt WHERE name LIKE '报送%' ORDER BY name")
    (digest,) = {archive for _, archive in found if archive}
    assert [name for name, _ in found] == [
        "报送.zip",
        "报送.zip/东城/东城.xlsx",
        "报送.zip/西城.xlsx",
        "报送.zip/说明.txt",
    ]
    assert office.raw_store.get(digest) == archive
    assert run(office).version == one.version, "a second run finds the same"


def test_an_archive_that_is_damaged_is_told_and_mended_by_another_under_its_name(office: Office) -> None:
    inside = {"东城.xlsx": a_return("dongcheng", "东城分局"), "西城.xlsx": a_return("xicheng", "西城分局")}
    send(office, "报送.zip", package({**inside, "西城.xlsx": a_return("xicheng", "西城分局")[:900]}))
    assert (run(office).counts[Status.UNREADABLE], run(office).counts[Status.ACCEPTED]) == (1, 16)

    send(office, "报送.zip", package(inside))
    one = run(office)

    assert (one.counts[Status.UNREADABLE], one.counts[Status.ACCEPTED], one.counts[Status.SUPERSEDED]) == (0, 17, 1)
    assert not standing(office, FAMILY, JANUARY).refused


def test_what_is_no_longer_in_an_archive_is_done_with(office: Office) -> None:
    send(office, "报送.zip", package({"broken.xlsx": b"PK\x03\x04", "东城.xlsx": a_return("dongcheng", "东城分局")}))
    assert [one.file for one in standing_after_run(office)] == ["报送.zip/broken.xlsx"]

    send(office, "报送.zip", package({"东城.xlsx": a_return("dongcheng", "东城分局")}))
    assert standing_after_run(office) == ()

    send(office, "报送.zip", package({"broken.xlsx": b"PK\x03\x04"}))
    run(office)
    (office.settings.inbox_path / "报送.zip").unlink()
    assert standing_after_run(office) == ()


def standing_after_run(office: Office):
    run(office)
    return standing(office, FAMILY, JANUARY).refused


@pytest.mark.parametrize(
    ("sent", "scan"),
    [
        ("dongcheng_2014-01.xlsx", "东城分局_2014-01_盖章.jpg"),
        ("东城分局2014年1月报表.xlsx", "东城分局2014年1月报表盖章.jpg"),
        ("东城/月报.xlsx", "东城/盖章.jpg"),
        ("东城/月报.xlsx", "东城/扫描/dongcheng-2014-01.jpg"),
    ],
)
def test_a_sealed_scan_is_an_attachment_of_its_return(office: Office, sent: str, scan: str) -> None:
    send(office, sent, a_return("dongcheng", "东城分局"))
    send(office, scan, SCAN)

    one = run(office)

    assert attached(one) == {"dongcheng": (scan,)}
    assert (one.found, one.counts[Status.ACCEPTED], one.counts[Status.UNREADABLE]) == (16, 16, 0)
    assert not standing(office, FAMILY, JANUARY).refused
    assert attached(run(office)) == {"dongcheng": (scan,)}


def test_a_scan_in_an_archive_belongs_to_the_return_beside_it(office: Office) -> None:
    send(
        office,
        "东城.zip",
        package({"月报.xlsx": a_return("dongcheng", "东城分局"), "p1.jpg": SCAN, "p2.jpg": SCAN + b"2"}),
    )
    assert attached(run(office)) == {"dongcheng": ("东城.zip/p1.jpg", "东城.zip/p2.jpg")}


def test_a_scan_waits_for_its_return_and_belongs_to_the_revision_that_it_came_with(office: Office) -> None:
    send(office, "东城分局_2014-01_盖章.jpg", SCAN)
    assert (run(office).counts[Status.UNREADABLE], attached(run(office))) == (1, {})

    send(office, "dongcheng_2014-01.xlsx", a_return("dongcheng", "东城分局"))
    assert attached(run(office)) == {"dongcheng": ("东城分局_2014-01_盖章.jpg",)}

    send(office, "dongcheng_2014-01_r2.xlsx", a_return("dongcheng", "东城分局", revision=2))
    run(office)
    of = rows(office, "SELECT s.revision FROM attachment a JOIN submission s ON s.id = a.submission_id")
    assert of == [(1,)]


@pytest.mark.parametrize(
    "scan", ["盖章.jpg", "共用/盖章.jpg", "西城分局_2014-02_盖章.jpg"], ids=["at the top", "beside two bureaus", "of another month"]
)  # fmt: skip
def test_a_scan_of_nobody_known_is_told_and_attached_to_nothing(office: Office, scan: str) -> None:
    send(office, "共用/a.xlsx", a_return("dongcheng", "东城分局"))
    send(office, "共用/b.xlsx", a_return("xicheng", "西城分局"))
    send(office, scan, SCAN)

    one = run(office)

    other_month = "2014-02" in scan
    assert (attached(one), one.counts[Status.UNREADABLE], one.others) == ({}, 0 if other_month else 1, int(other_month))


def test_a_scan_beside_returns_of_two_months_is_nobodys(office: Office) -> None:
    send(office, "东城/一月.xlsx", a_return("dongcheng", "东城分局"))
    send(office, "东城/二月.xlsx", a_return("dongcheng", "东城分局", FEBRUARY))
    send(office, "东城/盖章.jpg", SCAN)
    assert attached(run(office)) == {}


def test_the_operator_sees_scans_and_the_contract_has_them(say, office: Office) -> None:
    send(office, "dongcheng_2014-01.xlsx", a_return("dongcheng", "东城分局"))
    send(office, "dongcheng_2014-01-scan.jpg", SCAN)

    done = say(*NOW, "consolidate", "2014-01", "--json")

    contract("consolidation").validate(done.json)
    assert done.json["attachments"] == {"dongcheng": ["dongcheng_2014-01-scan.jpg"]}
    assert "附件(盖章扫描件、副本,份):东城分局 1" in say(*NOW, "--lang", "zh", "status", "2014-01").out


def test_a_dry_rerun_does_not_list_a_scan_that_belongs_somewhere(say, office: Office) -> None:
    run(office)
    send(office, "dongcheng_2014-01.xlsx", a_return("dongcheng", "东城分局"))
    send(office, "dongcheng_2014-01-scan.jpg", SCAN)
    told = say(*NOW, "rerun", "2014-01", "--dry-run", "--json")
    assert "scan.jpg" not in told.out and "dongcheng" in told.out


def test_a_clerk_checks_an_archive_file_by_file(say, tmp_path: Path) -> None:
    path = tmp_path / "报送.zip"
    path.write_bytes(package({"东城.xlsx": a_return("dongcheng", "东城分局"), "坏.xlsx": b"PK\x03\x04"}))

    found = say("check", str(path), "--json").json

    assert [(one["file"], one["status"]) for one in found] == [
        ("报送.zip/东城.xlsx", "accepted"), ("报送.zip/坏.xlsx", "unreadable"),
    ]  # fmt: skip
    path.write_bytes(package({}))
    alone = say("check", str(path), "--json")
    assert (alone.code, alone.json["failures"][0]["rule"]) == (1, "unreadable:empty")


def as_text(data: bytes, *changed: tuple[str, str]) -> bytes:
    """The same return as a text table, with some of its words changed."""
    rows = read_document("a.xlsx", data).grids[0].values
    out = io.StringIO()
    csv.writer(out).writerows([["" if value is None else value for value in row] for row in rows])
    said = out.getvalue()
    for old, new in changed:
        assert old in said
        said = said.replace(old, new, 1)
    return said.encode("gb18030")


@pytest.mark.parametrize("later", [False, True], ids=["at once", "in a later run"])
def test_a_copy_in_another_format_is_kept_with_its_return_and_counts_once(office: Office, later: bool) -> None:
    sent = a_return("dongcheng", "东城分局")
    send(office, "b/dongcheng_2014-01.xlsx", sent)
    if later:
        run(office)
    send(office, "a/dongcheng_2014-01.csv", as_text(sent))

    one = run(office)

    assert attached(one) == {"dongcheng": ("a/dongcheng_2014-01.csv",)}
    assert (one.found, one.counts[Status.ACCEPTED], one.counts[Status.HELD]) == (16, 16, 0)
    assert rows(office, "SELECT file FROM submission WHERE bureau_code = 'dongcheng'") == [
        ("b/dongcheng_2014-01.xlsx",)
    ]
    assert run(office).version == one.version


def test_another_figure_or_another_signature_is_no_copy(office: Office) -> None:
    sent = a_return("dongcheng", "东城分局")
    send(office, "dongcheng_2014-01.xlsx", sent)
    send(office, "dongcheng_2014-01.csv", as_text(sent, ("接受咨询,人次,9", "接受咨询,人次,8")))
    one = run(office)
    assert (attached(one), one.counts[Status.HELD]) == ({}, 2)


def test_the_same_figures_in_the_same_format_are_another_return_of_the_bureau(office: Office) -> None:
    """Somebody saved the workbook again: which of them is signed, only the bureau knows."""
    form, figures = default_form(), some_figures(default_form())
    send(office, "dongcheng_2014-01.xlsx", return_bytes(form, JANUARY, "dongcheng", "东城分局", figures))
    send(
        office, "dongcheng_2014-01b.xlsx", return_bytes(form, JANUARY, "dongcheng", "东城分局", figures, signer="别人")
    )
    assert run(office).counts[Status.HELD] == 2

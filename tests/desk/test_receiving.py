"""Files that come through the desk: kept whole where no run misreads them, refused where they are another bureau's, taken by a run."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from disclosure_etl.desk import receiving
from disclosure_etl.desk.receiving import checked, fates_of, plain_name, receive
from disclosure_etl.intake.identity import period_in_name
from disclosure_etl.intake.processes import ReaderDied, ReaderSlow
from disclosure_etl.office import Office
from flows.running import run_period
from schemas.errors import UserError
from tests.desk.conftest import FEBRUARY, JANUARY, haidian_corrected
from tests.factories import ZONE, contract, default_form, return_bytes, some_figures

SCAN = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(200)


def kept(office: Office) -> list[Path]:
    found = office.settings.uploads_path.rglob("*")
    return sorted(path.relative_to(office.settings.uploads_path) for path in found if path.is_file())


def take(office: Office, name: str, data: bytes, **options):
    return receive(office, "haidian", "hd", name, data, **options)


def zipped(**files: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_DOT_", "."), data)
    return written.getvalue()


def state(office: Office, upload) -> str:
    return fates_of(office, [upload])[upload.key].state


def run(office: Office) -> None:
    """A run of its own, as the schedule starts one."""
    run_period(Office(office.settings, office.clock), office.settings.family, JANUARY, command="rerun")


def test_a_file_lies_with_its_bureau_and_period_and_nothing_else_does(office: Office) -> None:
    data = haidian_corrected(office)
    one = take(office, "C:\\报表\\海淀.xlsx", data)

    (path,) = kept(office)
    assert (path.parts[0], path.parts[1]) == ("haidian", "2014-01")
    assert path.name == f"20140306T010000000000-{one.digest[:8]}-海淀.xlsx"
    assert (office.settings.uploads_path / path).read_bytes() == data
    assert one.file == "海淀.xlsx"
    contract("check").validate(one.result["files"])


def test_a_run_takes_it_and_its_sender_is_told(office: Office) -> None:
    one = take(office, "海淀.xlsx", haidian_corrected(office))
    assert state(office, one) == "waiting"

    run(office)

    assert state(office, one) == "accepted"
    with office.warehouse.copied() as copy:
        receipts = next(list(lines) for name, _, lines in copy.tables() if name == "receipt")
    assert sum("desk" in f"{line}" for line in receipts) == 1


def test_the_uploads_are_a_source_once_there_are_some(office: Office) -> None:
    assert [one.name for one in Office(office.settings, office.clock).sources] == ["inbox"]
    take(office, "海淀.xlsx", haidian_corrected(office))

    sources = Office(office.settings, office.clock).sources
    assert [one.name for one in sources] == ["inbox", "desk"]
    assert [one.name for one in sources[1].deliveries(office.clock())] == [f"{path}" for path in kept(office)]


def test_a_declared_source_of_that_name_stays_what_it_is(office: Office) -> None:
    take(office, "海淀.xlsx", haidian_corrected(office))
    own = Office(office.settings, office.clock)

    assert [one.name for one in own._uploads({"inbox", "desk"})] == ["desk uploads"]  # which none can be called


@pytest.mark.parametrize("at", ["2014-03-06 20:12:03", "2014-03-06 19:08:11", "2014-03-06 20:14:02"])
@pytest.mark.parametrize("name", ["r.xlsx", "05.xlsx", "01-海淀.xlsx"])
def test_no_time_of_day_and_no_digest_reads_as_a_period(office: Office, at: str, name: str) -> None:
    office.clock.set(datetime.fromisoformat(at).replace(tzinfo=UTC))  # type: ignore[attr-defined]
    form = default_form()
    for revision in range(2, 5):
        take(office, name, return_bytes(form, JANUARY, "haidian", "海淀分局", some_figures(form, 1), revision))

    assert {period_in_name(f"{path}") for path in kept(office)} == {JANUARY}


def test_a_digest_that_ends_like_a_year_is_told_longer(office: Office) -> None:
    from disclosure_etl.desk.receiving import _before

    digest = "abcd2014" + "f" * 56
    before = _before(datetime(2014, 3, 6, tzinfo=ZONE), "05.xlsx", digest)

    assert before.endswith("-abcd2014f-")
    assert period_in_name(f"{before}05.xlsx") is None


def test_where_header_and_name_disagree_the_run_sees_both(office: Office) -> None:
    take(office, "海淀_2014-02.xlsx", haidian_corrected(office))
    (path,) = kept(office)

    assert path.parts[1] == "unknown"
    assert period_in_name(f"{path}") == FEBRUARY


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("a/b/海淀.xlsx", "海淀.xlsx"), ("..\\..\\x.xlsx", "x.xlsx"), ("报表.tmp", "报表.tmp_"), ("r.xlsx.part", "r.xlsx.part_"),
        ("海" * 100 + ".xlsx", "海" * 50 + ".xlsx"), ("", "unnamed"), ("..", "unnamed"), ("~$r.xlsx", "~$r.xlsx"),
        ("a\x00\nb.xlsx", "a\ufffd\ufffdb.xlsx"), ("r." + "x" * 300, "r." + "x" * 19),
    ],
)  # fmt: skip
def test_whatever_a_file_is_called_a_run_finds_it(office: Office, given: str, plain: str) -> None:
    assert plain_name(given) == plain
    take(office, given, haidian_corrected(office))
    (source,) = Office(office.settings, office.clock).sources[1:]
    assert len(list(source.deliveries(office.clock()))) == 1


def other(code: str = "haidian", name: str = "海淀分局") -> bytes:
    form = default_form()
    return return_bytes(form, JANUARY, code, name, some_figures(form), 2)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.xlsx", other("dongcheng", "东城分局")),
        ("r.xlsx", other(name="东城分局")),
        ("r.xlsx", other(code="dongcheng")),
        ("r.xlsx", other("", "东城分局")),
        ("东城分局_2014-01.xlsx", other()),
        ("东城分局_2014-01.jpg", SCAN),  # a scan is attached to the return that its name tells
        ("all.zip", zipped(a_DOT_xlsx=other(), b_DOT_xlsx=other("dongcheng", "东城分局"))),
        ("all.zip", zipped(dongcheng_DOT_jpg=SCAN)),
    ],
)
def test_what_names_another_bureau_is_refused_and_kept_nowhere(office: Office, name: str, data: bytes) -> None:
    for doing in (lambda: checked(office, "haidian", name, data), lambda: take(office, name, data)):
        with pytest.raises(UserError, match="another bureau"):
            doing()
    assert not office.settings.uploads_path.exists()
    assert office.warehouse.uploads("haidian") == []


def test_what_says_of_nobody_is_kept_and_told(office: Office) -> None:
    one = take(office, "r.xlsx", other("", ""))

    assert [each["rule"] for each in one.result["files"][0]["failures"]] == ["identity:bureau"]


def test_an_archive_is_told_by_what_asks_most_in_it(office: Office) -> None:
    form = default_form()
    february = return_bytes(form, FEBRUARY, "haidian", "海淀分局", some_figures(form, 2), 2)
    one = take(office, "all.zip", zipped(a_DOT_xlsx=haidian_corrected(office), b_DOT_xlsx=february))
    two = take(office, "bad.zip", zipped(a_DOT_xlsx=haidian_corrected(office), b_DOT_xlsx=b"nothing"))

    assert (one.period, two.period) == ("", "2014-01")
    assert kept(office)[1].parts[1] == "unknown"
    run(office)
    run_period(Office(office.settings, office.clock), office.settings.family, FEBRUARY, command="rerun")
    assert (state(office, one), state(office, two)) == ("accepted", "unreadable")


@pytest.mark.parametrize(("ended", "code"), [(ReaderSlow, "too_slow"), (ReaderDied, "too_large")])
def test_what_hurts_its_reader_is_unreadable(
    office: Office, monkeypatch: pytest.MonkeyPatch, ended: type[Exception], code: str
) -> None:
    def answer(_: object) -> None:
        raise ended

    monkeypatch.setattr(receiving, "answer", answer)
    (found,) = checked(office, "haidian", "r.xlsx", haidian_corrected(office))

    assert (found.file, found.refusal_code) == ("r.xlsx", code)


def test_a_file_that_cannot_be_noted_is_not_left_behind(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise UserError("数据库不可用", "the database is away")

    monkeypatch.setattr(type(office.warehouse), "keep_upload", broken)
    with pytest.raises(UserError, match="away"):
        take(office, "r.xlsx", haidian_corrected(office))
    assert kept(office) == []


def test_a_key_is_one_submission_of_its_token(office: Office) -> None:
    from disclosure_etl.desk.tokens import issue

    tokens = [issue(office, f"平台{number}", "haidian", None)[1].key for number in range(2)]
    data = haidian_corrected(office)
    first = take(office, "r.xlsx", data, token=tokens[0], key="k")

    assert take(office, "other.xlsx", data, token=tokens[0], key="k") == first
    assert take(office, "r.xlsx", data, token=tokens[1], key="k").key != first.key
    assert take(office, "r.xlsx", data, token=tokens[0]).key != first.key
    with pytest.raises(UserError, match="Idempotency-Key"):
        take(office, "r.xlsx", data + b" ", token=tokens[0], key="k")


def test_when_it_came_is_told_by_the_offices_clock(office: Office) -> None:
    take(office, "r.xlsx", haidian_corrected(office))
    (source,) = Office(office.settings, office.clock).sources[1:]
    (delivery,) = source.deliveries(office.clock() + timedelta(days=30))

    assert delivery.arrived_at == office.clock()

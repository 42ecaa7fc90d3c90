"""Files made to hurt whoever opens them: sheets that claim to be huge, links outward, macros, names that are not what they
seem. None is followed, run or shown raw."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from disclosure_etl.intake.readers import read_document
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from schemas.periods import Period
from tests.factories import return_bytes, some_figures
from tests.intake.sheets import form, good_return, package, parts_of, read_bytes, taken, with_cells
from tests.intake.test_formats import as_ods

FILES = Path(__file__).parent / "files"
OUTWARD = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "os.fork", "urllib.", "webbrowser.")
_reached: list[str] | None = None


def _watch(event: str, arguments: tuple) -> None:
    if _reached is not None and (event.startswith(OUTWARD) or (event == "open" and "hostile" in str(arguments[0]))):
        _reached.append(f"{event} {arguments}")


sys.addaudithook(_watch)  # which cannot be taken away again, so it is deaf outside of `nothing_reached`


@contextmanager
def nothing_reached() -> Iterator[None]:
    """No connection, no program, and no file of the hostile names is opened meanwhile."""
    global _reached
    _reached = []
    try:
        yield
        assert _reached == []
    finally:
        _reached = None


def refusal(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read_document("a.xlsx", data)
    return caught.value.code


def test_the_watch_sees_what_reaches_outward(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="hostile"), nothing_reached():
        (tmp_path / "hostile").write_text("")


# --- sheets that claim to be huge -----------------------------------------------------------------------------------------

NEAR = b'<row r="1"><c r="A1"><v>1</v></c>'
FAR = {
    "a million rows away": (NEAR + b'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "too_large"),
    "in small letters": (NEAR + b'<c r="xfd1048576"><v>1</v></c></row>', "too_large"),
    "with spaces around the sign": (NEAR + b'<c r = "XFD1048576"><v>1</v></c></row>', "too_large"),
    "spelt with an entity": (NEAR + b'<c r="XFD1048&#53;76"><v>1</v></c></row>', "too_large"),
    "behind the end of another attribute": (NEAR + b'<c r="XFD1048576" x="/>"><v>1</v></c></row>', "too_large"),
    "by its row alone": (NEAR + b'</row><row r="90000000"><c><v>1</v></c></row>', "truncated"),
    "beyond every column": (NEAR + b'<c r="ZZZZ1"><v>1</v></c></row>', "truncated"),
    "beyond every row": (NEAR + b'<c r="A99999999999"><v>1</v></c></row>', "truncated"),
    "in row 0": (NEAR + b'<c r="B0"><v>1</v></c></row>', "truncated"),
}


@pytest.mark.parametrize("how", list(FAR))
def test_a_far_cell_is_refused_in_whatever_notation(how: str) -> None:
    cells, code = FAR[how]
    assert refusal(with_cells(cells)) == code


def test_what_a_sheet_claims_of_its_size_costs_nothing() -> None:
    parts = parts_of(good_return())
    sheet = parts["xl/worksheets/sheet1.xml"]
    start = sheet.index(b"<dimension")
    end = sheet.index(b"/>", start)
    parts["xl/worksheets/sheet1.xml"] = sheet[:start] + b'<dimension ref="A1:XFD1048576"' + sheet[end:]
    assert taken(read_bytes(package(parts))) == taken(read_bytes(good_return()))


def test_a_row_of_every_column_is_read() -> None:
    cells = b"".join(b"<c><v>1</v></c>" for _ in range(16_384))
    (grid,) = read_document("a", with_cells(b'<row r="1">' + cells + b"</row>")).grids
    assert len(grid.values[0]) == 16_384
    assert refusal(with_cells(b'<row r="1">' + cells + b"<c><v>1</v></c></row>")) == "truncated"


def test_a_row_of_a_million_columns_is_refused() -> None:
    assert refusal(with_cells(b'<row r="1">' + b"<c><v>1</v></c>" * 1_000_000 + b"</row>")) in {
        "truncated",
        "too_large",
    }


def test_a_chain_of_sectors_that_bites_its_tail_is_refused() -> None:
    data = bytearray((FILES / "form.xls").read_bytes())
    first = int.from_bytes(data[60:64], "little")  # of the table of short sectors
    data[56:60] = (1 << 30).to_bytes(4, "little")  # whatever is smaller lies in short sectors
    at = 512 * (first + 1)
    data[at : at + 512] = b"".join((number or 0).to_bytes(4, "little") for number in [0] * 128)
    assert refusal(bytes(data)) == "truncated"


def repeated(times: str) -> bytes:
    """A spreadsheet with one cell that is said to stand in so many rows."""
    cell = '<table:table-cell office:value-type="string"><text:p>受理申请</text:p></table:table-cell>'
    return as_ods(f'<table:table-row table:number-rows-repeated="{times}">{cell}</table:table-row>')


def test_a_cell_that_is_said_to_stand_a_million_times_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"limits\.max_ratio"):
        read_document("a.ods", repeated("1048576"), ReadLimits(max_cells=2_000_000))
    assert len(read_document("a.ods", repeated("40000")).grids[0].values) == 40_000


def test_a_count_that_is_a_raised_digit_is_none() -> None:
    assert read_document("a.ods", repeated("\u00b2")).grids[0].values == [["受理申请"]]


# --- links and macros -----------------------------------------------------------------------------------------------------

LINKS = [
    "[1]Sheet1!A1",
    "'file:///hostile/[a.xlsx]S'!A1",
    'WEBSERVICE("http://hostile.invalid/")',
    'DDE("cmd";"/c hostile";"a")',
]


def linked() -> bytes:
    """The good return with a formula outward in every third cell, the parts that tell where to, and a program inside."""
    parts = parts_of(good_return())
    sheet, pieces = parts["xl/worksheets/sheet1.xml"], []
    for number, piece in enumerate(sheet.split(b"<v>")):
        linking = number and number % 3 == 0 and b"</f>" not in pieces[-1][-40:] and b't="s"' not in pieces[-1][-40:]
        link = LINKS[number % len(LINKS)].replace("&", "&amp;").replace('"', "&quot;")
        pieces.append((f"<f>{link}</f><v>".encode() if linking else b"<v>" if number else b"") + piece)
    parts["xl/worksheets/sheet1.xml"] = b"".join(pieces)
    parts["xl/externalLinks/externalLink1.xml"] = b"<externalLink/>"
    parts["xl/externalLinks/_rels/externalLink1.xml.rels"] = (
        b'<Relationships><Relationship Id="rId1" Type="x/externalLinkPath" Target="file:///hostile/a.xlsx" '
        b'TargetMode="External"/></Relationships>'
    )
    parts["xl/vbaProject.bin"] = (FILES / "form.xls").read_bytes()
    types = parts["[Content_Types].xml"]
    parts["[Content_Types].xml"] = types.replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml").replace(
        b"openxmlformats-officedocument.spreadsheetml.sheet.macro", b"ms-excel.sheet.macro"
    )
    return package(parts)


def test_links_are_never_followed_and_macros_never_run() -> None:
    data = linked()
    assert parts_of(data)["xl/worksheets/sheet1.xml"].count(b"hostile") > 20
    with nothing_reached():
        read = read_bytes(data)
    assert taken(read) == taken(read_bytes(good_return()))  # the results that the file holds


def test_a_workbook_of_1997_with_macros_is_read_as_data() -> None:
    """A return as LibreOffice saved it; a stream of its directory is renamed to what Excel keeps macros under."""
    data = (FILES / "return.xls").read_bytes()
    before = "\x01CompObj".encode("utf-16-le")
    assert data.count(before) == 1
    name = "_VBA_PROJECT_CUR".encode("utf-16-le")
    at = data.index(before)
    marked = data[:at] + name.ljust(64, b"\0") + (len(name) + 2).to_bytes(2, "little") + data[at + 66 :]
    with nothing_reached():
        read = read_bytes(marked)
    assert taken(read) == taken(read_bytes(good_return()))


# --- names ----------------------------------------------------------------------------------------------------------------

NAMES = {
    "a line break": "a\n东城分局_2014-05.xlsx",
    "a terminal's command": "\x1b[2J\x1b]0;x\x07东城分局_2014-05.xlsx",
    "right to left": "东城分局_2014-05\u202excod.xlsx",
    "isolated": "\u2066东城分局\u2069_2014-05.xlsx",
    "a way out": "..\\..\\x_2014-05.xlsx",
    "a control sign of C1": "\x9b31m东城分局_2014-05.xlsx",
    "no sign at all": "\u200b\u2060东城分局_2014-05.xlsx",
}
RAW = set("\x1b\x07\x9b\u202e\u2066\u2069\r\b")


def _raw(printed: str) -> set[str]:
    return RAW & set(printed)


@pytest.mark.parametrize("kind", list(NAMES))
@pytest.mark.parametrize("data", [good_return, lambda: b""], ids=["readable", "unreadable"])
@pytest.mark.parametrize("machine", [False, True], ids=["for people", "for machines"])
def test_check_shows_no_name_raw(say, tmp_path: Path, kind: str, data, machine: bool) -> None:
    path = tmp_path / NAMES[kind]
    path.write_bytes(data())
    said = say("check", path, *(["--json"] if machine else []))
    assert said.code in (0, 1)
    assert _raw(said.out + said.err) == set()
    assert "a\n东" not in said.out


def test_consolidation_shows_and_stores_no_name_raw(say, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    period = Period.parse("2014-05")
    for number, name in enumerate(NAMES.values(), 1):
        data = return_bytes(form(), period, "dongcheng", "东城分局", some_figures(form(), 5), number)
        (inbox / name).write_bytes(data if number % 2 else b"x" * number)
    before = {path for path in tmp_path.parent.rglob("*") if tmp_path not in path.parents}

    for printed in (say("consolidate", "2014-05"), say("consolidate", "2014-05", "--json"), say("failures", "2014-05")):
        assert _raw(printed.out + printed.err) == set()
        assert "a\n东" not in printed.out

    assert {path for path in tmp_path.parent.rglob("*") if tmp_path not in path.parents} == before
    assert not any(_raw(str(path)) for path in (tmp_path / "var").rglob("*"))


def test_check_shows_no_cell_raw(say, tmp_path: Path) -> None:
    rows = "填报单位,\x1b[2J东城\u202e分局\n统计时期,2014-05\n指标,单位,本月\n接受咨询,人次,9\x1b[31m\n现场咨询,人次,5\x9b\n"
    path = tmp_path / "a.csv"
    path.write_bytes(rows.encode())
    said = say("check", path)
    assert "\ufffd[2J东城\ufffd分局" in said.out
    assert _raw(said.out + said.err) == set()


STRUCK = {
    "html": lambda: "<table><tr><td>受理申请</td><td><s>5</s>7</td><td><del>5</del>7</td></tr></table>".encode(),
    "ods": lambda: styled_ods('style:text-line-through-style="solid"'),
    "hidden ods": lambda: styled_ods('text:display="none"'),
    "docx": lambda: docx_runs("<w:strike/>"),
    "docx, twice": lambda: docx_runs("<w:dstrike/>"),
}


def styled_ods(properties: str) -> bytes:
    """A cell with 5 in such a style, and 7 behind it."""
    cell = '<table:table-cell office:value-type="string"><text:p><text:span text:style-name="T1">5</text:span>7</text:p></table:table-cell>'
    content = parts_of(as_ods(f"<table:table-row>{cell}</table:table-row>"))
    style = f'<style:style style:name="T1"><style:text-properties {properties}/></style:style>'
    styles = f'<office:automatic-styles xmlns:style="urn:s">{style}</office:automatic-styles><office:body>'
    content["content.xml"] = content["content.xml"].decode().replace("<office:body>", styles).encode()
    return package(content)


def docx_runs(properties: str) -> bytes:
    from tests.intake.test_formats import as_docx

    parts = parts_of(as_docx())
    run = f"<w:r><w:rPr>{properties}</w:rPr><w:t>5</w:t></w:r><w:r><w:t>7</w:t></w:r>"
    main = parts["word/document.xml"].decode()
    parts["word/document.xml"] = main.replace("<w:r><w:t>20</w:t></w:r>", run).encode()
    assert parts["word/document.xml"].decode() != main
    return package(parts)


@pytest.mark.parametrize("kind", list(STRUCK))
def test_what_is_struck_out_or_hidden_is_no_part_of_the_figure_behind_it(kind: str) -> None:
    (grid,) = read_document("a", STRUCK[kind]()).grids
    texts = [str(value) for row in grid.values for value in row]
    assert "7" in texts and not any("57" in text or "5" in text for text in texts)


def test_a_struck_out_part_of_a_workbooks_cell_is_none_of_it() -> None:
    run = b"<is><r><rPr><strike/></rPr><t>5</t></r><r><t>7</t></r></is>"
    data = with_cells(b'<row r="1"><c r="A1" t="inlineStr">' + run + b"</c></row>")
    assert read_document("a", data).grids[0].values[0][0] == "7"


@pytest.mark.parametrize(
    "cell",
    ['<td style="display:none">9</td>', "<td hidden>9</td>", '<td><span style="visibility:hidden">9</span></td>',
     '<td><sup><script>9</script></sup></td>', '<td><b style="font-size:0">9</b></td>'],
)  # fmt: skip
def test_what_a_page_does_not_show_is_no_figure(cell: str) -> None:
    page = f"<table><tr><td>受理申请</td><td>7</td>{cell}</tr><tr style='display:none'><td>答复</td><td>9</td></tr></table>"
    (grid,) = read_document("a", page.encode()).grids
    assert "9" not in "".join(str(value) for row in grid.values for value in row)


def test_halves_of_signs_in_json_stop_nobodys_month(say, tmp_path: Path) -> None:
    import json

    from tests.factories import make_office, send, send_month

    office = make_office(tmp_path)
    send_month(office, Period.parse("2014-01"), without=("dongcheng",))
    figures = [
        {"label": "\ud800", "column": "month", "value": 5},
        {"indicator": "replies", "column": "month", "value": "\ud800"},
    ]
    content = {"bureau": "东城分局", "period": "2014-01", "preparer": "\udfff", "observations": figures}
    path = send(office, "dongcheng_2014-01.json", json.dumps(content).encode())
    assert say("check", str(path)).code == 1
    done = say("--now", "2014-02-06", "consolidate", "2014-01", "--json")
    assert (done.code, done.json["accepted"], done.json["failed"]) == (1, 16, 0)


@pytest.mark.parametrize("name", ["东城_content.xml.xlsx", "mimetype_说明.xlsx", "[Content_Types].xml.bak/a.xlsx"])
def test_an_archive_is_one_whatever_the_files_in_it_are_called(name: str) -> None:
    from disclosure_etl.intake.archives import is_archive

    assert is_archive(package({name: good_return(), "b.xlsx": good_return()}))

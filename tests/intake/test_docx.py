"""What a text document (.docx) shows is read, and what it does not show is not: hidden and deleted text, comments, notes."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_etl.intake.page_numbers import is_page_number
from disclosure_etl.intake.readers import read_document
from schemas.documents import Document
from tests.intake.sheets import package, parts_of

STYLES = """<w:style w:type="character" w:styleId="Unseen"><w:rPr><w:vanish/></w:rPr></w:style>
<w:style w:type="character" w:styleId="UnseenToo"><w:basedOn w:val="Unseen"/></w:style>
<w:style w:type="character" w:styleId="Round"><w:basedOn w:val="Round"/></w:style>
<w:style w:type="character" w:styleId="Mark"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>
<w:style w:type="paragraph" w:styleId="Aside"><w:rPr><w:vanish/></w:rPr></w:style></w:styles>"""
SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def with_body(cell: str, paragraph: str = "", row: str = "", parts: Mapping[str, str] | None = None) -> Document:
    """A document whose table has one cell with these runs, then a paragraph with others; and further parts by their kind."""
    buffer = io.BytesIO()
    docx.Document().save(buffer)
    files = parts_of(buffer.getvalue())
    table = f"<w:tbl><w:tr><w:tc><w:p>{cell}</w:p></w:tc></w:tr>{row}</w:tbl><w:p>{paragraph}</w:p>"
    main = files["word/document.xml"].decode()
    files["word/document.xml"] = re.sub("<w:body>", f"<w:body>{table}", main).encode()
    files["word/styles.xml"] = files["word/styles.xml"].decode().replace("</w:styles>", STYLES).encode()
    relations = files["word/_rels/document.xml.rels"].decode()
    for number, (kind, content) in enumerate((parts or {}).items(), 900):
        files[f"word/{kind}.xml"] = f"<w:{kind} {SPACE}>{content}</w:{kind}>".encode()
        one = f'<Relationship Id="rId{number}" Type="{KINDS}/{kind}" Target="{kind}.xml"/>'
        relations = relations.replace("</Relationships>", f"{one}</Relationships>")
    files["word/_rels/document.xml.rels"] = relations.encode()
    return read_document("a.docx", package(files))


def run(text: str, properties: str = "", kind: str = "t") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:{kind}>{text}</w:{kind}></w:r>"


def note(text: str, number: int, kind: str = "", what: str = "footnote") -> str:
    return f'<w:{what} {kind} w:id="{number}"><w:p><w:r><w:{what}Ref/></w:r>{run(text)}</w:p></w:{what}>'


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (run("20") + run("13", "<w:vanish/>"), "20"),
        (run("20") + run("13", '<w:vanish w:val="true"/>'), "20"),
        (run("20") + run("13", '<w:rStyle w:val="Unseen"/>'), "20"),
        (run("20") + run("13", '<w:rStyle w:val="UnseenToo"/>'), "20"),
        ('<w:pPr><w:pStyle w:val="Aside"/></w:pPr>' + run("13") + run("20", '<w:vanish w:val="0"/>'), "20"),
        (run("20", '<w:rStyle w:val="Unseen"/><w:vanish w:val="false"/>'), "20"),
        (run("20", '<w:rStyle w:val="Round"/>'), "20"),
        (run("20", '<w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>'), "20"),
        (run("20") + run("1", '<w:rStyle w:val="Mark"/>'), "20¹"),
        (run("20") + f"<w:r><w:rPr><w:vanish/></w:rPr><w:AlternateContent><w:Choice><w:pict><w:txbxContent>"
            f"<w:p>{run('13')}</w:p></w:txbxContent></w:pict></w:Choice></w:AlternateContent></w:r>", "20"),
        (run("20") + '<w:r><w:footnoteReference w:id="2"/></w:r>', "20"),
        (run("20") + f"<w:r>{'<w:endnoteReference/>' * 2}</w:r>" + '<w:r><w:commentReference w:id="0"/></w:r>', "20"),
        (f"<w:ins>{run('20')}</w:ins><w:del>{run('13', kind='delText')}</w:del>", "20"),
        (f"<w:moveTo>{run('20')}</w:moveTo><w:moveFrom>{run('13')}</w:moveFrom>", "20"),
        (f"<w:del><w:ins>{run('13')}</w:ins></w:del>{run('20')}", "20"),
    ],
)  # fmt: skip
def test_only_what_is_shown_is_a_cells_text(written: str, shown: str) -> None:
    found = with_body(written, written)
    assert [grid.values for grid in found.grids] == [[[shown]]]
    assert found.text == shown


def test_a_row_that_was_deleted_is_none() -> None:
    row = f"<w:tr><w:trPr>{{}}</w:trPr><w:tc><w:p>{run('13')}</w:p></w:tc></w:tr>"
    for change, rows in (("<w:del/>", [["20"]]), ("<w:ins/>", [["20"], ["13"]])):
        assert with_body(run("20"), row=row.format(change)).grids[0].values == rows


def test_notes_are_running_text_after_the_body_and_not_in_the_cell() -> None:
    line = note("――", 0, 'w:type="separator"')
    parts = {
        "footnotes": line + note("含上年结转3件", 2),
        "endnotes": note("据台账", 3, what="endnote"),
        "comments": f"<w:comment><w:p>{run('请核对')}</w:p></w:comment>",
    }
    found = with_body(run("20") + '<w:r><w:footnoteReference w:id="2"/></w:r>', run("正文"), parts=parts)
    assert found.grids[0].values == [["20"]]
    assert found.text == "正文\n含上年结转3件\n据台账"


def test_a_stamp_above_every_page_is_kept_and_the_number_of_the_page_is_not() -> None:
    stamp = f"<w:tbl><w:tr><w:tc><w:p>{run('填报单位:东城分局')}</w:p></w:tc></w:tr></w:tbl>"
    found = with_body(run("20"), parts={"header": stamp, "footer": f"<w:p>{run('第')}{run('1')}{run('页')}</w:p>"})
    assert found.text == "填报单位:东城分局"
    assert len(found.grids) == 1


@pytest.mark.parametrize(
    "line", ["第1页", "第 1 页 共 3 页", "共3页,第1页", "- 2 -", "— 2 —", "3/10", "Page 1 of 2", "12"]
)
def test_a_number_of_a_page_is_known(line: str) -> None:
    assert is_page_number(line)


@pytest.mark.parametrize("line", ["", "页", "1,234", "受理申请 20", "2014年5月", "20件", "1." * 30])
def test_other_lines_are_no_numbers_of_pages(line: str) -> None:
    assert not is_page_number(line)


RUNS = st.sampled_from(
    [run("20"), run("受理申请"), run(""), run("  "), "<w:r><w:t/></w:r>", "<w:proofErr/>", run("13", "<w:vanish/>"),
     "<w:r><w:tab/></w:r>", f"<w:ins>{run('7')}</w:ins>", f"<w:del>{run('9', kind='delText')}</w:del>", "<w:r><w:br/></w:r>",
     f"<w:hyperlink>{run('8')}</w:hyperlink>", f"<w:moveFrom>{run('9')}</w:moveFrom>", run("1", '<w:vertAlign w:val="superscript"/>')]
)  # fmt: skip
PLAIN_RUNS = st.sampled_from([run("20"), run("受理申请"), run(""), run("  "), "<w:r><w:t/></w:r>", "<w:proofErr/>"])
CELLS = st.sampled_from(
    ["", "<w:tcPr><w:tcW/></w:tcPr>", '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>', "<w:tcPr><w:vMerge/></w:tcPr>"]
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str]:
    """A cell's runs and further rows; half of them with nothing unusual in them."""
    plain = draw(st.booleans())
    runs = st.lists(PLAIN_RUNS if plain else RUNS, max_size=3).map("".join)

    def cell() -> str:
        properties = "<w:tcPr><w:tcW/></w:tcPr>" if plain else draw(CELLS)
        more = (
            ""
            if plain
            else draw(
                st.sampled_from(["", "<w:p/>", f"<w:tbl><w:tr><w:tc><w:p>{run('6')}</w:p></w:tc></w:tr></w:tbl>"])
            )
        )
        return f"<w:tc>{properties}<w:p>{draw(runs)}</w:p>{more}</w:tc>"

    rows = (
        f"<w:tr>{''.join(cell() for _ in range(draw(st.integers(0, 3))))}</w:tr>"
        for _ in range(draw(st.integers(0, 3)))
    )
    return draw(runs), "".join(rows)


@settings(max_examples=60, deadline=None)
@given(bodies())
def test_what_is_read_in_one_pass_is_what_is_read_element_by_element(body: tuple[str, str]) -> None:
    at_once = with_body(body[0], body[0], body[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("disclosure_etl.intake.docx.plain_content", lambda *_: None)
        one_by_one = with_body(body[0], body[0], body[1])
    assert (at_once.grids, at_once.text) == (one_by_one.grids, one_by_one.text)


def test_a_plain_document_is_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "disclosure_etl.intake.docx._Reading.blocks", lambda *_: pytest.fail("it was read element by element")
    )
    assert with_body(run("20"), run("受理申请")).grids[0].values == [["20"]]

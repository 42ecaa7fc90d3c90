"""Files for the campaign of damage: seeds of every format, what faulty programs, lines and hands make of them, and what
hypothesis draws. No assertion in here."""

from __future__ import annotations

import io
import random
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.intake.layouts import SHIFTS, WRITERS, Sheet, as_delimited, filled_in
from tests.intake.printed import form_table, pdf
from tests.intake.sheets import good_return, package, parts_of
from tests.intake.test_formats import ODS, ODS_KIND

FILES = Path(__file__).parents[1] / "intake" / "files"
CASES = Path(__file__).parents[3] / "shared" / "cases"  # real reports, which not every machine has
Damage = Callable[[bytes, random.Random], bytes]

# How many inputs are made of the seeds of each kind.
MUTATED = {
    "xlsx": 2000, "xls": 900, "ods": 1000, "docx": 900, "html": 800, "pdf": 800, "csv": 900, "text": 500, "cases": 400,
}  # fmt: skip
DRAWN_EACH = 300  # of each strategy


_IN_BIG5 = "填報單位,東城分局\n統計時期,2014-05\n指標,單位,本月,本年累計\n接受咨詢,人次,9,45\n現場咨詢,人次,5,25\n電話咨詢,人次,4,20\n"


def _short() -> Sheet:
    """The header and the first blocks: what fits a small page."""
    whole = filled_in()
    return Sheet(whole.rows[:24], frozenset(one for one in whole.merges if one.bottom < 24))


@lru_cache(maxsize=1)
def seeds() -> dict[str, list[bytes]]:
    """Whole files of each kind."""
    laid = [SHIFTS[shift](filled_in()) for shift in ("as it is", "another table before", "header in one cell")]
    one = laid[0]
    printed = pdf(*form_table(), pages=2)
    return {
        "xlsx": [good_return(), *(WRITERS["xlsx"](sheets) for sheets in laid)],
        "xls": [path.read_bytes() for path in sorted(FILES.glob("*.xls"))],
        "ods": [WRITERS["ods"](sheets) for sheets in laid],
        "docx": [WRITERS["docx"](sheets) for sheets in laid],
        "html": [WRITERS["html"](sheets) for sheets in laid],
        "pdf": [printed, WRITERS["pdf"]([_short()])],
        "csv": [as_delimited(one, ",", encoding) for encoding in ("utf-8-sig", "gb18030", "utf-16")]
        + [as_delimited(one, "\t", "utf-8"), as_delimited([_short()], ";", "gbk"), _IN_BIG5.encode("big5")],
        "text": [WRITERS["text"](sheets) for sheets in laid],
        "cases": [path.read_bytes() for path in sorted(CASES.glob("*/*")) if path.suffix in (".txt", ".csv")],
    }


def damaged(kind: str, number: int) -> bytes:
    """The `number`-th input of a kind."""
    dealer = random.Random(f"{kind} {number}")
    whole = dealer.choice(seeds()[kind])
    for _ in range(dealer.choice((1, 1, 1, 2, 4))):
        inside = whole.startswith(b"PK") and dealer.random() < 0.8
        whole = _inside(whole, dealer) if inside else dealer.choice(_ANYWHERE)(whole, dealer)
    return whole


# --- damage ---------------------------------------------------------------------------------------------------------------


def _flip(data: bytes, dealer: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dealer.choice((1, 1, 2, 8, 64)) if changed else 0):
        changed[dealer.randrange(len(changed))] = dealer.randrange(256)
    return bytes(changed)


def _cut(data: bytes, dealer: random.Random) -> bytes:
    start, end = sorted(dealer.randrange(len(data) + 1) for _ in range(2))
    return data[:start] + data[end:] if dealer.random() < 0.5 else data[:end]


def _extreme(data: bytes, dealer: random.Random) -> bytes:
    """A number of 2, 4 or 8 bytes that is the smallest or the largest: counts, lengths, offsets."""
    size = dealer.choice((2, 4, 8))
    at = dealer.randrange(max(len(data) - size, 1))
    value = dealer.choice(
        (b"\xff" * size, b"\x00" * size, b"\xff" * (size - 1) + b"\x7f", b"\x00" * (size - 1) + b"\x80")
    )
    return data[:at] + value + data[at + size :]


def _doubled(data: bytes, dealer: random.Random) -> bytes:
    start = dealer.randrange(len(data) + 1)
    piece = data[start : start + dealer.choice((1, 16, 300, 4000))]
    return data[:start] + piece * dealer.choice((2, 3, 50)) + data[start:]


def _moved(data: bytes, dealer: random.Random) -> bytes:
    start, end = sorted(dealer.randrange(len(data) + 1) for _ in range(2))
    rest, at = data[:start] + data[end:], dealer.randrange(start + 1)
    return rest[:at] + data[start:end] + rest[at:]


_TOKENS = [
    b"-", b"e999", b"NaN", b"Infinity", b"9" * 19, b"9" * 400, b"0x1F", b"1_000", b"\x00", b"\xff\xfe", b'"', b"'", b"<", b"</", b"]]>",
    b"<!--", b"&#xD800;", b"&#x110000;", b"&amp", b"\r", b"\n", b",", b"|", b"\xe2\x80\xae", b"\xc2\xb2", "⑳".encode(),
    "㈠".encode(), "٣".encode(), "一亿亿亿".encode(), b"1/0", b"-0", b"1.", b".5", b"1,2,3", b"100.001%", b"<table>", b"<tr><td>",
    b' colspan="1000"', b' rowspan="0"', b' colspan="-1"', b"(((((", b"2014-13", b"2014-05-32", b"0000-00", b"9999-12",
]  # fmt: skip


def _token(data: bytes, dealer: random.Random) -> bytes:
    """Something put in, or in the place of a figure."""
    token = dealer.choice(_TOKENS)
    figures = list(re.finditer(rb"\d+", data)) if dealer.random() < 0.7 else []
    if not figures:
        at = dealer.randrange(len(data) + 1)
        return data[:at] + token + data[at:]
    start, end = dealer.choice(figures).span()
    return data[:start] + token + data[end:]


_PAIRS = [
    (b"<v>", b"<v>-"), (b"</v>", b"e999</v>"), (b' t="s"', b""), (b' t="s"', b' t="b"'), (b' r="C', b' r="XFD'),
    (b"<v>", b"<v>9999999999999999999"), (b' s="', b' s="9'), (b"</c>", b""), (b"<f>", b"<f>1/0+"), (b"<row ", b"<rov "),
    (b'r="1', b'r="0'), (b"0.00", b'"x"0.00;;@'), (b"<v>", b"<v>NaN"), (b"<v>", b"<v> "), (b"mergeCell ", b"mergeCel "),
    (b'="', b'="9'), (b'="', b'="-'), (b'="1', b'="999999'), (b"<w:p>", b"<w:p><w:tbl>"), (b"</w:tc>", b""), (b"string", b"date"),
    (b"string", b"float"), (b"float", b"boolean"), (b"<w:vMerge/>", b'<w:vMerge w:val="restart"/>'), (b"<td", b"<td><table"),
    (b"office:", b""), (b"</table", b"</tabel"), (b"/MediaBox [0 0 595 842]", b"/MediaBox [0 0 1e30 -1]"), (b" Tf", b" Tj"),
    (b" 0 R", b" 3 0 R"), (b"/Length ", b"/Length -"), (b"/Kids [", b"/Kids [2 0 R "), (b"xref", b"xerf"), (b" l S", b" re f"),
    (b"stream\n", b"stream"), (b"/DW 1000", b"/DW []"), (b" m ", b" 1e9 m "), (b"UniGB-UCS2-H", b"Identity-H"), (b",", b""), (b"|", b""),
]  # fmt: skip


def _swapped(data: bytes, dealer: random.Random) -> bytes:
    """Words of the format that no longer fit together."""
    fitting = [pair for pair in _PAIRS if pair[0] in data] or [(b"1", b"11")]
    return data.replace(*dealer.choice(fitting), dealer.choice((1, 5, -1)))


def _retyped(part: bytes, dealer: random.Random) -> bytes:
    """Another content in a few number cells."""
    cells = list(re.finditer(rb'<c r="[C-E]\d+"(?: s="\d+")?>(?:<f>[^<]*</f>)?<v>([^<]*)</v>', part))
    for found in sorted(dealer.sample(cells, min(len(cells), dealer.choice((1, 3)))), key=re.Match.start, reverse=True):
        content = dealer.choice((b"-5", b"1e999", b"abc", b"", b"3.7", b"99999999999999999999", b"NaN", b"0x1F", b"7"))
        part = part[: found.start(1)] + content + part[found.end(1) :]
    return part


_ANYWHERE: list[Damage] = [_flip, _cut, _extreme, _doubled, _moved, _token, _token, _swapped, _swapped]


def _inside(data: bytes, dealer: random.Random) -> bytes:
    """Damage within one part of the package, packed again: what a faulty exporting program would write."""
    try:
        parts = parts_of(data)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError, zlib.error):
        return _flip(data, dealer)
    told = [name for name in parts if name.startswith("xl/worksheets/") or name in ("word/document.xml", "content.xml")]
    victim = dealer.choice(told * 6 + list(parts)) if parts else ""
    if victim and dealer.random() < 0.03:
        del parts[victim]
    elif victim:
        parts[victim] = dealer.choice((*_ANYWHERE, _retyped, _retyped))(parts[victim], dealer)
    return package(parts)


# --- what is drawn --------------------------------------------------------------------------------------------------------

WORDS = [
    "受理申请", "答复", "当面申请", "本月", "本年累计", "指标", "单位", "件", "占比(%)", "填报单位", "统计时期", "2014-05", "东城分局", "合计",
    "其中:", "一、主动公开", "20", "7", "1,234", "", " ", "99.79%", "-3", "(3)", "二十", "/", "—", "1e5", "＃", "√", "20¹", "其他",
]  # fmt: skip
word = st.sampled_from(WORDS) | st.text(max_size=6)
plain = word.map(lambda text: text.replace("&", "").replace("<", "").replace("]", "").replace('"', "")).map(
    lambda text: re.sub("[^\t -\ud7ff\ue000-\ufffd]", "", text)
)
rows = st.lists(st.lists(word, max_size=6), max_size=12)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "big5"])
number = st.integers(-2, 3000).map(str) | st.sampled_from(["", "1e9", "9" * 12, "x", "0", "16384", "1048576"])


def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, "ignore")


sentences = st.lists(
    st.sampled_from(["本月受理申请20件", "其中当面申请10件", "信函申请9件", "占比50.0%", "同比增长", "共计", "分别为3、4、5件", "收取费用30.5元"])
    | st.text(max_size=8),
    max_size=12,
)  # fmt: skip


@st.composite
def _tables(draw: Any) -> bytes:
    sign = draw(st.sampled_from([",", "\t", ";", "|", " | ", "，"]))
    return _encoded("\n".join(sign.join(row) for row in draw(rows)), draw(encodings))


@st.composite
def _drawn_tables(draw: Any) -> bytes:
    sign = draw(st.sampled_from("|｜│┃"))
    lines = [f"{sign}{f' {sign} '.join(row)}{sign}" for row in draw(rows)]
    for rule in draw(st.lists(st.sampled_from(["|---|---|", "├──┼──┤", "本月受理申请20件。"]), max_size=3)):
        lines.insert(draw(st.integers(0, len(lines))), rule)
    return _encoded("\n".join(lines), draw(encodings))


@st.composite
def _prose(draw: Any) -> bytes:
    sign = draw(st.sampled_from(["，", "。", ";", ",", "\n", "、"]))
    return _encoded(sign.join(draw(sentences)) + "。", draw(encodings))


_tag = st.sampled_from(
    ["table", "tr", "td", "th", "tbody", "p", "div", "sup", "sub", "span", "caption", "select", "script", "b", "ul"]
)
_attributes = st.lists(
    st.tuples(st.sampled_from(["colspan", "rowspan", "hidden", "style", "class"]), number | st.just("display:none")),
    max_size=2,
)


def _elements(depth: int) -> st.SearchStrategy[str]:
    """Text, or an element with such inside, to that depth; one in two is left open."""

    def written(parts: tuple[str, list[tuple[str, str]], list[str], bool]) -> str:
        tag, attributes, content, closed = parts
        said = "".join(f' {name}="{value}"' for name, value in attributes)
        return f"<{tag}{said}>{''.join(content)}" + (f"</{tag}>" if closed else "")

    if depth == 0:
        return word
    inside = st.lists(_elements(depth - 1), max_size=4)
    return word | st.tuples(_tag, _attributes, inside, st.booleans()).map(written)


_pages = st.lists(_elements(3), max_size=5).map(
    lambda body: f"<html><body><table>{''.join(body)}".encode("utf-8", "ignore")
)


@lru_cache(maxsize=1)
def _empty_workbook() -> dict[str, bytes]:
    return {**parts_of(good_return())}


@st.composite
def _sheets(draw: Any) -> bytes:
    """A workbook whose cells have any reference, type, style and content."""
    reference = st.sampled_from(["A1", "B2", "C3", "D4", "XFD1", "A0", "A1048576", "AAAA1", "", "a1", "C03"])
    kind = st.sampled_from(["", "s", "n", "e", "b", "str", "d", "inlineStr", "x"])
    lines = []
    for _ in range(draw(st.integers(0, 5))):
        cells = draw(st.lists(st.tuples(reference, kind, number, number | plain, st.booleans()), max_size=5))
        lines.append(
            "<row>"
            + "".join(
                f'<c r="{at}" t="{one}" s="{style}">{"<f>1+1</f>" if formula else ""}<v>{value}</v></c>'
                for at, one, style, value, formula in cells
            ).replace(' r=""', "")
            + "</row>"
        )
    merges = draw(
        st.lists(st.sampled_from(["A1:B2", "A1:XFD1048576", "B2:A1", "A0:A0", "A1", "C1:C900000"]), max_size=3)
    )
    spans = "".join(f'<mergeCell ref="{one}"/>' for one in merges)
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f"<worksheet {names}><sheetData>{''.join(lines)}</sheetData><mergeCells>{spans}</mergeCells></worksheet>"
    return package({**_empty_workbook(), "xl/worksheets/sheet1.xml": sheet.encode("utf-8", "ignore")})


@st.composite
def _spreadsheets(draw: Any) -> bytes:
    """An OpenDocument sheet with any repetition, span, type and value."""
    kind = st.sampled_from(["string", "float", "percentage", "date", "boolean", "time", ""])
    covered = st.sampled_from(["", "", "covered-"])
    cell = st.tuples(kind, number | plain, number, number, number, plain, covered).map(
        lambda one: f'<table:{one[6]}table-cell office:value-type="{one[0]}" office:value="{one[1]}" table:number-columns-repeated="{one[2]}" table:number-rows-spanned="{one[3]}" table:number-columns-spanned="{one[4]}">'
        f"<text:p>{one[5]}</text:p></table:table-cell>"
    )  # fmt: skip
    line = st.tuples(number, st.lists(cell, max_size=4)).map(
        lambda one: f'<table:table-row table:number-rows-repeated="{one[0]}">{"".join(one[1])}</table:table-row>'
    )
    body = ODS.format("".join(draw(st.lists(line, max_size=5))))
    return package({"mimetype": ODS_KIND, "content.xml": body.encode("utf-8", "ignore")})


def _blocks(depth: int) -> st.SearchStrategy[str]:
    """Runs, tables and wrappers of a text document, nested to that depth."""
    run = plain.map(lambda text: f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
    if depth == 0:
        return run
    inside = st.lists(_blocks(depth - 1), max_size=3).map("".join)
    merges = st.sampled_from(["", "<w:vMerge/>", '<w:vMerge w:val="restart"/>'])
    cell = st.tuples(number, merges, inside).map(
        lambda one: f'<w:tc><w:tcPr><w:gridSpan w:val="{one[0]}"/>{one[1]}</w:tcPr>{one[2]}</w:tc>'
    )
    row = st.lists(cell, max_size=4).map(lambda cells: f"<w:tr>{''.join(cells)}</w:tr>")
    table = st.lists(row, max_size=4).map(lambda lines: f"<w:tbl>{''.join(lines)}</w:tbl>")
    wrappers = st.sampled_from(["w:sdt", "w:p", "w:ins", "w:del", "w:txbxContent", "w:pict"])
    return run | row | table | st.tuples(wrappers, inside).map(lambda one: f"<{one[0]}>{one[1]}</{one[0]}>")


_documents = st.lists(_blocks(3), max_size=4).map(
    lambda body: package(
        {"word/document.xml": f'<w:document xmlns:w="urn:w"><w:body>{"".join(body)}</w:body></w:document>'.encode()}
    )
)


@st.composite
def _archives(draw: Any) -> bytes:
    """A zip with names of all formats, twice or odd, and anything inside; perhaps with its directory damaged."""
    names = st.sampled_from([
        "mimetype", "content.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml", "xl/styles.xml",
        "word/document.xml", "_rels/.rels", "../../x", "/etc/passwd", "a\nb", "META-INF/manifest.xml", "inner.zip", "\u202excod.",
    ])  # fmt: skip
    whole = _empty_workbook()
    contents = st.sampled_from(
        [b"", ODS_KIND, b"<a/>", ODS.format("").encode(), good_return()[:500], *whole.values()]
    ) | st.binary(max_size=60)
    buffer = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(buffer, "w") as target,
    ):  # of names that stand there twice
        for name, content, packing in draw(
            st.lists(st.tuples(names, contents, st.sampled_from([0, 8, 12])), max_size=8)
        ):
            info = zipfile.ZipInfo(name)
            info.compress_type = packing
            target.writestr(info, content)
    data = bytearray(buffer.getvalue())
    for at, value in draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=2)):
        data[at % len(data)] = value
    return bytes(data)


_HEADS = [
    b"",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"\x09\x08\x10\x00\x00\x06",
    b"\xff\xfe",
    b"\xfe\xff",
    b"<html",
    b"%PDF-1.7\n",
]
DRAWN: dict[str, st.SearchStrategy[bytes]] = {
    "any bytes": st.tuples(st.sampled_from(_HEADS), st.binary(max_size=400)).map(b"".join),
    "any text": st.builds(_encoded, st.text(max_size=300), encodings),
    "text tables": _tables(),
    "drawn tables": _drawn_tables(),
    "prose": _prose(),
    "pages": _pages,
    "sheet parts": _sheets(),
    "ods parts": _spreadsheets(),
    "docx parts": _documents,
    "archives": _archives(),
}


def drawn(kind: str) -> list[bytes]:
    """The inputs of a strategy, always the same."""
    found: list[bytes] = []

    @seed(2014)
    @settings(
        max_examples=DRAWN_EACH,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(DRAWN[kind])
    def take(data: bytes) -> None:
        found.append(data)

    take()
    return found

"""PDF files written by hand for the tests: Chinese text at given points, ruled lines, no embedded font. No assertion in here."""

from __future__ import annotations

from collections.abc import Sequence

Line = tuple[float, float, float, float]
Said = tuple[float, float, str] | tuple[float, float, str, float]


Drawn = tuple[Sequence[Said], Sequence[Line]]


def pdf(said: Sequence[Said], lines: Sequence[Line] = (), pages: int = 1) -> bytes:
    """A PDF whose pages all show `said` (x, y from below, text, size unless 10) and `lines` (from x, y to x, y)."""
    return pdf_of([(said, lines)] * pages)


def pdf_of(pages: Sequence[Drawn]) -> bytes:
    """A PDF with a page for each of what is drawn."""
    kids = " ".join(f"{6 + at} 0 R" for at in range(len(pages)))
    font = [
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [5 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
    ]
    shown = [
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {6 + len(pages) + at} 0 R "
        "/Resources << /Font << /F1 4 0 R >> >> >>"
        for at in range(len(pages))
    ]
    return objects_of([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"null",
        *(one.encode() for one in (*font, *shown)),
        *(stream_of(_program(said, lines)) for said, lines in pages),
    ])  # fmt: skip


def _program(said: Sequence[Said], lines: Sequence[Line]) -> bytes:
    drawn = [
        f"BT /F1 {size[0] if size else 10} Tf {x} {y} Td <{text.encode('utf-16-be').hex()}> Tj ET"
        for x, y, text, *size in said
    ]
    drawn += [f"{x0} {y0} m {x1} {y1} l S" for x0, y0, x1, y1 in lines]
    return "\n".join(drawn).encode()


def stream_of(content: bytes, head: str = "") -> bytes:
    """A stream with what else its dictionary says."""
    return f"<< /Length {len(content)} {head} >>\nstream\n".encode() + content + b"\nendstream"


def objects_of(objects: Sequence[bytes]) -> bytes:
    """A PDF of these objects, the first of which is the catalogue."""
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return bytes(out) + (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    ).encode("ascii")


def form_table() -> tuple[list[Said], list[Line]]:
    """The small form of `test_formats`, drawn: 指标 and 单位 over two rows, 本月 over two columns."""
    said: list[Said] = [
        (50, 800, "东城分局2014年5月报表"), (55, 770, "指标"), (155, 770, "单位"), (255, 770, "本月"), (255, 750, "件数"),
        (355, 750, "人数"), (55, 730, "受理申请"), (155, 730, "件"), (255, 730, "20"), (355, 730, "7"), (55, 710, "答复合计"),
        (155, 710, "件"), (255, 710, "1,234"), (50, 680, "填报人:张敏"),
    ]  # fmt: skip
    lines: list[Line] = [(50, y, 450, y) for y in (785, 745, 725, 705)]
    lines += [(250, 765, 450, 765), (350, 705, 350, 765), *((x, 705, x, 785) for x in (50, 150, 250, 450))]
    return said, lines

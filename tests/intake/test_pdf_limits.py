"""PDF files made to hurt whoever opens them: each ends in a refusal that names the limit, before it has cost anything."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from hashlib import sha512
from time import process_time

import pytest

from disclosure_etl.intake.readers import read_document
from disclosure_etl.settings import ReadLimits
from schemas.documents import Unreadable
from tests.intake.printed import objects_of, stream_of

CATALOGUE, PAGES = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> %s >> >>"
)
MANY = 60_000_000


def one_page(content: bytes, forms: list[bytes] | None = None) -> bytes:
    """A document of one page that runs this stream, and may call the first of these forms."""
    called = b"/XObject << /X 6 0 R >>" if forms else b""
    return objects_of([CATALOGUE, PAGES, PAGE % called, content, FONT, *(forms or [])])


def flate(content: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        content = zlib.compress(content, 9)
    return stream_of(content, f"/Filter [{' /FlateDecode' * times}]")


def packed_as_usual(between: bytes, count: int) -> bytes:
    """So many bytes, packed no tighter than office programs do: a hundred to one."""
    piece = sha512(b"").hexdigest().encode() + between * 12_000
    return stream_of(zlib.compress(piece * (count // len(piece)), 1), "/Filter /FlateDecode")


def of_spaces() -> bytes:
    """Nothing but what stands between words."""
    return flate(b" " * MANY)


def twice_packed() -> bytes:
    return flate(b" " * MANY, times=2)


def in_runs() -> bytes:
    return stream_of(b"".join([zlib.compress(b"\x81 " * (MANY // 128), 9)]), "/Filter [/FlateDecode /RunLengthDecode]")


def in_fives() -> bytes:
    return stream_of(zlib.compress(b"z" * (MANY // 4) + b"~>", 9), "/Filter [/FlateDecode /ASCII85Decode]")


def in_hex() -> bytes:
    return stream_of(zlib.compress(b"20" * MANY, 9), "/Filter [/FlateDecode /ASCIIHexDecode]")


def in_codes() -> bytes:
    """LZW: the start, one sign, and then always the string that is just being made."""
    codes, width, bits = [256, 32, *range(258, 4094)], 9, ""
    for at, code in enumerate(codes):
        bits += f"{code:0{width}b}"
        width = next(wide for wide, table in ((9, 511), (10, 1023), (11, 2047), (12, 9999)) if 257 + at < table)
    return stream_of(int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8)), "/Filter /LZWDecode")


@pytest.mark.parametrize("content", [of_spaces, twice_packed, in_runs, in_fives, in_hex])
def test_a_stream_that_unpacks_to_too_much_is_refused_by_the_limit_that_it_meets(content: Callable[[], bytes]) -> None:
    refused_by("max_ratio", one_page(content()))
    refused_by("max_uncompressed_bytes", one_page(content()), ReadLimits(max_uncompressed_bytes=1_000_000))


def test_codes_that_grow_are_refused() -> None:
    refused_by("max_uncompressed_bytes", one_page(in_codes()), ReadLimits(max_uncompressed_bytes=1_000_000))


def test_what_is_packed_no_tighter_than_usual_is_refused_by_its_size() -> None:
    refused_by("max_uncompressed_bytes", one_page(packed_as_usual(b" ", 250_000_000)))


@pytest.mark.parametrize("said", ["/Type /ObjStm /N 9 /First 0", "/N 9 /First 0"])
def test_a_stream_of_too_many_objects_is_refused(said: str) -> None:
    """Found by looking for the objects of a file whose table of places is lost, or by that table."""
    packed = zlib.compress(b"1 " * 1_500_000 + b"[" * 600_000)
    table = b"".join(
        bytes([kind]) + place.to_bytes(4) + bytes([index]) for kind, place, index in ((0, 0, 0), (2, 2, 0), (1, 9, 0))
    )
    stream = stream_of(packed, f"/Filter /FlateDecode {said}")
    head = b"%PDF-1.5\n"
    body = head + b"2 0 obj\n" + stream + b"\nendobj\n"
    xref = b"3 0 obj\n" + stream_of(table, "/Type /XRef /Size 3 /W [1 4 1] /Root 1 0 R") + b"\nendobj\n"
    refused_by("max_cells", body + xref + b"startxref\n%d\n%%%%EOF" % len(body))


def test_forms_that_call_forms_are_refused() -> None:
    """Ten calls of what calls ten more: nothing is unpacked twice, and everything is run."""
    forms = [
        stream_of(b"/X Do " * 10 + b"%" + b"x" * 10_000, f"/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
                  f"/Resources << /XObject << /X {7 + at} 0 R >> >>")
        for at in range(8)
    ]  # fmt: skip
    refused_by("max_ratio", one_page(stream_of(b"/X Do"), forms))


def test_a_page_of_more_signs_than_anybody_prints_is_refused() -> None:
    program = b"BT /F1 10 Tf (" + b"a" * 100_000 + b") Tj ET"
    refused_by("max_cells", one_page(stream_of(program)))


def test_a_path_without_end_is_refused() -> None:
    refused_by("max_cells", one_page(flate(b"0 0 m " + b"1 2 l " * 200_000 + b"S")))
    refused_by("max_cells", one_page(flate(b"1 2 l " * 1_000_000)))


def test_a_hundred_thousand_pages_are_refused() -> None:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 100_003))
    pages = [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"] * 100_000
    refused_by("max_cells", objects_of([CATALOGUE, b"<< /Type /Pages /Kids [%s] /Count 100000 >>" % kids, *pages]))


def test_pages_below_pages_without_end_are_refused() -> None:
    tree = [b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 1) for number in range(2, 20_000)]
    code, _ = refusal(objects_of([CATALOGUE, *tree, PAGE % b""]))
    assert code == "truncated"


def test_a_line_longer_than_its_stream_is_not_made_up() -> None:
    parameters = "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 900000000 >>"
    code, _ = refusal(one_page(stream_of(zlib.compress(b"\x02" * 100), parameters)))
    assert code == "truncated"


def test_usual_filters_are_read() -> None:
    """A document in the filters of office programs, and one whose sum at the end of the stream is wrong."""
    whole = zlib.compress(b"BT /F1 10 Tf 50 800 Td (2014) Tj ET")
    predicted = zlib.compress(b"".join(b"\x00" + bytes([sign]) for sign in b"BT /F1 10 Tf 50 800 Td (2014) Tj ET"))
    for stream in (
        stream_of(whole, "/Filter /FlateDecode"),
        stream_of(whole[:-2] + b"xx", "/Filter /FlateDecode"),
        stream_of(whole.hex().encode() + b">", "/Filter [/ASCIIHexDecode /FlateDecode]"),
        stream_of(predicted, "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 1 >>"),
        stream_of(b"\x0aBT /F1 10 T\x12f 50 800 Td (2014) \x04Tj ET\x80", "/Filter /RunLengthDecode"),
    ):
        assert read_document("a.pdf", one_page(stream)).text == "2014"


def test_half_of_a_page_is_no_page() -> None:
    damaged = bytearray(zlib.compress(bytes(range(256)) * 40))
    damaged[20:40] = bytes(20)
    assert refusal(one_page(stream_of(bytes(damaged), "/Filter /FlateDecode")))[0] == "truncated"


def refusal(data: bytes, limits: ReadLimits | None = None) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        read_document("a.pdf", data, limits or ReadLimits())
    return caught.value.code, caught.value.en


def refused_by(limit: str, data: bytes, limits: ReadLimits | None = None) -> None:
    code, message = refusal(data, limits)
    assert (code, limit in message) == ("too_large", True), message


def test_space_without_end_costs_no_time() -> None:
    content = stream_of(
        zlib.compress(b" " * 300_000 + b"z" * 10_000 + b" ", 1), "/Filter [/FlateDecode /ASCII85Decode]"
    )
    start = process_time()
    assert refusal(one_page(content))[0] == "scanned"
    assert process_time() - start < 10


def test_more_columns_than_paper_is_wide_are_not_looked_for() -> None:
    """Ten lines of five hundred figures each, far apart."""
    line = b"".join(b"1 0 0 1 %d %%d Tm (7) Tj " % (20 * at) for at in range(500))
    program = b"BT /F1 9 Tf " + b"".join(line.replace(b"%d", b"%d" % (800 - 12 * at)) for at in range(10)) + b"ET"
    assert read_document("a.pdf", one_page(stream_of(program))).grids == ()

"""The streams inside a PDF unpacked under the limits: pdfminer by itself unpacks whatever a file says, at once and to any size.

Only the filters that text comes in; those of pictures are left alone, since no picture is looked at. Not here: what stands in a
stream (`pdf_opened`).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from pdfminer import pdftypes
from pdfminer.ascii85 import ascii85decode, asciihexdecode
from pdfminer.lzw import CorruptDataError, LZWDecoder
from pdfminer.pdfexceptions import PDFNotImplementedError, PDFValueError
from pdfminer.pdftypes import PDFStream, int_value
from pdfminer.utils import apply_png_predictor, apply_tiff_predictor

from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits

_PIECE = 4096
_SMALL = 10_000_000  # bytes: what unpacks to less than this may have been packed as tightly as it likes
_LZW_CODES = 4096
_PER_PREDICTED = 8  # bytes that pdfminer takes for each that a predictor restores


class Unpacking:
    """What the streams of one file have been unpacked to so far, in bytes."""

    def __init__(self, packed: int, limits: ReadLimits) -> None:
        self._packed, self._limits = packed, limits
        self._unpacked = 0

    def add(self, count: int) -> None:
        """Count so many bytes more.

        Raises:
            Unreadable: they are too many, by themselves or for a file of this size (too_large).
        """
        self._unpacked += count
        allowed = self._limits.max_uncompressed_bytes
        if self._unpacked > allowed:
            raise refused("max_uncompressed_bytes", self._unpacked, allowed)
        if self._unpacked > _SMALL and self._unpacked > self._packed * self._limits.max_ratio:
            raise refused("max_ratio", self._unpacked // max(self._packed, 1), self._limits.max_ratio)

    def joined(self, pieces: Iterator[bytes]) -> bytes:
        """Pieces in one, each counted before the next is made."""
        out = bytearray()
        for piece in pieces:
            self.add(len(piece))
            out += piece
        return bytes(out)


class BoundedStream(PDFStream):
    """A stream that is unpacked piece by piece."""

    def __init__(self, stream: PDFStream, unpacking: Unpacking) -> None:
        super().__init__(stream.attrs, stream.rawdata or b"", stream.decipher)
        self._unpacking = unpacking

    def decode(self) -> None:
        """Unpack it, through one filter after the other."""
        data = self.rawdata or b""
        if self.decipher and self.objid is not None and self.genno is not None:
            data = self.decipher(self.objid, self.genno, data, self.attrs)
        for name, parameters in self.get_filters():
            unpack = _FILTERS.get(name)
            if unpack is None:
                raise PDFNotImplementedError(f"no filter of text: {name!r}")
            data = self._unpacking.joined(unpack(data))
            if parameters and "Predictor" in parameters:
                data = self._predicted(data, parameters)
        self.data, self.rawdata = data, None

    def _predicted(self, data: bytes, parameters: dict[str, Any]) -> bytes:
        predictor = int_value(parameters["Predictor"])
        if predictor == 1:
            return data
        usual = {"Colors": 1, "Columns": 1, "BitsPerComponent": 8}
        colors, columns, bits = (int_value(parameters.get(name, otherwise)) for name, otherwise in usual.items())
        if min(colors, columns, bits) < 1 or colors * columns * bits // 8 > len(data):
            raise PDFValueError("a line of it is longer than the stream")
        self._unpacking.add(len(data) * _PER_PREDICTED)
        if predictor == 2:
            return apply_tiff_predictor(colors, columns, bits, data)
        return apply_png_predictor(predictor, colors, columns, bits, data)


def _inflated(data: bytes) -> Iterator[bytes]:
    """A damaged stream is an error, unless nothing but the sum at its end is wrong: half of a page is no page."""
    inflating = zlib.decompressobj()
    for start in range(0, len(data), _PIECE):
        piece, before = data[start : start + _PIECE], inflating.copy()
        try:
            yield inflating.decompress(piece)
        except zlib.error:
            yield from _up_to_the_fault(before, piece, len(data) - start)
            return


def _up_to_the_fault(inflating: Any, piece: bytes, left: int) -> Iterator[bytes]:
    for at in range(len(piece)):
        try:
            yield inflating.decompress(piece[at : at + 1])
        except zlib.error:
            if left - at > 4:
                raise
            return


def _lzw(data: bytes) -> Iterator[bytes]:
    decoder = LZWDecoder(io.BytesIO(data))
    try:
        while len(decoder.table) <= _LZW_CODES:  # beyond that there are no codes, and pdfminer's table has no end
            yield decoder.feed(decoder.readbits(decoder.nbits))
    except (EOFError, CorruptDataError):
        return


def _runs(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data) and data[at] != 128:
        length = data[at]
        if length < 128:
            yield data[at + 1 : at + length + 2]
            at += length + 2
        else:
            yield data[at + 1 : at + 2] * (257 - length)
            at += 2


def _at_once(decode: Callable[[bytes], bytes]) -> Callable[[bytes], Iterator[bytes]]:
    """A filter that makes no more than four bytes of one. Without space: pdfminer looks for the end from every space anew."""
    return lambda data: iter([decode(b"".join(data.split()))])


_FILTERS: dict[Any, Callable[[bytes], Iterator[bytes]]] = {
    name: unpack
    for names, unpack in (
        (pdftypes.LITERALS_FLATE_DECODE, _inflated),
        (pdftypes.LITERALS_LZW_DECODE, _lzw),
        (pdftypes.LITERALS_RUNLENGTH_DECODE, _runs),
        (pdftypes.LITERALS_ASCII85_DECODE, _at_once(ascii85decode)),
        (pdftypes.LITERALS_ASCIIHEX_DECODE, _at_once(asciihexdecode)),
    )
    for name in names
}

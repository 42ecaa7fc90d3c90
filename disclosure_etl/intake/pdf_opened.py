"""A PDF opened under the limits: its pages one by one, refused while they are laid out and not after.

pdfminer and pdfplumber do the work; what stands here counts it. Not here: what a page says (`pdf`), unpacking (`pdf_streams`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pdfplumber
from pdfminer.layout import LTPage
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.pdftypes import PDFStream, stream_value
from pdfplumber.page import Page, PDFPageAggregatorWithMarkedContent

from disclosure_etl.intake.limits import refused
from disclosure_etl.intake.pdf_streams import BoundedStream, Unpacking
from disclosure_etl.settings import ReadLimits

_SIGN = 25  # cells of a grid that take as much memory as one sign on a page, which is measured and not computed
_PAGE = 200  # signs that take as long to read as a page without any
_BETWEEN = tuple(b" \n\r\t\f\x00[]<>()/")


def opened_pdf(data: bytes, limits: ReadLimits) -> Iterator[Page]:
    """The pages of a document in order. A page is closed when the next is asked for.

    Raises:
        Unreadable: over a limit (too_large). Anything else that pdfminer raises on a file that is damaged or locked.
    """
    effort = Effort(len(data), limits)
    document = _Pdf(data, effort)
    top = 0.0
    for number, found in enumerate(PDFPage.create_pages(document.doc), 1):
        effort.page()
        page = _Page(document, found, number, top)
        top += page.height
        yield page
        page.close()  # else every page is kept


class Effort:
    """What a document has cost so far."""

    def __init__(self, packed: int, limits: ReadLimits) -> None:
        self.unpacking, self.executed = Unpacking(packed, limits), Unpacking(packed, limits)
        self._most = limits.max_cells
        self._signs = self._on_page = self._words = self._objects = 0

    def page(self) -> None:
        """Count a page that begins."""
        self._on_page = self._words = 0
        self._signs += _PAGE - 1
        self.sign()

    def sign(self, count: int = 1) -> None:
        """Count signs, ends of lines or pictures: all of them for the time they take, those of one page for their memory."""
        self._signs += count
        self._on_page += count
        self._check(max(self._signs, self._on_page * _SIGN))

    def execute(self, data: bytes) -> None:
        """Count a piece of a page's program, as often as it is run: a form may call forms that call forms."""
        self.executed.add(len(data))
        self._words += _words(data)
        self._check(self._words)

    def objects(self, data: bytes) -> None:
        """Count the objects packed in a stream."""
        self._objects += _words(data)
        self._check(self._objects)

    def _check(self, seen: int) -> None:
        if seen > self._most:
            raise refused("max_cells", seen, self._most)


def _words(data: bytes) -> int:
    """How many words there are at most, counted much faster than they are read."""
    return sum(data.count(sign) for sign in _BETWEEN) + 1


class _Pdf(pdfplumber.PDF):
    """What pages need of their document; pdfplumber's own opens it without limits."""

    def __init__(self, data: bytes, effort: Effort) -> None:
        self.effort = effort
        self.stream = io.BytesIO(data)
        self.doc = _Document(_Parser(self.stream, effort.unpacking), effort)
        self.rsrcmgr = PDFResourceManager()
        self.laparams = self.unicode_norm = None


class _Parser(PDFParser):
    def __init__(self, stream: io.BytesIO, unpacking: Unpacking) -> None:
        super().__init__(stream)
        self._unpacking = unpacking

    def push(self, *objects: Any) -> None:
        """Put every stream under the limits before anybody unpacks it."""
        super().push(
            *((at, BoundedStream(one, self._unpacking) if isinstance(one, PDFStream) else one) for at, one in objects)
        )


class _Document(PDFDocument):
    def __init__(self, parser: PDFParser, effort: Effort) -> None:
        self._effort = effort
        super().__init__(parser)

    def _get_objects(self, stream: PDFStream) -> tuple[list[object], int]:
        self._effort.objects(stream.get_data())
        return super()._get_objects(stream)


class _Page(Page):
    def __init__(self, pdf: _Pdf, found: PDFPage, number: int, top: float) -> None:
        super().__init__(pdf, found, number, top)
        self._effort = pdf.effort

    @property
    def layout(self) -> LTPage:
        """The page as it is laid out, by an interpreter that counts."""
        if not hasattr(self, "_layout"):
            device = _Device(self.pdf.rsrcmgr, pageno=self.page_number, laparams=None)
            device.effort = self._effort
            _Interpreter(self.pdf.rsrcmgr, device).process_page(self.page_obj)
            self._layout = device.get_result()
        return self._layout


class _Device(PDFPageAggregatorWithMarkedContent):
    effort: Effort

    def render_char(self, *args: Any, **kwargs: Any) -> float:
        """A sign."""
        self.effort.sign()
        return super().render_char(*args, **kwargs)

    def render_image(self, *args: Any, **kwargs: Any) -> None:
        """A picture."""
        self.effort.sign()
        super().render_image(*args, **kwargs)

    def paint_path(self, gstate: Any, stroke: bool, fill: bool, evenodd: bool, path: Sequence[Any]) -> None:
        """A line, from end to end, or many."""
        self.effort.sign(max(len(path), 1))
        super().paint_path(gstate, stroke, fill, evenodd, path)


class _Interpreter(PDFPageInterpreter):
    device: _Device

    def execute(self, streams: Sequence[object]) -> None:
        """Run pieces of a page's program."""
        for one in streams:
            self.device.effort.execute(stream_value(one).get_data())
        super().execute(streams)

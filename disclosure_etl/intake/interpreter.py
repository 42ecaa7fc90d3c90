"""From a Document to a Submission of a form: which figure is which, and what was not understood.

Not here: reading bytes (`readers`), what a cell's content means (`figures`), whether figures are right (`quality`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from disclosure_etl.bureaus import Bureau, Bureaus
from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.identity import NOT_OWED, Identity, identify
from disclosure_etl.intake.layout import Layout, Place, Scan, lay_out, scan
from disclosure_etl.intake.lexicon import Lexicon, WordKind
from schemas.documents import CellValue, Document, Grid, Unreadable
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Finding, Submission, Unread
from schemas.values import Figure, Meaning, Trouble

_LARGEST = 10**14  # of a cell's smallest unit: sums over 90,000 returns still fit the warehouse's 64-bit integers

_Kind = tuple[int, bool, bool]  # of a cell: its scale, whether it is a share, whether a blank there means zero
_Value = tuple[int, int, int, int, str]  # number, meaning, decimals, trouble, text
_BLANK: _Value = (0, int(Meaning.BLANK), NO_DECIMALS, int(Trouble.NONE), "")


@dataclass
class _Reading:
    """One grid of a document with the layout found in it."""

    grid: Grid
    found: Scan
    layout: Layout


@dataclass(frozen=True)
class Interpretation:
    """A document as a submission, with the identity that it was read under."""

    submission: Submission
    identity: Identity
    _readings: Sequence[_Reading]

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each cell's row as written; '' where the document has no such row."""
        found = [""] * len(self.submission.texts)
        for reading in reversed(self._readings):
            for position, place in enumerate(reading.layout.labels):
                if place is not None:
                    found[position] = _text(reading.grid, place)
        return tuple(found)


@dataclass
class Interpreter:
    """Interprets documents by the forms it was given; remembers layouts, since most returns come from one template."""

    forms: Sequence[Form]
    bureaus: Bureaus | None
    _lexicons: dict[str, Lexicon] = field(default_factory=dict)
    _layouts: dict[tuple, Layout] = field(default_factory=dict)
    _values: dict[tuple, _Value] = field(default_factory=dict)
    _slots_of: dict[int, list[tuple[int, Place, _Kind]]] = field(default_factory=dict)  # by layout, which is kept
    _suspects_of: dict[tuple, list[Place]] = field(default_factory=dict)

    def interpret(self, document: Document) -> Interpretation:
        """Read the return that `document` carries.

        Raises:
            Unreadable: no label of any form stands in it (code `no_known_label`).
        """
        best: tuple[int, Form, list[_Reading]] | None = None
        for form in self._candidates(document):
            readings = [self._reading(form, grid) for grid in document.grids if not grid.hidden]
            found = sum(reading.layout.found for reading in readings)
            if found and (best is None or found > best[0]):
                best = (found, form, readings)
        if best is None:
            known = "、".join(form.title.zh for form in self.forms)
            raise Unreadable(
                "no_known_label",
                f"文件中没有任何已知报表的指标名称(已知报表:{known})。请使用下发的空白表填报。",
                f"No label of a known form stands in the file (forms: {', '.join(f.title.en for f in self.forms)}). "
                "Use the blank workbook that was sent out.",
            )
        _, form, readings = best
        header, cells = _header(readings)
        who = identify(document.name, header, cells, form.frequency, self.bureaus)
        return Interpretation(self._submission(document, form, readings, header, who), who, readings)

    def _candidates(self, document: Document) -> list[Form]:
        """The forms to try: those that cover the period which the header tells, else all. Labels decide among them."""
        if len(self.forms) > 1 and (period := self._period_told(document)) is not None:
            return [form for form in self.forms if form.covers(period)] or list(self.forms)
        return list(self.forms)

    def _period_told(self, document: Document) -> Period | None:
        lexicon = self._lexicons.setdefault("", Lexicon.of(None))
        for grid in document.grids:
            for row, column, word in scan(grid, lexicon).anchors:
                if "period" not in word.codes(WordKind.HEADER):
                    continue
                texts = [word.value, *(_text(grid, (row, at)) for at in range(column + 1, len(grid.values[row])))]
                if found := next((period for text in texts if text and (period := Period.read(text))), None):
                    return found
        return None

    def _reading(self, form: Form, grid: Grid) -> _Reading:
        lexicon = self._lexicons.get(form.key)
        if lexicon is None:
            lexicon = self._lexicons[form.key] = Lexicon.of(form)
        found = scan(grid, lexicon)
        # Header values differ in place where one is left empty, so their filled places belong to the key.
        top = tuple(place for place in found.others if place[0] < 12)
        key = (form.key, grid.name, found.anchors, top)
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) > 500:
                self._layouts.clear()
                self._slots_of.clear()
                self._suspects_of.clear()
            layout = self._layouts[key] = lay_out(form, grid, found)
        return _Reading(grid, found, layout)

    def _submission(
        self, document: Document, form: Form, readings: list[_Reading], header: dict[str, str], who: Identity
    ) -> Submission:
        values: list[_Value] = [_BLANK] * len(form.cells)
        locators = [""] * len(form.cells)
        unread: list[Unread] = []
        for reading in readings:
            grid, layout = reading.grid, reading.layout
            shared = _shared_places(grid, layout)
            strange = shared or grid.oddities or grid.displays
            rows, formats, known = grid.values, grid.formats, self._values
            doubled: list[Place] = []
            for position, place, kind in self._slots(form, layout):
                if locators[position]:
                    doubled.append(place)
                    continue
                locators[position] = layout.locators[position]
                row, column = place
                cells = rows[row] if row < len(rows) else ()
                raw = cells[column] if column < len(cells) else None
                # Nearly every figure of a month was seen before: the same small number in the same format.
                value = None if strange else known.get((raw.__class__, raw, formats.get(place), kind))
                values[position] = value or self._value(grid, place, raw, kind, place in shared)
            unread += self._unread(reading, doubled)
        numbers, meanings, decimals, troubles, texts = zip(*values, strict=True)
        return Submission(
            digest=document.digest,
            file=document.name,
            form=form.key,
            bureau=who.bureau.code if who.bureau else None,
            bureau_written=who.bureau_written,
            period=who.period.code if who.period else "",
            revision=who.revision,
            nil=who.nil,
            header=header,
            numbers=numbers,
            meanings=bytes(meanings),
            decimals=bytes(decimals),
            troubles=bytes(troubles),
            texts=texts,
            locators=tuple(locators),
            unread=tuple(unread),
            findings=who.findings + _form_findings(form, who),
        )

    def _slots(self, form: Form, layout: Layout) -> list[tuple[int, Place, _Kind]]:
        """The places that a layout has, each with its cell's position and kind."""
        slots = self._slots_of.get(id(layout))
        if slots is None:
            zero = {code for code, item in form.indicators.items() if item.blank_means == "zero"}
            kinds = [(cell.scale, cell.measure == "share", cell.indicator in zero) for cell in form.cells]
            slots = self._slots_of[id(layout)] = [
                (position, place, kind)
                for position, (place, kind) in enumerate(zip(layout.slots, kinds, strict=True))
                if place is not None
            ]
        return slots

    def _unread(self, reading: _Reading, doubled: list[Place]) -> list[Unread]:
        """Everything that looks like a figure and stands in no place of the form."""
        grid, layout = reading.grid, reading.layout
        key = (id(layout), reading.found.others)
        suspects = self._suspects_of.get(key)
        if suspects is None:
            outside = (place for place in reading.found.others if place not in layout.consumed)
            suspects = [place for place in outside if not layout.is_aside(*place)]
            if len(self._suspects_of) < 10_000:
                self._suspects_of[key] = suspects
        unread = []
        for place in (*suspects, *doubled):
            row, column = place
            value = grid.values[row][column] if column < len(grid.values[row]) else None
            read = figure(value, grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place))
            if read.number is not None or read.trouble not in (Trouble.NONE, Trouble.TEXT):
                unread.append(Unread(grid.locator(*place), read.text))
        return unread

    def _value(self, grid: Grid, place: Place, raw: CellValue, kind: _Kind, shared: bool) -> _Value:
        number_format, display, oddity = grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place)
        value = _scaled(figure(raw, number_format, display, oddity), kind, shared)
        if not shared and display is None and oddity is None:
            if len(self._values) > 200_000:
                self._values.clear()
            self._values[(raw.__class__, raw, number_format, kind)] = value
        return value


def _scaled(read: Figure, kind: _Kind, shared: bool) -> _Value:
    """A figure as the whole number of its cell, or as what hinders that."""
    scale, is_share, blank_is_zero = kind

    def without_number(trouble: Trouble) -> _Value:
        meaning = Meaning.TEXT if read.number is not None else read.meaning
        return 0, int(meaning), NO_DECIMALS, int(trouble), read.text

    if read.meaning is Meaning.BLANK and blank_is_zero and not is_share and not shared:
        return 0, int(Meaning.ZERO), 0, int(Trouble.NONE), read.text
    if read.number is None:
        return without_number(read.trouble)
    if shared:
        return without_number(Trouble.MERGED)
    if read.percent and not is_share:
        return without_number(Trouble.TEXT)
    scaled = read.number.scaleb(scale)
    if scaled != scaled.to_integral_value():
        return without_number(Trouble.TOO_FINE)
    if abs(scaled) > _LARGEST:
        return without_number(Trouble.TOO_LARGE)
    # A share is computed and shown rounded; what counts is what is shown, and that is nobody's slip.
    trouble = Trouble.NONE if is_share else read.trouble
    return int(scaled), int(read.meaning), min(read.decimals or 0, 254), int(trouble), read.text


def _shared_places(grid: Grid, layout: Layout) -> frozenset[Place]:
    """Places of figures that one merged range covers together: which of them its number belongs to, nobody knows."""
    shared: set[Place] = set()
    for merge in grid.merges:
        if not any(row in layout.rows for row in range(merge.top, min(merge.bottom, merge.top + 1000) + 1)):
            continue
        inside = [
            place
            for place in layout.slots
            if place is not None and merge.top <= place[0] <= merge.bottom and merge.left <= place[1] <= merge.right
        ]
        if len(inside) > 1:
            shared.update(place for place in inside if place == (merge.top, merge.left))
    return frozenset(shared)


def _text(grid: Grid, place: Place) -> str:
    """The text as displayed of any cell."""
    row, column = place
    value = grid.values[row][column]
    if isinstance(value, str):
        return value.strip()
    return figure(value, grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place)).text


def _header(readings: list[_Reading]) -> tuple[dict[str, str], dict[str, str]]:
    texts: dict[str, str] = {}
    cells: dict[str, str] = {}
    for reading in readings:
        for name, place in reading.layout.header.items():
            if name not in texts:
                inline = reading.layout.inline.get(name)
                texts[name] = inline if inline is not None else _text(reading.grid, place)
                cells[name] = reading.grid.locator(*place)
    return texts, cells


def _form_findings(form: Form, who: Identity) -> tuple[Finding, ...]:
    """Whether the return is on the form of its period, and from somebody who owes it."""
    found = []
    if who.period is not None and not form.covers(who.period):
        found.append(_wrong_version(form, who.period))
    if who.period is not None and who.bureau is not None and not who.bureau.owes_on(form.family, who.period.end):
        found.append(_not_owed(form, who.bureau, who.period))
    return tuple(found)


def _not_owed(form: Form, bureau: Bureau, period: Period) -> Finding:
    return Finding(
        NOT_OWED,
        Message(
            f"「{bureau.name_zh}」{period} 不需报送{form.title.zh}。如应报送,请在 bureaus.yaml 该单位的 owes 中登记后重新汇总。",
            f"{bureau.name_en} owes no {form.title.en} for {period}. If it should, enter that in bureaus.yaml (owes) and "
            "consolidate again.",
        ),
        (),
        (bureau.code,),
    )


def _wrong_version(form: Form, period: Period) -> Finding:
    return Finding(
        "identity:form",
        Message(
            f"{period} 的数据应使用当期有效的报表,本文件是 {form.title.zh}({form.version} 版,"
            f"{form.valid.first} 至 {form.valid.last or '今'})。请换用当期报表重报。",
            f"Data of {period} belong on the form in force then; this file is {form.title.en}, version "
            f"{form.version} ({form.valid.first} to {form.valid.last or 'now'}). Use the form in force.",
        ),
        (),
        (form.key,),
    )

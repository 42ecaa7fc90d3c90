"""From a Document to a Submission of a form: which figure is which, and what was not understood.

Not here: reading bytes (`readers`), what a cell's content means (`figures`), whether figures are right (`quality`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from disclosure_etl.bureaus import Bureaus
from disclosure_etl.intake.cell_values import (
    BLANK,
    CellKind,
    CellNumber,
    scaled_figure,
    shared_places,
)
from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.form_in_force import form_findings, no_known_label
from disclosure_etl.intake.header import header_places, text_at, told_in_text
from disclosure_etl.intake.identity import Identity, identify, period_in_name
from disclosure_etl.intake.layout import Layout, Place, lay_out, scan
from disclosure_etl.intake.lexicon import Lexicon, WordKind
from disclosure_etl.intake.listed import read_lists
from disclosure_etl.intake.listed_twice import Again, listed_twice
from disclosure_etl.intake.mapped import placed, recognised, turned
from disclosure_etl.intake.noted import ONLY_TOLD, noted_findings
from disclosure_etl.intake.sheets import Reading, Sources, header_of, sources, two_tables
from disclosure_etl.intake.units import units_told
from schemas.documents import CellValue, Document, Grid, Unreadable
from schemas.forms import Form
from schemas.layoutfile import LayoutMapping
from schemas.periods import Period
from schemas.records import Finding, Item, Submission, Unread
from schemas.values import Meaning, Trouble

_NUMBERS = (int(Meaning.NUMBER), int(Meaning.ZERO))
_WORDS = (Trouble.NONE, Trouble.TEXT, Trouble.APPROXIMATE)


@dataclass(frozen=True)
class Interpretation:
    """A document as a submission, with the identity that it was read under."""

    submission: Submission
    identity: Identity
    _readings: Sequence[Reading]
    _form: Form
    _sources: Sources

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each cell's row as written; '' where the document has no such row."""
        found = [""] * len(self.submission.texts)
        for reading, tables in zip(self._readings, self._sources.gives, strict=True):
            for cell, place in zip(self._form.cells, reading.layout.labels, strict=True):
                if place is not None and cell.table in tables:
                    found[cell.position] = text_at(reading.grid, place)
        return tuple(found)


_Slot = tuple[
    int, Place, CellKind, dict[tuple, CellNumber]
]  # a cell's position, place and kind, and what was read of such


@dataclass(frozen=True)
class _Best:
    """A document as one form reads it."""

    form: Form
    readings: list[Reading]
    found: int

    @property
    def is_complete(self) -> bool:
        """Whether the document has every place of the form."""
        return self.found >= len(self.form.cells)


@dataclass
class Interpreter:
    """Interprets documents by the forms it was given; remembers layouts, since most returns come from one template."""

    forms: Sequence[Form]
    bureaus: Bureaus | None
    mappings: Sequence[LayoutMapping] = ()
    _lexicons: dict[tuple[str, str], Lexicon] = field(default_factory=dict)
    _layouts: dict[tuple, Layout] = field(default_factory=dict)
    _values: dict[CellKind, dict[tuple, CellNumber]] = field(default_factory=dict)
    _slots_of: dict[int, list[_Slot]] = field(default_factory=dict)  # by layout, which is kept
    _suspects_of: dict[tuple, list[Place]] = field(default_factory=dict)
    _kinds_of: dict[str, list[CellKind]] = field(default_factory=dict)

    def interpret(self, document: Document) -> Interpretation:
        """Read the return that `document` carries.

        Raises:
            Unreadable: no label of any form stands in it (code `no_known_label`).
        """
        mapping = recognised(document, [one for one in self.mappings if any(map(one.is_for, self.forms))])
        if mapping is not None and mapping.file.transposed:
            document = turned(document)
        best = self._best(document, mapping)
        if best is None:
            raise self._no_known_label(document)
        form, readings = best.form, best.readings
        taken = sources(form, readings)
        header, cells = header_of(readings, taken)
        if document.text:  # a table tells for itself; a title page or a line above it tells the rest
            for name, (value, start, end) in told_in_text(document.text, self._lexicon(None, mapping)).items():
                if not header.get(name):
                    header[name], cells[name] = value, document.span(start, end)
        who = identify(document.name, header, cells, form.frequency, self.bureaus)
        sent = self._submission(document, form, readings, taken, header, who)
        return Interpretation(sent, who, readings, form, taken)

    def _best(self, document: Document, mapping: LayoutMapping | None) -> _Best | None:
        """The document by the form that has most of its labels: one in force for its period, unless another version has
        what that one lacks."""
        forms = [form for form in self.forms if mapping is None or mapping.is_for(form)]
        told = self._period_told(document, mapping) if len(forms) > 1 else None
        covering = [form for form in forms if told is None or form.covers(told)]
        tried = [self._by(form, document, mapping) for form in covering]
        best = max(tried, key=lambda one: one.found, default=None)
        if best is None or not best.is_complete or (len(covering) < len(forms) and self._leaves_figures(best)):
            tried += [self._by(form, document, mapping) for form in forms if form not in covering]
            best = max(tried, key=lambda one: (one.found, one.is_complete), default=None)
        return best if best and best.found else None

    def _by(self, form: Form, document: Document, mapping: LayoutMapping | None) -> _Best:
        shown = [grid for grid in document.grids if not grid.hidden]
        readings = [self._reading(form, grid, mapping, is_first=grid is shown[0]) for grid in shown]
        return _Best(form, readings, sum(reading.layout.found for reading in readings))

    def _leaves_figures(self, best: _Best) -> bool:
        return any(next(self._unread(reading), None) is not None for reading in best.readings)

    def _no_known_label(self, document: Document) -> Unreadable:
        hidden = [
            grid.name
            for grid in document.grids
            if grid.hidden and any(self._reading(form, grid).layout.found for form in self.forms)
        ]
        return no_known_label(self.forms, hidden)

    def _period_told(self, document: Document, mapping: LayoutMapping | None) -> Period | None:
        """The period that the header tells, or else the file name. The form is chosen by it, so nothing else is known yet."""
        word = self._lexicon(None, mapping).word
        for grid in document.grids:
            for row, cells in enumerate(grid.values):
                for column, value in enumerate(cells):
                    known = word(value) if type(value) is str and value else None
                    if known is None or "period" not in known.codes(WordKind.HEADER):
                        continue
                    texts = [
                        dict(known.fields).get("period"),
                        *(text_at(grid, (row, at)) for at in range(column + 1, len(cells))),
                    ]
                    if found := next((period for text in texts if text and (period := Period.read(text))), None):
                        return found
        told = told_in_text(document.text, self._lexicon(None, mapping)).get("period") if document.text else None
        return (Period.read(told[0]) if told else None) or period_in_name(document.name)

    def _lexicon(self, form: Form | None, mapping: LayoutMapping | None) -> Lexicon:
        key = (form.key if form else "", mapping.name if mapping else "")
        lexicon = self._lexicons.get(key)
        if lexicon is None:
            lexicon = self._lexicons[key] = Lexicon.of(form, mapping)
        return lexicon

    def _reading(
        self, form: Form, grid: Grid, mapping: LayoutMapping | None = None, *, is_first: bool = True
    ) -> Reading:
        found = scan(grid, self._lexicon(form, mapping))
        key = (form.key, grid.name, found.anchors, mapping.name if mapping else "", is_first)
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) > 500:
                self._layouts.clear()
                self._slots_of.clear()
                self._suspects_of.clear()
            layout = lay_out(form, grid, found)
            if mapping is not None:
                layout = placed(layout, mapping, form, grid, is_first=is_first)
            self._layouts[key] = layout
        return Reading(grid, found, layout)

    def _submission(
        self,
        document: Document,
        form: Form,
        readings: Sequence[Reading],
        taken: Sources,
        header: dict[str, str],
        who: Identity,
    ) -> Submission:
        values: list[CellNumber] = [BLANK] * len(form.cells)
        locators: Sequence[str] = [""] * len(form.cells)
        unread: list[Unread] = []
        findings: list[Finding] = []
        for reading, tables in zip(readings, taken.gives, strict=True):
            layout = reading.layout
            told, multiples = units_told(form, reading.grid, layout.units, layout.unit_cells)
            findings += told
            if not tables:
                continue
            whole = tables == layout.tables
            slots = self._slots(form, layout)
            if multiples:
                slots = [self._converting(form, slot, multiples) for slot in slots]
            self._take(
                values, reading, slots if whole else [one for one in slots if form.cells[one[0]].table in tables]
            )
            if len(readings) == 1:
                locators = layout.locators
            else:
                for position, *_ in slots:
                    if form.cells[position].table in tables:
                        locators[position] = layout.locators[position]  # type: ignore[index]
        for reading, tables, rivals in zip(readings, taken.gives, taken.rivals, strict=True):
            layout = reading.layout
            if layout.again:
                told, differing = self._listed_twice(form, reading, values, tables)
                findings += told
                unread += differing
            if rivals:
                others = self._rival(form, reading, rivals, values)
                if others:
                    examples = [(locators[at], values[at][4], one.locator, one.text) for at, one in others]
                    sheets = dict.fromkeys(locators[at].rpartition("!")[0] for at, _ in others if locators[at])
                    findings.append(two_tables(tuple(sheets), reading.grid.name, examples))
                    unread += [one for _, one in others]
            unread += self._unread(reading)
        for grid in document.grids:
            if grid.hidden:
                unread += self._hidden(grid)
        items: tuple[Item, ...] = ()
        if form.lists:
            listed = read_lists(form, document, self.bureaus, who.period.end if who.period else None)
            items, unread = listed.items, [one for one in unread if not listed.covers(one.locator)]
        numbers, meanings, decimals, troubles, texts = zip(*values, strict=True)
        if not ONLY_TOLD.isdisjoint(troubles):
            findings += noted_findings(form, readings, taken, values)
            troubles = tuple(0 if trouble in ONLY_TOLD else trouble for trouble in troubles)
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
            findings=(*who.findings, *form_findings(form, who, self.forms), *findings),
            items=items,
        )

    def _take(self, values: list[CellNumber], reading: Reading, slots: Sequence[_Slot]) -> None:
        """Read the cells of a grid into their positions."""
        grid = reading.grid
        shared = shared_places(grid, reading.layout)
        strange = shared or grid.oddities or grid.displays
        rows, code_of = grid.values, grid.formats.get
        for position, place, kind, known in slots:
            row, column = place
            cells = rows[row] if row < len(rows) else ()
            raw = cells[column] if column < len(cells) else None
            # Nearly every figure of a month was seen before: the same small number in the same format.
            value = None if strange else known.get((raw.__class__, raw, code_of(place)))
            values[position] = value or self._value(grid, place, raw, kind, place in shared)

    def _kinds(self, form: Form) -> list[CellKind]:
        kinds = self._kinds_of.get(form.key)
        if kinds is None:
            zero = {code for code, item in form.indicators.items() if item.blank_means == "zero"}
            kinds = [
                CellKind(
                    cell.scale, cell.measure == "share", cell.indicator in zero, form.indicators[cell.indicator].unit
                )
                for cell in form.cells
            ]
            self._kinds_of[form.key] = kinds
        return kinds

    def _slots(self, form: Form, layout: Layout) -> list[_Slot]:
        """The places that a layout has, each with its cell's position and kind."""
        slots = self._slots_of.get(id(layout))
        if slots is None:
            slots = self._slots_of[id(layout)] = [
                (position, place, kind, self._values.setdefault(kind, {}))
                for position, (place, kind) in enumerate(zip(layout.slots, self._kinds(form), strict=True))
                if place is not None
            ]
        return slots

    def _converting(self, form: Form, slot: _Slot, multiples: Mapping[str, str]) -> _Slot:
        """A slot whose figure is in the unit that the document tells."""
        position, place, kind, _known = slot
        told = multiples.get(form.cells[position].indicator)
        if told is None or kind.is_share:
            return slot
        kind = kind._replace(told=told)
        return position, place, kind, self._values.setdefault(kind, {})

    def _differing(
        self, form: Form, grid: Grid, places: Sequence[tuple[int, Place]], values: Sequence[CellNumber]
    ) -> Iterator[tuple[int, Place, CellNumber, bool]]:
        """Further places of cells that hold a number, and whether it is another than was taken."""
        kinds = self._kinds(form)
        for position, place in places:
            row, column = place
            raw = grid.values[row][column] if column < len(grid.values[row]) else None
            value = self._value(grid, place, raw, kinds[position], False)
            if value[1] in _NUMBERS and value[4]:
                taken = values[position]
                yield position, place, value, (value[0], value[1]) != (taken[0], taken[1])

    def _listed_twice(
        self, form: Form, reading: Reading, values: Sequence[CellNumber], tables: frozenset[str]
    ) -> tuple[list[Finding], list[Unread]]:
        grid, layout = reading.grid, reading.layout
        places = [one for one in layout.again if form.cells[one[0]].table in tables]
        found = [
            Again(position, layout.locators[position], grid.locator(*place), value[4], differs)
            for position, place, value, differs in self._differing(form, grid, places, values)
        ]
        texts = [value[4] for value in values]
        return listed_twice(form, found, texts), [Unread(one.second, one.text) for one in found if one.differs]

    def _rival(
        self, form: Form, reading: Reading, rivals: frozenset[str], values: Sequence[CellNumber]
    ) -> list[tuple[int, Unread]]:
        """The figures of a further grid with tables that were taken from another, where they are not the same."""
        places = [
            (position, place)
            for position, place, kind, _ in self._slots(form, reading.layout)
            if form.cells[position].table in rivals and not kind[1]
        ]
        return [
            (position, Unread(reading.grid.locator(*place), value[4]))
            for position, place, value, differs in self._differing(form, reading.grid, places, values)
            if differs
        ]

    def _unread(self, reading: Reading) -> Iterator[Unread]:
        """Everything that looks like a figure and stands in no place of the form."""
        grid, layout = reading.grid, reading.layout
        key = (id(layout), reading.found.others)
        suspects = self._suspects_of.get(key)
        if suspects is None:
            told = {place for place, _ in header_places(grid, layout.fields).values()}
            outside = (place for place in reading.found.others if place not in layout.consumed and place not in told)
            suspects = [place for place in outside if not layout.is_aside(*place)]
            if len(self._suspects_of) < 10_000:
                self._suspects_of[key] = suspects
        return _figures_at(grid, suspects)

    def _hidden(self, grid: Grid) -> Iterator[Unread]:
        """The figures of a hidden sheet: no data, and not passed over in silence."""
        rows = enumerate(grid.values)
        return _figures_at(
            grid, [(row, at) for row, cells in rows for at, value in enumerate(cells) if value is not None]
        )

    def _value(self, grid: Grid, place: Place, raw: CellValue, kind: CellKind, shared: bool) -> CellNumber:
        number_format, display, oddity = grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place)
        value = scaled_figure(figure(raw, number_format, display, oddity), kind, shared)
        if not shared and display is None and oddity is None:
            known = self._values.setdefault(kind, {})
            if len(known) > 100_000:
                known.clear()
            known[(raw.__class__, raw, number_format)] = value
        return value


def _figures_at(grid: Grid, places: Sequence[Place]) -> Iterator[Unread]:
    for place in places:
        row, column = place
        value = grid.values[row][column] if column < len(grid.values[row]) else None
        read = figure(value, grid.formats.get(place), grid.displays.get(place), grid.oddities.get(place))
        numbering = read.text[:1] in ("(", "(")  # (1) (2) above columns
        if (read.number is not None and not numbering) or read.trouble not in _WORDS:
            yield Unread(grid.locator(*place), read.text)

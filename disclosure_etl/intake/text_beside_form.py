"""The running text that comes with a form's tables: which of its figures say the same as a place of the form.

Not here: the structure of the text itself (`structure`), or whether the two agree (`disclosure_etl.quality.structure`).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from disclosure_etl.intake.lexicon import normalised
from disclosure_etl.intake.simplified import simplified
from schemas.forms import Form
from schemas.records import NO_DECIMALS, Submission
from schemas.structures import Comparison, Stated, Structure
from schemas.values import Meaning

_SHORTEST = 4  # signs of a label; a shorter one ends too many other words


def beside_form(said: Structure, form: Form, sent: Submission) -> Structure:
    """The structure with the form's figures added, and each figure of the text whose label ends with the label or an alias of
    an indicator held against them. The text tells one figure, the table several columns of it (this month, the year to
    date): it may say any of them, so only what equals none is held against the first."""
    if not said.figures:
        return said
    names: dict[str, str] = {}
    for item in form.indicators.values():
        for label in (item.label.zh, *item.aliases):
            if len(name := simplified(normalised(label))) >= _SHORTEST:
                names.setdefault(name, item.code)
    longest = sorted(names, key=len, reverse=True)
    figures = list(said.figures)
    compared: list[Comparison] = []
    seen: set[str] = set()
    for at, one in enumerate(said.figures):
        if one.measure == "share" or one.number is None:
            continue
        label = simplified(normalised(one.label)).replace(" ", "")
        code = next((names[name] for name in longest if label.endswith(name)), None)
        if code is None or code in seen:
            continue
        seen.add(code)
        told = _told(form, sent, code)
        if told:
            compared.append(Comparison(at, (len(figures),)))
            figures.append(next((cell for cell in told if cell.number == one.number), told[0]))
    return replace(said, figures=tuple(figures), comparisons=(*said.comparisons, *compared), places=len(said.figures))


def _told(form: Form, sent: Submission, indicator: str) -> list[Stated]:
    """The figures of an indicator in a return, total columns first."""
    totals = {column.code for column in form.columns.values() if column.sum_of}
    cells = [
        cell
        for cell in form.cells
        if cell.indicator == indicator and cell.measure != "share" and sent.decimals[cell.position] != NO_DECIMALS
        and sent.locators[cell.position]
    ]  # fmt: skip
    label = form.indicators[indicator].label.zh
    return [
        Stated(
            label, sent.texts[cell.position], Decimal(sent.numbers[cell.position]).scaleb(-cell.scale),
            sent.decimals[cell.position], "", cell.measure, sent.locators[cell.position],
            Meaning(sent.meanings[cell.position]),
        )
        for cell in sorted(cells, key=lambda cell: cell.column not in totals)
    ]  # fmt: skip

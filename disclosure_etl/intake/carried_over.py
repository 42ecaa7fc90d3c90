"""A stored return with some of its figures changed, as the bytes of a return of its own, in the product's JSON contract.

It goes the way of every other return: kept by digest, read, judged. Not here: which figures change, and by whose word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from schemas.forms import Form
from schemas.records import NO_DECIMALS, Submission
from schemas.values import Meaning, figure_text


def carried_over(
    form: Form, one: Submission, changed: Mapping[tuple[str, str], int], header: Mapping[str, str]
) -> bytes:
    """The bytes of `one` with the figures of some (indicator, column) changed to these whole numbers, in the cells' scale.

    Args:
        header: fields that are told anew; the others stay.
    """
    told = {**one.header, "bureau": one.bureau_written, "period": one.period, **header}
    told = {name: text for name, text in told.items() if text}
    if one.bureau is not None:
        told["bureau_code"] = one.bureau
    observations = []
    for cell in form.cells:
        at = cell.position
        place = (cell.indicator, cell.column)
        if cell.measure != "share" and place in changed:
            written: dict[str, str] = {"value": figure_text(changed[place], cell.scale)}
        elif one.decimals[at] != NO_DECIMALS:
            written = {"value": _as_printed(one.numbers[at], cell.scale, one.decimals[at])}
        elif one.meanings[at] in (Meaning.BLANK, Meaning.NOT_ASKED):
            continue
        else:
            written = {"text": one.texts[at]}
        measure = {"measure": "share"} if cell.measure == "share" else {}
        observations.append({"indicator": cell.indicator, "column": cell.column, **measure, **written})
    return json.dumps({**told, "observations": observations}, ensure_ascii=False, indent=1).encode()


def _as_printed(number: int, scale: int, decimals: int) -> str:
    """With as many decimals as were printed, since they say how precise a share is."""
    text = figure_text(number, scale)
    if decimals == 0 or scale == 0:
        return text
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.ljust(decimals, '0')}"

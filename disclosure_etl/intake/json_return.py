"""A return as JSON, in the product's own contract (`schemas/contracts/return.schema.json`), which what `check --json` prints fits.

It becomes a grid like any other, with codes for labels, so that nothing else need know of it; a place is called by its codes.
Not here: bytes to text (`decoding`), or whether there is such an indicator (`interpreter`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from disclosure_etl.intake.lexicon import HEADER_FIELDS, SHARE_WORDS
from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits
from schemas.documents import CellValue, Grid, Unreadable

_HALF = re.compile("[\ud800-\udfff]")
_NIL = {True: "√", False: None}
_SHARE = "share"  # as a form's cells call the measure; whatever else it is is one figure


class _Figure(NamedTuple):
    row: str  # the indicator's code, or the label of what belongs to none
    column: tuple[str, bool]  # its code, and whether this is the share beside it
    value: CellValue


def read_json(text: str, limits: ReadLimits) -> Grid:
    """The return in a JSON text.

    Raises:
        Unreadable: not well-formed, or not in the contract (unknown_format), with where and what was expected; or with more
            figures than `limits.max_cells` (too_large).
    """
    try:
        content = json.loads(text.lstrip("\ufeff"), parse_float=str, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _wrong(
            f"第 {error.lineno} 行第 {error.colno} 列",
            f"line {error.lineno}, column {error.colno}",
            "合法的 JSON",
            "valid JSON",
        ) from None
    except ValueError:  # NaN, or a number of thousands of digits
        raise _wrong("某处", "somewhere", "可读的数字", "a number that can be read") from None
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict):
        raise _wrong("最外层", "the outermost level", "一份报表(对象)", "one return (an object)")
    figures = content.get("observations")
    if not isinstance(figures, list):
        raise _wrong("observations", "observations", "数字的列表", "the list of figures")
    if len(figures) > limits.max_cells:
        raise refused("max_cells", len(figures), limits.max_cells)
    return _laid_out(_header(content), [_figure(number, one) for number, one in enumerate(figures)], limits)


def _legible(value: CellValue) -> CellValue:
    """A text without halves of signs, which JSON can name and nothing behind can keep."""
    return _HALF.sub("\ufffd", value) if isinstance(value, str) else value


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _header(content: dict[str, Any]) -> list[tuple[str, str, CellValue]]:
    """The header's fields: name, the word that a form prints for it, and what is told."""
    told: list[tuple[str, str, CellValue]] = []
    around = content.get("header")
    content = (
        {**around, **{name: one for name, one in content.items() if one is not None}}
        if isinstance(around, dict)
        else content
    )
    for name, words in HEADER_FIELDS.items():
        value = content.get(name)
        if name == "nil" and isinstance(value, bool):
            value = _NIL[value]
        if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
            raise _wrong(name, name, "文本或整数", "text or a whole number")
        if value not in (None, ""):
            told.append((name, words[-1] if name == "nil" else words[0], _legible(value)))
    return told


def _figure(number: int, one: Any) -> _Figure:
    place = f"observations[{number}]"
    if not isinstance(one, dict):
        raise _wrong(place, place, "对象", "an object")
    row = one.get("indicator") or one.get("label")
    column, measure = one.get("column") or "", one.get("measure")
    if not isinstance(row, str):
        raise _wrong(f"{place}.indicator", f"{place}.indicator", "指标代码", "an indicator's code")
    if not isinstance(column, str):
        raise _wrong(f"{place}.column", f"{place}.column", "栏目代码", "a column's code")
    value = one.get("value")
    value = one.get("text") if value is None else value
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise _wrong(f"{place}.value", f"{place}.value", "数字或文本", "a number or text")
    row, column, value = (_legible(text) for text in (row, column, value))
    return _Figure(str(row), (str(column), measure == _SHARE), value if value != "" else None)


def _laid_out(header: Sequence[tuple[str, str, CellValue]], figures: Sequence[_Figure], limits: ReadLimits) -> Grid:
    values: list[list[CellValue]] = [[word, value] for _, word, value in header]
    places = {(at, 1): name for at, (name, *_) in enumerate(header)}
    sections = _sections(figures)
    cells = sum((len(columns) + 1) * (len(rows) + 1) for columns, rows in sections)
    if cells > limits.max_cells:
        raise refused("max_cells", cells, limits.max_cells)
    for columns, rows in sections:
        of_column = {one: at for at, one in enumerate(columns, 1)}
        values.append(["", *(SHARE_WORDS[0] if is_share else code for code, is_share in columns)])
        for row, own in rows:
            line: list[CellValue] = [row, *[None] * len(columns)]
            for one in own:
                at, (code, is_share) = of_column[one.column], one.column
                line[at] = one.value
                places[len(values), at] = f"{one.row}/{code}/{_SHARE}" if is_share else f"{one.row}/{code}"
            values.append(line)
    return Grid("JSON", values, places=places)


_Columns = list[tuple[str, bool]]


def _sections(figures: Iterable[_Figure]) -> list[tuple[_Columns, list[tuple[str, list[_Figure]]]]]:
    """The figures by row, in sections that have columns in common: the tables of a form, as far as the figures tell. A figure
    that is told twice makes a second row, which is for the interpreter to mind."""
    rows: list[tuple[str, list[_Figure]]] = []
    newest: dict[str, tuple[list[_Figure], set[tuple[str, bool]]]] = {}
    for one in figures:
        own, taken = newest.get(one.row, (None, set()))
        if own is None or one.column in taken:
            own, taken = newest[one.row] = ([], set())
            rows.append((one.row, own))
        own.append(one)
        taken.add(one.column)
    found: list[tuple[dict[str, int], dict[tuple[str, bool], None], list[tuple[str, list[_Figure]]]]] = []
    for row, own in rows:
        if not found or found[-1][0].keys().isdisjoint(one.column[0] for one in own):
            found.append(({}, {}, []))
        codes, known, inside = found[-1]
        for one in own:
            codes.setdefault(one.column[0], len(codes))
            known[one.column] = None
        inside.append((row, own))
    # A share's heading says nothing of whose it is but by the column before it.
    return [(sorted(known, key=lambda one, at=codes: (at[one[0]], one[1])), inside) for codes, known, inside in found]  # type: ignore[misc]


def _wrong(where_zh: str, where_en: str, zh: str, en: str) -> Unreadable:
    return Unreadable(
        "unknown_format",
        f"JSON 不符合约定:{where_zh} 应为{zh}。约定见 schemas/contracts/return.schema.json;disclosure-etl check 报表.xlsx --json "
        "的输出就是一份例子。",
        f"The JSON is not in the contract: {where_en} should be {en}. See schemas/contracts/return.schema.json; what "
        "'disclosure-etl check RETURN.xlsx --json' prints is an example.",
    )

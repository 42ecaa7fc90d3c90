"""Layouts that differ from the templates, as short YAML files in `config/layouts`: which words, or which cells, mean what.

Not here: finding anything in a document by them (`intake`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.formfile import Forms
from schemas.forms import Form
from schemas.yamlfile import Location, Source, read_yaml, unknown_name

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_ADDRESS = re.compile(r"(?:(?P<sheet>.+)!)?(?P<column>[A-Z]{1,3})(?P<row>[1-9]\d{0,6})")
SHARE = "share"


class LayoutFile(BaseModel):
    """One file: `recognise` are texts that all stand in such a document or in its name; `words` say what an indicator is called
    in it, `columns` a column, `fields` a field of the header; `cells` say where one stands, as `indicator/column`,
    `indicator/column/share` or the field's name; `transposed`: indicators run across, columns down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: str
    recognise: tuple[Text, ...] = Field(min_length=1)
    words: dict[str, tuple[Text, ...]] = {}
    columns: dict[str, tuple[Text, ...]] = {}
    fields: dict[str, tuple[Text, ...]] = {}
    cells: dict[str, str] = {}
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """A cell as people name it: `台账!C7`, zero-based. Without a sheet it is on the first one."""

    sheet: str | None
    row: int
    column: int


@dataclass(frozen=True)
class LayoutMapping:
    """A layout as told by a file; `name` is the file's."""

    name: str
    file: LayoutFile

    def is_for(self, form: Form) -> bool:
        """Whether such documents are returns on `form`."""
        return self.file.form in (form.family, form.key)

    @cached_property
    def addresses(self) -> Mapping[str, Address]:
        """The cells whose places are told, by `indicator/column`, `indicator/column/share` or field."""
        return {what: _address(written) for what, written in self.file.cells.items()}  # type: ignore[misc]


def _address(written: str) -> Address | None:
    found = _ADDRESS.fullmatch(written.strip())
    if found is None:
        return None
    column = 0
    for letter in found["column"]:
        column = column * 26 + ord(letter) - 64
    return Address(found["sheet"], int(found["row"]) - 1, column - 1)


def load_layouts(files: Iterable[Path], forms: Forms, fields: Iterable[str]) -> tuple[LayoutMapping, ...]:
    """Read all layout files, by name.

    Args:
        fields: the names of the header's fields.

    Raises:
        ConfigError: an unknown form, indicator, column or field, or a cell that is no address.
    """
    found = []
    for path in files:
        file, source = read_yaml(path, LayoutFile)
        _check(file, source, forms, tuple(fields))
        found.append(LayoutMapping(path.stem, file))
    return tuple(found)


def _check(file: LayoutFile, source: Source, forms: Forms, fields: tuple[str, ...]) -> None:
    mine = [form for form in forms.forms if file.form in (form.family, form.key)]
    if not mine:
        known = sorted({name for form in forms.forms for name in (form.family, form.key)})
        raise _unknown(source, ("form",), "报表", "form", file.form, known)
    indicators = list(dict.fromkeys(code for form in mine for code in form.indicators))
    columns = list(dict.fromkeys(code for form in mine for code in form.columns))
    for part, zh, en, known in (
        ("words", "指标", "indicator", indicators),
        ("columns", "栏目", "column", columns),
        ("fields", "表头项", "field of the header", list(fields)),
    ):
        for code in getattr(file, part):
            if code not in known:
                raise _unknown(source, (part, code), zh, en, code, known)
    names = {
        f"{cell.indicator}/{cell.column}{'/' + SHARE if cell.measure == SHARE else ''}"
        for form in mine
        for cell in form.cells
    }
    for what, written in file.cells.items():
        if what not in names and what not in fields:
            raise _unknown(source, ("cells", what), "数字", "figure", what, [*sorted(names), *fields])
        if _address(written) is None:
            raise source.error(
                ("cells", what),
                f"「{written}」不是单元格地址;请写成 C7 或 工作表!C7。",
                f"'{written}' is no cell's address; write C7, or Sheet!C7.",
            )
    if not (file.words or file.columns or file.fields or file.cells or file.transposed):
        raise source.error(
            (), "这个版式什么都没有说明:请写 words、columns、fields、cells 或 transposed。",
            "The layout tells nothing: give words, columns, fields, cells or transposed.",
        )  # fmt: skip


def _unknown(source: Source, place: Location, zh: str, en: str, name: str, known: list[str]):
    told_zh, told_en = unknown_name(name, known[:40])
    return source.error(place, f"没有{zh}「{name}」。{told_zh}", f"There is no {en} '{name}'. {told_en}")

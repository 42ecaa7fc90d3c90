"""Lists of single items behind a form's counts. Not here: whether a form's lists hang together (`listchecks`), reading them
(`intake`), their rules (`quality`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.formparts import Code, Label, Part


class ListColumn(Part):
    """One column of a list. `key` tells the item, `bureau` names the bureau that it belongs to."""

    code: Code
    label: Label
    aliases: tuple[str, ...] = ()
    kind: Literal["key", "date", "bureau", "text"]
    required: bool = False


class ListCount(Part):
    """The items whose date in `column` lies in the period are what the indicator counts in the period's own column."""

    indicator: Code
    column: Code


class ItemList(Part):
    """A list of single items behind the counts, on a sheet of its own. `block`: whose gate it shares; `follows`: the list
    in which, of any bureau and in this or an earlier period, its keys must stand."""

    code: Code
    label: Label
    block: Code
    sheet: Label
    columns: tuple[ListColumn, ...] = Field(min_length=2)
    counts: tuple[ListCount, ...] = ()
    follows: Code | None = None

    @property
    def key(self) -> ListColumn:
        """The column that tells items apart."""
        return next(column for column in self.columns if column.kind == "key")

    @property
    def dates(self) -> tuple[ListColumn, ...]:
        """The columns of dates: in a list that follows another, its stages in their order."""
        return tuple(column for column in self.columns if column.kind == "date")

    @property
    def bureau(self) -> ListColumn | None:
        """The column that names a bureau, if there is one."""
        return next((column for column in self.columns if column.kind == "bureau"), None)

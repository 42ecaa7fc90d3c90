"""Tables whose cells have no addresses (text documents, web pages): cells that span rows and columns, laid out as a grid.

A spanning cell's text stands in the first of its places, as in a workbook, and a merge tells the rest. Not here: what an
element is in which format (`docx`, `html`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from disclosure_etl.intake.limits import refused
from disclosure_etl.settings import ReadLimits
from schemas.documents import CellValue, Grid, Merge


class SpanningCell(NamedTuple):
    """One cell as written: its text, and over how many columns and rows it goes. `rows` is 0 to the end of the table."""

    text: str
    columns: int = 1
    rows: int = 1


@dataclass
class Tables:
    """The tables of one document, numbered from 1 in the order in which they begin; all cells together under the limit."""

    limits: ReadLimits
    cells: int = 0
    count: int = 0

    def number(self) -> int:
        """The number of the next table."""
        self.count += 1
        return self.count

    def plain_grid(self, number: int, rows: Sequence[Sequence[str]]) -> Grid:
        """One table in which no cell spans, by the texts of its rows; as `grid` in everything else."""
        self._count(sum(map(len, rows)))
        values: list[list[CellValue]] = [
            [text if text and not text.isspace() else None for text in row] for row in rows
        ]
        return Grid(f"table {number}", values, table=number)

    def _count(self, cells: int) -> None:
        self.cells += cells
        if self.cells > self.limits.max_cells:
            raise refused("max_cells", self.cells, self.limits.max_cells)

    def grid(self, number: int, rows: Sequence[Iterable[SpanningCell]], *, hidden: bool = False) -> Grid:
        """One table as a grid.

        Raises:
            Unreadable: the tables have more cells than the limit (too_large).
        """
        values: list[list[CellValue]] = []
        merges: list[Merge] = []
        below: dict[int, int] = {}  # column → the first row that no cell from above reaches into
        for row, cells in enumerate(rows):
            line: list[CellValue] = []
            column = 0
            for cell in cells:
                while below.get(column, 0) > row:
                    column += 1
                wide = max(cell.columns, 1)
                tall = min(cell.rows, len(rows) - row) if cell.rows > 0 else len(rows) - row
                self._count(wide * max(tall, 1))
                line.extend([None] * (column + wide - len(line)))
                line[column] = cell.text if cell.text.strip() else None
                if tall > 1:
                    below.update(dict.fromkeys(range(column, column + wide), row + tall))
                if wide > 1 or tall > 1:
                    merges.append(Merge(row, column, row + tall - 1, column + wide - 1))
                column += wide
            values.append(line)
        return Grid(f"table {number}", values, merges=tuple(merges), hidden=hidden, table=number)

"""From a Document to the Structure that it shows: running text and foreign tables together, and the one against the other.

Not here: the places of a form (`interpreter`), or whether what is said holds (`disclosure_etl.quality.structure`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from disclosure_etl.intake.drawn_lines import rows_in_text, rows_of_grid
from disclosure_etl.intake.figures import figure
from disclosure_etl.intake.foreign_tables import TableReading, read_table
from disclosure_etl.intake.prose_accounts import accounts, role_of
from disclosure_etl.intake.prose_claims import is_overlapping, lists_that_follow, ties_of, total_of
from disclosure_etl.intake.prose_figures import Said, pieces_of
from disclosure_etl.intake.prose_lists import Lists, read_lists
from disclosure_etl.intake.prose_shares import rates, settled, share_positions, shares_of_figures
from schemas.documents import Document, Grid
from schemas.structures import Comparison, ShareList, Stated, Structure, Tie
from schemas.values import LARGEST, Meaning

_MARK = re.compile("(?<=[0-90-9])[①-⓿❶-➓⁰-₎²³¹]")


def read_structure(document: Document, known: Iterable[str] = ()) -> Structure:
    """What running text and tables of a document show.

    Args:
        known: the names of grids that a form has read already.
    """
    # A mark of a footnote behind a figure is no part of it; a space in its place keeps every other place as it is.
    document = replace(document, text=_MARK.sub(" ", document.text))
    runs, text = rows_in_text(document)
    figures, found = read_lists(list(pieces_of(text)))
    ties, shares = _prose(figures, found)
    stated = [_stated(document, one) for one in figures]
    tables = TableReading(first=len(stated))
    around, read = text[:2000] if runs else "", set(known)
    for grid in document.grids:
        if grid.name not in read and not grid.hidden:
            read_table(rows_of_grid(grid, _shown(grid)), tables, around)
    for run in runs:
        read_table(run, tables, around)
    comparisons = _compared(figures, found, tables)
    unread = _loose(figures, ties, shares, comparisons)
    return Structure((*stated, *tables.figures), (*ties, *tables.ties), tuple(shares), tuple(comparisons), unread)


def _loose(
    figures: Sequence[Said], ties: Sequence[Tie], shares: Sequence[ShareList], comparisons: Sequence[Comparison]
) -> tuple[int, ...]:
    """The figures of the text that hang together with no other, but for repetitions of one that does."""
    tied = {at for tie in ties for _, at in tie.terms} | {one.said for one in comparisons}
    tied |= {at for one in shares for at in (*one.parts, *one.shares, one.total) if at is not None}
    said = {(figures[at].number, figures[at].unit) for at in tied if at < len(figures)}
    return tuple(
        at
        for at, one in enumerate(figures)
        if at not in tied
        and not (one.is_share or one.is_nothing or one.is_change)
        and (one.number, one.unit) not in said
    )


def _prose(figures: Sequence[Said], found: Lists) -> tuple[list[Tie], list[ShareList]]:
    candidates = shares_of_figures(figures, found)
    numbers = settled(candidates, found.lists, figures)
    lists = [*found.lists, *lists_that_follow(figures, found, numbers)]
    numbers = settled(candidates, lists, figures)
    positions = share_positions(candidates, numbers, figures)
    ties: list[Tie] = []
    shares: list[ShareList] = []
    totals: dict[int, int] = {}
    latest: list[tuple[int, int]] = []  # (sentence, total) of lists with shares, for one that stands beside them
    for one in lists:
        total = total_of(one, figures, numbers)
        totals |= dict.fromkeys(one.parts, total)
        overlapping = is_overlapping(one, total, figures)
        own = ties_of(one, total, figures, numbers, overlapping)
        ties += own
        if any(part in positions for part in one.parts):
            complete = any(not tie.open_ended for tie in own)
            places = tuple(positions.get(part) for part in one.parts)
            shares.append(ShareList(tuple(one.parts), places, total, complete))
            latest.append((found.sentence[one.parts[-1]], total))
    for part, share in positions.items():
        if part in totals:
            continue
        # 「另有7个…,占10.9%」: of the total that the shares before it are of
        before = [total for sentence, total in latest if 0 <= found.sentence[part] - sentence <= 1]
        if (before and part in found.beside) or (before and figures[share].clause.strip().startswith("占总")):
            shares.append(ShareList((part,), (share,), before[-1]))
    named = rates(figures, found, totals)
    ties += accounts(figures, found)
    return ties, [*shares, *named]


def _stated(document: Document, one: Said) -> Stated:
    number = one.number if abs(one.number) < LARGEST else None
    meaning = Meaning.TEXT if number is None else Meaning.ZERO if not number else Meaning.NUMBER
    measure = "share" if one.is_share else "amount" if one.unit.endswith("元") else "count"
    cell = document.span(one.start, one.end)
    return Stated(one.label or "—", one.text, number, one.decimals, one.unit, measure, cell, meaning)  # type: ignore[arg-type]


def _shown(grid: Grid) -> list[list[str]]:
    """A grid's cells as texts; of one that spans several places only the first speaks."""
    return [
        [
            figure(value, grid.formats.get((row, at)), grid.displays.get((row, at)), grid.oddities.get((row, at))).text
            for at, value in enumerate(cells)
        ]
        for row, cells in enumerate(grid.values)
    ]


def _compared(figures: Sequence[Said], found: Lists, tables: TableReading) -> list[Comparison]:
    """What the text says of the account, against the table's row for it. 收到…件 may mean the new ones, or all there were."""
    parts = {part for one in found.lists for part in one.parts}
    seen: dict[str, int] = {}
    for at, one in enumerate(figures):
        role = role_of(one)
        if role is None or (at in parts and role in ("received", "answered")) or "申请" not in one.clause + one.after:
            continue
        seen.setdefault(role, at)
    compared = []
    for role, said in seen.items():
        told = tables.roles.get(role, [])
        if len(told) == 1:
            also = tables.roles.get("opening", [])[:1] if role == "received" else []
            compared.append(Comparison(said, (*told, *also)))
    return compared

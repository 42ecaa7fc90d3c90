"""What must hang together of a form's lists, before a return is read by it. Not here: reading a list (`intake`)."""

from __future__ import annotations

from schemas.formchecks import unknown
from schemas.forms import Form
from schemas.itemlists import ItemList
from schemas.yamlfile import Source

# Names of a list's own rules: an indicator that is counted may not be called so.
LIST_RULES = ("key", "date", "bureau", "link")


def check_lists(form: Form, source: Source) -> None:
    """Every list has one key, names a block, columns and indicators that are there, and follows another.

    Raises:
        ConfigError: with file, line and the known names.
    """
    codes = [one.code for one in form.lists]
    for number, one in enumerate(form.lists):
        at = ("lists", number)
        if codes.count(one.code) > 1:
            raise source.error((*at, "code"), f"清单「{one.code}」重复。", f"List '{one.code}' stands twice.")
        blocks = [block.code for block in form.blocks]
        if one.block not in blocks:
            raise source.error((*at, "block"), *unknown("板块", "block", one.block, blocks))
        _check_sheet(one, form, source, at)
        _check_columns(one, source, at)
        _check_counts(one, form, source, at)
        if one.follows is not None:
            others = [code for code in codes if code != one.code]
            if one.follows not in others:
                raise source.error((*at, "follows"), *unknown("清单", "list", one.follows, others))


def _check_sheet(one: ItemList, form: Form, source: Source, at: tuple[str | int, ...]) -> None:
    others = [other.sheet.zh for other in form.lists if other is not one]
    taken = {(table.sheet or table.title).zh for table in form.tables} | set(others)
    if one.sheet.zh in taken:
        raise source.error(
            (*at, "sheet"),
            f"清单「{one.code}」的工作表「{one.sheet.zh}」另有用处;每个清单自成一张工作表。",
            f"The sheet '{one.sheet.zh}' of list '{one.code}' is taken; a list has a sheet of its own.",
        )


def _check_columns(one: ItemList, source: Source, at: tuple[str | int, ...]) -> None:
    codes = [column.code for column in one.columns]
    for number, column in enumerate(one.columns):
        if codes.count(column.code) > 1:
            raise source.error(
                (*at, "columns", number), f"列「{column.code}」重复。", f"Column '{column.code}' stands twice."
            )
    for kind, least, most in (("key", 1, 1), ("bureau", 0, 1)):
        count = sum(column.kind == kind for column in one.columns)
        if not least <= count <= most:
            raise source.error(
                (*at, "columns"),
                f"清单「{one.code}」有 {count} 个 kind 为 {kind} 的列,应为{'一个' if least else '至多一个'}。",
                f"List '{one.code}' has {count} columns of kind '{kind}'; it {'has one' if least else 'may have one'}.",
            )


def _check_counts(one: ItemList, form: Form, source: Source, at: tuple[str | int, ...]) -> None:
    for number, count in enumerate(one.counts):
        here = (*at, "counts", number)
        if count.indicator not in form.indicators:
            raise source.error(
                (*here, "indicator"), *unknown("指标", "indicator", count.indicator, list(form.indicators))
            )
        dates = [column.code for column in one.dates]
        if count.column not in dates:
            raise source.error((*here, "column"), *unknown("日期列", "column of dates", count.column, dates))
        if form.counting_cell(count.indicator) is None or count.indicator in LIST_RULES:
            raise source.error(
                (*here, "indicator"),
                f"指标「{count.indicator}」没有本期件数可与清单核对。",
                f"Indicator '{count.indicator}' has no count of the period that a list could be held against.",
            )

"""The rules of lists: keys, days, bureaus, counts held against figures, and links from one list to another.

Pure functions over one return. Not here: reading lists (`intake`), or which keys other bureaus have listed (`History`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.errors import Message
from schemas.forms import Form
from schemas.itemlists import ItemList, ListCount
from schemas.periods import Period
from schemas.records import NO_DECIMALS, Finding, Item, Severity, Submission
from schemas.rulecodes import list_rule_codes


@dataclass(frozen=True, slots=True)
class ListRule:
    """What a rule of lists is called, how severe it is, and the words of its failures."""

    title: Message
    severity: Severity
    template: Message


RULES: Mapping[str, ListRule] = {
    "key": ListRule(
        Message("每项一号,不重复", "each item has a key of its own"), Severity.ERROR,
        Message(
            "「{list}」{cells} 的{column}为「{seen}」:应填写且不重复。请补填或删去重复的一行后重报。",
            "{list}, {cells}: the {column} is '{seen}'; it must be filled in and stand once. Complete or delete the row and "
            "send again.",
        ),
    ),
    "date": ListRule(
        Message("日期可读,不晚于期末", "days can be read and are not after the period"), Severity.ERROR,
        Message(
            "「{list}」{key} 的{column}({cells})为「{seen}」:应为不晚于 {expected} 的日期,如 2014-05-03。请改正后重报。",
            "{list}, {key}: the {column} ({cells}) is '{seen}'; it must be a day no later than {expected}, such as "
            "2014-05-03. Correct it and send again.",
        ),
    ),
    "bureau": ListRule(
        Message("单位可认", "the bureau is known"), Severity.WARNING,
        Message(
            "「{list}」{key} 的{column}({cells})为「{seen}」,不是已登记的单位。请核对名称。",
            "{list}, {key}: the {column} ({cells}) is '{seen}', which is no bureau that is known. Check the name.",
        ),
    ),
    "count": ListRule(
        Message("清单件数等于填报数", "the list has as many items as the figure says"), Severity.ERROR,
        Message(
            "「{list}」中{column}在本期的有 {seen} 件,而「{indicator}」({cells})填 {expected}。请核对清单和报表后重报。",
            "{list} has {seen} items whose {column} lies in the period, while {indicator} ({cells}) says {expected}. Check "
            "list and figure and send again.",
        ),
    ),
    "link": ListRule(
        Message("编号应在所对应的清单中", "the key stands in the list that is followed"), Severity.WARNING,
        Message(
            "「{list}」的{column}「{seen}」({cells})在「{other}」中没有(本期及以前,各单位均未列)。请核对编号。",
            "{list}: the {column} '{seen}' ({cells}) does not stand in {other} of any bureau, in this or an earlier period. "
            "Check the number.",
        ),
    ),
}  # fmt: skip


def rules_of_lists(form: Form) -> Iterator[tuple[str, ListRule, ItemList]]:
    """The rules of all lists: code, rule, list."""
    for one in form.lists:
        for code in list_rule_codes(one):
            yield code, RULES.get(code.rsplit(":", 1)[1], RULES["count"]), one


def list_findings(
    form: Form, period: Period, sent: Submission, keys: Mapping[str, frozenset[str]] | None
) -> tuple[list[Finding], list[str]]:
    """What fails of the lists of one return, and the codes of rules that cannot be assessed.

    Args:
        keys: see `History.keys`. Where a followed list has none at all, nobody has listed anything yet.
    """
    found: list[Finding] = []
    waiting: list[str] = []
    for one in form.lists:
        items = [item for item in sent.items if item.list == one.code]
        found += [*_keys(one, items), *_days(one, items, period)]
        if one.bureau is not None and sent.bureau is not None:
            found += _bureaus(one, items)
        for count in one.counts:
            told = _count(form, one, count, items, sent, period)
            if told is None:
                waiting.append(f"list:{one.code}:{count.indicator}")
            else:
                found += told
        if one.follows is not None and items:
            known = (keys or {}).get(one.follows)
            if known:
                found += _links(form, one, items, known)
            else:
                waiting.append(f"list:{one.code}:link")
    return found, waiting


def _told(
    one: ItemList, rule: str, code: str, column: str, cells: Sequence[str], seen: Sequence[str], **more: str
) -> Finding:
    """A failure of a list's rule, in words. `more`: further fields of its template."""
    entry = RULES[rule]
    label = next(item.label for item in one.columns if item.code == column)
    shared = {"cells": "、".join(cells), "seen": seen[0], **more}
    if rule == "count":
        shared["expected"] = seen[1]
    zh = entry.template.zh.format(**{"list": one.label.zh, "column": label.zh, **shared})
    labels_en = {name[:-3]: text for name, text in more.items() if name.endswith("_en")}
    en = entry.template.en.format(**{**shared, "list": one.label.en, "column": label.en, **labels_en})
    return Finding(
        f"list:{one.code}:{code}", Message(zh, en), tuple(cells), tuple(seen), more.get("expected"), entry.severity,
        one.block,
    )  # fmt: skip


def _keys(one: ItemList, items: Sequence[Item]) -> Iterator[Finding]:
    times = Counter(item.key for item in items)
    told: set[str] = set()
    for item in items:
        if not item.key:
            yield _told(one, "key", "key", one.key.code, (item.locator,), ("",))
        elif times[item.key] > 1 and item.key not in told:
            told.add(item.key)
            cells = [other.locator for other in items if other.key == item.key]
            yield _told(one, "key", "key", one.key.code, cells, (item.key,))


def _days(one: ItemList, items: Sequence[Item], period: Period) -> Iterator[Finding]:
    for item in items:
        for column in one.dates:
            entry = item.entries.get(column.code)
            text, cell = (entry.text, entry.cell) if entry else ("", item.locator)
            day = entry.day if entry else None
            wrong = day > period.end if day is not None else bool(text) or column.required
            if wrong:
                yield _told(
                    one, "date", "date", column.code, (cell,), (text,), key=item.key, expected=period.end.isoformat()
                )


def _bureaus(one: ItemList, items: Sequence[Item]) -> Iterator[Finding]:
    column = one.bureau
    assert column is not None
    for item in items:
        entry = item.entries.get(column.code)
        text, cell = (entry.text, entry.cell) if entry else ("", item.locator)
        if item.bureau is None and (text or column.required):
            yield _told(one, "bureau", "bureau", column.code, (cell,), (text,), key=item.key)


def _count(
    form: Form, one: ItemList, count: ListCount, items: Sequence[Item], sent: Submission, period: Period
) -> list[Finding] | None:
    """None where there is no figure, or nothing was listed of a figure that is not zero: whose list it is, others keep."""
    cell = form.counting_cell(count.indicator)
    if cell is None or sent.decimals[cell.position] == NO_DECIMALS:
        return None
    figure = sent.numbers[cell.position]
    if not items and figure:
        return None
    days = [entry.day for item in items if (entry := item.entries.get(count.column)) is not None]
    counted = sum(day is not None and period.start <= day <= period.end for day in days)
    if counted == figure:
        return []
    label = form.indicators[count.indicator].label
    locator = sent.locators[cell.position]
    told = _told(
        one, "count", count.indicator, count.column, (locator,) if locator else (), (str(counted), str(figure)),
        indicator=label.zh, indicator_en=label.en,
    )  # fmt: skip
    return [
        Finding(
            told.code, told.message, told.cells, told.seen, str(counted), told.severity, cell.block,
            (count.indicator,), cell.column,
        )
    ]  # fmt: skip


def _links(form: Form, one: ItemList, items: Sequence[Item], known: frozenset[str]) -> Iterator[Finding]:
    other = next(item for item in form.lists if item.code == one.follows)
    for item in items:
        if item.key and item.key not in known:
            yield _told(
                one, "link", "link", one.key.code, (item.locator,), (item.key,), other=other.label.zh,
                other_en=other.label.en,
            )  # fmt: skip

"""What must hang together within one form, before a return is read by it.

Not here: reading the file, or what holds between the versions of a family (`formfile`).
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from string import Formatter

from schemas.compiling import stated_columns
from schemas.errors import UserError
from schemas.forms import Form, FormRule, Indicator
from schemas.periods import Period
from schemas.tablechecks import check_tables
from schemas.yamlfile import Source

# The fields that the message of a rule may name, and what stands there.
MESSAGE_FIELDS = {
    "total": "label of the last figure, which the others imply",
    "seen": "what is written there",
    "part": "label of the first figure",
    "part_seen": "what is written there",
    "plain_part": "label of the first figure, without whose it is",
    "second": "label of the second figure",
    "second_seen": "what is written there",
    "parts": "all figures but the last, added up in words",
    "all": "all figures, in words",
    "column": "label of the column",
    "cells": "where they stand",
    "expected": "what the others imply",
    "difference": "the difference, with its sign",
    "off": "the difference in words: 多 2, 2 more",
    "title": "title of the rule",
}


@dataclass(frozen=True)
class _Where:
    """An indicator and its place in the file."""

    indicator: Indicator
    location: tuple[str | int, ...]


def check_form(form: Form, source: Source) -> None:
    """Everything in a form that must hang together.

    Raises:
        ConfigError: with file, line and the known names.
    """
    check_span(form.valid.first, form.valid.last, source, ("valid",))
    places = _placed(form, source)
    _check_columns(form, source)
    for where in places.values():
        _check_references(where, places, form, source)
    _check_circles(places, source)
    check_tables(form, source)
    _check_balances(places, form, source)
    for number, rule in enumerate(form.rules):
        check_stated(rule, form, source, ("rules", number), [one.code for one in form.rules[:number]])


def unknown(kind_zh: str, kind_en: str, name: str, known: Sequence[str]) -> tuple[str, str]:
    """That there is no such thing, the closest name, and all known ones; Chinese and English."""
    close = difflib.get_close_matches(name, known, n=1)
    hint_zh, hint_en = (f"是否应为「{close[0]}」?", f" Did you mean '{close[0]}'?") if close else ("", "")
    listed = "、".join(known)
    return (
        f"没有{kind_zh}「{name}」。{hint_zh}已有:{listed}。",
        f"There is no {kind_en} '{name}'.{hint_en} Known: {listed}.",
    )


def check_span(first: str | None, last: str | None, source: Source, at: tuple[str | int, ...]) -> None:
    """`from` and `to` below `at` are periods, in this order; either may be left open.

    Raises:
        ConfigError: with file and line.
    """
    found = {}
    for key, code in (("from", first), ("to", last)):
        if code is None:
            continue
        try:
            found[key] = Period.parse(code)
        except UserError as error:
            raise source.error((*at, key), error.message.zh, error.message.en) from None
    if len(found) == 2 and found["from"].start > found["to"].end:
        raise source.error(
            (*at, "to"),
            f"from({first})晚于 to({last}),不包含任何时期。",
            f"'from' ({first}) is later than 'to' ({last}), so no period lies between them.",
        )


def _placed(form: Form, source: Source) -> dict[str, _Where]:
    """The indicators by code; what is to be told apart by its name has one of its own."""
    places: dict[str, _Where] = {}
    blocks: set[str] = set()
    for t, table in enumerate(form.tables):
        for b, block in enumerate(table.blocks):
            here = ("tables", t, "blocks", b)
            if block.code in blocks:
                raise source.error(
                    (*here, "code"), f"板块代码「{block.code}」重复。", f"Block code '{block.code}' stands twice."
                )
            blocks.add(block.code)
            labels: dict[str, str] = {}
            for i, item in enumerate(block.indicators):
                at = (*here, "indicators", i)
                if item.code in places:
                    raise source.error(
                        (*at, "code"), f"指标代码「{item.code}」重复。", f"Indicator code '{item.code}' stands twice."
                    )
                if (other := labels.setdefault(item.label.zh, item.code)) != item.code:
                    raise source.error(
                        (*at, "label", "zh"),
                        f"指标「{other}」与「{item.code}」在同一板块中同名「{item.label.zh}」,读表时无法区分。",
                        f"Indicators '{other}' and '{item.code}' of one block have the same label '{item.label.zh}', by "
                        "which no row can be told.",
                    )
                places[item.code] = _Where(item, at)
    return places


def _check_columns(form: Form, source: Source) -> None:
    for t, table in enumerate(form.tables):
        codes = [column.code for column in table.columns]
        for c, column in enumerate(table.columns):
            at = ("tables", t, "columns", c)
            if codes.count(column.code) > 1:
                raise source.error((*at, "code"), f"列「{column.code}」重复。", f"Column '{column.code}' stands twice.")
            for name in ([column.cumulates] if column.cumulates else []) + list(column.sum_of):
                if name not in codes or name == column.code:
                    others = [code for code in codes if code != column.code]
                    raise source.error(at, *unknown("列", "column", name, others))
            if column.cumulates and table.columns[codes.index(column.cumulates)].cumulates:
                raise source.error(
                    (*at, "cumulates"),
                    f"列「{column.code}」累计的「{column.cumulates}」本身是累计列;应写明本期数所在的列。",
                    f"Column '{column.code}' cumulates '{column.cumulates}', which is cumulative itself; name the column that "
                    "has the period's own figures.",
                )
            for name in (*column.stock.plus, *column.stock.minus) if column.stock else ():
                if name not in codes or name == column.code:
                    others = [code for code in codes if code != column.code]
                    raise source.error((*at, "stock"), *unknown("列", "column", name, others))


def _check_references(where: _Where, places: dict[str, _Where], form: Form, source: Source) -> None:
    item, at = where.indicator, where.location
    names = [breakdown.name for breakdown in item.breakdowns]
    for n, breakdown in enumerate(item.breakdowns):
        if breakdown.name in names[:n]:
            raise source.error(
                (*at, "breakdowns", n, "name"),
                f"指标「{item.code}」的分组「{breakdown.name}」重复。",
                f"Breakdown '{breakdown.name}' of indicator '{item.code}' stands twice.",
            )
        for p, part in enumerate(breakdown.parts):
            here = (*at, "breakdowns", n, "parts", p)
            if part in breakdown.parts[:p]:
                raise source.error(
                    here,
                    f"分组「{breakdown.name}」中分项「{part}」重复。",
                    f"Part '{part}' stands twice in breakdown '{breakdown.name}'.",
                )
            if part not in places:
                raise source.error(here, *unknown("指标", "indicator", part, list(places)))
            if places[part].indicator.decimals != item.decimals:
                raise source.error(
                    here,
                    f"分项「{part}」与总数「{item.code}」的小数位数不同,不能相加。",
                    f"Part '{part}' and total '{item.code}' have different decimals and cannot be added.",
                )
        for name in breakdown.shares.columns if breakdown.shares else ():
            if name not in form.columns:
                raise source.error((*at, "breakdowns", n, "shares"), *unknown("列", "column", name, list(form.columns)))
    if item.subset_of:
        if item.subset_of not in places:
            raise source.error((*at, "subset_of"), *unknown("指标", "indicator", item.subset_of, list(places)))
        if places[item.subset_of].indicator.decimals != item.decimals:
            raise source.error(
                (*at, "subset_of"),
                f"「{item.code}」与其所属的「{item.subset_of}」小数位数不同,不能比较。",
                f"'{item.code}' and '{item.subset_of}', which it is part of, have different decimals and cannot be compared.",
            )
    owners = [
        (whole.code, breakdown.name)
        for whole in (place.indicator for place in places.values())
        for breakdown in whole.breakdowns
        if breakdown.shares and item.code in breakdown.parts
    ]
    if len(owners) > 1:
        raise source.error(
            at,
            f"指标「{item.code}」在多个分组中都印占比({owners}),一个占比格只能属于一个总数。",
            f"Indicator '{item.code}' has shares in several breakdowns ({owners}); a share belongs to one total.",
        )


def _check_circles(places: dict[str, _Where], source: Source) -> None:
    """Parts of parts must end somewhere."""
    wholes = {
        code: [part for breakdown in where.indicator.breakdowns for part in breakdown.parts]
        + [other.indicator.code for other in places.values() if other.indicator.subset_of == code]
        for code, where in places.items()
    }
    done: set[str] = set()

    def follow(code: str, path: tuple[str, ...]) -> None:
        if code in path:
            circle = " → ".join((*path[path.index(code) :], code))
            raise source.error(
                places[code].location,
                f"分项互相包含,成环:{circle}。",
                f"Parts contain one another in a circle: {circle}.",
            )
        if code not in done:
            for part in wholes[code]:
                follow(part, (*path, code))
            done.add(code)

    for code in wholes:
        follow(code, ())


def _check_balances(places: dict[str, _Where], form: Form, source: Source) -> None:
    accounts: dict[str, list[_Where]] = {}
    for where in places.values():
        if where.indicator.balance:
            accounts.setdefault(where.indicator.balance.account, []).append(where)
    for account, members in accounts.items():
        roles = [where.indicator.balance.role for where in members if where.indicator.balance]
        at = (*members[0].location, "balance")
        for role in ("opening", "closing"):
            if roles.count(role) > 1:
                raise source.error(
                    at,
                    f"账户「{account}」有多个 {role},只能有一个。",
                    f"Account '{account}' has several {role}s; it may have one.",
                )
        if not {"inflow", "outflow"} <= set(roles):
            raise source.error(
                at,
                f"账户「{account}」缺少 inflow 或 outflow;现有:{'、'.join(roles)}。",
                f"Account '{account}' lacks an inflow or an outflow; it has {', '.join(roles)}.",
            )
        if ("closing" in roles) and ("opening" not in roles):
            raise source.error(
                at,
                f"账户「{account}」有 closing 而无 opening,收支无从平衡;请补上期初,或去掉期末。",
                f"Account '{account}' has a closing but no opening, so it cannot balance; add the opening or drop the closing.",
            )
        if ("opening" in roles) and ("closing" not in roles) and any(c.cumulates for c in form.columns.values()):
            raise source.error(
                at,
                f"账户「{account}」有 opening 而无 closing,期初无从核对。",
                f"Account '{account}' has an opening but no closing, so no opening could ever be checked.",
            )
        if len({where.indicator.decimals for where in members}) > 1:
            raise source.error(
                at,
                f"账户「{account}」各项小数位数不同。",
                f"The indicators of account '{account}' have different decimals.",
            )


def check_stated(rule: FormRule, form: Form, source: Source, at: tuple[str | int, ...], taken: Sequence[str]) -> None:
    """A rule that is written out: its figures must be there, in one unit, and its code its own.

    Args:
        at: where it stands in the file; taken: codes of the rules before it.

    Raises:
        ConfigError: with file, line and the known names.
    """
    if rule.code in taken:
        raise source.error((*at, "code"), f"规则代码「{rule.code}」重复。", f"Rule code '{rule.code}' stands twice.")
    for number, term in enumerate(rule.terms):
        here = (*at, "terms", number)
        if term.indicator not in form.indicators:
            raise source.error(
                (*here, "indicator"), *unknown("指标", "indicator", term.indicator, list(form.indicators))
            )
        if term.times == 0:
            raise source.error(here, "times 不得为 0。", "'times' must not be 0.")
        columns = [column for column in form.columns if form.figure_cell(term.indicator, column)]
        for column in (term.column,) if term.column else rule.columns:
            if column not in columns:
                raise source.error(here, *unknown("列", f"column of '{term.indicator}'", column, columns))
    decimals = {form.indicators[term.indicator].decimals for term in rule.terms}
    if len(decimals) > 1:
        raise source.error(
            at, f"规则「{rule.code}」各项小数位数不同。", f"The figures of rule '{rule.code}' have different decimals."
        )
    if Decimal(str(rule.tolerance)).scaleb(max(decimals)) % 1:
        raise source.error(
            (*at, "tolerance"),
            f"容差 {rule.tolerance} 比规则「{rule.code}」的数更细:其小数位数为 {max(decimals)}。",
            f"A tolerance of {rule.tolerance} is finer than the figures of rule '{rule.code}', which have {max(decimals)} "
            "decimals.",
        )
    if not rule.columns and not stated_columns(form, rule):
        raise source.error(
            at,
            f"规则「{rule.code}」各项没有共同的列;请写明 columns。",
            f"The figures of rule '{rule.code}' share no column; name 'columns'.",
        )
    if rule.valid:
        check_span(rule.valid.first, rule.valid.last, source, (*at, "valid"))
    if rule.message is not None:
        for language in ("zh", "en"):
            check_template(getattr(rule.message, language), source, (*at, "message", language))


def check_template(text: str, source: Source, at: tuple[str | int, ...]) -> None:
    """A message names only fields that can be filled in.

    Raises:
        ConfigError: it does not, or its brackets are no template.
    """
    try:
        fields = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        raise source.error(at, "花括号不成对。", "The braces do not match.") from None
    for name in fields:
        if name not in MESSAGE_FIELDS:
            raise source.error(at, *unknown("字段", "field", name, sorted(MESSAGE_FIELDS)))

"""Reading form files: the YAML of `config/forms`, and everything in it that must hang together before a return is read.

Not here: what a form is (`forms`), or which rules follow from it (`constraints`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from schemas.errors import ConfigError, UserError
from schemas.forms import Form, Indicator
from schemas.periods import Frequency, Period
from schemas.yamlfile import Source, read_yaml


@dataclass(frozen=True)
class Forms:
    """All forms of an office. Family and period choose the version."""

    forms: tuple[Form, ...]

    def choose(self, family: str, period: Period) -> Form:
        """The version of `family` that is in force for `period`.

        Raises:
            UserError: no such family, or none of its versions covers the period: that is never a pass without rules.
        """
        versions = [form for form in self.forms if form.family == family]
        if not versions:
            known = "、".join(sorted({form.family for form in self.forms}))
            raise UserError(
                f"没有报表「{family}」;已有:{known}。", f"There is no form family '{family}'; known: {known}."
            )
        day_form = next((form for form in versions if form.covers(period)), None)
        if day_form is None:
            spans = "、".join(f"{form.version}({form.valid.first} – {form.valid.last or '…'})" for form in versions)
            raise UserError(
                f"{period} 没有可用的「{family}」报表版本;已有版本:{spans}。请在 config/forms 中增加适用版本。",
                f"No version of '{family}' covers {period}; versions: {spans}. Add one to config/forms.",
            )
        return day_form

    def for_roll_up(self, family: str, period: Period) -> Form:
        """The one version that all parts of a coarser `period` (a year of months) were made on.

        Raises:
            UserError: the versions change within it, so its figures cannot be added up.
        """
        frequency = next((form.frequency for form in self.forms if form.family == family), Frequency.MONTHLY)
        chosen = {self.choose(family, part).key: part for part in period.parts(frequency)}
        if len(chosen) > 1:
            raise UserError(
                f"{period} 跨「{family}」的不同版本({'、'.join(chosen)}),不能直接相加;请按各版本的时期分别汇总。",
                f"{period} spans several versions of '{family}' ({', '.join(chosen)}); add up each version's own periods.",
            )
        return self.choose(family, next(iter(chosen.values())))


def load_forms(files: Iterable[Path], optional_blocks: dict[str, tuple[str, ...]] | None = None) -> Forms:
    """Read and check all form files; optional blocks are left out unless the office switched them on.

    Raises:
        ConfigError: a file that cannot be used, with file, line and the known names.
    """
    read = [(path, *read_yaml(path, Form)) for path in files]
    for _, form, source in read:
        _check(form, source)
    _check_family(read)
    switched_on = optional_blocks or {}
    _check_switched_on(switched_on, [form for _, form, _ in read])
    return Forms(tuple(form.with_blocks(frozenset(switched_on.get(form.family, ()))) for _, form, _ in read))


def _check_switched_on(switched_on: dict[str, tuple[str, ...]], forms: Sequence[Form]) -> None:
    """A misspelt block would be left out of every return without a word."""
    optional: dict[str, set[str]] = {form.family: set() for form in forms}
    for form in forms:
        optional[form.family] |= {block.code for block in form.blocks if block.optional}
    for family, blocks in switched_on.items():
        if family not in optional:
            zh, en = _unknown("报表", "form family", family, list(optional))
            raise ConfigError(f"settings.yaml optional_blocks:{zh}", f"settings.yaml optional_blocks: {en}")
        for block in blocks:
            if block not in optional[family]:
                zh, en = _unknown("可选板块", "optional block", block, sorted(optional[family]))
                raise ConfigError(f"settings.yaml optional_blocks:{zh}", f"settings.yaml optional_blocks: {en}")


@dataclass(frozen=True)
class _Where:
    """An indicator and its place in the file."""

    indicator: Indicator
    location: tuple[str | int, ...]


def _check(form: Form, source: Source) -> None:
    places: dict[str, _Where] = {}
    for t, table in enumerate(form.tables):
        for b, block in enumerate(table.blocks):
            for i, item in enumerate(block.indicators):
                at = ("tables", t, "blocks", b, "indicators", i)
                if item.code in places:
                    raise source.error(
                        (*at, "code"), f"指标代码「{item.code}」重复。", f"Indicator code '{item.code}' stands twice."
                    )
                places[item.code] = _Where(item, at)
    _check_validity(form, source)
    _check_columns(form, source)
    for where in places.values():
        _check_references(where, places, form, source)
    _check_circles(places, source)
    _check_balances(places, form, source)


def _unknown(kind_zh: str, kind_en: str, name: str, known: Sequence[str]) -> tuple[str, str]:
    close = difflib.get_close_matches(name, known, n=1)
    hint_zh, hint_en = (f"是否应为「{close[0]}」?", f" Did you mean '{close[0]}'?") if close else ("", "")
    listed = "、".join(known)
    return (
        f"没有{kind_zh}「{name}」。{hint_zh}已有:{listed}。",
        f"There is no {kind_en} '{name}'.{hint_en} Known: {listed}.",
    )


def _check_validity(form: Form, source: Source) -> None:
    for key, code in (("from", form.valid.first), ("to", form.valid.last)):
        if code is None:
            continue
        try:
            Period.parse(code)
        except UserError as error:
            raise source.error(("valid", key), error.message.zh, error.message.en) from None


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
                    raise source.error(at, *_unknown("列", "column", name, others))


def _check_references(where: _Where, places: dict[str, _Where], form: Form, source: Source) -> None:
    item, at = where.indicator, where.location
    for n, breakdown in enumerate(item.breakdowns):
        for p, part in enumerate(breakdown.parts):
            here = (*at, "breakdowns", n, "parts", p)
            if part not in places:
                raise source.error(here, *_unknown("指标", "indicator", part, list(places)))
            if places[part].indicator.decimals != item.decimals:
                raise source.error(
                    here,
                    f"分项「{part}」与总数「{item.code}」的小数位数不同,不能相加。",
                    f"Part '{part}' and total '{item.code}' have different decimals and cannot be added.",
                )
        for name in breakdown.shares.columns if breakdown.shares else ():
            if name not in form.columns:
                raise source.error(
                    (*at, "breakdowns", n, "shares"), *_unknown("列", "column", name, list(form.columns))
                )
    if item.subset_of and item.subset_of not in places:
        raise source.error((*at, "subset_of"), *_unknown("指标", "indicator", item.subset_of, list(places)))
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


def _check_family(read: list[tuple[Path, Form, Source]]) -> None:
    """Versions of a family neither overlap nor leave a gap."""
    families: dict[str, list[tuple[Form, Source]]] = {}
    for _, form, source in read:
        families.setdefault(form.family, []).append((form, source))
    for members in families.values():
        members.sort(key=lambda member: Period.parse(member[0].valid.first).start)
        for (earlier, _), (later, source) in pairwise(members):
            end = Period.parse(earlier.valid.last) if earlier.valid.last else None
            begins = Period.parse(later.valid.first)
            if end is None or end.end >= begins.start:
                raise _validity_error(source, "重叠", "overlap", earlier, later)
            if (begins.start - end.end).days != 1:
                raise _validity_error(source, "之间有空档", "leave a gap", earlier, later)


def _validity_error(source: Source, zh: str, en: str, earlier: Form, later: Form) -> ConfigError:
    return source.error(
        ("valid", "from"),
        f"「{later.family}」的 {earlier.version} 版(至 {earlier.valid.last or '无期限'})与 {later.version} 版"
        f"(自 {later.valid.first})有效期{zh}。",
        f"Versions {earlier.version} (until {earlier.valid.last or 'open'}) and {later.version} (from {later.valid.first}) "
        f"of '{later.family}' {en}.",
    )

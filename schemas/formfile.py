"""Reading form files: the YAML of `config/forms`, and everything in it that must hang together before a return is read.

Not here: what a form is (`forms`), what must hold within one (`formchecks`), or which rules follow from it (`compiling`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from schemas.errors import ConfigError, UserError
from schemas.formchecks import check_form, unknown
from schemas.forms import Form
from schemas.listchecks import check_lists
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
            spans = [f"{form.version} ({form.valid.first} – {form.valid.last or '…'})" for form in versions]
            raise UserError(
                f"{period} 没有可用的「{family}」报表版本;已有版本:{'、'.join(spans)}。请在 config/forms 中增加适用版本。",
                f"No version of '{family}' covers {period}; versions: {', '.join(spans)}. Add one to config/forms.",
            )
        return day_form

    def frequency_of(self, family: str) -> Frequency:
        """How often returns of a family are owed.

        Raises:
            UserError: there is no such family.
        """
        found = next((form.frequency for form in self.forms if form.family == family), None)
        if found is None:
            known = "、".join(sorted({form.family for form in self.forms}))
            raise UserError(
                f"没有报表「{family}」;已有:{known}。", f"There is no form family '{family}'; known: {known}."
            )
        return found

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
        check_form(form, source)
        check_lists(form, source)
    _check_family(read)
    _check_adds_up(read)
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
            zh, en = unknown("报表", "form family", family, list(optional))
            raise ConfigError(f"settings.yaml optional_blocks:{zh}", f"settings.yaml optional_blocks: {en}")
        for block in blocks:
            if block not in optional[family]:
                zh, en = unknown("可选板块", "optional block", block, sorted(optional[family]))
                raise ConfigError(f"settings.yaml optional_blocks:{zh}", f"settings.yaml optional_blocks: {en}")


def _check_family(read: list[tuple[Path, Form, Source]]) -> None:
    """Versions of a family come equally often, and neither overlap nor leave a gap."""
    families: dict[str, list[tuple[Form, Source]]] = {}
    for _, form, source in read:
        families.setdefault(form.family, []).append((form, source))
    for members in families.values():
        members.sort(key=lambda member: Period.parse(member[0].valid.first).start)
        for (earlier, _), (later, source) in pairwise(members):
            if later.frequency is not earlier.frequency:
                raise source.error(
                    ("frequency",),
                    f"「{later.family}」的 {earlier.version} 版是{earlier.frequency.name_zh}报表,{later.version} 版是"
                    f"{later.frequency.name_zh}报表;同一报表的各版本频度应相同,否则请另立报表。",
                    f"Version {earlier.version} of '{later.family}' comes by the {earlier.frequency.name_en}, version "
                    f"{later.version} by the {later.frequency.name_en}; versions of a family come equally often: make it "
                    "another family.",
                )
            end = Period.parse(earlier.valid.last) if earlier.valid.last else None
            begins = Period.parse(later.valid.first)
            if end is None or end.end >= begins.start:
                raise _validity_error(source, "重叠", "overlap", earlier, later)
            if (begins.start - end.end).days != 1:
                raise _validity_error(source, "之间有空档", "leave a gap", earlier, later)


def _check_adds_up(read: list[tuple[Path, Form, Source]]) -> None:
    """A form that is the sum of finer returns names a family that has some, and columns that both have."""
    families: dict[str, list[Form]] = {}
    for _, form, _ in read:
        families.setdefault(form.family, []).append(form)
    for _, form, source in read:
        if form.adds_up is None:
            continue
        at = ("adds_up", "family")
        if form.adds_up.family not in families:
            raise source.error(at, *unknown("报表", "form family", form.adds_up.family, sorted(families)))
        finer = families[form.adds_up.family]
        if finer[0].frequency.months >= form.frequency.months:
            raise source.error(
                at,
                f"「{form.adds_up.family}」是{finer[0].frequency.name_zh}报表,不比本表({form.frequency.name_zh})更细,无从相加。",
                f"'{form.adds_up.family}' comes by the {finer[0].frequency.name_en}, no more often than this form (by the "
                f"{form.frequency.name_en}), so nothing can be added up.",
            )
        theirs = sorted({code for one in finer for code in one.columns})
        for ours, their in form.adds_up.columns.items():
            if ours not in form.columns:
                raise source.error(("adds_up", "columns"), *unknown("列", "column", ours, list(form.columns)))
            if their not in theirs:
                raise source.error(("adds_up", "columns", ours), *unknown("列", "column", their, theirs))


def _validity_error(source: Source, zh: str, en: str, earlier: Form, later: Form) -> ConfigError:
    return source.error(
        ("valid", "from"),
        f"「{later.family}」的 {earlier.version} 版(至 {earlier.valid.last or '无期限'})与 {later.version} 版"
        f"(自 {later.valid.first})有效期{zh}。",
        f"Versions {earlier.version} (until {earlier.valid.last or 'open'}) and {later.version} (from {later.valid.first}) "
        f"of '{later.family}' {en}.",
    )

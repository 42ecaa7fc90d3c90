"""What changed from one version to another, told: as JSON for machines, as lines, and as the correction notice (更正说明).

Not here: finding the changes (`warehouse.changes`), or the sheet of them (`summary_changes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from disclosure_etl.office import Office
from disclosure_etl.reports.contract import number
from disclosure_etl.warehouse import Event, YearLock
from schemas.consolidation import VersionStatus
from schemas.forms import Form
from schemas.periods import Period
from schemas.values import figure_text
from schemas.versions import Change, ChangeList, FrozenVersion, Reason

FIRM = {
    VersionStatus.PROVISIONAL: "初步数", VersionStatus.FINAL: "终稿", VersionStatus.LOCKED: "已锁定",
    VersionStatus.UNVERIFIED: "未经核实",
}  # fmt: skip


def changes_object(one: ChangeList, zone: tzinfo | None) -> dict[str, Any]:
    """A change list as `changes --json` prints it."""
    return {
        "family": one.newer.family,
        "period": one.newer.period,
        "from": version_object(one.older, zone),
        "to": version_object(one.newer, zone),
        "changes": [_change_object(change) for change in one.changes],
    }


def version_object(one: FrozenVersion, zone: tzinfo | None) -> dict[str, Any]:
    """A version without its figures, in every command that lists some; moments in the office's zone."""
    return {
        "version": one.version,
        "status": one.status.value,
        "content_hash": one.content_hash,
        "frozen_at": one.frozen_at.astimezone(zone).isoformat(),
        "signed_by": one.signed.by if one.signed else None,
        "second": one.signed.second if one.signed else None,
        "signed_at": one.signed.at.astimezone(zone).isoformat() if one.signed else None,
        "released_by": one.released_by,
        "released_at": one.released_at.astimezone(zone).isoformat() if one.released_at else None,
    }


def _change_object(one: Change) -> dict[str, Any]:
    return {
        "period": one.period,
        "bureau": one.bureau,
        "block": one.block,
        "indicator": one.indicator,
        "column": one.column,
        "old": number(one.old, one.scale),
        "new": number(one.new, one.scale),
        "why": [{"code": why.code, "zh": why.message.zh, "en": why.message.en, "by": why.by} for why in one.reasons],
    }


def figure_label(form: Form, one: Change) -> str:
    """What a change is of, in Chinese: the indicator with its block where two read alike, and its column where there are
    several; of a whole block its name."""
    blocks = {block.code: block.label.zh for block in form.blocks}
    if one.indicator is None:
        return f"{blocks[one.block]}(整个板块)" if one.block in blocks else "整份报表"
    if one.indicator not in form.indicators:
        return one.indicator
    label = form.indicators[one.indicator].label.zh
    twice = sum(item.label.zh == label for item in form.indicators.values()) > 1
    named = f"{blocks[one.block]}:{label}" if twice and one.block in blocks else label
    column = form.columns.get(one.column or "")
    return f"{named}·{column.label.zh}" if column is not None and len(form.columns) > 1 else named


def text_of(value: int | None, scale: int) -> str:
    """A figure, or that there is none."""
    return "无" if value is None else figure_text(value, scale)


def signed_text(one: Change) -> str:
    """The difference with its sign."""
    return ("+" if one.difference > 0 else "") + figure_text(one.difference, one.scale)


def why_text(reasons: Sequence[Reason]) -> str:
    """Why, and by whom, in Chinese."""
    return ";".join(why.message.zh + (f"({why.by})" if why.by else "") for why in reasons)


def notice_path(folder: Path, older: FrozenVersion, newer: FrozenVersion, usual_family: str) -> Path:
    """Where the notice of a correction is written."""
    family = "" if newer.family == usual_family else f"{newer.family}-"
    return folder / newer.period / f"更正说明-{family}{newer.period}-v{older.version}-v{newer.version}.txt"


def notice(
    form: Form,
    changes: ChangeList,
    names: Mapping[str, str],
    head: Event | None,
    zone: tzinfo,
    lock: YearLock | None = None,
) -> str:
    """The correction notice: which figures changed, from what to what, at which bureau, why and by whom, between which versions.

    Args:
        names: the bureaus' Chinese names by code; lock: how the year was locked or reopened last.
    """
    older, newer = changes.older, changes.newer
    lines = [
        "更正说明",
        "",
        f"{Period.parse(newer.period).label_zh}{form.title.zh}汇总数更正",
        "",
        f"原:{_version(older, zone)}",
        f"现:{_version(newer, zone)}",
    ]
    if lock is not None and lock.action == "reopen":
        people = "、".join(name for name in (lock.by, lock.second) if name)
        lines.append(f"解锁:{lock.year} 年于 {_day(lock.at, zone)} 由{people}解锁,理由:{lock.reason}")
    lines += ["", f"一、合计数的变动(共 {len(changes.totals)} 项)"]
    lines += [line for at, one in enumerate(changes.totals, 1) for line in _lines(form, one, f"{at}. ")]
    if not changes.totals:
        lines.append("合计数没有变动。")
    lines += ["", "二、各单位的变动"]
    bureaus = [one for one in changes.changes if one.bureau is not None]
    for code in dict.fromkeys(one.bureau or "" for one in bureaus):
        lines.append(names.get(code, code))
        lines += [line for one in bureaus if one.bureau == code for line in _lines(form, one, "  - ", newer.period)]
    if not bureaus:
        lines.append("各单位的数没有变动。")
    lines += ["", f"记录链链头:第 {head.number} 条 {head.hash}" if head else "记录链链头:无"]
    return "\n".join(lines) + "\n"


def _lines(form: Form, one: Change, mark: str, period: str | None = None) -> list[str]:
    when = f"{one.period} " if period is not None and one.period != period else ""
    if one.indicator is None:
        figures = "计入方式变动,数未变"
    else:
        unit = form.indicators[one.indicator].unit if one.indicator in form.indicators else ""
        figures = f"{text_of(one.old, one.scale)} → {text_of(one.new, one.scale)}({signed_text(one)} {unit})"
    indent = " " * len(mark)
    return [f"{mark}{when}{figure_label(form, one)}:{figures}", f"{indent}原因:{why_text(one.reasons) or '不详'}"]


def _version(one: FrozenVersion, zone: tzinfo) -> str:
    parts = [f"第 {one.version} 版({FIRM[one.status]})", f"{_day(one.frozen_at, zone)} 固化"]
    if one.signed is not None:
        people = "、".join(name for name in (one.signed.by, one.signed.second) if name)
        parts.append(f"{_day(one.signed.at, zone)} 由{people}签发")
    if one.released_at is not None:
        parts.append(f"{_day(one.released_at, zone)} 发布")
    if one.was_locked:
        parts.append(f"曾随 {Period.parse(one.period).year} 年锁定")
    return f"{','.join(parts)},内容散列值 {one.content_hash}"


def _day(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d}"


def names_of(office: Office) -> dict[str, str]:
    """The bureaus' Chinese names by code, the latest of each."""
    return {one.code: one.name_zh for one in sorted(office.bureaus.bureaus, key=lambda one: one.valid_from)}

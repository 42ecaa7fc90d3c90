"""What is said of a version beside its figures: who answers for it, whether it is public or embargoed, and how a final one and a
newer provisional one stand to each other.

Not here: what changed between them in full (`corrections`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from disclosure_etl.office import Office
from disclosure_etl.releasing import Planned, planned
from disclosure_etl.reports.corrections import figure_label, text_of
from disclosure_etl.warehouse import base_of
from schemas.consolidation import Consolidation
from schemas.errors import Message
from schemas.forms import Form
from schemas.periods import Period
from schemas.versions import Change, ChangeList, FrozenVersion


def versions_then(office: Office, one: Consolidation, as_of: datetime | None = None) -> list[FrozenVersion]:
    """All versions of a period up to one of them, as they stand now or stood at a moment."""
    stored = office.warehouse.frozen_versions(one.family, [Period.parse(one.period)], as_of)
    return [version for version in stored if version.version <= one.version]


def form_of(office: Office, one: Consolidation) -> Form:
    """The form of a version, as it is defined now."""
    return next(form for form in office.forms.forms if form.key == one.form)


def changes_of(
    office: Office, one: Consolidation, older: int | None = None, as_of: datetime | None = None
) -> ChangeList | None:
    """What changed to a version from an earlier one: that of a number, else the one that others rely on, else the final one,
    else the one before. None of a first version."""
    versions = versions_then(office, one, as_of)
    newer = versions[-1]
    base = base_of(versions, newer) if older is None else next((v for v in versions if v.version == older), None)
    if base is None or base.version == newer.version:
        return None
    return office.warehouse.changes(form_of(office, one), Period.parse(one.period), base, newer)


def embargo(plan: Planned) -> Message | None:
    """That figures must not be made public yet, and until when."""
    if not plan.is_embargoed or plan.moment is None or plan.released is not None:
        return None
    until = f"{plan.moment:%Y-%m-%d %H:%M}"
    return Message(f"{until} 发布前不得公开", f"embargoed until {until}")


def embargo_of(office: Office, one: Consolidation, now: datetime | None = None) -> Message | None:
    """The embargo on a version's figures, if its release lies ahead."""
    return embargo(planned(office, Period.parse(one.period), versions_then(office, one, now), now))


def firmness(office: Office, one: Consolidation, as_of: datetime | None = None) -> list[Message]:
    """A line for each thing that is to be said of how firm a version is."""
    versions = versions_then(office, one, as_of)
    if not versions:
        return []
    own, told, zone = versions[-1], [], office.clock().tzinfo
    if own.signed is not None:
        who = own.signed.by + (f"、{own.signed.second}" if own.signed.second else "")
        day = f"{own.signed.at.astimezone(zone):%Y-%m-%d}"
        note = f";{own.signed.note}" if own.signed.note else ""
        told.append(Message(f"签发:{who},{day}{note}", f"signed off by {who} on {day}{note}"))
    final = [version for version in versions if version.is_final]
    if final and not own.is_final:
        firm, changes = final[-1], changes_of(office, one, final[-1].version, as_of)
        totals = changes.totals if changes else ()
        zh, en = _shown(form_of(office, one), totals)
        told.append(
            Message(
                f"第 {firm.version} 版为终稿;第 {own.version} 版改动合计数 {len(totals)} 项{zh},尚未签发"
                f"(disclosure-etl changes {one.period})",
                f"version {firm.version} is final; version {own.version} changes {len(totals)} totals{en} and is signed by "
                f"nobody yet (disclosure-etl changes {one.period})",
            )
        )
    if one.without_held:
        told.append(Message("暂存板块未计入本版", "held blocks are left out of this version"))
    plan = planned(office, Period.parse(one.period), versions, as_of)
    if plan.released is not None and plan.released.released_at is not None:
        day, version = f"{plan.released.released_at.astimezone(zone):%Y-%m-%d}", plan.released.version
        told.append(Message(f"第 {version} 版已于 {day} 发布", f"version {version} was released on {day}"))
    elif (ahead := embargo(plan)) is not None:
        told.append(ahead)
    return told


_MOST_SHOWN = 3


def _shown(form: Form, totals: Sequence[Change]) -> tuple[str, str]:
    """The first few totals that changed, in Chinese and English."""
    first = [(one, f"{text_of(one.old, one.scale)} → {text_of(one.new, one.scale)}") for one in totals[:_MOST_SHOWN]]
    if not first:
        return "", ""
    more = len(totals) > _MOST_SHOWN
    zh = "、".join(f"{figure_label(form, one)} {moved}" for one, moved in first) + ("等" if more else "")
    en = ", ".join(f"{one.indicator}/{one.column} {moved}" for one, moved in first) + (", …" if more else "")
    return f"({zh})", f" ({en})"

"""What stands in the way of a sign-off or a lock: each thing with what to do about it.

Not here: signing or locking (`signing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from disclosure_etl.office import Office
from disclosure_etl.warehouse import Refused, StoredFailure
from schemas.consolidation import BureauState, Consolidation, VersionStatus
from schemas.errors import Message, UserError
from schemas.forms import Form
from schemas.periods import Frequency, Period
from schemas.records import Severity, Status

_SHOWN = 3  # failures named of one bureau
BY_ITSELF = (VersionStatus.UNVERIFIED,)  # taken over from before: nobody here can answer for it


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One thing that stands in the way, and what to do about it. `code` is stable. `period`: which one, or which year, it is about, where
    it is not the one that is to be signed."""

    code: str
    message: Message
    bureau: str | None = None
    period: str = ""


def waiting(office: Office, family: str, period: Period) -> Iterator[Hindrance]:
    """Work that waits for the period: whoever signs now would sign figures that are about to change."""
    waits = office.warehouse.unsettled(family, period)
    if waits is not None:
        yield Hindrance(
            "waiting",
            Message(
                f"{period} 还有待办:{len(waits.bureaus)} 家待重新判定或待重新固化。请先运行 disclosure-etl rerun {period}。",
                f"Work waits for {period}: {len(waits.bureaus)} bureaus to be judged again, or figures to be frozen anew. Run "
                f"'disclosure-etl rerun {period}' first.",
            ),
            period=period.code,
        )


def unsigned_before(office: Office, form: Form, period: Period) -> Iterator[Hindrance]:
    """The year's earlier periods are in its cumulatives, so whoever signs this one answers for them."""
    if not any(column.cumulates for column in form.columns.values()):
        return
    first = period.shifted(1 - period.ordinal)
    yield from _not_final(office, form.family, [first.shifted(step) for step in range(period.ordinal - 1)], there=True)


def unsigned_parts(office: Office, family: str, period: Period) -> Iterator[Hindrance]:
    """The parts of a coarser period that are not final, or not there."""
    yield from _not_final(office, family, period.parts(office.forms.frequency_of(family)), there=False)


def _not_final(office: Office, family: str, periods: Sequence[Period], *, there: bool) -> Iterator[Hindrance]:
    """Those of the periods whose newest version is not final. `there`: only of those that were consolidated; else what some
    bureau owes has to be there."""
    newest = {one.period: one for one in office.warehouse.frozen_versions(family, periods)}
    for period in periods:
        one = newest.get(period.code)
        if one is None:
            if not there and _is_owed(office, family, period):
                yield Hindrance(
                    "absent",
                    Message(
                        f"{period} 还没有汇总;请先运行 disclosure-etl consolidate {period}。",
                        f"{period} was not consolidated yet: run 'disclosure-etl consolidate {period}'.",
                    ),
                    period=period.code,
                )
        elif not one.is_final and one.status not in BY_ITSELF:
            yield Hindrance(
                "unsigned",
                Message(
                    f"{period} 第 {one.version} 版还是初步数;请先签发:disclosure-etl sign-off {period} --by …",
                    f"{period}, version {one.version}, is provisional: sign it off first, disclosure-etl sign-off {period} --by …",
                ),
                period=period.code,
            )


def _is_owed(office: Office, family: str, period: Period) -> bool:
    try:
        office.forms.choose(family, period)
    except UserError:  # no form was in force: nothing could be sent
        return False
    return bool(office.owing(family, period))


_WAITING = {
    Status.HELD.value: ("暂存", "held"),
    Status.PARTLY_HELD.value: ("部分暂存", "partly held"),
    Status.FAILED.value: ("程序故障", "failed by a program fault"),
    Status.RETURNED.value: ("已退回,待更正", "sent back to be corrected"),
}


def held(
    office: Office, one: Consolidation, failures: Sequence[StoredFailure], *, without_held: bool
) -> Iterator[Hindrance]:
    """Returns that are held, failed or sent back, and errors in what counts: the latter stand in the way also of a version
    without held blocks, since they are in it."""
    errors: dict[str | None, list[StoredFailure]] = {}
    for found in failures:
        if found.failure.severity is Severity.ERROR and found.failure.waiver is None:
            errors.setdefault(found.bureau, []).append(found)
    for state in one.bureaus:
        own = errors.pop(state.bureau, [])
        if state.stale:
            yield _hindrance(
                "stale", state, ("已认定而现在不再相符(待复核)", "accepted, and no longer consistent"), own, one
            )
        elif state.status in _WAITING and not without_held:
            yield _hindrance(state.status, state, _WAITING[state.status], own, one)
        elif own and not without_held:
            yield _hindrance("error", state, ("有未豁免的错误", "errors that nobody waived"), own, one)
    if without_held:
        return
    for bureau, own in errors.items():
        files = "、".join(dict.fromkeys(found.file for found in own))
        yield Hindrance(
            "held",
            Message(
                f"{files}:暂存,不属于任何应报单位({own[0].failure.rule})。请查明归属,或在 bureaus.yaml 中登记后 rerun {one.period}。",
                f"{files}: held, and of no bureau that owes a return ({own[0].failure.rule}). Find out whose it is, or enter the "
                f"bureau in bureaus.yaml and rerun {one.period}.",
            ),
            bureau,
        )


def _hindrance(
    code: str, state: BureauState, what: tuple[str, str], failures: Sequence[StoredFailure], one: Consolidation
) -> Hindrance:
    shown = [f"{found.failure.rule} #{found.failure.id[:8]}" for found in failures[:_SHOWN]]
    zh = ("(" + "、".join(shown) + ("等" if len(failures) > _SHOWN else "") + ")") if shown else ""
    en = (" (" + ", ".join(shown) + (", …" if len(failures) > _SHOWN else "") + ")") if shown else ""
    out_zh = "" if code == "stale" else ",或用 --without-held 将暂存板块排除在外"
    out_en = "" if code == "stale" else ", or leave held blocks out with --without-held"
    return Hindrance(
        code,
        Message(
            f"{state.name_zh}:{what[0]}{zh}。请该单位更正重报,或经核实后 disclosure-etl decide {one.period} … 豁免{out_zh}。",
            f"{state.name_en}: {what[1]}{en}. The bureau corrects it, or it is waived after a look (disclosure-etl decide "
            f"{one.period} …){out_en}.",
        ),
        state.bureau,
    )


def unnamed(one: Consolidation, named: frozenset[str]) -> Iterator[Hindrance]:
    """Whoever signs says by name which bureaus are missing, so that nobody signs without one unawares."""
    states = {state.bureau: state for state in one.bureaus}
    absent = [states[code] for code in one.missing if code not in named]
    if absent:
        codes = ",".join(one.missing)
        yield Hindrance(
            "missing",
            Message(
                f"未报 {len(one.missing)} 家:{'、'.join(state.name_zh for state in absent)} 没有点名。请催报;确须缺报签发,"
                f"请点名:--missing {codes}",
                f"{len(one.missing)} bureaus are missing; not named: {', '.join(state.name_en for state in absent)}. Ask for "
                f"their returns; to sign without them, name them: --missing {codes}",
            ),
        )
    for code in sorted(named - set(one.missing)):
        yield Hindrance(
            "not_missing",
            Message(
                f"「{code}」并未缺报,请从 --missing 中去掉。", f"'{code}' is not missing; take it out of --missing."
            ),
            code,
        )


def warnings_of(failures: Sequence[StoredFailure], one: Consolidation) -> tuple[str, ...]:
    """The ids of warnings that nobody decided, each once: neither waived, nor of a return that was sent back for it to be corrected."""
    back = {state.bureau for state in one.bureaus if state.status == Status.RETURNED.value}
    open_ = (
        found.failure
        for found in failures
        if found.failure.severity is Severity.WARNING and found.failure.waiver is None and found.bureau not in back
    )
    return tuple(dict.fromkeys(failure.id for failure in open_))


def unacknowledged(
    failures: Sequence[StoredFailure], refused: Sequence[Refused], one: Consolidation, reason: str
) -> Iterator[Hindrance]:
    """Warnings, and files that were not taken, for which nobody gave a reason."""
    warnings = warnings_of(failures, one)
    if (warnings or refused) and len(reason.strip()) < 2:
        yield Hindrance(
            "unacknowledged",
            Message(
                f"有 {len(warnings)} 条警告、{len(refused)} 个未采用的文件没有人确认(见 disclosure-etl failures)。请逐条 decide 豁免,"
                "或写明理由一并确认:--acknowledge 理由",
                f"{len(warnings)} warnings and {len(refused)} files that were not taken are acknowledged by nobody (see "
                "disclosure-etl failures). Waive each ('decide'), or acknowledge all: --acknowledge REASON",
            ),
        )


def whole_year(year: int) -> Period:
    """The year as a period."""
    return Period(Frequency.YEARLY, year, 1)


def open_in(office: Office, family: str, year: int) -> Iterator[Hindrance]:
    """What of a year is not final, or not there: all its periods, the coarser ones that were consolidated, and itself."""
    whole = whole_year(year)
    own = office.forms.frequency_of(family)
    stored = [one for one in office.warehouse.consolidated_periods(family) if one.year == year]
    coarser = [one for one in stored if one.frequency is not own and one != whole]
    yield from _not_final(office, family, whole.parts(own), there=False)
    yield from _not_final(office, family, coarser, there=True)
    if own is not Frequency.YEARLY and whole not in stored and _adds_up(office, family, whole):
        yield Hindrance(
            "absent",
            Message(
                f"{year} 全年还没有汇总;请先运行 disclosure-etl consolidate {year} 并签发。",
                f"The year {year} was not added up yet: run 'disclosure-etl consolidate {year}', and sign it off.",
            ),
            period=whole.code,
        )
    yield from _not_final(office, family, [whole], there=True) if own is not Frequency.YEARLY else ()
    for period in stored:
        yield from waiting(office, family, period)
    if not stored and not any(_is_owed(office, family, one) for one in whole.parts(own)):
        told = Message(
            f"{year} 年没有任何汇总,没有可以锁定的。", f"Nothing of {year} was consolidated: nothing to lock."
        )
        yield Hindrance("absent", told, period=whole.code)


def _adds_up(office: Office, family: str, whole: Period) -> bool:
    """Whether a year can be added up: the form was in force for all of it, and did not change within it."""
    try:
        office.forms.for_roll_up(family, whole)
    except UserError:
        return False
    return True


def open_before(office: Office, family: str, year: int) -> Iterator[Hindrance]:
    """Earlier years with figures of this warehouse that are not locked."""
    versions = office.warehouse.frozen_versions(family)
    own = {one.period for one in versions if one.status is not VersionStatus.UNVERIFIED}
    for before in sorted({Period.parse(code).year for code in own}):
        if before < year and office.warehouse.lock_of(family, whole_year(before)) is None:
            yield Hindrance(
                "earlier",
                Message(
                    f"{before} 年还没有锁定;请先锁定较早的年度:disclosure-etl lock {before} --by … --reason …",
                    f"{before} is not locked: lock earlier years first, disclosure-etl lock {before} --by … --reason …",
                ),
                period=f"{before}",
            )


def locked_after(office: Office, family: str, year: int) -> int | None:
    """The last locked year after one."""
    years = {one.year for one in office.warehouse.consolidated_periods(family) if one.year > year}
    locked = [one for one in years if office.warehouse.lock_of(family, whole_year(one)) is not None]
    return max(locked, default=None)

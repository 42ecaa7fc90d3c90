"""What a person sees on the terminal: progress, the table of bureaus, failures. Not here: any decision what to show it of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from disclosure_etl.pipeline import Progress as Report
from disclosure_etl.quality.review import Reviewed
from disclosure_etl.warehouse import Refused, StoredFailure
from flows.session import Session
from schemas.consolidation import BureauState, Consolidation
from schemas.forms import Form
from schemas.records import Severity, Status, Unread
from schemas.values import figure_text

_STATUS = {
    "accepted": ("已认定", "accepted", "green"),
    "partly_held": ("部分暂存", "partly held", "yellow"),
    "held": ("暂存", "held", "red"),
    "missing": ("未报", "missing", "red"),
    "unreadable": ("无法读取", "unreadable", "red"),
    "failed": ("程序故障", "failed", "red"),
    "duplicate": ("重复", "duplicate", "dim"),
    "superseded": ("已被替代", "superseded", "dim"),
    "returned": ("已退回", "sent back", "yellow"),
    "withdrawn": ("已撤回", "withdrawn", "dim"),
    "misdirected": ("误投", "misdirected", "red"),
    "other_period": ("其他时期", "other period", "dim"),
}

_STAGES = {
    "read": ("读取", "reading"),
    "judge": ("校验", "judging"),
    "load": ("入库", "loading"),
    "follow": ("后续月份", "later months"),
}
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "dim"}
_MOST_BUREAUS = 60


def status_text(session: Session, status: str) -> str:
    """The status of something received, in the session's language."""
    return session.pick(*_STATUS[status][:2])


@dataclass(frozen=True)
class Screen:
    """What is shown beside a consolidation: the bureaus' `figures` ((bureau, indicator) → text and whether it is validated),
    in which parts of a coarser period each is missing, the due day, and the newest version where an earlier one is shown."""

    figures: Mapping[tuple[str, str], tuple[str, bool]]
    absences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    due: date | None = None
    newest: int | None = None


@contextmanager
def progress(session: Session) -> Iterator[Report]:
    """A progress bar on a terminal; nothing elsewhere."""
    if not session.console.is_terminal:
        yield lambda stage, done, of: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=session.console, transient=True) as bar:
        stages: dict[str, int] = {}

        def report(stage: str, done: int, of: int) -> None:
            if stage not in stages:
                stages[stage] = bar.add_task(session.pick(*_STAGES[stage]), total=of)
            bar.update(stages[stage], completed=done, total=of)  # type: ignore[arg-type]

        yield report


def _status(session: Session, code: str) -> Text:
    zh, en, style = _STATUS[code]
    return Text(session.pick(zh, en), style=style)


def labels_of(session: Session, form: Form, codes: Sequence[str]) -> list[str]:
    """The labels of indicators, with the block's where two would read alike (Received, of reconsiderations and lawsuits)."""
    blocks = {item.code: block.label for block in form.blocks for item in block.indicators}
    plain = [session.pick(form.indicators[code].label.zh, form.indicators[code].label.en) for code in codes]
    times = Counter(plain)
    whose = [session.pick(blocks[code].zh, blocks[code].en) for code in codes]
    return [
        label if times[label] == 1 else session.pick(f"{block}:{label}", f"{block}: {label.lower()}")
        for label, block in zip(plain, whose, strict=True)
    ]


def show_consolidation(session: Session, form: Form, one: Consolidation, screen: Screen) -> None:
    """The bureaus of a period and its totals."""
    console = session.console
    firm = {"provisional": "初步数", "final": "终稿", "locked": "已锁定", "unverified": "未经核实"}[one.status.value]
    title = session.pick(
        f"{form.title.zh} {one.period}:第 {one.version} 版({firm})",
        f"{form.title.en} {one.period}: version {one.version} ({one.status.value})",
    )
    if screen.newest is not None:
        title += session.pick(
            f",{one.frozen_at:%Y-%m-%d} 固化;现行的是第 {screen.newest} 版",
            f", frozen on {one.frozen_at:%Y-%m-%d}; version {screen.newest} is in force now",
        )
    if one.bureaus:
        console.print(Text(title, style="bold"))
        console.print(_bureau_table(session, form, one, screen))
        _show_legend(session, form, one)
    else:
        console.print(Text(title, style="bold"))
        console.print(_totals_table(session, form, one))
    parts = [
        f"{session.pick(*_STATUS[status.value][:2])} {one.counts[status]}" for status in Status if one.counts[status]
    ]
    session.say(
        f"收到 {one.found}:{'、'.join(parts) or '无'};未报 {len(one.missing)};覆盖率 {one.coverage:.1%};"
        f"未通过 {one.failures};待判 {one.not_assessable}",
        f"found {one.found}: {', '.join(parts) or 'nothing'}; missing {len(one.missing)}; coverage {one.coverage:.1%}; "
        f"failures {one.failures}; not assessable {one.not_assessable}",
    )
    if one.missing:
        names = {state.bureau: session.pick(state.name_zh, state.name_en) for state in one.bureaus}
        missing = session.listed(
            names.get(code, code) + _absent_in(session, screen.absences.get(code, ())) for code in one.missing
        )
        due = session.pick(f"({screen.due} 到期)", f" (due {screen.due})") if screen.due else ""
        session.say(f"未报{due}:{missing}", f"missing{due}: {missing}")
    sealed = [state for state in one.bureaus if state.attachments]
    if sealed:
        listed = session.listed(
            f"{session.pick(state.name_zh, state.name_en)} {len(state.attachments)}" for state in sealed
        )
        session.say(f"附件(盖章扫描件、副本,份):{listed}", f"attached (sealed scans, copies): {listed}")


def _absent_in(session: Session, parts: Sequence[str]) -> str:
    """In which parts of a coarser period a bureau is missing: named while they are few."""
    if not parts:
        return ""
    if len(parts) > 3:
        return session.pick(f"(缺 {len(parts)} 期)", f" ({len(parts)} periods)")
    return session.pick(f"(缺 {'、'.join(parts)})", f" ({', '.join(parts)})")


def _show_legend(session: Session, form: Form, one: Consolidation) -> None:
    """What the marks in the table mean, for those that stand in it."""
    shown = {(cell.indicator, cell.column) for cell in form.headline}
    in_table = [total for total in one.figures if (total.indicator, total.column) in shown or not one.bureaus]
    if any(not total.validated for total in in_table):
        session.say(
            "* 含暂存板块的填报数:照填报数计入,未经认定",
            "* includes held blocks: counted as reported, and not validated",
        )
    if one.not_assessable:
        session.say(
            "待判:所需的数(上期数、空白格)还没有,暂不能判定对错;不算未通过,也不暂存",
            "open (not assessable): a figure that the rule needs (last period's, a blank) is not there yet; neither pass nor "
            "failure, and holds nothing",
        )


_Count = tuple[str, str, str]  # of a bureau's state: field, heading in Chinese and English
_COUNTS: tuple[_Count, ...] = (
    ("errors", "错误", "err."), ("warnings", "警告", "warn."), ("not_assessable", "待判", "open"),
)  # fmt: skip


def _bureau_table(session: Session, form: Form, one: Consolidation, screen: Screen) -> Table:
    """A row a bureau. Columns of counts that nobody has are left out, and no column is narrower than its longest word."""
    shown = [cell.indicator for cell in form.headline]
    table = Table(box=None, pad_edge=False)
    table.add_column(session.pick("单位", "bureau"), no_wrap=True)
    table.add_column(session.pick("状态", "status"), min_width=12)
    counts = [count for count in _COUNTS if any(getattr(state, count[0]) for state in one.bureaus)]
    for _, zh, en in counts:
        table.add_column(session.pick(zh, en), justify="right", no_wrap=True)
    for label in labels_of(session, form, shown):
        longest = max(map(len, label.split()), default=0) if session.language == "en" else 0
        table.add_column(label, justify="right", min_width=longest or None)
    blocks = {block.code: session.pick(block.label.zh, block.label.en) for block in form.blocks}
    rows = (
        sorted(one.bureaus, key=lambda state: state.status == "accepted")
        if len(one.bureaus) > _MOST_BUREAUS
        else one.bureaus
    )
    for state in rows[:_MOST_BUREAUS]:
        cells: list[Text | str] = []
        for code in shown:
            text, validated = screen.figures.get((state.bureau, code), ("", True))
            cells.append(Text(text) if validated else Text(f"{text}*", style="yellow"))
        numbers = [str(getattr(state, name) or "") for name, *_ in counts]
        status = _standing(session, state, screen.absences.get(state.bureau, ()), blocks)
        table.add_row(session.pick(state.name_zh, state.name_en), status, *numbers, *cells)
    totals = {(figure.indicator, figure.column): figure for figure in one.figures}
    table.add_section()
    bottom = []
    for cell in form.headline:
        total = totals.get((cell.indicator, cell.column))
        text = "" if total is None or total.value is None else figure_text(total.value, total.scale)
        bottom.append(Text(text + ("" if total is None or total.validated else "*"), style="bold"))
    table.add_row(Text(session.pick("合计", "total"), style="bold"), "", *[""] * len(counts), *bottom)
    return table


def _standing(session: Session, state: BureauState, absent: Sequence[str], blocks: Mapping[str, str]) -> Text:
    """How a bureau stands, with the blocks that are held."""
    if absent:
        named = f"{len(absent)}" if len(absent) > 3 else "、".join(absent)
        status = Text(session.pick(f"缺 {named}" + ("期" if len(absent) > 3 else ""), f"without {named}"), style="red")
    else:
        status = _status(session, state.status)
    if state.held_blocks and state.status != "held":
        held = session.listed(blocks.get(code, code) for code in state.held_blocks)
        status.append(session.pick(f":{held}", f": {held}"))
    if state.late:
        status.append(session.pick(" 迟报", " late"), style="yellow")
    if state.stale:
        status.append(session.pick(" 待复核", " stale"), style="yellow")
    return status


def _totals_table(session: Session, form: Form, one: Consolidation) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(session.pick("指标", "indicator"))
    table.add_column(session.pick("合计", "total"), justify="right")
    labels = labels_of(session, form, list(form.indicators))
    named = dict(zip(form.indicators, labels, strict=True))
    for figure in one.figures:
        text = "" if figure.value is None else figure_text(figure.value, figure.scale)
        mark = "" if figure.validated else "*"
        table.add_row(named[figure.indicator], Text(f"{text}{mark}"))
    return table


def show_failures(
    session: Session, failures: Sequence[StoredFailure], refused: Sequence[Refused] = (), names: dict[str, str] | None = None,
    most: int | None = None, of: str | None = None,
) -> None:  # fmt: skip
    """Failures one below the other, each with its message; what has the same cause, or follows from it, stands under it.
    Each tells its period where that is not the one they are listed of."""
    members: dict[tuple[str, str], list[StoredFailure]] = {}
    for one in failures:
        if one.failure.case:
            members.setdefault((one.failure.case, one.file), []).append(one)
    listed = [one for one in failures if not one.failure.case]
    for file in refused:
        line = Text(f"✗ {_when(file.period, of)}{file.file}: ", style="bold")
        line.append(file.message.in_language(session.language), style="red")
        session.console.print(line)
    for one in listed[:most]:
        failure = one.failure
        who = (names or {}).get(
            one.bureau or "", one.bureau or session.pick("全部单位", "all bureaus") * (not one.file) or "?"
        )
        severity = failure.severity
        line = Text(f"[{session.pick(severity.label_zh, severity.value)}] ", style=_STYLES[severity])
        line.append(f"{_when(one.period, of)}{who} · {failure.rule}", style="bold")
        if failure.waiver is not None:
            line.append(session.pick("  已豁免", "  waived"), style="dim")
        if one.file:
            line.append(f"  ({one.file})", style="dim")
            line.append(f"  #{failure.id[:8]}", style="dim")
        session.console.print(line)
        said = Text(failure.message.in_language(session.language))
        on_terminal = session.console.is_terminal  # elsewhere a message is one line, for grep
        session.console.print(Padding(said, (0, 0, 0, 4), expand=False) if on_terminal else Text("    ") + said)
        for other in members.get((failure.id, one.file), ()):
            follows = other.failure.implied_by is not None
            note = session.pick(*(("由此引起", "follows from it") if follows else ("同一原因", "same cause")))
            session.console.print(Text(f"    └ {note}: {other.failure.rule} ({other.failure.column})", style="dim"))
    if most is not None and len(listed) > most:
        session.say(f"……另有 {len(listed) - most} 条。", f"… and {len(listed) - most} more.")


def _when(period: str, of: str | None) -> str:
    return f"{period} " if period and of and period != of else ""


def show_what_to_do(session: Session, failures: Sequence[StoredFailure], refused: Sequence[Refused]) -> None:
    """How a bureau can see for itself whether a corrected return will pass, where one has something to correct."""
    if refused or any(one.failure.severity is not Severity.NOTICE and one.file for one in failures):
        session.say(
            "更正后的报表可先自查:disclosure-etl check 文件",
            "a corrected return can be checked before it is sent: disclosure-etl check FILE",
        )


def show_review(session: Session, effect: Reviewed, below: float) -> None:
    """What the threshold does, below which a warning becomes a notice."""
    if effect.demoted:
        session.say(
            f"影响低于 {below:.2%} 的 {effect.demoted} 条警告已降为提示;其余仍占影响合计的 {effect.share:.1%}。",
            f"{effect.demoted} warnings with an impact below {below:.2%} became notices; what is left to review has "
            f"{effect.share:.1%} of the whole impact.",
        )


def show_unread(session: Session, places: Sequence[tuple[str, Unread]]) -> None:
    """What looked like a figure and was not understood."""
    for file, place in places:
        session.say(
            f"? 未能识别:{file} {place.locator}「{place.text}」",
            f"? not understood: {file} {place.locator} '{place.text}'",
        )

"""What a person sees on the terminal: progress, the table of bureaus, failures. Not here: any decision what to show it of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from disclosure_etl.pipeline import Progress as Report
from disclosure_etl.warehouse import Refused, StoredFailure
from flows.session import Session
from schemas.consolidation import Consolidation
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


def headline_indicators(form: Form, most: int = 4) -> list[str]:
    """The indicators that tell a month at a glance: the totals with a complete breakdown."""
    totals = [code for code, item in form.indicators.items() if any(one.complete for one in item.breakdowns)]
    return (totals or list(form.indicators))[:most]


def show_consolidation(
    session: Session, form: Form, one: Consolidation, figures: dict[tuple[str, str], tuple[str, bool]]
) -> None:
    """The bureaus of a period and its totals. `figures`: (bureau, indicator) → text and whether it is validated."""
    console = session.console
    title = session.pick(
        f"{form.title.zh} {one.period}:第 {one.version} 版({'初步数' if one.status.value == 'provisional' else one.status.value})",
        f"{form.title.en} {one.period}: version {one.version} ({one.status.value})",
    )
    if one.bureaus:
        console.print(_bureau_table(session, form, one, figures, title))
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


def _bureau_table(
    session: Session, form: Form, one: Consolidation, figures: dict[tuple[str, str], tuple[str, bool]], title: str
) -> Table:
    shown = headline_indicators(form)
    base = form.own_columns[-1]
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for zh, en in (("单位", "bureau"), ("状态", "status"), ("暂存板块", "held blocks")):
        table.add_column(session.pick(zh, en), no_wrap=zh == "单位")
    for zh, en in (("错误", "errors"), ("警告", "warnings"), ("待判", "open")):
        table.add_column(session.pick(zh, en), justify="right")
    for code in shown:
        label = form.indicators[code].label
        table.add_column(session.pick(label.zh, label.en), justify="right")
    blocks = {block.code: block.label for block in form.blocks}
    rows = (
        sorted(one.bureaus, key=lambda state: state.status == "accepted")
        if len(one.bureaus) > _MOST_BUREAUS
        else one.bureaus
    )
    for state in rows[:_MOST_BUREAUS]:
        status = _status(session, state.status)
        if state.late:
            status.append(session.pick(" 迟报", " late"), style="yellow")
        if state.stale:
            status.append(session.pick(" 待复核", " stale"), style="yellow")
        held = session.listed(
            session.pick(blocks[code].zh, blocks[code].en) for code in state.held_blocks if code in blocks
        )
        cells: list[Text | str] = []
        for code in shown:
            text, validated = figures.get((state.bureau, code), ("", True))
            cells.append(Text(text) if validated else Text(f"{text}*", style="yellow"))
        counts = (str(state.errors or ""), str(state.warnings or ""), str(state.not_assessable or ""))
        table.add_row(session.pick(state.name_zh, state.name_en), status, held, *counts, *cells)
    totals = {figure.indicator: figure for figure in one.figures if figure.column == base}
    table.add_section()
    bottom = []
    for code in shown:
        total = totals.get(code)
        text = "" if total is None or total.value is None else figure_text(total.value, total.scale)
        bottom.append(Text(text + ("" if total is None or total.validated else "*"), style="bold"))
    table.add_row(Text(session.pick("合计", "total"), style="bold"), "", "", "", "", "", *bottom)
    if any(not total.validated for total in totals.values()):
        table.caption = session.pick("* 含暂存板块的填报数,未经认定", "* includes held blocks as reported, unvalidated")
        table.caption_justify = "left"
    return table


def _totals_table(session: Session, form: Form, one: Consolidation) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(session.pick("指标", "indicator"))
    table.add_column(session.pick("合计", "total"), justify="right")
    for figure in one.figures:
        item = form.indicators[figure.indicator]
        text = "" if figure.value is None else figure_text(figure.value, figure.scale)
        mark = "" if figure.validated else "*"
        table.add_row(session.pick(item.label.zh, item.label.en), Text(f"{text}{mark}"))
    return table


def show_failures(
    session: Session, failures: Sequence[StoredFailure], refused: Sequence[Refused] = (), names: dict[str, str] | None = None,
    most: int | None = None,
) -> None:  # fmt: skip
    """Failures one below the other, each with its message; those implied by another stand under it."""
    implied = [one for one in failures if one.failure.implied_by]
    listed = [one for one in failures if not one.failure.implied_by]
    for file in refused:
        line = Text(f"✗ {file.file}: ", style="bold")
        line.append(file.message.in_language(session.language), style="red")
        session.console.print(line)
    for one in listed[:most]:
        failure = one.failure
        who = (names or {}).get(one.bureau or "", one.bureau or "?")
        severity = failure.severity
        line = Text(f"[{session.pick(severity.label_zh, severity.value)}] ", style=_STYLES[severity])
        line.append(f"{who} · {failure.rule}", style="bold")
        line.append(f"  ({one.file})", style="dim")
        session.console.print(line)
        said = Text(failure.message.in_language(session.language))
        on_terminal = session.console.is_terminal  # elsewhere a message is one line, for grep
        session.console.print(Padding(said, (0, 0, 0, 4), expand=False) if on_terminal else Text("    ") + said)
        attached = [other for other in implied if (other.failure.implied_by, other.file) == (failure.id, one.file)]
        for other in attached:
            note = session.pick("由此引起", "implied by it")
            session.console.print(Text(f"    └ {note}: {other.failure.rule}", style="dim"))
    if most is not None and len(listed) > most:
        session.say(f"……另有 {len(listed) - most} 条。", f"… and {len(listed) - most} more.")


def show_unread(session: Session, places: Sequence[tuple[str, Unread]]) -> None:
    """What looked like a figure and was not understood."""
    for file, place in places:
        session.say(
            f"? 未能识别:{file} {place.locator}「{place.text}」",
            f"? not understood: {file} {place.locator} '{place.text}'",
        )

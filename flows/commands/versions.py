"""Commands that hold versions against each other: changes, correction-notice, revisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.session import CLEAN, Session, print_json, read_as_of, read_period

if TYPE_CHECKING:
    from schemas.forms import Form
    from schemas.periods import Period
    from schemas.versions import BureauRevision, ChangeList, Revisions

Code = Annotated[str, typer.Argument(metavar="PERIOD", help="2014-05, 2014Q2, 2014H1 or 2014.")]
Older = Annotated[
    int | None,
    typer.Option(
        "--from", metavar="N",
        help="The earlier version; by default the newest that was released or locked, else the newest final one, else the one before.",
    ),
]  # fmt: skip
Newer = Annotated[int | None, typer.Option("--to", metavar="N", help="The later version; by default the newest.")]
Family = Annotated[str | None, typer.Option(metavar="FAMILY", help="The form family; by default the office's.")]
AsOf = Annotated[str | None, typer.Option(metavar="DAY", help="As it stood then.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(name="changes")(changes)
    app.command(name="correction-notice")(correction_notice)
    app.command(name="revisions")(revisions)


def changes(
    context: typer.Context,
    period: Code,
    older: Older = None,
    newer: Newer = None,
    as_of: AsOf = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """List what changed from one version of a period to another: which figures, at which bureau, why, by whom."""
    from disclosure_etl.reports.corrections import changes_object

    session: Session = context.obj
    found, form = _change_list(session, family, read_period(period), (older, newer), _moment(session, as_of))
    if json:
        print_json(changes_object(found, session.office.clock().tzinfo))
    else:
        _show_changes(session, form, found)
    raise typer.Exit(CLEAN)


def _moment(session: Session, as_of: str | None) -> datetime | None:
    return read_as_of(as_of, session.office.schedule.timezone) if as_of else None


def _change_list(
    session: Session,
    family: str | None,
    period: Period,
    versions: tuple[int | None, int | None],
    as_of: datetime | None,
) -> tuple[ChangeList, Form]:
    """The changes asked for.

    Raises:
        UserError: there is no such version, or only one.
    """
    from disclosure_etl.reports.firmness import changes_of, form_of
    from flows.period_screen import stored_version
    from schemas.errors import UserError

    office, (older, newer) = session.office, versions
    one = stored_version(office, family or session.settings.family, period, newer, as_of)
    if older is not None and not 1 <= older < one.version:
        raise UserError(
            f"--from {older} 应是早于第 {one.version} 版的版本。",
            f"--from {older} must be a version before {one.version}.",
        )
    found = changes_of(office, one, older, as_of)
    if found is None:
        raise UserError(
            f"{period} 只有第 {one.version} 版,没有可比的较早版本。",
            f"{period} has version {one.version} only: there is no earlier one to compare with.",
        )
    return found, form_of(office, one)


def _show_changes(session: Session, form: Form, found: ChangeList) -> None:
    from rich.table import Table

    from disclosure_etl.reports.corrections import FIRM, text_of

    old, new = found.older, found.newer
    session.say(
        f"{new.period}:第 {old.version} 版({FIRM[old.status]})→ 第 {new.version} 版({FIRM[new.status]}),"
        f"变动 {len(found.changes)} 处,其中合计数 {len(found.totals)} 项",
        f"{new.period}: version {old.version} ({old.status.value}) → version {new.version} ({new.status.value}); "
        f"{len(found.changes)} changes, {len(found.totals)} of them totals",
    )
    names = {one.code: session.pick(one.name_zh, one.name_en) for one in session.office.bureaus.bureaus}
    table = Table(box=None, pad_edge=False)
    heads = (
        ("时期", "period"),
        ("单位", "bureau"),
        ("指标", "indicator"),
        ("原数", "old"),
        ("现数", "new"),
        ("原因", "why"),
    )
    for at, head in enumerate(heads):
        table.add_column(session.pick(*head), justify="right" if at in (3, 4) else "left", overflow="fold")
    for one in found.changes:
        who = session.pick("合计", "total") if one.bureau is None else names.get(one.bureau, one.bureau)
        why = ";".join(
            reason.message.in_language(session.language) + (f"({reason.by})" if reason.by else "")
            for reason in one.reasons
        )
        figures = ("", "") if one.indicator is None else (text_of(one.old, one.scale), text_of(one.new, one.scale))
        table.add_row(one.period, who, _label(session, form, one.indicator, one.column, one.block), *figures, why)
    session.console.print(table)


def _label(session: Session, form: Form, indicator: str | None, column: str | None, block: str | None) -> str:
    blocks = {one.code: session.pick(one.label.zh, one.label.en) for one in form.blocks}
    if indicator is None:
        return blocks.get(block or "", session.pick("整份报表", "the whole return"))
    if indicator not in form.indicators:
        return f"{indicator} {column}"
    label = form.indicators[indicator].label
    of_column = form.columns.get(column or "")
    shown = session.pick(label.zh, label.en)
    return shown if of_column is None else f"{shown}·{session.pick(of_column.label.zh, of_column.label.en)}"


def correction_notice(
    context: typer.Context,
    period: Code,
    older: Older = None,
    newer: Newer = None,
    family: Family = None,
    json: AsJson = False,
) -> None:
    """Print the correction notice (更正说明) of a version against an earlier one, and write it beside the tables."""
    from disclosure_etl.reports.publishing import write_notice

    session: Session = context.obj
    found, form = _change_list(session, family, read_period(period), (older, newer), None)
    path, is_new = write_notice(session.office, found, form)
    text = path.read_text(encoding="utf-8")
    if json:
        versions = {"from": found.older.version, "to": found.newer.version}
        print_json(
            {"family": found.newer.family, "period": found.newer.period, **versions, "file": str(path), "new": is_new, "text": text}
        )  # fmt: skip
    else:
        session.console.print(text, markup=False, end="")
        session.say(f"更正说明:{path}", f"correction notice: {path}")
    raise typer.Exit(CLEAN)


def revisions(
    context: typer.Context,
    indicator: Annotated[str, typer.Argument(metavar="INDICATOR", help="Its code, such as applications.received.")],
    column: Annotated[str | None, typer.Option(metavar="COLUMN", help="By default the form's first own column.")] = None,
    first: Annotated[str | None, typer.Option("--first", metavar="PERIOD", help="The first period; a quarter or year shows those.")] = None,
    last: Annotated[str | None, typer.Option("--last", metavar="PERIOD", help="The last period.")] = None,
    by_bureau: Annotated[bool, typer.Option("--by-bureau", help="How far each bureau's figure was revised.")] = False,
    as_of: AsOf = None,
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Show how a figure was revised: a row a period, a column a version; or how far, by bureau."""
    from schemas.errors import UserError

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    span = (read_period(first) if first else None, read_period(last) if last else None)
    lengths = {one.frequency for one in span if one is not None} or {office.forms.frequency_of(chosen)}
    if len(lengths) > 1:
        raise UserError("--first 与 --last 应是同样长短的时期。", "--first and --last must be periods of one length.")
    spot = _spot(session, chosen, indicator, column)
    frequency, moment = lengths.pop(), _moment(session, as_of)
    if by_bureau:
        if frequency is not office.forms.frequency_of(chosen):
            raise UserError(
                "--by-bureau 只看报表自身的时期。", "--by-bureau is for periods of the returns' own length."
            )
        moved = office.warehouse.bureau_revisions(chosen, spot, frequency, span, moment)
        scale = _scale(session, chosen, spot)
        if json:
            print_json({"family": chosen, "indicator": spot[0], "column": spot[1], "bureaus": [_bureau_object(one, scale) for one in moved]})  # fmt: skip
        else:
            _show_bureaus(session, moved, scale)
    else:
        found = office.warehouse.revisions(chosen, spot, frequency, span, moment)
        if json:
            print_json(_revisions_object(session, chosen, found))
        else:
            _show_revisions(session, found)
    raise typer.Exit(CLEAN)


def _spot(session: Session, family: str, indicator: str, column: str | None) -> tuple[str, str]:
    """The indicator and column, if some version of the family has them.

    Raises:
        UserError: none has.
    """
    from schemas.errors import UserError
    from schemas.yamlfile import unknown_name

    own = [one for one in session.office.forms.forms if one.family == family]
    known = list(dict.fromkeys(code for one in own for code in one.indicators))
    if indicator not in known:
        zh, en = unknown_name(indicator, known)
        raise UserError(f"没有指标「{indicator}」。{zh}", f"There is no indicator '{indicator}'. {en}")
    columns = list(dict.fromkeys(cell.column for one in own for cell in one.cells if cell.indicator == indicator))
    chosen = column or next(code for code in columns if any(code in one.own_columns for one in own))
    if chosen not in columns:
        zh, en = unknown_name(chosen, columns)
        raise UserError(f"指标「{indicator}」没有「{chosen}」列。{zh}", f"'{indicator}' has no column '{chosen}'. {en}")
    return indicator, chosen


def _scale(session: Session, family: str, spot: tuple[str, str]) -> int:
    own = [one for one in session.office.forms.forms if one.family == family and spot[0] in one.indicators]
    return next(cell.scale for one in own if (cell := one.figure_cell(*spot)) is not None)


def _revisions_object(session: Session, family: str, found: Revisions) -> dict[str, Any]:
    from disclosure_etl.reports.contract import number

    zone = session.office.clock().tzinfo
    return {
        "family": family,
        "indicator": found.indicator,
        "column": found.column,
        "periods": [
            {
                "period": row[0].period,
                "vintages": [
                    {
                        "version": one.version, "frozen_at": one.frozen_at.astimezone(zone).isoformat(), "status": one.status.value,
                        "value": number(one.value, found.scale),
                    }
                    for one in row
                ],
                "revision": number((row[-1].value or 0) - (row[0].value or 0), found.scale),
            }
            for row in found.rows
        ],
    }  # fmt: skip


def _show_revisions(session: Session, found: Revisions) -> None:
    from rich.table import Table

    from disclosure_etl.reports.corrections import text_of

    if not found.rows:
        session.say("没有这样的时期。", "There is no such period.")
        return
    zone = session.office.clock().tzinfo
    table = Table(box=None, pad_edge=False)
    table.add_column(session.pick("时期", "period"))
    for version in range(1, max(map(len, found.rows)) + 1):
        table.add_column(session.pick(f"第 {version} 版", f"version {version}"), justify="right")
    table.add_column(session.pick("首末差", "first to latest"), justify="right")
    for row in found.rows:
        cells = [f"{text_of(one.value, found.scale)} ({one.frozen_at.astimezone(zone):%Y-%m-%d})" for one in row]
        blank = [""] * (max(map(len, found.rows)) - len(row))
        moved = (row[-1].value or 0) - (row[0].value or 0)
        table.add_row(row[0].period, *cells, *blank, ("+" if moved > 0 else "") + text_of(moved, found.scale))
    session.console.print(table)


def _mean(value: float, scale: int) -> float:
    return round(value / 10**scale, 4)


def _bureau_object(one: BureauRevision, scale: int) -> dict[str, Any]:
    return {
        "bureau": one.bureau, "periods": one.periods, "revised": one.revised, "mean": _mean(one.mean, scale),
        "mean_absolute": _mean(one.mean_absolute, scale),
    }  # fmt: skip


def _show_bureaus(session: Session, moved: Sequence[BureauRevision], scale: int) -> None:
    from rich.table import Table

    names = {one.code: session.pick(one.name_zh, one.name_en) for one in session.office.bureaus.bureaus}
    table = Table(box=None, pad_edge=False)
    heads = (
        ("单位", "bureau"),
        ("时期数", "periods"),
        ("有修订", "revised"),
        ("平均修订", "mean"),
        ("平均绝对修订", "mean absolute"),
    )
    for at, head in enumerate(heads):
        table.add_column(session.pick(*head), justify="right" if at else "left")
    for one in moved:
        means = (f"{_mean(one.mean, scale):+g}", f"{_mean(one.mean_absolute, scale):g}")
        table.add_row(names.get(one.bureau, one.bureau), str(one.periods), str(one.revised), *means)
    session.console.print(table)

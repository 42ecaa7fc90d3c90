"""Commands around rules: the book, an old month under today's rules, rules on trial, how rules fared; and decisions about
single failures. For the steward and whoever keeps the rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json

if TYPE_CHECKING:
    from disclosure_etl.trials import Trial
    from schemas.forms import Form
    from schemas.periods import Period
    from schemas.rules import RuleSet

Family = Annotated[str | None, typer.Option(metavar="FAMILY", help="The form family; by default the office's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    rules = typer.Typer(
        help="The rules: print the book, compare, try, look back.", invoke_without_command=True, rich_markup_mode=None
    )
    rules.callback()(book)
    rules.command(name="compare")(compare)
    rules.command(name="try")(try_out)
    rules.command(name="health")(health)
    app.add_typer(rules, name="rules")
    app.command(name="decide")(decide)


def book(
    context: typer.Context,
    form: Annotated[str | None, typer.Option(metavar="FAMILY[/VERSION]", help="Of which form; by default the office's family.")] = None,
    period: Annotated[str | None, typer.Option(metavar="PERIOD", help="As in force for this data period; by default the form's last.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, with words and detection power.")] = False,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Print the rule book of a form."""
    if context.invoked_subcommand is not None:
        return
    from disclosure_etl.quality.book import rule_book
    from disclosure_etl.reports.rulebook import book_markdown, book_object
    from schemas.errors import UserError

    if json and markdown:
        raise UserError("--json 和 --markdown 只能选一个。", "Choose one of --json and --markdown.")
    session: Session = context.obj
    rules = _rules(session, form, period)
    records = rule_book(rules)
    if json:
        print_json(book_object(rules, records))
    elif markdown:
        print(book_markdown(rules, records), end="")  # noqa: T201 - a document, for a file
    else:
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for zh, en in (("规则", "rule"), ("程度", "severity"), ("内容", "title")):
            table.add_column(session.pick(zh, en), overflow="fold")
        for one in records:
            table.add_row(one.code, one.severity, one.title.in_language(session.language))
        session.console.print(table)
        session.say(
            f"{rules.form.key} {rules.period}:{len(records)} 条规则,规则集版本 {rules.version[:16]}。"
            "措辞与检出能力见 --markdown。",
            f"{rules.form.key} {rules.period}: {len(records)} rules, rule set {rules.version[:16]}. Words and detection "
            "power: --markdown.",
        )


def _rules(session: Session, form: str | None, period: str | None) -> RuleSet:
    """The rules asked for."""
    from schemas.errors import UserError
    from schemas.periods import Period

    office = session.office
    family, _, version = (form or session.settings.family).partition("/")
    own = [one for one in office.forms.forms if one.family == family and version in ("", one.version)]
    if not own:
        known = "、".join(one.key for one in office.forms.forms)
        raise UserError(f"没有报表「{form}」;已有:{known}。", f"There is no form '{form}'; known: {known}.")
    if period is not None:
        wanted = Period.parse(period)
        _check_frequency(own[0], wanted)
        chosen = own[0] if version else office.forms.choose(family, wanted)
        if not chosen.covers(wanted):
            span = f"{chosen.valid.first} – {chosen.valid.last or '…'}"
            raise UserError(
                f"{chosen.key} 不适用于 {wanted};其有效期为 {span}。",
                f"{chosen.key} is not in force for {wanted}; it is for {span}.",
            )
        return office.rules(chosen, wanted)
    last = max(own, key=lambda one: Period.parse(one.valid.first))
    ended = Period.parse(last.valid.last) if last.valid.last else None
    now = Period.of_day(office.clock().date(), last.frequency).preceding
    return office.rules(last, ended or (now if last.covers(now) else Period.parse(last.valid.first)))


def _check_frequency(form: Form, period: Period) -> None:
    """A form has rules for periods of its own length alone."""
    from schemas.errors import UserError

    if period.frequency is not form.frequency:
        raise UserError(
            f"「{form.family}」是{form.frequency.name_zh}报表,{period} 是{period.frequency.name_zh}时期。",
            f"'{form.family}' comes by the {form.frequency.name_en}; {period} is a {period.frequency.name_en}.",
        )


def compare(
    context: typer.Context,
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="A period that was judged.")],
    family: Family = None,
    json: AsJson = False,
) -> None:
    """Judge a stored period under today's rules, and show what differs from its own."""
    from disclosure_etl import trials
    from schemas.periods import Period

    session: Session = context.obj
    office, chosen, wanted = session.office, family or session.settings.family, Period.parse(period)
    _check_frequency(office.forms.choose(chosen, wanted), wanted)
    found = trials.compare(office, chosen, wanted)
    _show_trial(session, found, json)


def try_out(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Rules or changes as in rules.yaml.")],
    first: Annotated[str | None, typer.Option("--from", metavar="PERIOD", help="The first period; by default all.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="PERIOD", help="The last period.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Try rules over all stored periods before they are switched on: how often they would have fired, and on what."""
    from disclosure_etl import trials
    from schemas.rulefile import check_rule_settings
    from schemas.rules import RuleSettings
    from schemas.yamlfile import read_yaml

    session: Session = context.obj
    office = session.office
    candidate, source = read_yaml(file, RuleSettings)
    check_rule_settings(candidate, source, office.forms, office.bureaus.codes, beside=office.rule_settings)
    span = _span(first, last)
    found = trials.try_out(office, family or session.settings.family, candidate, span[0], span[1])
    _show_trial(session, found, json)


def _span(first: str | None, last: str | None) -> tuple[Period | None, Period | None]:
    """The periods of --from and --to."""
    from schemas.errors import UserError
    from schemas.periods import Period

    begin, end = (Period.parse(code) if code else None for code in (first, last))
    if begin is not None and end is not None and begin.start > end.end:
        raise UserError(f"--from {begin} 晚于 --to {end}。", f"--from {begin} is later than --to {end}.")
    return begin, end


def _show_trial(session: Session, trial: Trial, json: bool) -> None:
    from disclosure_etl.reports.rulebook import trial_object

    if json:
        print_json(trial_object(trial))
        raise typer.Exit(CLEAN)
    span = f"{trial.periods[0]} – {trial.periods[-1]}" if trial.periods else "—"
    session.say(
        f"重判 {span} 的 {trial.returns} 份报表:{len(trial.differences)} 处不同。",
        f"{trial.returns} returns of {span} judged again: {len(trial.differences)} differences.",
    )
    for rule, count in trial.fired.items():
        session.say(f"  新触发 {count} 次:{rule}", f"  fires {count} times anew: {rule}")
    for one in trial.differences[:_SHOWN]:
        change = f"{one.before or '—'} → {one.after or '—'}"
        text = one.failure.message.in_language(session.language)
        session.console.print(f"  {one.period} {one.bureau or '?'} [{change}] {one.failure.rule}: {text}", markup=False)
    if (rest := len(trial.differences) - _SHOWN) > 0:
        session.say(f"  ……另有 {rest} 处,见 --json。", f"  … and {rest} more; see --json.")
    raise typer.Exit(CLEAN)


def health(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", metavar="PERIOD", help="The first period; by default all.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="PERIOD", help="The last period.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """How rules fared over time: fired, waived, led to a correction, not assessable."""
    from disclosure_etl.reports.rulebook import health_object

    session: Session = context.obj
    span = _span(first, last)
    found = session.office.warehouse.rule_health(family or session.settings.family, span[0], span[1])
    if json:
        print_json(health_object(found))
        raise typer.Exit(CLEAN)
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(session.pick("规则", "rule"), overflow="fold")
    for zh, en in (("触发", "fired"), ("豁免", "waived"), ("促成更正", "corrected"), ("待判", "open")):
        table.add_column(session.pick(zh, en), justify="right")
    for one in found:
        counts = (one.fired, one.waived, one.corrected, one.not_assessable)
        table.add_row(one.rule, *(str(count or "") for count in counts))
    session.console.print(table)
    raise typer.Exit(CLEAN)


def decide(
    context: typer.Context,
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The period of the failure.")],
    failure: Annotated[str | None, typer.Argument(metavar="[FAILURE]", help="Its id (or the beginning), as 'failures' shows it.")] = None,
    reason: Annotated[str, typer.Option(help="Why it may stand.")] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="Who decides; by default whoever is logged in.")] = "",
    until: Annotated[str | None, typer.Option("--to", metavar="PERIOD", help="The last period that it holds for; by default this one.")] = None,
    withdraw: Annotated[int | None, typer.Option(metavar="NUMBER", help="Withdraw this waiver instead.")] = None,
    family: Family = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Accept a failure with a reason, as long as the same figures are seen (a waiver), or withdraw one."""
    import getpass

    from disclosure_etl import decisions
    from disclosure_etl.reports.publishing import publish
    from flows.commands.signing import show_notices
    from schemas.errors import UserError
    from schemas.periods import Period

    session: Session = context.obj
    office, chosen, wanted = session.office, family or session.settings.family, Period.parse(period)
    word = decisions.Word(by or getpass.getuser(), reason)
    if withdraw is not None:
        done = decisions.withdraw(office, chosen, withdraw, word)
    elif failure is None:
        raise UserError(
            "请给出失败编号(见 failures),或用 --withdraw 撤销豁免。",
            "Name a failure's id (see 'failures'), or a waiver to --withdraw.",
        )
    else:
        found = decisions.failure_by_id(office.warehouse.failures(chosen, wanted), failure)
        done = decisions.waive(office, chosen, found, (wanted, Period.parse(until) if until else wanted), word)
    notices = publish(office, done.followed.consolidations)
    again = [one.period for one in done.followed.consolidations]
    if json:
        print_json({"waiver": done.waiver.number, "withdrawn": withdraw is not None, "judged_again": again})
    else:
        verb = ("已撤销", "withdrawn") if withdraw is not None else ("已记录", "recorded")
        session.say(
            f"{verb[0]}:第 {done.waiver.number} 号豁免({done.waiver.bureau},{done.waiver.rule},"
            f"{done.waiver.first} 至 {done.waiver.last}),重新判定并固化:{'、'.join(again) or '无'}",
            f"{verb[1]}: waiver {done.waiver.number} ({done.waiver.bureau}, {done.waiver.rule}, {done.waiver.first} to "
            f"{done.waiver.last}); judged again and frozen: {', '.join(again) or 'nothing'}",
        )
        show_notices(session, notices)
    raise typer.Exit(NEEDS_PERSON if done.followed.faults else CLEAN)

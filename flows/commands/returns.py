"""Commands around single returns: template, check, import-history. For the clerk of a bureau and the office's beginning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, PROGRAM_FAULT, WRONG_USAGE, Session, print_json

if TYPE_CHECKING:
    from disclosure_etl.checking import Checked
    from schemas.records import Failure


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(name="template")(template)
    app.command(name="check")(check)
    app.command(name="import-history")(import_history)


def template(
    context: typer.Context,
    bureau: Annotated[
        list[str] | None, typer.Option(help="A bureau's code or name; may be repeated. All who owe, if left out.")
    ] = None,
    period: Annotated[str, typer.Option(help="2014-05")] = "",
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("."),
    family: Annotated[str | None, typer.Option(help="The form family; by default the office's.")] = None,
) -> None:
    """Write the blank workbook of a bureau, with last month's accepted closings as openings."""
    from disclosure_etl.blank_workbooks import blank_workbooks
    from flows.running import default_period
    from schemas.periods import Period

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    wanted = Period.parse(period) if period else default_period(office, chosen)
    out.mkdir(parents=True, exist_ok=True)
    kept = False
    for name, data in blank_workbooks(office, chosen, wanted, bureau):
        path = out / name
        if path.exists() and path.read_bytes() != data:  # somebody's filled-in return, for all we know
            kept = True
            session.say(
                f"已有同名而内容不同的文件,未覆盖:{path}(确要重写请先移走它)",
                f"a different file of this name is there and was left alone: {path} (move it away to write anew)",
            )
            continue
        path.write_bytes(data)
        session.say(f"已写出 {path}", f"wrote {path}")
    raise typer.Exit(NEEDS_PERSON if kept else CLEAN)


def check(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="The returns to check, or folders of them.", metavar="FILE…")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")] = False,
) -> None:
    """Check returns before they are sent: what was read, what was not understood, what fails. Stores nothing."""
    from disclosure_etl.bureaus import load_bureaus
    from disclosure_etl.checking import Checker, files_in
    from disclosure_etl.intake.lexicon import HEADER_FIELDS
    from disclosure_etl.reports.contract import check_object
    from schemas.errors import UserError
    from schemas.formfile import load_forms
    from schemas.layoutfile import load_layouts
    from schemas.records import Status
    from schemas.rulefile import check_rule_settings
    from schemas.rules import RuleSettings
    from schemas.yamlfile import read_yaml

    session: Session = context.obj
    settings = session.settings
    forms = load_forms(settings.dirs.files("forms", "*.yaml"), settings.optional_blocks)
    own_bureaus = settings.dirs.office / "bureaus.yaml" if settings.dirs.office else None  # the packaged are an example
    bureaus = load_bureaus(own_bureaus) if own_bureaus and own_bureaus.exists() else None
    rules, source = read_yaml(settings.dirs.file("rules.yaml"), RuleSettings)
    check_rule_settings(rules, source, forms, bureaus.codes if bureaus else ())
    layouts = load_layouts(settings.dirs.files("layouts", "*.yaml"), forms, HEADER_FIELDS)
    checker = Checker(forms, rules, bureaus, settings.read_limits, layouts)
    results = []
    refused: list[UserError] = []
    for given in files:
        try:
            for path in files_in(given):
                results += checker.check(path)
        except UserError as error:  # a path that is wrong costs the others nothing
            refused.append(error)
    if json and results:
        shown = [check_object(one) for one in results]
        print_json(shown[0] if len(shown) == 1 and len(files) == 1 else shown)
    elif not json:
        for one in results:
            _show(session, one)
    for wrong in refused:
        session.warn(wrong.message)
    if any(one.status is Status.FAILED for one in results):
        raise typer.Exit(PROGRAM_FAULT)
    if refused:
        raise typer.Exit(WRONG_USAGE)
    unclean = [one for one in results if one.status is not Status.ACCEPTED or _wants_a_look(one)]
    raise typer.Exit(NEEDS_PERSON if unclean else CLEAN)


def _wants_a_look(one: Checked) -> bool:
    from schemas.records import Severity

    unread = one.judged.submission.unread if one.judged else ()
    return any(failure.severity is not Severity.NOTICE for failure in one.failures) or bool(unread)


def _show(session: Session, one: Checked) -> None:
    from schemas.records import Severity

    if one.refusal is not None:
        session.say(f"✗ {one.file}:{one.refusal.zh}", f"✗ {one.file}: {one.refusal.en}")
        return
    listed = [failure for failure in one.failures if failure.implied_by is None]
    mark = "✗" if any(failure.severity is Severity.ERROR for failure in listed) else "!" if listed else "✓"
    if one.judged is None or one.form is None:
        _show_structure(session, one, mark)
        _show_failures(session, listed)
        return
    sent = one.judged.submission
    known = sum(1 for locator in sent.locators if locator)
    session.say(
        f"{mark} {one.file}:{one.form.title.zh} {sent.period or '(无时期)'} "
        f"{sent.header.get('bureau', '')},读到 {known} 格,未通过 {len(listed)},待判 {len(one.judged.not_assessable)}",
        f"{mark} {one.file}: {one.form.title.en} {sent.period or '(no period)'} "
        f"{sent.header.get('bureau', '')}, {known} cells read, {len(listed)} failures, "
        f"{len(one.judged.not_assessable)} not assessable",
    )
    if one.structure is not None:
        _show_structure(session, one, " ")
    _show_failures(session, listed)
    for place in sent.unread:
        session.say(
            f"  ? {place.locator}「{place.text}」未能识别为哪一项",
            f"  ? {place.locator} '{place.text}' was not understood",
        )


def _show_failures(session: Session, listed: Sequence[Failure]) -> None:
    for failure in listed:
        severity = failure.severity
        session.say(f"  [{severity.label_zh}] {failure.message.zh}", f"  [{severity}] {failure.message.en}")


def _show_structure(session: Session, one: Checked, mark: str) -> None:
    """What was read by the structure that a text or a foreign table shows."""
    shown = one.structure
    assert shown is not None
    read, judged = shown.structure.own, shown.counts
    session.say(
        f"{mark} {one.file}:按文中结构读到 {read} 个数(不属于任何报表指标),关系 {len(shown.verdicts)} 个:"
        f"成立 {judged['holds']},不成立 {judged['fails']},待判 {judged['not_assessable']}",
        f"{mark} {one.file}: {read} figures read by the structure of the text (of no form's indicator), "
        f"{len(shown.verdicts)} relations: {judged['holds']} hold, {judged['fails']} fail, "
        f"{judged['not_assessable']} not assessable",
    )
    for at in shown.structure.unread:
        figure = shown.structure.figures[at]
        session.say(
            f"  ? {figure.cell}「{figure.label} {figure.text}」未能识别其与其他数的关系",
            f"  ? {figure.cell} '{figure.label} {figure.text}' hangs together with no other figure",
        )


def import_history(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="CSV with bureau,period,indicator,column,value; bureau empty for the office.")
    ],
    family: Annotated[str | None, typer.Option(help="The form family; by default the office's.")] = None,
    replace: Annotated[bool, typer.Option(help="Replace figures that were imported with other values.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")] = False,
) -> None:
    """Take over consolidations and balances from before this warehouse, marked unverified."""
    from dataclasses import asdict
    from functools import partial

    from disclosure_etl.baseline_file import read_baseline
    from disclosure_etl.judgement import dependents_of, follow

    session: Session = context.obj
    office, chosen = session.office, family or session.settings.family
    rows = read_baseline(file, office.bureaus)
    with office.alone("import-history") as alone:
        warehouse = alone.warehouse
        run = warehouse.start_run("import-history", chosen, max(row.period for row in rows), office.clock())
        imported = warehouse.import_baseline(
            run, chosen, office.forms, rows, file.name, office.clock(), replace=replace,
            dependents=partial(dependents_of, alone, chosen),
        )  # fmt: skip
        followed = follow(alone, run, lambda stage, done, of: None)
        warehouse.finish_run(run, "done", asdict(imported), office.clock())
    if json:
        print_json(asdict(imported))
    else:
        session.say(
            f"{file}:新增 {imported.inserted},未变 {imported.unchanged},替换 {imported.replaced}(均标为未经核实)。",
            f"{file}: {imported.inserted} new, {imported.unchanged} unchanged, {imported.replaced} replaced (all unverified).",
        )
        if followed.consolidations:
            again = [one.period for one in followed.consolidations]
            session.say(
                f"随之重新判定并固化:{'、'.join(again)}", f"judged again and frozen with it: {', '.join(again)}"
            )

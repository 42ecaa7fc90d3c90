"""Commands that set up and look after an office: init, config check, doctor, warehouse. For the operator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(name="init")(init)
    app.command(name="doctor")(doctor)
    config = typer.Typer(help="The configuration.", no_args_is_help=True, rich_markup_mode=None)
    config.command(name="check")(config_check)
    app.add_typer(config, name="config")
    warehouse = typer.Typer(help="The warehouse.", no_args_is_help=True, rich_markup_mode=None)
    warehouse.command(name="upgrade")(warehouse_upgrade)
    app.add_typer(warehouse, name="warehouse")


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The office's folder.")] = Path("."),
) -> None:
    """Write an office's own configuration to start from, and its inbox. Files that are there stay as they are."""
    import shutil

    from disclosure_etl.settings import default_config_dir

    session: Session = context.obj
    source, target = default_config_dir(), folder / "config"
    written, kept = [], []
    for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml"):
        path = target / name
        if path.exists():
            kept.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, path)
        written.append(path)
    (folder / "inbox").mkdir(parents=True, exist_ok=True)
    for path in written:
        session.say(f"已写出 {path}", f"wrote {path}")
    for path in kept:
        session.say(f"已有,未改动:{path}", f"there already, left as it is: {path}")
    session.say(
        f"下一步:在 {target / 'bureaus.yaml'} 中写入本系统各单位;报表、日历沿用自带的,要改时把同名文件放进 {target} 即可;"
        f"把各单位的文件放进 {folder / 'inbox'},然后在 {folder.resolve()} 中运行 disclosure-etl consolidate 时期(如 2014-05)。",
        f"Next: enter your bureaus in {target / 'bureaus.yaml'}; forms and calendar are the packaged ones until a file of the "
        f"same name stands in {target}; put the bureaus' files into {folder / 'inbox'}, and run "
        f"'disclosure-etl consolidate PERIOD' (2014-05, say) in {folder.resolve()}.",
    )


def config_check(context: typer.Context) -> None:
    """Read every configuration file and say whether it can be used."""
    session: Session = context.obj
    settings, office = session.settings, session.office
    forms = office.forms.forms
    shown = settings.dirs.office or settings.dirs.default
    _ = office.schedule, office.calendar
    office.check()
    session.say(
        f"配置可用:{shown}(单位 {len(office.bureaus.codes)},报表 {'、'.join(form.key for form in forms)},"
        f"日历至 {office.calendar.last_listed_year} 年)",
        f"configuration usable: {shown} ({len(office.bureaus.codes)} bureaus, forms {', '.join(form.key for form in forms)}, "
        f"calendar until {office.calendar.last_listed_year})",
    )


def doctor(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")] = False,
) -> None:
    """Look whether everything is in place: configuration, warehouse, inbox, calendar."""
    from disclosure_etl.warehouse import Warehouse

    session: Session = context.obj
    settings, office = session.settings, session.office
    now = office.clock()
    found, needed = Warehouse.open(settings.warehouse_url, any_version=True).schema_version()
    last = office.calendar.last_listed_year or 0
    office.check()
    where = f"{settings.dirs.office or settings.dirs.default}"
    schema = (f"结构 {found},需要 {needed}", f"schema {found}, needs {needed}")
    if found is None:
        schema = ("空,首次运行时建立", "empty, filled by the first run")
    findings = [
        ("config", True, where, where),
        ("inbox", settings.inbox_path.is_dir(), f"{settings.inbox_path}", f"{settings.inbox_path}"),
        (
            "warehouse",
            found in (None, needed),
            f"{settings.warehouse_label}({schema[0]})",
            f"{settings.warehouse_label} ({schema[1]})",
        ),
        # Next year's holidays are announced in November; from December on they have to be entered.
        (
            "calendar",
            last > now.year or (last == now.year and now.month < 12),
            f"节假日录至 {last} 年",
            f"holidays listed until {last}",
        ),
    ]
    if json:
        print_json([{"what": what, "ok": fine, "detail": {"zh": zh, "en": en}} for what, fine, zh, en in findings])
    else:
        names = {"config": "配置", "inbox": "收件目录", "warehouse": "仓库", "calendar": "日历"}
        for what, fine, zh, en in findings:
            mark = "✓" if fine else "✗"
            session.say(f"{mark} {names[what]}:{zh}", f"{mark} {what}: {en}")
    raise typer.Exit(CLEAN if all(fine for _, fine, _, _ in findings) else NEEDS_PERSON)


def warehouse_upgrade(context: typer.Context) -> None:
    """Bring the warehouse's schema to this program's version, keeping all data. Back it up before."""
    from disclosure_etl.warehouse import Warehouse

    session: Session = context.obj
    warehouse = Warehouse.open(session.settings.warehouse_url, any_version=True)
    before, needed = warehouse.schema_version()
    warehouse.upgrade()
    if before == needed:
        session.say(f"已是最新结构 {needed}。", f"The schema is {needed} already.")
    else:
        session.say(f"结构版本:{before or '空'} → {needed}", f"schema version: {before or 'empty'} → {needed}")

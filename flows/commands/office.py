"""Commands that set up and look after an office: init, config check, doctor, warehouse. For the operator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.session import CLEAN, NEEDS_PERSON, Session, print_json

if TYPE_CHECKING:
    from disclosure_etl.office import Office


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(name="init")(init)
    app.command(name="doctor")(doctor)
    config = typer.Typer(help="The configuration.", no_args_is_help=True, rich_markup_mode=None)
    config.command(name="check")(config_check)
    app.add_typer(config, name="config")
    warehouse = typer.Typer(help="The warehouse.", no_args_is_help=True, rich_markup_mode=None)
    for name, command in (
        ("upgrade", warehouse_upgrade),
        ("verify", warehouse_verify),
        ("backup", warehouse_backup),
        ("restore", warehouse_restore),
        ("grants", warehouse_grants),
    ):
        warehouse.command(name=name)(command)
    app.add_typer(warehouse, name="warehouse")


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The office's folder; this one by default.")] = Path(
        "."
    ),
) -> None:
    """Write an office's own configuration to start from, and its inbox. Files that are there stay as they are."""
    import shutil

    from disclosure_etl.settings import default_config_dir

    session: Session = context.obj
    source, target = default_config_dir(), folder / "config"
    written, kept = [], []
    for name in ("settings.yaml", "bureaus.yaml", "schedule.yaml", "sources.yaml"):
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
        f"下一步:在 {target / 'bureaus.yaml'} 中写入本系统各单位,把 {target / 'settings.yaml'} 的 office.bureau 改为本局的代码,"
        f"运行 disclosure-etl config check 核对;报表、日历沿用自带的,要改时把同名文件放进 {target} 即可;"
        f"把各单位的文件放进 {folder / 'inbox'},然后在 {folder.resolve()} 中运行 disclosure-etl consolidate 时期(如 2014-05)。",
        f"Next: enter your bureaus in {target / 'bureaus.yaml'}, write the code of your own into office.bureau of "
        f"{target / 'settings.yaml'}, and run 'disclosure-etl config check'; forms and calendar are the packaged ones until a file of the "
        f"same name stands in {target}; put the bureaus' files into {folder / 'inbox'}, and run "
        f"'disclosure-etl consolidate PERIOD' (2014-05, say) in {folder.resolve()}.",
    )


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")]


def config_check(context: typer.Context, json: AsJson = False) -> None:
    """Read every configuration file and say whether it can be used."""
    session: Session = context.obj
    settings, office = session.settings, session.any_office
    forms = [form.key for form in office.forms.forms]
    shown = settings.dirs.office or settings.dirs.default
    _ = office.schedule
    last = office.calendar.last_listed_year
    _check(office)
    if json:
        print_json({"config": f"{shown}", "bureaus": len(office.bureaus.codes), "forms": forms, "calendar_until": last})
        return
    session.say(
        f"配置可用:{shown}(单位 {len(office.bureaus.codes)},报表 {'、'.join(forms)},日历至 {last} 年)",
        f"configuration usable: {shown} ({len(office.bureaus.codes)} bureaus, forms {', '.join(forms)}, "
        f"calendar until {last})",
    )


def _check(office: Office) -> None:
    """Hold the files against one another; the office's own code first, with its line.

    Raises:
        ConfigError: something names what is not there.
    """
    from disclosure_etl.settings import SettingsFile
    from schemas.yamlfile import read_yaml, unknown_name

    settings, source = read_yaml(office.settings.dirs.file("settings.yaml"), SettingsFile)
    own = settings.office.bureau
    if own not in office.bureaus.codes:
        zh, en = unknown_name(own, office.bureaus.codes)
        raise source.error(
            ("office", "bureau"),
            f"office.bureau「{own}」不在 bureaus.yaml 中;请写上本局在 bureaus.yaml 中的代码。{zh}",
            f"office.bureau is '{own}', which is not in bureaus.yaml; write the office's own code. {en}",
        )
    office.check()
    _ = office.sources
    if settings.desk.oidc is not None:
        from disclosure_etl.desk.provider import provider_of

        provider_of(office)


def doctor(context: typer.Context, json: AsJson = False) -> None:
    """Look whether everything is in place: configuration, form, sources and identity provider (each is tried), warehouse, calendar."""
    session: Session = context.obj
    office = session.any_office
    _check(office)
    findings = _findings(office)
    if json:
        print_json([{"what": what, "ok": fine, "detail": {"zh": zh, "en": en}} for what, fine, zh, en in findings])
    else:
        names = {"config": "配置", "form": "报表", "inbox": "收件目录", "source": "来源", "warehouse": "仓库"}
        names |= {"calendar": "日历", "oidc": "身份认证平台"}
        for what, fine, zh, en in findings:
            mark = "✓" if fine else "✗"
            session.say(f"{mark} {names[what]}:{zh}", f"{mark} {what}: {en}")
    raise typer.Exit(CLEAN if all(fine for _, fine, _, _ in findings) else NEEDS_PERSON)


_Finding = tuple[str, bool, str, str]  # what, whether it is in place, in Chinese and English


def _findings(office: Office) -> list[_Finding]:
    """What is in place, as (what, whether it is, in Chinese and English)."""
    from flows.running import default_period, form_gap

    settings, now = office.settings, office.clock()
    last = office.calendar.last_listed_year or 0
    # Next year's holidays are announced in November; from December on they have to be entered.
    listed = last > now.year or (last == now.year and now.month < 12)
    gap = form_gap(office, settings.family)
    over = default_period(office, settings.family)
    form = (gap.zh, gap.en) if gap else (f"{settings.family}({over})", f"{settings.family} ({over})")
    where = settings.dirs.office
    config = (f"{where}", f"{where}")
    if where is None:
        config = (
            f"这里没有 config/,用的是自带的示例({settings.dirs.default});请运行 disclosure-etl init 或用 --config",
            f"no config/ here, only the packaged example ({settings.dirs.default}); run 'disclosure-etl init' or use --config",
        )
    return [
        ("config", where is not None, *config),
        ("form", gap is None, *form),
        *_sources(office),
        *_provider(office),
        *([_warehouse(office)] if where is not None else []),  # looking would make a file where there is no office
        ("calendar", listed, f"节假日录至 {last} 年", f"holidays listed until {last}"),
    ]


def _sources(office: Office) -> list[_Finding]:
    """Each source, tried as a run would: listed, with nothing fetched; a server that lists nothing is asked for one file."""
    from disclosure_etl.intake.sources import FolderSource
    from disclosure_etl.intake.sources.listing import try_source

    found = []
    for source in office.sources:
        if isinstance(source, FolderSource) and source.root == office.settings.inbox_path:
            found.append(("inbox", source.root.is_dir(), f"{source.root}", f"{source.root}"))
            continue
        listed = try_source(source, office.clock())
        source.close()
        if listed.down is not None:
            found.append(("source", False, listed.down.zh, listed.down.en))
            continue
        files = len(listed.present)
        told = (f"{source.name}({source.kind},文件 {files})", f"{source.name} ({source.kind}, {files} files)")
        found.append(("source", True, *told))
    return found


def _provider(office: Office) -> list[_Finding]:
    """The identity provider, if the desk has one, asked as for a sign-in."""
    if office.settings.file.desk.oidc is None:
        return []
    from disclosure_etl.desk.provider import ProviderDown, provider_of

    provider = provider_of(office)
    assert provider is not None
    where = provider.settings.issuer
    try:
        provider.look()
    except ProviderDown as error:
        return [("oidc", False, f"{where}:{error.why}", f"{where}: {error.why}")]
    return [("oidc", True, where, where)]


def _warehouse(office: Office) -> _Finding:
    from disclosure_etl.warehouse import Warehouse

    warehouse = Warehouse.open(office.settings.warehouse_url, any_version=True)
    found, needed = warehouse.schema_version()
    warehouse.close()
    zh, en = f"结构 {found},需要 {needed}", f"schema {found}, needs {needed}"
    if found is None:
        zh, en = "空,首次运行时建立", "empty, filled by the first run"
    where = office.settings.warehouse_label
    return ("warehouse", found in (None, needed), f"{where}({zh})", f"{where} ({en})")


def warehouse_upgrade(context: typer.Context) -> None:
    """Bring the warehouse's schema to this program's version, keeping all data. Back it up before."""
    from disclosure_etl.warehouse import Warehouse

    session: Session = context.obj
    office = session.office
    warehouse = Warehouse.open(session.settings.warehouse_url, any_version=True)
    with warehouse.alone("warehouse upgrade", session.settings.run_patience_seconds, office.tell) as alone:
        before, needed = alone.schema_version()
        alone.upgrade()
    if before == needed:
        session.say(f"已是最新结构 {needed}。", f"The schema is {needed} already.")
    else:
        session.say(f"结构版本:{before or '空'} → {needed}", f"schema version: {before or 'empty'} → {needed}")


_CHECKS = {
    "chain": ("记录链", "record of what was done", "条", "events"),
    "moves": ("报表状态的变动", "moves of returns", "次", "moves"),
    "references": ("引用", "references", "个数字", "figures"),
    "versions": ("固化的版本", "frozen versions", "版", "versions"),
    "figures": ("汇总数重新相加", "consolidated figures added up again", "个", "figures"),
    "raw": ("收到的原件", "received files", "份", "files"),
}


def warehouse_verify(
    context: typer.Context,
    anchor: Annotated[
        str | None, typer.Option(metavar="HASH", help="The hash of an event as it was printed; it must still be there.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Look whether all that is stored hangs together: record, moves, references, versions, sums, received files. Changes nothing."""
    from disclosure_etl.keeping import verified

    session: Session = context.obj
    found = verified(session.office, anchor)
    if json:
        print_json(
            [
                {"what": one.what, "checked": one.checked, "wrong": one.wrong, "places": list(one.places)}
                for one in found
            ]
        )
    else:
        for one in found:
            zh, en, unit_zh, unit_en = _CHECKS[one.what]
            if one.holds:
                session.say(f"✓ {zh}:{one.checked} {unit_zh}", f"✓ {en}: {one.checked} {unit_en}")
            else:
                places = session.listed(one.places)
                session.say(
                    f"✗ {zh}:{one.wrong} 处不符,如 {places}", f"✗ {en}: {one.wrong} do not hold, such as {places}"
                )
        if not all(one.holds for one in found):
            session.say(
                "数据库被程序以外的手改动过,或磁盘有损坏。请保存现状,用 warehouse restore 把最近的备份恢复到一个新库中核对。",
                "Something other than the program changed the database, or the disk is damaged. Keep it as it is, and restore "
                "the newest backup into a new database to compare ('warehouse restore').",
            )
    raise typer.Exit(CLEAN if all(one.holds for one in found) else NEEDS_PERSON)


def warehouse_backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, such as 2014-06.zip.")],
) -> None:
    """Write all that the office has into one file: the warehouse, of whatever kind and version, and all received files."""
    from disclosure_etl.keeping import backup

    session: Session = context.obj
    copied = backup(session.office, file)
    session.say(
        f"已备份到 {file}:结构 {copied.schema},{copied.rows} 行,原件 {copied.raw} 份;记录链链头 {copied.head or '(无)'}",
        f"backed up to {file}: schema {copied.schema}, {copied.rows} rows, {copied.raw} received files; head of the record "
        f"{copied.head or '(none)'}",
    )


def warehouse_restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'warehouse backup' has written.")],
) -> None:
    """Fill the office's warehouse, which must be empty, from a backup; also to move from SQLite to PostgreSQL, or back."""
    from disclosure_etl.keeping import restore

    session: Session = context.obj
    copied = restore(session.office, file)
    session.say(
        f"已恢复:{copied.rows} 行,原件 {copied.raw} 份。请运行 disclosure-etl warehouse verify 核对。",
        f"restored: {copied.rows} rows, {copied.raw} received files. Look it over with 'disclosure-etl warehouse verify'.",
    )


def warehouse_grants(
    context: typer.Context,
    role: Annotated[
        str, typer.Argument(metavar="ROLE", help="The role that the service connects as; it owns nothing.")
    ],
    schema: Annotated[str, typer.Option(metavar="SCHEMA", help="The schema that the tables are in.")] = "public",
) -> None:
    """Print what a PostgreSQL administrator grants the service's role: no more than reading and appending where nothing may be
    changed. Runs nothing; upgrade and restore stay with the owner of the tables."""
    from disclosure_etl.warehouse.grants import grants

    session: Session = context.obj
    for statement in grants(role, schema):
        session.say(*(f"{statement};",) * 2)

"""An office's settings and where its configuration lies: read once at the door and passed down.

Credentials come from the environment only. Not here: what other configuration files mean (bureaus, calendar, forms).
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from disclosure_etl.desk_settings import DeskSettings, check_desk
from schemas.errors import ConfigError, Language
from schemas.yamlfile import Source, read_yaml

_MOST_PROCESSES = 4
_SINGLE_FILES = ("settings.yaml", "bureaus.yaml", "schedule.yaml", "rules.yaml", "sources.yaml")
_FOLDERS = ("forms", "layouts", "calendar")

_PASSWORD = re.compile(r"(?<=://)([^:/@]*):.*@")  # to the last @, so that one inside the password shows nothing of it
_SECRET_OPTION = re.compile(r"([?&]\w*(?:password|passwd)=)[^&]*", re.IGNORECASE)


def processes_here() -> int:
    """How many files may well be read at once: a process a core, and not more than a few."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_PROCESSES)


@dataclass(frozen=True, slots=True)
class ConfigDirs:
    """An office's configuration over the packaged one, file by file."""

    office: Path | None
    default: Path

    def file(self, relative: str) -> Path:
        """The file in force: the office's own where it has one."""
        own = self.office / relative if self.office else None
        return own if own is not None and own.exists() else self.default / relative

    def files(self, folder: str, pattern: str) -> tuple[Path, ...]:
        """All files of a folder, by name; of two with one name the office's own. Hidden files are none of it.

        Raises:
            ConfigError: the office has a `.yml` where `.yaml` is read: left out silently, it would be missed too late.
        """
        found: dict[str, Path] = {}
        for base in (self.default, self.office):
            if base is None:
                continue
            found |= {path.name: path for path in (base / folder).glob(pattern) if not path.name.startswith(".")}
            if odd := sorted((base / folder).glob(pattern.removesuffix(".yaml") + ".yml")):
                raise ConfigError(
                    f"{odd[0]} 不会被读取;请把扩展名改为 .yaml。", f"{odd[0]} is not read; rename it to end in .yaml."
                )
        return tuple(found[name] for name in sorted(found))

    def digests(self) -> dict[str, str]:
        """The SHA-256 of every file in force, by its name below the folder; secrets are none of them."""
        named = {name: self.file(name) for name in _SINGLE_FILES}
        many = {f"{folder}/{path.name}": path for folder in _FOLDERS for path in self.files(folder, "*.yaml")}
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in (named | many).items()
            if path.exists()
        }


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfficeSettings(_Part):
    """Who runs this: the code of the municipal bureau in bureaus.yaml."""

    bureau: str


class ReadLimits(_Part):
    """What a file may cost to read; a refusal names the limit. Bytes, cells, seconds; files in an archive, and archives in each
    other; `max_memory` is of a reading process."""

    max_bytes: int = Field(default=50_000_000, gt=0)
    max_uncompressed_bytes: int = Field(default=200_000_000, gt=0)
    max_ratio: int = Field(default=200, gt=0)
    max_cells: int = Field(default=250_000, gt=0)
    max_files: int = Field(default=5_000, gt=0)
    max_nesting: int = Field(default=3, gt=0)
    max_seconds: float = Field(default=20, gt=0)
    max_memory: int = Field(default=1_000_000_000, ge=300_000_000)


class SignOffSettings(_Part):
    """Who signs a version off: one person, or two different ones."""

    two_persons: bool = False


class SettingsFile(_Part):
    """The content of settings.yaml. Relative paths are relative to the folder that holds the config folder."""

    office: OfficeSettings
    family: str = "bureau-monthly"
    warehouse: str = "var/warehouse.sqlite"
    inbox: str = "inbox"
    secrets: str | None = None
    raw_store: str = "var/raw"
    reports: str = "out"
    prefect_home: str = "var/prefect"
    prefect_api: str | None = None
    language: Literal["auto", "zh", "en"] = "auto"
    chunk_size: int = Field(default=250, gt=0)
    processes: Annotated[int, Field(ge=0, le=64)] | Literal["auto"] = "auto"
    limits: ReadLimits = ReadLimits()
    run_patience_seconds: float = Field(default=600, ge=0)
    optional_blocks: dict[str, tuple[str, ...]] = {}
    sign_off: SignOffSettings = SignOffSettings()
    desk: DeskSettings = DeskSettings()


@dataclass(frozen=True)
class Settings:
    """Settings as in force: the file, the environment over it, paths made absolute.

    `base` is what relative paths are relative to: the folder that holds the office's config folder, or where the
    command was started when only the packaged configuration is there.
    """

    dirs: ConfigDirs
    base: Path
    file: SettingsFile
    warehouse_url: str
    inbox_path: Path
    language: Language
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)  # it holds secrets

    @property
    def secrets_path(self) -> Path:
        """Where passwords of sources and the desk's client secret are, unless they are in the environment."""
        if self.file.secrets:
            return self.base / self.file.secrets
        return (self.dirs.office or self.base / "config") / "secrets.yaml"

    @property
    def raw_store_path(self) -> Path:
        """Where received bytes are kept."""
        return self.base / self.file.raw_store

    @property
    def reports_path(self) -> Path:
        """Where reports are written."""
        return self.base / self.file.reports

    @property
    def uploads_path(self) -> Path:
        """Where files lie that came through the desk: a source of its own."""
        return self.base / self.file.desk.uploads

    @property
    def prefect_home(self) -> Path:
        """Prefect's own folder, apart from the warehouse."""
        return self.base / self.file.prefect_home

    @property
    def family(self) -> str:
        """The form family that commands take when none is named."""
        return self.file.family

    @property
    def bureau(self) -> str:
        """The code of the municipal bureau that runs this."""
        return self.file.office.bureau

    @property
    def prefect_api(self) -> str | None:
        """The address of a Prefect server, if one is used."""
        return self.file.prefect_api

    @property
    def actor(self) -> str:
        """Who runs this, in the record of what was done: `DISCLOSURE_ACTOR`, else the name that the machine knows."""
        if named := self.environment.get("DISCLOSURE_ACTOR"):
            return named
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            return "unknown"

    @property
    def read_limits(self) -> ReadLimits:
        """What a file may cost to read."""
        return self.file.limits

    @property
    def processes(self) -> int:
        """In how many processes files are read; 0 is in the run's own."""
        return processes_here() if self.file.processes == "auto" else self.file.processes

    @property
    def run_patience_seconds(self) -> float:
        """How long a run waits for another one to end."""
        return self.file.run_patience_seconds

    @property
    def chunk_size(self) -> int:
        """Files per chunk of reading."""
        return self.file.chunk_size

    @property
    def optional_blocks(self) -> dict[str, tuple[str, ...]]:
        """Optional blocks switched on, by family."""
        return dict(self.file.optional_blocks)

    @property
    def two_persons_sign(self) -> bool:
        """Whether a sign-off takes two people."""
        return self.file.sign_off.two_persons

    @property
    def warehouse_label(self) -> str:
        """The warehouse's address as it may be shown: never with a password."""
        return _SECRET_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1:***@", self.warehouse_url))


def default_config_dir() -> Path:
    """The packaged configuration: inside the installed package, or at the top of a source checkout.

    The wheel carries `config/` as `disclosure_etl/default_config`; in a checkout it lies where people look for it.
    """
    package = Path(__file__).resolve().parent
    installed = package / "default_config"
    return installed if installed.is_dir() else package.parent / "config"


def load_settings(config: Path | None, environment: Mapping[str, str], cwd: Path) -> Settings:
    """Settings from, in this order, `config`, `DISCLOSURE_CONFIG`, a `config/settings.yaml` below `cwd`, the package.

    Over them stand `DISCLOSURE_WAREHOUSE`, `DISCLOSURE_INBOX` and `DISCLOSURE_LANG`; an empty variable counts as none.

    Raises:
        ConfigError: a named folder does not exist, a setting cannot be used, or a password stands in a file.
    """
    cwd = cwd.resolve()
    office = _office_dir(config, environment, cwd)
    dirs = ConfigDirs(office, default_config_dir())
    file, source = read_yaml(dirs.file("settings.yaml"), SettingsFile)
    _refuse_passwords(file, source)
    check_desk(file.desk, source)
    base = office.parent if office else cwd
    return Settings(
        dirs,
        base,
        file,
        _warehouse_url(file, source, environment, base),
        base / (environment.get("DISCLOSURE_INBOX") or file.inbox),
        _language(file.language, environment),
        environment,
    )


def _office_dir(config: Path | None, environment: Mapping[str, str], cwd: Path) -> Path | None:
    named = config or (Path(environment["DISCLOSURE_CONFIG"]) if environment.get("DISCLOSURE_CONFIG") else None)
    if named is None:
        own = cwd / "config"
        return own if (own / "settings.yaml").exists() else None
    named = (cwd / named).resolve()
    if not named.is_dir():
        by = "--config" if config else "DISCLOSURE_CONFIG"
        raise ConfigError(
            f"配置目录 {named} 不存在(由 {by} 指定)。可用 disclosure-etl init 生成一个。",
            f"The configuration folder {named}, named by {by}, does not exist. 'disclosure-etl init' writes one.",
        )
    return named


def _refuse_passwords(file: SettingsFile, source: Source) -> None:
    """Files are copied, mailed and committed; the environment is not."""
    if _holds_password(file.warehouse):
        raise source.error(
            ("warehouse",),
            "数据库密码不得写在配置文件中;请把整个地址放在环境变量 DISCLOSURE_WAREHOUSE 里,并更换已写出的密码。",
            "A database password must not stand in a file; put the whole address into the environment variable "
            "DISCLOSURE_WAREHOUSE, and change the password that was written here.",
        )
    if file.prefect_api and _holds_password(file.prefect_api):
        raise source.error(
            ("prefect_api",),
            "Prefect 地址中不得写密码;请用环境变量 PREFECT_API_AUTH_STRING。",
            "A password must not stand in a file; use the environment variable PREFECT_API_AUTH_STRING.",
        )


def _holds_password(url: str) -> bool:
    return bool(_PASSWORD.search(url) or _SECRET_OPTION.search(url))


def _warehouse_url(file: SettingsFile, source: Source, environment: Mapping[str, str], base: Path) -> str:
    given = environment.get("DISCLOSURE_WAREHOUSE")
    scheme, separator, rest = (given or file.warehouse).partition("://")
    match scheme.lower() if separator else "":
        case "":
            return f"sqlite:///{(base / scheme).resolve()}"
        case "sqlite":
            return f"sqlite://{_absolute(rest, base)}"
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return f"postgresql+psycopg://{rest}"
    zh = f"不支持数据库「{scheme}」;请写文件路径、sqlite:///文件,或 postgresql://用户@主机/库名。"
    en = f"The database '{scheme}' is not supported; give a file, sqlite:///file or postgresql://user@host/name."
    if given:
        raise ConfigError(f"DISCLOSURE_WAREHOUSE: {zh}", f"DISCLOSURE_WAREHOUSE: {en}")
    raise source.error(("warehouse",), zh, en)


def _absolute(rest: str, base: Path) -> str:
    """The part of a SQLite address after `sqlite://`, its file made absolute: it would follow the process otherwise."""
    file, mark, options = rest.removeprefix("/").partition("?")
    if file in ("", ":memory:") or file.startswith("file:"):
        return rest
    return f"/{(base / file).resolve()}{mark}{options}"


def _language(setting: str, environment: Mapping[str, str]) -> Language:
    """Chinese or English: as `DISCLOSURE_LANG` or the file says, by default as the terminal does, else Chinese.

    Raises:
        ConfigError: `DISCLOSURE_LANG` is neither of them nor `auto`.
    """
    wish = environment.get("DISCLOSURE_LANG") or setting
    known: dict[str, Language] = {"zh": "zh", "en": "en"}
    if wish in known:
        return known[wish]
    if wish != "auto":
        raise ConfigError(
            f"环境变量 DISCLOSURE_LANG 为「{wish}」;可用的有:zh、en、auto。",
            f"The environment variable DISCLOSURE_LANG is '{wish}'; known: zh, en, auto.",
        )
    return terminal_language(environment)


def terminal_language(environment: Mapping[str, str]) -> Language:
    """English where the terminal speaks it; Chinese everywhere else, also where it says nothing."""
    names = ("DISCLOSURE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    terminal = next((environment[name] for name in names if environment.get(name) not in (None, "", "auto")), "")
    return "en" if terminal.lower().startswith("en") else "zh"

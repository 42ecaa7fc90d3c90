"""An office's settings and where its configuration lies: read once at the door and passed down.

Credentials come from the environment only. Not here: what other configuration files mean (bureaus, calendar, forms).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ConfigError, Language
from schemas.yamlfile import read_yaml


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
        """All files of a folder, by name; of two with one name the office's own."""
        found = {path.name: path for path in sorted((self.default / folder).glob(pattern))}
        if self.office:
            found |= {path.name: path for path in sorted((self.office / folder).glob(pattern))}
        return tuple(found[name] for name in sorted(found))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OfficeSettings(_Part):
    """Who runs this: the code of the municipal bureau in bureaus.yaml."""

    bureau: str


class ReadLimits(_Part):
    """What a file may cost to read. A refusal names the limit."""

    max_bytes: int = Field(default=50_000_000, gt=0)
    max_uncompressed_bytes: int = Field(default=200_000_000, gt=0)
    max_ratio: int = Field(default=200, gt=1)
    max_cells: int = Field(default=2_000_000, gt=0)


class SettingsFile(_Part):
    """The content of settings.yaml. Relative paths are relative to the folder that holds the config folder."""

    office: OfficeSettings
    family: str = "bureau-monthly"
    warehouse: str = "var/warehouse.sqlite"
    inbox: str = "inbox"
    raw_store: str = "var/raw"
    reports: str = "out"
    prefect_home: str = "var/prefect"
    prefect_api: str | None = None
    language: str = Field(default="auto", pattern="^(auto|zh|en)$")
    chunk_size: int = Field(default=250, gt=0)
    limits: ReadLimits = ReadLimits()
    optional_blocks: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True)
class Settings:
    """Settings as in force: the file, the environment over it, paths made absolute."""

    dirs: ConfigDirs
    base: Path
    file: SettingsFile
    warehouse_url: str
    inbox_path: Path
    language: Language

    @property
    def raw_store_path(self) -> Path:
        """Where received bytes are kept."""
        return self.base / self.file.raw_store

    @property
    def reports_path(self) -> Path:
        """Where reports are written."""
        return self.base / self.file.reports

    @property
    def prefect_home(self) -> Path:
        """Prefect's own folder, apart from the warehouse."""
        return self.base / self.file.prefect_home

    @property
    def family(self) -> str:
        """The form family that commands take when none is named."""
        return self.file.family

    @property
    def chunk_size(self) -> int:
        """Files per chunk of reading."""
        return self.file.chunk_size

    @property
    def read_limits(self) -> ReadLimits:
        """What a file may cost to read."""
        return self.file.limits

    @property
    def optional_blocks(self) -> dict[str, tuple[str, ...]]:
        """Optional blocks switched on, by family."""
        return dict(self.file.optional_blocks)

    @property
    def warehouse_label(self) -> str:
        """The warehouse's address as it may be shown: never with a password."""
        return re.sub(r"(?<=://)([^:/@]*):[^@]*@", r"\1:***@", self.warehouse_url)


def default_config_dir() -> Path:
    """The packaged configuration: inside the installed package, or at the top of a source checkout.

    The wheel carries `config/` as `disclosure_etl/default_config`; in a checkout it lies where people look for it.
    """
    package = Path(__file__).resolve().parent
    installed = package / "default_config"
    return installed if installed.is_dir() else package.parent / "config"


def load_settings(config: Path | None, environment: Mapping[str, str], cwd: Path) -> Settings:
    """Settings from, in this order, `config`, `DISCLOSURE_CONFIG`, a `config/settings.yaml` below `cwd`, the package.

    Raises:
        ConfigError: a named folder does not exist, or a file in it cannot be used.
    """
    office = _office_dir(config, environment, cwd)
    dirs = ConfigDirs(office, default_config_dir())
    file, source = read_yaml(dirs.file("settings.yaml"), SettingsFile)
    base = office.parent if office else cwd
    url = environment.get("DISCLOSURE_WAREHOUSE")
    if url is None:
        if urlsplit(file.warehouse).password:
            raise source.error(
                ("warehouse",),
                "数据库密码不得写在配置文件中;请把整个地址放在环境变量 DISCLOSURE_WAREHOUSE 里。",
                "A database password must not stand in a configuration file; put the whole address into the environment "
                "variable DISCLOSURE_WAREHOUSE.",
            )
        url = file.warehouse
    inbox = Path(environment.get("DISCLOSURE_INBOX") or file.inbox)
    return Settings(dirs, base, file, _database_url(url, base), base / inbox, _language(file.language, environment))


def _office_dir(config: Path | None, environment: Mapping[str, str], cwd: Path) -> Path | None:
    named = config or (Path(environment["DISCLOSURE_CONFIG"]) if environment.get("DISCLOSURE_CONFIG") else None)
    if named is None:
        own = cwd / "config"
        return own if (own / "settings.yaml").exists() else None
    named = (cwd / named).resolve()
    if not named.is_dir():
        raise ConfigError(
            f"配置目录 {named} 不存在。可用 disclosure-etl init 生成一个。",
            f"The configuration folder {named} does not exist. 'disclosure-etl init' writes one.",
        )
    return named


def _database_url(text: str, base: Path) -> str:
    if "://" not in text:
        return f"sqlite:///{(base / text).resolve()}"
    for plain in ("postgresql://", "postgres://"):
        if text.startswith(plain):
            return "postgresql+psycopg://" + text[len(plain) :]
    return text


def _language(setting: str, environment: Mapping[str, str]) -> Language:
    wish = environment.get("DISCLOSURE_LANG") or (setting if setting != "auto" else None)
    if wish:
        return "en" if wish.startswith("en") else "zh"
    return terminal_language(environment)


def terminal_language(environment: Mapping[str, str]) -> Language:
    """English where the terminal speaks it; Chinese everywhere else, also where it says nothing."""
    names = ("DISCLOSURE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    terminal = next((environment[name] for name in names if environment.get(name)), "")
    return "en" if terminal.lower().startswith("en") else "zh"

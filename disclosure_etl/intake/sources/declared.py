"""What sources.yaml says: each source with its name, kind, address and bureaus, and that none of it is a password.

Not here: opening any of them (`opening`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from disclosure_etl.intake.sources.secret_values import Secrets
from schemas.yamlfile import Location, read_yaml, unknown_name
from schemas.yamlfile import Source as YamlPlaces

KINDS = ("folder", "http", "sftp", "webdav", "s3", "imap", "sql")
CREDENTIALS = ("user", "password", "token", "key", "secret_key", "private_key", "passphrase")
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/\s]*@|[?&]\w*(?:password|passwd|token|secret)\w*=", re.IGNORECASE)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Declared(_Part):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    bureaus: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=30, gt=0)
    file_seconds: float = Field(default=300, gt=0)
    attempts: int = Field(default=3, gt=0)
    backoff_seconds: float = Field(default=1, ge=0)


class FolderDeclared(_Declared):
    """A folder; `path` left out is the inbox of the settings."""

    kind: Literal["folder"]
    path: str | None = None
    settle_seconds: float = Field(default=0, ge=0)


class HttpDeclared(_Declared):
    """Downloads of `urls`, and of the links on the `index` pages whose names fit `links`."""

    kind: Literal["http"]
    urls: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    links: tuple[str, ...] = (
        "*.xlsx",
        "*.xls",
        "*.et",
        "*.ods",
        "*.csv",
        "*.tsv",
        "*.docx",
        "*.pdf",
        "*.zip",
        "*.json",
    )
    hosts: tuple[str, ...] = ()
    user: Any = None
    password: Any = None
    token: Any = None


class SftpDeclared(_Declared):
    """A folder of an SFTP server, known by its host keys."""

    kind: Literal["sftp"]
    host: str
    port: int = Field(default=22, gt=0, lt=65536)
    path: str = "."
    known_hosts: str | tuple[str, ...]
    settle_seconds: float = Field(default=10, ge=0)
    user: Any
    password: Any = None
    private_key: Any = None
    passphrase: Any = None


class WebdavDeclared(_Declared):
    """A folder of a WebDAV server."""

    kind: Literal["webdav"]
    url: str
    path: str = ""
    settle_seconds: float = Field(default=10, ge=0)
    user: Any = None
    password: Any = None


class S3Declared(_Declared):
    """Objects of a bucket, below `path`."""

    kind: Literal["s3"]
    endpoint_url: str | None = None
    region: str | None = None
    bucket: str
    path: str = ""
    key: Any = None
    secret_key: Any = None


class ImapDeclared(_Declared):
    """Attachments of the mails in a mailbox's folder. `domains`: whose DKIM signatures count. `keys`: their public keys by
    selector and domain, for networks without DNS. `confirmed`: digests of attachments that a steward answers for."""

    kind: Literal["imap"]
    host: str
    port: int | None = Field(default=None, gt=0, lt=65536)
    security: Literal["tls", "starttls", "none"] = "tls"
    folder: str = "INBOX"
    mails: Literal["all", "unseen"] = "all"
    since_days: int = Field(default=90, gt=0)
    domains: tuple[str, ...] = ()
    keys: dict[str, str] = {}
    confirmed: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{16,64}$")], ...] = ()
    user: Any
    password: Any


class SqlDeclared(_Declared):
    """A table or view with the columns bureau, period, indicator, column, value."""

    kind: Literal["sql"]
    url: str
    table: str = Field(pattern=r"^\w+(\.\w+)?$")
    family: str | None = None
    since: str | None = None
    user: Any = None
    password: Any = None


Declared = FolderDeclared | HttpDeclared | SftpDeclared | WebdavDeclared | S3Declared | ImapDeclared | SqlDeclared


class _Kind(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    kind: Literal["folder", "http", "sftp", "webdav", "s3", "imap", "sql"]


class _Kinds(_Part):
    sources: tuple[_Kind, ...] = Field(min_length=1)


class _SourcesFile(_Part):
    sources: tuple[Annotated[Declared, Field(discriminator="kind")], ...] = Field(min_length=1)


def read_sources(path: Path, bureaus: Collection[str], secrets: Secrets) -> tuple[Declared, ...]:
    """The sources of `path`, with nothing in them that cannot be used.

    Raises:
        ConfigError: with file and line: no such kind or bureau, two of one name, a password in the file, a secret that
            is nowhere.
    """
    read_yaml(path, _Kinds)  # a kind that is none is told by itself, before what any kind needs
    file, places = read_yaml(path, _SourcesFile)
    names: set[str] = set()
    for number, one in enumerate(file.sources):
        at: Location = ("sources", number)
        if one.name in names:
            raise places.error(
                (*at, "name"),
                f"来源「{one.name}」有两个;请改其一的 name。",
                f"There are two sources '{one.name}'; rename one.",
            )
        names.add(one.name)
        for place, code in enumerate(one.bureaus):
            if code not in bureaus:
                zh, en = unknown_name(code, list(bureaus))
                raise places.error(
                    (*at, "bureaus", place),
                    f"来源「{one.name}」的单位「{code}」不在 bureaus.yaml 中。{zh}",
                    f"Source '{one.name}' names the bureau '{code}', which is not in bureaus.yaml. {en}",
                )
        _check_addresses(one, at, places)
        for field in CREDENTIALS:
            _check_credential(one, field, at, places, secrets)
        if isinstance(one, HttpDeclared) and not (one.urls or one.index):
            raise places.error(
                at,
                f"来源「{one.name}」没有要下载的地址;请写 urls(文件地址)或 index(列出文件的网页)。",
                f"Source '{one.name}' has nothing to download; give urls (of files) or index (pages that list them).",
            )
    return file.sources


def secret_name(written: Any) -> str | None:
    """The name in `{secret: NAME}`; None where it is anything else."""
    if isinstance(written, dict) and set(written) == {"secret"} and isinstance(written["secret"], str):
        return str(written["secret"])
    return None


def _check_addresses(one: Declared, at: Location, places: YamlPlaces) -> None:
    for field in ("url", "urls", "index", "endpoint_url", "host"):
        written = getattr(one, field, None)
        for text in (written,) if isinstance(written, str) else written or ():
            if _PASSWORD_IN_URL.search(text):
                raise places.error(
                    (*at, field),
                    f"来源「{one.name}」的地址中写有密码;请改为 password: {{secret: 名称}},把密码放进同名环境变量或 secrets.yaml,"
                    "并更换已写出的密码。",
                    f"The address of source '{one.name}' holds a password; write password: {{secret: NAME}} instead, put the "
                    "password into the environment variable of that name or into secrets.yaml, and change the one that was "
                    "written here.",
                )


def _check_credential(one: Declared, field: str, at: Location, places: YamlPlaces, secrets: Secrets) -> None:
    written = getattr(one, field, None)
    if written is None or (field == "user" and isinstance(written, str)):
        return
    name = secret_name(written)
    if name is None:
        raise places.error(
            (*at, field),
            f"来源「{one.name}」的 {field} 须写成 {{secret: 名称}},不得直接写在文件里;请把它放进同名环境变量或 secrets.yaml,"
            "如已写出密码,请更换。",
            f"{field} of source '{one.name}' must be {{secret: NAME}} and never stand in the file itself; put it into the "
            "environment variable of that name or into secrets.yaml, and change it if it was written here.",
        )
    if secrets.get(name) is None:
        raise places.error(
            (*at, field),
            f"来源「{one.name}」所需的「{name}」既不在环境变量中,也不在 {secrets.path} 中;请补上。",
            f"Source '{one.name}' needs '{name}', which is neither an environment variable nor in {secrets.path}; add it.",
        )

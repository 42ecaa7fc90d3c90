"""From what sources.yaml declares to sources that can be listed; the libraries of a kind are imported when one is used.

Not here: how any kind works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from disclosure_etl.intake.sources import declared as d
from disclosure_etl.intake.sources.delivery import Source
from disclosure_etl.intake.sources.folder import FolderSource
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.secret_values import Secrets
from schemas.errors import UserError
from schemas.formfile import Forms


@dataclass(frozen=True)
class Surroundings:
    """What sources take from their office: folders, time zone, secrets, forms, limits."""

    base: Path
    inbox: Path
    timezone: tzinfo
    secrets: Secrets
    max_bytes: int
    family: str
    forms: Callable[[], Forms]


def open_source(one: d.Declared, around: Surroundings, patience: Patience | None = None) -> Source:
    """The source that `one` declares; no connection is made yet.

    Raises:
        UserError: a library is missing that this kind needs.
    """
    patience = patience or Patience(one.timeout_seconds, one.file_seconds, one.attempts, one.backoff_seconds)
    with _libraries(one):
        return _opened(one, around, patience, frozenset(one.bureaus))


def _opened(one: d.Declared, around: Surroundings, patience: Patience, bureaus: frozenset[str]) -> Source:
    def secret(written: Any) -> str | None:
        if isinstance(written, str):
            return written
        name = d.secret_name(written)
        found = around.secrets.get(name) if name else None
        return found.reveal() if found else None

    match one:
        case d.FolderDeclared():
            root = around.base / one.path if one.path else around.inbox
            return FolderSource(root, around.timezone, one.name, bureaus, one.settle_seconds, patience.time)
        case d.HttpDeclared():
            from disclosure_etl.intake.sources.http import HttpSource

            return HttpSource(one, patience, around.max_bytes, secret)
        case d.SftpDeclared():
            from disclosure_etl.intake.sources.sftp import SftpSource

            return SftpSource(one, patience, around.max_bytes, secret, around.base)
        case d.WebdavDeclared():
            from disclosure_etl.intake.sources.webdav import WebdavSource

            return WebdavSource(one, patience, around.max_bytes, secret)
        case d.S3Declared():
            from disclosure_etl.intake.sources.s3 import S3Source

            return S3Source(one, patience, around.max_bytes, secret)
        case d.ImapDeclared():
            from disclosure_etl.intake.sources.imap import ImapSource

            return ImapSource(one, patience, around.max_bytes, secret)
        case d.SqlDeclared():
            from disclosure_etl.intake.sources.sql import SqlSource

            return SqlSource(one, patience, secret, around.family, around.forms)


@contextmanager
def _libraries(one: d.Declared) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        raise UserError(
            f"来源「{one.name}」({one.kind})需要程序库 {library},尚未安装;请运行 pip install 'disclosure-etl[sources]'。",
            f"The source '{one.name}' ({one.kind}) needs the library {library}, which is not installed; run "
            "pip install 'disclosure-etl[sources]'.",
        ) from None

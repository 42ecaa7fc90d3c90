"""A folder of an SFTP server. Its host key must be one of those declared; none is ever accepted on sight.

Not here: listing and fetching (`remote_tree`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncssh
from fsspec import AbstractFileSystem
from fsspec.asyn import sync
from sshfs import SSHFileSystem

from disclosure_etl.intake.sources.declared import SftpDeclared
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.remote_tree import Place, RemoteTree
from disclosure_etl.intake.sources.unreached import Unreached, no_connection, not_let_in
from schemas.errors import ConfigError


class SftpSource(RemoteTree):
    """One source of this kind."""

    kind = "sftp"

    def __init__(
        self,
        declared: SftpDeclared,
        patience: Patience,
        max_bytes: int,
        secret: Callable[[Any], str | None],
        base: Path,
    ) -> None:
        root = declared.path.rstrip("/") or "/"
        super().__init__(
            Place(declared.name, frozenset(declared.bureaus), root, declared.settle_seconds, max_bytes), patience
        )
        self._declared, self._secret, self._base = declared, secret, base

    def _connect(self) -> AbstractFileSystem:
        one, secret, wait = self._declared, self._secret, self._patience.timeout_seconds
        key = secret(one.private_key)
        try:
            client_keys = [asyncssh.import_private_key(key, secret(one.passphrase))] if key else None
        except (asyncssh.KeyImportError, ValueError):
            raise Unreached(
                "无法使用:private_key 不是私钥,或口令不对",
                "cannot be used: private_key is no key, or its passphrase is wrong",
            ) from None
        return SSHFileSystem(
            one.host,
            port=one.port,
            username=secret(one.user),
            password=secret(one.password),
            client_keys=client_keys,
            known_hosts=self._known_hosts(),
            config=[],  # nobody's own configuration or agent decides for the office
            agent_path=None,
            connect_timeout=wait,
            login_timeout=wait,
            timeout=wait + 5,
            skip_instance_cache=True,
        )

    def _known_hosts(self) -> asyncssh.SSHKnownHosts:
        written = self._declared.known_hosts
        try:
            text = (self._base / written).read_text("utf-8") if isinstance(written, str) else "\n".join(written)
            return asyncssh.import_known_hosts(text)
        except (OSError, ValueError):
            raise ConfigError(
                f"来源「{self.name}」的 known_hosts 读不出主机密钥;请写 ssh-keyscan 的输出并与对方核对,或其文件名。",
                f"known_hosts of source '{self.name}' holds no host keys; write what ssh-keyscan prints, after comparing it "
                "with the server's owner, or the name of a file with it.",
            ) from None

    def _entries(self, system: Any, path: str) -> list[dict[str, Any]]:
        return list(sync(system.loop, system._ls, path, timeout=self._patience.timeout_seconds))

    def _info(self, system: Any, path: str) -> dict[str, Any]:
        return dict(sync(system.loop, system._info, path, timeout=self._patience.timeout_seconds))

    def _bytes(self, system: Any, path: str) -> bytes:
        return bytes(sync(system.loop, system._cat_file, path, timeout=self._patience.file_seconds))

    def _explained(self, error: Exception) -> Unreached | None:
        match error:
            case asyncssh.HostKeyNotVerifiable():
                return Unreached(
                    "的主机密钥不是 sources.yaml 中 known_hosts 所列的;可能换了服务器,也可能有人冒充,请与对方核对",
                    "shows a host key that is not among known_hosts of sources.yaml: another server, or somebody who "
                    "pretends to be it; ask its owner",
                )
            case asyncssh.PermissionDenied():
                return not_let_in()
            case PermissionError():
                # sshfs says the same of a login and of a file; only before the first list there is no connection yet
                return not_let_in() if self._system is None else None
            case asyncssh.SFTPPermissionDenied():
                return Unreached("不允许读取,请核对权限", "may not be read; check the permissions")
            case asyncssh.SFTPNoConnection() | asyncssh.SFTPConnectionLost() | asyncssh.DisconnectError():
                return no_connection()
            case asyncssh.SFTPError():
                return Unreached("服务器报告错误", "is answered with an error by the server", passing=True)
        return None

    def _disconnect(self, system: Any) -> None:
        async def abort() -> None:
            system.client.abort()

        with suppress(Exception):  # it is gone, which is what was wanted
            sync(system.loop, abort, timeout=1)

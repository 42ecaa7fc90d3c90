"""Objects of an S3 bucket, or of a store that speaks the same.

Not here: listing and fetching (`remote_tree`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from fsspec import AbstractFileSystem
from s3fs import S3FileSystem

from disclosure_etl.intake.sources.declared import S3Declared
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.remote_tree import Place, RemoteTree
from disclosure_etl.intake.sources.unreached import Unreached, cut_off, no_connection, not_let_in, timed_out


class S3Source(RemoteTree):
    """One source of this kind. An object appears whole, so none has to settle."""

    kind = "s3"

    def __init__(
        self, declared: S3Declared, patience: Patience, max_bytes: int, secret: Callable[[Any], str | None]
    ) -> None:
        root = f"{declared.bucket}/{declared.path.strip('/')}".rstrip("/")
        super().__init__(Place(declared.name, frozenset(declared.bureaus), root, 0, max_bytes), patience)
        self._declared, self._secret = declared, secret

    def _connect(self) -> AbstractFileSystem:
        one, wait = self._declared, self._patience.timeout_seconds
        key = self._secret(one.key)
        system = S3FileSystem(
            anon=key is None,
            key=key,
            secret=self._secret(one.secret_key),
            endpoint_url=one.endpoint_url,
            client_kwargs={"region_name": one.region} if one.region else {},
            config_kwargs={"connect_timeout": wait, "read_timeout": wait, "retries": {"max_attempts": 0}},
            use_listings_cache=False,
            skip_instance_cache=True,
        )
        system.retries = 1  # trying again is the source's own affair
        return system

    def _entries(self, system: Any, path: str) -> list[dict[str, Any]]:
        return list(system.ls(path, detail=True, refresh=True, timeout=self._patience.file_seconds))

    def _info(self, system: Any, path: str) -> dict[str, Any]:
        return dict(system.info(path, refresh=True, timeout=self._patience.file_seconds))

    def _bytes(self, system: Any, path: str) -> bytes:
        # in one piece, so that no two versions of an object are ever mixed
        return bytes(system.cat_file(path, max_concurrency=1, timeout=self._patience.file_seconds))

    def _explained(self, error: Exception) -> Unreached | None:
        # s3fs makes an OSError of every answer, with the answer as its cause; by itself it looks like a broken connection
        answer = error.__cause__ if isinstance(error.__cause__, ClientError) else error
        if isinstance(answer, ClientError):
            return _answered(answer)
        match error:
            case PermissionError():
                return not_let_in()
            case ConnectTimeoutError() | ReadTimeoutError():
                return timed_out(self._patience.timeout_seconds)
            case IncompleteReadError() | ResponseStreamingError():
                return cut_off()
            case BotoCoreError():
                return no_connection()
        if type(error).__name__ in ("ClientPayloadError", "IncompleteBody"):  # aiohttp's, under the library
            return cut_off()
        return None

    def _disconnect(self, system: Any) -> None:
        if system._s3 is not None:  # there is none before the first answer
            system.close_session(system.loop, system._s3)


def _answered(answer: ClientError) -> Unreached:
    """What a store's refusal means. One that is busy or out of order may be well again in a moment."""
    status = answer.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status in (401, 403) or answer.response.get("Error", {}).get("Code") in _REFUSALS:
        return not_let_in()
    return Unreached(
        "服务器报告错误", "is answered with an error by the server", passing=status == 429 or status >= 500
    )


_REFUSALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "401")

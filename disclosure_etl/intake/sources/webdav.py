"""A folder of a WebDAV server. Redirects to other hosts are not followed.

Not here: listing and fetching (`remote_tree`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from fsspec import AbstractFileSystem
from webdav4.client import Client, ClientError, HTTPError
from webdav4.fsspec import WebdavFileSystem
from webdav4.http import Client as HttpClient

from disclosure_etl.intake.sources.declared import WebdavDeclared
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.remote_tree import Place, RemoteTree
from disclosure_etl.intake.sources.unreached import Unreached, cut_off, no_connection, not_let_in, timed_out, too_large


class WebdavSource(RemoteTree):
    """One source of this kind."""

    kind = "webdav"

    def __init__(
        self, declared: WebdavDeclared, patience: Patience, max_bytes: int, secret: Callable[[Any], str | None]
    ) -> None:
        root = declared.path.strip("/")
        super().__init__(
            Place(declared.name, frozenset(declared.bureaus), root, declared.settle_seconds, max_bytes), patience
        )
        self._declared, self._secret = declared, secret

    def _connect(self) -> AbstractFileSystem:
        one = self._declared
        user, password = self._secret(one.user), self._secret(one.password)
        http = HttpClient(
            base_url=one.url,
            auth=(user, password or "") if user else None,
            timeout=self._patience.timeout_seconds,
            trust_env=False,
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [_stay]},
        )
        return WebdavFileSystem(
            one.url, client=Client(one.url, http_client=http, retry=False), skip_instance_cache=True
        )

    def _entries(self, system: Any, path: str) -> list[dict[str, Any]]:
        return list(system.ls(path, detail=True))

    def _info(self, system: Any, path: str) -> dict[str, Any]:
        return dict(system.info(path))

    def _bytes(self, system: Any, path: str) -> bytes:
        # The library's own reading goes on by itself where a connection broke, as often as it breaks, and so without end;
        # what it puts together may be of two versions.
        until = self._patience.time() + self._patience.file_seconds
        data = bytearray()
        client = system.client
        with client.http.stream("GET", client.join_url(path), follow_redirects=True) as response:
            response.raise_for_status()
            for part in response.iter_raw():
                data += part
                if len(data) > self._place.max_bytes:
                    raise too_large(self._place.max_bytes)
                if self._patience.time() > until:
                    raise timed_out(self._patience.file_seconds)
        return bytes(data)

    def _explained(self, error: Exception) -> Unreached | None:
        match error:
            case HTTPError() if error.status_code in (401, 403):
                return not_let_in()
            case HTTPError() | httpx.HTTPStatusError():
                status = error.response.status_code
                if status in (401, 403):
                    return not_let_in()
                return Unreached(
                    f"服务器答复 HTTP {status}",
                    f"is answered with HTTP {status}",
                    passing=status in (429, 500, 502, 503, 504),
                )
            case httpx.TimeoutException():
                return timed_out(self._patience.timeout_seconds)
            case httpx.RemoteProtocolError() | httpx.ReadError():
                return cut_off()
            case httpx.HTTPError():
                return no_connection()
            case ClientError():
                return Unreached("服务器的答复不是 WebDAV", "does not answer as WebDAV does")
        return None

    def _disconnect(self, system: Any) -> None:
        system.client.http.close()


def _stay(response: httpx.Response) -> None:
    """The library follows redirects; the credentials and the trust are for one host."""
    if response.is_redirect:
        here, there = response.request.url, urlsplit(urljoin(str(response.request.url), response.headers["Location"]))
        if (there.scheme, there.netloc) != (here.scheme, here.netloc.decode()):
            raise Unreached("转向到别的主机,没有跟随", "redirects to another host, which is not followed")

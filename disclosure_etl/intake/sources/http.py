"""Downloads over HTTP(S): listed addresses, and links on listed pages. Nothing is fetched from a host that is not listed,
wherever a link or a redirect leads.

Not here: WebDAV (`webdav`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatch
from functools import partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from disclosure_etl.intake.sources.declared import HttpDeclared
from disclosure_etl.intake.sources.delivery import Delivery
from disclosure_etl.intake.sources.names import DistinctNames, is_passed_over
from disclosure_etl.intake.sources.patience import Patience
from disclosure_etl.intake.sources.unreached import Unreached, cut_off, no_connection, not_let_in, timed_out, too_large

Body = Callable[[httpx.Response], bytes]  # what is taken of an answer
_MOST_REDIRECTS = 5
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class HttpSource:
    """One source of this kind; its connection is kept while it is used."""

    kind = "http"

    def __init__(
        self, declared: HttpDeclared, patience: Patience, max_bytes: int, secret: Callable[[Any], str | None]
    ) -> None:
        self.name, self.bureaus = declared.name, frozenset(declared.bureaus)
        self._declared, self._patience, self._max_bytes = declared, patience, max_bytes
        self._own = frozenset(_host(url) for url in (*declared.urls, *declared.index))
        self._hosts = self._own | {host.lower() for host in declared.hosts}
        user, password, token = (secret(one) for one in (declared.user, declared.password, declared.token))
        # Only hosts of addresses that were written out learn the credentials, not those that they redirect to.
        self._auth = httpx.BasicAuth(user, password or "") if user else None
        self._token = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            timeout=patience.timeout_seconds,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},  # the length that is announced is then the length of what comes
            trust_env=False,
        )

    def deliveries(self, now: datetime) -> Iterator[Delivery]:
        """The listed files, then what the pages link to, in their order. A file's time is when it was found."""
        names, patiently = DistinctNames(), self._patience.patiently
        own = self._declared.urls
        found = dict.fromkeys(own)
        for page in self._declared.index:
            text = patiently(partial(self._get, page)).decode("utf-8", "replace")
            found |= dict.fromkeys(link for link in _links(page, text) if self._is_wanted(link))
        for url in found:
            fetch = partial(patiently, partial(self._get, url))
            probe = partial(patiently, partial(self._get, url, _nothing)) if url in own else None
            yield Delivery(names.give(_name(url)), self.name, now, fetch, probe=probe)

    def waiting(self) -> list[str]:
        """A server hands out whole files."""
        return []

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _is_wanted(self, link: str) -> bool:
        path = unquote(urlsplit(link).path)
        fits = any(fnmatch(path.rsplit("/", 1)[-1].lower(), one.lower()) for one in self._declared.links)
        return fits and not is_passed_over(path.lstrip("/"))

    def _get(self, url: str, body: Body | None = None) -> bytes:
        body = body or self._body
        try:
            for _ in range(_MOST_REDIRECTS):
                host = _host(url)
                if host not in self._hosts:
                    raise Unreached(
                        f"位于未列出的主机「{host}」,没有下载;确属本来源的,请加进 sources.yaml 中「{self.name}」的 hosts",
                        f"lies on the host '{host}', which is not listed, so it is not fetched; if it belongs to this source, "
                        f"add it to hosts of '{self.name}' in sources.yaml",
                    )
                answer, url = self._ask(url, body)
                if answer is not None:
                    return answer
        except httpx.TimeoutException:
            raise timed_out(self._patience.timeout_seconds) from None
        except httpx.RemoteProtocolError:
            raise cut_off() from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise no_connection() from None
        raise Unreached("转向次数过多", "redirects too often")

    def _ask(self, url: str, body: Body) -> tuple[bytes | None, str]:
        """What `body` makes of the answer, or None and the address that the server redirects to."""
        own = _host(url) in self._own
        with self._client.stream(
            "GET", url, headers=self._token if own else {}, auth=self._auth if own else None
        ) as response:
            status = response.status_code
            if response.is_redirect:
                target = urljoin(url, response.headers["Location"])
                if url.startswith("https:") and not target.startswith("https:"):
                    raise Unreached(
                        "转向到不加密的地址,没有下载", "redirects to an address without encryption; not fetched"
                    )
                return None, target
            if status in (401, 403):
                raise not_let_in()
            if status != 200:
                raise Unreached(
                    f"服务器答复 HTTP {status}", f"is answered with HTTP {status}", passing=status in _PASSING
                )
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise Unreached("以压缩形式发送,而请求的是原文", "comes compressed, though it was asked for as it is")
            return body(response), url

    def _body(self, response: httpx.Response) -> bytes:
        until = self._patience.time() + self._patience.file_seconds
        data = bytearray()
        for part in response.iter_raw():
            data += part
            if len(data) > self._max_bytes:
                raise too_large(self._max_bytes)
            if self._patience.time() > until:  # a byte now and then is an answer each time, and never a file
                raise timed_out(self._patience.file_seconds)
        announced = response.headers.get("Content-Length")
        if announced is not None and announced.isascii() and announced.isdigit() and int(announced) != len(data):
            raise cut_off()
        return bytes(data)


def _nothing(_response: httpx.Response) -> bytes:
    """What is taken of an answer by whoever only asks whether there is one. Not every server answers HEAD."""
    return b""


def _host(url: str) -> str:
    """Host and port, as far as it is written, without a user's name."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def _name(url: str) -> str:
    parts = urlsplit(url)
    query = f"_{unquote(parts.query)}".replace("/", "_") if parts.query else ""
    path = unquote(parts.path)
    stem, dot, suffix = path.rpartition(".")
    named = f"{stem}{query}.{suffix}" if dot and "/" not in suffix else f"{path}{query}"
    return f"{parts.hostname or ''}/{named}"


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attributes if name == "href" and value]


def _links(page: str, text: str) -> list[str]:
    anchors = _Anchors()
    anchors.feed(text)
    links = (urljoin(page, link).partition("#")[0] for link in anchors.found)
    return [link for link in links if urlsplit(link).scheme in ("http", "https")]

"""All pages that somebody comes to by links, and what a page says: its text, its buttons, and which of it is data of the office.

Not here: a browser (`browsing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from fastapi.routing import APIRoute

from disclosure_etl.desk.access import Need, need_of
from disclosure_etl.desk.app import ROOMS
from tests.desk.conftest import Client

_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_UNSEEN = {"script", "style", "code", "pre", "textarea", "mark", "blockquote"}  # or written by somebody
_TOLD = ("aria-label", "title", "placeholder", "alt")
_AS_FAR_AS = ("2013-12", "2014-04")  # from month to month one goes without end


@dataclass
class Page(HTMLParser):
    """A page as it is told: its text, where it leads, and where its forms go."""

    path: str
    html: str
    text: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    posts: list[str] = field(default_factory=list)
    language: str = ""
    _open: list[tuple[str, bool]] = field(default_factory=list)
    _form: tuple[str, str] = ("get", "")

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = given["lang"]
        hidden = self._hidden() or tag in _UNSEEN or "source" in given.get("class", "").split()
        hidden = hidden or given.get("lang", self.language) != self.language
        if tag not in _VOID:
            self._open.append((tag, hidden))
        if not hidden:
            self.text += [given[name] for name in _TOLD if name in given]
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.path, given["href"]))
        if tag == "form":
            self._form = given.get("method", "get"), given.get("action", self.path)
            if self._form[0] == "post":
                self.posts.append(urljoin(self.path, self._form[1]))
        if "formaction" in given:
            self.posts.append(urljoin(self.path, given["formaction"]))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden():
            self.text.append(" ".join(data.split()))

    def _hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def says(self, data: Iterable[str]) -> list[str]:
        """What it says, without these data of the office."""
        longest_first = sorted((one for one in data if one), key=len, reverse=True)
        known = re.compile("|".join(rf"(?<![A-Za-z]){re.escape(one)}(?![A-Za-z])" for one in longest_first) or "(?!)")
        return [rest for text in self.text if (rest := known.sub("", text).strip())]


def pages_of(client: Client, *starts: str) -> dict[str, Page]:
    """Every page that somebody comes to from these, by its address."""
    left, found = list(starts), {}
    while left:
        path = left.pop()
        if path in found or not _is_followed(path):
            continue
        answer = client.get(path)
        if answer.status_code in (302, 303):
            left.append(answer.headers["location"])
            continue
        assert answer.status_code == 200, (path, answer.status_code)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        found[path] = Page(path, answer.text)
        left += [one.partition("#")[0] for one in found[path].links]
    return found


def _is_followed(path: str) -> bool:
    if path.startswith(("/language", "/static")) or "at=" in path:
        return False
    if "bureau=" in path and "bureau=haidian" not in path:  # every bureau's list is the same page
        return False
    months = re.findall(r"/(\d{4}-\d\d)(?=/|$|\?)", path)
    years = re.findall(r"year=(\d+)", path) + re.findall(r"/months/(\d{4})(?=/|$|\?)", path)
    return all(_AS_FAR_AS[0] <= one <= _AS_FAR_AS[1] for one in months) and all(
        one in ("2013", "2014") for one in years
    )


_ROUTES = [one for room in ROOMS for one in room.router.routes if isinstance(one, APIRoute)]


def need_at(method: str, path: str) -> Need | None:
    """What an address takes; None where there is none."""
    plain = urlsplit(path).path
    for one in _ROUTES:
        if method in one.methods and one.path_regex.match(plain):
            return need_of(one)
    return None

"""A real browser at the desk: what it asks of elsewhere, what it complains of, and whether everybody can use a page (axe)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.desk.conftest import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


_running: list[tuple[Playwright, Browser]] = []


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or a skipped test that says why. Starting it takes longer than most of what is done with it, so that it is
    the same one for the tests of a file; windows share nothing."""
    if not CHROMIUM.exists():
        pytest.skip("no /usr/bin/chromium on this machine (Debian: apt-get install chromium)")
    if _running and not _running[0][1].is_connected():
        end()
    if not _running:
        playwright = sync_playwright().start()
        _running.append((playwright, playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)))
    yield _running[0][1]


def end() -> None:
    """No browser runs any more."""
    while _running:
        playwright, browser = _running.pop()
        browser.close()
        playwright.stop()


@dataclass
class Sitting:
    """Somebody before the screen. Whatever the page complains of, or asks of another host, is kept."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    language: str = "zh"
    script: bool = True

    def t(self, zh: str, en: str) -> str:
        """What a page says, in the language of this window."""
        return zh if self.language == "zh" else en

    def listen(self) -> Sitting:
        """Keep what goes wrong."""
        host = urlsplit(self.address).netloc
        self.page.on(
            "console", lambda told: self.complaints.append(told.text) if told.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request",
            lambda asked: (
                self.complaints.append(f"asks {asked.url}") if urlsplit(asked.url).netloc not in (host, "") else None
            ),
        )
        return self

    def go(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.address + path)

    def sign_in(self, login: str) -> None:
        """Sign in through the form."""
        self.go("/login")
        self.page.fill("#login", login)
        self.page.fill("#password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def sign_out(self) -> None:
        """Sign out, by the button that every page has."""
        self.page.locator("form[action='/logout'] button").click()
        self.page.wait_for_url("**/login")

    def refused(self, status: int) -> None:
        """The page that is shown was answered with this status, of which the browser complains by itself."""
        for _ in range(100):  # the browser complains a little after the page is there
            if told := [one for one in self.complaints if f"status of {status} " in one]:
                break
            self.page.wait_for_timeout(50)
        (only,) = told
        self.complaints.remove(only)

    def fits(self) -> None:
        """Nothing of the page stands beside the screen."""
        self.page.wait_for_load_state()
        beside = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(beside) <= 0, self.page.url

    def looked_at(self) -> None:
        """The page as it stands fits, and is usable by everybody; the latter is looked at by a script, so in windows with one."""
        self.fits()
        if self.script:
            self.usable()

    def usable(self) -> None:
        """The page as it stands has nothing that axe objects to."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        told = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found]
        assert told == [], (self.page.url, told)


# Both widths, both languages, with and without JavaScript; as `language, width, script`. Two of them meet everything once.
WAYS = [
    ("zh", 1280, True),
    ("en", 390, False),
    pytest.param("zh", 390, False, marks=pytest.mark.slow),
    pytest.param("en", 1280, False, marks=pytest.mark.slow),
    pytest.param("en", 390, True, marks=pytest.mark.slow),
]


@contextmanager
def sitting(
    browser: Browser, address: str, *, script: bool = True, width: int = 1280, language: str = "zh"
) -> Iterator[Sitting]:
    """A window of its own; at the end nothing may have gone wrong."""
    context = browser.new_context(java_script_enabled=script, viewport={"width": width, "height": 900}, locale="zh-CN")
    context.add_cookies([{"name": "language", "value": language, "url": address}])
    one = Sitting(context.new_page(), address, language=language, script=script).listen()
    try:
        yield one
    finally:
        context.close()
    assert one.complaints == []

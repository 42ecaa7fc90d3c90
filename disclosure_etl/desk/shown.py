"""Pages: the templates with what every page has (language, who is signed in, the word of its forms), and the responses of forms.

Not here: what stands on a page (each route's room).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from disclosure_etl.desk.access import GRANTED, Need
from disclosure_etl.desk.standing import desk_of
from disclosure_etl.desk.words import CHECKS, EVENTS, ROLES, SEVERITIES, STANDINGS, STATES, Word
from schemas.errors import Language, Message, Passing
from schemas.people import Visitor
from schemas.values import figure_text

_log = logging.getLogger("disclosure_etl.desk")
FOLDER = Path(__file__).parent
NOTICE_COOKIE = "notice"
_OWN_PATH = re.compile(r"/months/[\w-]+/cases/[0-9a-f]{16}")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["said"] = _said
    made.filters["state"] = _word(STATES)
    made.filters["checked"] = _word(CHECKS)
    made.filters["sign"] = _sign(STATES)
    made.filters["firm"] = _sign(STANDINGS)
    made.filters["severity"] = _word(SEVERITIES)
    made.filters["standing"] = _word(STANDINGS)
    made.filters["figure"] = _figure
    made.filters["role"] = _word(ROLES)
    made.filters["event"] = _word(EVENTS)
    made.filters["query"] = _query
    made.filters["day"] = _moment("%Y-%m-%d")
    made.filters["moment"] = _moment("%Y-%m-%d %H:%M")
    return made


def _sign(words: dict[str, Word]) -> Callable[[Context, str], Markup]:
    """A state's sign alone, where there is no room for its word, which is read out all the same."""

    @pass_context
    def shown(context: Context, code: str) -> Markup:
        return _sign_of(words[code], context["language"])

    return shown


def _sign_of(word: Word, language: Language) -> Markup:
    text = word.zh if language == "zh" else word.en
    return Markup(
        '<span class="mark {}" title="{}"><span aria-hidden="true">{}</span><span class="sr">{}</span></span>'
    ).format(word.tone, text, word.sign, text)


@pass_context
def _said(context: Context, message: Message) -> str:
    return message.in_language(context["language"])


def _word(words: dict[str, Word]) -> Callable[[Context, str], Markup]:
    """A status as a mark with its word: told by its shape and its word as well as by its colour."""

    @pass_context
    def shown(context: Context, code: str) -> Markup:
        word = words.get(code) or Word(code, code, "", "plain")
        text = word.zh if context["language"] == "zh" else word.en
        return Markup('<span class="mark {}"><span aria-hidden="true">{}</span> {}</span>').format(
            word.tone, word.sign, text
        )

    return shown


def _moment(form: str) -> Callable[[Context, Any], str]:
    @pass_context
    def shown(context: Context, at: Any) -> str:
        return at.astimezone(context["zone"]).strftime(form) if at is not None else "—"

    return shown


def _figure(value: int | None, scale: int = 0) -> str:
    """A scaled whole number as people write it, with thousands apart, and with all its places: an amount of 30.5 is 30.50."""
    if value is None:
        return "—"
    whole, _, rest = figure_text(value, scale).partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}" + (f".{rest:0<{scale}}" if scale > 0 else "")


def _query(values: dict[str, Any], **changed: Any) -> str:
    """A query with some of its parts changed; what is empty is left out."""
    return "?" + urlencode({name: value for name, value in {**values, **changed}.items() if value not in (None, "")})


_templates = _environment()


def compile_templates() -> int:
    """Compile all pages' templates, so that no first visitor waits for it, and no twenty compile the same at once; how many."""
    names = _templates.list_templates(extensions=["html"])
    for name in names:
        _templates.get_template(name)
    return len(names)


def page(request: Request, who: Visitor | None, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page from a template. `back` among what is shown: where it is had again, where that is not its own address. A `message` of
    what hinders for now alone makes it a 503, whatever the room takes it for."""
    desk = desk_of(request)
    if isinstance(message := shown.get("message"), Passing):
        status = 503
        _log.warning("%s %s: %s", request.method, request.url.path, message.in_full.en)
    language = desk.language_of(request)
    granted = GRANTED[who.person.role] if who else frozenset()

    def t(zh: str, en: str) -> str:
        return zh if language == "zh" else en

    shown.setdefault("back", request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    text = _templates.get_template(template).render(
        t=t,
        language=language,
        zone=desk.office.clock().tzinfo,
        who=who,
        may={need.value for need in granted},
        csrf=who.csrf if who else "",
        path=request.url.path,
        notice=_notice_of(request),
        **shown,
    )
    response = HTMLResponse(text, status)
    if NOTICE_COOKIE in request.cookies:
        response.delete_cookie(NOTICE_COOKIE)
    return response


def done(request: Request, where: str, message: Message | None = None, about: str = "") -> Response:
    """After a form: on to a page, which tells once what was done; `about`: the page of what that was done to, if it is another."""
    response = RedirectResponse(where, 303)
    if message is not None:
        desk = desk_of(request)
        text = message.in_language(desk.language_of(request))
        response.set_cookie(
            NOTICE_COOKIE,
            f"{text[:900]}\n{about}".encode().hex(),
            max_age=60,
            httponly=True,
            secure=desk.settings.https,
            samesite="lax",
            path="/",
        )
    return response


def _notice_of(request: Request) -> tuple[str, str] | None:
    """What was done, and the page of what it was done to, '' where that is this one."""
    try:
        text, _, about = bytes.fromhex(request.cookies.get(NOTICE_COOKIE, "")).decode().rpartition("\n")
    except ValueError:
        return None
    return (text, about if _OWN_PATH.fullmatch(about) else "") if text else None


def may(who: Visitor, need: Need) -> bool:
    """Whether somebody's role has a need."""
    return need in GRANTED[who.person.role]

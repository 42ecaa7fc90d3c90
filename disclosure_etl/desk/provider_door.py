"""The door for whom the identity provider sends: on to it, and back from it with a code.

Not here: what is asked of it (`provider`), which account that comes to (`signing_in`), the form for a password (`door`).
"""

from __future__ import annotations

import hmac
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from disclosure_etl.desk.access import Need, needs
from disclosure_etl.desk.begun import LONGEST_SECONDS, Begun, begin
from disclosure_etl.desk.door import address_of, inside, keep_session, login_form
from disclosure_etl.desk.id_token import Unverified
from disclosure_etl.desk.provider import CALLBACK, Provider, ProviderDown, plain_word
from disclosure_etl.desk.signing_in import Opened, refuse_too_many, sign_in_with_identity
from disclosure_etl.desk.standing import Desk, desk_of
from schemas.errors import Message, UserError
from schemas.people import Visitor

router = APIRouter()
TheDesk = Annotated[Desk, Depends(desk_of)]
Anybody = Annotated[Visitor | None, needs(Need.OPEN)]
_log = logging.getLogger("disclosure_etl.desk")


def _provider(desk: Desk) -> Provider:
    if desk.provider is None:
        raise HTTPException(404)
    return desk.provider


@router.get("/login/oidc")
def go(request: Request, desk: TheDesk, _who: Anybody, next: str = "/") -> Response:
    """On to the provider. What comes back is known by what the browser keeps meanwhile."""
    provider, begun = _provider(desk), begin(inside(next)[:1000])
    try:
        where = provider.address(begun)
    except ProviderDown as error:
        return _down(request, error, begun.next)
    response = RedirectResponse(where, 303)
    name = desk.cookie("sign_in")
    sealed = desk.seals.seal(begun)
    response.set_cookie(
        name, sealed, max_age=LONGEST_SECONDS, httponly=True, secure=desk.settings.https, samesite="lax", path="/"
    )
    return response


def _down(request: Request, error: ProviderDown, where: str) -> Response:
    _log.warning("identity provider: %s", error.why)
    told = error.message
    if desk_of(request).settings.passwords:
        told = Message(
            f"{told.zh}有密码的账号仍可用密码登录。", f"{told.en} Accounts with a password can still be used."
        )
    return login_form(request, 503, told, next=where)


@router.get(CALLBACK)
def back(request: Request, desk: TheDesk, who: Anybody) -> Response:
    """Back from the provider: whoever shows a good code, in the browser that was sent, is signed in."""
    provider, name = _provider(desk), desk.cookie("sign_in")
    begun = desk.seals.open(request.cookies.get(name, ""))
    where = begun.next if begun else "/"
    try:
        opened = _opened(request, desk, provider)
        if who is not None:
            desk.office.warehouse.end_session(who.session)
        response: Response = RedirectResponse(where, 303)
        keep_session(response, desk, opened.secret)
    except ProviderDown as error:
        response = _down(request, error, where)
    except UserError as error:
        response = login_form(request, 401, error.message, next=where)
    response.delete_cookie(name, path="/", secure=desk.settings.https, httponly=True, samesite="lax")
    return response


def _opened(request: Request, desk: Desk, provider: Provider) -> Opened:
    """The session of whoever came back.

    Raises:
        UserError: nobody is let in: too many failures, no good answer, no account. ProviderDown: it cannot be asked.
    """
    warehouse, address = desk.office.warehouse, address_of(request)
    refuse_too_many(warehouse, None, address)
    begun = _begun(request, desk)
    try:
        identity = provider.identity(_code(request, desk, provider, begun), begun)
    except Unverified as error:
        warehouse.note_refused("", address, {"why": error.why, "issuer": provider.settings.issuer})
        if error.why == "access_denied":
            raise UserError(
                "您没有完成身份认证,或认证平台拒绝了您。",
                "You did not finish, or the identity provider turned you away.",
            ) from None
        raise _begin_again() from None
    return sign_in_with_identity(warehouse, identity, address, request.headers.get("user-agent", ""))


def _begin_again() -> UserError:
    return UserError(
        "身份认证没有成功,可能已过期,或在另一个窗口中开始;请重新登录。",
        "Signing in did not succeed; it may be out of date, or was begun in another window. Begin again.",
    )


def _begun(request: Request, desk: Desk) -> Begun:
    """What was begun in this browser and is answered. What answers nothing is neither counted nor recorded: any page can have
    browsers ask for this address, and would close the door to everybody behind theirs.

    Raises:
        UserError: nothing was begun, or something else.
    """
    begun = desk.seals.open(request.cookies.get(desk.cookie("sign_in"), ""))
    state = request.query_params.get("state", "")
    if begun is None or not hmac.compare_digest(state.encode(errors="replace"), begun.state.encode()):
        _log.info("identity provider: %s", "nothing was begun" if begun is None else "state")
        raise _begin_again()
    return begun


def _code(request: Request, desk: Desk, provider: Provider, begun: Begun) -> str:
    """The code that came back.

    Raises:
        Unverified: it is not from this provider, or not the first answer.
    """
    told = request.query_params
    if not desk.seals.end(begun):
        raise Unverified("replayed")
    if told.get("iss", provider.settings.issuer) != provider.settings.issuer:  # RFC 9207
        raise Unverified("iss")
    if "error" in told:
        raise Unverified(plain_word(told["error"]))
    if not (code := told.get("code", "")):
        raise Unverified("no code")
    return code

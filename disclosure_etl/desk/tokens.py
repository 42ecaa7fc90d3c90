"""Tokens with which a bureau's own system sends returns: made, and recognised. The token itself is shown once and kept nowhere.

Not here: the page and command that make one, or what may be done with one (`access`, `api`).
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from disclosure_etl.desk.standing import digest_of_secret
from disclosure_etl.office import Office
from schemas.errors import UserError
from schemas.people import Token

PREFIX = "dtl_"  # by which a scanner of repositories and logs finds one that leaked
_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{20,100}}")


def issue(office: Office, name: str, bureau: str, ends_at: datetime | None) -> tuple[str, Token]:
    """Make a token of a bureau: the token, to be shown once, and what is kept of it. `office` is that of whoever makes it.

    Raises:
        UserError: the bureau is not known, the name is empty, or the last moment is past.
    """
    if not name.strip():
        raise UserError("请给令牌起个名字,以便日后辨认。", "Give the token a name, by which it is known later.")
    if bureau not in office.bureaus.codes:
        raise UserError(
            f"令牌须属于 bureaus.yaml 中的一个单位;「{bureau}」不在其中。",
            f"A token belongs to a bureau of bureaus.yaml; '{bureau}' is none.",
        )
    if ends_at is not None and ends_at <= office.clock():
        raise UserError("令牌的截止时间已过。", "The token would end in the past.")
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, office.warehouse.issue_token(digest_of_secret(secret), name.strip(), bureau, ends_at)


def token_of(office: Office, secret: str) -> Token | None:
    """The token that this is, if it may be used now."""
    if not _SHAPE.fullmatch(secret):
        return None
    found = office.warehouse.token(digest_of_secret(secret))
    return found if found is not None and found.is_good(office.clock()) else None

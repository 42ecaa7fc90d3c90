"""Tokens with which a bureau's own system sends returns: made here, shown once, kept as a digest.

Not here: what may be done with one (`api`).
"""

from __future__ import annotations

import secrets
from datetime import datetime

from disclosure_etl.desk.standing import digest_of_secret
from disclosure_etl.office import Office
from schemas.errors import UserError
from schemas.people import Token

PREFIX = "dtl_"  # by which a token that strayed into a file can be found


def issue(office: Office, name: str, bureau: str, ends_at: datetime | None) -> tuple[str, Token]:
    """A new token of a bureau, and what is kept of it.

    Raises:
        UserError: the bureau is not known, or the token has no name.
    """
    if bureau not in office.bureaus.codes:
        raise UserError(f"「{bureau}」不在 bureaus.yaml 中。", f"'{bureau}' is not in bureaus.yaml.")
    if not name.strip():
        raise UserError("请给令牌起名,以便日后认出。", "Give the token a name, so that it is known later.")
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, office.warehouse.issue_token(digest_of_secret(secret), name.strip(), bureau, ends_at)

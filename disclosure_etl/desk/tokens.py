"""Tokens with which a bureau's own system sends returns: made here, shown once, kept as a digest.

Not here: what may be done with one (`api`).
"""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta

from disclosure_etl.desk.standing import digest_of_secret
from disclosure_etl.office import Office
from schemas.errors import UserError
from schemas.people import Token

PREFIX = "dtl_"  # by which a token that strayed into a file can be found


def issue(office: Office, name: str, bureau: str, ends_at: datetime | None) -> tuple[str, Token]:
    """A new token of a bureau, and what is kept of it.

    Raises:
        UserError: the bureau is not known, or the token has no name, or that of another one of the bureau that is in force.
    """
    if bureau not in office.bureaus.codes:
        raise UserError(f"「{bureau}」不在 bureaus.yaml 中。", f"'{bureau}' is not in bureaus.yaml.")
    if not name.strip():
        raise UserError("请给令牌起名,以便日后认出。", "Give the token a name, so that it is known later.")
    now = office.clock()
    for one in office.warehouse.tokens():
        if (one.name, one.bureau) == (name.strip(), bureau) and one.is_good(now):
            raise UserError(
                f"已有名为「{one.name}」的有效令牌(第 {one.key} 号);它本身已不可查。请另起名称,或先将其作废。",
                f"There is a token '{one.name}' in force already, number {one.key}, which nobody here can show again. Choose "
                "another name, or revoke it first.",
            )
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, office.warehouse.issue_token(digest_of_secret(secret), name.strip(), bureau, ends_at)


def end_of(now: datetime, written: str) -> datetime | None:
    """The end of the day that was written; None where none was.

    Raises:
        UserError: it is no day, or one that is over.
    """
    if not written.strip():
        return None
    try:
        day = datetime.fromisoformat(written.strip()).date()
        ends = datetime.combine(day + timedelta(days=1), time(), now.tzinfo)
    except (ValueError, OverflowError):
        raise UserError(
            f"日期「{written}」应为 2014-05-31 这样。", f"'{written}' is no day such as 2014-05-31."
        ) from None
    if ends <= now:
        raise UserError(
            f"「{written}」已经过去,令牌一开始就不能用。", f"'{written}' is over; the token could never be used."
        )
    return ends

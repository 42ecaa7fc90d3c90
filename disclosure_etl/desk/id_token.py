"""Verifying an ID token: who signed it, for whom, when, and in answer to which sign-in (OpenID Connect Core, 3.1.3.7).

Signatures are the library's. Not here: where the keys come from (`provider`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

# By algorithm the kind of key; nothing that a shared secret, or nothing at all, would sign.
ALGORITHMS: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
}
LEEWAY_SECONDS = 60
OLDEST_SECONDS = 600
_LONGEST_SUBJECT = 255
PublicKey = RSAKey | ECKey
_registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)


class Unverified(Exception):  # noqa: N818 - what it is
    """The provider's word does not hold; `why` is for the record."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token must say: by whom, for whom, in answer to what, at which moment."""

    issuer: str
    client_id: str
    nonce: str
    now: int


def claims_of(token: str, key_of: Callable[[Mapping[str, Any]], PublicKey], wanted: Wanted) -> dict[str, Any]:
    """What a token says.

    Args:
        key_of: the issuer's key that a token's header names.

    Raises:
        Unverified: it is not the issuer's, or not what is wanted.
    """
    try:
        claims = jwt.decode(token, lambda one: key_of(one.headers()), registry=_registry).claims
        jwt.JWTClaimsRegistry(
            wanted.now,
            LEEWAY_SECONDS,
            iss={"essential": True, "value": wanted.issuer},
            aud={"essential": True, "value": wanted.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True},
        ).validate(claims)
    except BadSignatureError:
        raise Unverified("signature") from None
    except ExpiredTokenError:
        raise Unverified("expired") from None
    except ClaimError as error:
        raise Unverified(f"claim {error.claim}") from None
    except (JoseError, ValueError, TypeError) as error:
        raise Unverified(f"token: {type(error).__name__}") from None
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise Unverified("claim azp")
    if claims.get("azp", wanted.client_id) != wanted.client_id:
        raise Unverified("claim azp")
    if not isinstance(claims["nonce"], str) or not hmac.compare_digest(claims["nonce"].encode(), wanted.nonce.encode()):
        raise Unverified("claim nonce")
    if claims["iat"] < wanted.now - OLDEST_SECONDS - LEEWAY_SECONDS:
        raise Unverified("claim iat")
    if len(claims["sub"]) > _LONGEST_SUBJECT:
        raise Unverified("claim sub")
    return claims

"""A sign-in with the identity provider that was begun: what its browser keeps of it meanwhile, sealed, for ten minutes and once.

The key is made when the desk starts and kept nowhere, so that a restart only asks people to begin anew. Not here: what is asked of
the provider (`provider`).
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from threading import Lock

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OctKey

LONGEST_SECONDS = 600
_MOST_ENDED = 10_000
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_registry = JWERegistry(algorithms=list(_HEADER.values()))


@dataclass(frozen=True, slots=True)
class Begun:
    """What one sign-in is known by: `state` comes back with the browser, `nonce` in the ID token, `verifier` (PKCE) is shown by us
    alone; `next` is where the person wanted to go."""

    state: str
    nonce: str
    verifier: str
    next: str


def begin(where: str) -> Begun:
    """A new one."""
    return Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), where)


@dataclass
class Seals:
    """Sealing and opening; `now` is the machine's time, since people's browsers know no other."""

    now: Callable[[], float] = time.time
    _key: OctKey = field(default_factory=lambda: OctKey.generate_key(256), repr=False)
    _ended: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def seal(self, begun: Begun) -> str:
        """What the browser keeps; it can neither read nor change it."""
        return jwt.encode(
            _HEADER, {**asdict(begun), "exp": int(self.now()) + LONGEST_SECONDS}, self._key, registry=_registry
        )

    def open(self, sealed: str) -> Begun | None:
        """What was begun; None where it is not ours, or too old."""
        try:
            claims = jwt.decode(sealed, self._key, registry=_registry).claims
        except (JoseError, ValueError):
            return None
        fresh = claims.pop("exp") > self.now()
        return Begun(**claims) if fresh else None

    def end(self, begun: Begun) -> bool:
        """Let it be used no more; False where it was ended before."""
        with self._lock:
            while self._ended and next(iter(self._ended.values())) < self.now():
                self._ended.popitem(last=False)
            if begun.state in self._ended:
                return False
            self._ended[begun.state] = self.now() + LONGEST_SECONDS
            if len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)
            return True

"""The identity provider as the desk asks it: where it is, its keys, and who the person is that came back with a code.

OpenID Connect's Authorization Code flow with PKCE. Its documents are fetched when somebody signs in, and kept for a while. Not here:
whether its word holds (`id_token`), pages (`provider_door`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from disclosure_etl.desk.begun import Begun
from disclosure_etl.desk.id_token import ALGORITHMS, PublicKey, Unverified, Wanted, claims_of
from disclosure_etl.desk_settings import OidcSettings, is_trusted_line
from disclosure_etl.office import Office
from schemas.errors import ConfigError, UserError
from schemas.people import Identity

CALLBACK = "/login/oidc/callback"
_KEPT_SECONDS = 900
_PAUSE_SECONDS = 5  # after it could not be reached, so that not everybody waits for it
_KEYS_AGAIN_SECONDS = 30  # between two looks for a key that is not among those known
_MOST_BYTES = 1 << 20
_SHORTEST_RSA_BITS = 2048
_KINDS: Mapping[str, type[PublicKey]] = {"RSA": RSAKey, "EC": ECKey}


class ProviderDown(UserError):  # noqa: N818 - what it is
    """The provider cannot be asked, or does not answer as one; `why` is for the operator."""

    def __init__(self, why: str) -> None:
        super().__init__(
            "身份认证平台暂时无法使用,请稍后再试。", "The identity provider cannot be used just now; try again later."
        )
        self.why = why


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of the provider's, with the algorithm that it is for, if it says so."""

    kid: str | None
    alg: str | None
    key: PublicKey


@dataclass
class Provider:
    """One provider. `secret` is the client's; `now` the machine's time, `ticking` one that only goes on."""

    settings: OidcSettings
    home: str
    secret: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    now: Callable[[], float] = time.time
    ticking: Callable[[], float] = time.monotonic
    _document: dict[str, Any] = field(default_factory=dict, repr=False)
    _keys: list[_Key] = field(default_factory=list, repr=False)
    _at: dict[str, float] = field(default_factory=dict)  # when something was fetched, or last failed
    _lock: Lock = field(default_factory=Lock)

    def address(self, begun: Begun) -> str:
        """Where the person is sent to sign in.

        Raises:
            ProviderDown: it is not known where that is.
        """
        where = self._discovered()["authorization_endpoint"]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": self.home + CALLBACK,
            "scope": " ".join(self.settings.scopes), "state": begun.state, "nonce": begun.nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    def identity(self, code: str, begun: Begun) -> Identity:
        """Who came back with a code.

        Raises:
            ProviderDown: it cannot be asked. Unverified: it does not take the code, or its word does not hold.
        """
        token = self._token_for(code, begun)
        issuer = self.settings.issuer
        claims = claims_of(token, self._key_of, Wanted(issuer, self.settings.client_id, begun.nonce, int(self.now())))
        name = self.settings.login_claim
        login = claims.get(name)
        if not isinstance(login, str) or not login.strip():
            raise Unverified(f"no claim {name}")
        if name == "email" and claims.get("email_verified") is not True:
            raise Unverified("email not verified")
        return Identity(issuer, claims["sub"], login.strip())

    def look(self) -> None:
        """See whether it can be reached, and has keys.

        Raises:
            ProviderDown: it cannot, or has none.
        """
        self._discovered()
        if not self._known_keys():
            raise ProviderDown("jwks_uri: no key for a signature")

    # -- what it says of itself

    def _discovered(self) -> Mapping[str, Any]:
        def fetch() -> None:
            issuer = self.settings.issuer
            found = self._ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise ProviderDown(f"discovery: the issuer is {found.get('issuer')!r}, not {issuer!r}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(found.get(name), str) or not is_trusted_line(found[name]):
                    raise ProviderDown(f"discovery: {name} is missing, or no https address")
            self._document = found

        self._renew("discovery", fetch)
        return self._document

    def _known_keys(self, *, again: bool = False) -> list[_Key]:
        where = self._discovered()["jwks_uri"]

        def fetch() -> None:
            found = self._ask("GET", where).get("keys")
            self._keys = [key for one in found if (key := _key(one))] if isinstance(found, list) else []

        self._renew("keys", fetch, _KEYS_AGAIN_SECONDS if again else _KEPT_SECONDS)
        return self._keys

    def _renew(self, what: str, fetch: Callable[[], None], kept_seconds: float = _KEPT_SECONDS) -> None:
        """Fetch something that is not kept, or too old. After a failure nobody asks for some seconds."""
        with self._lock:
            now = self.ticking()
            if now - self._at.get(what, float("-inf")) < kept_seconds:
                return
            if now - self._at.get(f"{what} failed", float("-inf")) < _PAUSE_SECONDS:
                raise ProviderDown(f"{what}: failed a moment ago")
            try:
                fetch()
            except ProviderDown:
                self._at[f"{what} failed"] = self.ticking()
                raise
            self._at[what] = self.ticking()

    def _key_of(self, header: Mapping[str, Any]) -> PublicKey:
        """The key that a token's header names; the keys are fetched once more where it is a new one."""
        for again in (False, True):
            fitting = [one.key for one in self._known_keys(again=again) if _is_meant(one, header)]
            if len(fitting) == 1:
                return fitting[0]
        raise Unverified("unknown key")

    # -- what it is asked

    def _token_for(self, code: str, begun: Begun) -> str:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.home + CALLBACK,
            "code_verifier": begun.verifier,
        }  # fmt: skip
        found = self._discovered()
        ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if self.secret is None:
            form["client_id"] = self.settings.client_id
        elif "client_secret_basic" in ways:  # RFC 6749, 2.3.1: both are form-encoded first
            auth = httpx.BasicAuth(quote(self.settings.client_id, safe=""), quote(self.secret, safe=""))
        else:
            form |= {"client_id": self.settings.client_id, "client_secret": self.secret}
        token = self._ask("POST", found["token_endpoint"], form, auth).get("id_token")
        if not isinstance(token, str):
            raise Unverified("no ID token")
        return token

    def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None = None, auth: httpx.Auth | None = None
    ) -> dict[str, Any]:
        """The JSON object with which it answers.

        Raises:
            ProviderDown: it does not answer, or not with one. Unverified: it refuses a form.
        """
        where = url.partition("?")[0]
        until = self.ticking() + self.settings.timeout_seconds
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            with (
                httpx.Client(verify=context, timeout=self.settings.timeout_seconds, trust_env=False) as client,
                client.stream(method, url, data=form, auth=auth, headers={"Accept": "application/json"}) as answer,
            ):
                data = bytearray()
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > _MOST_BYTES or self.ticking() > until:
                        raise ProviderDown(f"{where}: answers too much, or too slowly")
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ProviderDown(f"{where}: {type(error).__name__}") from None
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        if form is not None and status in (400, 401, 403):
            told = found.get("error") if isinstance(found, dict) else None
            raise Unverified(f"code refused: {plain_word(told)}")
        if status != 200 or not isinstance(found, dict):
            raise ProviderDown(f"{where}: HTTP {status}")
        return found


def plain_word(told: object) -> str:
    """An error's name as the standards write it; what is none is not repeated."""
    return (
        told
        if isinstance(told, str) and told.isascii() and told.replace("_", "").isalnum() and len(told) <= 40
        else "?"
    )


def _key(written: Any) -> _Key | None:
    """A key of the provider's that a signature may be verified with; None where it is of another kind."""
    if not isinstance(written, dict) or written.get("use", "sig") != "sig" or written.get("kty") not in _KINDS:
        return None
    try:
        if written["kty"] == "RSA" and len(base64.urlsafe_b64decode(f"{written['n']}==")) * 8 < _SHORTEST_RSA_BITS:
            return None
        public = {
            name: value for name, value in written.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")
        }
        key = _KINDS[written["kty"]].import_key({**public, "use": "sig"})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return _Key(written.get("kid"), written.get("alg"), key)


def _is_meant(one: _Key, header: Mapping[str, Any]) -> bool:
    alg = header.get("alg")
    of_kind = one.key.key_type == ALGORITHMS.get(str(alg)) and one.alg in (None, alg)
    return of_kind and header.get("kid") in (None, one.kid)


def provider_of(office: Office) -> Provider | None:
    """The office's identity provider; None where it has none.

    Raises:
        ConfigError: its secret is nowhere, or its authority's file cannot be read.
    """
    desk = office.settings.file.desk
    if desk.oidc is None or desk.public_url is None:
        return None
    name, secret = desk.oidc.secret_name, None
    if name is not None and (secret := office.secrets.get(name)) is None:
        raise ConfigError(
            f"desk.oidc 所需的「{name}」既不在环境变量中,也不在 {office.secrets.path} 中;请补上。",
            f"desk.oidc needs '{name}', which is neither an environment variable nor in {office.secrets.path}; add it.",
        )
    authority = office.settings.base / desk.oidc.ca_file if desk.oidc.ca_file else None
    try:
        ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError):
        raise ConfigError(
            f"desk.oidc.ca_file:{authority} 读不到,或不是 PEM 证书。",
            f"desk.oidc.ca_file: {authority} cannot be read, or holds no certificates in PEM.",
        ) from None
    return Provider(desk.oidc, desk.public_url.rstrip("/"), secret.reveal() if secret else None, authority)

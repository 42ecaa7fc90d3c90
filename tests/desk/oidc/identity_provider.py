"""An identity provider for tests: discovery, keys, a page that signs everybody in, codes for tokens. What it says can be spoilt.

It is strict about what the desk owes it: redirect address, PKCE, the client's secret, each code once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "disclosure-desk", "a:client%secret of the tests/ßå"
RSA, OTHER_RSA = (RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}) for kid in ("r1", "r2"))
EC, OTHER_EC = (ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"}) for kid in ("e1", "e2"))


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from(now: int, value: Any) -> Any:
    return now + int(value.total_seconds()) if isinstance(value, timedelta) else value


@dataclass
class IdentityProvider:
    """One provider. `claims` stand over what it would say (None: left out; a timedelta is from now); `told` are the codes that it gave."""

    issuer: str = ""
    keys: list[Any] = field(default_factory=lambda: [RSA, EC])
    signs: Any = field(default_factory=lambda: RSA)
    alg: str = "RS256"
    header: dict[str, Any] = field(default_factory=dict)
    login: str = "sun"
    subject: str = "subject-of-sun"
    claims: dict[str, Any] = field(default_factory=dict)
    token: str | None = None
    error: str | None = None
    down: bool = False
    document: dict[str, Any] = field(default_factory=dict)
    ways: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        app.get("/.well-known/openid-configuration")(self.discovery)
        app.get("/keys")(self.jwks)
        app.get("/authorize")(self.authorize)
        app.post("/token")(self.exchange)
        return app

    def discovery(self) -> Response:
        self.asked.append("discovery")
        if self.down:
            return Response("<html>maintenance", 503)
        return JSONResponse(
            {
                "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": self.ways, **self.document,
            }
        )  # fmt: skip

    def jwks(self) -> Response:
        self.asked.append("keys")
        strange = [{"kty": "AKP", "kid": "post-quantum"}, {"kty": "oct", "k": "AAAA", "kid": "r1"}, "none"]
        return JSONResponse({"keys": strange + [one.as_dict(private=False) for one in self.keys]})

    def authorize(self, request: Request) -> Response:
        self.asked.append("authorize")
        told = dict(request.query_params)
        assert told["client_id"] == CLIENT and told["response_type"] == "code", told
        assert "openid" in told["scope"].split() and told["code_challenge_method"] == "S256", told
        if self.error:
            return RedirectResponse(
                f"{told['redirect_uri']}?{urlencode({'error': self.error, 'state': told['state']})}"
            )
        code = secrets.token_urlsafe(16)
        self._codes[code] = told
        back = {"code": code, "state": told["state"], "iss": self.issuer}
        return RedirectResponse(f"{told['redirect_uri']}?{urlencode(back)}", 303)

    async def exchange(self, request: Request) -> Response:
        self.asked.append("token")
        form = dict(await request.form())
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            client, _, secret = (unquote(one) for one in base64.b64decode(given).decode().partition(":"))
        else:
            client, secret = str(form.get("client_id")), str(form.get("client_secret"))
        if (client, secret) != (CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self._codes.pop(str(form["code"]), None)
        challenge = b64(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = self.token if self.token is not None else self.id_token(asked["nonce"])
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": token})

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer, "aud": CLIENT, "sub": self.subject, "iat": now, "exp": now + 300, "nonce": nonce,
            "preferred_username": self.login, **self.claims,
        }  # fmt: skip
        said = {name: _from(now, value) for name, value in said.items() if value is not None}
        header = {"alg": self.alg, "kid": self.signs.kid, **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        if self.alg == "none":
            return ".".join((b64(json.dumps(header).encode()), b64(json.dumps(said).encode()), ""))
        if self.alg == "HS256":  # the classic confusion: signed by what everybody can read
            signed = ".".join((b64(json.dumps({**header, "kid": "r1"}).encode()), b64(json.dumps(said).encode())))
            return f"{signed}.{b64(hmac.digest(RSA.as_pem(private=False), signed.encode(), 'sha256'))}"
        return jwt.encode(header, said, self.signs, algorithms=[self.alg])

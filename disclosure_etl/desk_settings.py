"""The desk's part of settings.yaml: where it listens, how long a session lasts, and by which ways somebody signs in.

Not here: reading the file (`settings`), the secrets that it names (`intake.sources.secret_values`).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from schemas.yamlfile import Source

_EVERYBODY = 0  # the prefix of a network that everybody is in


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OidcSettings(_Part):
    """The identity provider (OpenID Connect) with which people sign in. `client_secret` is `{secret: NAME}`, or left out where the
    provider wants none; `login_claim`: what in its ID token is the login; `ca_file`: the authority that its certificate is of."""

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: Any = None
    label_zh: str = "统一身份认证登录"
    label_en: str = "Sign in with the identity provider"
    login_claim: str = Field(default="preferred_username", min_length=1)
    scopes: tuple[str, ...] = ("openid", "profile")
    ca_file: str | None = None
    timeout_seconds: float = Field(default=5, gt=0, le=30)

    @property
    def secret_name(self) -> str | None:
        """The name of the client's secret."""
        return self.client_secret["secret"] if self.client_secret is not None else None


class DeskSettings(_Part):
    """The desk: `https` where it is reached by TLS (then the browser sends the session by TLS only); minutes without use, and
    hours in all, after which a session ends; `proxies`: addresses whose word of a visitor's own address is taken; `public_url`: the
    address that people type; `passwords` false: nobody signs in with one."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, gt=0, lt=65536)
    https: bool = False
    idle_minutes: float = Field(default=60, gt=0)
    longest_hours: float = Field(default=12, gt=0)
    uploads: str = "var/uploads"
    proxies: tuple[str, ...] = ()
    public_url: str | None = None
    passwords: bool = True
    oidc: OidcSettings | None = None


def check_desk(desk: DeskSettings, source: Source) -> None:
    """Hold the desk's settings against one another.

    Raises:
        ConfigError: with file and line: nobody could sign in, an address or proxy that cannot be trusted, a secret in the file.
    """
    _check_proxies(desk.proxies, source)
    if desk.public_url is not None:
        _check_public_url(desk.public_url, desk.https, source)
    if desk.oidc is not None:
        _check_oidc(desk, desk.oidc, source)
    elif not desk.passwords:
        raise source.error(
            ("desk", "passwords"),
            "desk.passwords 为 false,又没有 desk.oidc,谁也无法登录;请配置 desk.oidc,或改回 passwords: true。",
            "desk.passwords is false and there is no desk.oidc, so that nobody could sign in; set desk.oidc, or passwords: true.",
        )


def _check_proxies(proxies: Sequence[str], source: Source) -> None:
    for number, one in enumerate(proxies):
        try:
            bounded = ip_network(one).prefixlen > _EVERYBODY
        except ValueError:
            bounded = False
        if not bounded:
            raise source.error(
                ("desk", "proxies", number),
                f"desk.proxies 中的「{one}」不可用:请写反向代理的 IP 地址或网段(如 10.0.0.5、10.0.0.0/28);写成所有人,访问者的"
                "地址就可以伪造。",
                f"'{one}' of desk.proxies cannot be used: write the address or network of a reverse proxy (10.0.0.5, 10.0.0.0/28); "
                "were it everybody, a visitor's address could be forged.",
            )


def _check_public_url(url: str, https: bool, source: Source) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or url.rstrip("/") != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:  # fmt: skip
        raise source.error(
            ("desk", "public_url"),
            f"desk.public_url「{url}」不可用;请写人们输入的地址,如 https://desk.example.gov.cn,不带路径。",
            f"desk.public_url '{url}' cannot be used; write the address that people type, such as https://desk.example.gov.cn, "
            "without a path.",
        )
    if (parts.scheme == "https") is not https:
        raise source.error(
            ("desk", "public_url"),
            f"desk.public_url 为 {parts.scheme},而 desk.https 为 {str(https).lower()};两者须一致,否则会话要么不加密,要么送不到。",
            f"desk.public_url is {parts.scheme} and desk.https is {str(https).lower()}; they must agree, or sessions would go "
            "unencrypted, or not at all.",
        )


def _check_oidc(desk: DeskSettings, oidc: OidcSettings, source: Source) -> None:
    at = ("desk", "oidc")
    if desk.public_url is None:
        raise source.error(
            at,
            "有 desk.oidc 就须有 desk.public_url:身份认证平台由此把人送回来。",
            "desk.oidc takes desk.public_url as well: there the identity provider sends people back to.",
        )
    if not is_trusted_line(oidc.issuer) or "?" in oidc.issuer:
        raise source.error(
            (*at, "issuer"),
            f"desk.oidc.issuer「{oidc.issuer}」不可用:须为 https 地址(本机可用 http),不带用户名、参数和 #。",
            f"desk.oidc.issuer '{oidc.issuer}' cannot be used: it must be an https address (http on this machine), without a "
            "user's name, a query or #.",
        )
    if "openid" not in oidc.scopes:
        raise source.error(
            (*at, "scopes"), "desk.oidc.scopes 须含 openid。", "desk.oidc.scopes must have openid among them."
        )
    written = oidc.client_secret
    if written is not None and not (
        isinstance(written, dict) and set(written) == {"secret"} and isinstance(written["secret"], str)
    ):
        raise source.error(
            (*at, "client_secret"),
            "desk.oidc.client_secret 须写成 {secret: 名称},不得直接写在文件里;请把它放进同名环境变量或 secrets.yaml,"
            "若已写出,请更换。",
            "desk.oidc.client_secret must be {secret: NAME} and never stand in the file itself; put it into the environment "
            "variable of that name or into secrets.yaml, and change it if it was written here.",
        )


def is_trusted_line(url: str) -> bool:
    """Whether nobody can listen or answer in between: https, or http that does not leave the machine. Without a user's name
    or a fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

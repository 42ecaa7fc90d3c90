"""Settings of the identity provider: those by which nobody or anybody would come in are refused, and doctor tries it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disclosure_etl.desk.provider import provider_of
from schemas.errors import ConfigError
from tests.conftest import Said
from tests.desk.oidc.conftest import lines_of, office_with
from tests.desk.oidc.identity_provider import SECRET, IdentityProvider
from tests.factories import contract, make_office

# -- settings

REFUSED = {
    "nobody could sign in": (("passwords: false",), "nobody could sign in"),
    "no address to come back to": (("oidc: {issuer: 'https://id.example', client_id: x}",), "takes desk.public_url"),
    "an issuer that anybody can play": (
        ("public_url: http://desk", "oidc: {issuer: 'http://id.example', client_id: x}"), "must be an https address",
    ),
    "a secret in the file": (
        ("public_url: http://desk", "oidc: {issuer: 'https://id.example', client_id: x, client_secret: hush-hush}"),
        "must be {secret: NAME}",
    ),
    "no openid": (
        ("public_url: http://desk", "oidc: {issuer: 'https://id.example', client_id: x, scopes: [profile]}"), "openid",
    ),
    "an address with a path": (("public_url: http://desk/sub",), "without a path"),
    "an address that is none": (("public_url: desk",), "without a path"),
    "TLS at one end": (("public_url: https://desk",), "must agree"),
    "a proxy that is everybody": (("proxies: ['*']",), "could be forged"),
    "a network that is everybody": (("proxies: [0.0.0.0/0]",), "could be forged"),
    "a proxy by name": (("proxies: [proxy.example]",), "could be forged"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_settings_by_which_nobody_or_anybody_would_come_in(tmp_path: Path, name: str) -> None:
    lines, told = REFUSED[name]
    with pytest.raises(ConfigError) as raised:
        office_with(tmp_path, None, *lines)

    assert told in raised.value.message.en and "settings.yaml:" in raised.value.message.zh
    assert "hush" not in raised.value.message.en + raised.value.message.zh


def test_a_secret_or_authority_that_is_nowhere(tmp_path: Path) -> None:
    oidc = "oidc: {issuer: 'https://id.example', client_id: x, client_secret: {secret: DESK_OIDC}%s}"
    with pytest.raises(ConfigError, match="needs 'DESK_OIDC'"):
        provider_of(office_with(tmp_path, None, "public_url: http://desk", oidc % "", DESK_OIDC=""))
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("nowhere.pem", "ca.pem"):
        with pytest.raises(ConfigError, match="ca_file"):
            provider_of(office_with(tmp_path, None, "public_url: http://desk", oidc % f", ca_file: {name}"))


def test_doctor_tries_the_provider(
    tmp_path: Path, provider: IdentityProvider, say: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_office(tmp_path)
    office_with(tmp_path, None, *lines_of(provider))
    monkeypatch.setenv("DESK_OIDC", SECRET)
    for down in (False, True):
        provider.down = down
        found = say("--now", "2014-03-06", "doctor", "--json").json
        contract("doctor").validate(found)
        assert [one["ok"] for one in found if one["what"] == "oidc"] == [not down]

"""The commands of the desk's accounts and tokens: what each changes, what it refuses, and that a secret is printed once or never."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from disclosure_etl.desk.signing_in import open_session, password_fits, sign_in
from disclosure_etl.desk.standing import digest_of_secret
from disclosure_etl.office import Office
from disclosure_etl.settings import load_settings
from tests.conftest import Said
from tests.factories import make_office

PASSWORD, OTHER = "correct horse battery", "another horse battery"
Desk = Callable[..., Said]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """The office that the commands work on."""
    return make_office(tmp_path)


@pytest.fixture
def desk(say: Callable[..., Said], office: Office, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """One of the desk's commands, with what it reads from standard input. An administrator and a steward have accounts."""

    def run(*words: str, typed: str = "") -> Said:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return say("--now", "2014-03-06", "--lang", "en", "desk", *words)

    assert run("create-user", "admin", "--name", "王芳", typed=f"{PASSWORD}\n").code == 0
    assert run("create-user", "li", "--name", "李强", "--role", "steward", typed=f"{PASSWORD}\n").code == 0
    return run


def kinds(office: Office) -> list[str]:
    return [one.kind for one in office.warehouse.audit_events()]


def person(office: Office, login: str = "li"):
    return office.warehouse.person_by_login(login)[0]


def test_another_password_ends_sessions_and_is_recorded_by_whoever_did_it(
    desk: Desk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = open_session(office.warehouse, person(office), "").secret
    monkeypatch.setenv("DISCLOSURE_ACTOR", "operator")

    assert desk("set-password", "li", typed=f"{OTHER}\n").code == 0

    assert office.warehouse.visitor(digest_of_secret(secret)) is None
    assert password_fits(office.warehouse, person(office), OTHER)
    [event] = office.warehouse.audit_events("person_changed", "li")
    assert (event.actor, event.details) == ("operator", {"password": "changed"})
    before = kinds(office)
    again = desk("set-password", "li", typed=f"{OTHER}\n")
    assert (again.code, "already" in again.out, kinds(office)) == (0, True, before)


@pytest.mark.parametrize("typed", ["", "short\n", "\n"])
def test_a_password_that_cannot_be_used_changes_nothing(desk: Desk, office: Office, typed: str) -> None:
    before = kinds(office)

    assert desk("set-password", "li", typed=typed).code == 2
    assert kinds(office) == before and password_fits(office.warehouse, person(office), PASSWORD)


def test_an_account_is_closed_and_opened(desk: Desk, office: Office) -> None:
    secret = open_session(office.warehouse, person(office), "").secret
    assert desk("close-user", "li").code == 0
    assert office.warehouse.visitor(digest_of_secret(secret)) is None
    assert "closed" in desk("users").out

    assert desk("open-user", "li").code == 0
    assert (
        office.warehouse.visitor(digest_of_secret(secret)) is None
    )  # a session that ended does not come to life again
    assert sign_in(office.warehouse, "li", PASSWORD, "", "").person.login == "li"


def test_the_last_open_administrator_stays(desk: Desk, office: Office) -> None:
    refused = desk("close-user", "admin")
    assert refused.code == 2 and "At least one administrator" in refused.err and person(office, "admin").active

    assert desk("create-user", "second", "--name", "赵", typed=f"{PASSWORD}\n").code == 0
    assert desk("close-user", "admin").code == 0
    assert desk("close-user", "second").code == 2


def test_where_there_never_was_an_administrator_others_can_be_changed(
    say: Callable[..., Said], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (
        ("create-user", "li", "--name", "李强", "--role", "steward"),
        ("close-user", "li"),
        ("open-user", "li"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
        assert say("desk", *words).code == 0


@pytest.mark.parametrize("words", [("set-password", "nobody"), ("close-user", "nobody"), ("open-user", "nobody")])
def test_an_account_that_is_not_there(desk: Desk, words: tuple[str, ...]) -> None:
    said = desk(*words, typed=PASSWORD)

    assert said.code == 2 and "no account 'nobody'" in said.err and "desk users" in said.err


def test_a_token_is_printed_once_by_itself(desk: Desk, office: Office, tmp_path: Path) -> None:
    made = desk("create-token", "区级平台", "--bureau", "海淀分局", "--ends", "2014-12-31")
    token = made.out.strip()

    assert office.warehouse.token(digest_of_secret(token)).bureau == "haidian"
    assert token not in made.err and token not in desk("tokens").out + desk("tokens", "--json").out
    assert not any(token.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    refused = desk("create-token", "区级平台", "--bureau", "haidian")
    assert (refused.code, refused.out) == (2, "")

    assert desk("revoke-token", "1").code == 0
    assert "already" in desk("revoke-token", "1").out
    assert kinds(office).count("token_revoked") == 1
    assert desk("create-token", "区级平台", "--bureau", "haidian").code == 0


@pytest.mark.parametrize(
    "words",
    [("create-token", "x", "--bureau", "nowhere"), ("create-token", " ", "--bureau", "haidian"), ("revoke-token", "9"),
     ("create-token", "x", "--bureau", "haidian", "--ends", "2014-03-05"),
     ("create-token", "x", "--bureau", "haidian", "--ends", "9999-12-31"),
     ("create-token", "x", "--bureau", "haidian", "--ends", "tomorrow")],
)  # fmt: skip
def test_a_token_that_cannot_be(desk: Desk, office: Office, words: tuple[str, ...]) -> None:
    said = desk(*words)

    assert (said.code, said.out) == (2, "") and "Traceback" not in said.err
    assert office.warehouse.tokens() == []


# -- with an identity provider

OIDC = "desk:\n  public_url: http://desk\n  oidc: {issuer: 'https://id.example', client_id: x}\n"


def test_without_a_provider_nobody_is_left_without_a_way_in(desk: Desk) -> None:
    for words in (("create-user", "sun", "--name", "孙明", "--oidc"), ("set-password", "li", "--oidc")):
        said = desk(*words)
        assert said.code == 2 and "desk.oidc" in said.err


def test_accounts_of_the_provider(desk: Desk, office: Office, tmp_path: Path) -> None:
    settings = tmp_path / "config" / "settings.yaml"
    settings.write_text(f"office: {{bureau: shiju}}\n{OIDC}", encoding="utf-8")

    assert desk("create-user", "sun", "--name", "孙明", "--oidc").code == 0
    assert desk("set-password", "li", "--oidc").code == 0
    assert "already" in desk("set-password", "li", "--oidc").out

    assert not person(office, "sun").has_password and not person(office).has_password
    assert "identity provider (not yet)" in desk("users").out
    assert desk("set-password", "li", typed=f"{OTHER}\n").code == 0
    assert person(office).has_password


def test_the_desk_does_not_start_where_nobody_could_sign_in(desk: Desk, tmp_path: Path) -> None:
    settings = tmp_path / "config" / "settings.yaml"
    settings.write_text(f"office: {{bureau: shiju}}\n{OIDC}  passwords: false\n", encoding="utf-8")
    assert load_settings(tmp_path / "config", {}, tmp_path).file.desk.passwords is False

    said = desk()
    assert said.code == 2 and "Nobody can sign in" in said.err
    assert desk("set-password", "li", typed=f"{OTHER}\n").code == 2


def test_a_secret_that_is_nowhere_is_told_by_config_check_and_at_the_start(desk: Desk, tmp_path: Path) -> None:
    text = f"office: {{bureau: shiju}}\n{OIDC}".replace(
        "client_id: x", "client_id: x, client_secret: {secret: NOWHERE}"
    )
    (tmp_path / "config" / "settings.yaml").write_text(text, encoding="utf-8")

    from flows.cli import main

    assert "needs 'NOWHERE'" in desk().err
    assert main(["config", "check"]) == 2

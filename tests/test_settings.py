"""Settings: where they are found, what stands over what, and that no password is shown or kept in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from disclosure_etl.settings import ConfigDirs, ReadLimits, Settings, SettingsFile, default_config_dir, load_settings
from schemas.errors import ConfigError
from schemas.yamlfile import read_yaml


def office(folder: Path, *lines: str) -> Path:
    """A config folder below `folder` with a settings file of these lines after line 1; returns the config folder."""
    config = folder / "config"
    config.mkdir(parents=True)
    (config / "settings.yaml").write_text("office: {bureau: shiju}\n" + "".join(f"{line}\n" for line in lines))
    return config


def settings_of(folder: Path, *lines: str, **environment: str) -> Settings:
    return load_settings(office(folder, *lines), environment, folder)


def refusal(folder: Path, *lines: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as raised:
        settings_of(folder, *lines, **environment)
    assert raised.value.message.zh
    return raised.value.message.en


def test_without_an_office_the_packaged_configuration_works_in_the_current_folder(tmp_path: Path) -> None:
    settings = load_settings(None, {}, tmp_path)

    assert settings.dirs.office is None
    assert settings.bureau == "shiju" and settings.family == "bureau-monthly"
    assert settings.warehouse_url == f"sqlite:///{tmp_path.resolve()}/var/warehouse.sqlite"
    assert settings.inbox_path == tmp_path.resolve() / "inbox"
    assert settings.prefect_api is None and settings.optional_blocks == {}


def test_the_packaged_settings_are_the_defaults() -> None:
    file, _ = read_yaml(default_config_dir() / "settings.yaml", SettingsFile)

    assert file == SettingsFile(office=file.office)


def test_the_packaged_file_shows_every_setting() -> None:
    _, source = read_yaml(default_config_dir() / "settings.yaml", SettingsFile)

    assert {str(place[0]) for place in source.lines if len(place) == 1} == set(SettingsFile.model_fields)


def test_an_option_stands_over_the_environment_and_that_over_the_current_folder(tmp_path: Path) -> None:
    by_option, by_environment, here = (office(tmp_path / name) for name in ("a", "b", "c"))
    environment = {"DISCLOSURE_CONFIG": str(by_environment)}

    assert load_settings(by_option, environment, here.parent).dirs.office == by_option
    assert load_settings(None, environment, here.parent).dirs.office == by_environment
    assert load_settings(None, {"DISCLOSURE_CONFIG": ""}, here.parent).dirs.office == here


def test_a_config_folder_without_settings_is_not_taken_for_an_office(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()

    assert load_settings(None, {}, tmp_path).dirs.office is None


def test_a_named_folder_needs_no_settings_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()

    settings = load_settings(Path("own"), {}, tmp_path)

    assert settings.dirs.office == tmp_path / "own" and settings.bureau == "shiju"


@pytest.mark.parametrize("by_option", [True, False])
def test_a_named_folder_that_is_not_there_is_an_error(tmp_path: Path, by_option: bool) -> None:
    config = Path("nowhere") if by_option else None

    with pytest.raises(ConfigError) as raised:
        load_settings(config, {"DISCLOSURE_CONFIG": "nowhere"}, tmp_path)

    named_by = "--config" if by_option else "DISCLOSURE_CONFIG"
    assert f"{tmp_path / 'nowhere'}, named by {named_by}, does not exist" in raised.value.message.en


def test_relative_paths_are_relative_to_the_folder_that_holds_the_configuration(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = office(tmp_path / "office", "raw_store: kept", "inbox: /srv/inbox")

    settings = load_settings(config, {}, elsewhere)

    assert settings.raw_store_path == tmp_path / "office" / "kept"
    assert settings.inbox_path == Path("/srv/inbox")
    assert settings.reports_path == tmp_path / "office" / "out"
    assert settings.prefect_home == tmp_path / "office" / "var" / "prefect"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("data.sqlite", "sqlite:///{base}/data.sqlite"),
        ("/srv/data.sqlite", "sqlite:////srv/data.sqlite"),
        ("sqlite:///data.sqlite", "sqlite:///{base}/data.sqlite"),
        ("sqlite:////srv/data.sqlite?timeout=5", "sqlite:////srv/data.sqlite?timeout=5"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql://ming@db/returns", "postgresql+psycopg://ming@db/returns"),
        ("postgres://ming@db:5433/returns", "postgresql+psycopg://ming@db:5433/returns"),
        ("postgresql+psycopg://db/returns", "postgresql+psycopg://db/returns"),
    ],
)
def test_a_warehouse_is_a_file_or_an_address(tmp_path: Path, written: str, url: str) -> None:
    settings = settings_of(tmp_path, f"warehouse: '{written}'")

    assert settings.warehouse_url == url.format(base=tmp_path)
    assert settings.warehouse_label == settings.warehouse_url


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        "inbox: here",
        "language: zh",
        DISCLOSURE_WAREHOUSE="postgresql://ming:secret@db/returns",
        DISCLOSURE_INBOX="there",
        DISCLOSURE_LANG="en",
    )

    assert settings.warehouse_url == "postgresql+psycopg://ming:secret@db/returns"
    assert settings.inbox_path == tmp_path / "there"
    assert settings.language == "en"


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, DISCLOSURE_WAREHOUSE="", DISCLOSURE_INBOX="", DISCLOSURE_LANG="")

    assert settings.warehouse_url.endswith("/var/warehouse.sqlite")
    assert settings.inbox_path == tmp_path / "inbox"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ming:secret@db/returns",
        "postgresql://ming:se@cret@db/returns",
        "postgresql://ming:se/cret@db/returns",
        "postgresql://:secret@db/returns",
        "postgresql://ming@db/returns?password=secret",
        "postgresql://ming@db/returns?sslmode=require&sslpassword=secret",
    ],
)
def test_a_password_is_never_shown(tmp_path: Path, url: str) -> None:
    label = settings_of(tmp_path, DISCLOSURE_WAREHOUSE=url).warehouse_label

    assert "cret" not in label and "***" in label and "db/returns" in label


@pytest.mark.parametrize("url", ["postgresql://ming:secret@db/returns", "postgresql://db/returns?password=secret"])
def test_a_password_in_the_file_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    message = refusal(tmp_path, f"warehouse: {url}")

    assert "settings.yaml:2: " in message and "DISCLOSURE_WAREHOUSE" in message
    assert "secret" not in message


def test_a_password_in_the_file_is_refused_even_where_the_environment_overrides_it(tmp_path: Path) -> None:
    message = refusal(tmp_path, "warehouse: postgresql://ming:secret@db/returns", DISCLOSURE_WAREHOUSE="other.sqlite")

    assert "must not stand in a file" in message


def test_a_password_in_the_prefect_address_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, "prefect_api: http://ming:secret@prefect/api")

    assert "settings.yaml:2: " in message and "secret" not in message


def test_another_database_is_refused_by_name_and_without_its_password(tmp_path: Path) -> None:
    in_file = refusal(tmp_path / "a", "warehouse: mysql://db/returns")
    in_environment = refusal(tmp_path / "b", DISCLOSURE_WAREHOUSE="mysql://ming:secret@db/returns")

    assert "settings.yaml:2: The database 'mysql' is not supported" in in_file
    assert in_environment.startswith("DISCLOSURE_WAREHOUSE: The database 'mysql' is not supported")
    assert "secret" not in in_environment


@pytest.mark.parametrize(
    ("setting", "environment", "language"),
    [
        ("auto", {"LANG": "en_US.UTF-8"}, "en"),
        ("auto", {"LANG": "zh_CN.UTF-8"}, "zh"),
        ("auto", {"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ("auto", {"LANG": "C"}, "zh"),
        ("auto", {}, "zh"),
        ("zh", {"LANG": "en_US.UTF-8"}, "zh"),
        ("en", {"DISCLOSURE_LANG": "zh"}, "zh"),
        ("zh", {"DISCLOSURE_LANG": "auto", "LANG": "en_US.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_one_wished_for_else_the_terminals_else_chinese(
    tmp_path: Path, setting: str, environment: dict[str, str], language: str
) -> None:
    assert settings_of(tmp_path, f"language: {setting}", **environment).language == language


def test_another_language_is_refused(tmp_path: Path) -> None:
    assert "known: zh, en, auto" in refusal(tmp_path / "a", DISCLOSURE_LANG="fr")
    assert "Known: auto, zh, en." in refusal(tmp_path / "b", "language: fr")


def test_a_misspelt_setting_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    message = refusal(tmp_path, "limits: {max_cell: 5}")

    assert "settings.yaml:2: There is no key 'max_cell'. Did you mean 'max_cells'?" in message


def test_limits_that_are_not_set_stay_as_the_readers_have_them(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "limits: {max_cells: 5}", "optional_blocks: {bureau-monthly: [channels]}")

    assert settings.read_limits == ReadLimits(max_cells=5)
    assert settings.optional_blocks == {"bureau-monthly": ("channels",)}


def test_an_office_overrides_file_by_file(tmp_path: Path) -> None:
    default, own = tmp_path / "default", tmp_path / "own"
    for base, names in ((default, ("a.yaml", "b.yaml", "only.yaml")), (own, ("b.yaml", "c.yaml", ".#c.yaml"))):
        (base / "forms").mkdir(parents=True)
        for name in names:
            (base / "forms" / name).touch()
    dirs = ConfigDirs(own, default)

    assert dirs.file("forms/b.yaml") == own / "forms/b.yaml"
    assert dirs.file("forms/only.yaml") == default / "forms/only.yaml"
    assert dirs.files("forms", "*.yaml") == (
        default / "forms/a.yaml",
        own / "forms/b.yaml",
        own / "forms/c.yaml",
        default / "forms/only.yaml",
    )
    assert ConfigDirs(None, default).files("none", "*.yaml") == ()


def test_a_file_that_would_be_passed_over_for_its_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "own.yml").touch()

    with pytest.raises(ConfigError, match="rename it to end in"):
        ConfigDirs(tmp_path, default_config_dir()).files("forms", "*.yaml")

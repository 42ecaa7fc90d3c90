"""Every mistake in a configuration file is told with file, line, what was seen and what is known."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ConfigError
from schemas.periods import Frequency
from schemas.yamlfile import read_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Third(_Strict):
    working_day: int


class Rule(_Strict):
    code: str
    severity: Literal["error", "warning"] = "error"
    weight: float = 1.0
    day: int = Field(default=1, ge=1, le=31)
    on: bool = False
    roll: Literal["stay", "next"] | int | Third = "stay"
    since: date | None = Field(default=None, alias="from")


class File(_Strict):
    rules: tuple[Rule, ...] = ()
    by_frequency: dict[Frequency, Rule] = {}


def written(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> tuple[str, str]:
    """The Chinese and English text of the error that reading `path` ends in, without the folder."""
    with pytest.raises(ConfigError) as raised:
        read_yaml(path, File)
    assert raised.value.exit_code == 2
    message = raised.value.message
    return message.zh.replace(str(path), path.name), message.en.replace(str(path), path.name)


def one_rule(folder: Path, *lines: str) -> Path:
    """A file with one rule, whose further lines begin on line 3."""
    return written(folder, "rules:\n  - code: sum\n" + "".join(f"    {line}\n" for line in lines))


def test_a_file_becomes_its_model(tmp_path: Path) -> None:
    path = one_rule(tmp_path, "severity: warning", "weight: 2", "day: 5", "on: true", "from: 2014-05-01")

    file, _ = read_yaml(path, File)

    rule = file.rules[0]
    assert (rule.code, rule.severity, rule.weight, rule.day, rule.on) == ("sum", "warning", 2.0, 5, True)
    assert rule.since == date(2014, 5, 1)


@pytest.mark.parametrize(
    "text", ["no", "on", "Yes", "012", "1:30", "0x1F", "1_000", "2014-05", "2014-05-01", "=", '"7"', "!!str 7"]
)
def test_what_looks_like_text_is_text(tmp_path: Path, text: str) -> None:
    file, _ = read_yaml(written(tmp_path, f"rules:\n  - code: {text}\n"), File)

    assert file.rules[0].code == text.removeprefix("!!str ").strip('"')


@pytest.mark.parametrize("number", ["7", "-7", "7.5", "true"])
def test_an_unquoted_code_of_digits_asks_for_quotes(tmp_path: Path, number: str) -> None:
    zh, en = refusal(written(tmp_path, f"rules:\n  - code: {number}\n"))

    assert en == f"rules.yaml:2: 'rules.code' is {number}; text is expected; if it is a code, put it in quotes."
    assert zh.startswith("rules.yaml:2: ") and "加引号" in zh


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("day: '5'", "a whole number is expected, without quotes"),
        ("day: 05", "a whole number is expected, without quotes"),
        ("day: true", "a whole number is expected, without quotes"),
        ("day: 5.5", "a whole number is expected"),
        ("day: 32", "at most 31 is expected"),
        ("day:", "'rules.day' is null"),
        ("weight: heavy", "a number is expected, without quotes"),
        ("on: yes", "true or false is expected"),
        ("on: 1", "true or false is expected"),
        ("from: 2014-13-01", "a date such as 2014-05-01 is expected"),
        ("from: 2014-5-1", "a date such as 2014-05-01 is expected"),
        ("from: [2014]", "a date such as 2014-05-01 is expected"),
        ("code2: [1, 2]", "There is no key 'code2'. Did you mean 'code'?"),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_is_expected(tmp_path: Path, line: str, expected: str) -> None:
    zh, en = refusal(one_rule(tmp_path, line))

    assert en.startswith("rules.yaml:3: ") and expected in en
    assert zh.startswith("rules.yaml:3: ")


def test_an_unknown_key_brings_the_closest_and_all_known_ones(tmp_path: Path) -> None:
    zh, en = refusal(one_rule(tmp_path, "severty: warning"))

    assert en == (
        "rules.yaml:3: There is no key 'severty'. Did you mean 'severity'? "
        "Known: code, severity, weight, day, on, roll, from."
    )
    assert zh == (
        "rules.yaml:3: 没有名为「severty」的键。是否应为「severity」?"
        "可用的有:code、severity、weight、day、on、roll、from。"
    )


def test_an_unknown_value_brings_the_closest_and_all_known_ones(tmp_path: Path) -> None:
    zh, en = refusal(one_rule(tmp_path, "severity: waring"))

    assert en == (
        "rules.yaml:3: 'rules.severity' is \"waring\"; that is not a known value. Did you mean 'warning'? "
        "Known: error, warning."
    )
    assert "是否应为「warning」?可用的有:error、warning。" in zh


def test_an_unknown_key_of_a_table_brings_its_known_ones(tmp_path: Path) -> None:
    _, en = refusal(written(tmp_path, "by_frequency:\n  weekly: {code: a}\n"))

    assert en.startswith("rules.yaml:2: ") and "Known: monthly, quarterly, half_yearly, yearly." in en


def test_a_missing_key_is_told_at_the_entry_that_lacks_it(tmp_path: Path) -> None:
    zh, en = refusal(written(tmp_path, "rules:\n  - code: a\n  - day: 3\n"))

    assert en == "rules.yaml:3: 'rules.code' is missing; add it."
    assert zh == "rules.yaml:3: 缺少「rules.code」,请补上。"


def test_alternatives_of_one_place_are_told_together(tmp_path: Path) -> None:
    _, en = refusal(one_rule(tmp_path, "roll: tomorrow"))

    assert en.count("rules.yaml:") == 1
    assert "Known: stay, next" in en and "a whole number" in en and "keys with values" in en


def test_a_mistake_inside_an_alternative_is_told_where_it_is(tmp_path: Path) -> None:
    _, en = refusal(one_rule(tmp_path, "roll:", "  working_days: 3"))

    assert "rules.yaml:4: There is no key 'working_days'. Did you mean 'working_day'?" in en
    assert "a whole number" not in en


def test_several_mistakes_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    _, en = refusal(one_rule(tmp_path, "day: 40", "severity: fatal", "colour: red"))

    assert [line.split(": ")[0] for line in en.splitlines()] == ["rules.yaml:3", "rules.yaml:4", "rules.yaml:5"]


def test_many_mistakes_are_counted_not_all_told(tmp_path: Path) -> None:
    zh, en = refusal(written(tmp_path, "rules:\n" + "  - {code: 1}\n" * 13))

    assert len(en.splitlines()) == 11 and en.endswith("And 3 more mistakes.")
    assert zh.endswith("另有 3 处错误。")


def test_a_key_that_stands_twice_is_refused_at_the_second(tmp_path: Path) -> None:
    zh, en = refusal(one_rule(tmp_path, "day: 1", "day: 2"))

    assert en == "rules.yaml:4: Key 'day' stands twice, first on line 3; keep one."
    assert zh == "rules.yaml:4: 键「day」重复,第 3 行已有;请只留一个。"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("rules:\n  - code: !python/name:os.system x\n", 2, "The tag '!python/name:os.system' is not supported"),
        ("rules: !!set {a}\n", 1, "is not supported"),
        ("rules:\n- &a {code: x}\n- {<<: *a}\n", 3, "Merge keys (<<) are not supported"),
        ("rules:\n- &a [*a]\n", 2, "itself part of"),
        ("rules:\n- {[1, 2]: x}\n", 2, "A key must be text"),
        ("rules:\n  - code: a: b\n", 2, "not valid YAML"),
        ("rules:\n\t- code: a\n", 2, "not valid YAML"),
        ("rules: [\n", 2, "not valid YAML"),
        ("rules: []\n---\nrules: []\n", 2, "not valid YAML"),
        ("rules:\n  - code: a\x07b\n", 2, "control character U+0007"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(tmp_path: Path, text: str, line: int, expected: str) -> None:
    zh, en = refusal(written(tmp_path, text))

    assert en.startswith(f"rules.yaml:{line}: ") and expected in en
    assert zh.startswith(f"rules.yaml:{line}: ")


def test_a_list_where_keys_belong_is_refused(tmp_path: Path) -> None:
    _, en = refusal(written(tmp_path, "rules:\n  - [a, b]\n"))

    assert en.startswith("rules.yaml:2: ") and "keys with values are expected" in en


def test_an_anchor_may_be_referred_to(tmp_path: Path) -> None:
    file, _ = read_yaml(written(tmp_path, "rules:\n- &a {code: x}\n- *a\n"), File)

    assert [rule.code for rule in file.rules] == ["x", "x"]


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    zh, en = refusal(written(tmp_path, text))

    assert en == "rules.yaml: the file is empty."
    assert zh == "rules.yaml: 文件是空的。"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    zh, en = refusal(tmp_path / "rules.yaml")

    assert en == "There is no configuration file rules.yaml."
    assert zh == "没有配置文件 rules.yaml。"


def test_a_file_of_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes("rules:\n  - code: 合计\n".encode("gb18030"))

    _, en = refusal(path)

    assert en == "rules.yaml:2: not UTF-8 text; save the file as UTF-8."


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rules:\n  - code: a\n", encoding="utf-8-sig")

    file, _ = read_yaml(path, File)

    assert file.rules[0].code == "a"


def test_later_errors_of_meaning_find_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, "rules:\n  - code: a\n    severity: error\n  - code: b\n    day: 3\n")

    _, source = read_yaml(path, File)

    assert source.line(("rules", 1, "day")) == 5
    assert source.line(("rules", 1, "severity")) == 4, "what is not written stands where its entry does"
    error = source.error(("rules", 0, "severity"), "不对。", "wrong.")
    assert (error.message.zh, error.message.en) == (f"{path}:3: 不对。", f"{path}:3: wrong.")

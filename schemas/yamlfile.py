"""Reading a YAML file into a model, such that every mistake in it is told with file, line and the known names.

Not here: what any file means; errors of meaning are raised by its reader, through `Source.error`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json

from schemas.errors import ConfigError

Location = tuple[str | int, ...]
Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]
M = TypeVar("M", bound=BaseModel)

_SHOWN_AT_ONCE = 10  # mistakes told in one message; more would scroll the first one away

# What YAML 1.1 reads as a number or a truth value is more than people expect (no, on, 012, 1:30): only these are.
_STANDARD = "tag:yaml.org,2002:"
_SCALARS = frozenset(
    _STANDARD + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge")
)
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_TRUTH = {"true": True, "false": False}
_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Source:
    """Where things stand in a file: the line of each path of keys and list positions."""

    path: Path
    lines: dict[Location, int]

    def line(self, location: Location) -> int:
        """The line of `location`, or of the nearest thing around it."""
        for end in range(len(location), -1, -1):
            if location[:end] in self.lines:
                return self.lines[location[:end]]
        return 1

    def error(self, location: Location, zh: str, en: str) -> ConfigError:
        """The error that something at `location` is wrong."""
        place = f"{self.path}:{self.line(location)}"
        return ConfigError(f"{place}: {zh}", f"{place}: {en}")


def read_yaml(path: Path, model: type[M]) -> tuple[M, Source]:
    """Read `path` as a `model`, with the place of everything in it for later errors of meaning.

    Keys are text as written. Values are taken as what they are written as: a code of digits needs quotes, a number must
    have none, a truth value is `true` or `false`, a date is `2014-05-01`.

    Raises:
        ConfigError: the file is not there, is no YAML, has a key twice, or does not fit the model. Up to ten mistakes
            are told at once.
    """
    source = Source(path, {})
    data = _plain(_compose(path), (), source, ())
    try:
        # By way of JSON, because pydantic's strict mode then still takes lists for tuples and text for dates and codes,
        # but not "5" for 5, 1 for true, or yes for anything.
        return model.model_validate_json(to_json(data), strict=True), source
    except ValidationError as error:
        raise _explained(error.errors(include_url=False), model, source) from None


def unknown_name(name: str, known: Sequence[str]) -> tuple[str, str]:
    """The closest known name as a question, then all known ones; Chinese and English, to follow 'there is no …'."""
    close = difflib.get_close_matches(name, known, n=1)
    guess_zh, guess_en = (f"是否应为「{close[0]}」?", f"Did you mean '{close[0]}'? ") if close else ("", "")
    return f"{guess_zh}可用的有:{'、'.join(known)}。", f"{guess_en}Known: {', '.join(known)}."


def _compose(path: Path) -> yaml.Node:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"没有配置文件 {path}。", f"There is no configuration file {path}.") from None
    except OSError as error:
        raise ConfigError(
            f"读不到配置文件 {path}:{error.strerror}。", f"Cannot read {path}: {error.strerror}."
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: 不是 UTF-8 文本;请另存为 UTF-8。",
            f"{path}:{line}: not UTF-8 text; save the file as UTF-8.",
        ) from None
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        shown = f"U+{ord(control[0]):04X}"
        raise ConfigError(
            f"{path}:{line}: 含有控制字符 {shown};请删除。", f"{path}:{line}: control character {shown}; delete it."
        )
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(
            f"{path}:{line}: 不是合法的 YAML({error.problem})。"
            "请检查此行及上一行:缩进须用空格,冒号后须有空格,引号和括号须成对。",
            f"{path}:{line}: not valid YAML ({error.problem}). Look at this line and the one before: indent with "
            "spaces, put a space after a colon, close quotes and brackets.",
        ) from None
    if node is None:
        raise ConfigError(f"{path}: 文件是空的。", f"{path}: the file is empty.")
    return node


def _plain(node: yaml.Node, location: Location, source: Source, around: tuple[yaml.Node, ...]) -> Plain:
    """The plain data below `node`, noting lines on the way. `around`: the nodes that it stands in."""
    source.lines.setdefault(location, node.start_mark.line + 1)
    if any(node is outer for outer in around):
        raise source.error(
            location, "此处引用了包含它自己的内容。", "This refers to something that it is itself part of."
        )
    inside = (*around, node)
    if isinstance(node, yaml.MappingNode) and node.tag == _STANDARD + "map":
        mapping: dict[str, Plain] = {}
        for key, value in node.value:
            name = _key(key, location, source)
            here = (*location, name)
            if name in mapping:
                first = source.lines[here]
                source.lines[here] = key.start_mark.line + 1
                raise source.error(
                    here,
                    f"键「{name}」重复,第 {first} 行已有;请只留一个。",
                    f"Key '{name}' stands twice, first on line {first}; keep one.",
                )
            source.lines[here] = key.start_mark.line + 1
            mapping[name] = _plain(value, here, source, inside)
        return mapping
    if isinstance(node, yaml.SequenceNode) and node.tag == _STANDARD + "seq":
        return [_plain(value, (*location, index), source, inside) for index, value in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
        return _scalar(node)
    raise source.error(
        location, f"不支持标记「{node.tag}」;请删除它。", f"The tag '{node.tag}' is not supported; take it away."
    )


def _key(node: yaml.Node, location: Location, source: Source) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise source.error(location, "键必须是文字。", "A key must be text.")
    if node.tag == _STANDARD + "merge":
        raise source.error(
            location, "不支持合并键「<<」;请逐项写出。", "Merge keys (<<) are not supported; write the keys out."
        )
    return str(node.value)


def _scalar(node: yaml.ScalarNode) -> Plain:
    text = str(node.value)
    if node.style or node.tag == _STANDARD + "str":
        return text
    if node.tag == _STANDARD + "null":
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _explained(errors: list[ErrorDetails], model: type[BaseModel], source: Source) -> ConfigError:
    """Pydantic's errors in words, by line. The alternatives of one place are told together, and an error inside a place
    makes one about the whole place needless."""
    by_place: dict[Location, list[ErrorDetails]] = {}
    for error in errors:
        by_place.setdefault(_place(error, source), []).append(error)
    told = [
        place
        for place in sorted(by_place, key=lambda place: (source.line(place), len(place)))
        if not any(len(other) > len(place) and other[: len(place)] == place for other in by_place)
    ]
    messages = []
    for place in told[:_SHOWN_AT_ONCE]:
        said = [_said(error, place, model) for error in by_place[place]]
        zh = ";或".join(dict.fromkeys(zh.rstrip("。") for zh, _ in said)) + "。"
        en = "; or ".join(dict.fromkeys(en.rstrip(".") for _, en in said)) + "."
        messages.append(source.error(place, zh, en).message)
    if rest := len(told) - len(messages):
        messages.append(ConfigError(f"另有 {rest} 处错误。", f"And {rest} more mistakes.").message)
    return ConfigError("\n".join(text.zh for text in messages), "\n".join(text.en for text in messages))


def _place(error: ErrorDetails, source: Source) -> Location:
    """Where the error is, without the names of union members that pydantic mixes into its locations."""
    place: Location = ()
    for part in error["loc"]:
        if (*place, part) in source.lines:
            place = (*place, part)
    return (*place, error["loc"][-1]) if error["type"] == "missing" else place


def _said(error: ErrorDetails, place: Location, model: type[BaseModel]) -> tuple[str, str]:
    kind = error["type"]
    name = ".".join(str(part) for part in place if isinstance(part, str))
    if kind == "missing":
        return f"缺少「{name}」,请补上。", f"'{name}' is missing; add it."
    if kind == "extra_forbidden":
        key = str(place[-1])
        zh, en = unknown_name(key, _keys(model, place[:-1]))
        return f"没有名为「{key}」的键。{zh}", f"There is no key '{key}'. {en}"
    seen = _seen(error["input"])
    zh, en = _expected(error)
    return f"「{name}」为 {seen},{zh}", f"'{name}' is {seen}; {en}"


def _seen(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: …" for key in value) + "}"
    if isinstance(value, list):
        return f"[{len(value)}]"
    return to_json(value).decode()


def _expected(error: ErrorDetails) -> tuple[str, str]:
    """What was expected in its place, and what to do."""
    kind, limits = error["type"], error.get("ctx", {})
    if kind in ("literal_error", "enum"):
        known = [quoted or bare for quoted, bare in re.findall(r"'([^']*)'|\b(\d+)\b", str(limits["expected"]))]
        zh, en = unknown_name(str(error["input"]), known)
        return f"不可用。{zh}", f"that is not a known value. {en}"
    if kind == "string_type" and isinstance(error["input"], int | float):
        return "应为文字;如是编号,请加引号。", "text is expected; if it is a code, put it in quotes."
    words = {
        "string_type": ("应为文字。", "text is expected."),
        "int_type": ("应为整数,不加引号,不以 0 开头。", "a whole number is expected, without quotes or leading zeros."),
        "float_type": ("应为数,不加引号。", "a number is expected, without quotes."),
        "bool_type": ("应为 true 或 false。", "true or false is expected."),
        "model_type": ("应为若干「键: 值」。", "keys with values are expected."),
        "dict_type": ("应为若干「键: 值」。", "keys with values are expected."),
        "tuple_type": ("应为列表。", "a list is expected."),
        "greater_than": ("应大于 {gt}。", "more than {gt} is expected."),
        "greater_than_equal": ("应不小于 {ge}。", "at least {ge} is expected."),
        "less_than": ("应小于 {lt}。", "less than {lt} is expected."),
        "less_than_equal": ("应不大于 {le}。", "at most {le} is expected."),
        "string_pattern_mismatch": ("应符合格式 {pattern}。", "text of the form {pattern} is expected."),
        "too_short": ("至少应有 {min_length} 项。", "at least {min_length} items are expected."),
        "string_too_short": ("至少应有 {min_length} 个字。", "at least {min_length} characters are expected."),
    }
    if kind in words:
        zh, en = words[kind]
        return zh.format(**limits), en.format(**limits)
    if kind.startswith("date_"):
        return "应为日期,如 2014-05-01。", "a date such as 2014-05-01 is expected."
    return f"不符合要求({error['msg']})。", f"{error['msg']}."


def _keys(model: type[BaseModel], place: Location) -> list[str]:
    """The keys that may stand at `place`: those of the models there."""
    current = [model]
    for part in place:
        inner = [
            found
            for outer in current
            for name, field in outer.model_fields.items()
            if part in (name, field.alias)
            for found in _models(field.annotation)
        ]
        current = inner or current  # a list position, or a key of a table of models: the models stay the same
    return [field.alias or name for outer in dict.fromkeys(current) for name, field in outer.model_fields.items()]


def _models(annotation: Any) -> Iterable[type[BaseModel]]:
    """The models inside an annotation: optional ones, alternatives, members of lists and tables."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)

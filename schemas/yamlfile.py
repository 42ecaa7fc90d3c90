"""Reading a YAML file into a model, such that every mistake in it is told with file, line and the known names.

Not here: what any file means; errors of meaning are raised by its reader, through `Source.error`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from schemas.errors import ConfigError

Location = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Source:
    """Where things stand in a file: the line of each key path."""

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


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml where PyYAML has it: ten times as fast
    """YAML as people expect it: only true and false are truth values, and numbers with a leading zero are text."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9]\d*)$"), list("-+0123456789"))


def read_yaml(path: Path, model: type[M]) -> tuple[M, Source]:
    """Read `path` as a `model`.

    Raises:
        ConfigError: the file is not there, is no YAML, has a key twice, or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"读不到配置文件 {path}:{error.strerror}。", f"Cannot read {path}: {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path} 不是 UTF-8 文本;请另存为 UTF-8。", f"{path} is not UTF-8 text; save it as UTF-8."
        ) from None
    source = Source(path, {})
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(f"{path}: 文件是空的。", f"{path}: the file is empty.")
        _note_lines(node, (), source)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(
            f"{path}:{line}: YAML 写法有误:{error.problem}。", f"{path}:{line}: not valid YAML: {error.problem}."
        ) from None
    finally:
        loader.dispose()
    try:
        return model.model_validate(data), source
    except ValidationError as error:
        raise _explained(error, model, source) from None


def _note_lines(node: yaml.Node, location: Location, source: Source) -> None:
    source.lines[location] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                source.lines[(*location, name)] = key.start_mark.line + 1
                raise source.error((*location, name), f"键「{name}」重复。", f"Key '{name}' stands twice.")
            seen.add(name)
            _note_lines(value, (*location, name), source)
            source.lines[(*location, name)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*location, index), source)


def _explained(error: ValidationError, model: type[BaseModel], source: Source) -> ConfigError:
    """The first of pydantic's errors, in words, with the known names where a name is not known."""
    first = error.errors()[0]
    location: Location = tuple(first["loc"])
    shown = ".".join(str(part) for part in location)
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        name = str(location[-1])
        close = difflib.get_close_matches(name, known, n=1)
        hint_zh, hint_en = (f"是否应为「{close[0]}」?", f" Did you mean '{close[0]}'?") if close else ("", "")
        return source.error(
            location,
            f"不认识的键「{name}」。{hint_zh}已知的键:{'、'.join(known)}。",
            f"Unknown key '{name}'.{hint_en} Known keys: {', '.join(known)}.",
        )
    if first["type"] == "missing":
        return source.error(location, f"缺少「{shown}」。", f"'{shown}' is missing.")
    seen = repr(first.get("input"))
    return source.error(
        location, f"「{shown}」的值 {seen} 不对:{first['msg']}。", f"'{shown}' is {seen}: {first['msg']}."
    )


def _known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys of the model that stands at `location` in `model`."""
    current: Any = model
    for part in location:
        if isinstance(part, str) and isinstance(current, type) and issubclass(current, BaseModel):
            found = next((f for name, f in current.model_fields.items() if part in (name, f.alias)), None)
            current = found.annotation if found else None
        current = _inner(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return []


def _inner(annotation: Any) -> Any:
    """The model inside Optional, tuple or dict annotations."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = _inner(argument)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return annotation

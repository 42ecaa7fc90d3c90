"""Passwords and keys: named in sources.yaml, taken from the environment or a secrets file, shown nowhere.

Not here: what they are used for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import RootModel

from schemas.errors import ConfigError
from schemas.yamlfile import read_yaml


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by its name. What it is has to be asked for, so that no message or log shows it by accident."""

    name: str
    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The secret itself, for the library that needs it and nobody else."""
        return self._value

    def __str__(self) -> str:
        return "***"


class _SecretsFile(RootModel[dict[str, str]]):
    """Names with their secrets."""


@dataclass(frozen=True)
class Secrets:
    """The office's secrets. The environment stands over the file."""

    environment: Mapping[str, str] = field(repr=False)
    path: Path

    def get(self, name: str) -> Secret | None:
        """The secret called `name`; None where there is none.

        Raises:
            ConfigError: the secrets file may be read by everybody, or is none.
        """
        value = self.environment.get(name) or self._file.get(name)
        return Secret(name, value) if value else None

    @cached_property
    def _file(self) -> Mapping[str, str]:
        if not self.path.exists():
            return {}
        if os.name == "posix" and self.path.stat().st_mode & stat.S_IROTH:
            raise ConfigError(
                f"{self.path} 任何人都能读取,不予使用;请运行 chmod 600 {self.path},并更换其中的密码。",
                f"Everybody may read {self.path}, so it is not used; run 'chmod 600 {self.path}', and change the passwords "
                "in it.",
            )
        try:
            return read_yaml(self.path, _SecretsFile)[0].root
        except ConfigError:  # its message may show a line of the file
            raise ConfigError(
                f"{self.path} 应只有「名称: 密码」,密码加引号;其中有一处不是。为免泄露,不显示其内容。",
                f'{self.path} holds names and secrets only (NAME: "secret", in quotes), and something in it is not so. '
                "It is not shown, since it is secret.",
            ) from None

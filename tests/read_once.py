"""The same configuration file read once a process: a test's office has its forms and calendar from the package, as nearly all
do, and reading them takes longer than its month. A file that was changed is read anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from disclosure_etl import calendar, office
from schemas.formfile import Forms, load_forms
from schemas.yamlfile import read_yaml

_forms: dict[tuple, Forms] = {}
_files: dict[tuple, tuple[Any, Any]] = {}


@contextmanager
def reading_once() -> Iterator[None]:
    """In here."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(office, "load_forms", _load_forms))
        stack.enter_context(patch.object(calendar, "read_yaml", _read_yaml))
        yield


def _load_forms(files: Iterable[Path], optional_blocks: Mapping[str, tuple[str, ...]] | None = None) -> Forms:
    paths, switched_on = list(files), dict(optional_blocks or {})
    key = (*((path, path.read_bytes()) for path in paths), *sorted(switched_on.items()))
    if key not in _forms:
        _forms[key] = load_forms(paths, switched_on)
    return _forms[key]


def _read_yaml(path: Path, model: type) -> tuple[Any, Any]:
    key = (path, path.read_bytes() if path.exists() else b"", model)
    if key not in _files:
        _files[key] = read_yaml(path, model)
    return _files[key]

"""Passwords hashed in no time: what makes guessing dear makes every sign-in of a test a tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from argon2 import PasswordHasher

from disclosure_etl.desk import signing_in

of_a_real_desk = signing_in._hasher
_quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@contextmanager
def hashed_quickly() -> Iterator[None]:
    """In here."""
    nobodys = _quick.hash("nobody's")
    with patch.object(signing_in, "_hasher", _quick), patch.object(signing_in, "_NOBODYS", nobodys):
        yield

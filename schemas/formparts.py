"""What every part of a form is made of: frozen models that refuse unknown keys, codes, names in both languages."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]


class Part(BaseModel):
    """A part of a form's definition."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Part):
    """A name in both languages; the Chinese one is what a form prints."""

    zh: str
    en: str

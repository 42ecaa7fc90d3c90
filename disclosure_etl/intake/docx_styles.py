"""What the runs of a text document (.docx) say of their text, themselves or by their style: hidden, raised, lowered.

Not here: the text itself (`docx`). What the document sets for all of its text at once is left out: nobody hides a whole return.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from disclosure_etl.intake.markup import attribute_of, children
from disclosure_etl.intake.raised_text import lowered, raised

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_OFF = frozenset({"0", "false", "off"})
_SET_OFF = {"superscript": raised, "subscript": lowered}


@dataclass(frozen=True)
class Styles:
    """The styles of a document by their id."""

    styles: dict[str, Element] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Element) -> Styles:
        """The styles in the part that lists them."""
        return cls({attribute_of(one, "styleId") or "": one for one in children(root, "style")})

    def hides(self, run: Element) -> bool:
        """Whether the text of a run is shown nowhere, or is struck out: a clerk strikes 5 and writes 7 behind it."""
        found = (self._said(run, name) for name in ("vanish", "specVanish", "strike", "dstrike"))
        return any(said is not None and attribute_of(said, "val") not in _OFF for said in found)

    def shown(self, run: Element, text: str) -> str:
        """A text of a run, in the signs for raised or lowered ones if it is so: 20 with a small 1 behind it is no 201."""
        said = self._said(run, "vertAlign")
        set_off = _SET_OFF.get(attribute_of(said, "val") or "") if said is not None else None
        return set_off(text) if set_off else text

    def _said(self, run: Element, name: str) -> Element | None:
        """A property of a run: its own, else its style's, else its paragraph's."""
        around = [run, next(run.iterancestors("{*}p"), None)]
        for element, kind in zip(around, ("r", "p"), strict=True):
            for properties in children(element, f"{kind}Pr") if element is not None else ():
                if kind == "r" and (own := next(children(properties, name), None)) is not None:
                    return own
                for styled in self._chain(next(children(properties, f"{kind}Style"), None)):
                    for inherited in children(styled, "rPr"):
                        if (found := next(children(inherited, name), None)) is not None:
                            return found
        return None

    def _chain(self, style: Element | None) -> Iterator[Element]:
        """A style and what it is based on, each once."""
        seen: set[str] = set()
        while style is not None and (name := attribute_of(style, "val") or "") not in seen:
            seen.add(name)
            found = self.styles.get(name)
            if found is None:
                return
            yield found
            style = next(children(found, "basedOn"), None)

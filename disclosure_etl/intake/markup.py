"""XML and HTML into trees, with everything off that a hostile file could use: entities, the network, huge nodes.

Not here: what the elements mean (`ods`, `docx`, `html`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lxml import etree

from disclosure_etl.intake.packages import declares_entities, truncated

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def xml_tree(data: bytes) -> Element:
    """The root of an XML part.

    Raises:
        Unreadable: not well-formed, or nested beyond reason (truncated); declaring entities (unknown_format).
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False,
                             remove_comments=True, remove_pis=True)  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise truncated() from error
    if root.getroottree().docinfo.internalDTD is not None:  # in whatever encoding it was declared
        raise declares_entities()
    return root


def html_tree(text: str) -> Element | None:
    """The root of a web page; None where there is nothing in it."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(text.encode("utf-8", "ignore"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def name_of(element: Element) -> str:
    """An element's name without its namespace: the strict and the transitional kinds of one format differ in nothing else."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute_of(element: Element, name: str) -> str | None:
    """An attribute by its name without namespace."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return None


def children(element: Element, *names: str) -> Iterator[Element]:
    """The child elements of these names, in order."""
    return (child for child in element if name_of(child) in names)

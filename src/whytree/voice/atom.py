"""Atom (RFC 4287). What is written in it is text, never markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Item:
    """One entry; `id` is the same for ever."""

    id: str
    title: str
    updated: datetime
    link: str
    content: str


def as_atom(*, home: str, own: str, title: str, author: str, since: datetime, items: Sequence[Item]) -> bytes:
    """`home` is what the feed is about, `own` its own address; while it is empty it was updated `since`."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    updated = max((one.updated for one in items), default=since)
    _said(feed, id=home, title=title, updated=updated.isoformat())
    _said(ElementTree.SubElement(feed, f"{{{_ATOM}}}author"), name=author)
    ElementTree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=own)
    for one in items:
        entry = ElementTree.SubElement(feed, f"{{{_ATOM}}}entry")
        _said(entry, id=one.id, title=one.title, updated=one.updated.isoformat())
        ElementTree.SubElement(entry, f"{{{_ATOM}}}link", href=one.link)
        _said(entry, content=one.content)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _said(parent: ElementTree.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, f"{{{_ATOM}}}{tag}").text = xml_text(text)


def xml_text(text: str) -> str:
    """Without what no XML may hold."""
    return "".join(one for one in text if one in "\t\n\r" or 0x20 <= ord(one) <= 0xD7FF or 0xE000 <= ord(one) != 0xFFFE)

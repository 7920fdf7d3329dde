"""The same five lines as plain text, as simple HTML, as a Slack message and as an Atom entry. Words only; asks nothing."""

from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree

from django.utils.html import escape

from whytree.voice.atom import xml_text

from .digest import Digest, today_url

_ATOM = "http://www.w3.org/2005/Atom"


def as_text(digest: Digest, stop_url: str = "") -> str:
    """One paragraph a line, its address below."""
    parts = [f"{line.label}: {line.text}\n  {line.url}" for line in digest.lines]
    parts.append(f"Today: {today_url(digest.product)}")
    if stop_url:
        parts.append(f"No more of this mail: {stop_url}")
    return "\n\n".join(parts) + "\n"


def as_html(digest: Digest, stop_url: str = "") -> str:
    """No picture, no style sheet, no script: reads the same wherever it is opened."""
    rows = "".join(
        f'<p dir="auto"><b>{escape(line.label)}</b> {escape(line.text)} {_link(line.url)}</p>' for line in digest.lines
    )
    stop = f' · <a href="{escape(stop_url)}">No more of this mail</a>' if stop_url else ""
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;line-height:1.5;max-width:40em">'
        f'{rows}<p style="color:#666"><a href="{escape(today_url(digest.product))}">Today</a>{stop}</p></body></html>'
    )


def _link(url: str) -> str:
    safe = url.startswith(("https://", "http://"))
    return f'<a href="{escape(url)}">Look</a>' if safe else ""


def as_slack(digest: Digest) -> dict[str, str]:
    """An incoming webhook's message. `<`, `>` and `&` are Slack's own marks: nobody is called by what users wrote."""
    rows = [f"*{_slack(line.label)}* {_slack(line.text)} {_slack_link(line.url)}".rstrip() for line in digest.lines]
    head = f"*{_slack(digest.subject)}*"
    return {"text": "\n".join([head, *rows, f"<{_slack(today_url(digest.product))}|Today>"])}


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _slack_link(url: str) -> str:
    safe = url.startswith(("https://", "http://"))
    return f"<{_slack(url).replace('|', '%7C')}|Look>" if safe else ""


def as_atom(digest: Digest, entries: Sequence[tuple[Digest, datetime]], feed_url: str) -> bytes:
    """A feed with an entry a week (RFC 4287). Without anything to say it is an empty feed, not an error."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    name = f"{digest.product.name}, on Mondays"
    updated = max((at for _, at in entries), default=digest.product.created_at)
    base = today_url(digest.product)
    for tag, text in (("id", f"{base}#digest"), ("title", xml_text(name)), ("updated", updated.isoformat())):
        ElementTree.SubElement(feed, f"{{{_ATOM}}}{tag}").text = text
    author = ElementTree.SubElement(feed, f"{{{_ATOM}}}author")
    ElementTree.SubElement(author, f"{{{_ATOM}}}name").text = "Whytree"
    ElementTree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=feed_url)
    for entry, at in entries:
        _entry(feed, entry, at, base)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _entry(feed: ElementTree.Element, digest: Digest, at: datetime, base: str) -> None:
    entry = ElementTree.SubElement(feed, f"{{{_ATOM}}}entry")
    for tag, text in (
        ("id", f"{base}#digest-{digest.week}"),
        ("title", xml_text(digest.subject)),
        ("updated", at.isoformat()),
    ):
        ElementTree.SubElement(entry, f"{{{_ATOM}}}{tag}").text = text
    ElementTree.SubElement(entry, f"{{{_ATOM}}}link", href=base)
    ElementTree.SubElement(entry, f"{{{_ATOM}}}content", type="html").text = xml_text(as_html(digest))

"""The same five lines as plain text, as simple HTML, as a Slack message and as an Atom entry. Words only; asks nothing."""

from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree

from django.utils.html import escape

from whytree.voice.atom import xml_text

from ..models import Alarm
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
    rows = [
        f"*{slack_text(line.label)}* {slack_text(line.text)} {slack_link(line.url)}".rstrip() for line in digest.lines
    ]
    head = f"*{slack_text(digest.subject)}*"
    return {"text": "\n".join([head, *rows, f"<{slack_text(today_url(digest.product))}|Today>"])}


def slack_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack_link(url: str) -> str:
    safe = url.startswith(("https://", "http://"))
    return f"<{slack_text(url).replace('|', '%7C')}|Look>" if safe else ""


def as_atom(
    digest: Digest, entries: Sequence[tuple[Digest, datetime]], alarms: Sequence[Alarm], feed_url: str
) -> bytes:
    """A feed with an entry a week, and one an alarm (RFC 4287). Without anything to say it is an empty feed, not an error."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    name = f"{digest.product.name}, on Mondays"
    updated = max([at for _, at in entries] + [one.at for one in alarms], default=digest.product.created_at)
    base = today_url(digest.product)
    for tag, text in (("id", f"{base}#digest"), ("title", xml_text(name)), ("updated", updated.isoformat())):
        ElementTree.SubElement(feed, f"{{{_ATOM}}}{tag}").text = text
    author = ElementTree.SubElement(feed, f"{{{_ATOM}}}author")
    ElementTree.SubElement(author, f"{{{_ATOM}}}name").text = "Whytree"
    ElementTree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=feed_url)
    for alarm in alarms:
        _entry(feed, f"{base}#alarm-{alarm.pk}", alarm.title, alarm.at, alarm.url, f"<p>{escape(alarm.text)}</p>")
    for entry, at in entries:
        _entry(feed, f"{base}#digest-{entry.week}", entry.subject, at, base, as_html(entry))
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _entry(feed: ElementTree.Element, key: str, title: str, at: datetime, link: str, html: str) -> None:
    entry = ElementTree.SubElement(feed, f"{{{_ATOM}}}entry")
    for tag, text in (("id", key), ("title", xml_text(title)), ("updated", at.isoformat())):
        ElementTree.SubElement(entry, f"{{{_ATOM}}}{tag}").text = text
    ElementTree.SubElement(entry, f"{{{_ATOM}}}link", href=link)
    ElementTree.SubElement(entry, f"{{{_ATOM}}}content", type="html").text = xml_text(html)

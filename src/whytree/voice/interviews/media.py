"""The recording of a talk: an address somebody typed. It is never copied; the browser plays it, or opens it, at a moment."""

import re
from urllib.parse import quote, urlsplit

from whytree.engines.voices.transcripts import clock

_AUDIO = (".mp3", ".m4a", ".aac", ".oga", ".ogg", ".opus", ".wav", ".flac", ".weba")
_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:]+\]")
_VIDEO = (".mp4", ".m4v", ".webm", ".mov", ".ogv")


def player(url: str) -> str:
    """`audio`, `video`, or empty where only a page of the recorder is named, which no player plays."""
    if not source(url):
        return ""
    path = urlsplit(url).path.lower()
    return "audio" if path.endswith(_AUDIO) else "video" if path.endswith(_VIDEO) else ""


def source(url: str) -> str:
    """The address as a content policy names it: this one file, and nothing else of that host. Empty where it names no host."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(host):
        return ""
    return f"{parts.scheme}://{host}{port}{quote(parts.path, safe='/%')}"


def at(url: str, milliseconds: int | None) -> str:
    """The address at a moment, as W3C's media fragments and most recorders' pages understand it; empty without either."""
    if not url or milliseconds is None:
        return ""
    return f"{url.partition('#')[0]}#t={milliseconds / 1000:g}"


def moment(milliseconds: int | None) -> str:
    return "" if milliseconds is None else clock(milliseconds)

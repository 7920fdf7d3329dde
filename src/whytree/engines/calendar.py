"""One appointment as a calendar file (RFC 5545), for any calendar there is.

appointment(uid="...", at=held_at, minutes=30, title="Talk with Wiktor", words="...", url="https://...", now=now)
"""

from datetime import UTC, datetime

_LONGEST = 75  # octets of a line (RFC 5545, 3.1)


def appointment(*, uid: str, at: datetime, minutes: int, title: str, words: str, url: str, now: datetime) -> str:
    """The file's text, with CRLF. Times are UTC, so that every calendar shows them in its own zone."""
    rows = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Whytree//Interviews//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{_text(uid)}",
        f"DTSTAMP:{_moment(now)}",
        f"DTSTART:{_moment(at)}",
        f"DURATION:PT{minutes}M",
        f"SUMMARY:{_text(title)}",
        *([f"DESCRIPTION:{_text(words)}"] if words else []),
        *([f"URL:{_line(url)}"] if url else []),
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for row in rows for part in _folded(row))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """Escaped as RFC 5545, 3.3.11 says; other control characters have no place in it."""
    value = (
        value.replace("\r\n", "\n").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    )
    return _line(value)


def _line(value: str) -> str:
    return "".join(sign for sign in value if sign >= " " and sign != "\x7f")


def _folded(row: str) -> list[str]:
    """A long row goes on in rows that begin with a space, cut between characters and never inside one."""
    parts, part, size = [], "", 0
    for sign in row:
        octets = len(sign.encode("utf-8", "replace"))
        if size + octets > _LONGEST:
            parts.append(part)
            part, size = " ", 1
        part, size = part + sign, size + octets
    return [*parts, part]

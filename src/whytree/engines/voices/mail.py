"""Mail: an mbox or single messages. What a person wrote now, without what they quote and how they sign."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.utils import getaddresses, parsedate_to_datetime
from typing import BinaryIO, cast

from whytree.engines.tables import RowError

from .records import Said, Speaker, plain

MOST_OF_ONE = 25 * 1024 * 1024
"""Bytes of one message: what mail servers take."""

MOST_OF_HEADER = 1_000
MOST_WORDS = 2_000_000
MOST_BOUNDARIES = 300
MOST_LINES = 500_000
"""25 MB of attachments have 340,000; the library takes up to three millionths of a second for one."""
MOST_LINES_TIMES_PARTS = 4_000_000
"""25 MB of attachments in ten parts come to less."""

# What the standard library raises on messages that break the rules, beside what it repairs in silence.
BROKEN = (email.errors.MessageError, LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError)

NO_BASE64 = (email.errors.InvalidBase64CharactersDefect, email.errors.InvalidBase64LengthDefect)

_QUOTING = re.compile(
    r"^(?:-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine).*"
    r"|(?:on|am|le|el|il|op)\b.{4,200}(?:wrote|schrieb|écrit|escribió|ha scritto|schreef)[^\n]{0,80}:\s*"
    r"|_{10,}\s*)$",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"^(?:-- ?|—|sent from my (?:iphone|ipad|android|phone).*|von meinem iphone gesendet.*|get outlook for .*)$",
    re.IGNORECASE,
)


def read_mbox(content: BinaryIO) -> Iterator[tuple[int, Said | RowError]]:
    """RFC 4155: each message begins with a `From ` line after an empty one. Streams: only one message is held."""
    number, lines, size, after_blank = 0, list[bytes](), 0, True
    for line in _lines(content):
        if after_blank and line.startswith(b"From "):
            if lines:
                number += 1
                yield number, read_message(b"".join(lines), number) if size <= MOST_OF_ONE else _too_large(number)
            lines, size = [], 0
        else:
            size += len(line)
            if size <= MOST_OF_ONE:
                lines.append(line[1:] if re.match(rb">+From ", line) else line)
        after_blank = line in (b"\n", b"\r\n")
    if lines:
        number += 1
        yield number, read_message(b"".join(lines), number) if size <= MOST_OF_ONE else _too_large(number)


def _lines(content: BinaryIO) -> Iterator[bytes]:
    while line := content.readline(1024 * 1024):
        yield line


def _too_large(number: int) -> RowError:
    return RowError(number, f"the message has more than {MOST_OF_ONE >> 20} MB")


def read_message(raw: bytes, number: int = 1) -> Said | RowError:
    """One message of RFC 5322, however it was made."""
    try:
        if _is_bomb(raw):
            return RowError(number, "the message has more lines or parts than anybody reads")
        return _said(cast("EmailMessage", email.message_from_bytes(raw, policy=_POLICY)), raw)
    except BROKEN as error:
        return RowError(number, f"the message breaks the rules of mail and cannot be read ({type(error).__name__})")


class _Policy(email.policy.EmailPolicy):
    """What is parsed of a header takes time that grows with the square of its length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MOST_OF_HEADER]


_POLICY = _Policy()


def _is_bomb(raw: bytes) -> bool:
    """Made to keep us busy: each line is held against the end of every part that it lies in."""
    lines = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
    return (
        lines > MOST_LINES
        or raw.count(b"\n--") > MOST_BOUNDARIES
        or lines * raw.lower().count(b"multipart/") > MOST_LINES_TIMES_PARTS
    )


def _said(message: EmailMessage, raw: bytes) -> Said:
    words = own_words(_body(message))
    name, address = next(iter(getaddresses([_header(message, "From")])), ("", ""))
    references = _header(message, "References").split() or _header(message, "In-Reply-To").split()
    own = _header(message, "Message-ID") or "sha256:" + hashlib.sha256(raw).hexdigest()
    beside = {
        "to": _header(message, "To")[:500],
        "list": _header(message, "List-Id")[:200],
        "thread": references[0][:300] if references else "",
    }
    subject = re.sub(r"^(?:(?:re|aw|fwd?|wg)\s*:\s*)+", "", _header(message, "Subject"), flags=re.IGNORECASE)
    return Said(
        submission_id=own[:400],
        # a reply's subject is not what its writer says
        title="" if references else subject,
        text=words,
        said_at=_sent_at(message),
        author_name=" ".join(name.split()),
        author_email=address.lower() if "@" in address else "",
        speaker=_speaker(message),
        metadata={key: value for key, value in beside.items() if value} | ({"subject": subject} if references else {}),
    )


def _header(message: EmailMessage, name: str) -> str:
    """A header decoded (RFC 2047) and on one line; what cannot be decoded says nothing."""
    try:
        return " ".join(str(message.get(name, "")).replace("\0", "").encode("utf-8", "replace").decode().split())
    except BROKEN:
        return ""


def _sent_at(message: EmailMessage) -> datetime | None:
    try:
        return parsedate_to_datetime(_header(message, "Date"))
    except (ValueError, TypeError, OverflowError):
        return None


def _speaker(message: EmailMessage) -> Speaker:
    """RFC 3834: programs that answer by themselves say so, or have no address to answer to; older ones say it their own way."""
    automatic = _header(message, "Auto-Submitted").lower()
    says_so = (
        automatic not in ("", "no")
        or any(name in message for name in _ANSWERS_BY_ITSELF)
        or _header(message, "Return-Path") == "<>"
        or _header(message, "Precedence").lower() in ("bulk", "junk", "auto_reply")
        or "multipart/report" in message.get_content_type()
    )
    return "machine" if says_so else "user"


_ANSWERS_BY_ITSELF = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    content = _decoded(part)
    text = content[:MOST_WORDS] if isinstance(content, str) else ""
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    if len(_NOISE.findall(text)) > len(text) / 20:
        return ""
    return plain(text, quotes=False) if part.get_content_type() == "text/html" else text


_NOISE = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
"""What nobody writes: where there is much of it, it is no text."""


def _decoded(part: MIMEPart) -> object:
    """As it says it is written, else in what most others write in: words that cannot be read again are lost."""
    try:
        return part.get_content(errors="strict")
    except BROKEN:
        payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = payload.decode("utf-8", "replace")
    if "\ufffd" not in text:
        return text
    if any(isinstance(defect, NO_BASE64) for defect in part.defects):  # said to be base64, and decoded to noise
        return part.get_payload()
    return payload.decode("cp1252", "replace")


_OUTLOOK = re.compile(r"^(?:from|von|de):\s.{1,200}\n\*?(?:sent|date|gesendet|datum|envoyé|to|an):\s", re.IGNORECASE)


def own_words(body: str) -> str:
    """Without quoted lines, without what stands below the mark of a quotation or of a signature."""
    kept: list[str] = []
    lines = body.replace("\r\n", "\n").split("\n")
    for place, line in enumerate(lines):
        bare = line.strip()
        following = lines[place + 1].strip() if place + 1 < len(lines) else ""
        # mail programs break "On Monday ... / wrote:" where the line ends
        opens = _QUOTING.match(bare) or (_QUOTING.match(f"{bare} {following}"[:400]) and following.endswith(":"))
        if opens or _OUTLOOK.match(f"{bare}\n{following}"[:400]) or _SIGNATURE.match(line.rstrip("\n")):
            break
        if not bare.startswith(">"):
            kept.append(line.rstrip())
    text = "\n".join(kept).strip()
    return re.sub(r"\n{3,}", "\n\n", text)

"""Decision records as repositories keep them: MADR, adr-tools.

parse_decision("docs/adr/0001-use-sqlite.md", text)     # Decision("docs/adr/0001-use-sqlite.md", "Use SQLite", ...)
"""

import re
from dataclasses import dataclass

_ADR_PLACE = re.compile(
    r"(?:^|/)(?:adrs?|decisions?|decision-records?|architecture[-_]decisions?|architecture/decisions)/(?:[^/]+/)?[^/]+\.(?:md|markdown|adoc|rst)$",
    re.IGNORECASE,
)
_NO_RECORD = re.compile(r"(?:^|/)(?:readme|index|template|adr-template|\d{0,4}-?template)[^/]*$", re.IGNORECASE)
_FRONT = re.compile(r"\A---\s*\n(?P<fields>.*?)\n---\s*\n", re.DOTALL)
_TITLE = re.compile(r"^(?:#|=)\s+(?P<title>\S.*)$", re.MULTILINE)
_NUMBER = re.compile(r"^(?:ADR[- ]?)?\d{1,5}\s*[.:)–—-]\s*", re.IGNORECASE)
_DATE = re.compile(r"\b(?P<date>(?:19|20)\d\d-\d\d-\d\d)\b")
_STATUS = re.compile(
    r"\b(?P<status>proposed|accepted|rejected|deprecated|superseded|draft|implemented|done)\b", re.IGNORECASE
)
_STATUS_PLACE = re.compile(
    r"^\s*[*-]?\s*\**status:?\**:?\s*(?P<rest>.*)$|^#{2,3}\s*status\s*$\s*(?P<below>.*)$", re.IGNORECASE | re.MULTILINE
)
LONGEST_RECORD = 200_000


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """One decision as its file tells it. `status` and `date` are "" where it does not say."""

    path: str
    title: str
    status: str = ""
    date: str = ""


def is_decision_path(path: str) -> bool:
    """Whether decision records are usually kept there: docs/adr, doc/adr, docs/decisions and the like."""
    return bool(_ADR_PLACE.search(path)) and not _NO_RECORD.search(path)


def parse_decision(path: str, text: str) -> DecisionRecord | None:
    """A MADR or adr-tools record; None for a file that is none (it has no title)."""
    text = text[:LONGEST_RECORD].replace("\r\n", "\n").lstrip("\ufeff")
    front = _FRONT.match(text)
    head, body = (front["fields"], text[front.end() :]) if front else ("", text)
    titled = _TITLE.search(body)
    title = _NUMBER.sub("", titled["title"].strip().rstrip("#").strip()) if titled else ""
    if not title:
        return None
    placed = _STATUS_PLACE.search(head) or _STATUS_PLACE.search(body)
    said = (placed["rest"] or placed["below"] or "") if placed else ""
    status = _STATUS.search(said)
    date = _DATE.search(head) or _DATE.search(body[:2000])
    return DecisionRecord(path, title[:200], status["status"].lower() if status else "", date["date"] if date else "")

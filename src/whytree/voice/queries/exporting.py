"""Voices as a file: one line each, always the same columns in the same order; whatever is added later stands behind them.

`SAID` is what was said, under the names that `add_feedback` takes: sent there again, it lands as the same voice. `KNOWN` is what
the team, a machine and the profile of the person add. Whoever said that they are not to be quoted is in the file without words.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.utils import timezone

from whytree.engines.spreadsheet import inert
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.voice.models import Consent, FeedbackItem
from whytree.workspace.models import Product

from .inbox import Wanted, listed, tags_of
from .speaking import Linked, links_of

SAID = (
    *("text", "said_at", "author_name", "person", "rating", "language", "app_version", "flags", "url", "consent"),
    *("metadata", "source_type", "source_id", "source_name", "submission_id", "field_id", "from_team"),
)
KNOWN = (
    *("ref", "state", "status", "assignee", "tags", "opportunities", "merged_into", "reporter", "company", "plan"),
    *("told_language", "told_sentiment", "redacted", "said_at_known", "created_at"),
)
COLUMNS = (*SAID, *KNOWN)
CHUNK = 500
"""Voices read at once: a file of 200,000 takes no more memory than one of 500."""


def export_lines(product: Product, wanted: Wanted, form: str) -> Iterator[bytes]:
    """The file, some hundred lines at a time; `form` is csv or jsonl."""
    write = _csv if form == "csv" else _jsonl
    yield write([], first=True)
    for rows in _chunks(product, wanted):
        yield write(rows, first=False)


def _chunks(product: Product, wanted: Wanted) -> Iterator[list[dict[str, Any]]]:
    items = listed(product, wanted).select_related(
        "product", "status", "assignee", "merged_into", "reading", "reporter"
    )
    found = items.iterator(chunk_size=CHUNK)
    while some := list(islice(found, CHUNK)):
        tags, links = tags_of(some), links_of(some)
        people = people_by_key(product, list({item.person_key for item in some} - {""}))
        yield [_row(item, tags.get(item.pk, ()), links.get(item.ref, ()), people.get(item.person_key)) for item in some]


def _row(item: FeedbackItem, tags: Sequence[str], links: Sequence[Linked], person: Person | None) -> dict[str, Any]:
    reading = getattr(item, "reading", None)
    same = (name for name in SAID if name not in ("text", "said_at", "person"))
    return {
        "text": "" if item.consent == Consent.NONE else item.text,
        "said_at": item.said_at.isoformat(),
        "author_name": item.author_name,
        "person": item.person_key,
        **{name: getattr(item, name) for name in same},
        "ref": item.ref,
        "state": _state(item, links),
        "status": item.status.name if item.status else "",
        "assignee": item.assignee.email if item.assignee else "",
        "tags": list(tags),
        "opportunities": [linked.opportunity.ref for linked in links],
        "merged_into": item.merged_into.ref if item.merged_into else "",
        "reporter": str(item.reporter) if item.reporter else "",
        "company": person.company if person else "",
        "plan": person.plan if person else "",
        "told_language": reading.language if reading else "",
        "told_sentiment": reading.sentiment if reading else "",
        "redacted": item.redacted,
        "said_at_known": item.said_at_known,
        "created_at": item.created_at.isoformat(),
    }


def _state(item: FeedbackItem, links: Sequence[Linked]) -> str:
    if item.merged_into_id is not None:
        return "merged"
    if links:
        return "linked"
    if not item.is_waiting:
        return "away"
    asleep = item.snoozed_until is not None and item.snoozed_until > timezone.now()
    return "asleep" if asleep else "waiting"


def _jsonl(rows: list[dict[str, Any]], *, first: bool) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def _csv(rows: list[dict[str, Any]], *, first: bool) -> bytes:
    """For spreadsheets: what would be a formula is made plain text, lists are parted by semicolons."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if first:
        out.write("\ufeff")  # without it Excel reads UTF-8 as something else
        writer.writerow(COLUMNS)
    writer.writerows([inert(_flat(row[name])) for name in COLUMNS] for row in rows)
    return out.getvalue().encode()


def _flat(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value

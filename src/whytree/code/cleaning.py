"""What every fact from a clone passes before it is stored."""

import re
from datetime import UTC, datetime

from whytree.errors import Invalid

COMMIT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# SQLite takes some thousand values in one statement.
CHUNK = 500


def within_calendars(moment: datetime) -> datetime:
    """git takes any date; one that no calendar here can move between zones becomes the epoch."""
    return moment if 1900 < moment.year < 2900 else datetime.fromtimestamp(0, UTC)


def commit_id(sha: str) -> str:
    if not COMMIT_ID.fullmatch(sha):
        raise Invalid(f"{sha[:80]!r} is no commit id: it has 40 or 64 characters of 0-9 and a-f.")
    return sha


def clean(text: str) -> str:
    """Text that every database can keep: no NUL, no half characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip("\n")

"""Jira's CSV export."""

import re

from whytree.engines.tables import BEYOND_HEADER

from . import cells
from .rows import CommentRow, TicketRow, Values

_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,9}-[1-9]\d{0,6}")
_COMMENT = re.compile(r"(?P<at>[^;\n]{6,40});(?P<author>[^;\n]{0,200});(?P<text>.*)", re.DOTALL)


def issue(values: Values) -> TicketRow:
    """Jira repeats a header for each further value, and writes more comments than headers behind the last one.

    Other cells beyond the header mean that the row has slipped: only what stands at its start is believed.
    """
    written = cells.text(values.get("Issue key")).strip()
    key = written if _KEY.fullmatch(written) else ""
    beyond = [cells.text(cell) for cell in values.get(BEYOND_HEADER) or ()]
    if not all(not cell or _COMMENT.match(cell) for cell in beyond):
        doubt = f"it has more cells than the header ({len(beyond)}), and they are no comments; only its key and title are taken"
        return TicketRow(key, title=cells.title(values.get("Summary")), doubts=(doubt,))
    opened_at, closed_at, updated_at, doubts = cells.times(values, "Created", "Resolved", "Updated")
    comments = [*_repeated(values, "Comment"), *beyond]
    return TicketRow(
        ticket=key,
        title=cells.title(values.get("Summary")),
        state=cells.state_of(cells.text(values.get("Status Category")) or cells.text(values.get("Status"))),
        body=cells.body(values.get("Description")),
        author=cells.handle(values.get("Reporter")) or cells.handle(values.get("Creator")),
        labels=tuple(dict.fromkeys(_repeated(values, "Labels")))[: cells.MOST_LABELS] if "Labels" in values else None,
        votes=cells.count(values.get("Votes")),
        opened_at=opened_at,
        closed_at=closed_at,
        updated_at=updated_at,
        comments=cells.comments(_comment(cell) for cell in comments),
        doubts=doubts,
    )


def _comment(cell: str) -> CommentRow | None:
    """`12/Mar/24 9:41 AM;author;text`."""
    told = _COMMENT.match(cell)
    return cells.comment("", cells.handle(told["author"]), told["text"], told["at"], None) if told else None


def _repeated(values: Values, name: str) -> list[str]:
    """All values of a header that stands several times: the reader calls them `Labels`, `Labels (2)` ..."""
    numbered = re.compile(rf"{re.escape(name)}(?: \(\d+\))?")
    return [
        text for column, value in values.items() if numbered.fullmatch(column) if (text := cells.text(value).strip())
    ]

"""Linear's CSV export."""

import re
from typing import Any

from . import cells
from .rows import TicketRow, Values


def issue(values: Values) -> TicketRow:
    """Only members of a workspace create issues in Linear: none of them is a user."""
    opened_at, completed_at, canceled_at, updated_at, doubts = cells.times(
        values, "Created", "Completed", "Canceled", "Updated"
    )
    closed_at = completed_at or canceled_at
    return TicketRow(
        ticket=_unguarded(values.get("ID") or values.get("Id")).upper(),
        title=cells.title(_unguarded(values.get("Title"))),
        state="closed" if closed_at else cells.state_of(cells.text(values.get("Status"))),
        body=cells.body(_unguarded(values.get("Description"))),
        author=cells.handle(_unguarded(values.get("Creator"))),
        author_is_staff=True,
        labels=cells.split(_unguarded(values.get("Labels"))),
        opened_at=opened_at,
        closed_at=closed_at,
        updated_at=updated_at,
        doubts=doubts,
    )


def _unguarded(value: Any) -> str:
    """Linear puts a ' before what a spreadsheet would take for a formula."""
    text = cells.text(value)
    return text[1:] if re.match(r"'[=+\-@\t\r]", text) else text

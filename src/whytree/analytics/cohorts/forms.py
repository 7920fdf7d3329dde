"""What the page's form for a cohort sends: up to four things people did or did not do, what is known of them, or a list."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from whytree.errors import Invalid

from ..asking.forms import whole
from ..models import Cohort
from ..questions import filter_json, parse_filter
from .lists import ids_of

ROWS = 4
MOST_BYTES = 40_000_000


@dataclass(frozen=True)
class Row:
    """Did or did not do something, so often, in so many days, with filters."""

    how: str = "did"
    event: str = ""
    times: str = "1"
    days: str = ""
    where: str = ""

    @property
    def part(self) -> dict[str, Any]:
        event: Any = self.event
        filters = [filter_json(parse_filter(text)) for text in self.where.split(";") if text.strip()]
        if filters:
            event = {"event": self.event, "where": filters}
        days = {"days": whole(self.days, "Days")} if self.days else {}
        if self.how == "did_not":
            return {"did_not": event} | days
        return {"did": event, "at_least": whole(self.times or "1", "How often")} | days


@dataclass(frozen=True)
class CohortForm:
    """The fields as they were typed."""

    key: str = ""
    name: str = ""
    join: str = "all"
    rows: tuple[Row, ...] = field(default_factory=lambda: (Row(),))
    #: Filters of what is known of people, and of cohorts they are in.
    known: str = ""
    ids: str = ""
    #: The rule as JSON; it holds instead of the rows.
    text: str = ""
    is_list: bool = False

    @classmethod
    def sent(cls, post: QueryDict) -> "CohortForm":
        names = ("how", "event", "times", "days", "where")
        columns = {name: post.getlist(name)[:ROWS] for name in names}
        rows = tuple(
            Row(**{name: (columns[name][at] if at < len(columns[name]) else "").strip() for name in names})
            for at in range(len(columns["event"]))
        )
        one = {name: str(post.get(name, "")).strip() for name in ("key", "name", "known", "ids", "text")}
        return cls(
            rows=rows, join="any" if post.get("join") == "any" else "all", is_list=post.get("from") == "list", **one
        )

    @classmethod
    def of(cls, cohort: Cohort) -> "CohortForm":
        text = json.dumps(cohort.definition, indent=2, ensure_ascii=False)
        return cls(key=cohort.key, name=cohort.name, text=text, is_list=cohort.is_list)

    @property
    def shown(self) -> list[Row]:
        """The rows, and room for one more."""
        used = [row for row in self.rows if row.event]
        return [*used, Row(), Row()][: min(max(len(used) + 1, 2), ROWS)]

    @property
    def definition(self) -> Any:
        """The JSON that was meant; whether it is any good is for `checked_definition` to say."""
        if self.text:
            try:
                return json.loads(self.text)
            except (ValueError, RecursionError) as error:
                raise Invalid(f"The rule is no JSON: {error}.") from error
        parts: list[dict[str, Any]] = [row.part for row in self.rows if row.event]
        for text in self.known.split(";"):
            if text.strip():
                parts.append(_known(text.strip()))
        if not parts:
            raise Invalid("Say what these people did or did not do, or what is known of them.")
        return {"version": 1, self.join: parts}


def _known(text: str) -> dict[str, Any]:
    if text.lstrip("!").startswith("cohort:"):
        inside = {"cohort": text.lstrip("!").removeprefix("cohort:")}
        return {"not": inside} if text.startswith("!") else inside
    if text.lstrip("!").startswith("person:"):
        bare = text.replace("person:", "", 1)
        return {"person": filter_json(parse_filter(bare))}
    return {"last": filter_json(parse_filter(text))}


def ids_in(file: Any, typed: str) -> list[str]:
    """Ids from a file, one a line or a column of a CSV, and those typed, one a line."""
    found = [line.strip() for line in typed.replace(",", "\n").splitlines() if line.strip()]
    if file is not None:
        if file.size > MOST_BYTES:
            raise Invalid(f"A list has {MOST_BYTES // 1_000_000} MB at most. Split it.")
        found += ids_of(file.read())
    return found

"""Tell the server what a tracker says, in batches that stay small whatever is in them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from whytree.engines.trackers import RequestRow, as_json, with_staff
from whytree.workspace.terminal.client import Client

from .exported import Problem, Taken, TicketsFile

ROWS_AT_ONCE = 500
# Of JSON, before the row that passes it: a server takes 20 MB unless told otherwise, and a row may have ten.
CHARACTERS_AT_ONCE = 2_000_000
PROBLEMS_SHOWN = 20


@dataclass
class Counted:
    """What became of the rows of one kind."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0
    comments: int = 0
    unplaced: int = 0
    commits: int = 0

    def add(self, answer: dict[str, Any]) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + answer.get(name, 0))


@dataclass
class Told:
    """What the server made of it all. `repeated` are rows of tickets that the file has more than once."""

    tickets: Counted = field(default_factory=Counted)
    requests: Counted = field(default_factory=Counted)
    refused: list[Problem] = field(default_factory=list)
    repeated: int = 0

    def as_json(self) -> dict[str, Any]:
        requests = {name: vars(self.requests)[name] for name in ("new", "changed", "unchanged", "older", "commits")}
        tickets = {name: value for name, value in vars(self.tickets).items() if name != "commits"}
        return {
            **tickets,
            "pull_requests": requests,
            "repeated": self.repeated,
            "refused": [vars(one) for one in self.refused],
        }

    def sentences(self, skipped: int = 0, *, dry_run: bool = False) -> Iterator[str]:
        would = "would be " if dry_run else ""
        tickets, requests = self.tickets, self.requests
        yield (
            f"{many(tickets.new, 'ticket')} {would}new, {tickets.changed:,} {would}changed, "
            f"{tickets.unchanged:,} as they were."
        )
        if tickets.comments:
            yield f"{many(tickets.comments, 'comment')}." if dry_run else f"{many(tickets.comments, 'comment')} new."
        if requests.new or requests.changed or requests.unchanged:
            looked = f" Looked at anew: {many(requests.commits, 'commit')}." if requests.commits else ""
            yield (
                f"{many(requests.new, 'merged pull request')} {would}new, {requests.changed:,} {would}changed, "
                f"{requests.unchanged:,} as they were.{looked}"
            )
        yield from self._remarks(skipped)

    def _remarks(self, skipped: int) -> Iterator[str]:
        if skipped:
            yield f"Neither tickets nor merged pull requests: {many(skipped, 'row')}."
        if self.repeated:
            yield f"Tickets that stand in the file again: {many(self.repeated, 'row')}; the newest words were kept."
        if older := self.tickets.older + self.requests.older:
            yield f"Older than what is here already, and left: {many(older, 'row')}."
        if self.tickets.unplaced:
            yield f"On tickets that are not here: {many(self.tickets.unplaced, 'comment')}. Bring in those tickets first."
        for one in self.refused[:PROBLEMS_SHOWN]:
            yield f"  row {one.row}: {one.problem}"
        if len(self.refused) > PROBLEMS_SHOWN:
            yield f"  and {len(self.refused) - PROBLEMS_SHOWN:,} more rows with something that could not be taken"


def written_size(text: str) -> int:
    """About as many characters as JSON takes to write it: ü becomes \\u00fc, an emoji two of those."""
    return len(text) if text.isascii() else 3 * len(text.encode("utf-8", "surrogatepass"))


def many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


class Telling:
    """Takes rows one by one, sends them batch by batch; memory does not grow with the file but for the keys seen."""

    def __init__(
        self,
        client: Client,
        *,
        tracker: str = "",
        staff: Sequence[str] = (),
        dry_run: bool = False,
        repeats: bool = True,
    ) -> None:
        """`repeats`: a ticket that comes twice is worth telling; where lists overlap on purpose it is not."""
        self._client = client
        self._tracker = tracker.strip().lower()
        self._staff = frozenset(name.strip().lower().lstrip("@") for name in staff)
        self._dry_run = dry_run
        self._repeats = repeats
        self._seen: set[str] = set()
        self._tickets: list[dict[str, Any]] = []
        self._requests: list[dict[str, Any]] = []
        self._size = 0
        self.told = Told()
        self.rows = 0

    def take(self, row: Taken | Problem) -> None:
        self.rows += 1
        if isinstance(row, Problem):
            self.told.refused.append(row)
            return
        told = with_staff(row.told, self._staff)
        if isinstance(told, RequestRow):
            self._requests.append({"row": row.row, **as_json(told)})
        else:
            name = told.url or told.ticket
            if self._repeats and not told.comments_only:
                self.told.repeated += name in self._seen
                self._seen.add(name)
            self._tickets.append({"row": row.row, **as_json(told)})
            self._size += sum(written_size(one.text) for one in told.comments)
        self._size += written_size(told.body) + written_size(told.title)
        if len(self._tickets) + len(self._requests) >= ROWS_AT_ONCE or self._size >= CHARACTERS_AT_ONCE:
            self.send()

    def send(self) -> None:
        """What waits, now."""
        if self._tickets:
            self.told.tickets.add(self._post("tickets/import", "tickets", self._tickets))
        if self._requests:
            self.told.requests.add(self._post("pull-requests/import", "requests", self._requests))
        self._tickets, self._requests, self._size = [], [], 0

    def finish(self) -> Told:
        self.send()
        return self.told

    def _post(self, where: str, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        body = {name: rows, "tracker": self._tracker, "dry_run": self._dry_run}
        answer: dict[str, Any] = self._client.post(f"/products/{self._client.product}/{where}", body)
        self.told.refused += [Problem(one["row"], one["problem"]) for one in answer["refused"]]
        return answer


def tell_file(
    table: TicketsFile, telling: Telling, progress: Callable[[str, int, int], None] = lambda what, done, total: None
) -> Told:
    """All rows of an export."""
    for row in table:
        telling.take(row)
        if telling.rows % ROWS_AT_ONCE == 0:
            progress("tickets", int(table.progress * 1000), 1000)
    return telling.finish()

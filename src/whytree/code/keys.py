"""What is derived from a commit for the link rules: the keys they would try, and the tickets it works on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from whytree.engines.links.rules import CommitFacts, candidates, tickets_named
from whytree.engines.links.tickets import TicketRef

from .cleaning import CHUNK
from .models import Commit, CommitKey


def store_keys(rows: Sequence[tuple[Commit, CommitFacts]], *, anew: bool) -> None:
    """The keys of these commits; `anew` where some had keys before."""
    if anew:
        for start in range(0, len(rows), CHUNK):
            CommitKey.objects.filter(commit__in=[commit.pk for commit, _ in rows[start : start + CHUNK]]).delete()
    keys = [
        CommitKey(commit=commit, kind=kind, key=key)
        for commit, facts in rows
        for kind, key in dict.fromkeys((found.kind, found.key[:200]) for found in candidates(facts))
    ]
    CommitKey.objects.bulk_create(keys, batch_size=CHUNK)


def tickets_at(facts: CommitFacts, tracker: str) -> list[TicketRef]:
    """Tickets a commit works on; a bare number is the repository's own."""
    return [
        ticket if ticket.tracker or ticket.key[0] not in "#!" else replace(ticket, tracker=tracker)
        for ticket in tickets_named(facts)
    ]


def as_json(tickets: Iterable[TicketRef]) -> list[dict[str, str]]:
    """As a commit's row keeps them."""
    return [{"key": ticket.key, "tracker": ticket.tracker} for ticket in tickets]

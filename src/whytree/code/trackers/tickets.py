"""What may change tickets: first sight, a tracker's words from a file or from the tracker itself."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from whytree.engines.links.tickets import (
    TRACKER_LIMIT,
    TicketRef,
    tracker_of_remote,
)
from whytree.engines.trackers import BODY_LIMIT, COMMENT_LIMIT, TITLE_LIMIT
from whytree.errors import Invalid
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import CHUNK, clean
from ..models import PullRequest, Repository, Ticket, TicketComment
from ..queries import chunks, only_tracker

Row = TypeVar("Row", Ticket, PullRequest)


@dataclass(frozen=True)
class CommentFacts:
    """A comment under a ticket; `mark` makes it the same one when it comes again."""

    mark: str
    text: str
    author: str = ""
    author_is_staff: bool | None = None
    said_at: datetime | None = None


@dataclass(frozen=True)
class TicketFacts:
    """What a tracker says of a ticket. Fields that are empty or None say nothing and erase nothing.

    `comments_only`: the row is of no ticket but of its comments; where the ticket is not known there is nothing to tell.
    """

    ref: TicketRef
    title: str = ""
    state: str = ""
    body: str = ""
    author: str = ""
    opened_at: datetime | None = None
    author_is_staff: bool | None = None
    labels: Sequence[str] | None = None
    votes: int | None = None
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    comments: Sequence[CommentFacts] = ()
    comments_only: bool = False


@dataclass
class Imported:
    """What an import did. `older`: what is here is newer. `unplaced`: comments of tickets that are not here.

    `commits`: whose links may have changed. `refused` are (row number, reason).
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0
    comments: int = 0
    unplaced: int = 0
    commits: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if isinstance(value, int) and value}


def see_ticket(actor: Actor, product: Product, facts: TicketFacts) -> Ticket:
    """The ticket, made on first sight; what is told of it is filled in."""
    require(actor, product, Role.MEMBER)
    if facts.state not in Ticket.State.values:
        raise Invalid(f"This ticket cannot be kept: {_no_state(facts)}.")
    with transaction.atomic():
        ticket = Ticket.objects.filter(product=product, tracker=facts.ref.tracker, key=facts.ref.key).first()
        before = snapshot(ticket) if ticket else None
        ticket = ticket or Ticket(product=product, tracker=facts.ref.tracker, key=facts.ref.key)
        if _tell(ticket, facts) or before is None:
            ticket.save()
            record(actor, product, "see_ticket", ticket, before=before, after=snapshot(ticket))
    return ticket


def _no_state(facts: TicketFacts) -> str:
    return f"its state is {facts.state[:40]!r}: open or closed"


def first_seen(product: Product, refs: Iterable[TicketRef]) -> list[Ticket]:
    """Rows for the tickets that have none yet."""
    refs = list(refs)
    known = set(Ticket.objects.filter(product=product, key__in=[ref.key for ref in refs]).values_list("tracker", "key"))
    new = {(ref.tracker, ref.key): ref for ref in refs if (ref.tracker, ref.key) not in known}
    rows = [Ticket(product=product, tracker=ref.tracker, key=ref.key[:60], url=ref.url[:1000]) for ref in new.values()]
    return Ticket.objects.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=True)


# Import -----------------------------------------------------------------------------------------------


def import_tickets(
    actor: Actor,
    product: Product,
    rows: Iterable[tuple[int, TicketFacts]],
    *,
    tracker: str = "",
    dry_run: bool = False,
) -> Imported:
    """What a tracker says, by (row number, facts). Again changes only what changed there; older words change nothing.

    `tracker` says whose numbers "#12" are; left out, those of the only repository.
    """
    require(actor, product, Role.MAINTAINER)
    done = Imported()
    home = tracker_named(tracker) if tracker else only_tracker(product)
    placed = [(number, replace(facts, ref=at_home(facts.ref, home))) for number, facts in rows]
    with transaction.atomic():
        sound = list(_sound(product, placed, done, home=home))
        tickets = known_rows(Ticket, product, [facts.ref for facts in sound])
        newest = _newest(sound)
        touched: dict[tuple[str, str], Ticket] = {}
        said: dict[tuple[str, str], dict[str, CommentFacts]] = defaultdict(dict)
        for facts in sound:
            name = (facts.ref.tracker, facts.ref.key)
            if facts.comments_only and name not in tickets:
                done.unplaced += len(facts.comments)
                continue
            said[name] |= {one.mark[:64]: one for one in facts.comments}
            if newest.get(name) is facts and _take(product, tickets, facts, done):
                touched[name] = tickets[name]
        if not dry_run:
            upsert(Ticket, list(touched.values()), kept={"id", "product", "tracker", "key", "created_at"})
        new, changed = _comment_rows([(tickets[name], comments) for name, comments in said.items()])
        done.comments = len(new)
        if not dry_run:
            TicketComment.objects.bulk_create(new, batch_size=CHUNK)
            TicketComment.objects.bulk_update(changed, ["text", "author", "author_is_staff", "said_at"], batch_size=100)
            if done.new or done.changed or done.comments:
                record(actor, product, "import_tickets", product, after=done.counts(), undoable=False)
    return done


def _sound(
    product: Product, rows: Sequence[tuple[int, TicketFacts]], done: Imported, *, home: str
) -> Iterator[TicketFacts]:
    """The rows that can be taken; the others are noted with the reason."""
    is_unclear = not home and Repository.objects.filter(product=product).count() > 1
    for number, facts in rows:
        if facts.state not in Ticket.State.values:
            done.refused.append((number, _no_state(facts)))
        elif is_unclear and not facts.ref.tracker and facts.ref.key[0] in "#!":
            problem = f"{facts.ref.key} of which repository? Say it: --tracker github.com/acme/sprout"
            done.refused.append((number, problem))
        else:
            yield facts


def _newest(rows: Iterable[TicketFacts]) -> dict[tuple[str, str], TicketFacts]:
    """Of a ticket that comes twice, the one changed last; where nobody says when, the later one."""
    found: dict[tuple[str, str], TicketFacts] = {}
    for facts in rows:
        name = (facts.ref.tracker, facts.ref.key)
        before = found.get(name)
        if facts.comments_only:
            continue
        if before and before.updated_at and facts.updated_at and facts.updated_at < before.updated_at:
            continue
        found[name] = facts
    return found


def tracker_named(written: str) -> str:
    """A tracker as somebody wrote it, or its address, as links know it: "github.com/acme/sprout"."""
    name = tracker_of_remote(written)
    if not name or len(name) > TRACKER_LIMIT or not name.isprintable():
        raise Invalid(f"{written[:80]!r} is no tracker. Name it as github.com/acme/sprout.")
    return name


def at_home(ref: TicketRef, home: str) -> TicketRef:
    """A bare number is one of the tracker at hand."""
    return ref if ref.tracker or ref.key[0] not in "#!" else replace(ref, tracker=home)


def known_rows(model: type[Row], product: Product, refs: Sequence[TicketRef]) -> dict[tuple[str, str], Row]:
    """The product's rows of these, by tracker and key."""
    keys = sorted({ref.key for ref in refs})
    rows = (row for some in chunks(keys) for row in model._default_manager.filter(product=product, key__in=some))
    return {(row.tracker, row.key): row for row in rows}


def _take(product: Product, tickets: dict[tuple[str, str], Ticket], facts: TicketFacts, done: Imported) -> bool:
    """Count what these facts do to the ticket, and do it; whether it has to be stored."""
    name = (facts.ref.tracker, facts.ref.key)
    known = tickets.get(name)
    ticket = known or tickets.setdefault(name, Ticket(product=product, tracker=name[0], key=name[1][:60]))
    if known and facts.updated_at and known.updated_at and facts.updated_at < known.updated_at:
        done.older += 1
        return False
    facts = replace(facts, updated_at=within_calendars(facts.updated_at))
    changed = _tell(ticket, facts)
    moved = facts.updated_at is not None and ticket.updated_at != facts.updated_at
    if moved:
        ticket.updated_at = facts.updated_at
    done.new += known is None
    done.changed += known is not None and changed
    done.unchanged += known is not None and not changed
    return changed or moved or known is None


def _tell(ticket: Ticket, facts: TicketFacts) -> bool:
    """Fill in what is told; whether that changed anything."""
    told = {
        "url": facts.ref.url[:1000] if facts.ref.url.startswith(("https://", "http://")) else "",
        "title": clean(facts.title)[:TITLE_LIMIT],
        "state": facts.state,
        "body": clean(facts.body)[:BODY_LIMIT],
        "author": clean(facts.author)[:200],
        "opened_at": within_calendars(facts.opened_at),
        "closed_at": within_calendars(facts.closed_at),
    }
    if ticket.erased_at:
        told |= {"body": "", "author": ""}
    news: dict[str, Any] = {name: value for name, value in told.items() if value and getattr(ticket, name) != value}
    if facts.state == Ticket.State.OPEN and ticket.closed_at:
        news["closed_at"] = None  # opened again
    exact = {
        "labels": None if facts.labels is None else [clean(label)[:100] for label in facts.labels][:50],
        "votes": facts.votes,
        "author_is_staff": facts.author_is_staff,
    }
    news |= {name: value for name, value in exact.items() if value is not None and getattr(ticket, name) != value}
    for name, value in news.items():
        setattr(ticket, name, value)
    return bool(news)


def upsert(model: type[Any], rows: Sequence[Any], kept: set[str]) -> None:
    """One statement for new and known rows alike; gives the new ones their primary keys."""
    for row in rows:
        row.pk = None
    model.objects.bulk_create(
        rows,
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["product", "tracker", "key"],
        update_fields=[column.name for column in model._meta.concrete_fields if column.name not in kept],
    )


def _comment_rows(
    said: Sequence[tuple[Ticket, dict[str, CommentFacts]]],
) -> tuple[list[TicketComment], list[TicketComment]]:
    """Comments that are new, and those whose words changed."""
    said = [(ticket, comments) for ticket, comments in said if comments]
    known: dict[tuple[int, str], TicketComment] = {}
    for some in chunks([ticket.pk for ticket, _ in said if ticket.pk]):
        known |= {(row.ticket_id, row.mark): row for row in TicketComment.objects.filter(ticket__in=some)}
    new, changed = list[TicketComment](), list[TicketComment]()
    for ticket, comments in said:
        for mark, facts in comments.items():
            before = known.get((ticket.pk, mark))
            if before and not before.author and not before.text:
                continue  # forgotten
            row = before or TicketComment(ticket=ticket, mark=mark)
            told = {
                "text": clean(facts.text)[:COMMENT_LIMIT],
                "author": clean(facts.author)[:200],
                "author_is_staff": facts.author_is_staff,
                "said_at": within_calendars(facts.said_at),
            }
            news = {name: value for name, value in told.items() if value is not None and getattr(row, name) != value}
            for name, value in news.items():
                setattr(row, name, value)
            if before is None:
                new.append(row)
            elif news:
                changed.append(row)
    return new, changed


def within_calendars(moment: datetime | None) -> datetime | None:
    """A moment that every calendar here can move between zones; nothing for one that none can."""
    return moment if moment is None or 1900 < moment.year < 2900 else None

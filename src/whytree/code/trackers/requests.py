"""What may change pull requests: what a tracker says of those that were merged, and which commits that links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from whytree.engines.git.log import own_subject, parse_trailers
from whytree.engines.links.rules import branch_of, request_of
from whytree.engines.links.tickets import TicketRef, said_in_request, tickets_of_request
from whytree.engines.trackers import BODY_LIMIT, TITLE_LIMIT
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import clean
from ..keys import as_json, store_keys, tickets_at
from ..models import Commit, PullRequest
from ..queries import chunks, facts_of_many, only_tracker
from .tickets import Imported, at_home, first_seen, known_rows, tracker_named, upsert, within_calendars


@dataclass(frozen=True)
class RequestFacts:
    """What a tracker says of a merged pull request. `closes` are the tickets it names itself, beyond the words."""

    ref: TicketRef
    title: str = ""
    body: str = ""
    author: str = ""
    branch: str = ""
    merge_sha: str = ""
    squash_sha: str = ""
    merged_at: datetime | None = None
    updated_at: datetime | None = None
    closes: Sequence[TicketRef] = ()


def import_pull_requests(
    actor: Actor, product: Product, rows: Iterable[RequestFacts], *, tracker: str = "", dry_run: bool = False
) -> Imported:
    """Merged pull requests, and the tickets they close: what links a squash that does not say what it is for.

    Commits that are here already are looked at anew. Again changes only what changed there.
    """
    require(actor, product, Role.MAINTAINER)
    done = Imported()
    home = tracker_named(tracker) if tracker else only_tracker(product)
    placed = [replace(facts, ref=at_home(facts.ref, home)) for facts in rows]
    with transaction.atomic():
        known = known_rows(PullRequest, product, [facts.ref for facts in placed])
        touched: dict[tuple[str, str], PullRequest] = {}
        for facts in placed:
            name = (facts.ref.tracker, facts.ref.key)
            if _take(product, known, facts, done):
                touched[name] = known[name]
        if dry_run or not touched:
            return done
        requests = list(touched.values())
        upsert(PullRequest, requests, kept={"id", "product", "tracker", "key"})
        done.commits = _look_anew(product, requests)
        if done.new or done.changed:
            record(actor, product, "import_pull_requests", product, after=done.counts(), undoable=False)
    return done


def _take(product: Product, known: dict[tuple[str, str], PullRequest], facts: RequestFacts, done: Imported) -> bool:
    name = (facts.ref.tracker, facts.ref.key)
    facts = replace(facts, updated_at=within_calendars(facts.updated_at))
    row = known.get(name)
    if row and facts.updated_at and row.updated_at and facts.updated_at < row.updated_at:
        done.older += 1
        return False
    is_new = row is None
    row = row or known.setdefault(name, PullRequest(product=product, tracker=name[0], key=name[1][:12]))
    changed = _tell(row, facts)
    moved = facts.updated_at is not None and row.updated_at != facts.updated_at
    row.updated_at = facts.updated_at or row.updated_at
    done.new += is_new
    done.changed += not is_new and changed
    done.unchanged += not is_new and not changed
    return is_new or changed or moved


def _tell(row: PullRequest, facts: RequestFacts) -> bool:
    body = clean(facts.body)[:BODY_LIMIT]
    told = {
        "url": facts.ref.url[:1000] if facts.ref.url.startswith(("https://", "http://")) else "",
        "title": clean(facts.title)[:TITLE_LIMIT],
        "body": body,
        "author": clean(facts.author)[:200],
        "branch": clean(facts.branch)[:200],
        "merge_sha": facts.merge_sha,
        "squash_sha": facts.squash_sha,
        "merged_at": within_calendars(facts.merged_at),
    }
    body = body or row.body
    if row.erased_at:
        told |= {"body": "", "author": ""}
    news: dict[str, Any] = {name: value for name, value in told.items() if value and getattr(row, name) != value}
    is_silent = row.erased_at and not body  # what it is for stood in words that are gone
    if not is_silent and ("title" in news or body != row.body or facts.closes):
        news |= _purpose(replace(facts, title=news.get("title", row.title), body=body))
    changed = {name: value for name, value in news.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _purpose(facts: RequestFacts) -> dict[str, Any]:
    """What a request is for. A bot's words quote other people's release notes: only its tracker is believed."""
    trailers = () if _is_bot(facts.author) else parse_trailers(said_in_request(facts.body))
    own = [] if _is_bot(facts.author) else tickets_of_request(own_subject(facts.title), facts.body, trailers)
    closes = dict.fromkeys(
        (at_home(ref, facts.ref.tracker).key, at_home(ref, facts.ref.tracker).tracker) for ref in [*facts.closes, *own]
    )
    return {
        "closes": [{"key": key, "tracker": tracker} for key, tracker in closes][:20],
        "whys": [[key, value] for key, value in trailers if key.lower().startswith("why")][:20],
    }


def _is_bot(author: str) -> bool:
    return author.endswith("[bot]") or author.startswith("app/")


def _look_anew(product: Product, requests: Sequence[PullRequest]) -> int:
    """Derive anew what the link rules would try for the commits of these requests; how many there are."""
    shas = sorted({sha for row in requests for sha in (row.merge_sha, row.squash_sha) if sha})
    match = [Q(sha__in=some) | Q(merged_by__in=some) for some in chunks(shas)]
    for tracker in {row.tracker for row in requests}:
        keys = sorted(row.key for row in requests if row.tracker == tracker)
        match += [Q(repository__tracker=tracker, pr_number__in=some) for some in chunks(keys)]
    found = {
        commit.pk: commit
        for one in match
        for commit in Commit.objects.filter(one, repository__product=product).select_related("repository")
    }
    for some in chunks(list(found.values())):
        rows = list(facts_of_many(some))
        for commit, facts in rows:
            commit.tickets = as_json(tickets_at(facts, commit.repository.tracker))
            commit.pr_number = request_of(facts)
            commit.branch = branch_of(facts)
        Commit.objects.bulk_update(some, ["tickets", "pr_number", "branch"], batch_size=100)
        store_keys(rows, anew=True)
        first_seen(product, [ref for commit, facts in rows for ref in tickets_at(facts, commit.repository.tracker)])
    return len(found)

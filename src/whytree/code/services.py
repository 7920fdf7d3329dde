"""What may change the facts of delivery: repositories and what their clones tell, tickets on first sight or from a file."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from whytree.engines.gitlog import parse_merge, parse_trailers
from whytree.engines.links import CommitFacts, candidates, is_looked_through, tickets_named
from whytree.engines.links_tickets import TicketRef
from whytree.errors import Conflict, Invalid
from whytree.workspace.access import require
from whytree.workspace.activity import record, snapshot
from whytree.workspace.actors import Actor
from whytree.workspace.models import Product
from whytree.workspace.roles import Role

from .cleaning import CHUNK as _CHUNK
from .cleaning import COMMIT_ID as _COMMIT_ID
from .cleaning import clean as _clean
from .cleaning import commit_id as _commit_id
from .cleaning import within_calendars as _within_calendars
from .models import Commit, CommitKey, FileBlame, Repository, Ticket
from .queries import only_tracker

MOST_LINES = 10_000_000


@dataclass(frozen=True)
class PushedCommit:
    """A commit as a clone tells it. Without `files` or `merged_by` those stay as they were; `flags_added` adds up."""

    sha: str
    authored_at: datetime
    subject: str = ""
    body: str = ""
    note: str = ""
    author_name: str = ""
    author_email: str = ""
    parents: Sequence[str] = ()
    files: Sequence[str] = ()
    merged_by: str = ""
    flags_added: Sequence[str] = ()


@dataclass(frozen=True)
class PushedFile:
    """Who wrote which lines of a file last: (first line, last line, commit). `text` only when somebody said so."""

    path: str
    spans: Sequence[tuple[int, int, str]]
    text: str | None = None


@dataclass(frozen=True)
class Reading:
    """How far a clone was read. `left_out` are sentences."""

    head: str
    branch: str = ""
    tracker: str = ""
    flags_scanned: Sequence[str] = ()
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class TicketFacts:
    """What a tracker says of a ticket. Empty fields say nothing and erase nothing."""

    ref: TicketRef
    title: str = ""
    state: str = ""
    body: str = ""
    author: str = ""
    opened_at: datetime | None = None


@dataclass
class Imported:
    """Tickets by what an import did to them; `refused` are (row number, reason)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


# Repositories -----------------------------------------------------------------------------------------


def register_repository(
    actor: Actor, product: Product, *, name: str, root_sha: str, tracker: str = "", with_code: bool = False
) -> Repository:
    """Make a clone known. Its first commit is its identity: the same one again is the same repository, whatever it
    is called; a name that another repository has is refused. `with_code` lets its text be stored, from then on."""
    require(actor, product, Role.MAINTAINER)
    if not _COMMIT_ID.fullmatch(root_sha):
        raise Invalid("The first commit's full id is missing. Register with: whytree repository add PATH")
    known = Repository.objects.filter(product=product, root_sha=root_sha).first()
    if known is None:
        known = _new_repository(product, _clean(name), root_sha)
    elif known.with_code or not with_code:
        return known
    with transaction.atomic():
        before = snapshot(known) if known.pk else None
        known.with_code = known.with_code or with_code
        known.tracker = known.tracker or _clean(tracker)[:300]
        known.save()
        record(actor, product, "register_repository", known, before=before, after=snapshot(known), undoable=False)
    return known


def _new_repository(product: Product, name: str, root_sha: str) -> Repository:
    if not name or len(name) > 100 or ":" in name:
        raise Invalid("A repository needs a name of at most 100 characters without a colon. Give one: --name.")
    taken = Repository.objects.filter(product=product, name=name).first()
    if taken is not None:
        raise Conflict(
            f"{name} is another repository here: its first commit is {taken.root_sha[:7]}, "
            f"this one's is {root_sha[:7]}. Give this one a name of its own: --name."
        )
    return Repository(product=product, name=name, root_sha=root_sha)


def push_commits(
    actor: Actor, repository: Repository, root_sha: str, commits: Sequence[PushedCommit]
) -> tuple[int, int]:
    """Store commits; the same again changes nothing. Gives how many were new and how many tickets were first seen.

    A merge must come before, or together with, the commits it brought: its words are theirs too.
    """
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    commits = list({commit.sha: _cleaned(commit) for commit in commits}.values())
    with transaction.atomic():
        known = _known(repository, [commit.sha for commit in commits])
        commits = [_with_known(commit, known.get(commit.sha)) for commit in commits]
        merges = _messages(repository, commits)
        rows, tickets = [], dict[TicketRef, None]()
        for commit in commits:
            facts = _facts(commit, merges)
            tickets |= dict.fromkeys(_tickets(facts, repository))
            rows.append((_row(repository, commit, facts, merges), facts))
        _store(rows, known)
        first_seen = _first_seen(repository.product, tickets)
        new = len({commit.sha for commit in commits} - known.keys())
        if new or first_seen:
            after = {"commits": new, "tickets": [ticket.key for ticket in first_seen]}
            record(actor, repository.product, "push_commits", repository, after=after, undoable=False)
    return new, len(first_seen)


def push_lines(
    actor: Actor, repository: Repository, root_sha: str, rev: str, files: Sequence[PushedFile], gone: Sequence[str] = ()
) -> None:
    """Store who wrote which lines of these files at `rev`; forget the files that are gone."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    rows = [
        FileBlame(
            repository=repository,
            path=_clean(file.path),
            rev=_commit_id(rev),
            spans=[_span(*span) for span in file.spans],
            text=None if file.text is None else _clean(file.text),
        )
        for file in {file.path: file for file in files if 0 < len(file.path) <= 1000}.values()
    ]
    with transaction.atomic():
        FileBlame.objects.bulk_create(
            rows,
            batch_size=_CHUNK,
            update_conflicts=True,
            unique_fields=["repository", "path"],
            update_fields=["rev", "spans", "text"],
        )
        for start in range(0, len(gone), _CHUNK):
            repository.files.filter(path__in=gone[start : start + _CHUNK]).delete()
        after = {"files": len(rows), "gone": len(gone)}
        record(actor, repository.product, "push_lines", repository, after=after, undoable=False)


def finish_sync(actor: Actor, repository: Repository, root_sha: str, reading: Reading) -> Repository:
    """Note how far a clone was read, and count the lines that each commit still has."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    with transaction.atomic():
        before = snapshot(repository)
        repository.head = _commit_id(reading.head)
        repository.branch = _clean(reading.branch)[:250]
        repository.tracker = _clean(reading.tracker)[:300] or repository.tracker
        repository.flags_scanned = sorted({*repository.flags_scanned, *reading.flags_scanned})
        repository.left_out = [_clean(sentence)[:300] for sentence in reading.left_out][:20]
        repository.synced_at = timezone.now()
        _count_lines(repository)
        repository.save()
        record(
            actor,
            repository.product,
            "sync_repository",
            repository,
            before=before,
            after=snapshot(repository),
            undoable=False,
        )
    return repository


def refuse_another(repository: Repository, root_sha: str) -> None:
    """A clone with another first commit is another repository, whatever it claims."""
    if repository.root_sha != root_sha:
        raise Conflict(
            f"This clone is not {repository.name}: its first commit is another one. "
            "Register it under a name of its own: whytree repository add PATH --name NAME"
        )


def _with_known(commit: PushedCommit, known: Commit | None) -> PushedCommit:
    """What the pusher did not look at stays as it was told before; flags only add up."""
    if known is None:
        return commit
    return replace(
        commit,
        files=commit.files or known.files,
        merged_by=commit.merged_by or known.merged_by,
        flags_added=sorted({*commit.flags_added, *known.flags_added}),
    )


def _known(repository: Repository, shas: Sequence[str]) -> dict[str, Commit]:
    found: dict[str, Commit] = {}
    for start in range(0, len(shas), _CHUNK):
        found |= {row.sha: row for row in repository.commits.filter(sha__in=shas[start : start + _CHUNK])}
    return found


def _messages(repository: Repository, commits: Sequence[PushedCommit]) -> dict[str, tuple[str, str]]:
    """Subject and body of every merge these commits came through."""
    messages = {commit.sha: (commit.subject, commit.body) for commit in commits}
    elsewhere = sorted({commit.merged_by for commit in commits} - messages.keys() - {""})
    return messages | {row.sha: (row.subject, row.body) for row in _known(repository, elsewhere).values()}


def _facts(commit: PushedCommit, merges: Mapping[str, tuple[str, str]]) -> CommitFacts:
    subject, body = merges.get(commit.merged_by, ("", ""))
    return CommitFacts(
        subject=commit.subject,
        body=commit.body,
        note=commit.note,
        author_name=commit.author_name,
        flags_added=tuple(commit.flags_added),
        merge_subject=subject,
        merge_body=body,
    )


def _row(
    repository: Repository, commit: PushedCommit, facts: CommitFacts, merges: Mapping[str, tuple[str, str]]
) -> Commit:
    own, through = parse_merge(facts.subject, facts.body), parse_merge(facts.merge_subject, facts.merge_body)
    return Commit(
        repository=repository,
        sha=commit.sha,
        parents=list(commit.parents),
        author_name=commit.author_name,
        author_email=commit.author_email,
        authored_at=commit.authored_at,
        subject=commit.subject,
        body=commit.body,
        trailers=[list(trailer) for trailer in parse_trailers(commit.body)],
        note=commit.note,
        files=list(commit.files),
        merged_by=commit.merged_by if commit.merged_by in merges else "",
        pr_number=own.pull_request or through.pull_request,
        branch=own.branch or through.branch,
        flags_added=list(facts.flags_added),
        tickets=[{"key": ticket.key, "tracker": ticket.tracker} for ticket in _tickets(facts, repository)],
        is_maintenance=is_looked_through(facts),
    )


def _store(rows: Sequence[tuple[Commit, CommitFacts]], known: Mapping[str, Commit]) -> None:
    kept = {"repository", "sha", "id", "lines"}
    Commit.objects.bulk_create(
        [row for row, _ in rows],
        batch_size=_CHUNK,
        update_conflicts=True,
        unique_fields=["repository", "sha"],
        update_fields=[column.name for column in Commit._meta.concrete_fields if column.name not in kept],
    )
    CommitKey.objects.filter(commit__in=list(known.values())).delete()
    keys = [
        CommitKey(commit=row, kind=kind, key=key)
        for row, facts in rows
        for kind, key in dict.fromkeys((found.kind, found.key[:200]) for found in candidates(facts))
    ]
    CommitKey.objects.bulk_create(keys, batch_size=_CHUNK)


def _count_lines(repository: Repository) -> None:
    survivors: Counter[str] = Counter()
    for spans in repository.files.values_list("spans", flat=True).iterator():
        for start, end, sha in spans:
            survivors[sha] += end - start + 1
    changed = []
    for commit in repository.commits.only("sha", "lines").iterator():
        if commit.lines != survivors[commit.sha]:
            commit.lines = survivors[commit.sha]
            changed.append(commit)
    Commit.objects.bulk_update(changed, ["lines"], batch_size=_CHUNK)


# Tickets ----------------------------------------------------------------------------------------------


def see_ticket(actor: Actor, product: Product, facts: TicketFacts) -> Ticket:
    """The ticket, made on first sight; what is told of it is filled in."""
    require(actor, product, Role.MEMBER)
    with transaction.atomic():
        ticket = Ticket.objects.filter(product=product, tracker=facts.ref.tracker, key=facts.ref.key).first()
        before = snapshot(ticket) if ticket else None
        ticket = ticket or Ticket(product=product, tracker=facts.ref.tracker, key=facts.ref.key)
        if _tell(ticket, facts) or before is None:
            ticket.save()
            record(actor, product, "see_ticket", ticket, before=before, after=snapshot(ticket))
    return ticket


def import_tickets(
    actor: Actor, product: Product, rows: Iterable[tuple[int, TicketFacts]], *, dry_run: bool = False
) -> Imported:
    """Tickets from a tracker's export, by (row number, facts). Again changes only what changed there."""
    require(actor, product, Role.MAINTAINER)
    done = Imported()
    home = only_tracker(product)
    with transaction.atomic():
        for number, facts in rows:
            if facts.state not in Ticket.State.values:
                done.refused.append((number, f"its state is {facts.state!r}: open or closed"))
                continue
            ref = facts.ref if facts.ref.tracker or facts.ref.key[0] not in "#!" else replace(facts.ref, tracker=home)
            ticket = Ticket.objects.filter(product=product, tracker=ref.tracker, key=ref.key).first()
            known = ticket is not None
            ticket = ticket or Ticket(product=product, tracker=ref.tracker, key=ref.key)
            changed = _tell(ticket, facts)
            done.new += not known
            done.changed += known and changed
            done.unchanged += known and not changed
            if not dry_run and (changed or not known):
                ticket.save()
        if not dry_run and (done.new or done.changed):
            after = {"new": done.new, "changed": done.changed, "unchanged": done.unchanged}
            record(actor, product, "import_tickets", product, after=after, undoable=False)
    return done


def _tell(ticket: Ticket, facts: TicketFacts) -> bool:
    """Fill in what is told; whether that changed anything."""
    told = {
        "url": facts.ref.url[:1000] if facts.ref.url.startswith(("https://", "http://")) else "",
        "title": _clean(facts.title)[:500],
        "state": facts.state,
        "body": _clean(facts.body)[:20_000],
        "author": _clean(facts.author)[:200],
        "opened_at": facts.opened_at,
    }
    news = {name: value for name, value in told.items() if value and getattr(ticket, name) != value}
    for name, value in news.items():
        setattr(ticket, name, value)
    return bool(news)


def _first_seen(product: Product, refs: Iterable[TicketRef]) -> list[Ticket]:
    """Rows for the tickets that have none yet."""
    refs = list(refs)
    known = set(Ticket.objects.filter(product=product, key__in=[ref.key for ref in refs]).values_list("tracker", "key"))
    new = {(ref.tracker, ref.key): ref for ref in refs if (ref.tracker, ref.key) not in known}
    rows = [Ticket(product=product, tracker=ref.tracker, key=ref.key[:60], url=ref.url[:1000]) for ref in new.values()]
    return Ticket.objects.bulk_create(rows, batch_size=_CHUNK, ignore_conflicts=True)


def _tickets(facts: CommitFacts, repository: Repository) -> list[TicketRef]:
    """Tickets a commit works on; a bare number is the repository's own."""
    return [
        ticket if ticket.tracker or ticket.key[0] not in "#!" else replace(ticket, tracker=repository.tracker)
        for ticket in tickets_named(facts)
    ]


# Input ------------------------------------------------------------------------------------------------


def _cleaned(commit: PushedCommit) -> PushedCommit:
    return replace(
        commit,
        sha=_commit_id(commit.sha),
        authored_at=_within_calendars(commit.authored_at),
        subject=_clean(commit.subject)[:500],
        body=_clean(commit.body)[:20_000],
        note=_clean(commit.note)[:20_000],
        author_name=_clean(commit.author_name)[:200],
        author_email=_clean(commit.author_email)[:200],
        parents=[_commit_id(parent) for parent in commit.parents],
        files=[_clean(path)[:1000] for path in commit.files][:500],
        merged_by=_commit_id(commit.merged_by) if commit.merged_by else "",
        flags_added=[_clean(key)[:200] for key in commit.flags_added][:200],
    )


def _span(start: int, end: int, sha: str) -> list[int | str]:
    if not 1 <= start <= end <= MOST_LINES:
        raise Invalid(f"Lines {start} to {end} are no span: give the first and the last line, counted from 1.")
    return [start, end, _commit_id(sha)]

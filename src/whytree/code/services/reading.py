"""Repositories, and what a reading of their clones tells: commits, whose lines are left, and the words in between."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.engines.git.log import BODY_LIMIT, SUBJECT_LIMIT, cut, parse_trailers
from whytree.engines.links.rules import CommitFacts, LinkAnswer, branch_of, candidates, is_looked_through, request_of
from whytree.engines.links.tickets import TicketRef
from whytree.errors import Conflict, Invalid
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import CHUNK, COMMIT_ID, clean, commit_id, within_calendars
from ..delivery.placing import place_waiting
from ..keys import as_json, store_keys, tickets_at
from ..models import Commit, FileBlame, Repository
from ..queries import Origin, facts_of, told_by_commit, with_requests
from ..trackers.tickets import first_seen

MOST_LINES = 10_000_000
MOST_NESTING = 2_000_000_000
MOST_HUNK = 20_000  # characters


@dataclass(frozen=True)
class PushedCommit:
    """A commit as a clone tells it. Without `files` or `merged_by` those stay as they were; `flags_added` adds up.

    `stands_on` is told where only what is new was looked at: commits read before that its branch went on from.
    """

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
    unrelated: bool = False
    stands_on: Sequence[str] = ()


@dataclass(frozen=True)
class PushedFile:
    """Who wrote which lines of a file last: (first line, last line, commit). `text` only when somebody said so.

    `stamp` is the clone's own, to know by whether there is anything new to tell; `nesting` adds up indentation levels.
    """

    path: str
    spans: Sequence[tuple[int, int, str]]
    text: str | None = None
    stamp: str = ""
    nesting: int = 0


@dataclass(frozen=True)
class Reading:
    """How far a clone was read. `left_out` are sentences."""

    head: str
    branch: str = ""
    tracker: str = ""
    flags_scanned: Sequence[str] = ()
    left_out: Sequence[str] = ()


# Repositories -----------------------------------------------------------------------------------------


def register_repository(
    actor: Actor,
    product: Product,
    *,
    name: str,
    root_sha: str,
    tracker: str = "",
    with_code: bool = False,
    with_hunks: bool = True,
) -> Repository:
    """Make a clone known. Its first commit is its identity: the same one again is the same repository, whatever it
    is called; a name that another repository has is refused. `with_code` lets its text be stored from then on;
    without `with_hunks` not even pieces of it."""
    require(actor, product, Role.MAINTAINER)
    if not COMMIT_ID.fullmatch(root_sha):
        raise Invalid("The first commit's full id is missing. Register with: whytree repository add PATH")
    known = Repository.objects.filter(product=product, root_sha=root_sha).first()
    if known is None:
        known = _new_repository(product, clean(name), root_sha)
    elif (known.with_code or not with_code) and known.with_hunks == with_hunks:
        return known
    with transaction.atomic():
        before = snapshot(known) if known.pk else None
        known.with_code = known.with_code or with_code
        known.with_hunks = with_hunks
        known.tracker = known.tracker or clean(tracker)[:300]
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
        told_of = told_by_commit(known.values())
        told = {sha: told_of.get(commit.pk, ()) for sha, commit in known.items()}
        merges = _messages(repository, commits)
        rows, tickets = [], dict[TicketRef, None]()
        for commit, facts in zip(commits, _facts_of_all(repository, commits, merges, told), strict=True):
            named = tickets_at(facts, repository.tracker)
            tickets |= dict.fromkeys(named)
            rows.append((_row(repository, commit, facts, merges, named), facts))
        _store(rows, known)
        tickets_seen = first_seen(repository.product, tickets)
        new = len({commit.sha for commit in commits} - known.keys())
        if new or tickets_seen:
            after = {"commits": new, "tickets": [ticket.key for ticket in tickets_seen]}
            record(actor, repository.product, "push_commits", repository, after=after, undoable=False)
    return new, len(tickets_seen)


def push_lines(
    actor: Actor, repository: Repository, root_sha: str, rev: str, files: Sequence[PushedFile], gone: Sequence[str] = ()
) -> None:
    """Store who wrote which lines of these files at `rev`; forget the files that are gone."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    rows = [
        FileBlame(
            repository=repository,
            path=clean(file.path),
            rev=commit_id(rev),
            spans=[_span(*span) for span in file.spans],
            text=None if file.text is None else clean(file.text),
            stamp=clean(file.stamp)[:64],
            nesting=max(0, min(file.nesting, MOST_NESTING)),
        )
        for file in {file.path: file for file in files if 0 < len(file.path) <= 1000}.values()
    ]
    with transaction.atomic():
        FileBlame.objects.bulk_create(
            rows,
            batch_size=CHUNK,
            update_conflicts=True,
            unique_fields=["repository", "path"],
            update_fields=["rev", "spans", "text", "hunks", "stamp", "nesting"],
        )
        for start in range(0, len(gone), CHUNK):
            repository.files.filter(path__in=gone[start : start + CHUNK]).delete()
        after = {"files": len(rows), "gone": len(gone)}
        record(actor, repository.product, "push_lines", repository, after=after, undoable=False)


@dataclass(frozen=True)
class PushedHunks:
    """Pieces of a file as (first line, text), of the reading with this stamp."""

    path: str
    stamp: str
    hunks: Sequence[tuple[int, str]]


def push_hunks(actor: Actor, repository: Repository, root_sha: str, files: Sequence[PushedHunks]) -> None:
    """Keep these pieces in place of those there were. What was read anew in between is left out: it is asked for again."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    pushed = {file.path: file for file in files}
    with transaction.atomic():
        rows = [row for row in repository.files.filter(path__in=pushed) if row.stamp == pushed[row.path].stamp]
        for row in rows:
            allowed = repository.with_hunks and not repository.with_code
            hunks = pushed[row.path].hunks if allowed else ()
            row.hunks = [[first, first + text.count("\n"), clean(text)[:MOST_HUNK]] for first, text in hunks]
        FileBlame.objects.bulk_update(rows, ["hunks"], batch_size=100)
        record(actor, repository.product, "push_hunks", repository, after={"files": len(rows)}, undoable=False)


def finish_sync(actor: Actor, repository: Repository, root_sha: str, reading: Reading) -> Repository:
    """Note how far a clone was read, and count the lines that each commit still has."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    with transaction.atomic():
        before = snapshot(repository)
        repository.head = commit_id(reading.head)
        repository.branch = clean(reading.branch)[:250]
        repository.tracker = clean(reading.tracker)[:300] or repository.tracker
        repository.flags_scanned = sorted({*repository.flags_scanned, *reading.flags_scanned})
        repository.left_out = [clean(sentence)[:300] for sentence in reading.left_out][:20]
        repository.synced_at = timezone.now()
        _count_lines(repository)
        repository.save()
        place_waiting(repository)
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


def keep_survey(actor: Actor, repository: Repository, root_sha: str, survey: Mapping[str, Any]) -> Repository:
    """What the files of a clone say: flags asked for, decision records, owners, releases. Replaces the last one."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    if {**survey, "seconds": 0} == {**repository.survey, "seconds": 0}:
        return repository
    with transaction.atomic():
        before = snapshot(repository)
        repository.survey = dict(survey)
        repository.save(update_fields=["survey"])
        after = snapshot(repository)
        record(actor, repository.product, "survey_repository", repository, before=before, after=after, undoable=False)
    return repository


def answer_link(actor: Actor, commit: Commit, answer: LinkAnswer) -> Commit:
    """Keep what a person says of a link that a rule found: right, it is stated from now on; wrong, no rule tries it."""
    product = commit.repository.product
    require(actor, product, Role.MEMBER)
    keys = {(found.kind, found.key) for found in candidates(_facts_of(commit))}
    if (answer.kind, answer.key) not in keys:
        raise Invalid(f"No rule finds {answer.key[:60]} in {commit.short}, so there is nothing to answer.")
    with transaction.atomic():
        fresh = Commit.objects.select_for_update(of=("self",)).select_related("repository__product").get(pk=commit.pk)
        before = {"answers": fresh.answers}
        others = [one for one in fresh.answers if (one["kind"], one["key"]) != (answer.kind, answer.key)]
        fresh.answers = [*others, asdict(answer)]
        if fresh.answers != before["answers"]:
            fresh.save(update_fields=["answers"])
            after = {"answers": fresh.answers}
            record(actor, product, "answer_link", fresh, before=before, after=after, undoable=False)
    return fresh


def _facts_of(commit: Commit) -> CommitFacts:
    """As the rules found it, whatever was answered before: an answer may be changed."""
    return replace(facts_of(commit), answers=())


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
        unrelated=commit.unrelated or known.is_unrelated,
    )


def _known(repository: Repository, shas: Sequence[str]) -> dict[str, Commit]:
    found: dict[str, Commit] = {}
    for start in range(0, len(shas), CHUNK):
        found |= {row.sha: row for row in repository.commits.filter(sha__in=shas[start : start + CHUNK])}
    return found


def _messages(repository: Repository, commits: Sequence[PushedCommit]) -> dict[str, tuple[str, str]]:
    """Subject and body of every merge these commits came through."""
    messages = {commit.sha: (commit.subject, commit.body) for commit in commits}
    elsewhere = sorted({commit.merged_by for commit in commits} - messages.keys() - {""})
    return messages | {row.sha: (row.subject, row.body) for row in _known(repository, elsewhere).values()}


def _facts_of_all(
    repository: Repository,
    commits: Sequence[PushedCommit],
    merges: Mapping[str, tuple[str, str]],
    told: Mapping[str, tuple[str, ...]],
) -> list[CommitFacts]:
    origins = [
        Origin(
            commit.sha,
            commit.merged_by,
            repository.tracker,
            replace(_facts(commit, merges, told.get(commit.sha, ())), tracker=repository.tracker),
        )
        for commit in commits
    ]
    return with_requests(repository.product_id, origins)


def _facts(commit: PushedCommit, merges: Mapping[str, tuple[str, str]], told: tuple[str, ...]) -> CommitFacts:
    subject, body = merges.get(commit.merged_by, ("", ""))
    return CommitFacts(
        subject=commit.subject,
        body=commit.body,
        note=commit.note,
        author_name=commit.author_name,
        flags_added=tuple(commit.flags_added),
        merge_subject=subject,
        merge_body=body,
        told=told,
        unrelated=commit.unrelated,
    )


def _row(
    repository: Repository,
    commit: PushedCommit,
    facts: CommitFacts,
    merges: Mapping[str, tuple[str, str]],
    tickets: Sequence[TicketRef],
) -> Commit:
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
        pr_number=request_of(facts),
        branch=branch_of(facts),
        flags_added=list(facts.flags_added),
        tickets=as_json(tickets),
        is_maintenance=is_looked_through(facts),
        is_unrelated=commit.unrelated,
    )


def _store(rows: Sequence[tuple[Commit, CommitFacts]], known: Mapping[str, Commit]) -> None:
    kept = {"repository", "sha", "id", "lines", "answers", "deployment"}
    Commit.objects.bulk_create(
        [row for row, _ in rows],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["repository", "sha"],
        update_fields=[column.name for column in Commit._meta.concrete_fields if column.name not in kept],
    )
    store_keys(rows, anew=bool(known))


def _count_lines(repository: Repository) -> None:
    survivors: Counter[str] = Counter()
    for spans in repository.files.values_list("spans", flat=True).iterator():
        for start, end, sha in spans:
            survivors[sha] += end - start + 1
    changed: dict[int, list[int]] = defaultdict(list)
    for pk, sha, lines in repository.commits.values_list("pk", "sha", "lines").iterator():
        if lines != survivors[sha]:
            changed[survivors[sha]].append(pk)
    # Most commits have a few lines left, so one statement a number is far fewer than one a commit.
    for lines, pks in changed.items():
        for start in range(0, len(pks), CHUNK):
            Commit.objects.filter(pk__in=pks[start : start + CHUNK]).update(lines=lines)


# Input ------------------------------------------------------------------------------------------------


def _cleaned(commit: PushedCommit) -> PushedCommit:
    return replace(
        commit,
        sha=commit_id(commit.sha),
        authored_at=within_calendars(commit.authored_at),
        subject=cut(clean(commit.subject), SUBJECT_LIMIT),
        body=cut(clean(commit.body), BODY_LIMIT),
        note=cut(clean(commit.note), BODY_LIMIT),
        author_name=clean(commit.author_name)[:200],
        author_email=clean(commit.author_email)[:200],
        parents=[commit_id(parent) for parent in commit.parents],
        files=[clean(path)[:1000] for path in commit.files][:500],
        merged_by=commit_id(commit.merged_by) if commit.merged_by else "",
        flags_added=[clean(key)[:200] for key in commit.flags_added][:200],
    )


def _span(start: int, end: int, sha: str) -> list[int | str]:
    if not 1 <= start <= end <= MOST_LINES:
        raise Invalid(f"Lines {start} to {end} are no span: give the first and the last line, counted from 1.")
    return [start, end, commit_id(sha)]

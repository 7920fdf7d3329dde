"""What may be asked of the facts of delivery."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from pathlib import PurePosixPath
from typing import Any, TypeVar

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from whytree.engines.git.log import is_trunk, parse_merge
from whytree.engines.links.rules import CommitFacts, LinkAnswer, merge_of
from whytree.engines.links.tickets import TicketRef, is_of_request
from whytree.errors import Invalid, NotFound
from whytree.workspace.models import Product

from .models import Commit, FileBlame, PullRequest, Repository, Ticket, ToldReason, TrackerReading

Item = TypeVar("Item")
SHORTEST_ID = 4
MOST_NEAR = 3
ADD_FIRST = "Register the clone first: whytree repository add PATH"


def list_repositories(product: Product) -> QuerySet[Repository]:
    """With their numbers of commits and files. Each is counted by itself: joined, they multiply."""
    return Repository.objects.filter(product=product).annotate(
        commit_count=_count_of(Commit.objects.all()), file_count=_count_of(FileBlame.objects.all())
    )


def _count_of(rows: QuerySet[Any]) -> Coalesce:
    own = rows.filter(repository=OuterRef("pk")).order_by().values("repository")
    return Coalesce(Subquery(own.annotate(number=Count("pk")).values("number")), 0)


def only_tracker(product: Product) -> str:
    """Whose numbers "#12" are where nobody says: those of the only repository there is."""
    trackers = Repository.objects.filter(product=product).values_list("tracker", flat=True)[:2]
    return trackers[0] if len(trackers) == 1 else ""


def find_repository(product: Product, pk: int) -> Repository:
    repository = Repository.objects.select_related("product").filter(product=product, pk=pk).first()
    if repository is None:
        raise NotFound(f"There is no such repository in {product.name}. {ADD_FIRST}")
    return repository


def find_commit(product: Product, sha: str) -> Commit:
    """The commit whose id begins so; `Invalid` when several do."""
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_ID},64}}", sha):
        raise Invalid(f"{sha[:80]!r} is no commit id: give at least {SHORTEST_ID} characters of 0-9 and a-f.")
    found = list(_commits(product).filter(sha__startswith=sha)[:2])
    if not found:
        raise NotFound(f"No commit {sha[:12]} is known in {product.name}. Read it in: whytree repository sync")
    if len({commit.sha for commit in found}) > 1:
        raise Invalid(f"Several commits begin with {sha}. Give more of the id.")
    return found[0]


def commits_by_sha(product: Product, shas: Iterable[str]) -> dict[str, Commit]:
    rows = (row for some in chunks(sorted(set(shas))) for row in _commits(product).filter(sha__in=some))
    return {commit.sha: commit for commit in rows}


def commits_with_keys(product: Product, keys: Sequence[tuple[str, str]]) -> QuerySet[Commit]:
    """Commits for which a link rule would try any of these (kind, key), newest first."""
    matches = Q(pk__in=[])
    for kind, key in keys:
        matches |= Q(keys__kind=kind, keys__key=key)
    return _commits(product).filter(matches).distinct()


def commits_by_pk(product: Product, pks: Iterable[int]) -> QuerySet[Commit]:
    """Newest first."""
    return _commits(product).filter(pk__in=list(pks))


def _commits(product: Product) -> QuerySet[Commit]:
    return Commit.objects.filter(repository__product=product).select_related("repository", "deployment")


def facts_of_many(commits: Iterable[Commit]) -> Iterator[tuple[Commit, CommitFacts]]:
    """What the link rules read of stored commits, with the words of the merges that brought them."""
    commits = list(commits)
    wanted = {commit.merged_by for commit in commits} - {""}
    ids = {commit.repository_id for commit in commits}
    merges = {
        (merge.repository_id, merge.sha): merge
        for some in chunks(sorted(wanted))
        for merge in Commit.objects.filter(repository__in=ids, sha__in=some)
    }
    told = told_by_commit(commits)
    facts = [
        _facts(commit, merges.get((commit.repository_id, commit.merged_by)), told.get(commit.pk, ()))
        for commit in commits
    ]
    origins = [
        Origin(commit.sha, commit.merged_by, commit.repository.tracker, one)
        for commit, one in zip(commits, facts, strict=True)
    ]
    product = commits[0].repository.product_id if commits else 0
    yield from zip(commits, with_requests(product, origins), strict=True)


def told_by_commit(commits: Iterable[Commit]) -> dict[int, tuple[str, ...]]:
    """What was said afterwards of these commits, by primary key, the oldest first."""
    found: dict[int, tuple[str, ...]] = {}
    for some in chunks(sorted({commit.pk for commit in commits})):
        for pk, words in ToldReason.objects.filter(commit__in=some).values_list("commit", "words"):
            found[pk] = (*found.get(pk, ()), words)
    return found


def who_told(commit_sha: str, product: Product, words: str) -> ToldReason | None:
    """Who said so, when a commit's reason was told here."""
    told = ToldReason.objects.filter(commit__sha=commit_sha, commit__repository__product=product, words=words)
    return told.select_related("commit").first()


def facts_of(commit: Commit) -> CommitFacts:
    return next(facts for _, facts in facts_of_many([commit]))


def _facts(commit: Commit, merge: Commit | None, told: tuple[str, ...]) -> CommitFacts:
    return CommitFacts(
        subject=commit.subject,
        body=commit.body,
        note=commit.note,
        author_name=commit.author_name,
        flags_added=tuple(commit.flags_added),
        merge_subject=merge.subject if merge else "",
        merge_body=merge.body if merge else "",
        told=told,
        unrelated=commit.is_unrelated,
        answers=tuple(LinkAnswer(**answer) for answer in commit.answers),
        tracker=commit.repository.tracker,
    )


# Pull requests ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """Where a commit comes from: what tells its pull request."""

    sha: str
    merged_by: str
    tracker: str
    facts: CommitFacts


def with_requests(product: int, origins: Sequence[Origin]) -> list[CommitFacts]:
    """The facts of these commits with what their tracker knows of the pull request of each, where it knows one."""
    if not PullRequest.objects.filter(product=product).exists():
        return [origin.facts for origin in origins]
    by_sha = _requests_by_sha(product, origins)
    numbers = [merge_of(origin.facts).pull_request for origin in origins]
    by_number = _requests_by_number(product, origins, numbers)
    told = []
    for origin, number in zip(origins, numbers, strict=True):
        request = by_sha.get(origin.sha)
        if request is not None and parse_merge(origin.facts.subject, origin.facts.body).sums_up:
            request = None
        if request is None and origin.merged_by:
            request = by_sha.get(origin.merged_by)
            # What a trunk brought into another ("Release 1.2") is for many things, whatever the request closes.
            request = None if request and is_trunk(request.branch) else request
        if request is None:
            numbered = by_number.get((origin.tracker, number))
            request = numbered if numbered and _is_meant(origin.facts, numbered) else None
        told.append(_with_request(origin.facts, request) if request else origin.facts)
    return told


def _is_meant(facts: CommitFacts, request: PullRequest) -> bool:
    branch = merge_of(facts).branch
    if is_trunk(request.branch) or (branch and request.branch and branch != request.branch):
        return False
    if branch and branch == request.branch:
        return True
    own = parse_merge(facts.subject, facts.body)
    merge_body = facts.body if own.pull_request and own.branch else facts.merge_body
    return is_of_request("" if own.branch else facts.subject, merge_body, request.title)


def _requests_by_sha(product: int, origins: Sequence[Origin]) -> dict[str, PullRequest]:
    shas = sorted({sha for origin in origins for sha in (origin.sha, origin.merged_by) if sha})
    found: dict[str, PullRequest] = {}
    for some in chunks(shas):
        match = Q(merge_sha__in=some) | Q(squash_sha__in=some)
        for row in PullRequest.objects.filter(match, product=product):
            found |= {sha: row for sha in (row.merge_sha, row.squash_sha) if sha}
    return found


def _requests_by_number(
    product: int, origins: Sequence[Origin], numbers: Sequence[str]
) -> dict[tuple[str, str], PullRequest]:
    wanted = {(origin.tracker, key) for origin, key in zip(origins, numbers, strict=True) if origin.tracker and key}
    keys = sorted({key for _, key in wanted})
    rows = (row for some in chunks(keys) for row in PullRequest.objects.filter(product=product, key__in=some))
    return {(row.tracker, row.key): row for row in rows if (row.tracker, row.key) in wanted}


def _with_request(facts: CommitFacts, request: PullRequest) -> CommitFacts:
    return replace(
        facts,
        pull_number=request.key,
        pull_closes=tuple(TicketRef(one["key"], one["tracker"]) for one in request.closes),
        pull_whys=tuple((key, value) for key, value in request.whys),
        pull_branch="" if is_trunk(request.branch) else request.branch,
    )


def list_tracker_readings(product: Product) -> QuerySet[TrackerReading]:
    return TrackerReading.objects.filter(product=product)


def chunks(values: Sequence[Item], size: int = 500) -> Iterator[Sequence[Item]]:
    """SQLite takes some thousand values in one IN."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def ticket_named(product: Product, ref: TicketRef, *, tracker: str = "") -> Ticket:
    """The ticket that somebody typed; says what to do where there is none, or more than one."""
    ticket = find_ticket(product, ref, tracker=tracker or only_tracker(product))
    if ticket is not None:
        return ticket
    trackers = Ticket.objects.filter(product=product, key=ref.key).exclude(tracker="").values_list("tracker", flat=True)
    if len(trackers) > 1 and not ref.tracker:
        names = ", ".join(f"{name.removeprefix('github.com/')}{ref.key}" for name in trackers[:5])
        raise Invalid(f"Several trackers have {ref.key}. Say which: {names}, or the ticket's address.")
    raise NotFound(f'No ticket {ref.key} was seen yet. Begin with it: whytree start "{ref.url or ref.key}"')


def find_ticket(product: Product, ref: TicketRef, *, tracker: str = "") -> Ticket | None:
    """The ticket meant by `ref`, said where numbers are those of `tracker`.

    A bare number without a tracker is only understood while no two trackers have it: a guess would be wrong.
    """
    tickets = Ticket.objects.filter(product=product, key=ref.key)
    wanted = ref.tracker or (tracker if ref.key[0] in "#!" else "")
    exact = tickets.filter(tracker=wanted).first()
    if exact is not None or ref.tracker:
        return exact
    others = list(tickets[:2]) if not wanted else list(tickets.filter(tracker=""))
    return others[0] if len(others) == 1 else None


@dataclass(frozen=True)
class FileRef:
    """`app/form.py`, or `sprout:app/form.py` where several repositories have that path."""

    path: str
    repository: str = ""


def find_file(product: Product, ref: FileRef) -> FileBlame:
    """Who wrote which lines of a file, as last read from a clone."""
    files = FileBlame.objects.filter(repository__product=product, path=ref.path).select_related("repository")
    found = list(files.filter(repository__name=ref.repository) if ref.repository else files)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{file.repository.name}:{ref.path}" for file in found)
        raise Invalid(f"Several repositories have {ref.path}. Say which: {names}")
    if not Repository.objects.filter(product=product).exists():
        raise NotFound(f"No repository is known in {product.name}. {ADD_FIRST}")
    near = _near(product, ref.path)
    meant = (
        f"Did you mean {' or '.join(near)}?"
        if near
        else "Check the path, or read its clone in: whytree repository sync"
    )
    raise NotFound(f"No file {ref.path} is known here. {meant}")


def _near(product: Product, path: str) -> list[str]:
    """Files that may have been meant: of the same name elsewhere, else of a name that is nearly the same."""
    paths = FileBlame.objects.filter(repository__product=product).order_by("path").values_list("path", flat=True)
    by_name: dict[str, list[str]] = {}
    for one in paths.iterator():
        by_name.setdefault(PurePosixPath(one).name, []).append(one)
    name = PurePosixPath(path).name
    names = [name] if name in by_name else get_close_matches(name, by_name, n=MOST_NEAR)
    found = {one for name in names for one in by_name[name]}
    return sorted(found, key=lambda one: (-SequenceMatcher(a=one, b=path).ratio(), one))[:MOST_NEAR]


def line_count(file: FileBlame) -> int:
    return max((end for _, end, _ in file.spans), default=0)

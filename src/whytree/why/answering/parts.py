"""What the lines of a file, a folder or a range are for, by share: the solutions behind them, and what nobody explained."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from django.db.models import TextField
from django.db.models.functions import Cast

from whytree.code.models import Commit, FileBlame, Repository
from whytree.engines.links.rules import Finding, Link
from whytree.errors import Invalid, NotFound
from whytree.tree.models import Solution
from whytree.tree.queries import find_node
from whytree.workspace.models import Product

from ..answer import ONLY_A_REQUEST, ONLY_A_TICKET, Part
from ..first.heard import came_unread, keyed_commits, ways_of
from ..refs import LineRef
from .hops import url_of
from .linking import findings_of, may_be_linked

MOST_PARTS = 12
_FILES_AT_ONCE = 500


def main_ref(refs: Iterable[str]) -> str:
    """Of several nodes a commit names, the one an answer is about: a solution before a problem before an outcome."""
    order = {"SOL": 0, "OPP": 1, "OUT": 2}
    return min(refs, key=lambda ref: order.get(ref.partition("-")[0], 3))


def parts_of(
    product: Product,
    lines: Mapping[str, int],
    findings: Mapping[str, Finding],
    ticketed: Collection[str] = (),
    requested: Collection[str] = (),
) -> tuple[Part, ...]:
    """Lines by commit, and what each commit is for, as shares: the largest first, the unexplained last.

    `ticketed` are commits known to name a ticket that leads no further, `requested` those of unread pull requests.
    """
    total = sum(lines.values())
    behind: Counter[str] = Counter()
    ways: dict[str, Counter[str]] = {}
    for sha, count in lines.items():
        found = findings[sha].link if sha in findings else None
        ref = main_ref(found.refs) if found else ""
        behind[ref] += count
        ways.setdefault(ref, Counter())[_way(found)] += count
    named = [(ref, count) for ref, count in behind.most_common() if ref]
    parts = [_part(product, ref, count, total, ways[ref]) for ref, count in named[:MOST_PARTS]]
    if rest := sum(count for _, count in named[MOST_PARTS:]):
        parts.append(Part("…", f"{len(named) - MOST_PARTS:,} more", "", rest, rest / total, ""))
    open_ends = {sha: count for sha, count in lines.items() if not _leads(findings, sha)}
    named_only = sum(count for sha, count in open_ends.items() if sha in ticketed)
    if named_only:
        parts.append(Part("", ONLY_A_TICKET, "", named_only, named_only / total, ""))
    came_only = sum(count for sha, count in open_ends.items() if sha in requested and sha not in ticketed)
    if came_only:
        parts.append(Part("", ONLY_A_REQUEST, "", came_only, came_only / total, ""))
    if silent := behind[""] - named_only - came_only:
        parts.append(Part("", "nobody has said why", "", silent, silent / total, ""))
    return tuple(parts)


def _leads(findings: Mapping[str, Finding], sha: str) -> bool:
    return sha in findings and findings[sha].link is not None


def _way(found: Link | None) -> str:
    return found.how if found else ""


def _part(product: Product, ref: str, lines: int, total: int, ways: Counter[str]) -> Part:
    node = find_node(product, ref)
    state = node.standing if isinstance(node, Solution) else ""
    return Part(ref, node.title, state, lines, lines / total, ways.most_common(1)[0][0], url_of(node))


# Folders ----------------------------------------------------------------------------------------------


def is_folder(product: Product, ref: LineRef) -> bool:
    """Whether a path that was written like a file's is a folder's."""
    if ref.first or ref.symbol:
        return False
    below = FileBlame.objects.filter(repository__product=product, path__startswith=f"{ref.path}/")
    return (below.filter(repository__name=ref.repository) if ref.repository else below).exists()


def repository_with(product: Product, path: str, name: str) -> Repository:
    """The repository that has files below a folder; `Invalid` when several do and none was named."""
    inside = FileBlame.objects.filter(repository__product=product)
    if path:
        inside = inside.filter(path__startswith=f"{path}/")
    if name:
        inside = inside.filter(repository__name=name)
    repositories = list(Repository.objects.filter(pk__in=inside.values("repository"))[:6])
    shown = f"{path}/" if path else "./"
    if len(repositories) > 1:
        names = ", ".join(f"{one.name}:{shown}" for one in repositories)
        raise Invalid(f"Several repositories have {shown} Say which: {names}")
    if not repositories:
        where = f" in {name}" if name else ""
        raise NotFound(
            f"No lines of {shown}{where} are known here. Read the clone in: whytree repository add PATH (or sync)"
        )
    return repositories[0]


def folder_lines(repository: Repository, path: str) -> tuple[dict[str, int], int]:
    """Lines by commit below a folder, as last read in; and in how many files."""
    files = repository.files.all()
    if not path:
        rows = repository.commits.filter(lines__gt=0).values_list("sha", "lines")
        return dict(rows), files.count()
    lines: Counter[str] = Counter()
    count = 0
    found = files.filter(path__startswith=f"{path}/").values_list("spans", flat=True)
    for spans in found.iterator(_FILES_AT_ONCE):
        count += 1
        for first, last, sha in spans:
            lines[sha] += last - first + 1
    return dict(lines), count


def folder_findings(repository: Repository, lines: Mapping[str, int]) -> dict[str, Finding]:
    """The rules' answer for those of a folder's commits that any key of theirs could link."""
    maybe = repository.commits.filter(may_be_linked(repository.product)).distinct().select_related("repository")
    commits = [commit for commit in maybe if commit.sha in lines]
    found = findings_of(repository.product, commits)
    return {commit.sha: found[commit.pk] for commit in commits}


def ticketed_commits(repository: Repository, lines: Mapping[str, int]) -> set[str]:
    """Those of a folder's commits that name a ticket we know of, whether or not its words are known."""
    commits = [commit for commit in keyed_commits(repository) if commit.sha in lines]
    return {way.commit.sha for way in ways_of(repository.product, commits) if way.end in ("voice", "ticket")}


def requested_commits(repository: Repository, lines: Mapping[str, int]) -> set[str]:
    """Those of a folder's commits that came with a pull request whose words were never read."""
    return set(lines).intersection(came_unread(repository).values_list("sha", flat=True))


def touching(product: Product, path: str, name: str, limit: int) -> list[Commit]:
    """Commits that touched a file which is not among those last read in, newest first."""
    commits = Commit.objects.filter(repository__product=product)
    if name:
        commits = commits.filter(repository__name=name)
    written = json.dumps(path)
    named = commits.annotate(paths=Cast("files", TextField())).filter(paths__contains=written)
    found = named.select_related("repository").iterator(_FILES_AT_ONCE)
    return list(islice((commit for commit in found if path in commit.files), limit))

"""Work that its own makers announced: by a commit's first line, or in a changelog. For histories without requests.

Titles are those words. A changelog's entry is a commit's only where that commit wrote the entry, wrote no other, and
its first line speaks of the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from whytree.code.models import Commit, FileBlame, Repository
from whytree.engines.git.log import is_bot, is_release, is_revert
from whytree.engines.texts.chores import is_chore
from whytree.engines.texts.headlines import brings, headline, share_a_word
from whytree.tree.models import Draft
from whytree.tree.services import commit_key

CHANGELOG = "changelog"
# Of work in so many files nobody can tell what was new: a first import, a copy of others' code.
MOST_FILES = 150
# What a first line says by a mere verb has to be of some size to be worth a node.
FEWEST_LINES_BY_VERB = 30


@dataclass(frozen=True)
class Announced:
    """A commit with the words that announce it, and the rule that found them."""

    commit: int
    sha: str
    title: str
    rule: str
    lines: int
    where: str = ""


@dataclass(frozen=True)
class Entry:
    """What a changelog says is new: where, its words, and the tickets or requests it names."""

    path: str
    line: int
    title: str
    refs: Sequence[str] = ()

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


class Changelog:
    """What a repository's changelogs say is new, as they stood when it was read.

    Without `entries` another repository of the product was read: what was drafted of this one's before still holds.
    """

    def __init__(self, repository: Repository, entries: Sequence[Entry] | None) -> None:
        self._kept = _drafted(repository) if entries is None else {}
        entries = entries or ()
        self._by_sha: dict[str, list[Entry]] = defaultdict(list)
        by_ref: dict[str, list[str]] = defaultdict(list)
        paths = {entry.path for entry in entries}
        files = dict(FileBlame.objects.filter(repository=repository, path__in=paths).values_list("path", "spans"))
        writers = {path: _writers(spans) for path, spans in files.items()}
        for entry in entries:
            if sha := writers.get(entry.path, {}).get(entry.line):
                self._by_sha[sha].append(entry)
            if len(entry.refs) == 1:
                by_ref[entry.refs[0]].append(entry.title)
        self.titles = {ref: titles[0] for ref, titles in by_ref.items() if len(titles) == 1}

    def entry_of(self, sha: str, subject: str) -> tuple[str, str]:
        """The one entry that a commit wrote about what it did, and where it stands; "" where there is none."""
        if sha in self._kept:
            return self._kept[sha]
        entries = self._by_sha.get(sha, [])
        if len(entries) != 1 or not share_a_word(entries[0].title, subject):
            return "", ""
        return entries[0].title, entries[0].where


def _drafted(repository: Repository) -> dict[str, tuple[str, str]]:
    key = commit_key(repository.pk, "")
    rows = Draft.objects.filter(product=repository.product_id, rule=CHANGELOG, key__startswith=key)
    return {row.key.removeprefix(key): (row.title, row.because.rpartition("; ")[2]) for row in rows}


def _writers(spans: list[tuple[int, int, str]]) -> dict[int, str]:
    return {line: sha for start, end, sha in spans for line in range(start, end + 1)}


def announced(repository: Repository, changelog: Changelog, taken: Collection[int], fewest: int) -> Iterator[Announced]:
    """Commits that lead nowhere else (`taken` do) and say themselves what they brought, one for each title."""
    rows = Commit.objects.filter(repository=repository, lines__gte=fewest, is_maintenance=False, pr_number="")
    known: set[str] = set()
    for row in rows.order_by("-lines", "pk").values_list(
        "pk", "sha", "subject", "lines", "author_name", "parents", "files"
    ):
        pk, sha, subject, lines, author, parents, files = row
        if pk in taken or len(parents) != 1 or len(files) > MOST_FILES:
            continue
        if is_bot(author) or is_revert(subject, "") or is_release(subject):
            continue
        title, where = changelog.entry_of(sha, subject)
        rule = CHANGELOG
        if not title:
            said = brings(subject)
            if not said or (said == "verb" and lines < FEWEST_LINES_BY_VERB):
                continue
            title, rule = headline(subject), "feature commit" if said == "feat" else "commit that adds"
        if is_chore(subject) or title.casefold() in known:
            continue
        known.add(title.casefold())
        yield Announced(pk, sha, title, rule, lines, where)

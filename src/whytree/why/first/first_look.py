"""What a first reading has to say: one sentence, how it comes about, and one line whose answer is worth seeing."""

import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from whytree.code.models import Commit, FileBlame, Repository, Ticket
from whytree.engines.links.rules import score
from whytree.engines.texts.chores import is_product
from whytree.errors import NotFound
from whytree.workspace.models import Product

from .heard import Heard, Way, heard, keyed_commits, once_a_change, ways_of

# Ends of names of files whose lines are worth a first look: code that somebody wrote for somebody.
_SUFFIXES = """
    .py .js .jsx .ts .tsx .go .rb .java .kt .rs .cs .php .swift .c .cc .cpp .h .hpp .m .scala .ex .exs .dart .vue
    .svelte .html .css .scss .sql .sh
"""
_CODE = tuple(_SUFFIXES.split())
_LESS = ("test", "doc", "vendor", "node_modules", "migrations", "changelog", "dist/", "static/", "example", ".config.")
_TRIED = 60
# Words of this length are read at a glance and still say something.
_READABLE = range(40, 400)


@dataclass(frozen=True)
class Example:
    """A line with a good answer: the span that its commit wrote in this file."""

    path: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}:{self.first}"


@dataclass(frozen=True)
class FirstLook:
    """Everything the end of `init` and a fresh Today say."""

    heard: Heard
    sentence: str
    how: str
    tickets: int = 0
    tickets_with_words: int = 0
    flags: int = 0
    releases: int = 0
    decisions: int = 0
    example: Example | None = None
    left_out: tuple[str, ...] = field(default=())


def find_repository(product: Product, name: str = "") -> Repository:
    """The one called so; without a name the one read last."""
    rows = Repository.objects.filter(product=product).select_related("product")
    found = rows.filter(name=name).first() if name else rows.order_by("-synced_at", "-pk").first()
    if found is None:
        raise NotFound("No clone was read here yet. Go into yours: whytree init")
    return found


def first_look(repository: Repository) -> FirstLook:
    """Looked for once after each change of the product."""
    return once_a_change("first-look", repository, _look)


def _look(repository: Repository) -> FirstLook:
    counted = heard(repository)
    tickets = Ticket.objects.filter(product=repository.product_id)
    survey = repository.survey
    return FirstLook(
        heard=counted,
        sentence=sentence(counted, survey.get("tree", "")),
        how=how(counted, survey.get("tree", "")),
        tickets=tickets.count(),
        tickets_with_words=tickets.exclude(title="").count(),
        flags=len(survey.get("flags", [])),
        releases=survey.get("releases", 0),
        decisions=len(survey.get("decisions", [])),
        example=example(repository),
        left_out=tuple(repository.left_out),
    )


def percent(part: int, whole: int) -> str:
    """ "61 %"; "under 1 %", and never 100 while that is not quite so."""
    if not whole:
        return "0 %"
    exact = 100 * part / whole
    if 0 < exact < 1:
        return "under 1 %"
    return f"{min(round(exact), 99 if part < whole else 100)} %"


def many(count: int, word: str) -> str:
    """ "1 flag", "1,200 flags"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def sentence(counted: Heard, tree: str = "") -> str:
    """ "61 % of this code can already say whom it was for." `tree` is a file of the clone that a tree can be read from."""
    if not counted.commits:
        return "This repository has no history to read yet."
    told, whole, what = _figures(counted)
    if told:
        return (
            f"{percent(told, whole)} of {what} can already say whom {'it was' if counted.lines else 'they were'} for."
        )
    named, requested = _waiting(counted)
    unknown = counted.unknown_lines if counted.lines else counted.unknown_commits
    if unknown > named:
        return (
            f"{percent(unknown, whole)} of {what} states a reason that is not in this tree. Bring it: {_bringing(tree)}"
        )
    if requested > named:
        return (
            f"{percent(requested, whole)} of {what} came with pull requests that nobody has read yet. Ask the tracker what "
            "they were for: whytree init --sync"
        )
    if named:
        return f"{percent(named, whole)} of {what} can name the ticket behind it. Bring the tickets’ words, and it says whom it was for."
    return f"None of {what} says whom it was for: its commits name no tickets."


def _waiting(counted: Heard) -> tuple[int, int]:
    """What names a ticket, and what came with a request, neither of which anybody has read."""
    if counted.lines:
        return counted.named_lines, counted.requested_lines
    return counted.named_commits, counted.requested_commits


def _figures(counted: Heard) -> tuple[int, int, str]:
    if counted.lines:
        return counted.told_lines, counted.lines, "this code"
    return counted.told_commits, counted.commits, "these commits"


def _bringing(tree: str) -> str:
    return f"whytree import tree {shlex.quote(tree or 'FILE')}"


def how(counted: Heard, tree: str = "") -> str:
    """Which rules explain how much, and what is left."""
    told, whole, _ = _figures(counted)
    unit = "lines" if counted.lines else "commits"
    rules = [f"{percent(lines, whole)} by {rule}" for rule, lines in counted.by_rule.items()] if counted.lines else []
    named, requested = _waiting(counted)
    parts = [f"Of {whole:,} {unit}, {told:,} lead to somebody’s words or a stated reason"]
    parts[0] += f" ({', '.join(rules)})" if rules else ""
    if named:
        parts.append(f"{named:,} name a ticket whose words are not known here")
    if requested:
        parts.append(f"{requested:,} came with a pull request that was not read")
    if counted.maintenance_lines:
        parts.append(f"{counted.maintenance_lines:,} are maintenance by their own word")
    if counted.unknown_lines:
        bring = f" (bring it: {_bringing(tree)})" if told else ""
        parts.append(f"{counted.unknown_lines:,} state a reason that is not in this tree{bring}")
    known = counted.maintenance_lines + counted.unknown_lines if counted.lines else 0
    parts.append(f"{max(whole - told - named - requested - known, 0):,} say nothing")
    return ", ".join(parts) + "."


def lead(look: FirstLook, seconds: float, waiting: int) -> str:
    """What was read, and what a person can add, below the sentence on Today."""
    counts = [many(look.heard.commits, "commit"), f"{many(look.tickets_with_words, 'ticket')} with their words"]
    counts += [many(look.flags, "flag")] if look.flags else []
    took = f" in {seconds:.0f} s" if seconds >= 1 else ""
    ask = " Every link below was inferred; confirm some and the rest gets better." if waiting else ""
    return f"Read from your clone{took}: {', '.join(counts)}.{ask}"


# An example -------------------------------------------------------------------------------------------


def example(repository: Repository) -> Example | None:
    """A line of code whose way is short and whose voice is worth reading; None when no line leads anywhere."""
    commits = [commit for commit in keyed_commits(repository, _TRIED * 10) if commit.lines]
    ways = [way for way in ways_of(repository.product, commits) if way.end]
    ways.sort(key=_worth, reverse=True)
    files = dict(Commit.objects.filter(pk__in=[way.commit.pk for way in ways[:_TRIED]]).values_list("pk", "files"))
    today = _by_name(repository)
    second_best: Example | None = None
    for way in ways[:_TRIED]:
        names = {PurePosixPath(path).name for path in files[way.commit.pk]}
        there = [path for name in sorted(names) for path in today[name]]
        paths = sorted(there, key=lambda path: (_is_less(path), path not in files[way.commit.pk]))[:20]
        rows = {row.path: row for row in FileBlame.objects.filter(repository=repository, path__in=paths)}
        for path in paths:
            span = _largest(rows[path], way.commit.sha) if path in rows else None
            if span and not _is_less(path):
                return Example(path, *span)
            if span and second_best is None:
                second_best = Example(path, *span)
    return second_best


def _by_name(repository: Repository) -> dict[str, list[str]]:
    """Today's paths by the file's own name: a commit knows them as they were, and folders are moved."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in FileBlame.objects.filter(repository=repository).order_by("path").values_list("path", flat=True):
        found[PurePosixPath(path).name].append(path)
    return found


def _worth(way: Way) -> tuple[int, bool, float, int]:
    words = len(way.ticket.title) + 30 if way.ticket else 0
    ends = {"node": 3, "voice": 2, "ticket": 1}
    return ends.get(way.end, 0), words in _READABLE, score(way.rule) or 1.0, min(way.commit.lines, 60)


def is_written(path: str) -> bool:
    """Whether a file is code, and not data, prose or pictures."""
    return path.lower().endswith(_CODE)


def _is_less(path: str) -> bool:
    lower = path.lower()
    return not is_written(path) or not is_product(path) or any(word in lower for word in _LESS)


def _largest(file: FileBlame, sha: str) -> tuple[int, int] | None:
    spans = [(end - start, start, end) for start, end, commit in file.spans if commit == sha]
    return max(spans)[1:] if spans else None

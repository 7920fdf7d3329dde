"""Outcome coverage: for every line that is still there the best thing that stands behind it, by folder and over time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from whytree.code.models import Commit, Repository
from whytree.errors import NotFound
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..answering.linking import KEEP_COVERAGE, KEPT_SECONDS, last_act
from ..models import CoveragePoint
from .rungs import NOTHING, RUNGS, WORDS, Doubt, Rung, standings

RECENT_DAYS, YEAR_DAYS = 90, 365
# Files that change much and are nested deeply are where trouble gathers; so many of a hundred are pointed out.
HOT_PERCENT = 10
FEW = 5


@dataclass(frozen=True)
class FileCover:
    """One file: its lines by rung (in the order of RUNGS) and by doubt, how often it changed, how nested it is."""

    path: str
    by_rung: tuple[int, ...]
    refuted: int
    unmeasured: int
    recent_changes: int
    changes: int
    nesting: int

    @property
    def lines(self) -> int:
        return sum(self.by_rung)


@dataclass(frozen=True)
class Area:
    """A folder or a file, summed up. `heat` is changes in a year times nesting; `is_hot`: among the hottest here."""

    name: str
    path: str
    is_file: bool
    files: int
    lines: int
    by_rung: dict[str, int]
    explained: int
    refuted: int
    unmeasured: int
    recent_changes: int
    changes: int
    depth: float
    heat: int
    is_hot: bool = False

    @property
    def percent(self) -> float:
        return 100 * self.explained / self.lines if self.lines else 0.0


@dataclass(frozen=True)
class Month:
    """Today's lines by the month in which they were written."""

    month: str
    by_rung: dict[str, int]


@dataclass(frozen=True)
class Point:
    """The share as it was after a reading."""

    at: datetime
    head: str
    lines: int
    by_rung: dict[str, int]
    explained: int
    refuted: int
    unmeasured: int


@dataclass(frozen=True)
class Coverage:
    """The answer for a folder, a file or a whole repository (`path` is ""). `areas` are what is directly in it."""

    repository: str
    path: str
    head: str
    synced_at: datetime | None
    sentences: tuple[str, ...]
    total: Area
    areas: tuple[Area, ...]
    months: tuple[Month, ...] = ()
    points: tuple[Point, ...] = ()
    left_out: tuple[str, ...] = field(default=())


def coverage(product: Product, repository_name: str = "", path: str = "") -> Coverage:
    """What the last reading found. `NotFound` for a repository or a path that was not read."""
    repository = _repository(product, repository_name)
    files, months = _read(repository)
    path = path.strip().removeprefix("./").strip("/")
    path = "" if path == "." else path
    inside = [file for file in files if not path or file.path == path or file.path.startswith(f"{path}/")]
    if path and not inside:
        raise NotFound(
            f"No lines of {path[:200]} are known in {repository.name}. Is it committed? Then: whytree repository sync"
        )
    total = _area(
        path.rpartition("/")[2] or repository.name, path, inside, is_file=[one.path for one in inside] == [path]
    )
    return Coverage(
        repository=repository.name,
        path=path,
        head=repository.head,
        synced_at=repository.synced_at,
        sentences=_sentences(total, repository),
        total=total,
        areas=_areas(path, inside),
        months=months if not path else (),
        points=_points(repository) if not path else (),
        left_out=tuple(repository.left_out),
    )


def keep_coverage(actor: Actor, repository: Repository) -> Point:
    """Write down the shares as they are after a reading. The same shares at the same commit are not written twice."""
    require(actor, repository.product, Role.MEMBER)
    total = coverage(repository.product, repository.name).total
    with transaction.atomic():
        last = CoveragePoint.objects.filter(repository=repository).first()
        facts = {
            "head": repository.head,
            "lines": total.lines,
            "by_rung": total.by_rung,
            "refuted": total.refuted,
            "unmeasured": total.unmeasured,
        }
        if last is None or any(getattr(last, name) != value for name, value in facts.items()):
            last = CoveragePoint.objects.create(repository=repository, **facts)
            record(actor, repository.product, KEEP_COVERAGE, repository, after=facts, undoable=False)
    return _point(last)


def _repository(product: Product, name: str) -> Repository:
    repositories = Repository.objects.filter(product=product)
    found = repositories.filter(name=name).first() if name else repositories.order_by("-synced_at").first()
    if found is not None:
        return found
    if name:
        raise NotFound(f"No repository is called {name[:100]} in {product.name}. See: whytree repository list")
    raise NotFound(f"No repository is known in {product.name}. Register the clone first: whytree repository add .")


# Reading ----------------------------------------------------------------------------------------------


def _read(repository: Repository) -> tuple[list[FileCover], tuple[Month, ...]]:
    key = f"coverage:{repository.pk}:{last_act(repository.product)}:{timezone.now():%Y-%m-%d}"
    known: tuple[list[FileCover], tuple[Month, ...]] | None = cache.get(key)
    if known is None:
        known = _count(repository)
        cache.set(key, known, KEPT_SECONDS)
    return known


def _count(repository: Repository) -> tuple[list[FileCover], tuple[Month, ...]]:
    # With "repository": without it, Django asks for it again for each commit.
    commits = list(repository.commits.filter(lines__gt=0).only("repository", "sha", "lines", "tickets", "authored_at"))
    found = standings(repository, commits)
    by_sha = {commit.sha: found[commit.pk] for commit in commits}
    recent, yearly = _changes(repository)
    places = {rung: at for at, rung in enumerate(RUNGS)}
    files = []
    for path, spans, nesting in repository.files.values_list("path", "spans", "nesting").iterator(2000):
        by_rung, doubts = [0] * len(RUNGS), Counter[Doubt]()
        for start, end, sha in spans:
            standing = by_sha.get(sha, NOTHING)
            by_rung[places[standing.rung]] += end - start + 1
            doubts[standing.doubt] += end - start + 1
        files.append(
            FileCover(
                path,
                tuple(by_rung),
                doubts[Doubt.REFUTED],
                doubts[Doubt.UNMEASURED],
                recent[path],
                yearly[path],
                nesting,
            )
        )
    return files, _months(commits, [found[commit.pk].rung for commit in commits])


def _changes(repository: Repository) -> tuple[Counter[str], Counter[str]]:
    """How often each file changed in the last months, and in a year."""
    now = timezone.now()
    recent, yearly = Counter[str](), Counter[str]()
    rows = repository.commits.filter(authored_at__gte=now - timedelta(days=YEAR_DAYS))
    for paths, at in rows.values_list("files", "authored_at").iterator(2000):
        yearly.update(paths)
        if at >= now - timedelta(days=RECENT_DAYS):
            recent.update(paths)
    return recent, yearly


def _months(commits: Sequence[Commit], rungs: Sequence[Rung]) -> tuple[Month, ...]:
    counts: dict[str, Counter[str]] = {}
    for commit, rung in zip(commits, rungs, strict=True):
        counts.setdefault(f"{commit.authored_at:%Y-%m}", Counter())[rung.value] += commit.lines
    return tuple(
        Month(month, {rung.value: count[rung.value] for rung in RUNGS}) for month, count in sorted(counts.items())
    )


def _points(repository: Repository, most: int = 200) -> tuple[Point, ...]:
    rows = CoveragePoint.objects.filter(repository=repository)[:most]
    return tuple(_point(row) for row in reversed(rows))


def _point(row: CoveragePoint) -> Point:
    explained = row.lines - int(row.by_rung.get(Rung.UNEXPLAINED, 0))
    return Point(row.at, row.head, row.lines, row.by_rung, explained, row.refuted, row.unmeasured)


# Summing up -------------------------------------------------------------------------------------------


def _areas(path: str, files: Iterable[FileCover]) -> tuple[Area, ...]:
    """What is directly in a folder, the largest first."""
    skip = len(path) + 1 if path else 0
    below = sorted((file for file in files if file.path != path), key=lambda file: _first(file.path, skip))
    areas = []
    for name, group in groupby(below, key=lambda file: _first(file.path, skip)):
        own = list(group)
        full = f"{path}/{name}" if path else name
        areas.append(_area(name, full, own, is_file=own[0].path == full))
    areas.sort(key=lambda area: (-area.lines, area.name))
    hottest = sorted((area.heat for area in areas if area.recent_changes), reverse=True)
    # Among a handful, the one that is worked on is no news.
    least = hottest[: max(1, len(areas) * HOT_PERCENT // 100)][-1] if len(hottest) >= FEW else 0
    return tuple(area if not least or area.heat < least or not area.recent_changes else _hot(area) for area in areas)


def _hot(area: Area) -> Area:
    return Area(**{**vars(area), "is_hot": True})


def _first(path: str, skip: int) -> str:
    return path[skip:].partition("/")[0]


def _area(name: str, path: str, files: Sequence[FileCover], *, is_file: bool) -> Area:
    by_rung = {rung.value: sum(file.by_rung[at] for file in files) for at, rung in enumerate(RUNGS)}
    lines = sum(by_rung.values())
    return Area(
        name=name,
        path=path,
        is_file=is_file,
        files=len(files),
        lines=lines,
        by_rung=by_rung,
        explained=lines - by_rung[Rung.UNEXPLAINED],
        refuted=sum(file.refuted for file in files),
        unmeasured=sum(file.unmeasured for file in files),
        recent_changes=sum(file.recent_changes for file in files),
        changes=sum(file.changes for file in files),
        depth=sum(file.nesting for file in files) / lines if lines else 0.0,
        heat=sum(file.changes * file.nesting for file in files),
    )


# Words ------------------------------------------------------------------------------------------------


def _sentences(total: Area, repository: Repository) -> tuple[str, ...]:
    """What share is explained and how; what share is carried in doubt."""
    if not total.lines:
        return (f"No lines of {repository.name} are known yet. Read them in: whytree repository sync",)
    where = f" in {total.path}" if total.path else ""
    parts = [
        f"{share(total.by_rung[rung], total.lines)} by {WORDS[rung]}" for rung in RUNGS[:-1] if total.by_rung[rung]
    ]
    how = f": {', '.join(parts)}" if parts else ""
    first = f"{share(total.explained, total.lines)} of the {total.lines:,} lines{where} are explained{how}."
    if total.explained and total.explained == total.by_rung[Rung.TICKET]:
        named = share(total.explained, total.lines)
        first = (
            f"{named} of the {total.lines:,} lines{where} name a ticket or state a bare reason. None lead to users’ words, "
            "to a test or to a measured outcome."
        )
    doubts = [
        f"{share(lines, total.lines)} {words}"
        for lines, words in (
            (total.refuted, "for hypotheses that were refuted"),
            (total.unmeasured, "for hypotheses that nobody has measured"),
        )
        if lines
    ]
    if not doubts:
        return first, "None are carried for a hypothesis that was refuted or never measured."
    return first, f"Carried in doubt: {' and '.join(doubts)}."


def share(part: int, whole: int) -> str:
    """In percent, so that little is not nothing and almost is not all."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 1:
        return "under 1 %"
    if 99 < percent < 100:
        return "over 99 %"
    return f"{percent:.0f} %"

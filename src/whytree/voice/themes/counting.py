"""What is counted of each theme. Kept in the process's cache until a voice or a person changes something: counting 200,000
voices takes a second or two, and a page is asked for often."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db.models import Avg, Count, Max, Q, QuerySet
from django.utils import timezone

from whytree.workspace.models import Activity, Product

from .models import Theme, ThemeMembership, ThemeRun

WEEKS = 12
SOURCES = 6
KEPT_SECONDS = 3_600


@dataclass(frozen=True)
class Facts:
    """One theme in numbers. `weeks` are the last twelve up to `until`, the newest last."""

    size: int = 0
    weeks: tuple[int, ...] = ()
    until: date | None = None
    sources: tuple[tuple[str, int], ...] = ()
    stars: float | None = None
    rated: int = 0
    people: int = 0

    @property
    def recent(self) -> int:
        """Voices of the last four weeks."""
        return sum(self.weeks[-4:])

    @property
    def earlier(self) -> int:
        """Voices of the four weeks before."""
        return sum(self.weeks[-8:-4])


def root_of(themes: Iterable[Theme]) -> dict[int, int]:
    """Theme -> the theme it counts for: itself, or the one it was joined to."""
    joined = {theme.pk: theme.joined_to_id for theme in themes}
    roots: dict[int, int] = {}
    for pk in joined:
        at, seen = pk, {pk}
        while (above := joined.get(at)) is not None and above not in seen:
            seen.add(above)
            at = above
        roots[pk] = at
    return roots


def members(product: Product) -> QuerySet[ThemeMembership]:
    return ThemeMembership.objects.filter(item__product=product).order_by()


def members_of(theme: Theme) -> QuerySet[ThemeMembership]:
    """The voices of a theme, of those joined to it too, the most typical first."""
    roots = root_of(Theme.objects.filter(product=theme.product))
    pks = [pk for pk, root in roots.items() if root == theme.pk]
    inside = Q(moved_to__in=pks) | Q(moved_to=None, theme__in=pks)
    return ThemeMembership.objects.filter(inside).order_by("-near", "pk")


def facts_of(product: Product) -> dict[int, Facts]:
    """Theme -> what is counted of it; a theme that counts for another has none of its own."""
    acts = Activity.objects.filter(product=product, subject_type=Theme._meta.label).aggregate(last=Max("pk"))["last"]
    runs = ThemeRun.objects.filter(product=product, state=ThemeRun.State.DONE).aggregate(last=Max("pk"))["last"]
    there = members(product).aggregate(n=Count("pk"), last=Max("pk"))
    key = f"voice.themes.facts:{product.pk}:{acts}:{runs}:{there['n']}:{there['last']}:{timezone.now():%Y%m%d%H}"
    found: dict[int, Facts] | None = cache.get(key)
    if found is None:
        found = _counted(product, root_of(Theme.objects.filter(product=product)))
        cache.set(key, found, timeout=KEPT_SECONDS)
    return found


def _counted(product: Product, roots: dict[int, int]) -> dict[int, Facts]:
    rows = members(product)
    until = min(rows.aggregate(last=Max("item__said_at"))["last"] or timezone.now(), timezone.now())
    sizes: Counter[int] = Counter()
    stars: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    rated = rows.values("theme", "moved_to").annotate(
        n=Count("pk"), rated=Count("item__rating"), mean=Avg("item__rating")
    )
    for theme, moved_to, n, with_stars, mean in rated.values_list("theme", "moved_to", "n", "rated", "mean"):
        root = _root(theme, moved_to, roots)
        sizes[root] += n
        stars[root][0] += (mean or 0.0) * with_stars
        stars[root][1] += with_stars
    sources: dict[int, Counter[str]] = defaultdict(Counter)
    named = rows.values("theme", "moved_to", "item__source_name", "item__source_type").annotate(n=Count("pk"))
    for theme, moved_to, name, kind, n in named.values_list(
        "theme", "moved_to", "item__source_name", "item__source_type", "n"
    ):
        sources[_root(theme, moved_to, roots)][name or kind] += n
    people: dict[int, set[str]] = defaultdict(set)
    known = rows.exclude(item__person_key="").values_list("theme", "moved_to", "item__person_key").distinct()
    for theme, moved_to, person in known:
        people[_root(theme, moved_to, roots)].add(person)
    weeks = _weeks(rows, roots, until)
    return {
        root: Facts(
            size=size,
            weeks=tuple(weeks[root]),
            until=until.date(),
            sources=tuple(sources[root].most_common(SOURCES)),
            stars=stars[root][0] / stars[root][1] if stars[root][1] else None,
            rated=int(stars[root][1]),
            people=len(people[root]),
        )
        for root, size in sizes.items()
    }


def _weeks(rows: QuerySet[ThemeMembership], roots: dict[int, int], until: datetime) -> dict[int, list[int]]:
    counted: dict[int, list[int]] = defaultdict(lambda: [0] * WEEKS)
    since = until - timedelta(weeks=WEEKS)
    recent = rows.filter(item__said_at__gt=since, item__said_at__lte=until)
    for theme, moved_to, said_at in recent.values_list("theme", "moved_to", "item__said_at").iterator(chunk_size=2_000):
        root = _root(theme, moved_to, roots)
        counted[root][WEEKS - 1 - min((until - said_at) // timedelta(weeks=1), WEEKS - 1)] += 1
    return counted


def _root(theme: int | None, moved_to: int | None, roots: dict[int, int]) -> int:
    place = moved_to if moved_to is not None else theme or 0
    return roots.get(place, place)

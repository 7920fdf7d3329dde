"""The page of outcome coverage: a treemap that is zoomed by following its links, the table behind it, and the months."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from whytree.code.models import Repository
from whytree.engines.charts.treemap import Rectangle, squarify
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from ..queries import page_of
from .answer import Area, Coverage, Month, Point, coverage, share
from .rungs import RUNGS, WORDS

# Smaller ones together are one cell: nobody can hit a cell of a few pixels.
MOST_CELLS = 80
MOST_ROWS = 200
MOST_MONTHS = 60
_WIDE = Rectangle(0, 0, 160, 85)
SORTS = {
    "lines": "the largest first",
    "explained": "the least explained first",
    "heat": "what changes most and is nested deepest first",
    "doubt": "what is carried in doubt first",
}


@dataclass(frozen=True)
class Strip:
    """A part of a bar, in percent."""

    rung: str
    percent: str


@dataclass(frozen=True)
class Cell:
    """A rectangle of the treemap, in percent of the whole, ready for a style attribute."""

    label: str
    spoken: str
    url: str
    place: str
    strips: tuple[Strip, ...]
    share: str
    is_hot: bool


@dataclass(frozen=True)
class Row:
    """An area in the table."""

    area: Area
    url: str
    why_url: str
    share: str
    strips: tuple[Strip, ...]


@require_GET
@page(Role.VIEWER)
def coverage_page(request: PageRequest, product: Product) -> HttpResponse:
    """What the code rests on, from a measured outcome down to nothing."""
    repositories = list(Repository.objects.filter(product=product).values_list("name", flat=True))
    if not repositories:
        return render(request, "why/coverage_empty.html", {"here": "changes"})
    wanted = request.GET.get("repository", "")[:100]
    answer = coverage(product, wanted, request.GET.get("path", "")[:1000])
    sort = request.GET.get("sort", "lines")
    sort = sort if sort in SORTS else "lines"
    urls = _Urls(product, answer.repository, several=len(repositories) > 1)
    areas = _sorted(answer.areas, sort)
    context = {
        "here": "changes",
        "answer": answer,
        "repositories": [(name, urls.of_repository(name)) for name in repositories] if urls.several else [],
        "crumbs": list(urls.crumbs(answer.path)),
        "up": urls.up(answer.path),
        "legend": [(rung.value, WORDS[rung], share(answer.total.by_rung[rung], answer.total.lines)) for rung in RUNGS],
        "cells": _cells(answer.areas, urls),
        "rows": [urls.row(area) for area in areas[:MOST_ROWS]],
        "more_rows": len(areas) - MOST_ROWS,
        "sort": sort,
        "sorts": [(key, words, urls.of(answer.path, key)) for key, words in SORTS.items()],
        "why_url": urls.why(answer.path) if answer.total.is_file else "",
        "columns": _columns(answer.months),
        "points": _changed_points(answer),
    }
    return render(request, "why/coverage.html", context)


class _Urls:
    def __init__(self, product: Product, repository: str, *, several: bool) -> None:
        self._product = product
        self._repository = repository
        self._page = reverse("coverage", args=[product.slug])
        self.several = several

    def of(self, path: str, sort: str = "") -> str:
        asked = {"repository": self._repository if self.several else "", "path": path, "sort": sort}
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{self._page}?{query}" if query else self._page

    def of_repository(self, name: str) -> str:
        return f"{self._page}?{urlencode({'repository': name})}"

    def why(self, path: str) -> str:
        return page_of(self._product, f"{self._repository}:{path}" if self.several else path)

    def crumbs(self, path: str) -> Iterator[tuple[str, str]]:
        """The way down, with the address of each step; the last one is where one is."""
        yield self._repository, self.of("")
        steps = path.split("/") if path else []
        for at, name in enumerate(steps, 1):
            yield name, self.of("/".join(steps[:at]))

    def up(self, path: str) -> str:
        return self.of(path.rpartition("/")[0]) if path else ""

    def row(self, area: Area) -> Row:
        return Row(
            area,
            self.why(area.path) if area.is_file else self.of(area.path),
            self.why(area.path) if area.is_file else "",
            share(area.explained, area.lines),
            _strips(area.by_rung, area.lines),
        )


def _sorted(areas: Sequence[Area], sort: str) -> list[Area]:
    keys = {
        "lines": lambda area: -area.lines,
        "explained": lambda area: (area.percent, -area.lines),
        "heat": lambda area: (-area.heat, -area.lines),
        "doubt": lambda area: (-(area.refuted + area.unmeasured), -area.lines),
    }
    return sorted(areas, key=keys[sort])


def _strips(by_rung: Mapping[str, int], lines: int) -> tuple[Strip, ...]:
    return tuple(
        Strip(rung.value, f"{100 * by_rung[rung.value] / lines:.2f}") for rung in RUNGS if lines and by_rung[rung.value]
    )


def _cells(areas: Sequence[Area], urls: _Urls) -> list[Cell]:
    shown, rest = list(areas[:MOST_CELLS]), areas[MOST_CELLS:]
    sizes = [area.lines for area in shown] + ([sum(area.lines for area in rest)] if rest else [])
    places = squarify(sizes, _WIDE)
    cells = [_cell(area, place, urls) for area, place in zip(shown, places, strict=False)]
    if rest:
        total: dict[str, int] = {rung.value: sum(area.by_rung[rung] for area in rest) for rung in RUNGS}
        strips, label = _strips(total, sizes[-1]), f"{len(rest):,} smaller ones"
        percent = share(sum(area.explained for area in rest), sizes[-1])
        spoken = f"{label}, {sizes[-1]:,} lines, {percent} explained"
        cells.append(Cell(label, spoken, "#table", _style(places[-1]), strips, percent, is_hot=False))
    return cells


def _cell(area: Area, place: Rectangle, urls: _Urls) -> Cell:
    percent = share(area.explained, area.lines)
    name = area.name if area.is_file else f"{area.name}/"
    hot = f", hot: {area.recent_changes:,} changes in 90 days, deeply nested" if area.is_hot else ""
    spoken = f"{name}, {area.lines:,} lines, {percent} explained{hot}"
    url = urls.why(area.path) if area.is_file else urls.of(area.path)
    return Cell(name, spoken, url, _style(place), _strips(area.by_rung, area.lines), percent, area.is_hot)


def _style(place: Rectangle) -> str:
    across, down = 100 / _WIDE.width, 100 / _WIDE.height
    return (
        f"left:{place.x * across:.3f}%;top:{place.y * down:.3f}%;"
        f"width:{place.width * across:.3f}%;height:{place.height * down:.3f}%"
    )


# Over time --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """Today's lines of a month, a quarter or a year: its height in percent of the highest."""

    label: str
    lines: int
    explained: int
    share: str
    height: str
    strips: tuple[Strip, ...]


def _columns(months: Sequence[Month]) -> list[Column]:
    """Months; where there are too many of them to be seen, years."""
    cut = 7 if len(months) <= MOST_MONTHS else 4
    sums: dict[str, dict[str, int]] = {}
    for month in months:
        sums.setdefault(month.month[:cut], dict.fromkeys(RUNGS, 0))
        for rung in RUNGS:
            sums[month.month[:cut]][rung] += month.by_rung[rung]
    highest = max((sum(by_rung.values()) for by_rung in sums.values()), default=0)
    return [_column(label, by_rung, highest) for label, by_rung in sums.items()]


def _column(label: str, by_rung: Mapping[str, int], highest: int) -> Column:
    lines = sum(by_rung.values())
    explained = lines - by_rung["unexplained"]
    height = f"{100 * lines / highest:.2f}" if highest else "0"
    return Column(label, lines, explained, share(explained, lines), height, _strips(by_rung, lines))


@dataclass(frozen=True)
class ShownPoint:
    point: Point
    share: str
    strips: tuple[Strip, ...]


def _changed_points(answer: Coverage, most: int = 12) -> list[ShownPoint]:
    """The last readings that found other shares than the one before, the newest first."""
    changed: list[Point] = []
    for point in answer.points:
        if not changed or (changed[-1].by_rung, changed[-1].lines) != (point.by_rung, point.lines):
            changed.append(point)
    return [
        ShownPoint(point, share(point.explained, point.lines), _strips(point.by_rung, point.lines))
        for point in reversed(changed[-most:])
    ]

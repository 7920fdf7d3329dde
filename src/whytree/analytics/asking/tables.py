"""An answer as rows: for a spreadsheet, and for the table that stands below a picture."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from whytree.engines.figures import number, places

from ..answers import (
    Answer,
    FunnelAnswer,
    LifecycleAnswer,
    RetentionAnswer,
    SessionsAnswer,
    StickinessAnswer,
    TrendsAnswer,
)
from ..answers.sessions import Stayed
from ..answers.trends import Line, Stretch


def by_stretch(found: TrendsAnswer, zone: ZoneInfo) -> list[dict[str, Any]]:
    """A row a stretch, the newest first, with what every line has there."""
    rows = []
    for at in range(len(found.lines[0].stretches) - 1, -1, -1):
        # a line of the period before may be shorter: its last stretch stands beside the last
        short = len(found.lines[0].stretches) - at
        cells = [
            {"line": line, "cell": line.stretches[-short] if short <= len(line.stretches) else None}
            for line in found.lines
        ]
        first = found.lines[0].stretches[at]
        start = first.start
        shown = start.astimezone(zone) if isinstance(start, datetime) else start
        rows.append({"start": shown, "at": start.isoformat(), "cells": cells, "complete": first.complete})
    return rows


@dataclass(frozen=True)
class TrendBar:
    """A line of one stretch: the whole time. `width` is a share of the longest bar, in percent.

    `places` are the digits behind the point of all bars of its series.
    """

    name: str
    line: Line
    cell: Stretch
    before: Stretch | None
    width: str
    places: int | None

    @property
    def value(self) -> float:
        return self.cell.value or 0.0

    @property
    def text(self) -> str:
        return "–" if self.cell.value is None else number(self.cell.value, self.places)


def bars_of(found: TrendsAnswer) -> list[TrendBar]:
    """The longest first, what is not told apart last."""
    before = {(line.series, line.value): line.stretches[-1] for line in found.lines if line.earlier and line.stretches}
    lines = [line for line in found.drawn if line.stretches]
    longest = max((abs(line.stretches[0].value or 0) for line in lines), default=0) or 1
    columns: dict[str, list[float | None]] = defaultdict(list)
    for line in lines:
        columns[line.name].append(line.stretches[0].value)
    bars = [
        TrendBar(
            found.name_of(line),
            line,
            line.stretches[0],
            before.get((line.series, line.value)),
            f"{100 * abs(line.stretches[0].value or 0) / longest:.1f}",
            places(columns[line.name]),
        )
        for line in lines
    ]
    return sorted(bars, key=lambda bar: (bool(found.by) and bar.line.value is None, -bar.value)) if found.by else bars


def rows_of(found: Answer) -> Iterator[Sequence[Any]]:
    if isinstance(found, FunnelAnswer):
        yield from _funnel(found)
    elif isinstance(found, TrendsAnswer):
        yield "series", "group", "period", "start", "value", "low", "high", "n", "complete"
        for line in found.lines:
            when = "before" if line.earlier else "this"
            for each in line.stretches:
                said = (each.value, each.low, each.high, each.n, each.complete)
                yield line.name, line.text, when, each.start.isoformat(), *said
    elif isinstance(found, RetentionAnswer):
        yield "began", "people", "after", "back", "percent", "low", "high", "complete"
        for cohort in found.cohorts:
            for point, cell in zip(found.curve, cohort.cells, strict=True):
                if cell.share is not None:
                    back = (cell.people, cell.share.value, cell.share.low, cell.share.high, cell.complete)
                    yield cohort.start.isoformat(), cohort.people, point.title, *back

    elif isinstance(found, LifecycleAnswer):
        yield "start", "new", "returning", "resurrected", "dormant", "complete"
        for one in found.stretches:
            yield one.start.isoformat(), one.new, one.returning, one.resurrected, one.dormant, one.complete
    elif isinstance(found, StickinessAnswer):
        yield "times", "people", "at_least"
        yield from ((bar.times, bar.people, bar.at_least) for bar in found.bars)
    elif isinstance(found, SessionsAnswer):
        yield from _sessions(found)
    else:
        yield "place", "from", "to", "ways", "people"
        yield from ((edge.at, edge.source, edge.target, edge.ways, edge.people) for edge in found.edges)


def _funnel(found: FunnelAnswer) -> Iterator[Sequence[Any]]:
    yield "group", "began", "step", "event", "people", "left", "of_previous", "low", "high"
    parts: list[tuple[str, str, Any]] = [("", "", found.steps)]
    parts += [(group.text, "", group.steps) for group in found.groups]
    parts += [("", began.start.isoformat(), began.steps) for began in found.over]
    for name, began, steps in parts:
        for step in steps:
            share = step.of_previous
            numbers = (share.value, share.low, share.high) if share else ("", "", "")
            yield name, began, step.at, step.event, step.people, step.left, *numbers


def _sessions(found: SessionsAnswer) -> Iterator[Sequence[Any]]:
    yield "of", "name", "sessions", "people", "bounced", "median_seconds", "p90_seconds", "events", "pages", "left"
    yield _stayed("all", "", found.stayed)
    if found.before is not None:
        yield _stayed("before", "", found.before)
    yield from (_stayed("start", one.start.isoformat(), one.stayed) for one in found.stretches)
    yield from (_stayed("group", one.text, one.stayed) for one in found.groups)
    yield from (("place", one.name, one.entered, "", one.bounced, "", "", "", "", one.left) for one in found.places)


def _stayed(of: str, name: str, stayed: Stayed) -> Sequence[Any]:
    numbers = (stayed.seconds, stayed.p90_seconds, stayed.events, stayed.pages)
    return of, name, stayed.sessions, stayed.people, stayed.bounced, *numbers, ""

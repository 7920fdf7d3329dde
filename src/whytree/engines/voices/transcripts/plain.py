"""Plain turns, as people paste them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from .names import NAMED, accepted_names
from .shapes import Cue, Unreadable, clean, read_clock

TIME = r"\d{1,3}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_SPAN = rf"(?P<start>{TIME})(?:\s*(?:-->|[-–—])\s*(?P<end>{TIME}))?"
# Blanks are bounded (`read_transcript` leaves two of a run): else a row of blanks is tried in every way there is to cut it.
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"^\s*[\[(]?{_SPAN}[\])]?\s{{0,4}}[-–—]?\s{{0,4}}(?P<name>[^\W\d_][^:：\n]{{0,78}}?)?\s{{0,4}}(?::(?:\s+|$)|：)(?P<text>.*)$",
        rf"^\s*(?P<name>[^\W\d_][^:：\n\[(]{{0,78}}?)\s{{0,4}}[\[(]{_SPAN}[\])]\s*[:：]?\s*(?P<text>.*)$",  # Ana (00:12): words
        rf"^\s*(?P<name>[^\W\d_][^:：\n]{{0,78}}?)\s{{2,4}}{_SPAN}\s*(?P<text>)$",  # Otter: Ana  0:12, words below
    )
)
_ONLY_TIME = re.compile(rf"^\s*[\[(]?{_SPAN}[\])]?\s*(?P<text>.*)$")


def plain_cues(text: str) -> Iterator[Cue]:
    """Turns, each with its name in front. What has no name goes on where the last one stopped."""
    rows = [row for row in text.split("\n") if row.strip()]
    told = [next((found for shape in _SHAPES if (found := shape.match(row))), None) for row in rows]
    bare = [None if one else NAMED.match(row) for row, one in zip(rows, told, strict=True)]
    names = accepted_names(
        [clean(one["name"] or "") for one in told if one] + [clean(one[1]) for one in bare if one], len(rows)
    )
    if not names and not any(told):
        raise Unreadable(
            "No line says who speaks. Write each turn as “Ana: words”, or export the talk as WebVTT, SRT or JSON."
        )
    held: Cue | None = None
    more: list[str] = []
    for row, one, other in zip(rows, told, bare, strict=True):
        begun = _begun(row, one, other, names)
        if begun is None:
            more.append(row)
            continue
        if held is not None or more:
            yield _with_rows(held, more)
        held, more = begun, []
    if held is not None or more:
        yield _with_rows(held, more)


def _with_rows(cue: Cue | None, more: list[str]) -> Cue:
    return Cue(" ".join(more)) if cue is None else replace(cue, text=" ".join([cue.text, *more]))


def _begun(row: str, one: re.Match[str] | None, other: re.Match[str] | None, names: frozenset[str]) -> Cue | None:
    """The turn that begins on this row; None when it goes on with the one before."""
    if one is not None:
        start, end = read_clock(one["start"]), read_clock(one["end"] or "")
        if end is not None and (start is None or end < start):
            end = None
        return Cue(one["text"], clean(one["name"] or ""), start, end)
    if other is not None and clean(other[1]) in names:
        return Cue(other[2], clean(other[1]))
    alone = _ONLY_TIME.match(row)
    if alone is not None and alone["start"] and names:
        return Cue(alone["text"], "", read_clock(alone["start"]), read_clock(alone["end"] or ""))
    return None

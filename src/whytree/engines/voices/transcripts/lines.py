"""From cues, as short as a recorder cuts them, to lines that can be read and pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .shapes import Cue, Line

_LINE_LENGTH = 240
"""A line is closed at the end of a sentence once it is this long, ..."""
_LONGEST_LINE = 480
"""... and at this length wherever a cue ends; plain text is cut at the end of a sentence before it."""
_PAUSE_MS = 3_000

_SENTENCE = re.compile(r"[.!?…。！？][\"'”’)\]»]*$")
_SENTENCES = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]»]*\s+")


def lines_of(cues: Iterable[Cue]) -> Iterator[Line]:
    """Consecutive cues of one speaker, joined into lines that are short enough to be pointed at."""
    held: list[Cue] = []
    for cue in cues:
        if held and not _goes_on(held, cue):
            yield from _cut(held)
            held = []
        held.append(cue)
    if held:
        yield from _cut(held)


def _goes_on(held: Sequence[Cue], cue: Cue) -> bool:
    last, length = held[-1], sum(len(one.text) + 1 for one in held)
    if cue.speaker != last.speaker or cue.start_ms is None or last.start_ms is None:
        return False
    if cue.start_ms - (last.end_ms if last.end_ms is not None else last.start_ms) > _PAUSE_MS:
        return False
    return length + len(cue.text) <= _LONGEST_LINE and not (
        length >= _LINE_LENGTH and _SENTENCE.search(last.text) is not None
    )


def _cut(held: Sequence[Cue]) -> Iterator[Line]:
    first = held[0]
    if len(held) == 1:
        for part in _parts(first.text):
            cues = ((0, first.start_ms),) if first.start_ms is not None else ()
            yield Line(first.speaker, part, first.start_ms, first.end_ms, cues)
        return
    text, places = "", []
    for cue in held:
        text = f"{text} {cue.text}" if text else cue.text
        if cue.start_ms is not None:
            places.append((len(text) - len(cue.text), cue.start_ms))
    ends = [cue.end_ms for cue in held if cue.end_ms is not None]
    yield Line(first.speaker, text, first.start_ms, max(ends, default=None), tuple(places))


def _parts(text: str) -> list[str]:
    """A long turn, cut between sentences."""
    if len(text) <= _LONGEST_LINE:
        return [text]
    parts, part = [], ""
    at = 0
    for sentence in [*(found.end() for found in _SENTENCES.finditer(text)), len(text)]:
        piece = text[at:sentence]
        if part and len(part) + len(piece) > _LONGEST_LINE:
            parts.append(part.strip())
            part = ""
        part, at = part + piece, sentence
    return [*parts, part.strip()] if part.strip() else parts

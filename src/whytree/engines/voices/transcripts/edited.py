"""A transcript as text that somebody edits by hand and puts back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..anchoring import Anchors
from .plain import TIME
from .shapes import MOST_BYTES, MOST_CHARACTERS, MOST_CUES, NAME_LENGTH, Line, Unreadable, clean, clock, read_clock

_EDITED = re.compile(
    rf"^\[(?P<start>{TIME})(?: - (?P<end>{TIME}))?\] (?P<name>[^:\n]{{0,{NAME_LENGTH}}}): ?(?P<text>.*)$"
)
_UNTIMED = re.compile(rf"^(?P<name>[^:\n\[]{{0,{NAME_LENGTH}}}): ?(?P<text>.*)$")


def as_text(lines: Iterable[Line]) -> str:
    """One line each, as `read_edited` takes it back: `[00:00:12.400 - 00:00:15.900] Wiktor: My sister had ...`"""
    return "\n".join(_as_row(line) for line in lines)


def _as_row(line: Line) -> str:
    start, end = line.start_ms, line.end_ms
    if start is None:
        return f"{line.speaker}: {line.text}"
    until = f" - {clock(end, exact=True)}" if end is not None else ""
    return f"[{clock(start, exact=True)}{until}] {line.speaker}: {line.text}"


def read_edited(text: str, before: Sequence[Line]) -> tuple[Line, ...]:
    """The lines as somebody edited them. What they left alone keeps the moments inside; a row without a name goes on."""
    if len(text) > MOST_BYTES:
        raise Unreadable("That is too much for one talk. Cut it into the talks it is made of.")
    known = {_as_row(line): line for line in before}
    timed = {(line.start_ms, line.end_ms): line for line in before}
    turns: list[tuple[Line, list[str]]] = []
    for row in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not row.strip():
            continue
        if row in known:
            turns.append((known[row], []))
            continue
        found = _EDITED.match(row.strip()) or _UNTIMED.match(row.strip())
        if found is None:
            if not turns:
                raise Unreadable("The first line has no name in front. Write it as “Ana: words”.")
            turns[-1][1].append(row)
            continue
        told = found.groupdict()
        start, end = read_clock(told.get("start") or ""), read_clock(told.get("end") or "")
        words = clean(told["text"])
        if words:
            end = end if start is not None and end is not None and end >= start else None
            cues = () if start is None else _moved_cues(timed.get((start, end)), words) or ((0, start),)
            turns.append((Line(clean(told["name"]), words, start, end, cues), []))
    lines = [replace(line, text=clean(" ".join([line.text, *more]))) if more else line for line, more in turns]
    if not lines:
        raise Unreadable("There is no word left. To take the transcript out, remove the interview.")
    if len(lines) > MOST_CUES or sum(len(line.text) for line in lines) > MOST_CHARACTERS:
        raise Unreadable("That is too much for one talk. Cut it into the talks it is made of.")
    return tuple(lines)


def _moved_cues(was: Line | None, words: str) -> tuple[tuple[int, int], ...]:
    """The moments inside a line whose words were corrected: each goes where the first word that was said at it went."""
    if was is None or not was.cues:
        return ()
    anchors, cues = Anchors(was.text, words), [was.cues[0]]
    for offset, ms in was.cues[1:]:
        place = anchors.find(offset, offset + len(was.text[offset:].split(" ", 1)[0]))
        if place is not None and place[0] > cues[-1][0]:
            cues.append((place[0], ms))
    return tuple(cues)

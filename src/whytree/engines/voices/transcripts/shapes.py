"""What a transcript is made of, and how its moments are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 20 * 1024 * 1024
MOST_CHARACTERS = 2_000_000
"""Ten hours of quick talk have some 600,000."""
MOST_CUES = 60_000
MOST_PROBLEMS = 200
NAME_LENGTH = 80


class Unreadable(ValueError):
    """The text is no transcript, or too much of one; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """Some words of one speaker. `cues` are the places in `text` at which a moment is known: (offset, milliseconds)."""

    speaker: str
    text: str
    start_ms: int | None = None
    end_ms: int | None = None
    cues: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read. `line` counts the lines of the file; a segment's place where there are none."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A talk in lines. `problems` are places that could not be read, and were left out."""

    format: str
    lines: tuple[Line, ...]
    language: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def speakers(self) -> tuple[str, ...]:
        """In the order in which they speak first."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines if line.speaker))


@dataclass(frozen=True, slots=True)
class Cue:
    """What the file holds, one by one, before consecutive ones are joined."""

    text: str
    speaker: str = ""
    start_ms: int | None = None
    end_ms: int | None = None


def in_time(cues: Sequence[Cue]) -> Any:
    """Cues without a time stay behind the one they came after."""
    latest, keys = 0, {}
    for cue in cues:
        latest = cue.start_ms if cue.start_ms is not None else latest
        keys[id(cue)] = latest
    return lambda cue: keys[id(cue)]


_SPACES = re.compile(r"\s+")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(text: str) -> str:
    return _SPACES.sub(" ", _UNSTORABLE.sub("", text)).strip()


_CLOCK = re.compile(r"^(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,3})?)$")


def read_clock(written: str) -> int | None:
    """`01:02:03.450`, `02:03`, `02:03,45` in milliseconds; None for what is no time."""
    found = _CLOCK.match(written.strip().replace(",", "."))
    if found is None:
        return None
    hours, minutes, seconds = int(found[1] or 0), int(found[2]), float(found[3])
    if seconds >= 60 or (found[1] and minutes >= 60):
        return None
    return round((hours * 3600 + minutes * 60 + seconds) * 1000)


def clock(milliseconds: int, *, exact: bool = False) -> str:
    """1:02:03, or 01:02:03.450 when exact."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if exact:
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{rest:03d}"
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

"""Names in front of the words: "Mei: Tell me ..."."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from .shapes import Cue, clean

NAMED = re.compile(r"^\s*(?:[-–—]\s*)?([^\W\d_][^:：\n<>\[\]{}]{0,78}?)\s{0,8}(?::(?:\s+|$)|：)(.*)$", re.DOTALL)


def accepted_names(candidates: Sequence[str], rows: int) -> frozenset[str]:
    """Which of the words before a colon are names: those that come again, where most of the talk is told this way.

    "Mei:" over and over is somebody; "I told them: no" is not.
    """
    counted = Counter(candidates)
    told_so = rows > 0 and len(candidates) / rows >= 0.5
    names = set()
    for name, times in counted.items():
        if len(name.split()) > 5:
            continue
        often = told_so and times >= 2 and (" " not in name or times / rows >= 0.2)
        if often or (_is_name(name) and (told_so or times >= 2)):
            names.add(name)
    return frozenset(names)


def _is_name(words: str) -> bool:
    """Every word as names are written: with a capital, a figure, or in a script that has none."""
    return all(not word[0].islower() or word.lower() in _PARTICLES for word in words.split())


_PARTICLES = frozenset({"de", "van", "von", "der", "den", "di", "da", "del", "la", "le", "el", "bin", "ibn", "y", "e"})


def with_names(cues: list[Cue]) -> list[Cue]:
    """`Name: text` inside a cue, as Zoom writes it; also where two speak in one cue, a row each."""
    if any(cue.speaker for cue in cues):
        return cues
    rows = [(cue, row) for cue in cues for row in cue.text.split("\n") if row.strip()]
    found = [(cue, row, NAMED.match(row)) for cue, row in rows]
    names = accepted_names([clean(one[1]) for _, _, one in found if one], len(cues))
    if not names:
        return cues
    split: list[tuple[Cue, list[str]]] = []
    speaker, before = "", None
    for cue, row, one in found:
        if one is not None and clean(one[1]) in names:
            speaker = clean(one[1])
            split.append((replace(cue, speaker=speaker), [one[2]]))
        elif split and cue is before:
            split[-1][1].append(row)
        else:
            split.append((replace(cue, speaker=speaker), [row]))
        before = cue
    return [replace(cue, text=" ".join(words)) for cue, words in split]

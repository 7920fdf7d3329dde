"""Where the passages of talks lie: a talk is about many things, so that each stretch of it has a place of its own.

Learnt from voices, never from talks: what two people said to each other in confidence teaches the space nothing.
"""

import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from whytree.engines.meaning import codes_with
from whytree.voice.interviews.models import Transcript

from .models import MeaningSpace, MeaningTalk

PASSAGE = 400
"""Characters of one stretch: some sentences. A cue of a caption holds half of one, and an answer may fill a page."""
AT_ONCE = 5_000
"""Passages read in one go."""

Passage = tuple[int, str]
"""The line it begins in, from 1, and its words."""


def passages(transcript: Transcript) -> Iterator[Passage]:
    """What one person said on end, in stretches of some sentences."""
    first, speaker, words = 0, "", ""
    for number, line in enumerate(transcript.lines, start=1):
        said = transcript.text[line["start"] : line["end"]].strip()
        if not said:
            continue
        if words and (line["speaker"] != speaker or len(words) + len(said) >= PASSAGE):
            yield from _cut(first, words)
            words = ""
        first, speaker = (first, speaker) if words else (number, line["speaker"])
        words = f"{words} {said}".strip()
    yield from _cut(first, words)


def _cut(first: int, words: str) -> Iterator[Passage]:
    if len(words) <= PASSAGE:
        yield from [(first, words)] * bool(words)
        return
    for part in textwrap.wrap(words, PASSAGE):
        yield first, part


def stamp_of(transcript: Transcript) -> str:
    """Which words a talk has; other words have another stamp."""
    return f"{transcript.content_hash} {transcript.edited_at or ''}"


def stamps(space: MeaningSpace) -> dict[int, str]:
    """Those of all talks there are now, by their transcripts."""
    there = Transcript.objects.filter(interview__product=space.product_id, interview__erased_at=None).exclude(text="")
    return {one.pk: stamp_of(one) for one in there.only("content_hash", "edited_at")}


def place_talks(space: MeaningSpace, apart: Callable[..., Any]) -> int:
    """Place the talks that have no place or other words now, and let go those that are gone; how many were placed."""
    now = stamps(space)
    placed = dict(space.talks.values_list("transcript", "stamp"))
    space.talks.filter(transcript__in=[pk for pk, stamp in placed.items() if now.get(pk) != stamp]).delete()
    waiting = [pk for pk, stamp in now.items() if placed.get(pk) != stamp]
    while waiting:
        some: dict[int, list[Passage]] = {}
        while waiting and sum(map(len, some.values())) < AT_ONCE:
            for transcript in Transcript.objects.filter(pk=waiting.pop()):  # none, where it went meanwhile
                some[transcript.pk] = list(passages(transcript))
        _store(space, some, now, apart)
    return len([pk for pk in now if placed.get(pk) != now[pk]])


def _store(space: MeaningSpace, some: dict[int, list[Passage]], now: dict[int, str], apart: Callable[..., Any]) -> None:
    texts = [words for held in some.values() for _, words in held]
    codes = apart(codes_with, bytes(space.data), space.model, texts)
    still, at = stamps(space), 0
    rows = []
    for pk, held in some.items():
        lines = np.array([line for line, _ in held], dtype=np.int32)
        if still.get(pk) == now[pk]:  # edited or erased meanwhile: the next look places it
            mine = codes[at : at + len(held)].tobytes()
            rows.append(MeaningTalk(space=space, transcript_id=pk, stamp=now[pk], lines=lines.tobytes(), codes=mine))
        at += len(held)
    MeaningTalk.objects.bulk_create(rows, ignore_conflicts=True)

"""Whisper's JSON, and that of its relatives."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from .names import with_names
from .shapes import MOST_CUES, NAME_LENGTH, Cue, Problem, Unreadable, clean, in_time


def whisper_cues(text: str, problems: list[Problem]) -> tuple[list[Cue], str]:
    """OpenAI's and faster-whisper's `segments` in seconds, WhisperX' speakers, whisper.cpp's `transcription` in milliseconds."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise Unreadable(
            f"This JSON cannot be read at line {line}. Export it again; it may have been cut off."
        ) from error
    document = whole if isinstance(whole, dict) else {"segments": whole}
    segments = document.get("segments", document.get("transcription"))
    if not isinstance(segments, list):
        if isinstance(document.get("text"), str) and document["text"].strip():
            return [Cue(document["text"])], _language(document)
        raise Unreadable("This JSON has no “segments”, as Whisper writes them. Export it as WebVTT instead.")
    if len(segments) > MOST_CUES:
        raise Unreadable(f"That are {len(segments):,} segments; {MOST_CUES:,} is the most for one talk.")
    cues = []
    for place, segment in enumerate(segments, start=1):
        if not isinstance(segment, dict) or not isinstance(segment.get("text"), str):
            problems.append(Problem(place, "This segment has no text. It is left out."))
            continue
        start, end = _seconds(segment, "start", "from"), _seconds(segment, "end", "to")
        if start is None:
            problems.append(Problem(place, "This segment has no time. Its words are kept without one."))
        elif end is not None and end < start:
            problems.append(Problem(place, "This segment ends before it begins. Its words are kept without an end."))
            end = None
        speaker = segment.get("speaker")
        name = clean(str(speaker))[:NAME_LENGTH] if isinstance(speaker, str | int) else ""
        cues.append(Cue(segment["text"], name, start, end if start is not None else None))
    cues.sort(key=in_time(cues))
    return with_names(cues), _language(document)


def _seconds(segment: dict[str, Any], name: str, offset: str) -> int | None:
    value, offsets = segment.get(name), segment.get("offsets")
    if value is None and isinstance(offsets, dict):
        value = offsets.get(offset)
        scale = 1
    else:
        scale = 1000
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return round(value * scale) if value * scale < 10**9 else None


def _language(document: dict[str, Any]) -> str:
    result = document.get("result")
    told = document.get("language") or (result.get("language") if isinstance(result, dict) else "")
    return told[:35] if isinstance(told, str) and re.fullmatch(r"[A-Za-z-]{2,35}", told) else ""

"""WebVTT and SRT: blocks of a time and words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .shapes import NAME_LENGTH, Cue, Problem, clean, in_time, read_clock

SRT = re.compile(r"^[ \t]*\d{1,3}:\d{2}:\d{2}[,.]\d{1,3}[ \t]*-->", re.MULTILINE)
_ASIDE = re.compile(r"^(?:NOTE|STYLE|REGION)(?:[ \t]|$)")
# neither part may run past the next "<": a file of nothing but tags that never end would be read again for each of them
_VOICE = re.compile(r"<v(?:\.[^ \t<>]*)?[ \t]([^<>]*)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>]*>|</>|\{\\[^{}]*\}")


def timed_cues(text: str, problems: list[Problem]) -> list[Cue]:
    """Cues in the order of their times; a block without an arrow is a note, a style or the header."""
    cues: list[Cue] = []
    rows = text.split("\n")
    at = _next_block(rows, 0)
    while at < len(rows):
        end = _end_of_block(rows, at)
        block, has_more = rows[at:end], end < len(rows) and bool(rows[end].strip())
        if "-->" in block[0]:
            words = block[1:]
            # The next cue's number may stand right below, where the blank line between was lost.
            if has_more and words and words[-1].strip().isdigit():
                words = words[:-1]
            cues += _cues_of(block[0], words, at + 1, problems)
        elif not (has_more and "-->" in rows[end]):
            _stray(block, at, problems, cues)  # words that lost their times
        elif len(block) > 1:
            _stray(block[:-1], at, problems, cues)  # the last row is the id of the times below
        at = _next_block(rows, end)
    return _without_rolling(sorted(cues, key=in_time(cues)))


def _next_block(rows: Sequence[str], at: int) -> int:
    """Where the next cue begins: after blank rows, headers, notes and styles. A cue right below one of these is none of it."""
    is_aside = False
    while at < len(rows):
        if not rows[at].strip():
            is_aside = False
        elif "-->" in rows[at]:
            break
        elif not is_aside:
            is_aside = bool(_ASIDE.match(rows[at])) or rows[at].startswith("WEBVTT")
            if not is_aside:
                break
        at += 1
    return at


def _end_of_block(rows: Sequence[str], at: int) -> int:
    """The row after it: a blank one, or the times of the next cue."""
    end = at + 1
    if "-->" in rows[at] and end < len(rows) and rows[end] and not rows[end].strip():
        end += 1  # captions that roll up begin with a row of one space, which ends no cue
    while end < len(rows) and rows[end].strip() and "-->" not in rows[end]:
        end += 1
    return end


def _stray(block: Sequence[str], at: int, problems: list[Problem], cues: list[Cue]) -> None:
    words = " ".join(block)
    if clean(words).isdigit() or not clean(words):
        return
    problems.append(Problem(at + 1, "Words without a time. They are kept without one."))
    cues.append(Cue(_text_of(words)))


def _cues_of(times: str, words: Sequence[str], line: int, problems: list[Problem]) -> Iterator[Cue]:
    left, _, right = times.partition("-->")
    start, end = read_clock(left), read_clock((right.split() or [""])[0])
    if start is None:
        problems.append(Problem(line, f"“{_short(left)}” is no time. The words are kept without one."))
        end = None
    elif end is None:
        problems.append(Problem(line, f"“{_short(right)}” is no time. The words are kept without an end."))
    elif end < start:
        problems.append(Problem(line, "It ends before it begins. The words are kept without an end."))
        end = None
    speaker, held = "", list[str]()
    for row in words:
        pieces = _VOICE.split(row)  # words, name, words, name, words
        for place, piece in enumerate(pieces):
            if place % 2:
                if clean(text := "\n".join(held)):
                    yield Cue(text, speaker, start, end)
                speaker, held = clean(_text_of(piece))[:NAME_LENGTH], []
            elif held or _text_of(piece):
                held.append(_text_of(piece))
    if clean(text := "\n".join(held)):
        yield Cue(text, speaker, start, end)


def _text_of(payload: str) -> str:
    return html.unescape(_TAG.sub("", payload)).replace("\u200b", "")


def _short(text: str) -> str:
    text = clean(text)
    return text[:30] + "…" if len(text) > 30 else text


def _without_rolling(cues: Sequence[Cue]) -> list[Cue]:
    """Captions that roll up repeat the row above: what a cue repeats of the one it touches is left out."""
    kept: list[Cue] = []
    last_row, last_end = "", None
    for cue in cues:
        rows = [row.strip() for row in cue.text.split("\n") if row.strip()]
        touches = last_end is not None and cue.start_ms is not None and abs(cue.start_ms - last_end) <= 100
        overlaps = last_end is not None and cue.start_ms is not None and cue.start_ms <= last_end
        if (
            rows
            and last_row
            and (touches or overlaps)
            and rows[0] == last_row
            and (len(rows) > 1 or len(last_row) > 20)
        ):
            rows = rows[1:]
        if rows:
            last_row = rows[-1]
            kept.append(replace(cue, text="\n".join(rows)))
        last_end = cue.end_ms if cue.end_ms is not None else last_end
    return kept

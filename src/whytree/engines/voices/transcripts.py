"""A talk, written down: WebVTT, SRT, Whisper's JSON, and plain turns ("Ana: ..."), with or without times.

    read = read_transcript(decoded(raw))
    read.lines        # (Line("Wiktor", "My sister had sent me a picture.", 12_400, 15_900), ...)
    read.problems     # (Problem(31, "“00:aa” is no time; the words are kept without one."), ...)

What is wrong with one cue is that cue's fault: its words are kept, and the problem names the line of the file. Where a file has nobody's
words in it, `Unreadable` says why. Times are milliseconds from the beginning of the recording; None where nobody told.

WebVTT: W3C, "WebVTT: The Web Video Text Tracks Format", 4 and 6. Teams puts the speaker into `<v Name>`, Zoom writes `Name: text`.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

MOST_BYTES = 20 * 1024 * 1024
MOST_CHARACTERS = 2_000_000
"""Ten hours of quick talk have some 600,000."""
MOST_CUES = 60_000
MOST_PROBLEMS = 200
NAME_LENGTH = 80

_LINE_LENGTH = 240
"""A line is closed at the end of a sentence once it is this long, ..."""
_LONGEST_LINE = 480
"""... and at this length wherever a cue ends; plain text is cut at the end of a sentence before it."""
_PAUSE_MS = 3_000


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
    format: str
    lines: tuple[Line, ...]
    language: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def speakers(self) -> tuple[str, ...]:
        """In the order in which they speak first."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines if line.speaker))


@dataclass(frozen=True, slots=True)
class _Cue:
    """What the file holds, one by one, before consecutive ones are joined."""

    text: str
    speaker: str = ""
    start_ms: int | None = None
    end_ms: int | None = None


def decoded(raw: bytes) -> str:
    """The file's text, by its byte order mark, else UTF-8, else Windows-1252. Raises `Unreadable` for what is no text."""
    if len(raw) > MOST_BYTES:
        raise Unreadable(
            f"The file has {len(raw) // 1024 // 1024:,} MB; {MOST_BYTES // 1024 // 1024} is the most. A transcript, not the recording?"
        )
    for bom, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(bom):
            return _checked(raw.decode(encoding, "replace"))
    try:
        return _checked(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _checked(raw.decode("cp1252", "replace"))


def _checked(text: str) -> str:
    if "\0" in text[:100_000]:
        raise Unreadable("This is no text. Export the transcript as WebVTT, SRT, JSON or plain text.")
    return text


def read_transcript(text: str) -> Transcript:
    """Recognise the format by its shape, and read it."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if not text.strip():
        raise Unreadable("There is no word in it.")
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise Unreadable(
            f"The text has {len(text):,} characters, too many for a talk. Cut it into the talks it is made of."
        )
    start = text.lstrip()
    problems: list[Problem] = []
    language = ""
    if start.startswith("WEBVTT"):
        format, cues = "WebVTT", _named(_timed_blocks(text, problems))
    elif _JSON.match(start):
        format, (cues, language) = "Whisper JSON", _whisper(text, problems)
    elif _SRT.search(start[:2_000]):
        format, cues = "SRT", _named(_timed_blocks(text, problems))
    else:
        format, cues = "plain text", list(_plain(text))
    return _joined(format, cues, language, problems)


_JSON = re.compile(r"\{|\[\s*[\[{\"\]]")


def _joined(format: str, cues: Sequence[_Cue], language: str, problems: list[Problem]) -> Transcript:
    cues = [replace(cue, text=text) for cue in cues if (text := _clean(cue.text))]
    if not cues:
        told = f" {problems[0].reason} (line {problems[0].line})" if problems else ""
        raise Unreadable(f"There is no word in this {format}.{told}")
    if len(cues) > MOST_CUES or sum(len(cue.text) for cue in cues) > MOST_CHARACTERS:
        raise Unreadable(
            f"That are {len(cues):,} cues, too many for one talk ({MOST_CUES:,}, or {MOST_CHARACTERS:,} characters). "
            "Cut it into the talks it is made of."
        )
    return Transcript(format, tuple(_lines(cues)), language, tuple(problems[:MOST_PROBLEMS]))


_SPACES = re.compile(r"\s+")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _clean(text: str) -> str:
    return _SPACES.sub(" ", _UNSTORABLE.sub("", text)).strip()


# Lines ------------------------------------------------------------------------------------------------


_SENTENCE = re.compile(r"[.!?…。！？][\"'”’)\]»]*$")
_SENTENCES = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]»]*\s+")


def _lines(cues: Iterable[_Cue]) -> Iterator[Line]:
    """Consecutive cues of one speaker, joined into lines that are short enough to be pointed at."""
    held: list[_Cue] = []
    for cue in cues:
        if held and not _goes_on(held, cue):
            yield from _cut(held)
            held = []
        held.append(cue)
    if held:
        yield from _cut(held)


def _goes_on(held: Sequence[_Cue], cue: _Cue) -> bool:
    last, length = held[-1], sum(len(one.text) + 1 for one in held)
    if cue.speaker != last.speaker or cue.start_ms is None or last.start_ms is None:
        return False
    if cue.start_ms - (last.end_ms if last.end_ms is not None else last.start_ms) > _PAUSE_MS:
        return False
    return length + len(cue.text) <= _LONGEST_LINE and not (
        length >= _LINE_LENGTH and _SENTENCE.search(last.text) is not None
    )


def _cut(held: Sequence[_Cue]) -> Iterator[Line]:
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


# WebVTT and SRT ---------------------------------------------------------------------------------------


_SRT = re.compile(r"^\s*(?:\d+\s*\n)?\s*\d{1,3}:\d{2}:\d{2}[,.]\d{1,3}\s*-->", re.MULTILINE)
_CLOCK = re.compile(r"^(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,3})?)$")
_ASIDE = re.compile(r"^(?:NOTE|STYLE|REGION)(?:[ \t]|$)")
_VOICE = re.compile(r"<v(?:\.[^ \t>]*)?[ \t]+([^>]*)>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z0-9][^<>]*>|</>|\{\\[^{}]*\}")


def read_clock(written: str) -> int | None:
    """`01:02:03.450`, `02:03`, `02:03,45` in milliseconds; None for what is no time."""
    found = _CLOCK.match(written.strip().replace(",", "."))
    if found is None:
        return None
    hours, minutes, seconds = int(found[1] or 0), int(found[2]), float(found[3])
    if seconds >= 60 or (found[1] and minutes >= 60):
        return None
    return round((hours * 3600 + minutes * 60 + seconds) * 1000)


def _timed_blocks(text: str, problems: list[Problem]) -> list[_Cue]:
    """Cues in the order of their times; a block without an arrow is a note, a style or the header."""
    cues: list[_Cue] = []
    rows = text.split("\n")
    at = 0
    while at < len(rows):
        if not rows[at].strip():
            at += 1
            continue
        if _ASIDE.match(rows[at]) or rows[at].startswith("WEBVTT"):
            while at < len(rows) and rows[at].strip() and "-->" not in rows[at]:
                at += 1
            if at < len(rows) and "-->" not in rows[at]:
                continue
        end = at
        if "-->" in rows[at] and at + 1 < len(rows) and rows[at + 1] and not rows[at + 1].strip():
            end = at + 2  # captions that roll up begin with a row of one space, which ends no cue
        while end < len(rows) and rows[end].strip() and (end == at or "-->" not in rows[end]):
            end += 1
        block = rows[at:end]
        if "-->" not in block[0]:
            # an id above the times, or words that lost theirs
            if end < len(rows) and "-->" in rows[end]:
                stray = block[:-1] if block[-1].strip().isdigit() or len(block) > 1 else []
                if stray:
                    _stray(stray, at, problems, cues)
            else:
                _stray(block, at, problems, cues)
            at = end
            continue
        # The next cue's number may stand right below, where the blank line between was lost.
        words = block[1:]
        if end < len(rows) and rows[end].strip() and words and words[-1].strip().isdigit():
            words = words[:-1]
        cues += _cues_of(block[0], words, at + 1, problems)
        at = end
    return _without_rolling(sorted(cues, key=_when(cues)))


def _when(cues: Sequence[_Cue]) -> Any:
    """Cues without a time stay behind the one they came after."""
    latest, keys = 0, {}
    for cue in cues:
        latest = cue.start_ms if cue.start_ms is not None else latest
        keys[id(cue)] = latest
    return lambda cue: keys[id(cue)]


def _stray(block: Sequence[str], at: int, problems: list[Problem], cues: list[_Cue]) -> None:
    words = " ".join(block)
    if _clean(words).isdigit() or not _clean(words):
        return
    problems.append(Problem(at + 1, "Words without a time. They are kept without one."))
    cues.append(_Cue(_text_of(words)))


def _cues_of(times: str, words: Sequence[str], line: int, problems: list[Problem]) -> Iterator[_Cue]:
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
    speaker, held = "", ""
    for row in words:
        pieces = _VOICE.split(row)  # words, name, words, name, words
        for place, piece in enumerate(pieces):
            if place % 2:
                if _clean(held):
                    yield _Cue(held, speaker, start, end)
                speaker, held = _clean(_text_of(piece))[:NAME_LENGTH], ""
            else:
                held = f"{held}\n{_text_of(piece)}" if held else _text_of(piece)
    if _clean(held):
        yield _Cue(held, speaker, start, end)


def _text_of(payload: str) -> str:
    return html.unescape(_TAG.sub("", payload)).replace("\u200b", "")


def _short(text: str) -> str:
    text = _clean(text)
    return text[:30] + "…" if len(text) > 30 else text


def _without_rolling(cues: Sequence[_Cue]) -> list[_Cue]:
    """Captions that roll up repeat the row above: what a cue repeats of the one it touches is left out."""
    kept: list[_Cue] = []
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


# Names in front of the words --------------------------------------------------------------------------


_NAMED = re.compile(r"^\s*(?:[-–—]\s*)?([^\W\d_][^:：\n<>\[\]{}]{0,78}?)\s*(?::(?:\s+|$)|：)(.*)$", re.DOTALL)


def _accepted(candidates: Sequence[str], rows: int) -> frozenset[str]:
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


def _named(cues: list[_Cue]) -> list[_Cue]:
    """`Name: text` inside a cue, as Zoom writes it; also where two speak in one cue, a row each."""
    if any(cue.speaker for cue in cues):
        return cues
    rows = [(cue, row) for cue in cues for row in cue.text.split("\n") if row.strip()]
    found = [(cue, row, _NAMED.match(row)) for cue, row in rows]
    names = _accepted([_clean(one[1]) for _, _, one in found if one], len(cues))
    if not names:
        return cues
    split: list[_Cue] = []
    speaker, before = "", None
    for cue, row, one in found:
        if one is not None and _clean(one[1]) in names:
            speaker = _clean(one[1])
            split.append(replace(cue, speaker=speaker, text=one[2]))
        elif split and cue is before:
            split[-1] = replace(split[-1], text=f"{split[-1].text} {row}")
        else:
            split.append(replace(cue, speaker=speaker, text=row))
        before = cue
    return split


# Whisper ----------------------------------------------------------------------------------------------


def _whisper(text: str, problems: list[Problem]) -> tuple[list[_Cue], str]:
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
            return [_Cue(document["text"])], _language(document)
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
        name = _clean(str(speaker))[:NAME_LENGTH] if isinstance(speaker, str | int) else ""
        cues.append(_Cue(segment["text"], name, start, end if start is not None else None))
    cues.sort(key=_when(cues))
    return _named(cues), _language(document)


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


# Plain text -------------------------------------------------------------------------------------------


_TIME = r"\d{1,3}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?"
_SPAN = rf"(?P<start>{_TIME})(?:\s*(?:-->|[-–—])\s*(?P<end>{_TIME}))?"
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        rf"^\s*[\[(]?{_SPAN}[\])]?\s*[-–—]?\s*(?P<name>[^\W\d_][^:：\n]{{0,78}}?)?\s*(?::(?:\s+|$)|：)(?P<text>.*)$",  # [00:12] Ana: words
        rf"^\s*(?P<name>[^\W\d_][^:：\n\[(]{{0,78}}?)\s*[\[(]{_SPAN}[\])]\s*[:：]?\s*(?P<text>.*)$",  # Ana (00:12): words
        rf"^\s*(?P<name>[^\W\d_][^:：\n]{{0,78}}?)\s{{2,}}{_SPAN}\s*(?P<text>)$",  # Otter: Ana  0:12, words below
    )
)
_ONLY_TIME = re.compile(rf"^\s*[\[(]?{_SPAN}[\])]?\s*(?P<text>.*)$")


def _plain(text: str) -> Iterator[_Cue]:
    """Turns, each with its name in front. What has no name goes on where the last one stopped."""
    rows = [row for row in text.split("\n") if row.strip()]
    told = [next((found for shape in _SHAPES if (found := shape.match(row))), None) for row in rows]
    bare = [None if one else _NAMED.match(row) for row, one in zip(rows, told, strict=True)]
    names = _accepted(
        [_clean(one["name"] or "") for one in told if one] + [_clean(one[1]) for one in bare if one], len(rows)
    )
    if not names and not any(told):
        raise Unreadable(
            "No line says who speaks. Write each turn as “Ana: words”, or export the talk as WebVTT, SRT or JSON."
        )
    held: _Cue | None = None
    for row, one, other in zip(rows, told, bare, strict=True):
        begun = _begun(row, one, other, names)
        if begun is None:
            held = replace(held, text=f"{held.text} {row}") if held else _Cue(row)
            continue
        if held is not None:
            yield held
        held = begun
    if held is not None:
        yield held


def _begun(row: str, one: re.Match[str] | None, other: re.Match[str] | None, names: frozenset[str]) -> _Cue | None:
    """The turn that begins on this row; None when it goes on with the one before."""
    if one is not None:
        start, end = read_clock(one["start"]), read_clock(one["end"] or "")
        if end is not None and (start is None or end < start):
            end = None
        return _Cue(one["text"], _clean(one["name"] or ""), start, end)
    if other is not None and _clean(other[1]) in names:
        return _Cue(other[2], _clean(other[1]))
    alone = _ONLY_TIME.match(row)
    if alone is not None and alone["start"] and names:
        return _Cue(alone["text"], "", read_clock(alone["start"]), read_clock(alone["end"] or ""))
    return None


# To be edited by hand ---------------------------------------------------------------------------------


_EDITED = re.compile(
    rf"^\[(?P<start>{_TIME})(?: - (?P<end>{_TIME}))?\] (?P<name>[^:\n]{{0,{NAME_LENGTH}}}): ?(?P<text>.*)$"
)
_UNTIMED = re.compile(rf"^(?P<name>[^:\n\[]{{0,{NAME_LENGTH}}}): ?(?P<text>.*)$")


def clock(milliseconds: int, *, exact: bool = False) -> str:
    """1:02:03, or 01:02:03.450 when exact."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if exact:
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}.{rest:03d}"
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


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
    known = {_as_row(line): line for line in before}
    lines: list[Line] = []
    for row in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not row.strip():
            continue
        if row in known:
            lines.append(known[row])
            continue
        found = _EDITED.match(row.strip()) or _UNTIMED.match(row.strip())
        if found is None:
            if not lines:
                raise Unreadable("The first line has no name in front. Write it as “Ana: words”.")
            lines[-1] = replace(lines[-1], text=_clean(f"{lines[-1].text} {row}"))
            continue
        told = found.groupdict()
        start, end = read_clock(told.get("start") or ""), read_clock(told.get("end") or "")
        words = _clean(told["text"])
        if words:
            end = end if start is not None and end is not None and end >= start else None
            lines.append(Line(_clean(told["name"]), words, start, end, ((0, start),) if start is not None else ()))
    if not lines:
        raise Unreadable("There is no word left. To take the transcript out, remove the interview.")
    if len(lines) > MOST_CUES or sum(len(line.text) for line in lines) > MOST_CHARACTERS:
        raise Unreadable("That is too much for one talk. Cut it into the talks it is made of.")
    return tuple(lines)

"""From a file's bytes to a transcript."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from .lines import lines_of
from .names import with_names
from .plain import plain_cues
from .shapes import MOST_BYTES, MOST_CHARACTERS, MOST_CUES, MOST_PROBLEMS, Cue, Problem, Transcript, Unreadable, clean
from .timed import SRT, timed_cues
from .whisper import whisper_cues


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
    text = _BLANKS.sub("  ", text)
    start = text.lstrip()
    problems: list[Problem] = []
    language = ""
    if start.startswith("WEBVTT"):
        format, cues = "WebVTT", with_names(timed_cues(text, problems))
    elif _JSON.match(start):
        format, (cues, language) = "Whisper JSON", whisper_cues(text, problems)
    elif SRT.search(start[:2_000]):
        format, cues = "SRT", with_names(timed_cues(text, problems))
    else:
        format, cues = "plain text", list(plain_cues(text))
    return _joined(format, cues, language, problems)


_BLANKS = re.compile(r"[^\S\n]{3,}")
_JSON = re.compile(r"\{|\[\s*[\[{\"\]]")


def _joined(format: str, cues: Sequence[Cue], language: str, problems: list[Problem]) -> Transcript:
    cues = [replace(cue, text=text) for cue in cues if (text := clean(cue.text))]
    if not cues:
        told = f" {problems[0].reason} (line {problems[0].line})" if problems else ""
        raise Unreadable(f"There is no word in this {format}.{told}")
    if len(cues) > MOST_CUES or sum(len(cue.text) for cue in cues) > MOST_CHARACTERS:
        raise Unreadable(
            f"That are {len(cues):,} cues, too many for one talk ({MOST_CUES:,}, or {MOST_CHARACTERS:,} characters). "
            "Cut it into the talks it is made of."
        )
    return Transcript(format, tuple(lines_of(cues)), language, tuple(problems[:MOST_PROBLEMS]))

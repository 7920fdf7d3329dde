"""A transcript as somebody sends it, checked and with personal data taken out, before anything is stored."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace

from whytree.engines.texts.personal import Redacted, redact
from whytree.engines.voices.transcripts import Line, Problem, Unreadable, decoded, read_transcript
from whytree.errors import Invalid


@dataclass(frozen=True)
class Told:
    """What a file says. `redacted` counts the pieces of personal data that were taken out of it."""

    format: str
    language: str
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    redacted: int
    content_hash: str

    @property
    def speakers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line.speaker for line in self.lines if line.speaker))


def tell(text: str, kinds: Collection[str]) -> Told:
    """Read a transcript; `Invalid` says what is wrong with one that cannot be."""
    try:
        read = read_transcript(text)
    except Unreadable as error:
        raise Invalid(str(error)) from error
    lines, taken = without_personal(read.lines, kinds)
    written = text.removeprefix("\ufeff").replace("\r\n", "\n").strip()
    digest = hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()
    return Told(read.format, read.language, lines, read.problems, taken, digest)


def text_of(raw: bytes) -> str:
    """The text of an uploaded file."""
    try:
        return decoded(raw)
    except Unreadable as error:
        raise Invalid(str(error)) from error


def without_personal(lines: Collection[Line], kinds: Collection[str]) -> tuple[tuple[Line, ...], int]:
    """The same lines with personal data of these kinds taken out, and how many pieces that were."""
    cleaned, taken = [], 0
    for line in lines:
        text, pieces = redact(line.text, kinds)
        speaker, names = redact(line.speaker, kinds)
        cues = tuple((_moved(offset, pieces), ms) for offset, ms in line.cues) if pieces else line.cues
        cleaned.append(replace(line, speaker=speaker, text=text, cues=cues))
        taken += len(pieces) + len(names)
    return tuple(cleaned), taken


def _moved(offset: int, pieces: Collection[Redacted]) -> int:
    """Where a place in the text stands after pieces before it became longer or shorter."""
    grown = 0
    for one in pieces:
        began = one.start - grown
        if offset <= began:
            break
        if offset < began + len(one.original):
            return one.start
        grown += (one.end - one.start) - len(one.original)
    return offset + grown

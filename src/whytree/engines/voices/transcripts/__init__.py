"""A talk, written down: WebVTT, SRT, Whisper's JSON, and plain turns ("Ana: ..."), with or without times.

    read = read_transcript(decoded(raw))
    read.lines        # (Line("Wiktor", "My sister had sent me a picture.", 12_400, 15_900), ...)
    read.problems     # (Problem(31, "“00:aa” is no time; the words are kept without one."), ...)

What is wrong with one cue is that cue's fault: its words are kept, and the problem names the line of the file. Where a file has nobody's
words in it, `Unreadable` says why. Times are milliseconds from the beginning of the recording; None where nobody told.

WebVTT: W3C, "WebVTT: The Web Video Text Tracks Format", 4 and 6. Teams puts the speaker into `<v Name>`, Zoom writes `Name: text`.
"""

from .edited import as_text, read_edited
from .reading import decoded, read_transcript
from .shapes import MOST_BYTES, MOST_CUES, Line, Problem, Transcript, Unreadable, clock, read_clock

__all__ = [
    "MOST_BYTES",
    "MOST_CUES",
    "Line",
    "Problem",
    "Transcript",
    "Unreadable",
    "as_text",
    "clock",
    "decoded",
    "read_clock",
    "read_edited",
    "read_transcript",
]

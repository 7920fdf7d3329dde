"""What five people say in a talk, as a recorder writes it down: WebVTT with voices and times. Pure."""

from whytree.engines.voices.transcripts import clock

from .voices import Voice

THINKING_MS = 1_200  # between two turns


def webvtt(voice: Voice) -> str:
    """The turns of the talk, each as long as its share of the words."""
    turns = [line.split(": ", 1) for line in voice.text.split("\n")]
    words = [len(said.split()) for _, said in turns]
    speaking = voice.metadata["minutes"] * 60_000 - THINKING_MS * len(turns)
    at, cues = 0, ["WEBVTT"]
    for (who, said), count in zip(turns, words, strict=True):
        until = at + round(speaking * count / sum(words))
        cues.append(f"{clock(at, exact=True)} --> {clock(until, exact=True)}\n<v {who}>{said}")
        at = until + THINKING_MS
    return "\n\n".join(cues) + "\n"

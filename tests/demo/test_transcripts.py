"""The five talks as a recorder would have written them."""

import pytest

from whytree.demo.transcripts import webvtt
from whytree.demo.voices import Voice
from whytree.demo.words import interviews
from whytree.engines.voices.transcripts import read_transcript


@pytest.mark.slow  # the whole story
def test_every_talk_reads_back_word_for_word(heard: list[Voice]) -> None:
    talks = {voice.key: voice for voice in heard if voice.source == "interview"}
    for talk in interviews():
        read = read_transcript(webvtt(talks[talk.name]))
        assert read.problems == ()
        said = [f"{line.speaker}: {line.text}" for line in read.lines]
        assert " ".join(said).replace("\n", " ").split()[:3] == talk.text.split()[:3]
        words = " ".join(line.text for line in read.lines)
        assert words.split() == " ".join(row.split(": ", 1)[1] for row in talk.text.strip().split("\n")).split()
        last = read.lines[-1].end_ms
        assert last is not None
        assert talk.minutes - 1 < last / 60_000 <= talk.minutes
        assert all(quote in words for quote in talk.quotes.values())

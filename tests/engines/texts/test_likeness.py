"""How alike two texts are: held to worked examples, to its own laws, and to labelled questions of a bank's customers."""

import csv
import gzip
import math
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.texts.likeness import MOST_WORDS, STEM, compare, stems, weight


def test_words_that_end_differently_are_the_same_word() -> None:
    assert set(stems("Exporting EXPORTS the export, exported")) == {"export", "the"}
    assert stems("Größe")["große"] == "große"
    assert stems("!?…") == {}


def test_a_pasted_log_is_not_compared_word_by_word() -> None:
    assert len(stems(" ".join(f"w{number}" for number in range(10_000)))) == MOST_WORDS


def test_the_score_is_the_weight_of_what_is_shared_over_the_weight_of_all() -> None:
    weights = {"csv": 4.0, "export": 3.0, "the": 0.5, "fails": 2.5}
    mine = stems("the csv export fails")
    alike = compare(mine, stems("csv export is slow"), weights)
    union = 10.0 + 10.0 / 4 * 2  # two words of theirs, each as heavy as one of mine on average
    assert alike.score == pytest.approx(7 / union)
    assert alike.shared == ("csv", "export")
    assert alike.reason == "shares “csv”, “export”"


def test_the_same_words_are_one_and_none_is_nothing() -> None:
    weights = dict.fromkeys(["refund", "now"], 1.0)
    assert compare(stems("Refund now!"), stems("now, REFUND"), weights).score == 1.0
    assert compare(stems("Refund now!"), stems("now, REFUND"), weights).reason == "the same words"
    assert compare(stems("refund"), stems("hello"), weights).score == 0.0


@given(st.text(max_size=60), st.text(max_size=60))
def test_it_lies_between_nothing_and_all(one: str, other: str) -> None:
    mine = stems(one)
    found = compare(mine, stems(other), {stem: weight(len(stem), 100) for stem in mine})
    assert 0.0 <= found.score <= 1.0
    assert math.isfinite(found.score)


@pytest.mark.slow  # 3,080 real questions
def test_what_is_suggested_mostly_means_the_same(shared_data: Path) -> None:
    """3,080 questions with 77 labels: by chance 1 in 77 of the pairs would share theirs."""
    from whytree.voice.finding.alike import SUGGESTED

    with gzip.open(shared_data / "banking77" / "test.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::2]
    texts = [stems(row["text"]) for row in rows]
    held = Counter(stem for text in texts for stem in text)
    weights = {stem: weight(number, len(texts)) for stem, number in held.items()}
    holding = defaultdict(list)
    for place, text in enumerate(texts):
        for stem in text:
            holding[stem].append(place)
    right = suggested = 0
    for place, text in enumerate(texts):
        rare = sorted((stem for stem in text if held[stem] < 300), key=lambda stem: held[stem])[:8]
        near = {other for stem in rare for other in holding[stem]} - {place}
        score, best = max(((compare(text, texts[other], weights).score, other) for other in near), default=(0.0, -1))
        if score >= SUGGESTED:
            suggested += 1
            right += rows[place]["category"] == rows[best]["category"]
    assert suggested > len(rows) / 2
    assert right / suggested > 0.75


def test_beginnings_are_what_the_index_is_asked_for() -> None:
    assert max(map(len, stems("internationalisation of everything"))) == STEM

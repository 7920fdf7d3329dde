"""What to call a theme, and which of its texts speak for it.

A label is made of words and short phrases that many of the theme's texts hold and few others do: share inside times the
logarithm of how much larger it is than outside (class-based TF-IDF, Grootendorst 2022, on shares instead of counts, so
that one long text has one voice). Nothing is invented: every word of a label stands in the texts. Words that only tie others
together name nothing (`tying.txt`); which those are is asked of each text's own language.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from whytree.engines.texts.words import fold, is_unspaced
from whytree.engines.themes.grouping import Labels
from whytree.engines.themes.vectors import Vectors, directions

MOST_WORDS = 80
"""Words of one text that may name a theme."""
LONGEST_PHRASE = 3
LEAST_TIMES = 3
HELD_BY = 0.08
"""A label's words are held by so many of the theme's texts, and so large a share of them; by two, where nothing is."""
LONGEST_LABEL = 60
NAMED = 3
"""Phrases in a label, at most."""
TERMS = 8
QUOTES = 3
WORTH_NAMING = 0.35
"""A further phrase belongs into the label when it scores at least so much of the first one's score."""
SHORTEST_QUOTE, LONGEST_QUOTE = 25, 240
CANDIDATES = 50
"""A theme's texts nearest to its middle: among them those that speak for it are looked for."""
NAMED_WEIGHT, STRANGE_WEIGHT = 0.15, 0.5
"""What a quote gains that holds all words of the label, and loses that holds none which others use, beside its cosine."""
SAME_WORDS = 0.97
"""Cosine from which a second quote only repeats the first."""

# Vowel signs and accents belong to the letter before them, which Python's own words do not know: Indic, Arabic, Hebrew.
_LETTER = r"[^\W\d_][\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0903\u093a-\u0963\u0980-\u0dff]*"
_WORD = re.compile(rf"(?:{_LETTER})+(?:'(?:{_LETTER})+)?")
_DENYING_WORDS = """
    not no never cannot can't cant won't wont don't dont doesn't doesnt didn't didnt isn't isnt wasn't couldn't couldnt
    haven't hasn't without
"""
_DENYING = frozenset(_DENYING_WORDS.split())
_AFTER_VERBS = frozenset(("in", "out", "up", "off", "on", "back", "down"))


def words_of(text: str) -> list[str]:
    """The words of a plain text; of a script without spaces every two neighbouring characters."""
    words: list[str] = []
    for word in _WORD.findall(text):
        if is_unspaced(word):
            words += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        else:
            words.append(word)
        if len(words) >= MOST_WORDS:
            break
    return words


@cache
def tying_words() -> dict[str, frozenset[str]]:
    """Language -> its words that only tie; English comes first."""
    words: dict[str, set[str]] = {}
    for line in (resources.files(__package__) / "tying.txt").read_text("utf-8").splitlines():
        if len(line) == 2:
            language = words.setdefault(line, set())
        elif not line.startswith("#"):
            language.update(map(fold, line.split()))
    return {language: frozenset(some) for language, some in words.items()}


def tying_in(words: Sequence[str]) -> frozenset[str]:
    """Which words only tie in a text with these: English ones, and those of the language that most of them are of."""
    said, known = set(words), tying_words()
    most = max(known, key=lambda language: len(said & known[language]))  # the first, where several are alike
    return known["en"] | known[most]


def phrases_of(words: Sequence[str]) -> Iterator[str]:
    """Words and phrases that could stand in a label; a phrase neither begins nor ends with a word that only ties."""
    tying = tying_in(words)
    for size in range(1, LONGEST_PHRASE + 1):
        for at in range(len(words) - size + 1):
            part = words[at : at + size]
            if _names_something(part, tying):
                yield " ".join(part)


def _names_something(part: Sequence[str], tying: frozenset[str]) -> bool:
    told = [word for word in part if word not in tying and word not in _DENYING]
    if not told or any(len(word) < 2 for word in told):
        return False
    begins = part[0] not in tying
    ends = part[-1] not in tying and part[-1] not in _DENYING
    return begins and (ends or (len(part) > 1 and part[-1] in _AFTER_VERBS and part[-2] in told))


def name_themes(texts: Sequence[str], labels: Labels, count: int) -> list[list[str]]:
    """For each theme the phrases that tell it from the others, the most telling first. `texts` are plain texts."""
    inside: list[Counter[str]] = [Counter() for _ in range(count)]
    sizes = [0] * count
    everywhere: Counter[str] = Counter()
    for text, label in zip(texts, labels.tolist(), strict=True):
        said = set(phrases_of(words_of(text)))
        everywhere.update(said)
        if label >= 0:
            inside[label].update(said)
            sizes[label] += 1
    total = len(texts)
    return [_telling(inside[at], sizes[at], everywhere, total) for at in range(count)]


def _telling(inside: Counter[str], size: int, everywhere: Counter[str], total: int) -> list[str]:
    least = max(LEAST_TIMES, HELD_BY * size)
    if not any(times >= least for times in inside.values()):
        least = 2
    scored = {
        phrase: _score(phrase, times / size, (everywhere[phrase] - times + 0.5) / (total - size + 1))
        for phrase, times in inside.items()
        if times >= least
    }
    order = sorted(scored, key=lambda phrase: (-scored[phrase], phrase))
    best = [phrase for phrase in order if scored[phrase] > 0][: 12 * TERMS]
    chosen: list[str] = []
    for phrase in best:
        if len(chosen) == TERMS:
            break
        if not any(_repeats(phrase, other) for other in chosen):
            chosen.append(phrase)
    enough = [phrase for phrase in chosen if scored[phrase] >= WORTH_NAMING * scored[chosen[0]]][:NAMED]
    return [*enough, *[phrase for phrase in chosen if phrase not in enough]]


def _score(phrase: str, inside: float, outside: float) -> float:
    """Longer phrases say more and are rarer: their number of words makes up for it."""
    return inside * math.log(max(inside / outside, 1e-9)) * (phrase.count(" ") + 1)


def _repeats(phrase: str, other: str) -> bool:
    """Whether two phrases share a word, endings apart."""
    return bool({_stem(word) for word in _content(phrase)} & {_stem(word) for word in _content(other)})


def _content(phrase: str) -> list[str]:
    words = phrase.split()
    tying = tying_in(words)
    return [word for word in words if word not in tying and word not in _DENYING] or words


def _stem(word: str) -> str:
    return word[:5] if len(word) > 6 else word.rstrip("s")


def label_of(terms: Sequence[str], quote: str) -> str:
    """The first phrases, as many as fit. Without a telling word, or in a script without spaces, a theme is called by its quote."""
    named = ""
    for term in terms[:NAMED] if terms and not is_unspaced(terms[0]) else ():
        longer = f"{named} · {term}" if named else term
        if len(longer) > LONGEST_LABEL:
            break
        named = longer
    return named or (quote if len(quote) <= LONGEST_LABEL else quote[: LONGEST_LABEL - 1].rstrip() + "…")


def told_apart(labels: Sequence[str], terms: Sequence[Sequence[str]]) -> list[str]:
    """The same labels, with one more word where two themes would be called the same."""
    counted = Counter(labels)
    given: dict[str, int] = defaultdict(int)
    result = []
    for label, words in zip(labels, terms, strict=True):
        if counted[label] > 1:
            given[label] += 1
            more = next((word for word in words if word not in label), str(given[label]))
            label = f"{label} · {more}"
        result.append(label)
    return result


def common_words(texts: Sequence[str]) -> frozenset[str]:
    """Words that some of the texts share: what else there is are names, slips and rows of letters."""
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(set(words_of(text)))
    return frozenset(word for word, times in counted.items() if times >= LEAST_TIMES)


@dataclass(frozen=True)
class Speaking:
    """Which of a theme's texts speak for it: `texts` are plain, each said so many `times`, `common` the words that some share."""

    texts: Sequence[str]
    vectors: Vectors
    common: frozenset[str]
    times: Labels

    def typical(self, members: Labels, middle: Vectors, terms: Sequence[str]) -> list[int]:
        """Near its middle, in the words of its label (`terms`), readable, and not the same twice; what a large share of the theme
        says word by word speaks for it, too. Places among all texts.
        """
        near = self.vectors[members] @ directions(middle[None, :])[0]
        share = self.times[members] / self.times[members].sum()
        looked_at = np.union1d(np.argsort(-near, kind="stable")[:CANDIDATES], share.argmax())
        score = {
            int(members[at]): float(near[at] + share[at]) + self._told(int(members[at]), terms[:NAMED])
            for at in looked_at
        }
        chosen: list[int] = []
        for at in sorted(score, key=lambda one: (-score[one], one)):
            if all(float(self.vectors[at] @ self.vectors[other]) < SAME_WORDS for other in chosen):
                chosen.append(at)
            if len(chosen) == QUOTES:
                break
        return chosen

    def _told(self, at: int, terms: Sequence[str]) -> float:
        """How much a text tells a reader of its theme, as a share of a cosine. Two words tell little, and nobody reads a page,
        a row of pictures or of letters: they come later, not never.
        """
        text, words = self.texts[at], words_of(self.texts[at])
        spoken = f" {' '.join(words)} "
        named = sum(f" {term} " in spoken for term in terms) / max(1, len(terms))
        strange = sum(word not in self.common for word in words) / max(1, len(words))
        drawn = sum(not (letter.isalnum() or letter.isascii()) for letter in text) / len(text)
        length = 0.3 if len(text) < SHORTEST_QUOTE else 0.2 if len(text) > LONGEST_QUOTE else 0.0
        return NAMED_WEIGHT * named - STRANGE_WEIGHT * (strange + drawn) - length

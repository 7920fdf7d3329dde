"""`find_themes`: from texts to themes, with every text's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whytree.engines.themes.grouping import Labels, assign, group, middles
from whytree.engines.themes.labels import TERMS, Speaking, common_words, label_of, name_themes, told_apart
from whytree.engines.themes.texts import Distinct, distinct
from whytree.engines.themes.vectors import SEED, OwnVectors, Vectors, directions

LEAST_TEXTS = 20
"""Distinct texts below which groups are chance."""
MOST_GROUPED = 10_000
"""Distinct texts among which themes are looked for: a draw from all. The others join the theme of their nearest."""

Embed = Callable[[Sequence[str]], Vectors]


class TooFew(ValueError):
    """There are not enough texts that say something; `count` of them are there."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class TooAlike(ValueError):
    """All texts say the same, in the words `text`."""

    def __init__(self, text: str, count: int) -> None:
        super().__init__(text, count)
        self.text = text
        self.count = count


@dataclass(frozen=True)
class Theme:
    """Texts that speak of the same. `quotes` are places in the list of texts, the most typical first.

    `is_quoted`: no word told it from the others, and the label is one text's own words.
    """

    id: int
    label: str
    size: int
    terms: tuple[str, ...]
    quotes: tuple[int, ...]
    middle: Vectors
    is_quoted: bool = False


@dataclass(frozen=True)
class Found:
    """Themes, the largest first, and the theme of each text by id; None where a text is in none."""

    themes: list[Theme]
    of_text: list[int | None]
    near: Vectors
    """How near each text is to its theme's middle: cosine, 0 where it is in none."""

    @property
    def left_over(self) -> int:
        return sum(theme is None for theme in self.of_text)


def find_themes(texts: Sequence[str | None], *, embed: Embed | None = None) -> Found:
    """Sort texts into themes, as many as there are in them.

    `embed` gives one vector a text; without it the vectors are learnt from the texts. Raises `TooFew` and `TooAlike`.
    """
    read = distinct(texts)
    if len(read.read) == 1 and int(read.times[0]) > 1:
        raise TooAlike(texts[read.first[0]] or "", int(read.times[0]))
    if len(read.read) < LEAST_TEXTS:
        raise TooFew(len(read.read))
    drawn = _draw(len(read.read))
    vectors = _vectors(texts, read, drawn, embed)
    labels = _labels(vectors, read.times, drawn)
    return _described(texts, read, vectors, labels, drawn)


def _draw(count: int) -> Labels:
    if count <= MOST_GROUPED:
        return np.arange(count, dtype=np.int64)
    return np.sort(np.random.default_rng(SEED).choice(count, MOST_GROUPED, replace=False))


def _vectors(texts: Sequence[str | None], read: Distinct, drawn: Labels, embed: Embed | None) -> Vectors:
    if embed is not None:
        return directions(embed([texts[at] or "" for at in read.first.tolist()]))
    own = OwnVectors([read.read[at] for at in drawn.tolist()])
    if len(drawn) == len(read.read):
        return own.of_texts
    vectors = np.empty((len(read.read), own.of_texts.shape[1]), dtype=np.float32)
    vectors[drawn] = own.of_texts
    others = _others(len(read.read), drawn)
    vectors[others] = own.vectors([read.read[at] for at in others.tolist()])
    return vectors


def _others(count: int, drawn: Labels) -> Labels:
    return np.setdiff1d(np.arange(count, dtype=np.int64), drawn, assume_unique=True)


def _labels(vectors: Vectors, times: Labels, drawn: Labels) -> Labels:
    """A label for each distinct text: grouped among those drawn, the others by their nearest."""
    labels = np.full(len(vectors), -1, dtype=np.int64)
    speaking = drawn[np.abs(vectors[drawn]).sum(axis=1) > 0]
    if len(speaking) < LEAST_TEXTS:
        raise TooFew(len(speaking))
    labels[speaking] = group(vectors[speaking], times[speaking])
    others = _others(len(vectors), drawn)
    if len(others) and labels.max() >= 0:
        labels[others] = assign(vectors[others], vectors[drawn], labels[drawn])
    return labels


def _described(texts: Sequence[str | None], read: Distinct, vectors: Vectors, labels: Labels, drawn: Labels) -> Found:
    """Sizes count every text, repeats too; names and quotes are taken from those drawn."""
    plain = [read.read[at] for at in drawn.tolist()]
    labels = _by_size(labels, read.times)
    terms = name_themes(plain, labels[drawn], int(labels.max()) + 1)
    joined = _by_size(_joined(labels, terms), read.times)
    if joined.max() < labels.max():
        labels, terms = joined, name_themes(plain, joined[drawn], int(joined.max()) + 1)
    count = len(terms)
    times = np.bincount(labels[labels >= 0], weights=read.times[labels >= 0], minlength=count).astype(np.int64)
    sums, _ = middles(vectors, labels) if count else (np.zeros((0, 1), dtype=np.float32), None)
    speaking = Speaking(read.read, vectors, common_words(plain), read.times)
    quotes = [speaking.typical(drawn[labels[drawn] == at], sums[at], terms[at]) for at in range(count)]
    names = [label_of(words, texts[read.first[said[0]]] or "") for words, said in zip(terms, quotes, strict=True)]
    themes = [
        Theme(
            at + 1,
            name,
            int(times[at]),
            tuple(terms[at][:TERMS]),
            tuple(int(read.first[place]) for place in quotes[at]),
            directions(sums[at][None, :])[0],
            not label_of(terms[at], ""),
        )
        for at, name in enumerate(told_apart(names, terms))
    ]
    near = np.zeros(len(labels) + 1, dtype=np.float32)
    inside = labels >= 0
    near[:-1][inside] = np.einsum("ij,ij->i", vectors[inside], directions(sums)[labels[inside]]) if count else 0.0
    of_distinct = np.append(labels, -1)
    of_text = [int(of_distinct[at]) + 1 or None for at in read.of_text.tolist()]
    return Found(themes, of_text, near[read.of_text])


def _by_size(labels: Labels, times: Labels) -> Labels:
    """Themes numbered from 0, the largest first; -1 stays."""
    names, place = np.unique(labels[labels >= 0], return_inverse=True)
    sizes = np.bincount(place, weights=times[labels >= 0], minlength=len(names))
    rank = np.empty(len(names), dtype=np.int64)
    rank[np.lexsort((names, -sizes))] = np.arange(len(names))
    found = np.full_like(labels, -1)
    found[labels >= 0] = rank[place]
    return found


def _joined(labels: Labels, terms: Sequence[Sequence[str]]) -> Labels:
    """Themes that are told from the others by just the same words are one: no reader could tell them apart, either."""
    first: dict[frozenset[str], int] = {}
    same = [first.setdefault(frozenset(words), at) if words else at for at, words in enumerate(terms)]
    return np.array([*same, -1], dtype=np.int64)[labels]


def find_with(texts: Sequence[str | None], model: str = "") -> Found:
    """The same for another process, which has to be told by plain values: no `model` is the words alone, else as `load_model`."""
    if not model:
        return find_themes(texts)
    from whytree.engines.themes.sentences import PACKAGED_MODEL, load_model

    return find_themes(texts, embed=load_model(None if model == PACKAGED_MODEL else Path(model)).embed)

"""Texts as points: near is alike. Learnt from the texts themselves, small enough to look through 200,000 for one question.

    space = learn(texts)
    codes = space.codes(texts)                                 # int8, one row a text
    places, likeness = nearest([codes], space.place("lost card"), most=300)
    fused = fuse(found_by_words, found_by_meaning)

The same parts of words as themes are found by (`engines.themes.vectors`, docs/decisions/0040), in fewer dimensions, one byte
each. A space is a handful of arrays without pickled code, so that it can lie in a database and be opened by any process.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from whytree.engines.themes.texts import distinct, plain_text
from whytree.engines.themes.vectors import LEAST_TIMES, SEED, TEXTS_A_DIMENSION, TOO_COMMON, Vectors, directions

VERSION = 1
"""Of how texts become points: another one has everything placed anew."""

DIMENSIONS = 96
"""Of the words' own space. On banking77 64 to 128 find within .02 of each other (docs/voices.md)."""
LEARNT_FROM = 10_000
MOST_PARTS = 32_768
LEAST_TEXTS = 20
"""Distinct texts below which nothing is learnt."""
SHORTEST, LONGEST = 3, 5
"""Letters of a part of a word."""

LEAST_KNOWN = 0.2
"""Of a question's weight, the share that the space holds, below which it is none of this product's. Of banking77's labels and
questions every one has more; questions about pizza, the weather or Kubernetes have .04 to .12."""

STEP = 1_024
"""Rows multiplied at once: their floats stay in the processor's cache, and no second thread is woken for them."""

FUSED = 60
"""The k of reciprocal rank fusion; 60 is the authors'."""

Codes = NDArray[np.int8]
Places = NDArray[np.int64]
Embed = Callable[[Sequence[str]], Vectors]
One = TypeVar("One", bound=Hashable)

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Space:
    """`axes[part]` is where a part of a word points and `weights[part]` what it weighs; where a sentence model reads there
    are no parts, and `axes` brings the model's dimensions down to ours."""

    parts: dict[str, int]
    weights: Vectors
    axes: Vectors

    def place(self, text: str, embed: Embed | None = None) -> Vectors:
        """Where a question lies: one direction, all zeros where too little of what it says is spoken of here.

        Every text has a nearest one; what `pizza` comes near among a bank's customers answers nothing.
        """
        if embed is not None:
            read: Vectors = directions(embed([text]) @ self.axes)[0]
            return read
        counted = Counter(parts_of(plain_text(text)))
        known = Counter({part: times for part, times in counted.items() if part in self.parts})
        if not known:
            return np.zeros(self.axes.shape[1], dtype=np.float32)
        row = self._row(known)
        strange = sum((1 + math.log(times)) ** 2 for part, times in counted.items() if part not in known)
        whole = (
            float(np.sum((self._times(known) * self._of(known, self.weights)) ** 2))
            + strange * float(self.weights.max()) ** 2
        )
        kept = float(np.linalg.norm(row)) / math.sqrt(whole)
        place: Vectors = directions(row[None, :])[0] if kept >= LEAST_KNOWN else np.zeros_like(row)
        return place

    def codes(self, texts: Sequence[str], embed: Embed | None = None) -> Codes:
        """Many texts, one byte a dimension."""
        return np.rint(self._directions(texts, embed) * 127).astype(np.int8)

    def _directions(self, texts: Sequence[str], embed: Embed | None) -> Vectors:
        if embed is not None:
            return directions(embed(texts) @ self.axes)
        rows = np.zeros((len(texts), self.axes.shape[1]), dtype=np.float32)
        for at, text in enumerate(texts):
            known = Counter(part for part in parts_of(plain_text(text)) if part in self.parts)
            if known:
                rows[at] = self._row(known)
        return directions(rows)

    def _row(self, known: Counter[str]) -> Vectors:
        row = (self._times(known) * self._of(known, self.weights)) @ self._of(known, self.axes)
        return np.asarray(row, dtype=np.float32)

    def _of(self, known: Counter[str], held: Vectors) -> Vectors:
        chosen: Vectors = held[[self.parts[part] for part in known]]
        return chosen

    @staticmethod
    def _times(known: Counter[str]) -> Vectors:
        return np.asarray(1 + np.log(np.fromiter(known.values(), dtype=np.float32, count=len(known))), dtype=np.float32)

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        words = np.frombuffer("\n".join(self.parts).encode(), dtype=np.uint8)
        np.savez_compressed(file, words=words, weights=self.weights, axes=self.axes.astype(np.float16))
        return file.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> Space:
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            words = held["words"].tobytes().decode()
            parts = {part: at for at, part in enumerate(words.split("\n"))} if words else {}
            return Space(parts, held["weights"], held["axes"].astype(np.float32))


def parts_of(plain: str) -> list[str]:
    """The parts of each word, edges included: ` ca`, `car`, `ard`, `rd `, ` car` ... A word shorter than a part counts once."""
    found: list[str] = []
    for match in _WORD.finditer(plain):
        word = f" {match[0]} "
        for size in range(SHORTEST, LONGEST + 1):
            if len(word) <= size:
                found.append(word)
                break
            found += [word[at : at + size] for at in range(len(word) - size + 1)]
    return found


def learn(texts: Sequence[str], embed: Embed | None = None) -> Space | None:
    """A space from some of these texts; None where there are too few, or they have nothing in common.

    TF-IDF with a sublinear term frequency, brought down by truncated SVD (latent semantic analysis; Deerwester et al. 1990).
    """
    from sklearn.decomposition import TruncatedSVD

    read = distinct(texts).read
    if len(read) < LEAST_TEXTS:
        return None
    if len(read) > LEARNT_FROM:
        drawn = np.random.default_rng(SEED).choice(len(read), LEARNT_FROM, replace=False)
        read = [read[at] for at in np.sort(drawn).tolist()]
    parts: dict[str, int] = {}
    weights = np.zeros(0, dtype=np.float32)
    rows, parts, weights = (embed(read), parts, weights) if embed is not None else _counted(read)
    if rows is None:
        return None
    size = min(DIMENSIONS, max(len(read) // TEXTS_A_DIMENSION, 16), min(rows.shape) - 1)
    if size < 2:
        return None
    axes = np.asarray(TruncatedSVD(size, random_state=SEED).fit(rows).components_.T, dtype=np.float32)
    return Space(parts, weights, axes)


def _counted(read: Sequence[str]) -> tuple[Any, dict[str, int], Vectors]:
    """Texts by parts, the parts there are, and what each weighs. Rows are of length 1, as their directions will be; they are a
    sparse matrix, of which SciPy tells no types, or None where the texts share nothing.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    few = len(read) < 100  # a share of few texts says little
    counting = TfidfVectorizer(
        analyzer=parts_of,
        sublinear_tf=True,
        min_df=2 if few else LEAST_TIMES,
        max_df=0.6 if few else TOO_COMMON,
        max_features=MOST_PARTS,
        dtype=np.float32,
    )
    try:
        rows = counting.fit_transform(read)
    except ValueError:  # nothing in common anywhere
        return None, {}, np.zeros(0, dtype=np.float32)
    return (
        rows,
        {str(part): at for at, part in enumerate(counting.get_feature_names_out())},
        counting.idf_.astype(np.float32),
    )


def nearest(
    shards: Sequence[Codes], place: Vectors, *, most: int, but: Sequence[NDArray[np.bool_]] = ()
) -> tuple[Places, Vectors]:
    """The `most` rows that point most nearly where `place` does, over all shards counted on, and their cosine, the best first.

    `but` says of each shard's rows which are not asked for.
    """
    if not shards or not np.any(place):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    likeness = np.concatenate([_likeness(codes, place) for codes in shards])
    if but:
        likeness[np.concatenate(but)] = -1
    most = min(most, len(likeness))
    best = np.argpartition(-likeness, most - 1)[:most]
    best = best[np.argsort(-likeness[best], kind="stable")]
    return best.astype(np.int64), likeness[best]


def _likeness(codes: Codes, place: Vectors) -> Vectors:
    found = np.empty(len(codes), dtype=np.float32)
    floats = np.empty((min(STEP, len(codes)), codes.shape[1]), dtype=np.float32)
    for at in range(0, len(codes), STEP):
        some = codes[at : at + STEP]
        np.copyto(floats[: len(some)], some)
        np.dot(floats[: len(some)], place, out=found[at : at + len(some)])
    likeness: Vectors = np.divide(found, np.float32(127), dtype=np.float32)
    return likeness


def fuse(*lists: Sequence[One]) -> list[One]:
    """One order from several: 1 / (k + rank), added up (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms
    Condorcet and individual rank learning methods", SIGIR 2009, equation 1).
    What is in any list is in it; at a draw the first list's comes first.
    """
    score: dict[One, float] = {}
    for one_list in lists:
        for rank, one in enumerate(one_list, start=1):
            score[one] = score.get(one, 0.0) + 1 / (FUSED + rank)
    return sorted(score, key=lambda one: -score[one])


def embed_of(model: str) -> Embed | None:
    """What reads sentences: `packaged`, or a model's folder; None where the words alone do. Raises `NoModel`."""
    if not model:
        return None
    from whytree.engines.themes.sentences import PACKAGED_MODEL, load_model

    return load_model(None if model == PACKAGED_MODEL else Path(model)).embed


def learn_with(texts: Sequence[str], model: str) -> bytes | None:
    """`learn` for another process, which has to be told by plain values."""
    space = learn(texts, embed_of(model))
    return space.to_bytes() if space is not None else None


def codes_with(data: bytes, model: str, texts: Sequence[str]) -> Codes:
    """`Space.codes`, likewise."""
    return Space.from_bytes(data).codes(texts, embed_of(model))

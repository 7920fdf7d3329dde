"""Texts as vectors, learnt from the texts themselves: alike texts point the same way.

Character n-grams inside words (3 to 5 letters), weighted by TF-IDF with a sublinear term frequency (Manning, Raghavan and
Schütze 2008, 6.4.1), brought down to a few hundred dimensions by truncated SVD (latent semantic analysis; Deerwester et
al. 1990). Parts of words take the place of stemming in every language, forgive typing mistakes, and find the parts of
compounds. docs/decisions/0040 has the measurements.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

DIMENSIONS = 200
TEXTS_A_DIMENSION = 8
"""A dimension that a few texts have to themselves parts them from all others: of few texts, fewer dimensions are kept."""
SEED = 20
# An n-gram in fewer texts than this ties nobody together; one in more than this share of them tells nothing apart.
LEAST_TIMES = 3
TOO_COMMON = 0.3


class OwnVectors:
    """Learnt from some texts, for those and others."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        few = len(texts) < 100  # a share of few texts says little
        self._counting = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(3, 5),
            sublinear_tf=True,
            min_df=2 if few else LEAST_TIMES,
            max_df=0.6 if few else TOO_COMMON,
            dtype=np.float32,
        )
        try:
            counts = self._counting.fit_transform(texts)
        except ValueError:  # nothing in common anywhere
            self.of_texts: Vectors = np.zeros((len(texts), 1), dtype=np.float32)
            self._reducing = None
            return
        size = min(DIMENSIONS, max(len(texts) // TEXTS_A_DIMENSION, 16), min(counts.shape) - 1)
        self._reducing = TruncatedSVD(size, random_state=SEED) if size >= 2 else None
        self.of_texts = directions(self._reducing.fit_transform(counts) if self._reducing else counts.toarray())

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Others in the same space."""
        if self._reducing is None:
            return np.zeros((len(texts), self.of_texts.shape[1]), dtype=np.float32)
        return directions(self._reducing.transform(self._counting.transform(texts)))


def directions(rows: NDArray[np.floating]) -> Vectors:
    """Each row of length 1; a row of nothing stays nothing."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 1e-9, lengths, 1.0), dtype=np.float32)

"""Vectors into groups, as many as there are: communities of the graph of nearest neighbours.

Each text is tied to its ten nearest by cosine; Louvain (Blondel et al. 2008) finds communities of maximal modularity, at
doubling resolutions from coarse to fine. Which resolution is decided by the vectors: the coarsest one whose silhouette
(Rousseeuw 1987, in its form with centroids) comes within a twentieth of the best. A finer one would part what a reader calls
the same, for nothing that can be seen in the texts. Groups smaller on average than a text's neighbours are pieces of their own
neighbourhood: resolutions that give such are not considered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from whytree.engines.themes.vectors import SEED, Vectors, directions

Labels = NDArray[np.int64]

NEIGHBOURS = 10
RESOLUTIONS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
NEARLY_AS_GOOD = 0.95
LEAST_SIZE = 3
"""Two texts that are alike are a pair, not a theme."""

_BLOCK = 2_000


def nearest(vectors: Vectors, among: Vectors, count: int, *, same: bool = False) -> tuple[Labels, Vectors]:
    """The nearest of `among` and their cosines, nearest first. `same`: both are the same list, and nobody is their own neighbour."""
    count = min(count, len(among) - same)
    places = np.empty((len(vectors), count), dtype=np.int64)
    cosines = np.empty((len(vectors), count), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK] @ among.T
        if same:
            rows = np.arange(len(block))
            block[rows, rows + start] = -2.0
        found = np.argpartition(-block, count - 1, axis=1)[:, :count] if count < len(among) else _all_of(block)
        values = np.take_along_axis(block, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        places[start : start + _BLOCK] = np.take_along_axis(found, order, axis=1)
        cosines[start : start + _BLOCK] = np.take_along_axis(values, order, axis=1)
    return places, cosines


def _all_of(block: Vectors) -> Labels:
    return np.tile(np.arange(block.shape[1], dtype=np.int64), (len(block), 1))


def group(vectors: Vectors, times: Labels) -> Labels:
    """A label a text, 0 upwards, the largest group first; -1 for a text that is alike to too few others.

    `times` says how often each text was said: what three people say in the same words is a group, too.
    """
    graph = _graph(vectors)
    tried = [_communities(graph, resolution) for resolution in RESOLUTIONS]
    tried = [labels for labels in tried if len(labels) >= NEIGHBOURS * (labels.max() + 1)] or tried[:1]
    scores = [silhouette(vectors, labels) for labels in tried]
    good_enough = max(scores) * NEARLY_AS_GOOD if max(scores) > 0 else max(scores)
    chosen = next(labels for labels, score in zip(tried, scores, strict=True) if score >= good_enough)
    return _largest_first(chosen, times)


def _graph(vectors: Vectors) -> csr_matrix:
    places, cosines = nearest(vectors, vectors, NEIGHBOURS, same=True)
    count = len(vectors)
    rows = np.repeat(np.arange(count), places.shape[1])
    ties = csr_matrix((np.maximum(cosines, 0.0).ravel(), (rows, places.ravel())), shape=(count, count))
    return ties.maximum(ties.T).tocsr()


def _communities(graph: csr_matrix, resolution: float) -> Labels:
    from sknetwork.clustering import Louvain

    return np.asarray(Louvain(resolution=resolution, random_state=SEED).fit_predict(graph), dtype=np.int64)


def silhouette(vectors: Vectors, labels: Labels) -> float:
    """-1 to 1: how much nearer the texts are to their own group's middle than to the next one's. 0 for a single group.

    Each text is left out of its own group's middle, so that many tiny groups do not look good by themselves.
    """
    sums, sizes = middles(vectors, labels)
    if len(sizes) < 2:
        return 0.0
    rows = np.arange(len(vectors))
    own = 1.0 - np.einsum("ij,ij->i", directions(sums[labels] - vectors), vectors)
    away = 1.0 - vectors @ directions(sums).T
    away[rows, labels] = np.inf
    next_one = away.min(axis=1)
    values = (next_one - own) / np.maximum(np.maximum(own, next_one), 1e-9)
    values[sizes[labels] == 1] = 0.0
    return float(values.mean())


def middles(vectors: Vectors, labels: Labels) -> tuple[Vectors, Labels]:
    """Each group's sum of vectors, and its size; texts of no group (-1) are passed over."""
    inside = labels >= 0
    count = int(labels.max()) + 1
    members = csr_matrix(
        (np.ones(int(inside.sum()), dtype=np.float32), (labels[inside], np.flatnonzero(inside))),
        shape=(count, len(labels)),
    )
    return np.asarray(members @ vectors, dtype=np.float32), np.asarray(members.sum(axis=1), dtype=np.int64).ravel()


def assign(vectors: Vectors, known: Vectors, labels: Labels) -> Labels:
    """The group of each of some more texts: that of its nearest among the `known`, each counted by its cosine."""
    inside = labels >= 0
    places, cosines = nearest(vectors, known[inside], NEIGHBOURS)
    theirs = labels[inside][places]
    count = int(labels.max()) + 1
    votes = csr_matrix(
        (np.maximum(cosines, 0.0).ravel(), (np.repeat(np.arange(len(vectors)), places.shape[1]), theirs.ravel())),
        shape=(len(vectors), count),
    )
    chosen = np.asarray(votes.argmax(axis=1), dtype=np.int64).ravel()
    return np.where(votes.max(axis=1).toarray().ravel() > 0, chosen, -1)


def _largest_first(labels: Labels, times: Labels) -> Labels:
    sizes = np.bincount(labels, weights=times)
    kept = [int(one) for one in np.argsort(-sizes, kind="stable") if sizes[one] >= LEAST_SIZE]
    renamed = np.full(len(sizes), -1, dtype=np.int64)
    renamed[kept] = np.arange(len(kept))
    return np.asarray(renamed[labels])

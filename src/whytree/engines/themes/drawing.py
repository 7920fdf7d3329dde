"""Where themes stand on a map: near is alike, nobody lies on anybody.

Places are the first two dimensions of classical scaling (Torgerson 1952) of the cosines between the themes' middles, turned so
that themes stay about where they were (orthogonal Procrustes, Schönemann 1966). Circles of the area of their sizes are then
pushed apart until none overlaps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whytree.engines.themes.vectors import Vectors

Places = NDArray[np.float64]

FILLED = 0.5
"""Share of the map that circles cover: more, and being near means nothing any more."""
ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Circle:
    x: float
    y: float
    radius: float


def lay_out(middles: Vectors, before: Mapping[int, tuple[float, float]]) -> Places:
    """A place from 0 to 1 for each theme; `before` says where some of them (by row) stood last time."""
    count = len(middles)
    if count < 3:
        return np.array([[0.5 + 0.3 * (at - (count - 1) / 2), 0.5] for at in range(count)]).reshape(count, 2)
    places = _scaled(1.0 - middles @ middles.T)
    kept = [row for row in before if row < count]
    if len(kept) >= 3:
        there = np.array([before[row] for row in kept]) - 0.5
        left, _, right = np.linalg.svd(places[kept].T @ there)
        places = places @ (left @ right)
    # by rank: a few odd themes must not press all others into one corner
    return np.column_stack([_spread(places[:, 0]), _spread(places[:, 1])])


def _scaled(distances: NDArray[np.floating]) -> Places:
    count = len(distances)
    centre = np.eye(count) - 1.0 / count
    values, axes = np.linalg.eigh(-0.5 * centre @ np.square(distances.astype(np.float64)) @ centre)
    first = np.argsort(-values)[:2]
    turned = axes[:, first] * np.sqrt(np.maximum(values[first], 1e-12))
    # the sign of an axis is the solver's whim: the heaviest end points right and down
    signs = np.sign(turned[np.argmax(np.abs(turned), axis=0), [0, 1]])
    return np.asarray(turned * np.where(signs == 0, 1.0, signs))


def _spread(values: Places) -> Places:
    """Half the value, half its rank, from 0 to 1."""
    span = float(values.max() - values.min())
    straight = (values - values.min()) / span if span > 1e-12 else np.full(len(values), 0.5)
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(len(values) - 1, 1)
    return np.asarray(0.5 * straight + 0.5 * ranks)


def circles(places: Sequence[tuple[float, float]], sizes: Sequence[int], width: float, height: float) -> list[Circle]:
    """Circles in a picture of this size, none overlapping, all inside, near the places from 0 to 1."""
    if not sizes:
        return []
    total = sum(sizes)
    unit = math.sqrt(FILLED * width * height / (math.pi * max(total, 1)))
    least = min(width, height) / 60
    radii = np.array([min(max(unit * math.sqrt(size), least), min(width, height) / 4) for size in sizes])
    margin = radii + 2
    spots = np.array([[x * width, y * height] for x, y in places], dtype=np.float64)
    # two on the same spot need a direction to part in
    spots += np.column_stack([np.cos(np.arange(len(sizes))), np.sin(np.arange(len(sizes)))]) * 0.01
    low = np.column_stack([margin, margin])
    high = np.column_stack([width - margin, height - margin])
    spots = np.clip(spots, low, high)
    for _ in range(ROUNDS):
        apart = spots[:, None, :] - spots[None, :, :]
        length = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 1e-6)
        missing = np.maximum(margin[:, None] + margin[None, :] - length, 0.0)
        np.fill_diagonal(missing, 0.0)
        if missing.max() < 0.5:
            break
        spots = np.clip(spots + (apart / length[..., None] * (missing * 0.5)[..., None]).sum(axis=1) * 0.6, low, high)
    return [Circle(float(x), float(y), float(radius)) for (x, y), radius in zip(spots, radii, strict=True)]

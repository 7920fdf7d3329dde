"""How many, how much, how it varies together: the sums every comparison of means rests on, *centred*.

A plain sum of squares loses everything when the mean is large against the spread: at a mean of 1e9 it gave a variance
of -134. Here squares are taken about the mean, and two groups are merged by Chan, Golub and LeVeque's update (COMPSTAT
1982, eq. 2.1), so that a store may add up parts in any order and give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from whytree.engines.stats.answers import Floats


@dataclass(frozen=True, eq=False)
class Moments:
    """Of ``n`` units: the mean of each of k variables, and the k x k sums of products of deviations from them.

    The first variable is what is measured; further ones are a ratio's denominator or covariates from before.
    """

    n: int
    mean: Floats
    m2: Floats

    @classmethod
    def of(cls, *columns: Sequence[float] | Floats) -> Moments:
        """From values, one sequence a variable, all equally long."""
        values = [np.asarray(column, dtype=np.float64) for column in columns]
        n, k = len(values[0]), len(values)
        if n == 0:
            return cls(0, np.zeros(k), np.zeros((k, k)))
        means = [float(column.mean()) for column in values]
        away = [column - mean for column, mean in zip(values, means, strict=True)]
        # what rounding left in the mean is taken out once more (Chan, Golub and LeVeque, eq. 1.7)
        left = np.array([float(one.sum()) for one in away])
        m2, products = np.zeros((k, k)), np.empty(n) if k > 1 else away[0]
        for i in range(k):
            for j in range(i + 1):  # pairwise sums are the more exact, and wake no threads
                product = float(np.multiply(away[i], away[j], out=products).sum())
                m2[i, j] = m2[j, i] = product - left[i] * left[j] / n
        return cls(n, np.array(means) + left / n, m2)

    def merged(self, other: Moments) -> Moments:
        """Both groups as one."""
        n = self.n + other.n
        if n == 0:
            return self
        gap = other.mean - self.mean
        return Moments(
            n,
            self.mean + gap * (other.n / n),
            self.m2 + other.m2 + np.outer(gap, gap) * (self.n * other.n / n),
        )

    def combined(self, weights: Sequence[float] | Floats) -> Moments:
        """One variable: the weighted sum of all."""
        by = np.asarray(weights, dtype=np.float64)
        return Moments(self.n, np.array([by @ self.mean]), np.array([[max(float(by @ self.m2 @ by), 0.0)]]))

    @property
    def variance(self) -> float:
        """Of the first variable, unbiased; n must be 2 at least."""
        return float(self.m2[0, 0]) / (self.n - 1)

    @property
    def error(self) -> float:
        """Standard error of the first variable's mean."""
        return float(np.sqrt(self.variance / self.n))

"""Was it a fair draw? Whether arms got as many people as their weights promised; once, or looked at every day."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from whytree.engines.stats.answers import NoAnswer

#: Pseudo-people of the priors that the always-valid test lays around the weights: the many look hardest near to them, the few
#: see an arm that loses a fifth after some hundred people, for which the many alone would need thousands.
CONCENTRATIONS = (100, 1_000, 10_000)

#: People below which Pearson's distribution is replaced by the exact one.
EXACT_BELOW = 1_000


@dataclass(frozen=True)
class Assigned:
    """Who was seen in each arm during one period, and the weights that were in force."""

    seen: Mapping[str, int]
    weights: Mapping[str, float]


@dataclass(frozen=True)
class SampleRatio:
    """Whether arms got as many people as their weights promised.

    ``unexpected`` counts people seen in an arm while its weight was zero (a client that was still on older rules):
    chance cannot put them there, so they are shown, not tested.
    """

    p: float
    statistic: float
    freedom: int
    seen: Mapping[str, int]
    expected: Mapping[str, float]
    unexpected: int


def sample_ratio(periods: Sequence[Assigned]) -> SampleRatio | NoAnswer:
    """Chi-squared test of the arms' sizes against the weights in force (Fabijan et al., KDD 2019, section 2).

    Expected counts are summed over periods, and so is their covariance, N (diag(w) - w w'): with one period this is
    Pearson's statistic, with several it keeps its size where Pearson's on the sums would be too mild. An arm whose
    weight was always zero is no degree of freedom.
    """
    arms = sorted({arm for period in periods for arm, weight in period.weights.items() if weight > 0})
    seen, expected = np.zeros(len(arms)), np.zeros(len(arms))
    covariance = np.zeros((len(arms), len(arms)))
    unexpected = 0
    for period in periods:
        weights = np.array([max(0.0, period.weights.get(arm, 0.0)) for arm in arms])
        here = np.array([period.seen.get(arm, 0) if w > 0 else 0 for arm, w in zip(arms, weights, strict=True)])
        unexpected += sum(period.seen.values()) - int(here.sum())
        if not weights.sum():
            continue
        shares = weights / weights.sum()
        seen += here
        expected += here.sum() * shares
        covariance += here.sum() * (np.diag(shares) - np.outer(shares, shares))
    freedom = int(np.linalg.matrix_rank(covariance))
    if freedom == 0:
        return NoAnswer("At no time could people have landed in more than one arm.")
    gap = seen - expected
    statistic = float(gap @ np.linalg.pinv(covariance) @ gap)
    n = int(seen.sum())
    if len(arms) == 2 and n < EXACT_BELOW and sum(sum(period.seen.values()) > 0 for period in periods) == 1:
        p = _exact(int(seen[0]), n, float(expected[0] / n))
    else:
        p = float(special.chdtrc(freedom, statistic))
    return SampleRatio(
        p=p,
        statistic=statistic,
        freedom=freedom,
        seen=dict(zip(arms, seen.astype(int).tolist(), strict=True)),
        expected=dict(zip(arms, expected.tolist(), strict=True)),
        unexpected=unexpected,
    )


def always_valid_ratio(periods: Sequence[Assigned]) -> SampleRatio | NoAnswer:
    """The same with a p that may be looked at after every person: it is ever below a in at most a of fair draws.

    Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data (NeurIPS 2022, arXiv 2011.03567): the Bayes factor
    of a Dirichlet prior around the weights against the weights is a martingale while they hold, so by Ville's inequality its
    inverse is such a p. Periods of other weights are tested for themselves, and their factors multiplied: that is one too, and
    so is the mean over several priors.
    """
    fixed = sample_ratio(periods)
    if isinstance(fixed, NoAnswer):
        return fixed
    by_prior = [sum(_log_evidence(period, prior) for period in periods) for prior in CONCENTRATIONS]
    evidence = float(special.logsumexp(by_prior)) - math.log(len(by_prior))
    return replace(fixed, p=math.exp(-max(evidence, 0.0)))


def _log_evidence(period: Assigned, concentration: float) -> float:
    arms = [arm for arm, weight in period.weights.items() if weight > 0]
    shares = np.array([period.weights[arm] for arm in arms], dtype=np.float64)
    shares /= shares.sum() or 1.0
    seen = np.array([period.seen.get(arm, 0) for arm in arms], dtype=np.float64)
    if len(arms) < 2:
        return 0.0
    prior = concentration * shares
    grown = special.gammaln(prior + seen) - special.gammaln(prior)
    whole = special.gammaln(prior.sum() + seen.sum()) - special.gammaln(prior.sum())
    return float(grown.sum() - whole - (seen * np.log(shares)).sum())


def _exact(seen: int, n: int, share: float) -> float:
    """Two-sided binomial p: all splits that are no likelier than the one seen."""
    counts = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(counts + 1) - special.gammaln(n - counts + 1)
    chances = np.exp(ways + special.xlogy(counts, share) + special.xlog1py(n - counts, -share))
    return min(1.0, float(chances[chances <= chances[seen] * (1 + 1e-7)].sum()))

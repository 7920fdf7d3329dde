"""Estimates with their doubt, a subject a module.

Every input is a summary (how many, how much, how it varies), but for quantiles and tails, which look at one column.
Every question is answered by an estimate or, where the data hold no answer, by :class:`NoAnswer` with the reason: never
by p = 1 or an interval of zero width. Pure: no clock, no database, no settings.

    answers     Estimate and NoAnswer
    groups      one group: shares, counts, one sum over another
    scores      one group's answers on a scale: net promoters, means; and two groups of either
    moments     centred sums, which everything below takes
    strata      two shares within periods of constant weights
    effects     two arms: means (with covariates) and shares, within periods too; what every comparison ends in
    ratios      two arms: one sum over another; groups that were drawn whole
    quantiles   two arms: medians and percentiles
    parts       in parts of the units: shrunken, weighed by size; among those whom the change could reach
    blocks      periods that were drawn (switchback)
    unrandomised  a step in a daily series, which nobody drew
    bandit      how to share people out where nothing is inferred
    draw        was it a fair draw?
    margins     not worse by more than was allowed
    multiple    several questions at once
    power       what an experiment could show, before it starts
    sequential  an interval that may be looked at every day
    spending    planned looks, and how much of the error each may spend
    bayes       what one may believe after the data
    tails       does one unit carry the mean?
"""

from whytree.engines.stats.answers import LEVEL, Estimate, Floats, Method, NoAnswer
from whytree.engines.stats.draw import Assigned, SampleRatio, always_valid_ratio, sample_ratio
from whytree.engines.stats.groups import clustered_count, count, exact_proportion, proportion, ratio_of_sums
from whytree.engines.stats.strata import Comparison, Share, Stratum, difference_of_proportions

__all__ = [
    "LEVEL",
    "Assigned",
    "Comparison",
    "Estimate",
    "Floats",
    "Method",
    "NoAnswer",
    "SampleRatio",
    "Share",
    "Stratum",
    "always_valid_ratio",
    "clustered_count",
    "count",
    "difference_of_proportions",
    "exact_proportion",
    "proportion",
    "ratio_of_sums",
    "sample_ratio",
]

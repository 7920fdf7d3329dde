"""Estimates with their doubt, a subject a module.

Every input is a summary (how many, how much, how it varies); no raw event reaches this package. Every question is
answered by an :class:`Estimate` or, where the data hold no answer, by :class:`NoAnswer` with the reason: never by
p = 1 or an interval of zero width. Pure: no clock, no database, no settings.
"""

from whytree.engines.stats.answers import LEVEL, Estimate, Floats, Method, NoAnswer
from whytree.engines.stats.draw import Assigned, SampleRatio, sample_ratio
from whytree.engines.stats.groups import clustered_count, count, proportion
from whytree.engines.stats.strata import Arm, Comparison, Stratum, difference_of_means, difference_of_proportions

__all__ = [
    "LEVEL",
    "Arm",
    "Assigned",
    "Comparison",
    "Estimate",
    "Floats",
    "Method",
    "NoAnswer",
    "SampleRatio",
    "Stratum",
    "clustered_count",
    "count",
    "difference_of_means",
    "difference_of_proportions",
    "proportion",
    "sample_ratio",
]

"""The plan, and what figures allow to be said under it. Pure: from sums of arms to a verdict and its sentences."""

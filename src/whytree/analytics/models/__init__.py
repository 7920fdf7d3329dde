"""What is stored of numbers: metrics, cohorts, questions that were kept."""

from .cohorts import Cohort, CohortSize
from .metrics import KEY_LENGTH, KEY_PATTERN, Direction, Metric
from .saved import PREFIX, SavedQuestion

__all__ = ["KEY_LENGTH", "KEY_PATTERN", "PREFIX", "Cohort", "CohortSize", "Direction", "Metric", "SavedQuestion"]

"""What is stored of numbers: metrics, cohorts, questions that were kept, boards."""

from .alerts import Alert, AlertEvent, Letter, Subscription
from .boards import Board, BoardCard
from .cohorts import Cohort, CohortSize
from .imports import DefinitionImport
from .metrics import KEY_LENGTH, KEY_PATTERN, Category, Direction, Metric, MetricRole
from .saved import PREFIX, SavedQuestion

__all__ = [
    "KEY_LENGTH",
    "KEY_PATTERN",
    "PREFIX",
    "Alert",
    "AlertEvent",
    "Board",
    "BoardCard",
    "Category",
    "Cohort",
    "CohortSize",
    "DefinitionImport",
    "Direction",
    "Letter",
    "Metric",
    "MetricRole",
    "SavedQuestion",
    "Subscription",
]

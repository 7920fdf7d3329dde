"""What is stored of numbers: metrics."""

from .metrics import KEY_LENGTH, KEY_PATTERN, Direction, Metric

__all__ = ["KEY_LENGTH", "KEY_PATTERN", "Direction", "Metric"]

"""Which variant a person gets, and why. Pure: no clock, no database.

evaluating   rules and a context in, an `Evaluation` out
switching    the arm of a period, where periods are drawn
rules/       targeting rules, in flagd's definition format
explaining   an evaluation in sentences
flagd_file   a flag in flagd's file format; `posthog` as PostHog's clients read it
moving/      other tools' flags as ours
"""

from .evaluating import (
    BUCKETING,
    FULL_COVERAGE,
    MAX_CHAIN,
    MAX_WEIGHT,
    NOTHING_KNOWN,
    Context,
    Evaluation,
    Evaluator,
    Prerequisite,
    Rules,
    Slots,
    Unit,
    evaluate,
    evaluate_all,
    fault,
    percent,
)
from .rules.bucketing import bucket
from .switching import Switching

__all__ = [
    "BUCKETING",
    "FULL_COVERAGE",
    "MAX_CHAIN",
    "MAX_WEIGHT",
    "NOTHING_KNOWN",
    "Context",
    "Evaluation",
    "Evaluator",
    "Prerequisite",
    "Rules",
    "Slots",
    "Switching",
    "Unit",
    "bucket",
    "evaluate",
    "evaluate_all",
    "fault",
    "percent",
]

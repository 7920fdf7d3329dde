"""From a metric to the question about the same people, and which part of its answer they are: the way back of `as_metric`."""

from datetime import timedelta

from whytree.stores.pieces.filters import Selection

from ..answers import Part
from ..definitions import Conversion, Definition, Ratio, TimeTo
from ..definitions import Retention as RetentionMetric
from ..questions import Funnel, Measured, Question, Retention, Trends, When


def question_of_metric(definition: Definition, when: When) -> tuple[Question, Part]:
    """Those who got there, for what follows somebody; else those who did it; of a ratio, what is divided.

    A metric counts somebody's first try and only who has had all their time, so the question may count a few more.
    """
    match definition:
        case Conversion() | TimeTo():
            steps, within = (definition.entry, definition.goal), timedelta(days=definition.within_days)
            return Funnel(steps, within=within, when=when), Part(step=1, to=2, did="came")
        case RetentionMetric():
            first, last = definition.after_days, definition.after_days + definition.for_days - 1
            asked = Retention(
                definition.begin,
                definition.back,
                "day",
                clock="rolling",
                brackets=((0, 0), (first, last)),
                stretches=last,
                when=when,
            )
            return asked, Part(after=1, did="back")
        case Ratio():
            return _did(definition.top.selection, when)
        case _:
            return _did(definition.did, when)


def _did(selection: Selection, when: When) -> tuple[Question, Part]:
    return Trends((selection,), (Measured("people"),), "whole", when=when), Part()

"""What the team did, act by act, in the order in which it happened.

    @act(day, hour, who)
    def what_they_did(desk): ...

Every act goes through the public API as the colleague who does it; nothing here knows how anything is stored. What is
quoted, measured or decided in an act was there to be quoted, measured or decided on that day.
"""

from collections.abc import Iterator

from ..stage import Act
from ..story import Calendar
from . import beginning, explaining, looking, meanwhile, predicting, understanding  # noqa: F401 - each adds its acts
from .linking import linking
from .writing import WRITTEN


def acts(calendar: Calendar) -> Iterator[Act]:
    """The whole script with its dates."""
    for day, hour, who, play in WRITTEN:
        yield Act(calendar.at(day, hour), who, play)
    yield from linking(calendar)

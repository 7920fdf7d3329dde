"""Voices from the command line."""

from collections.abc import Callable

import typer

from ..board import commands as portal
from ..incoming import commands as incoming
from ..interviews import commands as interviews
from ..interviews import guide_commands as guides
from ..interviews import recruit_commands as recruiting
from ..replies import commands as replies
from ..rounds import commands as rounds
from ..surveys import commands as surveys
from ..themes import commands as themes
from ..weighing import commands as weighing
from . import importing, items, loop, sorting


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    importing.register(group)
    incoming.register(group)
    items.register(group)
    sorting.register(group)
    loop.register(group)
    surveys.register(group)
    themes.register(root, group)
    interviews.register(group)
    guides.register(group)
    weighing.register(group)
    recruiting.register(group)
    portal.register(group)
    replies.register(group)
    rounds.register(group)

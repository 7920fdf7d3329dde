"""Voices from the command line."""

from collections.abc import Callable

import typer

from ..surveys import commands as surveys
from ..themes import commands as themes
from . import importing, items, loop, sorting


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    importing.register(group)
    items.register(group)
    sorting.register(group)
    loop.register(group)
    surveys.register(group)
    themes.register(root, group)

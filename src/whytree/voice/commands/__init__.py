"""Voices from the command line."""

from collections.abc import Callable

import typer

from ..themes import commands as themes
from . import importing, items


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    importing.register(group)
    items.register(group)
    themes.register(root, group)

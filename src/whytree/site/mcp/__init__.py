"""MCP, the Model Context Protocol: a coding agent asks what a person asks. Over stdio in a clone, over HTTP at `/mcp`."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from whytree.workspace.terminal.tooling import Tool

ROOMS = ("why", "tree", "learning", "analytics")


@cache
def all_tools() -> Mapping[str, Tool]:
    """Every room's tools by name, in the order of the rooms."""
    return {tool.name: tool for room in ROOMS for tool in import_module(f"whytree.{room}.tools").TOOLS}

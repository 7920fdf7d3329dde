"""MCP, the Model Context Protocol: a coding agent asks what a person asks. Over stdio in a clone, over HTTP at `/mcp`."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from whytree.workspace.terminal.tooling import Tool

ROOMS = ("why", "tree", "learning", "analytics")


def all_tools() -> Mapping[str, Tool]:
    """Every room's tools by name, in the order of the rooms."""
    listed = [tool for room in ROOMS if find_spec(f"whytree.{room}.tools") for tool in _of(room)]
    return {tool.name: tool for tool in listed}


def _of(room: str) -> tuple[Tool, ...]:
    found: tuple[Tool, ...] = import_module(f"whytree.{room}.tools").TOOLS
    return found

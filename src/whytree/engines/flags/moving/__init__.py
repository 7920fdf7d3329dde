"""Flags of other tools, as ours: flagd's file, PostHog's definitions, GrowthBook's features.

    found = read_flags(document)    # [Incoming(key="new-checkout", ...), LeftOut(key="old", why="...")]

Nobody changes variant where the tool's rule can be written as JsonLogic over the tool's own hash. Where it cannot, the
flag is left out with the reason, or its `notes` say what differs. Pure.
"""

from collections.abc import Mapping
from typing import Any

from .flagd import read_flagd
from .growthbook import read_growthbook
from .incoming import Incoming, LeftOut, Unreadable
from .posthog import read_posthog

__all__ = ["Incoming", "LeftOut", "Unreadable", "read_flags", "tool_of"]


def tool_of(document: Any) -> str:
    """flagd, posthog or growthbook, by the document's shape. Raises `Unreadable`."""
    if isinstance(document, list) or (isinstance(document, Mapping) and isinstance(document.get("results"), list)):
        return "posthog"
    if isinstance(document, Mapping):
        if isinstance(document.get("features"), Mapping):
            return "growthbook"
        if isinstance(document.get("flags"), list):
            return "posthog"
        if isinstance(document.get("flags"), Mapping):
            return "flagd"
    raise Unreadable(
        "This is no flag file that is known. Bring flagd's file (an object `flags`), PostHog's local evaluation or flag list "
        "(a list `flags` or `results`), or GrowthBook's SDK payload (an object `features`)."
    )


def read_flags(document: Any) -> list[Incoming | LeftOut]:
    """Every flag in the document, in its order."""
    return {"flagd": read_flagd, "posthog": read_posthog, "growthbook": read_growthbook}[tool_of(document)](document)

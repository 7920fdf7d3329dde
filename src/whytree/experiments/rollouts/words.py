"""Steps and guardrails as people write them on a line: `5:1d:200` and `crashes:up=0.5`. Pure."""

import re
from typing import Any

from whytree.errors import Invalid

_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*%?(?::(\d+)d)?(?::(\d+))?$")


def step_of(text: str) -> dict[str, Any]:
    """Per cent, days at least, people at least."""
    found = _STEP.match(text.strip())
    if found is None:
        raise Invalid(f"“{text[:60]}” is no step. Write PERCENT:DAYSd:PEOPLE, as 5:1d:200.")
    return {"percent": float(found[1]), "days": int(found[2] or 0), "people": int(found[3] or 0)}


def guardrail_of(text: str) -> dict[str, Any]:
    """A metric, the way that harms, and how far it may go."""
    name, _, margin = text.rpartition("=")
    key, _, way = name.rpartition(":")
    try:
        return {"metric_key": key.strip(), "direction": way.strip(), "margin": float(margin)}
    except ValueError:
        raise Invalid(f"“{text[:60]}” is no guardrail. Write METRIC:up=0.5, or down.") from None

"""Steps and guardrails as people write them on a line, `5:1d:200` and `crashes:up=0.5`; a decision as it might read. Pure."""

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


def drafted(told: str, *, other: str, reached: str, is_rolled_back: bool) -> str:
    """What happened, what may be done and what each means, and what is proposed: as a decision record has it.

    `other` is the variant that people have without it, `reached` the share of people who got it.
    """
    if is_rolled_back:
        options = [
            f"Keep it rolled back: everybody has {other} again.",
            f"Mend it first: {other} until a better one is there.",
        ]
    else:
        options = [
            f"Roll back: everybody gets {other} again.",
            f"Mend it first: it stays with the {reached} who have it until a better one is there.",
            "Go on all the same: what it brings is worth more than what it harms; say here why.",
        ]
    proposed = "Proposed: keep it rolled back" if is_rolled_back else "Proposed: roll back"
    return "\n\n".join(
        [told, "\n".join(f"- {one}" for one in options), f"{proposed}, mend it, and begin again with the first step."]
    )

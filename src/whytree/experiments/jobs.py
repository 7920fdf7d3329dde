"""Fake doors close by themselves."""

from datetime import timedelta
from typing import Any

from whytree.workspace.jobs import handler

from .before_code import close_full_doors

#: How often open fake doors are looked at: nobody is fooled much longer than was needed.
LOOK_EVERY = timedelta(minutes=10)


@handler("experiments.close_full_doors", every=LOOK_EVERY)
def close_doors(payload: dict[str, Any]) -> None:
    """Turn off the flag of each fake door that enough people have seen."""
    close_full_doors()

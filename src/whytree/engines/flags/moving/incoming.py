"""What comes in: a flag as ours will hold it, or the reason why it stays out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FULL = 10_000


class Unreadable(ValueError):
    """A document that is none of those that are known, or is broken; the message says what to bring."""


class CannotCarry(ValueError):
    """A part of a flag that cannot be written as ours; the message finishes "it is left out: ..."."""


@dataclass(frozen=True)
class LeftOut:
    key: str
    why: str


@dataclass(frozen=True)
class Incoming:
    """`moves_nobody` is false where somebody may get another variant than in the tool; `notes` say what differs."""

    key: str
    kind: str
    variants: Mapping[str, Any]
    default_variant: str
    weights: Mapping[str, int]
    coverage: int = 0
    is_on: bool = True
    name: str = ""
    bucketing: str = "3"
    arm_order: Sequence[str] = ()
    targeting: Mapping[str, Any] | None = None
    conditions: Mapping[str, Any] = field(default_factory=dict)
    unit: str = "person"
    is_sticky: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    moves_nobody: bool = True


def kind_of(values: Sequence[Any]) -> str:
    """The one type of all values."""
    for kind, types in (("boolean", bool), ("string", str), ("json", dict), ("json", list)):
        if all(isinstance(value, types) for value in values):
            return kind
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return "number"
    raise CannotCarry("its values are of several types")

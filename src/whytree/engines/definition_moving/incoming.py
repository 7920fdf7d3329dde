"""What comes in: a question, a board, a metric or a cohort as ours, or the reason why it stays out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["question", "metric", "cohort", "board"]


class Unreadable(ValueError):
    """A document that is none of those that are known; the message says what to bring."""


class CannotCarry(ValueError):
    """A part that cannot be said as ours; the message finishes "it is left out: ..."."""


@dataclass(frozen=True)
class LeftOut:
    """`foreign` is what it goes by there, as `insight 12`."""

    foreign: str
    name: str
    why: str


@dataclass(frozen=True)
class Incoming:
    """`definition` is versioned JSON of ours; a cohort that it names stands there as `{"cohort": "FOREIGN"}` or `cohort:FOREIGN`.

    A board's has `days`, `where` (filters), and `cards`: `{"question": "FOREIGN"}` or `{"text": WORDS}`, each `wide` or not.

    `notes` say what differs from there.
    """

    foreign: str
    kind: Kind
    name: str
    definition: Mapping[str, Any]
    description: str = ""
    owner: str = ""
    direction: str = "up"
    notes: Sequence[str] = ()


Moved = Incoming | LeftOut


#: What reading a document raises where a part of it is of another kind than the tool writes.
MALFORMED = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
MALFORMED_WHY = "a part of it is not what it should be"


def texts(value: Any) -> list[str]:
    """One value or several, as the event store writes them."""
    some: Iterable[Any] = value if isinstance(value, list) else [value]
    return [{True: "true", False: "false"}.get(one, str(one)) if isinstance(one, bool) else str(one) for one in some]


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is one, else an empty one: exports leave out what nobody filled in."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def whole(value: Any, what: str) -> int:
    """A whole number of at most a million, however it was written; else `CannotCarry`, naming `what` it was for."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CannotCarry(f"{what} is no whole number")
    try:
        number = float(value)
    except ValueError:
        raise CannotCarry(f"{what} is no whole number") from None
    if number != number or abs(number) > 1_000_000 or number != int(number):
        raise CannotCarry(f"{what} is no whole number")
    return int(number)

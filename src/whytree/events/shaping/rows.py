"""What the door makes of a message: a row for the store, or a reason why not."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from whytree.people.identity import Link, Traits

from .properties import decoded, flatten

CAPTURE, SERVER, IMPORT = "capture", "server", "import"
SOURCES = (CAPTURE, SERVER, IMPORT)
TRUSTED = (SERVER, IMPORT)
"""What a member of the team imports, a human asked for; what a public key says is anybody's word."""


class Event(msgspec.Struct, omit_defaults=True, gc=False):
    """One row of the table `events`; encoded as JSON it is what the engine reads. Times are seconds since 1970.

    Properties are flat text, or the very JSON that was sent when the engine itself reads it as flat text.
    """

    product: int
    person: int
    timestamp: float
    event: str
    event_id: int
    distinct_id: str
    received_at: float
    source: str
    properties: dict[str, str] | msgspec.Raw
    flags: dict[str, str]
    platform: str = ""
    os: str = ""
    browser: str = ""
    app: str = ""
    version: str = ""
    locale: str = ""
    country: str = ""
    path: str = ""
    bot: bool = False  # by its User-Agent; left out of what people ask

    @property
    def said(self) -> dict[str, str]:
        """The properties as flat text, whichever way they are held."""
        if isinstance(self.properties, dict):
            return self.properties
        return flatten(decoded(bytes(self.properties)))[0]


class Normalised(msgspec.Struct, gc=False):
    """A message taken: its event, what it says about who is who, and what else it stands for."""

    event: Event
    types: str = ""  # one letter per property, in their order; empty when they are held as they were sent
    link: Link | None = None
    known: bool = False  # the event's id names a person, not a device
    traits: Traits | None = None
    also: tuple[Link, ...] = ()  # what else another tool's history says of who this is
    exposure: Event | None = None  # the same fact as `$exposure`, when a client reported one under its own name

    def typed(self) -> Iterable[tuple[str, str]]:
        """Each property's name with the letter of its JSON type, for the catalogue."""
        if isinstance(self.event.properties, dict):
            return zip(self.event.properties, self.types, strict=True)
        flat, letters = flatten(decoded(bytes(self.event.properties)))
        return zip(flat, letters, strict=True)


class Rejected(msgspec.Struct, frozen=True):
    """A message not taken, and what to change so that it is."""

    reason: str
    message_id: str = ""
    event: str = ""
    distinct_id: str = ""
    body: bytes = b""


class LeftOut(msgspec.Struct, frozen=True):
    """A message that the product does not want: outside the sample, or a bot's. Not an error, and not kept."""

    reason: str


Outcome = Normalised | Rejected | LeftOut

# Letters in `Normalised.types`.
TYPE_NAMES = {"s": "text", "n": "number", "b": "boolean", "l": "list"}


def as_datetime(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def taken(outcomes: Sequence[Outcome]) -> list[Normalised]:
    return [outcome for outcome in outcomes if isinstance(outcome, Normalised)]

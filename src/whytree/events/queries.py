"""What may be asked of events: the catalogue, what was put aside, how capture is doing."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.utils import timezone

from whytree.stores.events import at_one_moment
from whytree.stores.identity.timeline import any_event
from whytree.stores.usage import catalogue as stored
from whytree.stores.usage.catalogue import CataloguedEvent, CataloguedProperty, PutAside
from whytree.workspace.models import Product

from . import arrivals as arrived
from .arrivals import Arrival, Turned
from .durable.commit import commit

ASIDE_WITHIN = timedelta(days=7)
GROUP_SET = "$group_set."


@dataclass(frozen=True)
class Catalogue:
    """What a product sends: its events, most frequent first, with the properties of each."""

    events: list[CataloguedEvent]
    properties: dict[str, list[CataloguedProperty]] = field(default_factory=dict)
    put_aside: int = 0  # in the last seven days

    @property
    def volume(self) -> int:
        return sum(event.volume for event in self.events)


def catalogue(product: Product) -> Catalogue:
    """Events and properties with type, volume, first and last seen."""
    properties: dict[str, list[CataloguedProperty]] = {}
    with at_one_moment():
        for each in stored.catalogued_properties(product.pk):
            properties.setdefault(each.event, []).append(each)
        return replace(catalogue_of_events(product), properties=properties)


def catalogue_of_events(product: Product) -> Catalogue:
    """Without the properties: what came in the last minutes is read for these, which takes ten times as long."""
    with at_one_moment():
        return Catalogue(stored.catalogued_events(product.pk), put_aside=put_aside_lately(product))


def properties_of(product: Product, event: str) -> list[CataloguedProperty]:
    """The properties of one event, most frequent first."""
    return stored.catalogued_properties(product.pk, event) if event else []


def samples_of(product: Product, event: str) -> dict[str, tuple[str, ...]]:
    """Values that the properties of one event come with, without what it says of people."""
    return stored.sample_values(product.pk, event) if event else {}


def event_names(product: Product, most: int = stored.ALL) -> list[str]:
    """Names to choose from, most frequent first."""
    return stored.event_names(product.pk, most)


def sent_events(product: Product, names: Collection[str]) -> set[str]:
    """Those of these events that ever came."""
    return stored.events_among(product.pk, names)


def sent_properties(product: Product, names: Collection[str]) -> set[str]:
    """Those of these properties that any event came with."""
    return stored.properties_among(product.pk, names)


def property_names(product: Product, event: str = "", most: int = stored.ALL) -> list[str]:
    """Property names of one event or of all, most frequent first."""
    return stored.property_names(product.pk, event, most=most)


@dataclass(frozen=True)
class KnownNames:
    """Names to ask by: of properties, and of what was ever said of companies; most frequent first."""

    properties: list[str]
    company_traits: list[str]


def known_names(product: Product, most: int = stored.ALL) -> KnownNames:
    """So many of each. Of companies PostHog's `$groupidentify` and Segment's `group` tell."""
    told = [name.removeprefix(GROUP_SET) for name in stored.property_names(product.pk, prefix=GROUP_SET, most=most)]
    said = [name for name in property_names(product, "$group", most) if name[:1] != "$" and name != "groupId"]
    return KnownNames(property_names(product, most=most), list(dict.fromkeys([*told, *said])))


def put_aside_lately(product: Product) -> int:
    """How many messages of the last seven days did not become an event."""
    return stored.count_put_aside(product.pk, timezone.now() - ASIDE_WITHIN)


def put_aside(product: Product, limit: int = 50) -> list[PutAside]:
    """What was sent and is no event, newest first, each with its reason."""
    return stored.latest_put_aside(product.pk, limit)


@dataclass(frozen=True)
class LiveStream:
    """What arrived lately at this process, and what was refused as a whole whatever its product."""

    arrivals: list[Arrival]
    turned: list[Turned]
    is_new: bool = False  # whether no event ever came for the product

    @property
    def mark(self) -> str:
        """Another one when there is something new to show."""
        newest = self.arrivals[0].number if self.arrivals else 0
        return f"{newest}-{self.turned[0].at if self.turned else 0}"

    @property
    def sentence(self) -> str:
        if not self.arrivals:
            return "Waiting for the first event." if self.is_new else "Nothing has arrived since this server started."
        last = self.arrivals[0]
        if last.state == "refused":
            return f"The last one was refused: {last.reason}"
        what = {"taken": "was taken", "again": "had been taken before", "left out": "was left out"}[last.state]
        return f"{last.event or 'The last one'} {what}."


def live_stream(product: Product, key_id: int | None = None) -> LiveStream:
    """For setting up an integration: the latest messages with what became of them."""
    lately = arrived.arrivals(product.pk, key_id=key_id)
    return LiveStream(lately, arrived.turned_away(), is_new=not lately and not any_event(product.pk))


@dataclass(frozen=True)
class CaptureStatus:
    """How the door is doing; `spooled` are commits that wait on disk for the store."""

    waiting: int
    spooled: int
    spooled_bytes: int

    @property
    def is_behind(self) -> bool:
        return self.spooled > 0


def capture_status() -> CaptureStatus:
    """For `doctor` and for the page of events."""
    writer = commit()
    files = writer.spool.files()
    return CaptureStatus(writer.waiting, len(files), sum(path.stat().st_size for path in files))

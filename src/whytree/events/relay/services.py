"""Which product passes what on, and where to; and the way in for a call that was accepted."""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from whytree.errors import Invalid, NotFound
from whytree.stores.events import store
from whytree.workspace.models import Product
from whytree.workspace.outside.outgoing import check_url
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..intake.rules import forget
from ..models import Relay
from .queue import Call, Full, Queue

log = logging.getLogger("whytree.events")

# What of a request goes along: not cookies, and not what speaks of the connection to us.
_HEADERS = ("Content-Type", "Content-Encoding", "Authorization", "User-Agent")
_BEGINNINGS = ("Posthog-",)
USUAL = {"posthog": "https://eu.i.posthog.com", "segment": "https://api.segment.io"}


@dataclass(frozen=True)
class Target:
    """A relay that is on."""

    product_id: int
    dialect: str
    url: str

    @property
    def name(self) -> str:
        return f"{self.product_id}-{self.dialect}"


@dataclass(frozen=True)
class RelayStatus:
    """How a relay is doing."""

    dialect: str
    url: str
    waiting_bytes: int
    delivered: int
    refused: int
    trouble: str

    @property
    def is_behind(self) -> bool:
        return self.waiting_bytes > 0


_queues: dict[Path, Queue] = {}
_guard = threading.Lock()


def queue_of(product_id: int, dialect: str) -> Queue:
    """The queue of a product and dialect, one object a process."""
    folder: Path = settings.WHYTREE.data / "relay"
    events = store()
    if events.database != events.engine.default_database:
        folder /= events.database
    folder /= f"{product_id}-{dialect}"
    with _guard:
        return _queues.setdefault(folder, Queue(folder))


def pass_on(request: HttpRequest, product_id: int, dialect: str) -> None:
    """Put an accepted call into the queue. Whatever goes wrong is ours: the client has its answer either way."""
    headers = {name: value for name, value in request.headers.items() if _goes_along(name)}
    headers["X-Forwarded-For"] = request.META.get("REMOTE_ADDR", "")
    call = Call(time.time(), request.get_full_path(), headers, request.body, request.method or "POST")
    try:
        queue_of(product_id, dialect).append(call)
    except Full as full:
        log.error("relay %s-%s: %s bytes wait, so a call was not passed on", product_id, dialect, full.waiting)
    except OSError as error:
        log.error("relay %s-%s cannot be written, a call was not passed on: %s", product_id, dialect, error)


def _goes_along(name: str) -> bool:
    return name in _HEADERS or name.startswith(_BEGINNINGS)


def targets() -> list[Target]:
    """Every relay that is on."""
    return [Target(relay.product_id, relay.dialect, relay.url) for relay in Relay.objects.all()]


def relays_of(product: Product) -> list[RelayStatus]:
    """The product's relays and how they are doing."""
    found = []
    for relay in Relay.objects.filter(product=product).order_by("dialect"):
        queue = queue_of(product.pk, relay.dialect)
        state = queue.state()
        found.append(
            RelayStatus(relay.dialect, relay.url, queue.waiting_bytes(), state.delivered, state.refused, state.trouble)
        )
    return found


def set_relay(actor: Actor, product: Product, dialect: str, url: str) -> Relay:
    """Pass every call of this dialect on to that host from now on."""
    require(actor, product, Role.MAINTAINER)
    if dialect not in Relay.Dialect.values:
        raise Invalid(f"Calls are of {' or '.join(Relay.Dialect.values)}; not {dialect[:40]!r}.")
    url = check_url(url).rstrip("/")
    with transaction.atomic():
        relay = Relay.objects.filter(product=product, dialect=dialect).first()
        before = snapshot(relay) if relay else None
        relay = relay or Relay(product=product, dialect=dialect)
        relay.url = url
        relay.save()
        record(actor, product, "set_relay", relay, before=before, after=snapshot(relay), undoable=False)
    transaction.on_commit(forget)
    return relay


def stop_relay(actor: Actor, product: Product, dialect: str) -> None:
    """Pass nothing on any more. What waits stays on disk and goes on when the relay is set again."""
    require(actor, product, Role.MAINTAINER)
    with transaction.atomic():
        relay = Relay.objects.filter(product=product, dialect=dialect).first()
        if relay is None:
            raise NotFound(f"No {dialect[:40]} calls are passed on.")
        record(actor, product, "stop_relay", relay, before=snapshot(relay), undoable=False)
        relay.delete()
    transaction.on_commit(forget)

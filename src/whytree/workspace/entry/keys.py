"""Keys and tokens: made once, shown once, kept as a hash, found without a query on the hot path.

A secret has 256 random bits, so a plain SHA-256 is enough to keep it (no guessing to slow down), and the lookup is one index probe.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from whytree.errors import Conflict, Forbidden, Invalid, NotFound

from ..models import Environment, Key, Product, User
from ..records.activity import record, snapshot
from ..rights.access import require, require_writing
from ..rights.actors import Actor
from ..rights.roles import Role

CACHE_SECONDS = 2.0  # how long another process may go on taking a key that was just revoked
CACHE_SIZE = 10_000
SCOPES = ("read", "write")
SERVER_SCOPES = ("events", *SCOPES)  # `events`: send events, evaluate flags; the others are the REST API
NOT_FOR_EVENTS = "This key may only use the API. Make one that may send events and evaluate flags, too."
_PREFIXES = {Key.Kind.CAPTURE: "wtc_", Key.Kind.SERVER: "wts_", Key.Kind.PERSONAL: "wtp_"}


@dataclass(frozen=True)
class KeyFacts:
    """What a door needs to know of a key."""

    id: int
    kind: str
    product_id: int | None
    user_id: int | None
    scopes: frozenset[str]
    label: str
    environment_id: int | None = None  # None: production

    @property
    def may_send(self) -> bool:
        """Whether it opens the doors for events and flags."""
        return not self.scopes or "events" in self.scopes


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _issue(
    kind: Key.Kind,
    *,
    name: str,
    product: Product | None,
    user_id: int | None,
    scopes: list[str],
    secret: str = "",
    environment: Environment | None = None,
) -> tuple[Key, str]:
    secret = secret or _PREFIXES[kind] + secrets.token_urlsafe(32)
    key = Key.objects.create(
        kind=kind,
        name=name.strip()[:80] or kind.value,
        prefix=secret[:10],
        secret_hash=hashed(secret),
        product=product,
        user_id=user_id,
        scopes=scopes,
        environment=environment,
    )
    return key, secret


@transaction.atomic
def create_key(
    actor: Actor,
    product: Product,
    *,
    kind: str,
    name: str,
    secret: str = "",
    environment: Environment | None = None,
    scopes: Sequence[str] = (),
) -> tuple[Key, str]:
    """A capture or server key for a product; returns the secret, which is not kept.

    With a `secret` a key that clients have already, of the tool they send to today, opens this product too. A server key
    without `scopes` may do everything that there is for it.
    """
    require(actor, product, Role.MAINTAINER)
    if kind not in (Key.Kind.CAPTURE, Key.Kind.SERVER):
        raise Invalid("A product has capture keys and server keys; personal tokens are made on your own page.")
    if secret:
        _check_adopted(secret, kind)
    if scopes and kind == Key.Kind.CAPTURE:
        raise Invalid("A capture key can only send events and evaluate flags; there is nothing to narrow.")
    _check_scopes(scopes, SERVER_SCOPES)
    own = actor.scopes | {"events"} if actor.product_id is None else actor.scopes  # a person's token sends none itself
    if kind == Key.Kind.SERVER and actor.scopes and not set(scopes or SERVER_SCOPES) <= own:
        raise Forbidden("A token cannot make a key that may do more than itself.")
    key, secret = _issue(
        Key.Kind(kind),
        name=name,
        product=product,
        user_id=actor.user_id or maker_of(actor.key_id),
        scopes=sorted(set(scopes)),
        secret=secret,
        environment=environment,
    )
    record(actor, product, "create_key", key, after=_public(key), undoable=False)
    return key, secret


def maker_of(key_id: int | None) -> int | None:
    """Who made the key that acts: a key's keys are theirs, too."""
    return Key.objects.filter(pk=key_id).values_list("user_id", flat=True).first() if key_id else None


def _check_adopted(secret: str, kind: str) -> None:
    """Raise for what cannot be a key of ours: what stands in pages and apps elsewhere is no secret here."""
    if kind != Key.Kind.CAPTURE:
        raise Invalid("Only a capture key may be one that you have already: it is public, and opens no more than that.")
    if not 8 <= len(secret) <= 200 or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid("A key has 8 to 200 letters, digits and signs, without spaces.")
    if secret.startswith(tuple(_PREFIXES.values())):
        raise Invalid("This is a key of Whytree's own. Use it as it is, or make a new one.")
    if Key.objects.filter(secret_hash=hashed(secret)).exists():
        raise Conflict("This key is taken already, here or by another product. Revoked keys stay taken.")


def _check_scopes(scopes: Sequence[str], known: Sequence[str]) -> None:
    unknown = set(scopes) - set(known)
    if unknown:
        raise Invalid(
            f"There is no scope {', '.join(sorted(unknown))}; there are {', '.join(known[:-1])} and {known[-1]}."
        )


@transaction.atomic
def create_token(actor: Actor, *, name: str, scopes: list[str]) -> tuple[Key, str]:
    """A personal token for the actor; `scopes` empty means everything the person may do."""
    require_writing(actor)
    if actor.user_id is None:
        raise Forbidden("Only a person can have a personal token.")
    _check_scopes(scopes, SCOPES)
    if actor.scopes and not set(scopes or SCOPES) <= actor.scopes:
        raise Forbidden("A token cannot make one that may do more than itself.")
    key, secret = _issue(Key.Kind.PERSONAL, name=name, product=None, user_id=actor.user_id, scopes=sorted(scopes))
    record(actor, None, "create_token", key, after=_public(key), undoable=False)
    return key, secret


def open_keys_by(product: Product, user_id: int) -> QuerySet[Key]:
    """The product's open keys that somebody made."""
    return Key.objects.filter(product=product, user_id=user_id, revoked_at=None).order_by("pk")


@transaction.atomic
def revoke_key(actor: Actor, key_id: int, product: Product | None = None) -> Key:
    """Close a door for good."""
    require_writing(actor)
    key = Key.objects.filter(pk=key_id).first()
    if key is None or (key.product_id is not None and (product is None or key.product_id != product.pk)):
        raise NotFound("There is no such key here.")
    if key.product_id is not None and product is not None:
        require(actor, product, Role.MAINTAINER)
    elif key.user_id != actor.user_id:
        raise NotFound("There is no such key here.")
    if key.revoked_at is None:
        before = _public(key)
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        record(actor, product, "revoke_key", key, before=before, after=_public(key), undoable=False)
    transaction.on_commit(forget_cached)
    return key


def _public(key: Key) -> dict[str, object]:
    return {name: value for name, value in snapshot(key).items() if name != "secret_hash"}


_cache: dict[str, tuple[float, KeyFacts | None]] = {}
_cache_lock = threading.Lock()


def forget_cached() -> None:
    with _cache_lock:
        _cache.clear()


def find_key(secret: str) -> KeyFacts | None:
    """The key behind `secret`; None for unknown and revoked ones. Answers from memory for `CACHE_SECONDS`."""
    digest = hashed(secret)
    found = _cache.get(digest)
    if found is not None and found[0] > time.monotonic():
        return found[1]
    try:
        facts = _load(digest)
    except DatabaseError:
        if found is None:
            raise
        facts = found[1]  # what was known holds, so that capture and flags go on without the database
    with _cache_lock:
        if len(_cache) >= CACHE_SIZE:
            _cache.clear()
        _cache[digest] = (time.monotonic() + CACHE_SECONDS, facts)
    return facts


def _load(digest: str) -> KeyFacts | None:
    key = Key.objects.filter(secret_hash=digest, revoked_at=None).select_related("user").first()
    if key is None or (key.kind == Key.Kind.PERSONAL and not (key.user and key.user.is_active)):
        return None
    _note_use(key)
    label = str(key.user) if key.kind == Key.Kind.PERSONAL else f"{key.kind} key {key.name}"
    scopes = frozenset(key.scopes)
    return KeyFacts(key.pk, key.kind, key.product_id, key.user_id, scopes, label, key.environment_id)


USE_SECONDS = 60  # how exactly it is known when a key was used last
_used: dict[int, datetime] = {}
_written_later = threading.Event()


def _note_use(key: Key) -> None:
    """When it was used last. A server's requests never wait for that to be written: a thread does it in a moment."""
    now = timezone.now()
    if key.last_used_at is None or (now - key.last_used_at).total_seconds() > USE_SECONDS:
        _used[key.pk] = now
        if not _written_later.is_set():
            write_uses()


def write_uses_later(later: bool) -> None:
    """Said by the thread that calls `write_uses` every few seconds, when it starts and when it ends."""
    if later:
        _written_later.set()
    else:
        _written_later.clear()


def write_uses() -> None:
    """Write down when keys were used last, as far as it was noted. What is lost on the way is noted again."""
    while _used:
        key_id, at = _used.popitem()
        Key.objects.filter(pk=key_id).update(last_used_at=at)


def actor_for(facts: KeyFacts) -> Actor:
    """Who acts when this key is shown at the API. A capture key is public and acts for nobody."""
    if facts.kind == Key.Kind.CAPTURE:
        raise Forbidden(
            "A capture key can only send events and evaluate flags. Use a server key or a personal token here."
        )
    if facts.kind == Key.Kind.SERVER:
        if facts.scopes and not facts.scopes & set(SCOPES):
            raise Forbidden(
                "This key may only send events and evaluate flags. Use one with the scope read or write here."
            )
        # One of another environment changes nothing here: what it could change first is production.
        scopes = facts.scopes if facts.environment_id is None else frozenset({"read"})
        return Actor(None, facts.label, "api", key_id=facts.id, scopes=scopes, product_id=facts.product_id)
    return Actor(facts.user_id, facts.label, "api", key_id=facts.id, scopes=facts.scopes)


def actor_of_user(user: User) -> Actor:
    return Actor(user.pk, str(user), "page")

"""How an id that came with an event becomes a person.

`person_hash` is what the event store keeps beside every event. It is keyed, so that nobody who sends events to a public
key can craft two ids that collide. The key lies in the data folder as `people.key` and must never change, else every
person would count twice: the store remembers a fingerprint of it, and `check_key` refuses to go on with another one.
"""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from whytree import options
from whytree.errors import Unavailable

# Ids that clients send when they mean "nobody": joining on one of them would make one person of everybody.
NOBODY = frozenset(
    """0 -1 00000000-0000-0000-0000-000000000000 anonymous distinct_id distinctid email false guest id nan nil none
    not_authenticated null true undefined unknown user userid user_id""".split()  # noqa: SIM905 - readable as words
) | {"", "[object object]"}

KEY_FILE = "people.key"

GROUP = "$person:"
"""Begins the name under which another tool's history ties ids together: no event comes under it, and nobody goes by it."""

MAX_ID = 400
"""Characters in an id; longer ones are tokens or URLs by mistake."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two ids on one message. `known` ones name a person (a user id), the others a device or a visit."""

    product_id: int
    id: str
    other_id: str
    trusted: bool  # came with a server key, or was asked for by a human
    at: float  # seconds since 1970
    run: int = 0  # the import that said so, if it was one: with it, it is taken back


@dataclass(frozen=True, slots=True)
class Traits:
    """What an identify or group call says about a person. `once` is only for what nobody said before.

    `trusted` as `Link`'s: what a public key says is anybody's word.
    """

    product_id: int
    distinct_id: str
    values: dict[str, str]
    at: float  # seconds since 1970
    once: dict[str, str] = field(default_factory=dict)
    trusted: bool = False


def person_hash(product_id: int, distinct_id: str) -> int:
    """64 bits that stand for this id in this product, the same for ever on this installation."""
    return hasher(product_id)(distinct_id)


@functools.cache
def hasher(product_id: int) -> Callable[[str], int]:
    """`person_hash` for one product, without looking up the key each time."""
    start = hashlib.blake2b(product_id.to_bytes(4, "big"), digest_size=8, key=_key())

    @functools.lru_cache(maxsize=65_536)
    def hash_id(distinct_id: str) -> int:
        state = start.copy()
        state.update(distinct_id.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest(), "big")

    return hash_id


@functools.cache
def _key() -> bytes:
    from django.conf import settings

    secret = options.kept_secret(settings.WHYTREE, KEY_FILE)
    return hashlib.blake2b(secret.encode("utf-8"), digest_size=32, person=b"whytree.people").digest()


def key_fingerprint() -> str:
    return hashlib.blake2b(_key(), digest_size=8, person=b"fingerprint").hexdigest()


def forget_key() -> None:
    """Read the key again; after a whole workspace was brought in."""
    _key.cache_clear()
    hasher.cache_clear()


def check_key(remembered: str | None) -> None:
    """Raise when the events were written under another key than the one in force."""
    if remembered and remembered != key_fingerprint():
        raise Unavailable(
            f"The events were written under another {KEY_FILE} than the one in the data folder, so everybody would be "
            f"counted twice. Put the old {KEY_FILE} back.",
            retry_after=60,
        )


def means_nobody(distinct_id: str) -> bool:
    """Whether this id is what clients send when they have none."""
    return distinct_id.strip().lower() in NOBODY

"""How a value becomes a bucket. The version is stored with each flag, since changing it would move everybody.

3             flagd, version 3: 32-bit murmur3 (seed 0) of the value's canonical CBOR (RFC 8949, 4.2.1), scaled without
              division (flagd docs/architecture-decisions/fractional-non-string-rand-units.md)
2             flagd, version 2: the same of a text's UTF-8
posthog       15 hexadecimal digits of SHA-1, as a share of 16^15 - 1 (posthog-python feature_flags.py)
growthbook-2  32-bit FNV-1a of FNV-1a's decimal digits, in 10,000 steps (GrowthBook docs, build-your-own)
growthbook-1  32-bit FNV-1a, in 1,000 steps
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmh3 import mmh3_32_uintdigest

DEFAULT_BUCKETING = "3"
SHA1_STEPS = 0xFFFFFFFFFFFFFFF

Place = Callable[[Any, int], int | None]


@dataclass(frozen=True)
class Bucketing:
    """`place(value, total)` is a bucket from 0 to total - 1, or None for a value that this version cannot hash.

    `shorthand(flag, unit)` is what a `fractional` without a value hashes, and `short_place` a quicker way to its bucket;
    `coverage` and `variant` are the texts around the unit (and `{seed}`) that a rollout hashes.
    """

    version: str
    place: Place
    shorthand: Callable[[str, str], Any]
    short_place: Callable[[str], Callable[[str, int], int | None]] | None = None
    coverage: tuple[str, str] = ("{seed}/coverage/", "")
    variant: tuple[str, str] = ("{seed}/variant/", "")

    def place_of_unit(self, flag: str) -> Callable[[str, int], int | None]:
        """The bucket of a `fractional` without a value, as a function of the unit and the total."""
        if self.short_place is not None:
            return self.short_place(flag)
        return lambda unit, total: self.place(self.shorthand(flag, unit), total)

    def around(self, which: str, seed: str) -> tuple[str, str]:
        before, after = self.coverage if which == "coverage" else self.variant
        return before.replace("{seed}", seed), after


def bucket(text: str, size: int) -> int:
    """The text's place under flagd's version 3: 0 to size - 1, evenly spread."""
    return int(mmh3_32_uintdigest(_cbor_text(text), 0) * size) >> 32


def _version_3(value: Any, total: int) -> int | None:
    try:
        return int(mmh3_32_uintdigest(_cbor(value), 0) * total) >> 32
    except (ValueError, OverflowError, RecursionError, UnicodeEncodeError):
        return None


def _version_3_of(flag: str) -> Callable[[str, int], int | None]:
    """The same of the pair of a flag and a unit, whose first half is written once."""
    head = b"\x82" + _cbor_text(flag)

    def place(unit: str, total: int) -> int | None:
        try:
            return int(mmh3_32_uintdigest(head + _cbor_text(unit), 0) * total) >> 32
        except UnicodeEncodeError:
            return None

    return place


def _cbor(value: Any) -> bytes:
    """Canonical CBOR. For texts and pairs of texts written here, which is eight times as fast as the library."""
    if isinstance(value, str):
        return _cbor_text(value)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str):
        return b"\x82" + _cbor_text(value[0]) + _cbor_text(value[1])
    import cbor2

    try:
        return cbor2.dumps(_whole(value), canonical=True)
    except cbor2.CBOREncodeError as error:
        raise ValueError(str(error)) from error


def _cbor_text(text: str) -> bytes:
    """RFC 8949, 3.1: major type 3 with the shortest length, then the UTF-8."""
    utf8 = text.encode()
    length = len(utf8)
    if length < 256:
        return _SHORT_HEADS[length] + utf8
    if length < 65_536:
        return b"\x79" + length.to_bytes(2, "big") + utf8
    return b"\x7a" + length.to_bytes(4, "big") + utf8


_SHORT_HEADS = tuple(bytes([0x60 | n]) if n < 24 else bytes([0x78, n]) for n in range(256))


def _whole(value: Any) -> Any:
    """Floats without a fraction as the whole numbers they are, as far as 64 bits go: JSON does not tell 1 from 1.0."""
    if isinstance(value, float) and value.is_integer() and -(2**63) <= value <= 2**64 - 1:
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(each) for each in value]
    return value


def _version_2(value: Any, total: int) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        return int(mmh3_32_uintdigest(value.encode(), 0) * total) >> 32
    except UnicodeEncodeError:
        return None


def _posthog(value: Any, total: int) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        digest = hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()
    except UnicodeEncodeError:
        return None
    return min(int(int(digest[:15], 16) / SHA1_STEPS * total), total - 1)


def _fnv(text: str) -> int:
    """32-bit FNV-1a over the code points, as GrowthBook's clients compute it."""
    value = 0x811C9DC5
    for character in text:
        value = (value ^ ord(character)) * 0x01000193 & 0xFFFFFFFF
    return value


def _growthbook_2(value: Any, total: int) -> int | None:
    return _fnv(str(_fnv(value))) % 10_000 * total // 10_000 if isinstance(value, str) else None


def _growthbook_1(value: Any, total: int) -> int | None:
    return _fnv(value) % 1_000 * total // 1_000 if isinstance(value, str) else None


BUCKETINGS: dict[str, Bucketing] = {
    each.version: each
    for each in (
        Bucketing("3", _version_3, lambda flag, unit: [flag, unit], _version_3_of),
        Bucketing("2", _version_2, lambda flag, unit: flag + unit),
        Bucketing(
            "posthog",
            _posthog,
            lambda flag, unit: f"{flag}.{unit}variant",
            coverage=("{seed}.", ""),
            variant=("{seed}.", "variant"),
        ),
        Bucketing("growthbook-2", _growthbook_2, lambda flag, unit: flag + unit),
        Bucketing("growthbook-1", _growthbook_1, lambda flag, unit: unit + flag),
    )
}

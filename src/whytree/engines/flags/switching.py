"""A switchback: everybody gets the arm of the current period, and periods are what is drawn. Pure: no clock.

Periods are drawn in blocks. A block is the same time of day on as many days in a row as there are places in it (two for
50:50), of longer periods so many in a row; each arm has its share of the places, in an order drawn anew for each block.
So every hour meets every arm equally often, within two days and not just on average, while neighbouring hours are drawn
apart: what the hour before left behind says nothing about the arm of this one.

Everything comes from the seed, so that each process, today's and tomorrow's, draws the same.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import gcd

import msgspec

from .rules.bucketing import bucket

HOUR, DAY = 60, 24 * 60
SHORTEST, LONGEST = HOUR, 7 * DAY
#: Places of a block; 90:10 has ten. More would take weeks to fill one.
MOST_PLACES = 12
#: Characters of a region; the rest is cut off.
LONGEST_REGION = 100


class Switching(msgspec.Struct, frozen=True, kw_only=True):
    """How a flag switches. `start` is in seconds since 1970, `minutes` the length of a period, `washout` the minutes at its
    start that count for nobody. `by` names the context attribute whose values (regions) are drawn apart; "": all as one.
    """

    minutes: int
    washout: int = 0
    by: str = ""
    seed: str = ""
    start: int = 0
    version: int = 1

    @property
    def cycle(self) -> int:
        """Periods after which the same time of day comes again."""
        return max(1, DAY // self.minutes)

    @property
    def seconds(self) -> int:
        return 60 * self.minutes

    def period_at(self, now: float) -> int | None:
        """The period's number, from 0; None before the first."""
        return int((now - self.start) // self.seconds) if now >= self.start else None

    def begins(self, period: int) -> int:
        """When a period begins, in seconds since 1970."""
        return self.start + period * self.seconds

    def is_washout(self, now: float) -> bool:
        return (now - self.start) % self.seconds < 60 * self.washout

    def block_of(self, period: int, places: int) -> tuple[int, int]:
        """The block that a period belongs to, and its place in it."""
        row, slot = divmod(period, self.cycle)
        return row // places * self.cycle + slot, row % places

    def arm(self, weights: Mapping[str, int], period: int, region: str = "") -> str:
        """The arm of a period in a region."""
        order = places_of(weights)
        block, place = self.block_of(period, len(order))
        return _drawn(f"{self.seed}/period/{self.start}/{region}/{block}", order)[place]

    def region_of(self, attributes: Mapping[str, object]) -> str:
        """The region that somebody is in; "" where nothing is said of it, which is a region too."""
        said = attributes.get(self.by) if self.by else None
        return str(said)[:LONGEST_REGION] if isinstance(said, str | int) and not isinstance(said, bool) else ""


def places_of(weights: Mapping[str, int]) -> tuple[str, ...]:
    """The arms of one block before they are drawn: 50:50 is two places, 2:1 three."""
    alive = {arm: weight for arm, weight in sorted(weights.items()) if weight > 0}
    common = gcd(*alive.values()) or 1
    return tuple(arm for arm, weight in alive.items() for _ in range(weight // common))


@lru_cache(maxsize=4_096)
def _drawn(text: str, order: tuple[str, ...]) -> tuple[str, ...]:
    """Fisher and Yates' shuffle, by hashes of the text in place of dice."""
    drawn = list(order)
    for at in range(len(drawn) - 1, 0, -1):
        other = bucket(f"{text}/{at}", at + 1)
        drawn[at], drawn[other] = drawn[other], drawn[at]
    return tuple(drawn)


def switching_fault(switching: Switching, weights: Mapping[str, int]) -> str | None:
    """What is wrong with it, as a sentence that says what to do."""
    minutes, washout = switching.minutes, switching.washout
    if not SHORTEST <= minutes <= LONGEST or (DAY % minutes if minutes < DAY else minutes % DAY):
        return (
            "A period of a switchback is an hour to a week long: a whole part of a day, so that it comes at the same time "
            "every day, or whole days. Try 1h, 2h, 4h, 1d."
        )
    if not 0 <= washout <= minutes // 2:
        return "The washout is from 0 minutes to half of a period: what is left is what counts."
    total = sum(weights.values()) // (gcd(*weights.values()) or 1)
    if total > MOST_PLACES:
        return (
            f"These weights fill a block of {total:,} periods, and {MOST_PLACES} are the most. Take 1:1, 2:1 or 9:1: in a "
            "switchback each block holds each arm in its share."
        )
    return None


def length_text(minutes: int) -> str:
    """ "2 hours", "90 minutes", "day": what follows "every"."""
    size, noun = next(one for one in ((DAY, "day"), (HOUR, "hour"), (1, "minute")) if minutes % one[0] == 0)
    return noun if minutes == size else f"{minutes // size} {noun}s"

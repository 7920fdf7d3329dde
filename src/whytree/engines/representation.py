"""Whose voice is over-heard: who speaks for something, against who uses the product. Pure.

    compared = compare({"free": 2, "pro": 10}, {"free": 900, "pro": 100})
    compared.furthest               # pro: 83 % of the voices [52, 98], 10 % of the users

A share of few voices may be anything: a difference is only told when chance would hardly make it (exact binomial test,
Clopper & Pearson 1934, Biometrika 26) and it is large enough to matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

FEWEST = 8
"""Voices from which shares are compared at all: of fewer, even all from one side happen by chance."""

SURE = 0.01
"""How seldom chance alone may make such a difference; several comparisons stand on one page."""

FAR = 0.15
"""Difference of two shares that is worth a sentence."""

CONCENTRATED = 0.5
"""Share of the voices from which a few companies are said to speak for all."""

FEW_COMPANIES = 4


@dataclass(frozen=True)
class Share:
    """One group: its part of the voices with an interval of 95 %, and its part of the users."""

    name: str
    voices: int
    of_voices: float
    low: float
    high: float
    of_users: float
    p_value: float

    @property
    def difference(self) -> float:
        return self.of_voices - self.of_users

    @property
    def is_told(self) -> bool:
        return self.p_value < SURE and abs(self.difference) >= FAR


@dataclass(frozen=True)
class Compared:
    """All groups of one kind, the most frequent among voices first. `voices` and `users` are of whom it is known."""

    voices: int
    users: int
    shares: tuple[Share, ...]

    @property
    def furthest(self) -> Share | None:
        """The group that differs most, where it is worth telling."""
        told = [share for share in self.shares if share.is_told]
        return max(told, key=lambda share: abs(share.difference), default=None)


def compare(voices: Mapping[str, int], users: Mapping[str, int]) -> Compared:
    """Groups by name -> how many spoke, how many use. Names that are empty are nobody's."""
    spoke = {name: count for name, count in voices.items() if name and count > 0}
    use = {name: count for name, count in users.items() if name and count > 0}
    n, total = sum(spoke.values()), sum(use.values())
    if n < FEWEST or not total:
        return Compared(n, total, ())
    names = sorted({*spoke, *use}, key=lambda name: (-spoke.get(name, 0), -use.get(name, 0), name))
    return Compared(n, total, tuple(_share(name, spoke.get(name, 0), n, use.get(name, 0) / total) for name in names))


def _share(name: str, count: int, n: int, expected: float) -> Share:
    from scipy.stats import binomtest  # half a second of every command that starts the server's code, were it above

    test = binomtest(count, n, expected)
    interval = binomtest(count, n).proportion_ci(0.95, method="exact")
    return Share(name, count, count / n, float(interval.low), float(interval.high), expected, float(test.pvalue))


@dataclass(frozen=True)
class Concentration:
    """`companies` of them make up `share` of the `voices` whose company is known."""

    companies: tuple[str, ...]
    share: float
    voices: int


def concentration(by_company: Mapping[str, int]) -> Concentration | None:
    """The fewest companies that speak for half or more; None where that takes more than a few, or few have spoken."""
    known = {name: count for name, count in by_company.items() if name and count > 0}
    n = sum(known.values())
    if n < FEWEST:
        return None
    largest = sorted(known.items(), key=lambda one: (-one[1], one[0]))
    spoken, names = 0, list[str]()
    for name, count in largest[:FEW_COMPANIES]:
        spoken += count
        names.append(name)
        if spoken / n >= CONCENTRATED:
            return Concentration(tuple(names), spoken / n, n)
    return None

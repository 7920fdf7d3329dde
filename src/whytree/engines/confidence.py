"""How much evidence stands behind a belief: derived, never typed.

Usage::

    confidence([Evidence("user_evidence", "supports", "ana@example.org", said_at)], now)

Each type of evidence has a weight on Itamar Gilad's confidence ladder (0.01 to 10, logarithmic on purpose;
"The Confidence Meter", itamargilad.com; *Evidence Guided*, 2023, ch. 4). What a type contributes is

    w * (1 - 2^-k_eff),   k_eff = sum over independent people or data sets of 2^(-age / half_life)

in words: the first fresh independent voice brings half of what its type can ever bring, the second half of the rest,
and a voice counts half once it is one half-life old. Ten more of the cheap kind never reach one of the dear kind.
Support and contradiction are such sums; confidence is support minus contradiction, never below zero.

Pure: no clock, no database, no settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Stance = Literal["supports", "contradicts", "context"]
Label = Literal["strong", "moderate", "weak", "none"]

#: More than this nothing can be: the weight of data from live users, Gilad's top rung.
MOST = 10.0
#: One fresh measurement on live users (10 x 1/2), or several tests that agree.
STRONG_FROM = 5.0
#: Two fresh independent people whose behaviour or words we studied (3 x 3/4 = 2.25), or one test.
MODERATE_FROM = 2.0
#: One outside voice of a year ago (1 - 2^-1/2 = 0.29). Conviction and a deck alone stay below it.
WEAK_FROM = 0.25

YEAR = timedelta(days=365.25)


@dataclass(frozen=True)
class EvidenceType:
    """One rung of the ladder: its weight, how fast it ages, and what to do to get some."""

    key: str
    label: str
    weight: float
    half_life_years: float
    #: What brings one more independent piece of it, as an instruction.
    ask: str


# Weights: the upper end of each of Gilad's ranges, because a type only *tends* to its weight as independent people add
# up. Half-lives: what people say ages within a year, what they did under watch a little slower, what was measured on
# live users slowest; everything internal is stale in half a year. They are opinions and meant to be argued with.
LADDER: tuple[EvidenceType, ...] = (
    EvidenceType("launch_data", "data from live users", 10.0, 2.0, "measure it on live users"),
    EvidenceType("test_results", "test results", 5.0, 1.5, "run one test with a criterion fixed before it starts"),
    EvidenceType("user_evidence", "user evidence", 3.0, 1.0, "interview or observe one more person"),
    EvidenceType("market_data", "market data", 3.0, 1.0, "find one more independent market source"),
    EvidenceType("anecdotal", "single voices", 1.0, 1.0, "link one more person who said it"),
    EvidenceType("estimates_and_plans", "estimates and plans", 0.5, 0.5, "estimate its effect and its cost"),
    EvidenceType("others_opinion", "opinions of others", 0.2, 0.5, "ask an expert or a colleague"),
    EvidenceType("thematic_support", "fits a theme", 0.1, 0.5, "show which theme it belongs to"),
    EvidenceType("pitch_deck", "pitch", 0.03, 0.5, "write the pitch"),
    EvidenceType("self_conviction", "own conviction", 0.01, 0.5, "say why you believe it"),
)
TYPES: dict[str, EvidenceType] = {rung.key: rung for rung in LADDER}


@dataclass(frozen=True)
class Evidence:
    """One link from something known to the belief.

    ``person_key`` names the person or the data set it comes from: pieces that share one are not independent and count
    once, at their youngest. Pieces with an empty key cannot be told apart, so all of one type count as one.
    ``importance`` (0 to 3) is how much it mattered to them; it orders voices, it does not make them more independent,
    so the formula leaves it alone.
    """

    evidence_type: str
    stance: Stance
    person_key: str
    said_at: datetime
    importance: int = 1


@dataclass(frozen=True)
class Row:
    """What one evidence type contributes for one stance."""

    evidence_type: str
    label: str
    stance: Stance
    weight: float
    half_life_years: float
    #: Independent people or data sets, each counted once.
    people: int
    #: The same, each discounted by age.
    k_eff: float
    contribution: float
    newest_at: datetime


@dataclass(frozen=True)
class Raise:
    """What one more fresh, independent piece of evidence would add."""

    evidence_type: str
    ask: str
    gain: float

    def __str__(self) -> str:
        return f"{self.ask[0].upper()}{self.ask[1:]} (+{self.gain:.2g})"


@dataclass(frozen=True)
class Confidence:
    """``value`` from 0 to 10 with the rows that add up to it. Pages show ``label``; the number is in the breakdown."""

    value: float
    label: Label
    support: float
    contradiction: float
    breakdown: tuple[Row, ...]
    #: The one act that would add most; None when support is already full.
    raise_most: Raise | None


def confidence(evidence: Sequence[Evidence], now: datetime, *, reachable: Collection[str] | None = None) -> Confidence:
    """Weigh the evidence as it stands at ``now``.

    ``reachable`` limits what ``raise_most`` may propose (nothing can be launched for a belief without code).
    Raises ``ValueError`` on an evidence type that is not on the ladder.
    """
    rows = _rows(evidence, now)
    support = _sum(rows, "supports")
    contradiction = _sum(rows, "contradicts")
    value = max(0.0, support - contradiction)
    return Confidence(
        value=value,
        label=label(value),
        support=support,
        contradiction=contradiction,
        breakdown=tuple(sorted(rows, key=lambda row: (row.stance != "supports", -row.contribution))),
        raise_most=_raise_most(rows, TYPES.keys() if reachable is None else reachable),
    )


def label(value: float) -> Label:
    """The word people see in place of the number."""
    if value >= STRONG_FROM:
        return "strong"
    if value >= MODERATE_FROM:
        return "moderate"
    if value >= WEAK_FROM:
        return "weak"
    return "none"


def _rows(evidence: Iterable[Evidence], now: datetime) -> list[Row]:
    newest: dict[tuple[str, Stance], dict[str, datetime]] = {}
    for piece in evidence:
        if piece.evidence_type not in TYPES:
            raise ValueError(f"Unknown evidence type {piece.evidence_type!r}. Known: {', '.join(TYPES)}.")
        if piece.stance == "context":
            continue
        said = newest.setdefault((piece.evidence_type, piece.stance), {})
        said[piece.person_key] = max(piece.said_at, said.get(piece.person_key, piece.said_at))
    return [_row(TYPES[key], stance, list(said.values()), now) for (key, stance), said in newest.items()]


def _row(rung: EvidenceType, stance: Stance, said: list[datetime], now: datetime) -> Row:
    k_eff = sum(_freshness(now - at, rung.half_life_years) for at in said)
    return Row(
        evidence_type=rung.key,
        label=rung.label,
        stance=stance,
        weight=rung.weight,
        half_life_years=rung.half_life_years,
        people=len(said),
        k_eff=k_eff,
        contribution=_contribution(rung.weight, k_eff),
        newest_at=max(said),
    )


def _freshness(age: timedelta, half_life_years: float) -> float:
    """1 when just said, 1/2 after one half-life. A date in the future (a wrong clock) counts as now."""
    years = max(0.0, age / YEAR)
    return float(2.0 ** (-years / half_life_years))


def _contribution(weight: float, k_eff: float) -> float:
    return float(weight * (1.0 - 2.0**-k_eff))


def _sum(rows: Iterable[Row], stance: Stance) -> float:
    return min(MOST, sum(row.contribution for row in rows if row.stance == stance))


def _raise_most(rows: Sequence[Row], reachable: Collection[str]) -> Raise | None:
    support = sum(row.contribution for row in rows if row.stance == "supports")
    k_eff = {row.evidence_type: row.k_eff for row in rows if row.stance == "supports"}
    best: Raise | None = None
    for rung in LADDER:
        if rung.key not in reachable:
            continue
        known = k_eff.get(rung.key, 0.0)
        more = _contribution(rung.weight, known + 1.0) - _contribution(rung.weight, known)
        gain = min(MOST, support + more) - min(MOST, support)
        if gain > 0 and (best is None or gain > best.gain):
            best = Raise(rung.key, rung.ask, gain)
    return best

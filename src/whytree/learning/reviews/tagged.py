"""Who spoke for the opportunity since people could meet the change: is the problem still there, and for which arm?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from whytree.tree.models import Opportunity
from whytree.voice.queries import Voice, demand

from ..models import OutcomeReview
from .results import Result

QUOTED = 3
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Quote:
    text: str
    ref: str  # of its page; empty where it has none
    said_at: datetime
    arm: str


@dataclass(frozen=True)
class Tagged:
    """Each person counted once, by what they said last; `by_arm` has those whose arm nobody knows last, as "not known"."""

    opportunity: Opportunity
    people: int
    by_arm: Mapping[str, int]
    quotes: Sequence[Quote]

    @property
    def sentence(self) -> str:
        if not self.people:
            return f"Nobody has spoken for {self.opportunity.ref} since it opened."
        told = f"{self.people:,} {'person has' if self.people == 1 else 'people have'} spoken for {self.opportunity.ref} since it opened"
        arms = ", ".join(f"{count:,} {_where(arm)}" for arm, count in self.by_arm.items())
        return f"{told}: {arms}." if arms else f"{told}."


def _where(arm: str) -> str:
    return "whose arm is not known" if arm == NOT_KNOWN else f"in “{arm}”"


def tagged_since(review: OutcomeReview, result: Result) -> Tagged | None:
    """Until it was decided; None where the solution stands under no opportunity."""
    opportunity = review.hypothesis.solution.opportunity
    if opportunity is None:
        return None
    heard = demand(opportunity, between=(result.opened_at, review.decided_at or timezone.now()))
    # where nobody told when it was said, the time is that of its import
    voices = [one for one in heard.voices if one.item is None or one.item.said_at_known]
    voices.sort(key=lambda one: (one.latest.said_or_added_at, one.latest.pk), reverse=True)
    arms = Counter(_arm(one, result.flag_key) for one in voices) if result.flag_key else Counter[str]()
    quotes = [_quote(one, result.flag_key) for one in voices if one.latest.quote]
    by_arm = dict(sorted(arms.items(), key=lambda pair: (pair[0] == NOT_KNOWN, -pair[1], pair[0])))
    return Tagged(opportunity, len(voices), by_arm, quotes[:QUOTED])


def _quote(voice: Voice, flag_key: str) -> Quote:
    said = voice.latest
    return Quote(said.quote, said.source_id if said.has_page else "", said.said_or_added_at, _arm(voice, flag_key))


def _arm(voice: Voice, flag_key: str) -> str:
    """The variant in force when they said it; empty where no flag carries the change."""
    if not flag_key:
        return ""
    arm = voice.item.flags.get(flag_key) if voice.item is not None else None
    return NOT_KNOWN if arm is None else str(arm)

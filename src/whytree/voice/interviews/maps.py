"""The stories of all talks as one experience map: which steps there were, in which order, how people felt, and their words.

Steps are one where their words are the same but for case and punctuation: no machine guesses what somebody meant by others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from whytree.tree.models import Opportunity
from whytree.voice.models import Highlight, Interview, InterviewSnapshot, Transcript
from whytree.voice.queries import Linked, links_of
from whytree.workspace.models import Product

MOST_TALKS = 500
MOST_STAGES = 40
MOST_KNOWN = 200
_APART = re.compile(r"[\W_]+")


@dataclass
class Stage:
    """A step that was told in `talks`; `low` and `high` count those in which a feeling was noted.

    `line` counts the stories that have no step in common with those before: each has a line of its own.
    """

    words: str
    line: int = 0
    talks: list[Interview] = field(default_factory=list)
    low: int = 0
    high: int = 0
    quotes: list[tuple[Interview, Highlight]] = field(default_factory=list)
    opportunities: Counter[Opportunity] = field(default_factory=Counter)

    @property
    def told(self) -> int:
        return len(self.talks)

    @property
    def feeling(self) -> float | None:
        """-1 all low, 1 all high; None where nothing was noted."""
        noted = self.low + self.high
        return (self.high - self.low) / noted if noted else None


@dataclass(frozen=True)
class JoinedMap:
    """`talks` have a story; `left_out` steps were told by the fewest and are not shown."""

    talks: int
    stages: list[Stage]
    left_out: int = 0

    @property
    def lines(self) -> int:
        return len({stage.line for stage in self.stages})


def same(words: str) -> str:
    """What two steps have in common that are one."""
    return _APART.sub(" ", words.casefold()).strip()


def that_meet(stories: Iterable[Sequence[str]]) -> list[list[Sequence[str]]]:
    """Stories parted by whether they have a step in common, over however many others; those with the most stories first."""
    parts: list[tuple[set[str], list[Sequence[str]]]] = []
    for story in stories:
        steps, together = set(story), [story]
        for part in [one for one in parts if not steps.isdisjoint(one[0])]:
            parts.remove(part)
            steps, together = steps | part[0], [*part[1], *together]
        parts.append((steps, together))
    return sorted((together for _, together in parts), key=len, reverse=True)


def in_order(stories: Iterable[Sequence[str]]) -> list[str]:
    """The steps of all stories in one order that contradicts as few of them as it can, step by step.

    Next comes the step that the fewest remaining ones come before, by how many stories tell it so; among equals the one that
    stands earlier in its stories on average.
    """
    before: Counter[tuple[str, str]] = Counter()
    places: dict[str, list[float]] = defaultdict(list)
    for story in stories:
        steps = list(dict.fromkeys(story))
        for at, step in enumerate(steps):
            places[step].append(at / max(1, len(steps) - 1))
            before.update((step, later) for later in steps[at + 1 :])
    behind: Counter[str] = Counter()
    net = {(one, other): n - before[other, one] for (one, other), n in before.items() if n > before[other, one]}
    for (_, other), n in net.items():
        behind[other] += n
    left, ordered = {step: sum(some) / len(some) for step, some in places.items()}, []
    while left:
        first = min(left, key=lambda step: (behind[step], left[step]))
        ordered.append(first)
        del left[first]
        for other in left:
            behind[other] -= net.get((first, other), 0)
    return ordered


def joined_map(product: Product, segment: str = "") -> JoinedMap:
    """Of all talks, or of those with people of this segment."""
    snapshots = _told(product, segment)
    talks = [one.interview for one in snapshots]
    texts = dict(Transcript.objects.filter(interview__in=talks).values_list("interview_id", "text"))
    marks = {mark.pk: mark for mark in Highlight.objects.filter(interview__in=talks)}
    links = links_of(talks)
    stages: dict[str, Stage] = {}
    stories = []
    for snapshot in snapshots:
        talk = snapshot.interview
        story = {}
        for step in snapshot.experience_map:
            name = same(step["step"])
            if not name or name in story:
                continue  # a story that comes by twice counts once
            story[name] = step
            stage = stages.setdefault(name, Stage(step["step"]))
            stage.talks.append(talk)
            stage.low += step.get("feeling") == "low"
            stage.high += step.get("feeling") == "high"
            mark = marks.get(step["highlight"])
            if mark is not None and talk.may_be_quoted and mark.still_stands(texts.get(talk.pk, "")):
                stage.quotes.append((talk, mark))
                stage.opportunities.update(_spoken_for(mark, links.get(talk.ref, [])))
        stories.append(list(story))
    shown = sorted(stages, key=lambda name: -stages[name].told)[:MOST_STAGES]
    kept = set(shown)
    ordered = []
    for line, together in enumerate(that_meet(stories)):
        for name in in_order(together):
            if name in kept:
                stages[name].line = line
                ordered.append(stages[name])
    told = sum(1 for story in stories if story)
    return JoinedMap(told, ordered, len(stages) - len(shown))


def _told(product: Product, segment: str) -> list[InterviewSnapshot]:
    """The latest first; of people who had themselves forgotten there is none."""
    found = InterviewSnapshot.objects.filter(interview__product=product).exclude(experience_map=[])
    if segment:
        found = found.filter(interview__segment=segment)
    return list(found.select_related("interview__product").defer("photo").order_by("-interview__held_at")[:MOST_TALKS])


def _spoken_for(mark: Highlight, links: Sequence[Linked]) -> set[Opportunity]:
    """The opportunities that the words of this highlight, or a part of them, speak for."""
    words = " ".join(mark.quote.split())
    return {one.opportunity for one in links if one.link.quote and _shares(" ".join(one.link.quote.split()), words)}


def _shares(one: str, other: str) -> bool:
    return one in other or other in one


def known_steps(product: Product) -> list[str]:
    """What steps are called already, the most told first, to be called so again."""
    counted: Counter[str] = Counter()
    called: dict[str, str] = {}
    for snapshot in _told(product, ""):
        for step in snapshot.experience_map:
            counted[same(step["step"])] += 1
            called.setdefault(same(step["step"]), step["step"])
    return [called[name] for name, _ in counted.most_common(MOST_KNOWN)]


def segments(product: Product) -> list[str]:
    """Of those whose story was written down."""
    found = InterviewSnapshot.objects.filter(interview__product=product).exclude(interview__segment="")
    return sorted(set(found.values_list("interview__segment", flat=True)))

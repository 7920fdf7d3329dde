"""What the tree says today and did not say on an earlier day, node by node: not who did what, but what is believed otherwise.

Strength of evidence changes by itself, too: what was said long ago counts for less (`engines/confidence.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils import timezone

from whytree.errors import Invalid
from whytree.workspace.models import Activity, Product
from whytree.workspace.sockets import Difference, differences_since

from .models import KINDS, AssumptionTest, EvidenceLink, Hypothesis, Node, Note, Solution, Stance
from .queries import AnyAttached, NodeKey, confidences_at, key_of, nodes_of

MOST_NODES = 200
EARLIEST = date(1970, 1, 2)  # before that there is no tree, and soon no time that every zone can write


@dataclass(frozen=True)
class Different:
    """A node that says something else than it did."""

    ref: str
    title: str
    kind: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class TreeDiff:
    """From the beginning of a day until now. `left_out` nodes are different, too."""

    since: datetime
    until: datetime
    nodes: tuple[Different, ...]
    left_out: int = 0


def tree_diff(product: Product, since: date) -> TreeDiff:
    """What is otherwise than when that day began, where the product is."""
    start, now = datetime.combine(max(since, EARLIEST), time.min, ZoneInfo(product.timezone)), timezone.now()
    if start > now:
        raise Invalid(f"{since} lies ahead: there is nothing yet to compare with.")
    nodes = [node for model in KINDS.values() for node in nodes_of(product, model)]
    looked = _Since(product, start, nodes)
    strengths = confidences_at([(node, moment) for node in nodes for moment in (start, now)])
    found = []
    for place, node in enumerate(nodes):
        was, became = strengths[2 * place : 2 * place + 2]
        differences = tuple(looked.differences(node, was.label, became.label))
        if differences:
            found.append(Different(node.ref, node.title, node.word, differences))
    return TreeDiff(start, now, tuple(found[:MOST_NODES]), max(len(found) - MOST_NODES, 0))


class _Since:
    """What was written down since a moment, by node."""

    def __init__(self, product: Product, start: datetime, nodes: Sequence[Node]) -> None:
        self._start = start
        self._told = differences_since(product, start, nodes)
        self._heard = _by_node(EvidenceLink.objects.filter(product=product, created_at__gte=start))
        self._notes = _by_node(Note.objects.filter(product=product, created_at__gte=start))
        self._answers = _by_node(Note.objects.filter(product=product, answered_at__gte=start))
        self._states = _states_before(product, start)

    def differences(self, node: Node, was: str, became: str) -> Iterator[Difference]:
        key = key_of(node)
        if node.closed_at and node.closed_at < self._start:
            return  # out of play all the time: that its evidence ages is nobody's belief
        is_new = node.created_at >= self._start
        if is_new:
            yield Difference("came", now=node.state if isinstance(node, Solution) else "")
        elif isinstance(node, Solution) and self._states.get(node.pk, node.state) != node.state:
            yield Difference("state", self._states[node.pk], node.state)
        if isinstance(node, Hypothesis) and node.locked_at and node.locked_at >= self._start:
            yield Difference("locked")
        if isinstance(node, AssumptionTest) and node.concluded_at and node.concluded_at >= self._start:
            yield Difference("verdict", now=node.verdict, words=node.result)
        yield from self._told.get(node.ref, ())
        if was != became:
            yield Difference("evidence", "" if is_new else was, became)
        if heard := self._heard.get(key):
            yield Difference("heard", now=_count(heard))
        for note in self._notes.get(key, ()):
            yield Difference("note", now=note.kind, words=note.text)
        for note in self._answers.get(key, ()):
            yield Difference("answer", note.text, now=note.kind, words=note.answer)
        if node.closed_at and node.closed_at >= self._start:
            yield Difference("closed", words=node.close_reason)


def _by_node(rows: Iterable[AnyAttached]) -> dict[NodeKey, list[AnyAttached]]:
    found: dict[NodeKey, list[AnyAttached]] = defaultdict(list)
    for row in rows:
        found[row.node_kind, row.node_id].append(row)
    return found


def _states_before(product: Product, start: datetime) -> dict[int, str]:
    """By solution the state it was in then, of those that anything was done to since."""
    acts = Activity.objects.filter(
        product=product, subject_type=Solution._meta.label, at__gte=start, before__isnull=False
    ).order_by("-at", "-pk")
    rows = acts.values_list("subject_id", "before")
    return {pk: str(before["state"]) for pk, before in rows if before and "state" in before}


def _count(links: Sequence[EvidenceLink]) -> str:
    by_stance = {stance: sum(link.stance == stance for link in links) for stance in Stance.values}
    words = {Stance.SUPPORTS: "for it", Stance.CONTRADICTS: "against it", Stance.CONTEXT: "beside it"}
    return ", ".join(f"{by_stance[stance]} {says}" for stance, says in words.items() if by_stance[stance])

"""The whole tree of a product, loaded with a bounded number of queries whatever its size.

One query a kind, one for evidence, one for open notes, and what the sockets ask for their figures.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from django.db.models import prefetch_related_objects
from django.utils import timezone

from whytree.engines import confidence as engine
from whytree.engines.confidence import Confidence, Evidence
from whytree.tree import lints
from whytree.tree.lints import Advice
from whytree.tree.models import (
    ASKING,
    KINDS,
    PARENTS,
    Assumption,
    AssumptionTest,
    Node,
    Note,
    Opportunity,
    Outcome,
    Solution,
)
from whytree.tree.queries import evidence_by_node, key_of
from whytree.workspace.models import Product
from whytree.workspace.sockets import Figure, figures

NO_EVIDENCE = engine.confidence([], datetime.min.replace(tzinfo=UTC))
# Evidence from these rungs is a voice: somebody said it or was watched.
VOICES = frozenset({"anecdotal", "user_evidence"})


@dataclass
class Branch:
    """One node with what is drawn on it, and the branches below it. Children come in order of their numbers, kind by kind."""

    node: Node
    confidence: Confidence
    people: int
    open_notes: int
    figure: Figure
    depth: int = 0
    children: list["Branch"] = field(default_factory=list)
    advice: list[Advice] = field(default_factory=list)

    def walk(self) -> Iterator["Branch"]:
        """This branch and all below it, parents first. No recursion: a chain may be a thousand nodes deep."""
        waiting = [self]
        while waiting:
            branch = waiting.pop()
            yield branch
            waiting.extend(reversed(branch.children))

    @property
    def strength(self) -> str:
        """What pages say of the evidence; a person's override comes first."""
        return self.node.override or self.confidence.label

    @property
    def size(self) -> int:
        return sum(1 for _ in self.walk())


@dataclass(frozen=True)
class Tree:
    """`roots` are the outcomes at the top; `loose` are opportunities and solutions that nobody has placed."""

    product: Product
    roots: list[Branch]
    loose: list[Branch]

    def walk(self) -> Iterator[Branch]:
        for top in (*self.roots, *self.loose):
            yield from top.walk()

    def find(self, ref: str) -> Branch | None:
        return next((branch for branch in self.walk() if branch.node.ref == ref), None)

    @property
    def advice(self) -> list[Advice]:
        return [advice for branch in self.walk() for advice in branch.advice]

    def __len__(self) -> int:
        return sum(1 for _ in self.walk())


def load_tree(product: Product) -> Tree:
    """Everything the tree's pages, its JSON and its lints need."""
    nodes = _load_nodes(product)
    everything = [node for kind in nodes.values() for node in kind]
    evidence = evidence_by_node(product)
    drawn = {
        "OUT": figures("outcome", product, nodes["OUT"]),
        "OPP": figures("opportunity", product, nodes["OPP"]),
        "SOL": figures("solution", product, nodes["SOL"]),
    }
    waiting = _open_notes(product)
    now = timezone.now()
    branches = {
        key_of(node): Branch(
            node=node,
            confidence=engine.confidence(evidence[key_of(node)], now) if key_of(node) in evidence else NO_EVIDENCE,
            people=_people(evidence.get(key_of(node), [])),
            open_notes=waiting[key_of(node)],
            figure=drawn.get(node.prefix, {}).get(node.pk, Figure()),
        )
        for node in everything
    }
    tree = _hang(product, branches)
    _advise(tree, evidence)
    return tree


def facts_of(node: Node, evidence: Sequence[Evidence]) -> lints.NodeFacts:
    """A node as the lints see it."""
    parent = node.parent_node
    facts = lints.NodeFacts(
        ref=node.ref,
        kind=node.prefix,
        title=node.title,
        parent=parent.ref if parent else None,
        closed=node.is_closed,
        evidence=tuple(lints.EvidenceFacts(e.evidence_type, e.stance, e.person_key, e.said_at) for e in evidence),
    )
    return _with_fields(facts, node)


def _with_fields(facts: lints.NodeFacts, node: Node) -> lints.NodeFacts:
    match node:
        case Outcome():
            return replace(
                facts,
                outcome_type=node.outcome_type,
                metric_key=node.metric_key,
                baseline=node.baseline,
                target=node.target,
                counter_metrics=len(node.counter_metric_keys),
            )
        case Opportunity():
            return replace(facts, in_focus=node.in_focus)
        case Solution():
            return replace(facts, state=node.state)
        case Assumption():
            return replace(facts, assumption_type=node.assumption_type, status=node.status)
        case AssumptionTest():
            return replace(facts, criterion=node.success_criterion)
    return facts


def _load_nodes(product: Product) -> dict[str, list[Node]]:
    """All nodes by kind, each with its parent and its product at hand: tied here, which is quicker than by joins."""
    nodes = {prefix: list(model._default_manager.filter(product=product)) for prefix, model in KINDS.items()}
    by_pk = {prefix: {node.pk: node for node in found} for prefix, found in nodes.items()}
    for prefix, found in nodes.items():
        for node in found:
            node.product = product
            for above, column in PARENTS[prefix].items():
                pk = getattr(node, f"{column}_id")
                if pk is not None:
                    setattr(node, column, by_pk[above][pk])
    # An assumption's status follows from its tests.
    prefetch_related_objects(nodes["ASM"], "tests")
    return nodes


def _open_notes(product: Product) -> Counter[tuple[str, int]]:
    waiting = Note.objects.filter(product=product, kind__in=ASKING, answered_at=None)
    return Counter(waiting.values_list("node_kind", "node_id"))


def _people(evidence: Sequence[Evidence]) -> int:
    """How many different people are heard; a voice without a name counts as one of its own source."""
    return len({e.person_key for e in evidence if e.evidence_type in VOICES and e.stance != "context"})


def _hang(product: Product, branches: dict[tuple[str, int], Branch]) -> Tree:
    roots, loose = [], []
    for branch in branches.values():
        parent = branch.node.parent_node
        if parent is not None:
            branches[key_of(parent)].children.append(branch)
        elif isinstance(branch.node, Outcome):
            roots.append(branch)
        else:
            loose.append(branch)
    tree = Tree(product, roots, loose)
    for branch in tree.walk():
        # What is closed stands last; the rest keeps its order.
        branch.children.sort(key=lambda child: child.node.is_closed)
        for child in branch.children:
            child.depth = branch.depth + 1
    return tree


def _advise(tree: Tree, evidence: dict[tuple[str, int], list[Evidence]]) -> None:
    facts = [facts_of(branch.node, evidence.get(key_of(branch.node), [])) for branch in tree.walk()]
    by_ref: dict[str, list[Advice]] = defaultdict(list)
    for advice in lints.advise(facts, timezone.now()):
        by_ref[advice.ref].append(advice)
    for branch in tree.walk():
        branch.advice = by_ref[branch.node.ref]

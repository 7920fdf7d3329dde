"""Advice on a tree: what Torres, Cagan and practice would ask about it. Never a wall.

Pure: takes facts, gives sentences. Usage::

    advise([NodeFacts(ref="OUT-1", kind="OUT", title="Activated in 7 days", baseline=None)], now)

Sources: Teresa Torres, *Continuous Discovery Habits* (structure, framing, comparing solutions); Marty Cagan's four
risks (value before code); Itamar Gilad's evidence ladder (what counts as external, how it ages).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from whytree.engines.confidence import TYPES, YEAR

EXTERNAL = frozenset({"anecdotal", "market_data", "user_evidence", "test_results", "launch_data"})
AT_WORK = frozenset({"building", "live", "measured"})

FEATURE_VERBS = (
    "add",
    "build",
    "create",
    "implement",
    "integrate",
    "introduce",
    "launch",
    "make",
    "redesign",
    "ship",
    "support",
)
BUSINESS_VERBS = (
    "increase",
    "decrease",
    "grow",
    "reduce",
    "improve",
    "boost",
    "raise",
    "maximise",
    "maximize",
    "convert",
    "monetise",
    "monetize",
)
FEATURE = re.compile(rf"^\W*(?:we (?:should|need to|must) )?(?:{'|'.join(FEATURE_VERBS)})\b", re.IGNORECASE)
BUSINESS = re.compile(rf"^\W*(?:we (?:should|need to|must) )?(?:{'|'.join(BUSINESS_VERBS)})\b", re.IGNORECASE)


@dataclass(frozen=True)
class EvidenceFacts:
    """One piece of evidence: its rung, whom it comes from, when it was said."""

    evidence_type: str
    stance: str
    person: str
    said_at: datetime


@dataclass(frozen=True)
class NodeFacts:
    """What the lints look at; a field that a kind does not have keeps its default."""

    ref: str
    kind: str
    title: str
    parent: str | None = None
    closed: bool = False
    outcome_type: str = "product_outcome"
    metric_key: str = "some_metric"
    baseline: float | None = 0.0
    target: float | None = 0.0
    counter_metrics: int = 0
    in_focus: bool = False
    state: str = "idea"
    assumption_type: str = "desirability"
    status: str = "untested"
    criterion: str = "said"
    evidence: tuple[EvidenceFacts, ...] = ()


@dataclass(frozen=True)
class Advice:
    """`rule` names it for people who want to switch it off or search for it; `text` says what to do."""

    ref: str
    rule: str
    text: str


@dataclass(frozen=True)
class _Tree:
    nodes: Sequence[NodeFacts]
    children: dict[str, list[NodeFacts]]
    now: datetime

    def below(self, node: NodeFacts, kind: str) -> list[NodeFacts]:
        return [child for child in self.children[node.ref] if child.kind == kind and not child.closed]


Rule = Callable[[NodeFacts, _Tree], str | None]
_rules: list[tuple[str, str, Rule]] = []


def _rule(kind: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        _rules.append((kind, function.__name__, function))
        return function

    return register


def advise(nodes: Sequence[NodeFacts], now: datetime) -> list[Advice]:
    """Everything worth asking about open nodes, in the order of the nodes."""
    children: dict[str, list[NodeFacts]] = defaultdict(list)
    for node in nodes:
        if node.parent is not None:
            children[node.parent].append(node)
    tree = _Tree(nodes, children, now)
    return [advice for node in nodes if not node.closed for advice in _advice_on(node, tree)]


def rules() -> list[str]:
    """Names of all lints."""
    return [name for _, name, _ in _rules]


def _advice_on(node: NodeFacts, tree: _Tree) -> Iterator[Advice]:
    for kind, name, function in _rules:
        if kind == node.kind:
            text = function(node, tree)
            if text is not None:
                yield Advice(node.ref, name, text)


@_rule("OUT")
def outcome_without_metric(node: NodeFacts, tree: _Tree) -> str | None:
    return None if node.metric_key else "Name the metric that shows it; until then nobody can tell whether it moved."


@_rule("OUT")
def outcome_without_baseline(node: NodeFacts, tree: _Tree) -> str | None:
    if not node.metric_key or node.baseline is not None:
        return None
    return "Write down where it stands today: without a baseline every later number looks like success."


@_rule("OUT")
def outcome_without_target(node: NodeFacts, tree: _Tree) -> str | None:
    return None if node.target is not None else "Say how far it should move; a target tells when to stop."


@_rule("OUT")
def traction_metric_alone(node: NodeFacts, tree: _Tree) -> str | None:
    if node.outcome_type != "traction_metric" or node.parent is not None or node.counter_metrics:
        return None
    return "Use of one feature is a poor goal by itself: add a counter-metric, or hang it under a product outcome."


@_rule("OUT")
def business_outcome_with_opportunities(node: NodeFacts, tree: _Tree) -> str | None:
    if node.outcome_type != "business_outcome" or not tree.below(node, "OPP"):
        return None
    return "A team cannot move a business outcome directly: put the product outcome that drives it in between."


@_rule("OPP")
def opportunity_not_placed(node: NodeFacts, tree: _Tree) -> str | None:
    return None if node.parent is not None else "Hang it under the outcome it would move."


@_rule("OPP")
def phrased_as_feature(node: NodeFacts, tree: _Tree) -> str | None:
    if not FEATURE.match(node.title):
        return None
    return "This is phrased as something to build. Write what the person struggles with; the building goes into a solution."


@_rule("OPP")
def phrased_as_business_need(node: NodeFacts, tree: _Tree) -> str | None:
    if not BUSINESS.match(node.title):
        return None
    return "This is what we need, not what they need. Write it as the person would say it."


@_rule("OPP")
def solutions_beside_opportunities(node: NodeFacts, tree: _Tree) -> str | None:
    if not (tree.below(node, "OPP") and tree.below(node, "SOL")):
        return None
    return "It has both narrower opportunities and solutions. Move each solution to the narrow one that it addresses."


@_rule("OPP")
def only_one_narrower(node: NodeFacts, tree: _Tree) -> str | None:
    below = tree.below(node, "OPP")
    if len(below) != 1:
        return None
    return f"Only {below[0].ref} stands below it: either they are the same, or a sibling is missing."


@_rule("OPP")
def no_external_evidence(node: NodeFacts, tree: _Tree) -> str | None:
    if _external(node):
        return None
    return "Nobody outside the team has said or shown this yet. Link one voice, or ask one person."


@_rule("OPP")
def heard_from_one_person(node: NodeFacts, tree: _Tree) -> str | None:
    if len({piece.person for piece in _external(node)}) != 1:
        return None
    return "One person said this. Look for a second one before building for it."


@_rule("OPP")
def evidence_past_half_life(node: NodeFacts, tree: _Tree) -> str | None:
    return _too_old(node, tree.now)


@_rule("OPP")
def one_solution_in_focus(node: NodeFacts, tree: _Tree) -> str | None:
    if not node.in_focus or tree.below(node, "OPP"):
        return None
    count = len(tree.below(node, "SOL"))
    if count >= 2:
        return None
    if count == 1:
        return (
            "Only one solution: compare it with a second and a third. "
            "An opportunity that admits one solution is that solution in disguise."
        )
    return "In focus and without a solution: write down three, then compare them."


@_rule("SOL")
def solution_without_opportunity(node: NodeFacts, tree: _Tree) -> str | None:
    return None if node.parent is not None else "Which problem does it solve? Hang it under an opportunity."


@_rule("SOL")
def solution_without_assumption(node: NodeFacts, tree: _Tree) -> str | None:
    if node.state not in {"testing", "building"} or tree.below(node, "ASM"):
        return None
    return "What must be true for this to work? Write down the belief that would hurt most if it were wrong."


@_rule("SOL")
def value_untested(node: NodeFacts, tree: _Tree) -> str | None:
    if node.state not in AT_WORK:
        return None
    untested = [
        a.ref for a in tree.below(node, "ASM") if a.assumption_type == "desirability" and a.status == "untested"
    ]
    if not untested:
        return None
    return f"Whether people want it is untested ({', '.join(untested)}), and it is {node.state} already. What could show it cheaply?"


@_rule("SOL")
def belief_refuted(node: NodeFacts, tree: _Tree) -> str | None:
    if node.state not in AT_WORK:
        return None
    refuted = [a.ref for a in tree.below(node, "ASM") if a.status == "refuted"]
    return f"A test refuted {', '.join(refuted)}. Change the solution or drop it." if refuted else None


@_rule("SOL")
def nothing_predicted(node: NodeFacts, tree: _Tree) -> str | None:
    if node.state not in {"building", "live"} or tree.below(node, "HYP"):
        return None
    return "Nobody has said what it will change, by how much. Write the prediction before people see it."


@_rule("TST")
def test_without_criterion(node: NodeFacts, tree: _Tree) -> str | None:
    return (
        None
        if node.criterion
        else "Fix what would count as a yes (who, how many of how many, do what) before it starts."
    )


def _external(node: NodeFacts) -> list[EvidenceFacts]:
    return [piece for piece in node.evidence if piece.stance == "supports" and piece.evidence_type in EXTERNAL]


def _too_old(node: NodeFacts, now: datetime) -> str | None:
    """Evidence past its half-life counts less than half; when all of it is, one fresh look is due."""
    pieces = _external(node)
    if not pieces or any(now - piece.said_at <= _half_life(piece) for piece in pieces):
        return None
    months = min((now - piece.said_at).days for piece in pieces) // 30
    return f"The newest evidence is {months} months old. Ask one person whether it still hurts."


def _half_life(piece: EvidenceFacts) -> timedelta:
    return YEAR * TYPES[piece.evidence_type].half_life_years

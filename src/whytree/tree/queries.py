"""What may be asked of the tree, one node at a time; `outline` answers for the whole."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar, cast

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from whytree.code.models import Ticket
from whytree.engines import confidence as engine
from whytree.engines.confidence import Confidence, Evidence
from whytree.errors import NotFound
from whytree.tree.models import (
    ASKING,
    KINDS,
    PARENTS,
    Attached,
    Draft,
    DraftKind,
    DraftState,
    EvidenceLink,
    Hypothesis,
    Node,
    Note,
    Outcome,
    Solution,
    State,
    TicketLink,
    data_set,
)
from whytree.workspace.background.once import once_a_page
from whytree.workspace.models import Activity, Product

REF = re.compile(rf"({'|'.join(KINDS)})-([1-9][0-9]{{0,8}})", re.IGNORECASE)

# Nothing can be launched for a problem, and nothing has been for an idea: `raise_most` proposes only what can be done.
_BEFORE_LAUNCH = frozenset(engine.TYPES) - {"launch_data"}
_ABOUT_PEOPLE = frozenset({"user_evidence", "market_data", "anecdotal"})

NodeKey = tuple[str, int]
AnyAttached = TypeVar("AnyAttached", bound=Attached)


def find_node(product: Product, ref: str) -> Node:
    """The node people call `ref`; `NotFound` when this product has none."""
    match = REF.fullmatch(ref.strip())
    node = None
    if match is not None:
        model = KINDS[match[1].upper()]
        node = nodes_of(product, model).filter(number=int(match[2])).first()
    if node is None:
        raise NotFound(f"There is no {ref.strip()[:40] or 'such node'} in {product.name}. What there is: whytree tree")
    return node


def nodes_of(product: Product, model: type[Node]) -> QuerySet[Node]:
    """All nodes of one kind, with what every door shows of them."""
    columns = set(PARENTS[model.prefix].values())
    return model._default_manager.filter(product=product).select_related("product", "owner", *columns)


def path_of(node: Node) -> list[Node]:
    """What stands above a node, from the root down to its parent."""
    above: list[Node] = []
    parent = node.parent_node
    while parent is not None:
        above.append(parent)
        parent = parent.parent_node
    return above[::-1]


def outcome_of(node: Node) -> Outcome | None:
    """The outcome that a node works for: the nearest one above it."""
    return next((above for above in reversed(path_of(node)) if isinstance(above, Outcome)), None)


def children_of(*nodes: Node) -> list[Node]:
    """What stands directly below nodes of one product, kind by kind: a query for each pair of kinds, however many nodes."""
    above: dict[str, list[int]] = defaultdict(list)
    for node in nodes:
        above[node.prefix].append(node.pk)
    found: list[Node] = []
    for prefix, parents in PARENTS.items():
        for kind in parents.keys() & above.keys():
            found += nodes_of(nodes[0].product, KINDS[prefix]).filter(**{f"{parents[kind]}__in": above[kind]})
    return found


def keys_below(node: Node) -> list[NodeKey]:
    """The node and everything that hangs under it, level by level."""
    found, level = {key_of(node): None}, [node]
    while level:
        level = [one for one in children_of(*level) if key_of(one) not in found]
        found |= {key_of(one): None for one in level}
    return list(found)


def confidence(node: Node, now: datetime | None = None) -> Confidence:
    """How much evidence stands behind a node: derived, with its breakdown and what would raise it most."""
    return confidences([node], now)[key_of(node)]


def confidences(nodes: Sequence[Node], now: datetime | None = None) -> dict[NodeKey, Confidence]:
    """The same for many nodes of one product, in one query."""
    now = now or timezone.now()
    pieces = evidence_by_node(nodes[0].product, nodes) if nodes else {}
    return {key_of(node): confidence_by(node, pieces.get(key_of(node), []), now) for node in nodes}


def confidence_by(node: Node, evidence: Sequence[Evidence], now: datetime) -> Confidence:
    """The same, of evidence that was read already."""
    return engine.confidence(evidence, now, reachable=_reachable(node))


def confidences_at(moments: Sequence[tuple[Node, datetime]]) -> list[Confidence]:
    """What was known of each node at its moment: evidence that was added later is left out. Nodes of one product."""
    if not moments:
        return []
    links = EvidenceLink.objects.filter(_on([node for node, _ in moments]), product=moments[0][0].product_id)
    pieces: dict[NodeKey, list[tuple[datetime, Evidence]]] = defaultdict(list)
    for key, added_at, piece in _pieces(links):
        pieces[key].append((added_at, piece))
    return [
        engine.confidence([piece for added_at, piece in pieces[key_of(node)] if added_at <= at], at)
        for node, at in moments
    ]


def evidence_by_node(product: Product, nodes: Sequence[Node] | None = None) -> dict[NodeKey, list[Evidence]]:
    """The evidence on these nodes (of all nodes, when none are named) as the engine takes it."""
    links = EvidenceLink.objects.filter(product=product)
    if nodes is not None:
        links = links.filter(_on(nodes))
    found: dict[NodeKey, list[Evidence]] = defaultdict(list)
    for key, _, piece in _pieces(links):
        found[key].append(piece)
    return found


def _pieces(links: QuerySet[EvidenceLink]) -> Iterator[tuple[NodeKey, datetime, Evidence]]:
    """Each link as the engine takes it, with its node and when it was added."""
    rows = links.values_list(
        "node_kind",
        "node_id",
        "evidence_type",
        "stance",
        "person_key",
        "source_kind",
        "source_id",
        "said_at",
        "created_at",
        "importance",
    )
    for (
        kind,
        pk,
        evidence_type,
        stance,
        person,
        source_kind,
        source_id,
        said_at,
        created_at,
        importance,
    ) in rows.iterator():
        # Who said it; a source without a person (a study, an issue thread) stands for itself.
        whose = person or (data_set(source_kind, source_id) if source_id else "")
        piece = Evidence(evidence_type, cast(engine.Stance, stance), whose, said_at or created_at, importance)
        yield (kind, pk), created_at, piece


def evidence_of(node: Node) -> QuerySet[EvidenceLink]:
    return EvidenceLink.objects.filter(**_attached_to(node)).select_related("added_by")


def evidence_from(source_kind: str, node: Node) -> QuerySet[EvidenceLink]:
    """What sources of one kind say of a node."""
    return EvidenceLink.objects.filter(**_attached_to(node), source_kind=source_kind)


def notes_of(node: Node) -> QuerySet[Note]:
    return Note.objects.filter(**_attached_to(node)).select_related("author", "answered_by")


def tickets_of(node: Node) -> QuerySet[TicketLink]:
    return TicketLink.objects.filter(**_attached_to(node)).select_related("ticket").order_by("ticket__key")


def ticket_keys(nodes: Sequence[Node]) -> list[str]:
    """Keys of the tickets tied to any of these nodes of one product."""
    tied = TicketLink.objects.filter(_on(nodes), product=nodes[0].product)
    return sorted(set(tied.values_list("ticket__key", flat=True)))


def nodes_of_ticket(ticket: Ticket) -> list[Node]:
    """What a ticket is tied to."""
    links = list(TicketLink.objects.filter(ticket=ticket).select_related("product"))
    return list(nodes_behind(links).values())


def open_notes(product: Product) -> QuerySet[Note]:
    """Questions and challenges that nobody has answered, of nodes in play; challenges first, then the oldest."""
    waiting = Note.objects.filter(product=product, kind__in=ASKING, answered_at=None)
    for prefix, model in KINDS.items():
        gone = nodes_of(product, model).filter(closed_at__isnull=False)
        waiting = waiting.exclude(node_kind=prefix, node_id__in=gone.order_by().values("pk"))
    return waiting.select_related("author").order_by("kind", "created_at", "id")


def open_notes_of(node: Node) -> QuerySet[Note]:
    return notes_of(node).filter(kind__in=ASKING, answered_at=None)


def find_attached(product: Product, model: type[AnyAttached], pk: int) -> AnyAttached:
    """A note, a piece of evidence or a ticket link by its number; `NotFound` outside its product."""
    row: AnyAttached | None = model._default_manager.filter(product=product, pk=pk).select_related("product").first()
    if row is None:
        raise NotFound(f"There is no such {model._meta.verbose_name} in {product.name}.")
    return row


def open_drafts(product: Product) -> list[Draft]:
    """Drafts that wait for a yes or no, each after the one it stands under; the biggest first."""
    rows = list(Draft.objects.filter(product=product, state=DraftState.PROPOSED).select_related("parent", "product"))
    rank = {DraftKind.OUTCOME: 0, DraftKind.OPPORTUNITY: 1, DraftKind.SOLUTION: 2}
    below: dict[int | None, list[Draft]] = defaultdict(list)
    known = {row.pk for row in rows}
    for row in sorted(rows, key=lambda row: (rank[DraftKind(row.kind)], -row.lines, row.pk)):
        below[row.parent_id if row.parent_id in known else None].append(row)
    ordered: list[Draft] = []
    waiting = below[None][::-1]
    while waiting:
        row = waiting.pop()
        ordered.append(row)
        waiting += below[row.pk][::-1]
    return ordered


def find_draft(product: Product, pk: int) -> Draft:
    row = Draft.objects.select_related("product", "parent").filter(product=product, pk=pk).first()
    if row is None:
        raise NotFound(f"There is no draft {pk} in {product.name}. See: whytree draft list")
    return row


def nodes_behind(rows: Iterable[Attached]) -> dict[NodeKey, Node]:
    """The nodes that these rows hang on, one query a kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    product = None
    for row in rows:
        wanted[row.node_kind].add(row.node_id)
        product = row.product
    return _nodes_by_key(product, wanted) if product is not None else {}


def activity_of(*nodes: Node) -> QuerySet[Activity]:
    """What happened to these nodes of one product and to what hangs on them, newest first."""
    mine = Q()
    for node in nodes:
        mine |= Q(subject_type=node._meta.label, subject_id=node.pk)
    attached: list[type[Attached]] = [EvidenceLink, Note, TicketLink]
    for model in attached:
        pks = model._default_manager.filter(_on(nodes), product=nodes[0].product_id).values("pk")
        mine |= Q(subject_type=model._meta.label, subject_id__in=pks)
    return Activity.objects.filter(mine, product=nodes[0].product_id).order_by("-at", "-pk")


@dataclass(frozen=True)
class Change:
    """Something somebody did, with the node it was done to where there is one."""

    activity: Activity
    node: Node | None


def recent_changes(product: Product, limit: int = 12) -> list[Change]:
    """The latest acts on the tree, newest first; an import counts as one."""
    models: list[type[Model]] = [*KINDS.values(), Note, EvidenceLink]
    ours = Q(subject_type__in=[model._meta.label for model in models]) & ~Q(verb__startswith="import_")
    found = Activity.objects.filter(ours | Q(verb="import_tree"), product=product).order_by("-at", "-pk")[:limit]
    labels = {model._meta.label: prefix for prefix, model in KINDS.items()}
    wanted: dict[str, set[int]] = defaultdict(set)
    for activity in found:
        if activity.subject_type in labels:
            wanted[labels[activity.subject_type]].add(activity.subject_id)
    nodes = _nodes_by_key(product, wanted)
    return [Change(act, nodes.get((labels.get(act.subject_type, ""), act.subject_id))) for act in found]


@once_a_page
def hypotheses_of(solution: Solution) -> list[Hypothesis]:
    """All of a solution's hypotheses, closed ones too, in the order in which they were made."""
    return list(solution.hypotheses.select_related("product", "solution").order_by("number"))


def prediction_of(solution: Solution) -> Hypothesis | None:
    """The hypothesis a solution is judged by: the one locked last, else the newest that is open."""
    open_ones = [one for one in hypotheses_of(solution) if not one.is_closed]
    locked = [one for one in open_ones if one.is_locked]
    return (
        max(locked, key=attrgetter("locked_at")) if locked else max(open_ones, key=attrgetter("number"), default=None)
    )


def _nodes_by_key(product: Product, wanted: Mapping[str, Collection[int]]) -> dict[NodeKey, Node]:
    return {
        (kind, node.pk): node
        for kind, pks in wanted.items()
        for node in nodes_of(product, KINDS[kind]).filter(pk__in=pks)
    }


def key_of(node: Node) -> NodeKey:
    return (node.prefix, node.pk)


def _attached_to(node: Node) -> dict[str, Any]:
    return {"product_id": node.product_id, "node_kind": node.prefix, "node_id": node.pk}


def _on(nodes: Sequence[Node]) -> Q:
    wanted: dict[str, list[int]] = defaultdict(list)
    for node in nodes:
        wanted[node.prefix].append(node.pk)
    matches = Q()
    for kind, pks in wanted.items():
        matches |= Q(node_kind=kind, node_id__in=pks)
    return matches


def _reachable(node: Node) -> frozenset[str]:
    if node.prefix == "OPP":
        return _ABOUT_PEOPLE
    exposed = isinstance(node, Solution) and node.state not in {State.IDEA, State.TESTING, State.BUILDING}
    return frozenset(engine.TYPES) if exposed or node.prefix == "OUT" else _BEFORE_LAUNCH

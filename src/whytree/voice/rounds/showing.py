"""What people stumbled over as evidence of a node: k of n with its interval, kept true while the round goes on."""

from collections import defaultdict

from django.db.models import QuerySet

from whytree.engines.stats import Estimate
from whytree.tree.models import EvidenceLink, EvidenceType, Node, SourceKind
from whytree.tree.services import link_evidence, unlink_evidence
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from .models import UsabilityProblem, UsabilityRound
from .queries import ProblemFigure, findings


def show_problem(actor: Actor, problem: UsabilityProblem, node: Node) -> EvidenceLink:
    """It speaks for this node; against the very solution that was tried."""
    require(actor, problem.round.product, Role.MEMBER)
    told = findings(problem.round)
    figure = next(one for one in told.problems if one.problem.pk == problem.pk)
    is_tried = problem.round.solution is not None and node == problem.round.solution
    return _link(actor, figure, node, "contradicts" if is_tried else "supports")


def follow_round(actor: Actor, found: UsabilityRound) -> None:
    """Somebody else was watched, or stumbled: what is shown of the round on nodes says so."""
    links = list(_links(found))
    figures = {_source(one.problem): one for one in findings(found).problems} if links else {}
    for link in links:
        figure = figures.get(link.source_id)
        if figure is None:
            unlink_evidence(actor, link)
        else:
            _link(actor, figure, link.node(), link.stance)


def shown_on(found: UsabilityRound) -> dict[int, list[Node]]:
    """A problem's number -> the nodes that it is evidence of."""
    shown: dict[int, list[Node]] = defaultdict(list)
    for link in _links(found).order_by("pk"):
        shown[int(link.source_id.rpartition("-")[2])].append(link.node())
    return dict(shown)


def _links(found: UsabilityRound) -> QuerySet[EvidenceLink]:
    return EvidenceLink.objects.filter(
        product=found.product, source_kind=SourceKind.NOTE, source_id__startswith=f"{found.ref}#problem-"
    ).select_related("product")


def _source(problem: UsabilityProblem) -> str:
    return f"{problem.round.ref}#problem-{problem.number}"


def _link(actor: Actor, figure: ProblemFigure, node: Node, stance: str) -> EvidenceLink:
    problem = figure.problem
    latest = max((one.held_at for one in problem.round.sessions.all()), default=None)
    return link_evidence(
        actor,
        problem.round.product,
        node,
        stance=stance,
        evidence_type=EvidenceType.TEST_RESULTS,
        source_kind=SourceKind.NOTE,
        source_id=_source(problem),
        statement=statement_of(figure),
        said_at=latest,
    )


def statement_of(figure: ProblemFigure) -> str:
    """As the node's page says it; of so few people the interval is what there is to know."""
    share = figure.share
    of_all = ""
    if isinstance(share, Estimate):
        of_all = f"; of all like them {100 * share.low:.0f} to {100 * share.high:.0f} %, exact 95 % interval"
    severity = figure.severity[0].lower() + figure.severity[1:]
    return f"{figure.k} of {figure.n} who were watched: {figure.problem.title}\nSeverity {figure.problem.severity}, {severity}{of_all}."

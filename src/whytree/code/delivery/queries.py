"""What may be asked of delivery."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from whytree.engines.delivery import Failure, Measure, Out
from whytree.engines.delivery import measure as measured
from whytree.engines.git.log import is_revert
from whytree.errors import NotFound
from whytree.workspace.models import Product

from ..models import Commit, Deployment, Incident, Repository
from .placing import live

USUAL_DAYS = 90
MOST_DAYS = 730
STATED, INFERRED = "stated", "inferred: the latest before it"


@dataclass(frozen=True)
class Tied:
    """An incident, the deployment that did it as far as is known, and by which rule."""

    incident: Incident
    deployment: Deployment | None
    rule: str


@dataclass(frozen=True)
class Delivery:
    """DORA's metrics of a product's production, and since when they count."""

    start: datetime
    end: datetime
    measures: list[Measure]


def list_deployments(product: Product, *, environment: str = "") -> QuerySet[Deployment]:
    """The newest first, with their number of commits."""
    found = Deployment.objects.filter(product=product).select_related("repository")
    found = found.filter(environment=environment.strip().lower()) if environment.strip() else found
    return found.annotate(commit_count=Count("commits")).order_by("-finished_at", "-pk")


def deployments_between(product: Product, start: datetime, end: datetime) -> QuerySet[Deployment]:
    """Those that people met, the newest first."""
    return live(Deployment.objects.filter(product=product, finished_at__gte=start, finished_at__lte=end))


def incidents_between(product: Product, start: datetime, end: datetime) -> QuerySet[Incident]:
    return Incident.objects.filter(product=product, began_at__gte=start, began_at__lte=end)


def find_deployment(product: Product, named: str) -> Deployment:
    """By its sender's id, its version or its commit; of several the newest."""
    named = named.strip()
    ours = Deployment.objects.filter(product=product)
    found = ours.filter(sent_id=named).first() or ours.filter(version=named).first()
    if found is None and len(named) >= 7:
        found = ours.filter(commit_sha__startswith=named.lower()).first()
    if found is None:
        raise NotFound(f"No deployment {named[:60]} is known in {product.name}. See: whytree deployment list")
    return found


def find_incident(product: Product, key: str) -> Incident:
    incident = Incident.objects.select_related("product").filter(product=product, key=key.strip()).first()
    if incident is None:
        raise NotFound(f"No incident {key.strip()[:60]} is known in {product.name}. See: whytree incident list")
    return incident


def first_known(product: Product) -> set[int]:
    """Of each repository the deployment that knowledge begins with: when its commits went out nobody can say."""
    first = live(Deployment.objects.filter(repository=OuterRef("pk"), is_placed=True)).order_by("finished_at", "pk")
    repositories = Repository.objects.filter(product=product)
    return set(repositories.annotate(first=Subquery(first.values("pk")[:1])).values_list("first", flat=True)) - {None}


def tied(incidents: QuerySet[Incident]) -> list[Tied]:
    """What was said comes first; otherwise it was the latest deployment that was out when it began."""
    before = Deployment.objects.filter(product=OuterRef("product"), finished_at__lte=OuterRef("began_at"))
    latest = Subquery(live(before).order_by("-finished_at", "-pk").values("pk")[:1])
    rows = list(incidents.select_related("deployment").annotate(latest=latest))
    guessed = Deployment.objects.in_bulk({row.latest for row in rows if row.latest})
    return [_tied(row, guessed.get(row.latest)) for row in rows]


def _tied(incident: Incident, latest: Deployment | None) -> Tied:
    if incident.is_unrelated:
        return Tied(incident, None, f"{STATED}: no deployment")
    if incident.deployment is not None:
        return Tied(incident, incident.deployment, STATED)
    return Tied(incident, latest, INFERRED if latest else "")


def measure_delivery(product: Product, *, days: int = USUAL_DAYS, end: datetime | None = None) -> Delivery:
    """DORA's five for production over so many days, or since the first deployment known where that is later."""
    end = end or timezone.now()
    start = end - timedelta(days=max(7, min(days, MOST_DAYS)))
    first = live(Deployment.objects.filter(product=product)).order_by("finished_at").first()
    start = max(start, first.finished_at) if first else start
    rows = list(deployments_between(product, start, end).order_by("finished_at", "pk"))
    failures = [one for one in tied(Incident.objects.filter(product=product, began_at__gte=start)) if one.deployment]
    failed = {one.deployment.sent_id for one in failures if one.deployment}
    outs = _outs(rows, failed, first_known(product), set(_keys(product)))
    broke = [
        Failure(one.deployment.finished_at, one.incident.resolved_at)
        for one in failures
        if one.deployment and start <= one.deployment.finished_at <= end
    ]
    return Delivery(
        start, end, measured(outs, broke, start, end, told=Incident.objects.filter(product=product).exists())
    )


def _keys(product: Product) -> Iterable[str]:
    return Incident.objects.filter(product=product).values_list("key", flat=True)


def _outs(rows: Sequence[Deployment], failed: set[str], baselines: set[int], keys: set[str]) -> list[Out]:
    """One for each that was sent, however many repositories it was of."""
    brought = defaultdict[int, list[Commit]](list)
    wanted = [row.pk for row in rows if row.is_placed and row.pk not in baselines]
    commits = Commit.objects.filter(deployment__in=wanted)
    for commit in commits.only("deployment", "parents", "authored_at", "subject", "body", "tickets"):
        brought[commit.deployment_id or 0].append(commit)
    sent = defaultdict[str, list[Deployment]](list)
    for row in rows:
        sent[row.sent_id].append(row)
    return [_out(parts, failed, set(wanted), brought, keys) for parts in sent.values()]


def _out(
    parts: Sequence[Deployment],
    failed: set[str],
    known: set[int],
    brought: dict[int, list[Commit]],
    keys: set[str],
) -> Out:
    commits = [commit for part in parts for commit in brought.get(part.pk, ())]
    return Out(
        finished_at=max(part.finished_at for part in parts),
        failed=parts[0].sent_id in failed,
        rework=any(
            is_revert(one.subject, one.body) or keys & {ticket["key"] for ticket in one.tickets} for one in commits
        ),
        written_at=[one.authored_at for one in commits if len(one.parents) < 2]
        if any(part.pk in known for part in parts)
        else None,
    )

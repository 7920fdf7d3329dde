"""Which commits a deployment brought: those it holds that no earlier one held. Each commit is walked over once.

So the commits of two deployments are never mixed up whatever order they are told in, a rollback brings none, and a
squash, a merge or a branch that waited counts where it went out. The first deployment known of a repository holds all
that was before it: it is where knowledge begins, not a measure of anything.
"""

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from whytree.workspace.entry.environments import PRODUCTION

from ..cleaning import CHUNK
from ..models import Commit, Deployment, Repository


def live(deployments: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Those that people met."""
    return deployments.filter(environment=PRODUCTION, result=Deployment.Result.SUCCESS)


def place(deployment: Deployment) -> None:
    """Tie a deployment to its repository's commits; where its commit is not read in yet, it waits for that."""
    sha, repository = deployment.commit_sha, deployment.repository
    # Before its first reading came to an end, only the newest part of a history is there.
    if repository is None or repository.synced_at is None or not repository.commits.filter(sha=sha).exists():
        return
    if deployment.is_live:
        _carry(deployment, repository)
    deployment.is_placed = True
    deployment.save(update_fields=["is_placed"])


def place_again(deployment: Deployment, before: Deployment) -> None:
    """What was told of it differs from before: what it brought goes back to whoever has it now."""
    deployment.commits.update(deployment=None)
    deployment.is_placed = False
    deployment.save(update_fields=["is_placed"])
    place(deployment)
    if before.repository is None:
        return
    later = live(before.repository.deployments.filter(is_placed=True, finished_at__gte=before.finished_at))
    for one in later.order_by("finished_at", "pk"):
        _carry(one, before.repository)


def place_waiting(repository: Repository) -> None:
    """A clone was read in: find those deployments that waited for its commits."""
    waiting = Deployment.objects.filter(
        Q(repository=None) | Q(repository=repository), product=repository.product_id, is_placed=False
    ).exclude(commit_sha="")
    for deployment in waiting.order_by("finished_at", "pk"):
        if repository.commits.filter(sha=deployment.commit_sha).exists():
            deployment.repository = repository
            deployment.save(update_fields=["repository"])
            place(deployment)


def _carry(deployment: Deployment, repository: Repository) -> None:
    """Walk back from its commit over all that is not out yet, or is said to have gone out later only."""
    when = deployment.finished_at
    later = Q(deployment__finished_at__gt=when) | Q(deployment__finished_at=when, deployment__gt=deployment.pk)
    open_to_it = Q(deployment=None) | Q(deployment=deployment) | later
    rows = Commit.objects.filter(open_to_it, repository=repository)
    graph = {sha: (pk, parents) for pk, sha, parents in rows.values_list("pk", "sha", "parents")}
    found: list[int] = []
    ahead = [deployment.commit_sha]
    while ahead:
        pk, parents = graph.pop(ahead.pop(), (0, ()))
        if pk:
            found.append(pk)
            ahead += parents
    _hand_over(found, deployment)


def _hand_over(commits: Sequence[int], deployment: Deployment) -> None:
    for start in range(0, len(commits), CHUNK):
        Commit.objects.filter(pk__in=commits[start : start + CHUNK]).update(deployment=deployment)

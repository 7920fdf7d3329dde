"""What a solution's code took: its commits counted, for its review. Nobody is named."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from whytree.code.delivery.queries import first_known
from whytree.code.models import Commit, FileBlame
from whytree.engines.git.log import is_bot
from whytree.tree.models import Solution
from whytree.workspace.sockets import Work

from .queries import commits_of, page_of

_ADDRESS = re.compile(r"<([^<>\s]+)>\s*$")


def work_on(solution: Solution, until: datetime) -> Work | None:
    """The commits that lead to it and were written by then, each once however many clones have it."""
    linked = {one.sha: (one, found.how) for one, found in commits_of(solution) if one.authored_at <= until}
    commits = [commit for commit, _ in linked.values()]
    if not commits:
        return None
    first = min(commits, key=lambda one: one.authored_at)
    clones = {one.repository for one in commits}
    lines = sum(one.lines for one in commits)
    known = lines or FileBlame.objects.filter(repository__in=clones).exists()
    return Work(
        commits=len(commits),
        people=len(set(_authors(commits))),
        lines_left=lines if known else None,
        read_at=max((one.synced_at for one in clones if one.synced_at), default=None),
        first_sha=first.short,
        first_at=first.authored_at,
        rules=sorted({how for _, how in linked.values()}),
        # the first deployment known holds all that was before it: it did not bring these
        deployments=frozenset(
            {one.deployment_id for one in commits if one.deployment_id} - first_known(solution.product)
        ),
        url=page_of(solution.product, solution.ref),
    )


def _authors(commits: Iterable[Commit]) -> Iterator[str]:
    """Whoever wrote them or is named as having written along, by address; who only merged, and bots, wrote nothing."""
    for one in commits:
        if len(one.parents) > 1:
            continue
        if not is_bot(one.author_name):
            yield (one.author_email or one.author_name).lower()
        for key, value in one.trailers:
            address = _ADDRESS.search(value) if key.lower() == "co-authored-by" else None
            if address and not is_bot(value[: address.start()].strip()):
                yield address[1].lower()

"""What may change the facts of delivery: a deployment is told, an incident is told or closed. Again changes nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from whytree.engines.links.tickets import tracker_of_remote
from whytree.errors import Invalid
from whytree.workspace.entry.environments import PRODUCTION
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import clean
from ..models import Commit, Deployment, Incident, Repository
from .placing import place, place_again
from .queries import find_deployment

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
#: Clocks of build machines differ; beyond this a time is a mistake.
CLOCKS_DIFFER = timedelta(hours=1)
#: As DevLake's senders and CI services write them.
RESULTS = {
    "": Deployment.Result.SUCCESS,
    "success": Deployment.Result.SUCCESS,
    "failure": Deployment.Result.FAILURE,
    "failed": Deployment.Result.FAILURE,
    "error": Deployment.Result.FAILURE,
    "abort": Deployment.Result.CANCELLED,
    "aborted": Deployment.Result.CANCELLED,
    "cancelled": Deployment.Result.CANCELLED,
    "canceled": Deployment.Result.CANCELLED,
}
#: Says that no deployment did it.
NOBODY = "none"
_SHORT = re.compile(r"[0-9a-f]{7,64}")
_WHOLE = (40, 64)


@dataclass(frozen=True)
class DeploymentFacts:
    """A deployment as its sender tells it. `repo`: an address or a name; without `started_at` it took no time."""

    sent_id: str
    finished_at: datetime
    started_at: datetime | None = None
    commit_sha: str = ""
    repo: str = ""
    environment: str = ""
    version: str = ""
    title: str = ""
    url: str = ""
    result: str = ""


@dataclass(frozen=True)
class IncidentFacts:
    """An incident as its sender tells it. `caused_by`: a deployment's id, version or commit, "none", or "" (not said)."""

    key: str
    title: str
    began_at: datetime
    resolved_at: datetime | None = None
    status: str = ""
    url: str = ""
    caused_by: str = ""


def add_deployment(actor: Actor, product: Product, facts: DeploymentFacts) -> Deployment:
    """Keep what went out. The same id again is the same deployment: told anew, it is corrected."""
    require(actor, product, Role.MEMBER)
    told = _told(product, facts)
    with transaction.atomic():
        _one_at_a_time(product)
        rows = Deployment.objects.select_related("repository")
        known = rows.filter(product=product, sent_id=told.sent_id, repo=told.repo).first()
        if known is None:
            told.save()
            place(told)
            record(actor, product, "add_deployment", told, undoable=False)
            return told
        before = snapshot(known)
        told.pk, told.created_at, told.is_placed = known.pk, known.created_at, known.is_placed
        told.repository = told.repository or known.repository
        if snapshot(told) != before:
            told.save(force_update=True)
            place_again(told, known)
            after = snapshot(told)
            record(actor, product, "add_deployment", told, before=before, after=after, undoable=False)
    return told


def add_deployments(actor: Actor, product: Product, parts: Sequence[DeploymentFacts]) -> list[Deployment]:
    """One delivery of several repositories, whole or not at all."""
    with transaction.atomic():
        return [add_deployment(actor, product, facts) for facts in parts]


def _told(product: Product, facts: DeploymentFacts) -> Deployment:
    sent_id, version = _line(facts.sent_id), _line(facts.version)[:200]
    if not 0 < len(sent_id) <= 250:
        raise Invalid(
            "A deployment needs an id of at most 250 characters: with it, the same one again changes nothing."
        )
    finished_at = _moment(facts.finished_at, "finished")
    started_at = _moment(facts.started_at or finished_at, "started")
    if finished_at < started_at:
        raise Invalid(f"It finished at {_spelled(finished_at)}, before it started at {_spelled(started_at)}.")
    result = RESULTS.get(facts.result.strip().lower())
    if result is None:
        raise Invalid(f"{facts.result[:40]!r} is no result. Say success, failure or cancelled.")
    repo = tracker_of_remote(clean(facts.repo)) or _line(facts.repo)
    if len(repo) > 300:
        raise Invalid("The repository's address is too long: at most 300 characters.")
    sha = _whole_sha(product, facts.commit_sha.strip().lower())
    if not sha and not version:
        raise Invalid("Say what went out: a commit, a version, or both.")
    return Deployment(
        product=product,
        repository=_repository_of(product, repo, sha),
        sent_id=sent_id,
        repo=repo,
        commit_sha=sha,
        version=version,
        environment=_line(facts.environment).lower()[:60] or PRODUCTION,
        title=_line(facts.title)[:300],
        url=_address(facts.url),
        result=result,
        started_at=started_at,
        finished_at=finished_at,
    )


def _whole_sha(product: Product, told: str) -> str:
    """A commit may go out before it is read in, but then only its whole id says which it is."""
    if not told or (len(told) in _WHOLE and _SHORT.fullmatch(told)):
        return told
    if not _SHORT.fullmatch(told):
        raise Invalid(
            f"{told[:80]!r} is no commit id: it has 40 or 64 characters of 0-9 and a-f, or the first 7 of them."
        )
    found = Commit.objects.filter(repository__product=product, sha__startswith=told).values_list("sha", flat=True)
    shas = set(found[:2])
    if len(shas) != 1:
        which = "Several commits begin" if shas else "No commit that was read in begins"
        raise Invalid(f"{which} with {told}. Give all 40 characters of its id.")
    return str(shas.pop())


def _repository_of(product: Product, repo: str, sha: str) -> Repository | None:
    """The one that has the commit; of several, or while none has it, the one whose address or name was told."""
    ours = Repository.objects.filter(product=product)
    having = list(ours.filter(commits__sha=sha)) if sha else []
    if len(having) == 1:
        return having[0]
    named = [one for one in (having or list(ours)) if repo and repo in (one.tracker, one.name)]
    return named[0] if named else None


def add_incident(actor: Actor, product: Product, facts: IncidentFacts) -> Incident:
    """Keep what broke. The same key again is the same incident: told anew, it is corrected."""
    require(actor, product, Role.MEMBER)
    key, title = _line(facts.key), _line(facts.title)[:500]
    if not 0 < len(key) <= 200 or not title:
        raise Invalid("An incident needs a key of at most 200 characters, and a title.")
    began_at = _moment(facts.began_at, "began")
    resolved_at = _moment(facts.resolved_at, "was resolved") if facts.resolved_at else None
    status = _status(facts.status, resolved_at)
    with transaction.atomic():
        _one_at_a_time(product)
        known = Incident.objects.filter(product=product, key=key).first()
        before = snapshot(known) if known else None
        told = known or Incident(product=product, key=key)
        told.title, told.began_at, told.status, told.url = title, began_at, status, _address(facts.url)
        # Who closes by one call and tells the time by none keeps the time of the call.
        told.resolved_at = (resolved_at or told.resolved_at) if status == Incident.Status.DONE else None
        _refuse_backwards(told)
        if facts.caused_by:
            told.is_unrelated = facts.caused_by.strip().lower() == NOBODY
            told.deployment = None if told.is_unrelated else find_deployment(product, facts.caused_by)
        if snapshot(told) != before:
            told.save()
            record(actor, product, "add_incident", told, before=before, after=snapshot(told), undoable=False)
    return told


def close_incident(actor: Actor, incident: Incident, *, resolved_at: datetime | None = None) -> Incident:
    """It is over: now, or when somebody says it was. Again, without a time, changes nothing."""
    require(actor, incident.product, Role.MEMBER)
    with transaction.atomic():
        told = Incident.objects.select_for_update(of=("self",)).select_related("product").get(pk=incident.pk)
        if not told.is_open and resolved_at is None:
            return told
        before = snapshot(told)
        told.status = Incident.Status.DONE
        told.resolved_at = _moment(resolved_at or timezone.now(), "was resolved")
        _refuse_backwards(told)
        told.save()
        record(actor, told.product, "close_incident", told, before=before, after=snapshot(told))
    return told


def _one_at_a_time(product: Product) -> None:
    """The same delivery twice at once is one, and two deployments do not share out commits at the same time."""
    Product.objects.select_for_update().get(pk=product.pk)


def _status(told: str, resolved_at: datetime | None) -> Incident.Status:
    """DevLake's words; without any, what the time of its end says."""
    if not told.strip():
        return Incident.Status.DONE if resolved_at else Incident.Status.TODO
    try:
        return Incident.Status(told.strip().lower())
    except ValueError as error:
        raise Invalid(f"{told[:40]!r} is no status. Say TODO, IN_PROGRESS or DONE.") from error


def _refuse_backwards(told: Incident) -> None:
    if told.resolved_at and told.resolved_at < told.began_at:
        raise Invalid(f"It was resolved at {_spelled(told.resolved_at)}, before it began at {_spelled(told.began_at)}.")


def _moment(moment: datetime, what: str) -> datetime:
    if not OLDEST <= moment <= timezone.now() + CLOCKS_DIFFER:
        raise Invalid(
            f"It cannot be that it {what} at {_spelled(moment)}. Send the time as 2026-03-01T12:00:00Z, between 2000 and now."
        )
    return moment


def _spelled(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")


def _address(told: str) -> str:
    address = clean(told).strip()
    if address and not (address.startswith(("https://", "http://")) and len(address) <= 1000):
        raise Invalid("An address begins with https:// or http:// and has at most 1,000 characters.")
    return address


def _line(told: str) -> str:
    return " ".join(clean(told).split())

"""Form fields: how long people take for each, and whether code reads what they type."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.errors import Invalid
from whytree.stores.usage.form_fields import FieldSeen, fields_seen
from whytree.workspace.background.fresh import kept
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import CHUNK, clean, commit_id
from ..models import FieldReading, Repository
from ..services import refuse_another

USUAL_DAYS = 90
MOST_DAYS = 730
MOST_PLACES = 50
FRESH_SECONDS = 600
VERDICTS = frozenset(FieldReading.Verdict.values)


@dataclass(frozen=True)
class PushedField:
    """What a clone's code does with a field. Places are {path, line, says}."""

    field: str
    verdict: str
    says: str = ""
    reads: Sequence[Mapping[str, Any]] = ()
    hides: Sequence[Mapping[str, Any]] = ()
    defined: Sequence[Mapping[str, Any]] = ()
    tests: Sequence[Mapping[str, Any]] = ()


def push_form_fields(
    actor: Actor, repository: Repository, root_sha: str, rev: str, fields: Sequence[PushedField]
) -> None:
    """Store what a repository's code does with these fields; others keep what was told of them."""
    require(actor, repository.product, Role.MEMBER)
    refuse_another(repository, root_sha)
    rev = commit_id(rev)
    rows = [_row(repository, rev, one) for one in {one.field: one for one in fields}.values()]
    with transaction.atomic():
        FieldReading.objects.bulk_create(
            rows,
            batch_size=CHUNK,
            update_conflicts=True,
            unique_fields=["repository", "field"],
            update_fields=["verdict", "says", "reads", "hides", "defined", "tests", "rev", "at"],
        )
        after = {"fields": {row.field: row.verdict for row in rows[:20]}}
        record(actor, repository.product, "push_form_fields", repository, after=after, undoable=False)


def _row(repository: Repository, rev: str, told: PushedField) -> FieldReading:
    name = clean(told.field)
    if not 0 < len(name) <= 100:
        raise Invalid("A form field needs a name of at most 100 characters.")
    if told.verdict not in VERDICTS:
        raise Invalid(f"{told.verdict[:40]!r} is no answer: say read, nobody or unsure.")
    if told.verdict == FieldReading.Verdict.NOBODY and (told.reads or told.hides):
        raise Invalid(f"{name} cannot be read by nobody while places are told that read it, or could.")
    return FieldReading(
        repository=repository,
        field=name,
        verdict=told.verdict,
        says=clean(told.says)[:300],
        reads=_places(told.reads),
        hides=_places(told.hides),
        defined=_places(told.defined),
        tests=_places(told.tests),
        rev=rev,
    )


def _places(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"path": clean(str(one["path"]))[:1000], "line": int(one["line"]), "says": clean(str(one["says"]))[:200]}
        for one in told[:MOST_PLACES]
    ]


# Asking -----------------------------------------------------------------------------------------------


@dataclass
class FormField:
    """One field: what events say of it, and what each repository's code does with its value."""

    name: str
    seen: list[FieldSeen] = field(default_factory=list)
    readings: list[FieldReading] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Over all repositories, the most cautious that is not "read"; "" where nobody looked."""
        verdicts = {one.verdict for one in self.readings}
        if FieldReading.Verdict.READ in verdicts:
            return FieldReading.Verdict.READ.value
        unsure = [one for one in self.readings if one.verdict == FieldReading.Verdict.UNSURE]
        if FieldReading.Verdict.NOBODY in verdicts and not unsure:
            return FieldReading.Verdict.NOBODY.value
        return FieldReading.Verdict.UNSURE.value if self.readings else ""

    @property
    def people(self) -> int:
        return max((one.people for one in self.seen), default=0)

    @property
    def seconds(self) -> float | None:
        """Median of the form in which most people were timed."""
        timed = [one for one in self.seen if one.seconds is not None]
        return max(timed, key=lambda one: one.timed).seconds if timed else None

    @property
    def timed(self) -> int:
        return max((one.timed for one in self.seen), default=0)

    @property
    def forms(self) -> list[str]:
        return sorted({one.form for one in self.seen} - {""})

    @property
    def says(self) -> str:
        """ "7.2 s median, no code reads it"."""
        parts = []
        if self.seconds is not None:
            parts.append(f"{self.seconds:.1f} s median (n = {self.timed:,})")
        parts.append(_VERDICT_SAYS[self.verdict])
        return ", ".join(parts)


_VERDICT_SAYS = {
    "read": "code reads it",
    "nobody": "no code reads it",
    "unsure": "whether code reads it cannot be told",
    "": "nobody looked whether code reads it",
}
_ORDER = {"nobody": 0, "unsure": 1, "": 2, "read": 3}


def form_fields(product: Product, *, days: int = USUAL_DAYS) -> list[FormField]:
    """Fields that events of the last days speak of, and those that somebody looked for; unread ones first."""
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"Ask for 1 to {MOST_DAYS} days.")
    end = timezone.now()
    found: dict[str, FormField] = {}
    for seen in fields_seen(product.pk, end - timedelta(days=days), end):
        found.setdefault(seen.field, FormField(seen.field)).seen.append(seen)
    for reading in _readings(product):
        found.setdefault(reading.field, FormField(reading.field)).readings.append(reading)
    return sorted(found.values(), key=lambda one: (_ORDER[one.verdict], -(one.seconds or 0), -one.people, one.name))


def unread_fields(product: Product) -> list[FormField]:
    """Fields that people fill in and that no code reads. Asks the event store only when there may be one."""
    verdicts: dict[str, set[str]] = defaultdict(set)
    for reading in _readings(product):
        verdicts[reading.field].add(reading.verdict)
    if not any(some == {FieldReading.Verdict.NOBODY} for some in verdicts.values()):
        return []
    found = {name: FormField(name, list(seen)) for name, seen in _seen_lately(product).items() if name in verdicts}
    for reading in _readings(product):
        if reading.field in found:
            found[reading.field].readings.append(reading)
    return sorted((one for one in found.values() if one.verdict == "nobody"), key=lambda one: -(one.seconds or 0))


def _seen_lately(product: Product) -> dict[str, list[FieldSeen]]:
    """What events said of fields some minutes ago: Today is looked at often, and this reads every event."""

    def look() -> dict[str, list[FieldSeen]]:
        found: dict[str, list[FieldSeen]] = {}
        end = timezone.now()
        for seen in fields_seen(product.pk, end - timedelta(days=USUAL_DAYS), end):
            found.setdefault(seen.field, []).append(seen)
        return found

    return kept("form-fields", [product.pk], FRESH_SECONDS, look)


def _readings(product: Product) -> list[FieldReading]:
    return list(FieldReading.objects.filter(repository__product=product).select_related("repository"))


def fields_defined(product: Product, names: Iterable[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Where forms define these fields: field, repository, {path, line, says}."""
    wanted = set(names)
    if not wanted:
        return []
    return [
        (reading.field, reading.repository.name, place)
        for reading in _readings(product)
        if reading.field in wanted
        for place in reading.defined
    ]

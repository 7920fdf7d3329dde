"""What may be asked about accounts, keys and what everybody did."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from .entry.keys import hashed
from .models import Activity, Invitation, Key, Membership, Product, SignInLink, User
from .records.activity import Snapshot
from .rights.actors import Actor

# Where a subject has a page: model label to the path below the product. Only strings: these apps stand above this one.
SUBJECT_PATHS = {
    "tree.Outcome": "{0.ref}",
    "tree.Opportunity": "{0.ref}",
    "tree.Solution": "{0.ref}",
    "tree.Hypothesis": "{0.ref}",
    "tree.Assumption": "{0.ref}",
    "tree.AssumptionTest": "{0.ref}",
    "flags.Flag": "flags/{0.key}",
    "experiments.Experiment": "experiments/{0.ref}",
    "experiments.Rollout": "flags/{0.flag.key}",
    "experiments.Bandit": "flags/{0.flag.key}",
    "learning.OutcomeReview": "{0.ref}",
    "learning.Prediction": "{0.hypothesis.ref}/predict",
    "learning.Debt": "debts",
    "learning.OutcomeGuard": "{0.review.ref}",
    "voice.FeedbackItem": "{0.ref}",
    "voice.Interview": "{0.ref}",
    "voice.Guide": "interviews/guides/{0.pk}",
    "voice.Survey": "{0.ref}",
    "voice.UsabilityRound": "{0.ref}",
    "voice.Board": "voices/board",
    "voice.Entry": "voices/board",
    "voice.Theme": "{0.ref}",
    "voice.ImportRun": "voices/imports/{0.pk}",
    "analytics.Metric": "numbers/{0.key}",
    "analytics.SavedQuestion": "{0.ref}",
    "analytics.Board": "boards/{0.number}",
    "analytics.Cohort": "cohorts/{0.key}",
    "analytics.Alert": "alerts/{0.number}",
    "analytics.Subscription": "subscriptions",
    "code.Repository": "coverage",
    "code.Deployment": "deployments#d{0.pk}",
    "code.Incident": "deployments#i{0.pk}",
}
JOINED = re.compile(r"\{0\.(\w+)\.")
BOOKKEEPING = {"id", "product_id", "created_at", "updated_at"}
LONGEST_SHOWN = 2000
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z$")


def memberships_of(actor: Actor) -> list[Membership]:
    """The products an actor belongs to, with the role in each."""
    if actor.user_id is None:
        return []
    return list(
        Membership.objects.filter(user_id=actor.user_id).select_related("product").order_by("product__name", "pk")
    )


def members_of(product: Product) -> QuerySet[Membership]:
    """With how many open keys of the product each has made."""
    keys = Key.objects.filter(product=product, user_id=OuterRef("user_id"), revoked_at=None).order_by()
    made = keys.values("user_id").annotate(n=Count("pk")).values("n")
    found = Membership.objects.filter(product=product).select_related("user").annotate(keys_made=Subquery(made))
    return found.order_by("user__name", "user__email")


def open_invitations(product: Product) -> QuerySet[Invitation]:
    return Invitation.objects.filter(product=product, used_at=None, expires_at__gt=timezone.now()).order_by("-pk")


def keys_of(product: Product) -> QuerySet[Key]:
    """A product's keys, the open ones first."""
    return Key.objects.filter(product=product).select_related("user", "environment").order_by("revoked_at", "-pk")


def tokens_of(user: User) -> QuerySet[Key]:
    return Key.objects.filter(user=user, kind=Key.Kind.PERSONAL).order_by("revoked_at", "-pk")


def sign_in_link_is_open(token: str) -> bool:
    """Whether a link would still sign somebody in; asking does not use it."""
    return SignInLink.objects.filter(token_hash=hashed(token), used_at=None, expires_at__gt=timezone.now()).exists()


def activities_of(product: Product, *, user_id: int | None = None) -> QuerySet[Activity]:
    """What happened in a product, newest first; of one person when `user_id` is given."""
    found = Activity.objects.filter(product=product).select_related("undone_by").order_by("-at", "-pk")
    return found if user_id is None else found.filter(user_id=user_id)


@dataclass(frozen=True)
class Change:
    """One field before and after, as text to show; empty when there was nothing."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """An activity as a page shows it."""

    activity: Activity
    path: str
    changes: list[Change]
    undone: bool


def entries(activities: Sequence[Activity]) -> list[Entry]:
    """Each activity with its subject's path below the product while there is one, and what changed, foreign keys by name."""
    names, paths = _names_of_related(activities), _paths(activities)
    return [
        Entry(
            activity,
            paths.get((activity.subject_type, activity.subject_id), ""),
            _changes(activity, names),
            hasattr(activity, "undone_by"),
        )
        for activity in activities
    ]


#: So many alike in a row are told as one.
RUN = 3


@dataclass(frozen=True)
class Run:
    """One act that somebody did several times over, on one day and by the same door."""

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Activity:
        return self.entries[0].activity

    @property
    def last(self) -> Activity:
        return self.entries[-1].activity

    @property
    def more(self) -> int:
        return len(self.entries) - 1

    @property
    def is_one_subject(self) -> bool:
        return len({entry.activity.subject_label for entry in self.entries}) == 1


def runs(found: Iterable[Entry]) -> list[Run]:
    """The same entries in the same order, with those that are alike together; fewer than `RUN` of them each alone."""
    together = [Run(tuple(alike)) for _, alike in groupby(found, key=_alike)]
    return [part for run in together for part in ([run] if len(run.entries) >= RUN else _each_alone(run))]


def _each_alone(run: Run) -> list[Run]:
    return [Run((entry,)) for entry in run.entries]


def _alike(entry: Entry) -> tuple[Any, ...]:
    act = entry.activity
    return act.at.date(), act.user_id, act.actor, act.verb, act.subject_type, act.via, entry.undone


def _paths(activities: Sequence[Activity]) -> dict[tuple[str, int], str]:
    """Where the subjects that are still there have their pages, one query a model."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for activity in activities:
        if activity.subject_type in SUBJECT_PATHS:
            wanted[activity.subject_type].add(activity.subject_id)
    found = {}
    for label, keys in wanted.items():
        path = SUBJECT_PATHS[label]
        subjects = apps.get_model(label)._default_manager.select_related(*JOINED.findall(path)).in_bulk(keys)
        found.update({(label, key): path.format(subject) for key, subject in subjects.items()})
    return found


Names = dict[tuple[type[models.Model], Any], str]


def _changes(activity: Activity, names: Names) -> list[Change]:
    before, after = activity.before or {}, activity.after or {}
    related = _related_models(activity.subject_type)
    fields = [name for name in {**before, **after} if name not in BOOKKEEPING and before.get(name) != after.get(name)]

    def shown(values: Snapshot, name: str) -> str:
        value = values.get(name)
        model = related.get(name)
        return names.get((model, value), _text(value)) if model is not None else _text(value)

    changes = [Change(name.removesuffix("_id"), shown(before, name), shown(after, name)) for name in fields]
    return [change for change in changes if change.before or change.after]


def _text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and ISO_TIME.match(value):
        return f"{value[:10]} {value[11:16]} UTC"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " …"


def _related_models(label: str) -> dict[str, type[models.Model]]:
    """Column name to the model it points to; nothing for a model that is gone by now."""
    try:
        model = apps.get_model(label)
    except LookupError:
        return {}
    foreign = (field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey))
    return {field.attname: field.related_model for field in foreign}


def _names_of_related(activities: Iterable[Activity]) -> Names:
    """What the foreign keys in these snapshots are called, one query a model."""
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    for activity in activities:
        for column, model in _related_models(activity.subject_type).items():
            for values in (activity.before, activity.after):
                if values and values.get(column) is not None and column not in BOOKKEEPING:
                    wanted[model].add(values[column])
    return {
        (model, pk): str(getattr(found, "ref", None) or found)
        for model, keys in wanted.items()
        for pk, found in model._default_manager.in_bulk(keys).items()
    }

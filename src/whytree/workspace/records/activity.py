"""The audit trail, and undo built on it.

Every service call that changes something writes one `Activity` with the subject's fields before and after.
Undo puts `before` back, when nothing has changed the subject since.
"""

import json
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import QuerySet
from django.db.models.deletion import Collector, ProtectedError, RestrictedError

from whytree.errors import Conflict, Forbidden, NotFound

from ..models import Activity, Product
from ..rights.access import require
from ..rights.actors import Actor
from ..rights.roles import Role
from ..sockets import tell_fact
from .exact import ExactEncoder

Snapshot = dict[str, Any]


def snapshot(obj: models.Model) -> Snapshot:
    """The stored fields of `obj` as JSON: column name to value."""
    values = {field.attname: field.value_from_object(obj) for field in obj._meta.concrete_fields}
    loaded: Snapshot = json.loads(json.dumps(values, cls=ExactEncoder))
    return loaded


def record(
    actor: Actor,
    product: Product | None,
    verb: str,
    subject: models.Model,
    *,
    before: Snapshot | None = None,
    after: Snapshot | None = None,
    undoable: bool = True,
) -> Activity:
    """Write who did what. With neither `before` nor `after`, what there is now counts as `after`: something was created."""
    if before is None and after is None:
        after = snapshot(subject)
    return Activity.objects.create(
        product=product,
        user_id=actor.user_id,
        actor=actor.label[:160],
        via=actor.via,
        verb=verb,
        subject_type=subject._meta.label,
        subject_id=subject.pk,
        subject_label=str(getattr(subject, "ref", None) or subject)[:200],
        before=before,
        after=after,
        undoable=undoable,
    )


def activity_for(subject: models.Model) -> QuerySet[Activity]:
    """What happened to one thing, newest first."""
    return Activity.objects.filter(subject_type=subject._meta.label, subject_id=subject.pk).order_by("-at", "-pk")


def last_undoable(actor: Actor, product: Product) -> Activity | None:
    """The actor's latest own act that can be taken back; None when the latest one cannot."""
    if actor.user_id is None:
        return None
    latest = (
        Activity.objects.filter(product=product, user_id=actor.user_id, undoes__isnull=True, undone_by__isnull=True)
        .order_by("-at", "-pk")
        .first()
    )
    return latest if latest is not None and latest.undoable else None


@transaction.atomic
def undo(actor: Actor, product: Product, activity_id: int) -> Activity:
    """Take back the actor's last own act. Refused when it is not theirs, not the last, or when somebody changed it since."""
    require(actor, product, Role.MEMBER)
    activity = Activity.objects.filter(product=product, pk=activity_id).first()
    if activity is None:
        raise NotFound("There is no such activity in this product.")
    if activity.user_id != actor.user_id or actor.user_id is None:
        raise Forbidden("Only your own acts can be taken back. Ask the person who did it.")
    if hasattr(activity, "undone_by"):
        raise Conflict("This was already taken back.")
    last = last_undoable(actor, product)
    if last is None or last.pk != activity.pk:
        raise Conflict(
            "Only your last act can be taken back, and some acts never: locks, imports, keys. Change it by hand."
        )
    subject = _put_back(activity)
    tell_fact("act_undone", product=product, activity=activity)
    return Activity.objects.create(
        product=product,
        user_id=actor.user_id,
        actor=actor.label[:160],
        via=actor.via,
        verb="undo",
        subject_type=activity.subject_type,
        subject_id=activity.subject_id,
        subject_label=activity.subject_label,
        before=activity.after,
        after=snapshot(subject) if subject is not None else None,
        undoes=activity,
    )


def _put_back(activity: Activity) -> models.Model | None:
    model: type[models.Model] = apps.get_model(activity.subject_type)
    manager = model._default_manager
    current = manager.filter(pk=activity.subject_id).first()
    now = snapshot(current) if current is not None else None
    if _comparable(now) != _comparable(activity.after):
        raise Conflict("It was changed since, so it cannot simply be taken back. Change it by hand.")
    if activity.before is None:
        if current is not None:
            try:
                _refuse_what_others_built_on(activity, current)
                current.delete()
            except (ProtectedError, RestrictedError) as error:
                raise Conflict(
                    "Other things hang on it by now. Remove those first, or close it with a reason."
                ) from error
        return None
    restored = model(**{name: _python(model, name, value) for name, value in activity.before.items()})
    restored.save(force_insert=current is None)
    return restored


def _refuse_what_others_built_on(activity: Activity, current: models.Model) -> None:
    """Nobody's later act goes with it. (Of one's own it is the last.)"""
    collector = Collector(using="default", origin=current)
    collector.collect([current])
    going: list[tuple[Any, Any]] = [(model, [row.pk for row in rows]) for model, rows in collector.data.items()]
    going += [(rows.model, rows.values("pk")) for rows in collector.fast_deletes]
    since = Activity.objects.filter(pk__gt=activity.pk).exclude(user=activity.user)
    for model, pks in going:
        if since.filter(subject_type=model._meta.label, subject_id__in=pks).exists():
            raise Conflict("Somebody else has added to it since. Remove that first, or close it with a reason.")


def _comparable(values: Snapshot | None) -> Snapshot | None:
    """Without the bookkeeping that changes by itself."""
    return None if values is None else {name: value for name, value in values.items() if name != "updated_at"}


def _python(model: type[models.Model], name: str, value: Any) -> Any:
    field = next(field for field in model._meta.concrete_fields if field.attname == name)
    return value if isinstance(field, models.JSONField) else field.to_python(value)

"""What may change alerts, and the look that tells."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypedDict, Unpack

from django.db import transaction
from django.utils import timezone

from whytree.engines.figures import number as figure
from whytree.errors import Invalid
from whytree.workspace.models import Product
from whytree.workspace.outside import outgoing, webhooks
from whytree.workspace.records.activity import record
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..models import Alert, AlertEvent, SavedQuestion
from ..queries import find_metric
from ..questions import Trends
from ..saved.queries import find_saved, question_of
from ..subscriptions.telling import write
from .queries import find_alert, may_be_over, points_of, rule_of, step_of, unit_of
from .rules import Point, as_json, checked_rule

PREFIX = "ALR"
MOST_ALERTS = 500
MOST_SNOOZE = timedelta(days=366)


class AlertEdits(TypedDict, total=False):
    """What `edit_alert` may change. An empty webhook takes it away."""

    rule: object
    mail: bool
    webhook: str


@transaction.atomic
def create_alert(
    actor: Actor,
    product: Product,
    *,
    metric: str = "",
    question: str = "",
    rule: object,
    mail: bool = True,
    webhook: str = "",
) -> Alert:
    """Watch a metric's days, or the stretches of a kept trend. Whoever makes it is who is told by mail."""
    require(actor, product, Role.MEMBER)
    if bool(metric) == bool(question):
        raise Invalid("An alert watches one thing: a metric, or a kept question.")
    if Alert.objects.filter(product=product).count() >= MOST_ALERTS:
        raise Invalid(f"There are {MOST_ALERTS} alerts already. Remove some: so many are read by nobody.")
    alert = Alert(
        product=product,
        number=next_number(product, PREFIX),
        metric=find_metric(product, metric) if metric else None,
        saved=_watchable(find_saved(product, question)) if question else None,
        rule=_stored(rule, is_on_question=bool(question)),
        mail=mail,
        created_by_id=actor.user_id,
    )
    _set_webhook(alert, webhook)
    _check_heard(alert)
    alert.save()
    record(actor, product, "create_alert", alert, after=webhooks.trail(alert), undoable=False)
    return alert


@transaction.atomic
def edit_alert(actor: Actor, product: Product, number: int, **edits: Unpack[AlertEdits]) -> Alert:
    """Another rule begins anew: what was outside by the old one may be inside by this one."""
    require(actor, product, Role.MEMBER)
    alert = find_alert(product, number)
    before = webhooks.trail(alert)
    if "rule" in edits:
        rule = _stored(edits["rule"], is_on_question=alert.saved is not None)
        if rule != alert.rule:
            alert.rule, alert.state, alert.bucket, alert.says = rule, Alert.State.INSIDE, None, ""
    alert.mail = edits.get("mail", alert.mail)
    if "webhook" in edits and edits["webhook"] != alert.webhook:
        _set_webhook(alert, edits["webhook"])
    _check_heard(alert)
    if webhooks.trail(alert) != before:
        alert.save()
        record(actor, product, "edit_alert", alert, before=before, after=webhooks.trail(alert), undoable=False)
    return alert


@transaction.atomic
def delete_alert(actor: Actor, product: Product, number: int) -> None:
    require(actor, product, Role.MEMBER)
    alert = find_alert(product, number)
    record(actor, product, "delete_alert", alert, before=webhooks.trail(alert), after=None, undoable=False)
    alert.delete()


@transaction.atomic
def snooze_alert(actor: Actor, product: Product, number: int, *, hours: int) -> Alert:
    """Nothing is told for so long; 0 wakes it. What is still outside afterwards is told anew."""
    require(actor, product, Role.MEMBER)
    if isinstance(hours, bool) or not 0 <= hours <= MOST_SNOOZE / timedelta(hours=1):
        raise Invalid("An alert sleeps for 1 hour to 366 days; 0 wakes it.")
    alert = find_alert(product, number)
    before = webhooks.trail(alert)
    alert.snoozed_until = timezone.now() + timedelta(hours=hours) if hours else None
    alert.state, alert.bucket = Alert.State.INSIDE, None
    alert.save()
    record(actor, product, "snooze_alert", alert, before=before, after=webhooks.trail(alert), undoable=False)
    return alert


def check_alert(alert: Alert, now: datetime | None = None) -> AlertEvent | None:
    """Look at the last whole stretch, once; the event where the value left its band or came back."""
    now = now or timezone.now()
    if alert.snoozed_until is not None and alert.snoozed_until > now:
        return None
    if not may_be_over(alert, now):
        return None
    points = points_of(alert, now)
    if not points or (alert.bucket is not None and points[-1].start <= alert.bucket):
        return None
    last = points[-1]
    looked = rule_of(alert).look(points, step_of(alert))
    was = alert.state
    state = was if looked.outside is None else Alert.State.OUTSIDE if looked.outside else Alert.State.INSIDE
    with transaction.atomic():
        # whoever comes second finds the stretch looked at already
        ours = Alert.objects.filter(pk=alert.pk, bucket=alert.bucket, state=was, rule=alert.rule)
        if not ours.update(bucket=last.start, state=state, says=looked.says[:500]):
            return None
        if state == was:
            return None
        return _tell(alert, last, state, looked.says)


def _tell(alert: Alert, last: Point, state: str, says: str) -> AlertEvent | None:
    what = AlertEvent.What.LEFT if state == Alert.State.OUTSIDE else AlertEvent.What.RECOVERED
    value = "no value" if last.value is None else f"{figure(last.value)} {unit_of(alert)}".rstrip()
    head = f"{alert.on} is outside its band" if what == AlertEvent.What.LEFT else f"{alert.on} is back inside its band"
    event, is_new = AlertEvent.objects.get_or_create(
        alert=alert,
        bucket=last.start,
        what=what,
        defaults={"value": last.value, "says": f"{head}: {value} {_when(step_of(alert), last.start)}. {says}."[:500]},
    )
    if not is_new:
        return None
    write(event=event)
    return event


def _when(step: str, start: date) -> str:
    """on 5 May 2026, in the week from 4 May 2026, in May 2026"""
    if step == "month":
        return f"in {start:%B %Y}"
    return f"{'in the week from' if step == 'week' else 'on'} {start:%-d %b %Y}"


def _stored(rule: object, *, is_on_question: bool) -> dict[str, object]:
    """A kept trend is looked at by its own stretches, whatever the rule says."""
    checked = checked_rule(rule)
    return as_json(replace(checked, each="day") if is_on_question else checked)


def _watchable(saved: SavedQuestion) -> SavedQuestion:
    question = question_of(saved)
    if not isinstance(question, Trends) or question.interval in ("hour", "whole"):
        raise Invalid(
            f"{saved.ref} is no trend by day, week or month, so there is no value to watch. Make a metric of it."
        )
    if question.by or (len(question.series) > 1 and not question.formula):
        raise Invalid(f"{saved.ref} has several lines. Keep the one line that is to be watched, and watch that.")
    if question.when.until:
        raise Invalid(f"{saved.ref} ends with {question.when.until}, and moves no more. Keep it without an end.")
    if saved.frozen_at is not None:
        raise Invalid(f"{saved.ref} is frozen: it says what was true once. Keep the question itself, and watch that.")
    return saved


def _set_webhook(alert: Alert, url: str) -> None:
    alert.webhook = outgoing.check_url(url) if url.strip() else ""
    alert.secret = webhooks.new_secret() if alert.webhook else ""


def _check_heard(alert: Alert) -> None:
    if alert.mail and alert.created_by_id is None:
        raise Invalid("A key has no mail address. Give a webhook, and leave the mail out.")

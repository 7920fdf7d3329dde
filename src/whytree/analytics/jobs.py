"""What numbers do by themselves: cohorts remember their sizes, alerts are looked at, letters leave."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from whytree.errors import Invalid
from whytree.workspace.background.jobs import enqueue, handler
from whytree.workspace.models import Product

from .alerts.services import check_alert
from .cohorts.services import note_sizes
from .models import Alert, Cohort
from .subscriptions.services import send_due
from .subscriptions.telling import SEND, send_letter, try_again


@handler("analytics.note_cohort_sizes", every=timedelta(hours=6))
def note_all(payload: dict[str, Any]) -> None:
    """Ask for a look at every product that has cohorts: one job each, so that none waits for another's trouble."""
    for pk in Cohort.objects.values_list("product", flat=True).distinct():
        enqueue("analytics.note_cohort_sizes_of", {"product": pk}, key=str(pk))


@handler("analytics.note_cohort_sizes_of")
def note_one(payload: dict[str, Any]) -> None:
    product = Product.objects.filter(pk=payload["product"]).first()
    if product is not None:
        note_sizes(product)


@handler("analytics.check_alerts", every=timedelta(minutes=10))
def check_alerts(payload: dict[str, Any]) -> None:
    """Ask for a look at every alert: one job each, so that none waits for another's trouble."""
    for pk in Alert.objects.values_list("pk", flat=True):
        enqueue("analytics.check_alert", {"alert": pk}, key=str(pk))


@handler("analytics.check_alert")
def check_one(payload: dict[str, Any]) -> None:
    """One look; an alert that is gone meanwhile, or whose question can no longer be answered, is no trouble."""
    alert = Alert.objects.filter(pk=payload["alert"]).select_related("product", "metric__product", "saved").first()
    if alert is not None:
        try:
            check_alert(alert)
        except Invalid as error:  # an event that is gone, say: the alert's page says so
            Alert.objects.filter(pk=alert.pk).update(says=error.message[:500])


@handler(SEND)
def send(payload: dict[str, Any]) -> None:
    """A letter that was asked for."""
    send_letter(payload["letter"])


@handler("analytics.send_due", every=timedelta(minutes=10))
def send_subscriptions(payload: dict[str, Any]) -> None:
    """Ask for the letters whose hour has come, and for those that could not leave yet."""
    send_due()
    try_again(timezone.now())

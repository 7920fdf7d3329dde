"""Metrics and predictions that name an event nobody sends: never, or not for a week. They would stand still, and look like news."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from whytree.stores.questions.metrics import last_seen_each
from whytree.tree.models import Hypothesis, Outcome
from whytree.workspace.background.fresh import kept
from whytree.workspace.models import Product

from .answers.cached import FRESH_SECONDS
from .definitions import events_of, warnings
from .models import Metric
from .queries import definition_of, known_events, list_metrics, metrics_by_key

#: So long without it, and nobody sends it.
LATELY = timedelta(days=7)


@dataclass(frozen=True)
class Silence:
    """What is wrong with a metric's event. Without `event` there is no such metric at all. `refs` are the nodes that rest on it."""

    metric_key: str
    event: str
    last_at: datetime | None
    says: str
    refs: tuple[str, ...] = ()


def silent(product: Product, metrics: Sequence[Metric], now: datetime | None = None) -> list[Silence]:
    """The events of these metrics that nobody sends; as of now, at most a minute old."""
    events = sorted({event for metric in metrics for event in events_of(definition_of(metric))})
    if not events:
        return []

    def look() -> dict[str, datetime]:
        return last_seen_each(product.pk, events, as_of=now or timezone.now())

    seen = look() if now else kept("seen", [product.pk, *events], FRESH_SECONDS, look)
    now = now or timezone.now()
    known = known_events(product) if set(events) - seen.keys() else []
    return [one for metric in metrics for one in _silences(metric, seen, known, now)]


def _silences(metric: Metric, seen: dict[str, datetime], known: list[str], now: datetime) -> Iterable[Silence]:
    definition = definition_of(metric)
    never = [event for event in events_of(definition) if event not in seen]
    said = warnings(definition, [*known, *seen])  # one for each that never came, in their order
    for event, says in zip(never, said, strict=False):
        yield Silence(metric.key, event, None, says)
    for event in events_of(definition):
        last = seen.get(event)
        if last is not None and now - last > LATELY:
            yield Silence(
                metric.key,
                event,
                last,
                f"“{event}” came last on {last:%-d %b %Y}: for {(now - last).days} days nobody sent it.",
            )


def check_metrics(product: Product) -> list[Silence]:
    """Of all metrics, and of outcomes and open predictions that name none there is; with what rests on each."""
    metrics = list(list_metrics(product))
    keys, named = {metric.key for metric in metrics}, _named(product)
    found = silent(product, metrics)
    missing = [
        Silence(
            key, "", None, f"There is no metric {key}, and {', '.join(refs)} {'name' if len(refs) > 1 else 'names'} it."
        )
        for key, refs in sorted(named.items())
        if key not in keys
    ]
    return [
        Silence(one.metric_key, one.event, one.last_at, one.says, tuple(named.get(one.metric_key, ())))
        for one in [*found, *missing]
    ]


def silent_predictions(product: Product, hypotheses: Sequence[Hypothesis]) -> list[tuple[Hypothesis, Silence]]:
    """Open predictions whose metric, or a guardrail's, can say nothing."""
    open_ones = [one for one in hypotheses if not one.is_closed]
    metrics = metrics_by_key(product, [key for one in open_ones for key in _keys(one)])
    by_key: dict[str, list[Silence]] = {}
    for silence in silent(product, list(metrics.values())):
        by_key.setdefault(silence.metric_key, []).append(silence)
    found = []
    for hypothesis in open_ones:
        for key in _keys(hypothesis):
            if key not in metrics:
                says = f"There is no metric {key}. Define it, and its review fills itself."
                found.append((hypothesis, Silence(key, "", None, says)))
            found += [(hypothesis, silence) for silence in by_key.get(key, [])]
    return found


def _named(product: Product) -> dict[str, list[str]]:
    """What rests on each metric: outcomes, and predictions that are not closed."""
    named: dict[str, list[str]] = {}
    for outcome in Outcome.objects.filter(product=product):
        for key in filter(None, dict.fromkeys((outcome.metric_key, *outcome.counter_metric_keys))):
            named.setdefault(key, []).append(outcome.ref)
    for hypothesis in Hypothesis.objects.filter(product=product):
        for key in _keys(hypothesis) if not hypothesis.is_closed else ():
            named.setdefault(key, []).append(hypothesis.ref)
    return named


def _keys(hypothesis: Hypothesis) -> list[str]:
    return list(dict.fromkeys([hypothesis.metric_key, *(str(rail["metric_key"]) for rail in hypothesis.guardrails)]))

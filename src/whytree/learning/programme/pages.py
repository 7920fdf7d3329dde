"""Learned, Programme."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from whytree.analytics.models import Metric
from whytree.engines.charts.intervals import Measured, Scale, interval_row
from whytree.engines.figures import number
from whytree.engines.stats.shrinkage import LEAST_EFFECTS
from whytree.learning.reviews.sentences import amount, signed
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched

from .queries import OnMetric, programme, sentence

WIDTH = 300


@page()
def show(request: PageRequest, product: Product) -> HttpResponse:
    """What all changes together came to."""
    found = programme(product)
    names = dict(Metric.objects.filter(product=product).values_list("key", "name"))
    context = {
        "here": "learned",
        "found": found,
        "sentence": sentence(found),
        "metrics": [_shown(one) | {"name": names.get(one.metric_key, "")} for one in found.metrics],
        "days": number(found.days_to_decision) if found.days_to_decision is not None else "",
        "least": LEAST_EFFECTS,
    }
    return render(request, "learning/programme.html", context)


def _shown(one: OnMetric) -> dict[str, Any]:
    scale = Scale.over([end for effect in one.effects for end in (effect.low, effect.high)], WIDTH)
    rows = [
        {
            "effect": effect,
            "text": amount(effect.value, one.unit, sign=True),
            "shrunk": signed(effect.shrunk) if effect.shrunk is not None else "",
            "picture": vouched(
                interval_row(
                    scale, None, Measured(effect.value, effect.low, effect.high), unit=one.unit, tone=_tone(effect.kept)
                )
            ),
        }
        for effect in one.effects
    ]
    return {
        "metric": one,
        "rows": rows,
        "spread": _spread(one),
        "total": amount(one.total, one.unit, sign=True),
        "shrunk": amount(one.total_shrunk, one.unit, sign=True) if one.total_shrunk is not None else "",
        "factor": f"{one.factor:.2f}" if one.factor is not None else "",
    }


def _spread(one: OnMetric) -> str:
    largest = amount(one.largest, one.unit, sign=True)
    return f"{signed(one.smallest)} to {largest}, the middle {signed(one.middle)}" if len(one.effects) > 1 else largest


def _tone(kept: bool) -> str:
    return "leaf" if kept else "ink-3"

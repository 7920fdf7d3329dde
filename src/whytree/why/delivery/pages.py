"""The page of deployments and incidents, with DORA's metrics beside them."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from whytree.code.delivery import sentences
from whytree.code.delivery.queries import USUAL_DAYS, Tied, measure_delivery, tied
from whytree.code.models import Incident
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from .queries import Shipment, shipments

MOST_SHOWN = 20
MOST_INCIDENTS = 10


@require_GET
@page(Role.VIEWER)
def deployments(request: PageRequest, product: Product) -> HttpResponse:
    """What went out with which commits for whom, what broke, and how delivery goes."""
    shown = shipments(product, limit=MOST_SHOWN + 1)
    broke = tied(Incident.objects.filter(product=product)[:MOST_INCIDENTS])
    delivery = measure_delivery(product)
    measures = [(sentences.title(one), sentences.figure(one), sentences.beside(one)) for one in delivery.measures]
    context = {
        "here": "changes",
        "sentence": _sentence(shown, broke),
        "shipments": shown[:MOST_SHOWN],
        "more": len(shown) > MOST_SHOWN,
        "incidents": broke,
        "delivery": delivery,
        "measures": measures,
        "days": USUAL_DAYS,
    }
    return render(request, "why/deployments.html", context)


def _sentence(shown: Sequence[Shipment], broke: Sequence[Tied]) -> str:
    """What is broken comes first, then what people have now."""
    still = [one.incident for one in broke if one.incident.is_open]
    if still:
        more = f", and {len(still) - 1} more" if len(still) > 1 else ""
        return f"{still[0].key} is open: {still[0].title.rstrip('.')}{more}."
    live = next((one for one in shown if one.deployment.is_live), None)
    if live is None:
        return (
            "Nothing is known to have gone out to production."
            if shown or broke
            else "Nothing went out that is known here."
        )
    if live.is_first or not live.deployment.is_placed:
        return f"{live.deployment.label} is live."
    return f"{live.deployment.label} is live, with {live.commit_count:,} new commit{'' if live.commit_count == 1 else 's'}."

"""Learned, Calibration."""

from django.http import HttpResponse
from django.shortcuts import render

from whytree.engines.charts.curves import Reliable, reliability
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.pages.vouched import vouched

from .queries import LEAST_FOR_CURVE, LEAST_PEOPLE, LEAST_RESULTS, Calibration, calibration, sentence, share_text


@page()
def show(request: PageRequest, product: Product) -> HttpResponse:
    """Whether our ranges hold as often as they say; nobody is ranked."""
    found = calibration(product)
    kinds = (("The hypotheses' own", found.own), ("What colleagues had said, blind", found.people))
    parts = (
        ("By metric", "Metric", found.by_metric),
        ("By problem", "Opportunity", found.by_topic),
        ("By evidence at the lock", "Evidence", found.by_evidence),
        ("By role", "Role", found.by_role),
    )
    context = {
        "here": "learned",
        "found": found,
        "sentence": sentence(found),
        "kinds": [(name, share, share_text(share)) for name, share in kinds if share is not None],
        "told": found.right + found.wrong,
        "parts": [part for part in parts if part[2]],
        "picture": _picture(found),
        "least_results": LEAST_RESULTS,
        "least_for_curve": LEAST_FOR_CURVE,
        "least_people": LEAST_PEOPLE,
    }
    return render(request, "learning/calibration.html", context)


def _picture(found: Calibration) -> str:
    points = [Reliable(one.level, one.share.value, one.share.low, one.share.high) for one in found.curve]
    label = "Share of ranges that held, against the share they were meant to hold"
    return vouched(reliability(points, label=label)) if points else ""

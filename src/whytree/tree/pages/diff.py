"""What the tree says today and did not on an earlier day."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from whytree.engines.typed import day_of
from whytree.errors import Invalid
from whytree.tree.differing import tree_diff
from whytree.tree.sentences import diff_sentence
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product

USUAL = 28
PERIODS = {7: "a week ago", USUAL: "four weeks ago", 91: "a quarter ago"}


@require_safe
@page()
def show(request: PageRequest, product: Product) -> HttpResponse:
    """`?since=2026-05-01`; without a day, four weeks ago."""
    today = timezone.now().astimezone(ZoneInfo(product.timezone)).date()
    since, error = today - timedelta(days=USUAL), None
    try:
        since = day_of(request.GET.get("since") or since.isoformat())
        diff = tree_diff(product, since)
    except Invalid as refused:
        error, since = refused, today - timedelta(days=USUAL)
        diff = tree_diff(product, since)
    context = {
        "here": "tree",
        "since": since,
        "today": today,
        "periods": [(today - timedelta(days=days), words) for days, words in PERIODS.items()],
        "sentence": diff_sentence(diff, since),
        "nodes": diff.nodes,
        "left_out": diff.left_out,
        "error": error,
    }
    return render(request, "tree/diff.html", context, status=400 if error else 200)

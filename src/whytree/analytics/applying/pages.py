"""A file of metrics, compared and applied on a page."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from whytree.errors import Invalid, WhytreeError
from whytree.workspace.entry.doors import PageRequest, page, plain
from whytree.workspace.models import Product
from whytree.workspace.rights.roles import Role

from .lines import MOST_CHARACTERS
from .services import apply_file, export_metrics


@page()
def metrics_yaml(request: PageRequest, product: Product) -> HttpResponseBase:
    """The file itself."""
    response = HttpResponse(export_metrics(product), content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="metrics.yaml"'
    return plain(response)


@page(Role.MEMBER)
def metrics_file(request: PageRequest, product: Product) -> HttpResponseBase:
    """Paste or choose a file, see what it would change, apply it."""
    if request.method != "POST":
        return render(request, "analytics/metrics_file.html", {"here": "numbers", "text": export_metrics(product)})
    text, context = request.POST.get("text", ""), {"here": "numbers", "looked": True}
    try:
        text = _sent(request) or text
        changes = apply_file(request.actor, product, text, dry_run="apply" not in request.POST)
    except WhytreeError as error:
        context |= {"text": text, "error": error}
        return render(request, "analytics/metrics_file.html", context, status=error.status)
    if "apply" in request.POST:
        messages.success(request, f"Applied: {len(changes)} changed." if changes else "Everything was so already.")
        return redirect("numbers", product=product.slug)
    return render(request, "analytics/metrics_file.html", context | {"text": text, "changes": changes})


def _sent(request: PageRequest) -> str:
    """The chosen file's text; empty without one."""
    file = request.FILES.get("file")
    if file is None:
        return ""
    if (file.size or 0) > 4 * MOST_CHARACTERS:
        raise Invalid(f"The file has more than {MOST_CHARACTERS:,} characters. Split it.")
    try:
        return bytes(file.read()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("The file is no UTF-8 text.") from error

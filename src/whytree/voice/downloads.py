"""Voices as a file, sent while it is written."""

from itertools import chain

from django.http import StreamingHttpResponse

from whytree.errors import NotFound
from whytree.voice.queries import Wanted
from whytree.voice.queries.exporting import export_lines
from whytree.workspace.models import Product

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}


def as_file(product: Product, wanted: Wanted, form: str) -> StreamingHttpResponse:
    """What the list would show. Begun at once, so that a filter that makes no sense is told before anything is sent."""
    if form not in TYPES:
        raise NotFound("Voices are exported as csv or as jsonl.")
    lines = export_lines(product, wanted, form)
    begun = [next(lines), next(lines, b"")]
    response = StreamingHttpResponse(chain(begun, lines), content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{product.slug}-voices.{form}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response

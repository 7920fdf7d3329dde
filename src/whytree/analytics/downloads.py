"""Figures and pictures as files."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

from whytree.engines import spreadsheet
from whytree.errors import NotFound
from whytree.workspace.entry.doors import plain

_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def as_csv(name: str, rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """Rows for a spreadsheet, the first one their names; no text in it is a formula."""
    columns, *others = rows
    response = HttpResponse(spreadsheet.as_csv(columns, others), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return plain(response)


def as_picture(name: str, form: str, data: bytes | None) -> HttpResponse:
    """A picture on white paper, `form` svg or png; `NotFound` where there is nothing to draw."""
    if data is None:
        raise NotFound("There is nothing to draw yet.")
    response = HttpResponse(data, content_type=_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return plain(response)

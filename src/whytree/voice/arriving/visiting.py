"""What whytree.js sends on behalf of a visitor: read, tied to a product by its public key, and paced.

A capture key is public and so is everything here: whoever has it can say anything in anybody's name. So nothing that comes
through is trusted as what a server key says, and one address can only say so much.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from whytree.errors import Forbidden, Invalid
from whytree.events.shaping.context import Columns, place
from whytree.events.shaping.properties import Unfit, decoded
from whytree.events.wire.answers import answered, as_json, only, with_cors
from whytree.events.wire.asking import body_of, key_among
from whytree.people.identity import means_nobody
from whytree.workspace.entry.pace import keep_pace
from whytree.workspace.models import Product

from ..models import NAME_LENGTH

MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Visit:
    """Somebody on a page of the product's. `ids` are what the page calls them by, the known one first; empty: not said."""

    product: Product
    ids: tuple[str, ...]
    origin: str
    url: str
    columns: Columns
    flags: dict[str, str]
    said: dict[str, Any]


def visited(
    request: HttpRequest,
    door: str,
    per_minute: int,
    view: Callable[[Visit], dict[str, Any]],
    most_bytes: int = MOST_BYTES,
) -> HttpResponse:
    """The view's answer as JSON to any page, or the refusal; `door` names what is paced, so many times a minute for each address."""
    if request.method == "OPTIONS":
        return with_cors(request, HttpResponse(status=204))

    def found() -> HttpResponse:
        only(request, "POST")
        keep_pace(door, request.META.get("REMOTE_ADDR", ""), most=per_minute, seconds=60)
        return as_json(view(_visit(request, most_bytes)))

    return with_cors(request, answered(request, found))


def _visit(request: HttpRequest, most_bytes: int) -> Visit:
    said = _said(body_of(request, most_bytes))
    key = said.get("key")
    facts = key_among(key if isinstance(key, str) else "")
    if facts.environment_id is not None:
        raise Forbidden(
            "This key is of another environment than production: here nobody is asked, and nothing is kept."
        )
    product = Product.objects.get(pk=facts.product_id or 0)
    context = said.get("context")
    where = place(context if isinstance(context, dict) else {})
    return Visit(
        product=product,
        ids=tuple(_ids(said)),
        origin=request.headers.get("Origin", "").lower(),
        url=_url(context),
        columns=where.columns._replace(version=_printable(where.columns.version)),
        flags={_printable(name): _printable(variant) for name, variant in where.flags.items() if _printable(name)},
        said=said,
    )


def _url(context: Any) -> str:
    page = context.get("page") if isinstance(context, dict) else None
    url = page.get("url") if isinstance(page, dict) else ""
    if not isinstance(url, str) or not url.isprintable() or not url.startswith(("https://", "http://")):
        return ""
    return url[:2000]


def _printable(text: str) -> str:
    return text[:200] if text.isprintable() else ""


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = decoded(body)
    except (msgspec.MsgspecError, Unfit, RecursionError, ValueError) as error:
        raise Invalid("The body is no JSON object.") from error
    if not isinstance(said, dict):
        raise Invalid("The body is no JSON object.")
    return said


def _ids(said: dict[str, Any]) -> list[str]:
    found = [said.get("userId"), said.get("anonymousId")]
    return [
        one
        for one in found
        if isinstance(one, str) and not means_nobody(one) and len(one) <= NAME_LENGTH and one.isprintable()
    ]


def refuse_origin(visit: Visit, allowed: list[str]) -> None:
    """Pages of other origins are refused where a list is set; so is whoever names none."""
    if allowed and visit.origin not in allowed:
        raise Forbidden("Pages of this origin may not send this. Whoever runs the product can add it to the list.")

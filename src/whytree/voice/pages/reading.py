"""One voice: the words, who said them, what they did around that time, and what it is linked to."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import QueryDict

from whytree.engines.texts.words import Query, excerpt, find_spans, merge_spans, pieces
from whytree.errors import NotFound, Unavailable
from whytree.people.queries import PersonRef, find_person, timeline
from whytree.stores.errors import StoreUnavailable
from whytree.stores.identity.timeline import Moment
from whytree.tree.models import Importance, Opportunity
from whytree.voice import queries, services
from whytree.voice.finding.alike import Similar, similar_to
from whytree.voice.models import Consent, FeedbackItem, Highlight, Screenshot
from whytree.voice.services import Span
from whytree.workspace.entry.doors import PageRequest
from whytree.workspace.models import Product
from whytree.workspace.outside.mail import is_set
from whytree.workspace.rights.access import may_write

MOMENTS = 6
AFTERWARDS = timedelta(minutes=5)
"""What a person did just after writing belongs to the story too."""

OPTIONS = 60
SAME = 50
"""Of the voices that say the same, so many are shown."""
MOST_ASKED = 500
"""Voices that say the same of whose people addresses are looked for; a board tells more than these by itself."""


def reading(request: PageRequest, product: Product, item: FeedbackItem, query: Query) -> dict[str, Any]:
    """What the panes of one voice show."""
    marks = list(item.highlights.prefetch_related("tags"))
    links = queries.links_of([item]).get(item.ref, [])
    person, moments = _person(product, item)
    group = services.keys_of_group(item)
    same = [pk for pk in group if pk not in (item.pk, item.merged_into_id)]
    others = queries.items_of_person(product, person.ids if person else [item.person_key], limit=6)
    return {
        "item": item,
        "item_tags": queries.tags_of([item]).get(item.pk, ()),
        "screenshot": Screenshot.objects.filter(item=item).defer("data").first(),
        "pieces": pieces(item.text, _marked(item, marks, query)),
        "marks": [mark for mark in marks if mark.still_stands(item.text)],
        "lost_marks": [mark for mark in marks if not mark.still_stands(item.text)],
        "links": links,
        "person": person,
        "moments": moments,
        "others": [other for other in others if other.pk != item.pk][:5],
        "demands": [(linked.opportunity, queries.demand(linked.opportunity)) for linked in links],
        "typed": _typed(request, item),
        "suggested": _last_linked(request, product),
        "opportunities": suggested_opportunities(product),
        "importances": Importance.choices,
        "default_importance": Importance.NICE_TO_HAVE.value,
        "consents": Consent.choices,
        "may_write": may_write(request.actor, product),
        "merged": list(FeedbackItem.objects.filter(pk__in=same[:SAME]).order_by("pk")),
        "merged_count": len(same),
        "remarks": list(item.remarks.select_related("by")),
        **_mail_to(item, len(group)),
        "similar": [(one, excerpt(one.item.text, one.query, width=140)) for one in _suggested(request, item)],
    }


def _mail_to(item: FeedbackItem, group: int) -> dict[str, Any]:
    """How many an answer reaches by mail, and whose addresses only a page or a mail said."""
    reached = services.recipients(item) if is_set() and group <= MOST_ASKED else []
    return {
        "mail_to": sum(one.proved for one in reached),
        "mail_unproved": [one.email for one in reached if not one.proved],
    }


def _suggested(request: PageRequest, item: FeedbackItem) -> list[Similar]:
    """Voices that may say the same; only to those who could merge them, and none where it is merged already."""
    return similar_to(item) if item.merged_into_id is None and may_write(request.actor, item.product) else []


def _marked(item: FeedbackItem, marks: Sequence[Highlight], query: Query) -> list[tuple[int, int]]:
    """What somebody marked; while searching, what was searched for."""
    standing = [(mark.start, mark.end) for mark in marks if mark.still_stands(item.text)]
    return merge_spans([*standing, *([] if query.is_empty else find_spans(item.text, query))])


def _person(product: Product, item: FeedbackItem) -> tuple[PersonRef | None, list[Moment]]:
    """Who it was and what they did around that time; the words are shown whether or not the event store answers."""
    if not item.person_key:
        return None, []
    try:
        person = find_person(product, item.person_key)
        if not item.said_at_known:
            return person, []
        return person, timeline(person, before=item.said_at + AFTERWARDS)[:MOMENTS]
    except (NotFound, StoreUnavailable, Unavailable):
        return None, []


KEPT_TYPED = 10_000
_TYPED = ("quote", "start", "end", "opportunity", "importance", "text")


def keep_typed(request: PageRequest, item: FeedbackItem) -> None:
    """What was refused stands in its form again: nothing is to be typed, or selected, twice."""
    typed = {name: request.POST.get(name, "")[:KEPT_TYPED] for name in _TYPED if request.POST.get(name)}
    request.session["voices_typed"] = {"ref": item.ref, "product": item.product_id, **typed}


def _typed(request: PageRequest, item: FeedbackItem) -> dict[str, str]:
    kept = request.session.get("voices_typed") or {}
    if (kept.get("ref"), kept.get("product")) != (item.ref, item.product_id):
        return {}
    del request.session["voices_typed"]
    return dict(kept)


def _last_linked(request: PageRequest, product: Product) -> Opportunity | None:
    """Voices come in heaps: the opportunity linked last is the likeliest one again."""
    ref = str(request.session.get("voices_opportunity", ""))
    number = ref.removeprefix("OPP-")
    if not number.isdigit():
        return None
    return Opportunity.objects.filter(product=product, number=int(number), closed_at=None).first()


def suggested_opportunities(product: Product, typed: str = "") -> list[Opportunity]:
    """Those that the list below the field offers."""
    return list(services.opportunities_with(product, typed)[:OPTIONS])


def said_span(item: FeedbackItem, form: QueryDict) -> Span:
    """The part a form means: the selection, unless the words beside it were changed by hand; else the whole text."""
    quote = form.get("quote", "")
    start, end = form.get("start", ""), form.get("end", "")
    if start.isdigit() and end.isdigit() and len(start) < 9 and len(end) < 9:
        selected = item.text[int(start) : int(end)]
        if selected.split() == quote.split():
            return Span.of(item, start=int(start), end=int(end))
    return Span.of(item, quote=quote)

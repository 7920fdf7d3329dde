"""What stands beside an answer: the people behind a part of it, what they said, the code, and what can be made of it."""

import json
from typing import Any

from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse

from whytree.errors import Invalid
from whytree.people.queries import people_by_key
from whytree.tree.models import Opportunity, Outcome
from whytree.tree.queries import nodes_of
from whytree.workspace.entry.doors import PageRequest
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.sockets import panels

from ..answers import Behind, Part, people_behind
from ..answers.code_behind import code_behind, flags_in_words
from ..questions import Question, as_json
from ..saved.services import metric_definition, part_json

#: People who are shown by name.
NAMED = 20
MOST_NODES = 200


def shown_behind(request: PageRequest, product: Product, question: Question, part: Part) -> dict[str, Any]:
    """The context of `analytics/_behind.html`."""
    behind = people_behind(product, question, part)
    code = code_behind(product, behind)
    return {
        "behind": behind,
        "part": part,
        "named": _named(product, behind),
        "more": behind.total - NAMED,
        "panels": _panels(request, product, behind),
        "code": code,
        "flags_in_force": flags_in_words(code.flags),
        **_acts(request, product, question, part),
    }


def _named(product: Product, behind: Behind) -> list[dict[str, Any]]:
    known = people_by_key(product, behind.ids[:NAMED])
    return [{"id": one, "person": known.get(one), "url": _url_of(product, one)} for one in behind.ids[:NAMED]]


def _panels(request: PageRequest, product: Product, behind: Behind) -> list[dict[str, Any]]:
    return [
        {"panel": panel, "html": render_to_string(panel.template, {"product": product, **panel.context}, request)}
        for panel in panels("group", request.actor, product, behind.people)
    ]


def _acts(request: PageRequest, product: Product, question: Question, part: Part) -> dict[str, Any]:
    """What a member may make of it."""
    if not may_write(request.actor, product):
        return {"may_act": False}
    goes_on = part.start is None and part.group is None
    return {
        "may_act": True,
        "question_json": json.dumps(as_json(question)),
        "part_json": json.dumps(part_json(part)),
        "opportunities": nodes_of(product, Opportunity).filter(closed_at=None)[:MOST_NODES] if goes_on else (),
        "outcomes": nodes_of(product, Outcome).filter(closed_at=None)[:MOST_NODES],
        "metric_name": _metric_name(question, part) if goes_on else "",
    }


def _metric_name(question: Question, part: Part) -> str:
    """What would be counted; empty where no metric can count this yet."""
    try:
        return metric_definition(question, part)[0]
    except Invalid:
        return ""


def _url_of(product: Product, person: str) -> str:
    """Of a person's page; empty for an id that no address can hold, which anybody with a public key may send."""
    try:
        return reverse("person", args=[product.slug, person])
    except NoReverseMatch:
        return ""

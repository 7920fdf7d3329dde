"""What stands beside an answer: the people behind a part of it, what they said, the code, and what can be made of it."""

import json
from dataclasses import replace
from typing import Any

from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse

from whytree.errors import Invalid
from whytree.people.queries import PeopleRef, people_by_key
from whytree.tree.models import Opportunity, Outcome
from whytree.tree.queries import nodes_of
from whytree.workspace.entry.doors import PageRequest
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.sockets import panels

from ..answers import Behind, Part, people_behind
from ..answers.code_behind import code_behind, flags_in_words
from ..questions import Lifecycle, Question, as_json
from ..saved.services import metric_definition, part_json
from .links import address_of

#: People who are shown by name.
NAMED = 20
MOST_NODES = 200


def shown_behind(request: PageRequest, product: Product, question: Question, part: Part) -> dict[str, Any]:
    """The context of `analytics/_behind.html`."""
    behind = people_behind(product, question, part)
    code = code_behind(product, behind.events)
    return {
        "behind": behind,
        "part": part,
        "named": _named(product, behind),
        "more": behind.total - NAMED,
        "panels": drawn_panels(request, product, behind.people),
        "code": code,
        "flags_in_force": flags_in_words(code.flags),
        **_acts(request, product, question, part),
    }


def _named(product: Product, behind: Behind) -> list[dict[str, Any]]:
    known = people_by_key(product, behind.ids[:NAMED])
    return [{"id": one, "person": known.get(one), "url": _url_of(product, one)} for one in behind.ids[:NAMED]]


def drawn_panels(request: PageRequest, product: Product, people: PeopleRef) -> list[dict[str, Any]]:
    """What others have to say of some people, as their words."""
    return [
        {"panel": panel, "html": render_to_string(panel.template, {"product": product, **panel.context}, request)}
        for panel in panels("group", request.actor, product, people)
    ]


def _acts(request: PageRequest, product: Product, question: Question, part: Part) -> dict[str, Any]:
    """What a member may make of it."""
    if not may_write(request.actor, product):
        return {"may_act": False}
    goes_on = part.start is None and part.group is None
    name, why_no_outcome = _metric_name(question, part) if goes_on else ("", "")
    return {
        "may_act": True,
        "question_json": json.dumps(as_json(question)),
        "part_json": json.dumps(part_json(part)),
        "opportunities": nodes_of(product, Opportunity).filter(closed_at=None)[:MOST_NODES] if goes_on else (),
        "outcomes": nodes_of(product, Outcome).filter(closed_at=None)[:MOST_NODES],
        "metric_name": name,
        "why_no_outcome": why_no_outcome,
        "goes_on": goes_on,
        "whole": "" if goes_on or isinstance(question, Lifecycle) else _whole(product, question, part),
    }


def _metric_name(question: Question, part: Part) -> tuple[str, str]:
    """What would be counted; or nothing, and why no metric can count this."""
    try:
        return metric_definition(question, part)[0], ""
    except Invalid as error:
        return "", error.message


def _whole(product: Product, question: Question, part: Part) -> str:
    """The same figure of all the time and of everybody."""
    return address_of(product, question, replace(part, start=None, group=None)) + "#behind"


def _url_of(product: Product, person: str) -> str:
    """Of a person's page; empty for an id that no address can hold, which anybody with a public key may send."""
    try:
        return reverse("person", args=[product.slug, person])
    except NoReverseMatch:
        return ""

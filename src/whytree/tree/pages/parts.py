"""What several of the tree's pages draw."""

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django_htmx.http import HttpResponseClientRedirect

from whytree.errors import NotFound
from whytree.tree.models import KINDS, Assumption, AssumptionTest, Hypothesis, Node
from whytree.tree.queries import find_node
from whytree.workspace.entry.doors import PageRequest
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.sockets import Panel, Place, panels

AnyNode = TypeVar("AnyNode", bound=Node)


class RefConverter:
    """A node's id in an address, in either case: SOL-3, sol-3."""

    regex = "(?i:" + "|".join(KINDS) + ")-[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> str:
        return value.upper()

    def to_url(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class DrawnPanel:
    """What another app shows here, drawn from its own template."""

    panel: Panel
    html: SafeString


def draw_panels(request: PageRequest, place: Place, product: Product, subject: Any) -> list[DrawnPanel]:
    """All panels of a place, in their order."""
    found = panels(place, request.actor, product, subject)
    shared = {"product": product, "may_write": may_write(request.actor, product)}
    return [DrawnPanel(one, render_to_string(one.template, shared | one.context, request)) for one in found]


def find(product: Product, ref: str, model: type[AnyNode]) -> AnyNode:
    node = find_node(product, ref)
    if not isinstance(node, model):
        raise NotFound(f"{ref} is no {model.word}.")
    return node


def home_of(node: Node) -> Node:
    """The node on whose page this one is shown: the solution for hypotheses, assumptions and tests."""
    if isinstance(node, AssumptionTest):
        return node.assumption.solution
    return node.solution if isinstance(node, Hypothesis | Assumption) else node


def url_of(node: Node) -> str:
    """Where a node is shown."""
    home = home_of(node)
    place = reverse("node", args=[node.product.slug, home.ref])
    return place if home == node else f"{place}#{node.ref}"


def go(request: HttpRequest, url: str) -> HttpResponse:
    """On to another page, from a plain form or from one in a sheet."""
    if getattr(request, "htmx", False) and request.headers.get("HX-Target") == "sheet":
        return cast(HttpResponse, HttpResponseClientRedirect(url))
    return redirect(url)


def back(request: HttpRequest, product: Product, node: Node) -> str:
    """Where somebody came from when they opened a form: the tree, with the node marked, or the node's page."""
    came_from = request.POST.get("from") or request.GET.get("from") or ""
    if came_from in ("outline", "drawn"):
        view = "?view=drawn" if came_from == "drawn" else ""
        return f"{reverse('tree', args=[product.slug])}{view}#{node.ref}"
    return url_of(node)

"""What the tree plugs into the workspace's sockets: it is found in the box, and it forgets and gives out a person."""

import secrets
from functools import partial
from typing import Any

from django.db.models import Q
from django.urls import reverse

from whytree.engines.texts.words import fold
from whytree.errors import NotFound
from whytree.stores.events import store
from whytree.tree.models import ERASED, KINDS, EvidenceLink
from whytree.tree.queries import REF, find_node, nodes_behind
from whytree.workspace.background.fresh import behind
from whytree.workspace.background.lifecycle import at_start
from whytree.workspace.models import Activity, Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Hit, panel_sources, plug_erase, plug_export, plug_search

# More titles than this are not looked through while somebody types.
MOST_TITLES = 20_000
# With fewer, what Today counts takes less than anybody notices.
MANY_EVENTS = 1_000_000


def plug() -> None:
    """Called once at start-up."""
    plug_search(search_nodes)
    plug_erase(erase_person)
    plug_export(export_person)
    at_start(count_for_today)


def count_for_today() -> None:
    """With millions of events, whoever is first on Today would wait for all that it counts: a server counts it as it starts.

    One panel after another, so that a server that is stopped waits for one at most.
    """
    if int(store().value("SELECT count() FROM events")) < MANY_EVENTS:
        return
    for product in Product.objects.order_by("pk"):
        for source in panel_sources("today"):
            behind(partial(source, Actor.system(), product, None))


def search_nodes(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Nodes by id, or by the words of their titles; open ones before closed ones."""
    wanted = fold(words).split()
    if REF.fullmatch(words.strip()):
        return _by_ref(product, words.strip().upper())
    if not wanted:
        return []
    hits = []
    for prefix, model in KINDS.items():
        rows = model._default_manager.filter(product=product).values_list("number", "title", "closed_at")
        for number, title, closed_at in rows[:MOST_TITLES]:
            rank = _rank(fold(title), wanted)
            if rank:
                hits.append(_hit(product, model.word, f"{prefix}-{number}", title, rank * (0.5 if closed_at else 1)))
    return sorted(hits, key=lambda hit: -hit.rank)[:limit]


def erase_person(product: Product, person_key: str) -> None:
    """Forget what a person said and who it was, in the activity list too.

    That somebody said something of this weight stays, so that past decisions keep what they rested on.
    """
    nobody = {"person_key": f"{ERASED}{secrets.token_hex(8)}", "quote": "", "statement": "", "source_id": ""}
    EvidenceLink.objects.filter(product=product, person_key=person_key).update(**nobody)
    told = Q(before__person_key=person_key) | Q(after__person_key=person_key)
    for activity in Activity.objects.filter(told, product=product, subject_type=EvidenceLink._meta.label):
        activity.before = activity.before and activity.before | nobody
        activity.after = activity.after and activity.after | nobody
        activity.subject_label = "evidence of an erased person"
        activity.save()


def export_person(product: Product, person_key: str) -> dict[str, Any]:
    """What this person's voice is linked to."""
    links = list(EvidenceLink.objects.filter(product=product, person_key=person_key).select_related("product"))
    nodes = nodes_behind(links)
    return {
        "evidence": [
            {
                "node": nodes[link.node_kind, link.node_id].ref,
                "title": nodes[link.node_kind, link.node_id].title,
                "stance": link.stance,
                "quote": link.quote,
                "said_at": link.said_or_added_at.isoformat(),
            }
            for link in links
            if (link.node_kind, link.node_id) in nodes
        ]
    }


def _by_ref(product: Product, ref: str) -> list[Hit]:
    try:
        node = find_node(product, ref)
    except NotFound:
        return []
    return [_hit(product, node.word, node.ref, node.title, 1.0)]


def _hit(product: Product, kind: str, ref: str, title: str, rank: float) -> Hit:
    return Hit(kind, ref, title, reverse("node", args=[product.slug, ref]), rank)


def _rank(title: str, wanted: list[str]) -> float:
    """0 unless every word is there; better at the start of a word, best at the start of the title."""
    if not all(word in title for word in wanted):
        return 0.0
    if title.startswith(wanted[0]):
        return 0.9
    return 0.75 if f" {wanted[0]}" in title else 0.5

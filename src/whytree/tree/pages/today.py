"""Today: what needs a person, first."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from whytree.code.models import Repository
from whytree.errors import Invalid, Unavailable
from whytree.people.queries import has_events
from whytree.tree import queries
from whytree.tree.forms import VisionForm
from whytree.tree.models import Note, Outcome
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Key, Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.roles import Role
from whytree.workspace.services import edit_product

from .parts import draw_panels

MOST_OPEN = 12


@dataclass(frozen=True)
class Step:
    """Something a new product still lacks: what for, and the command or page that brings it."""

    title: str
    why: str
    done: bool
    command: str = ""
    url: str = ""
    act: str = ""


@page()
def front(request: PageRequest, product: Product) -> HttpResponse:
    """The address of a product alone, as people shorten it."""
    return redirect("today", product.slug)


@page()
def today(request: PageRequest, product: Product) -> HttpResponse:
    request.session["product"] = product.slug
    return _show(request, product, VisionForm(initial={"vision": product.vision}))


@require_POST
@page(Role.MEMBER)
def set_vision(request: PageRequest, product: Product) -> HttpResponse:
    form = VisionForm(request.POST)
    if form.is_valid():
        try:
            edit_product(request.actor, product, vision=form.cleaned_data["vision"])
            return redirect("today", product.slug)
        except Invalid as error:
            form.refuse(error)
    return _show(request, product, form)


def _show(request: PageRequest, product: Product, form: VisionForm) -> HttpResponse:
    panels = draw_panels(request, "today", product, None)
    waiting = list(queries.open_notes(product).select_related("product"))
    steps = first_steps(product, request.build_absolute_uri("/").rstrip("/"))
    is_new = not Outcome.objects.filter(product=product).exists()
    spoken = [one.panel for one in panels if one.panel.headline]
    head, more = sentence([panel.headline for panel in spoken], waiting, is_new)
    first = spoken[0] if spoken and spoken[0].lead else None
    if first:
        head, more = first.headline, first.lead
    context: dict[str, Any] = {
        "here": "today",
        "head": head,
        "more": more,
        "is_new": is_new,
        "first": first,
        "main_panels": [one for one in panels if one.panel.column == "main"],
        "aside_panels": [one for one in panels if one.panel.column == "aside"],
        "waiting": _with_nodes(waiting[:MOST_OPEN]),
        "waiting_more": max(0, len(waiting) - MOST_OPEN),
        "changes": queries.recent_changes(product),
        "steps": [step for step in steps if (is_new and not first) or not step.done],
        "vision_form": form,
        "may_write": may_write(request.actor, product),
    }
    return render(request, "tree/today.html", context, status=400 if form.errors else 200)


def sentence(headlines: list[str], waiting: list[Note], is_new: bool) -> tuple[str, str]:
    """What the day asks for: two things at most in the head, the rest below."""
    told = [*headlines, *_asked(waiting)]
    if not told:
        if is_new:
            return "Whose life gets better, and how will you see it?", "Five steps, in any order, whenever you like."
        return "Nothing waits for you.", "What others did since stands below. A good day to read a few voices."
    return " ".join(told[:2]), " ".join(told[2:4])


def _asked(waiting: list[Note]) -> list[str]:
    """One challenge is unanswered. Two questions are open."""
    words = []
    for kind, one, many in (
        ("challenge", "challenge wants an answer.", "challenges want an answer."),
        ("question", "question is open.", "questions are open."),
    ):
        count = sum(1 for note in waiting if note.kind == kind)
        if count:
            words.append(f"{_number(count)} {one if count == 1 else many}")
    return words


def _number(count: int) -> str:
    named = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return named[count] if count < len(named) else f"{count:,}"


def _with_nodes(waiting: list[Note]) -> list[tuple[Note, Any]]:
    nodes = queries.nodes_behind(waiting)
    return [(note, nodes[note.node_kind, note.node_id]) for note in waiting if (note.node_kind, note.node_id) in nodes]


def first_steps(product: Product, address: str) -> list[Step]:
    """What makes the tree live; each is useful without the others. `address` is where this server answers."""
    tree, has_events = reverse("tree", args=[product.slug]), _has_events(product)
    return [
        Step(
            "Say one outcome",
            "What should change for people, and by how much?",
            Outcome.objects.filter(product=product).exists(),
            command='whytree outcome add "New people get their first harvest within a week"',
            url=tree,
            act="Write",
        ),
        _numbers(product, has_events, address),
        Step(
            "Bring what there is",
            "Events and feedback from files: CSV, JSON lines, Parquet, XLSX. Nothing is taken twice.",
            has_events,
            command="whytree import events FILE\nwhytree import feedback FILE",
        ),
        Step(
            "Let your code say why",
            "Read from your clone: no code leaves it, only commit ids, paths and flag keys.",
            Repository.objects.filter(product=product).exists(),
            command="cd your-clone\nwhytree init",
        ),
    ]


def _numbers(product: Product, has_events: bool, address: str) -> Step:
    """A key first, then something that comes in with it: a key alone counts nothing."""
    title = "Bring numbers"
    if not Key.objects.filter(product=product, kind=Key.Kind.CAPTURE, revoked_at=None).exists():
        return Step(
            title,
            "A key, and your SDK keeps its calls: PostHog's, Segment's, RudderStack's and OpenFeature's work as they are.",
            has_events,
            command="whytree key add capture",
            url=reverse("keys", args=[product.slug]),
            act="Make a key",
        )
    return Step(
        title,
        f"The key is there, and nothing came in yet. Point your SDK at {address}, or send a first event by hand:",
        has_events,
        command=f"""curl {address}/v1/track -u KEY: -H 'Content-Type: application/json' -d '{{"userId": "you", "event": "hello"}}'""",
    )


def _has_events(product: Product) -> bool:
    """Today is shown also while the event store does not answer."""
    try:
        return has_events(product)
    except Unavailable:
        return False

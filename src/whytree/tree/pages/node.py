"""A node's page: what it is, what speaks for it, what hangs below it, and what people say about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from whytree.engines.confidence import Confidence, Evidence
from whytree.people.queries import people_by_key
from whytree.tree import queries
from whytree.tree.forms import EvidenceForm, Form, NoteForm, OverrideForm, TicketForm
from whytree.tree.lights import Light, business_light, engineering_light, people_light
from whytree.tree.lints import Advice, advise
from whytree.tree.models import (
    MOVES,
    Assumption,
    AssumptionTest,
    EvidenceLink,
    Hypothesis,
    Node,
    Opportunity,
    Outcome,
    Progress,
    Solution,
    State,
    Verdict,
    child_kinds,
)
from whytree.tree.outline import facts_of
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.sockets import Figure, figures

from .parts import DrawnPanel, draw_panels, home_of, url_of

TEMPLATES = {"OUT": "tree/outcome.html", "OPP": "tree/opportunity.html", "SOL": "tree/solution.html"}
#: Evidence that stands on the page before somebody asks for all of it.
MOST_SHOWN = 8
RISK_FIRST = {"untested": 0, "refuted": 1, "mixed": 2, "supported": 3}


@page()
def node(request: PageRequest, product: Product, ref: str) -> HttpResponse:
    """Outcome, opportunity or solution; what hangs on a solution is shown on its page."""
    found = queries.find_node(product, ref)
    if home_of(found) != found:
        return redirect(url_of(found))
    return show(request, product, found)


def show(request: PageRequest, product: Product, found: Node, refused: Form | None = None) -> HttpResponse:
    """The page; with the form that was refused, where one was."""
    common = _common(request, product, found)
    context = common | _of_kind(request, product, found, common)
    context |= _forms(found, refused)
    return render(request, TEMPLATES[found.prefix], context, status=400 if refused is not None else 200)


def _name(product: Product, links: Sequence[EvidenceLink]) -> None:
    """People are called by their names, where these are known."""
    profiles = people_by_key(product, [link.person_key for link in links if link.person_key and not link.is_erased])
    for link in links:
        link.who = profiles[link.person_key].name if link.person_key in profiles else ""


def _common(request: PageRequest, product: Product, found: Node) -> dict[str, Any]:
    evidence = list(queries.evidence_of(found))
    own = _on_its_page(found)
    children = own or queries.children_of(found)
    everything = request.GET.get("all") == "evidence"
    shown = evidence if everything else evidence[:MOST_SHOWN]
    _name(product, shown)
    now, around = timezone.now(), [found, *children]
    pieces = queries.evidence_by_node(product, around)
    return {
        "here": "changes" if isinstance(found, Solution) else "tree",
        "node": found,
        "path": queries.path_of(found),
        "children": children,
        "evidence": shown,
        "all_evidence": evidence,
        "evidence_hidden": 0 if everything else max(0, len(evidence) - MOST_SHOWN),
        "confidence": queries.confidence_by(found, pieces.get(queries.key_of(found), []), now),
        "notes": list(queries.notes_of(found)),
        "tickets": list(queries.tickets_of(found)),
        "activity": list(queries.activity_of(found, *own)[:15]),
        "advice": _advice(found, around, pieces, now),
        "verdicts": Verdict.choices,
        "may_write": may_write(request.actor, product),
        "may_add": [] if found.is_closed else child_kinds(found.prefix),
    }


def _forms(found: Node, refused: Form | None) -> dict[str, Any]:
    forms: dict[str, Form] = {
        "note_form": NoteForm(),
        "evidence_form": EvidenceForm(),
        "ticket_form": TicketForm(),
        "override_form": OverrideForm(initial={"strength": found.override, "reason": found.override_reason}),
    }
    if refused is not None:
        forms |= dict.fromkeys((name for name, form in forms.items() if type(form) is type(refused)), refused)
        forms["refused"] = refused
    return dict(forms)


def _of_kind(request: PageRequest, product: Product, found: Node, common: dict[str, Any]) -> dict[str, Any]:
    match found:
        case Outcome():
            return _panels(draw_panels(request, "outcome", product, found)) | {
                "figure": figures("outcome", product, [found]).get(found.pk, Figure())
            }
        case Opportunity():
            return _panels(draw_panels(request, "opportunity", product, found)) | {
                "figure": figures("opportunity", product, [found]).get(found.pk, Figure())
            }
        case Solution():
            return _solution(request, product, found, common)
    return {}


def _solution(request: PageRequest, product: Product, found: Solution, common: dict[str, Any]) -> dict[str, Any]:
    panels = draw_panels(request, "solution", product, found)
    figure = figures("solution", product, [found]).get(found.pk, Figure())
    voices = list(queries.evidence_of(found.opportunity)) if found.opportunity else []
    assumptions = _by_risk(one for one in common["children"] if isinstance(one, Assumption))
    return _panels(panels) | {
        "figure": figure,
        "voices": [link for link in voices if link.quote][:3],
        "lights": _lights(found, common, panels, figure, voices),
        "assumptions": assumptions,
        "riskiest": riskiest(assumptions),
        "showing": figures("test", product, [test for one in assumptions for test in one.tests.all()]),
        "hypotheses": sorted(
            (one for one in common["children"] if isinstance(one, Hypothesis)),
            key=lambda one: (one.is_closed, -one.number),
        ),
        "outcome": queries.outcome_of(found),
        "moves": [state for state in State if state in MOVES[State(found.state)] and state is not State.DROPPED],
    }


def _lights(
    found: Solution,
    common: dict[str, Any],
    panels: list[DrawnPanel],
    figure: Figure,
    voices: list[EvidenceLink],
) -> list[Light]:
    why = [queries.confidence(found.opportunity)] if found.opportunity else []
    strongest = max([common["confidence"], *why], key=_value)
    return [
        people_light([*common["all_evidence"], *voices], strongest, timezone.now()),
        business_light(found, queries.prediction_of(found), figure, [drawn.panel for drawn in panels]),
        engineering_light(common["notes"], figure, len(common["tickets"])),
    ]


def _value(confidence: Confidence) -> float:
    return confidence.value


def _by_risk(assumptions: Iterable[Assumption]) -> list[Assumption]:
    """The one that would hurt most first: untested before tested, important before not; closed ones last."""
    return sorted(assumptions, key=lambda one: (one.is_closed, RISK_FIRST[one.status], -one.importance, one.number))


@dataclass(frozen=True)
class Riskiest:
    """The belief that would hurt most if it were wrong, and the cheapest test that could show that; None: none planned."""

    assumption: Assumption
    test: AssumptionTest | None


def riskiest(assumptions: Sequence[Assumption]) -> Riskiest | None:
    """Of those nobody has tested; `assumptions` stand by risk."""
    untested = next((one for one in assumptions if one.status == "untested" and not one.is_closed), None)
    if untested is None:
        return None
    waiting = [one for one in untested.tests.all() if one.status != Progress.DONE and not one.is_closed]
    cheapest = min(waiting, key=lambda one: (one.cost_days is None, one.cost_days or 0.0, one.number), default=None)
    return Riskiest(untested, cheapest)


def _on_its_page(found: Node) -> list[Node]:
    """The nodes that have no page of their own."""
    if not isinstance(found, Solution):
        return []
    assumptions = list(found.assumptions.select_related("product", "solution").prefetch_related("tests"))
    tests = [test for assumption in assumptions for test in assumption.tests.all()]
    return [*queries.hypotheses_of(found), *assumptions, *tests]


def _advice(
    found: Node, around: Sequence[Node], evidence: Mapping[queries.NodeKey, list[Evidence]], now: datetime
) -> list[Advice]:
    """What the lints say of this node and of those on its page; they look at the nodes below it too."""
    facts = [facts_of(one, evidence.get(queries.key_of(one), [])) for one in around]
    shown = {one.ref for one in around} if isinstance(found, Solution) else {found.ref}
    return [advice for advice in advise(facts, now) if advice.ref in shown]


def _panels(drawn: list[DrawnPanel]) -> dict[str, Any]:
    return {
        "main_panels": [one for one in drawn if one.panel.column == "main"],
        "aside_panels": [one for one in drawn if one.panel.column == "aside"],
    }

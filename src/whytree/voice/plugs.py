"""What the voices show on others' pages and find for the box, and how a person's words are given to them or forgotten."""

from typing import Any

from whytree.analytics.answers.cached import FRESH_SECONDS
from whytree.engines.texts.words import excerpt, is_unspaced
from whytree.errors import Conflict
from whytree.people.queries import PeopleRef, PersonRef
from whytree.tree.models import Opportunity, Solution
from whytree.workspace.models import Product
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Hit, Panel, Tone, on_fact, plug_erase, plug_export, plug_panel, plug_search

from . import queries
from .contacts import erase_contacts, export_contacts
from .importing.uploads import throw_away_for
from .interviews.erasing import export_interviews, export_watched
from .models import FeedbackItem, Requester, Screenshot, Survey, SurveyResponse
from .queries import Wanted
from .queries.loop import loop_of
from .queries.representation import representation_of
from .services.erasing import erase_feedback
from .services.merging import follow_undo
from .surveys.models import SurveyState

SHOWN = 5
SHOWN_TODAY = 3
SHORTEST = 3
"""The box asks at every key; one or two letters begin nearly every voice there is."""


def plug() -> None:
    """Called once at start-up."""
    plug_panel("opportunity", opportunity_panel, order=20)
    plug_panel("opportunity", representation_panel, order=40)
    plug_panel("solution", solution_panel, order=60)
    plug_panel("person", person_panel, order=20)
    plug_panel("group", group_panel, order=20)
    plug_panel("today", today_panel, order=40)
    plug_search(search)
    plug_search(search_surveys)
    plug_export(export_person)
    plug_erase(erase_feedback)
    plug_erase(erase_contacts)
    plug_erase(throw_away_for)
    on_fact("act_undone", follow_undo)
    on_fact("cohort_leaving", refuse_to_lose_cohort)


def refuse_to_lose_cohort(product: Product, key: str) -> None:
    """A survey that runs for a cohort which is gone would ask nobody any more, and nobody would know why."""
    running = Survey.objects.filter(product=product, cohort=key, state=SurveyState.RUNNING).first()
    if running is not None:
        raise Conflict(f"The survey “{running.title}” asks people of {key}. Stop it, or ask others, first.")


def opportunity_panel(actor: Actor, product: Product, opportunity: Opportunity) -> Panel | None:
    """How many people said so, each counted once."""
    heard = queries.demand(opportunity)
    if not heard.people:
        return None
    context = {"demand": heard, "opportunity": opportunity, "voices": heard.voices[:SHOWN]}
    return Panel("Voices", "voice/_panel_opportunity.html", context, column="aside")


def representation_panel(actor: Actor, product: Product, opportunity: Opportunity) -> Panel | None:
    """Who speaks against who uses, once enough have spoken to tell."""
    told = representation_of(opportunity)
    if not told.is_known:
        return None
    tone: Tone = "amber" if told.warnings else ""
    return Panel("Who speaks, and who uses", "voice/_panel_representation.html", {"told": told}, tone=tone)


def solution_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """How far the change has come to those who asked for it; nothing can come of one that was closed before it had a flag."""
    way = loop_of(solution, seconds=FRESH_SECONDS)
    if not way.askers or (solution.is_closed and not way.flags):
        return None
    context = {"way": way, "solution": solution}
    return Panel("Those who asked", "voice/_panel_loop.html", context, tone="amber" if way.to_tell else "")


def person_panel(actor: Actor, product: Product, person: PersonRef) -> Panel | None:
    """What they told us."""
    items = queries.items_of_person(product, person.ids, limit=SHOWN)
    if not items:
        return None
    return Panel("What they said", "voice/_panel_person.html", {"items": items, "person": person})


def group_panel(actor: Actor, product: Product, group: PeopleRef) -> Panel | None:
    """What these people told us, the newest first, and how many of them did."""
    items, wrote = queries.items_of_people(product, group, limit=SHOWN)
    if not items:
        return None
    said = f"{wrote:,} of them {'has' if wrote == 1 else 'have'} written"
    return Panel(said, "voice/_panel_group.html", {"items": items}, column="aside")


def today_panel(actor: Actor, product: Product, subject: None) -> Panel | None:
    """The newest voices that wait for a reader."""
    waiting = queries.waiting_count(product)
    if not waiting:
        return None
    items = queries.page_of(product, Wanted(), size=SHOWN_TODAY).items
    wait = f"{waiting:,} {'voice waits' if waiting == 1 else 'voices wait'} for a reader"
    return Panel(
        wait, "voice/_panel_today.html", {"items": items, "waiting": waiting}, tone="amber", headline=wait + "."
    )


def search(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Voices that hold these words; `FB-12` is found by its id."""
    wanted = Wanted(state="all", words=words)
    if words.strip().upper().startswith("FB-") and words.strip()[3:].isdecimal():
        items = FeedbackItem.objects.filter(product=product, number=int(words.strip()[3:12]))[:1]
        return [_hit(product, item, words, 1.0) for item in items]
    longest = max((word for term in wanted.query.wanted for word in term.words), key=len, default="")
    if len(longest) < SHORTEST and not is_unspaced(longest):
        return []
    page = queries.page_of(product, wanted, size=limit)
    return [
        _hit(product, item, words, 0.4 - place / 100, by_meaning=item.pk in page.by_meaning)
        for place, item in enumerate(page.items)
    ]


def _hit(product: Product, item: FeedbackItem, words: str, rank: float, *, by_meaning: bool = False) -> Hit:
    shown = "".join(piece.text for piece in excerpt(item.text, Wanted(words=words).query, width=100))
    kind = "voice, by meaning" if by_meaning else "voice"
    return Hit(kind, item.ref, " ".join(shown.split()), f"/p/{product.slug}/{item.ref}", rank)


def search_surveys(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Surveys by their id, or by words of their title."""
    wanted = words.strip()
    found = Survey.objects.filter(product=product)
    if wanted.upper().startswith("SUR-") and wanted[4:].isdecimal():
        found, rank = found.filter(number=int(wanted[4:13])), 1.0
    elif len(wanted) >= SHORTEST:
        found, rank = found.filter(title__icontains=wanted), 0.4
    else:
        return []
    return [
        Hit("survey", one.ref, one.title, f"/p/{product.slug}/{one.ref}", rank)
        for one in found.order_by("-number")[:limit]
    ]


def _responses(product: Product, person_key: str) -> list[dict[str, Any]]:
    """What they were asked, and what they answered."""
    responses = SurveyResponse.objects.filter(survey__product=product, person_key=person_key).select_related("survey")
    return [
        {
            "survey": one.survey.ref,
            "title": one.survey.title,
            "asked_at": one.asked_at.isoformat() if one.asked_at else None,
            "answered_at": one.answered_at.isoformat() if one.answered_at else None,
            "answers": {each.text: one.answers[each.id] for each in one.survey.asked if each.id in one.answers},
            "hidden": one.hidden,
            "flags": one.flags,
            "url": one.url,
        }
        for one in responses.order_by("pk")
    ]


def export_person(product: Product, person_key: str) -> Any:
    """Everything they told us, and what they were asked, as they would want to read it."""
    return {
        "feedback": _feedback_of(product, person_key),
        "interviews": export_interviews(product, person_key),
        "stumbled_over": export_watched(product, person_key),
        "surveys": _responses(product, person_key),
        "contacts": export_contacts(product, person_key),
        "changes": _changes(product, person_key),
    }


def _changes(product: Product, person_key: str) -> list[dict[str, Any]]:
    """Which changes they were told of because they had asked, and whether these solved it for them."""
    asked = Requester.objects.filter(product=product, person_key=person_key).select_related("solution").order_by("pk")
    return [
        {
            "solution": one.solution.ref,
            "told_at": one.told_at.isoformat() if one.told_at else None,
            "asked_at": one.asked_at.isoformat() if one.asked_at else None,
            "answered_at": one.answered_at.isoformat() if one.answered_at else None,
            "solved": one.solved,
        }
        for one in asked
    ]


def _feedback_of(product: Product, person_key: str) -> list[dict[str, Any]]:
    return [
        {
            "ref": item.ref,
            "said_at": item.said_at.isoformat(),
            "source": item.source,
            "text": item.text,
            "rating": item.rating,
            "url": item.url,
            "consent": item.consent,
            "flags": item.flags,
            "metadata": item.metadata,
            **_told(item),
            **_screenshot(item),
            "remarks": [
                {"kind": one.kind, "text": one.text, "at": one.created_at.isoformat()} for one in item.remarks.all()
            ],
        }
        for item in queries.items_of_person(product, [person_key], limit=100_000)
    ]


def _screenshot(item: FeedbackItem) -> dict[str, Any]:
    """As a browser opens it."""
    found = Screenshot.objects.filter(item=item).first()
    return {"screenshot": f"data:{found.media_type};base64,{found.data}"} if found else {}


def _told(item: FeedbackItem) -> dict[str, Any]:
    """What a machine made of their words is about them, too."""
    reading = getattr(item, "reading", None)
    return {"told_by_a_machine": {"language": reading.language, "sentiment": reading.sentiment}} if reading else {}

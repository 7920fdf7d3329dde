"""What whytree.js asks and tells of surveys: which to show, that one was seen, put away or answered."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import Invalid, NotFound
from whytree.voice.arriving.visiting import Visit, refuse_origin, visited

from . import answering, showing, targeting
from .answering import Answerer
from .models import Survey, Via
from .people import respondent_of
from .questions import Question

LOOKS, TELLS = 600, 60
"""A minute and address: an office looks through one address; nobody answers by the minute."""


@csrf_exempt
def surveys(request: HttpRequest) -> HttpResponse:
    """Those this visitor may be asked. Costs no query while none runs."""
    return visited(request, "surveys", LOOKS, _for)


def _for(visit: Visit) -> dict[str, Any]:
    running = showing.running_in_pages(visit.product.pk)
    if not running:
        return {"surveys": []}
    found = targeting.surveys_for(visit.product, running, visit.ids, visit.origin)
    # those who do not belong yet may, once the event arrived; without one nothing would make the page ask again
    return {"surveys": [_shown(one, ready) for one, ready in found if ready or one.after_event or one.flag]}


def _shown(survey: Survey, ready: bool) -> dict[str, Any]:
    """What is not theirs yet is not told beyond what the page has to wait for."""
    head = {"id": survey.ref, "ready": ready, "after": survey.after_event, "flag": survey.flag}
    if not ready:
        return head
    words = {"title": survey.title, "intro": survey.intro, "thanks": survey.thanks}
    return {**head, **words, "questions": [_question(one) for one in survey.asked]}


def _question(one: Question) -> dict[str, Any]:
    said = one.as_json()
    scale = one.scale or one.grid
    if scale is not None:
        said["points"] = list(scale.points)
        said["ends"] = [f"{scale.low} {scale.low_words}", f"{scale.high} {scale.high_words}"]
    return said


@csrf_exempt
def tell(request: HttpRequest, number: int, verb: str) -> HttpResponse:
    """One verb about one survey: shown, dismissed or answer."""
    return visited(request, "survey-tells", TELLS, lambda visit: _tell(visit, number, verb))


def _tell(visit: Visit, number: int, verb: str) -> dict[str, Any]:
    survey = next((one for one in showing.running_in_pages(visit.product.pk) if one.number == number), None)
    if survey is None:
        raise NotFound("This survey has ended. Thank you for wanting to answer.")
    refuse_origin(visit, survey.origins)
    if not visit.ids:
        raise Invalid("Nobody is named. Send the anonymousId, or the userId, that the page's events have.")
    key = respondent_of(survey, visit.ids)
    match verb:
        case "shown":
            answering.note_shown(survey, key, visit.flags)
        case "dismissed":
            answering.note_dismissed(survey, key)
        case _:
            hidden = visit.said.get("hidden")
            who = Answerer(
                key,
                Via.PAGE,
                key,
                hidden if isinstance(hidden, dict) else {},
                flags=visit.flags or None,
                columns=visit.columns,
                url=visit.url,
            )
            answering.answer(survey, visit.said.get("answers"), who)
    return {"success": True}

"""Taking answers in. Each person's first answer counts; it is an event, and words in it are a voice.

    answer(survey, {"q1": 9}, Answerer("mira", person="mira", via=Via.PAGE))

When it returns, everything is on disk; when it raises, nothing is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from whytree.engines.texts.personal import redact
from whytree.errors import Conflict, Invalid
from whytree.events.services import track_all, variants_of
from whytree.events.shaping.context import NOTHING, Columns
from whytree.events.shaping.rows import CAPTURE
from whytree.voice.arriving.drafts import Source, draft
from whytree.voice.models import VoiceSettings
from whytree.voice.services.storing import store_drafts
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.actors import Actor

from . import showing
from .models import Survey, SurveyResponse, SurveyState, Via
from .questions import Answers, Question, checked_answers, one_line

HIDDEN_LENGTH = 200
SHOWN_LENGTH = 200  # of each other answer that stands beside a voice
STARS = ("rating", "csat")
"""Kinds whose answer is kept as the rating of a voice: 1 to 5, as everywhere."""


@dataclass(frozen=True)
class Answerer:
    """Who answers, and from where. `person` is empty for somebody whom nobody knows; `source` says how far it is trusted."""

    respondent: str
    via: Via
    person: str = ""
    hidden: Mapping[str, object] = field(default_factory=dict)
    flags: Mapping[str, str] | None = None
    columns: Columns = NOTHING
    url: str = ""
    source: str = CAPTURE


def answer(survey: Survey, raw: object, who: Answerer) -> SurveyResponse:
    """Store one person's answers. Raises `Conflict` for a second time and when the survey is not open."""
    kept = _kept(survey, raw, who)
    with transaction.atomic():
        survey = Survey.objects.select_for_update().select_related("product").get(pk=survey.pk)
        response = _unanswered(survey, who)
        for name, value in kept.items():
            setattr(response, name, value)
        response.save()
        _as_voices(survey, response)
        _stop_when_full(survey)
        _as_events(survey, response, who)
    return response


def _kept(survey: Survey, raw: object, who: Answerer) -> dict[str, Any]:
    """What is stored of it, with the personal data that the product wants taken out taken out."""
    kinds = VoiceSettings.of(survey.product).redact
    answers = checked_answers(survey.asked, raw)
    for one in survey.asked:
        words = answers.get(one.id)
        if one.kind == "open" and isinstance(words, str):
            answers[one.id] = redact(words, kinds)[0]
    flags = who.flags if who.flags is not None else variants_of(survey.product_id, who.person) if who.person else {}
    return {
        "via": who.via,
        "answers": answers,
        "hidden": {name: redact(value, kinds)[0] for name, value in _hidden(survey, who.hidden).items()},
        "flags": dict(flags),
        "app_version": one_line(who.columns.version, "The version", 80),
        "url": _link(who.url),
        "answered_at": timezone.now(),
        "dismissed_at": None,
    }


def _link(said: str) -> str:
    url = one_line(said, "The address", 2_000)
    if url and not url.startswith(("https://", "http://")):
        raise Invalid("A link begins with https:// or http://.")
    return url


def _unanswered(survey: Survey, who: Answerer) -> SurveyResponse:
    """Where the answer goes; refused when the survey is closed, or was answered by them."""
    closed = survey.closed_because(timezone.now())
    if closed:
        raise Conflict(closed)
    response = SurveyResponse.objects.filter(survey=survey, respondent=who.respondent).first()
    if response is None:
        return SurveyResponse(survey=survey, respondent=who.respondent, person_key=who.person)
    if response.answered_at is not None:
        raise Conflict(f"You answered this on {response.answered_at:%-d %b %Y}. Your first answer counts; thank you.")
    return response


def _hidden(survey: Survey, given: Mapping[str, object]) -> dict[str, str]:
    """Only what the survey declares, as short text: whatever else an address carries is nobody's business."""
    found = {}
    for name in survey.hidden:
        value = given.get(name)
        if isinstance(value, str | int | float) and value != "":
            found[name] = one_line(str(value)[:HIDDEN_LENGTH], f"“{name}”", HIDDEN_LENGTH)
    return found


def _as_voices(survey: Survey, response: SurveyResponse) -> None:
    """Every answer in their own words lands in the inbox, with the person and what was in force."""
    questions = survey.asked
    stars = next(
        (response.answers[one.id] for one in questions if one.kind in STARS and one.id in response.answers), None
    )
    given = {
        one.text[:80]: _shown(response.answers[one.id])
        for one in questions
        if one.kind != "open" and one.id in response.answers
    }
    now = timezone.now()
    drafts = [
        draft(
            {
                "text": response.answers[one.id],
                "person": response.person_key,
                "submission_id": response.respondent,
                "field_id": one.id,
                "said_at": response.answered_at,
                "rating": stars,
                "app_version": response.app_version,
                "flags": response.flags,
                "url": response.url,
                "metadata": {**response.hidden, **given, "question": one.text, "survey": survey.ref},
            },
            now=now,
        )
        for one in questions
        if one.kind == "open" and one.id in response.answers
    ]
    if drafts:
        store_drafts(survey.product, Source("survey", survey.ref, survey.title), drafts)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        value = [f"{line}: {point}" for line, point in value.items()]
    return (", ".join(value) if isinstance(value, list) else str(value))[:SHOWN_LENGTH]


def _stop_when_full(survey: Survey) -> None:
    if survey.stop_at is None or survey.responses.filter(answered_at__isnull=False).count() < survey.stop_at:
        return
    before = snapshot(survey)
    survey.state, survey.stopped_at = SurveyState.STOPPED, timezone.now()
    survey.stopped_why = f"It has its {survey.stop_at:,} answers."
    survey.save(update_fields=["state", "stopped_at", "stopped_why"])
    record(Actor.system(), survey.product, "stop_survey", survey, before=before, after=snapshot(survey), undoable=False)
    product_id = survey.product_id
    transaction.on_commit(lambda: showing.forget(product_id))


# ---- as events -----------------------------------------------------------------------------------------------------


def answered_event(survey: Survey) -> str:
    """The event that says somebody answered."""
    return f"{survey.ref} answered"


def favourable_event(survey: Survey) -> str:
    """The event beside it, of those whose first scale was favourable: their share is a metric like any other."""
    return f"{survey.ref} favourable"


def _as_events(survey: Survey, response: SurveyResponse, who: Answerer) -> None:
    """Words stay out of it: they are a voice, and stand in one place."""
    questions = survey.asked
    said: dict[str, object] = {
        "$survey_id": survey.ref,
        "$survey_name": survey.title,
        "$survey_via": who.via,
        **response.hidden,
    }
    said |= {f"$survey_response_{name}": value for name, value in told(questions, response.answers).items()}
    names = [answered_event(survey)]
    if is_favourable(questions, response.answers):
        names.append(favourable_event(survey))
    track_all(
        survey.product,
        response.person_key or response.respondent,
        {name: f"{name} {response.respondent}" for name in names},
        said,
        response.answered_at,
        source=who.source,
        where=who.columns,
        flags=response.flags,
    )


def told(questions: Sequence[Question], answers: Answers) -> Answers:
    return {one.id: answers[one.id] for one in questions if one.kind != "open" and one.id in answers}


def is_favourable(questions: Sequence[Question], answers: Mapping[str, object]) -> bool:
    """Whether the first scale that was answered was answered favourably."""
    for one in questions:
        value = answers.get(one.id)
        if one.scale is not None and isinstance(value, int):
            return value >= one.scale.good
    return False


# ---- shown and put away ----------------------------------------------------------------------------------------------


def note_shown(survey: Survey, key: str, flags: Mapping[str, str]) -> None:
    """Somebody saw it in the page, with these variants in force; the first time counts."""
    in_force = dict(flags or variants_of(survey.product_id, key))
    first = {"person_key": key, "via": Via.PAGE, "asked_at": timezone.now(), "flags": in_force}
    SurveyResponse.objects.get_or_create(survey=survey, respondent=key, defaults=first)


def note_dismissed(survey: Survey, respondent: str) -> None:
    """They put it away without an answer."""
    SurveyResponse.objects.filter(survey=survey, respondent=respondent, answered_at=None).update(
        dismissed_at=timezone.now()
    )

"""What may change a survey. One verb a function; each asks for the role, acts in one transaction, leaves one Activity."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack, cast

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from whytree.analytics.cohorts.queries import find_cohort
from whytree.analytics.models import Metric
from whytree.analytics.services import create_metric
from whytree.errors import Conflict, Invalid, NotFound
from whytree.people.identity import means_nobody
from whytree.voice.arriving.origins import checked_origins
from whytree.voice.contacts import is_left_alone
from whytree.voice.models import ContactSettings
from whytree.workspace.entry.signed import SignedLink
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.records.numbering import next_number
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from . import showing
from .answering import answered_event, favourable_event
from .models import ID_LENGTH, MOST_STOP_AT, TITLE_LENGTH, WORDS_LENGTH, Survey, SurveyResponse, SurveyState, Via
from .people import askings, ids_of, respondent_of
from .questions import checked_questions, one_line, stored

MOST_HIDDEN = 20
MOST_COOLDOWN = 365
_LINK = SignedLink("voice.survey")
_HIDDEN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


class Settings(TypedDict, total=False):
    """What a survey may say beside its title and questions; what is left out stays as it is."""

    intro: str
    thanks: str
    hidden: list[str]
    in_page: bool
    after_event: str
    flag: str
    variant: str
    cohort: str
    share: int
    cooldown_days: int
    stop_at: int | None
    opens_at: datetime | None
    closes_at: datetime | None
    origins: list[str]


def create_survey(actor: Actor, product: Product, *, title: str, questions: object, **said: Unpack[Settings]) -> Survey:
    """A draft: nobody is asked before it is started."""
    require(actor, product, Role.MEMBER)
    survey = Survey(product=product, title=_title(title), questions=stored(checked_questions(questions)))
    survey.cooldown_days = ContactSettings.of(product).rest_days
    _set(survey, said)
    with transaction.atomic():
        survey.number = next_number(product, "SUR")
        survey.save()
        record(actor, product, "create_survey", survey)
    return survey


def change_survey(
    actor: Actor, survey: Survey, *, title: str | None = None, questions: object = None, **said: Unpack[Settings]
) -> Survey:
    """Change what is given. Once a survey ran, its questions and hidden values stay: else answers would mean different things."""
    require(actor, survey.product, Role.MEMBER)
    before = snapshot(survey)
    if title is not None:
        survey.title = _title(title)
    if questions is not None:
        survey.questions = stored(checked_questions(questions))
    _set(survey, said)
    after = snapshot(survey)
    if not survey.is_draft and any(before[name] != after[name] for name in ("questions", "hidden")):
        raise Conflict(f"{survey.ref} has run, so its questions stay as they are. Copy it, and change the copy.")
    if after != before:
        with transaction.atomic():
            survey.save()
            record(actor, survey.product, "change_survey", survey, before=before, after=after)
        showing.forget(survey.product_id)
    return survey


def copy_survey(actor: Actor, survey: Survey) -> Survey:
    """The same as a new draft, without the answers."""
    require(actor, survey.product, Role.MEMBER)
    kept = ("opens_at", "closes_at")
    said = {name: getattr(survey, name) for name in Settings.__annotations__ if name not in kept}
    questions = survey.questions["questions"]
    title = f"{survey.title[: TITLE_LENGTH - 7]} (copy)"
    return create_survey(actor, survey.product, title=title, questions=questions, **cast(Settings, said))


def start_survey(actor: Actor, survey: Survey) -> Survey:
    """From now on it can be answered; a stopped one goes on."""
    require(actor, survey.product, Role.MEMBER)
    if survey.is_running:
        return survey
    if survey.closes_at is not None and survey.closes_at <= timezone.now():
        raise Invalid(f"It was to end on {survey.closes_at:%Y-%m-%d}. Set a later day, or none.")
    if survey.stop_at is not None and answers_so_far(survey) >= survey.stop_at:
        raise Conflict(f"{survey.ref} has its {survey.stop_at:,} answers. Raise the number first, or copy it.")
    return _set_state(actor, survey, SurveyState.RUNNING, "start_survey")


def stop_survey(actor: Actor, survey: Survey, why: str = "") -> Survey:
    """Nobody is asked any more; what was answered stays."""
    require(actor, survey.product, Role.MEMBER)
    if not survey.is_running:
        raise Conflict(f"{survey.ref} is not running, so there is nothing to stop.")
    return _set_state(actor, survey, SurveyState.STOPPED, "stop_survey", why)


def _set_state(actor: Actor, survey: Survey, state: SurveyState, verb: str, why: str = "") -> Survey:
    with transaction.atomic():
        before, now = snapshot(survey), timezone.now()
        survey.state = state
        if state == SurveyState.RUNNING:
            survey.started_at, survey.stopped_at, survey.stopped_why = survey.started_at or now, None, ""
        else:
            survey.stopped_at, survey.stopped_why = now, one_line(why, "The reason", 200)
        survey.save()
        record(actor, survey.product, verb, survey, before=before, after=snapshot(survey), undoable=False)
    showing.forget(survey.product_id)
    return survey


def answers_so_far(survey: Survey) -> int:
    return survey.responses.filter(answered_at__isnull=False).count()


def make_metric(actor: Actor, survey: Survey) -> Metric:
    """The share of favourable answers as a metric: it can be an outcome's, or a guardrail of an experiment."""
    scale = next((one for one in survey.asked if one.scale), None)
    if scale is None:
        raise Invalid(f"{survey.ref} has no scale, so no answer to it is favourable or not.")
    definition = {
        "version": 1,
        "kind": "conversion",
        "from": answered_event(survey),
        "to": favourable_event(survey),
        "within_days": 1,
    }
    name = f"{'Promoters' if scale.kind == 'nps' else 'Favourable'}, {survey.ref}: {survey.title}"
    return create_metric(actor, survey.product, key=metric_key(survey), definition=definition, name=name)


def metric_key(survey: Survey) -> str:
    return f"sur_{survey.number}_favourable"


# ---- links ---------------------------------------------------------------------------------------------------------


def open_link(survey: Survey) -> str:
    """The address for anybody; it says nothing of who answers."""
    return _address(f"s{survey.pk}")


def invite(actor: Actor, survey: Survey, person: str) -> str:
    """An address for this person alone, so that the answer is theirs; it names nobody. Notes that they were asked.

    Somebody who was asked anything within the cool-down is left in peace.
    """
    require(actor, survey.product, Role.MEMBER)
    person = one_line(person, "The id", ID_LENGTH)
    if means_nobody(person):
        raise Invalid("Say whom: the id under which this person's events come in.")
    if not survey.is_running:
        raise Conflict(f"{survey.ref} is not running. Start it before you invite somebody.")
    key = respondent_of(survey, [person])
    with transaction.atomic():
        response = SurveyResponse.objects.filter(survey=survey, respondent=key).first()
        if response is None:
            refuse_if_asked_lately(survey, key)
            response = SurveyResponse.objects.create(
                survey=survey, respondent=key, person_key=key, via=Via.INVITATION, asked_at=timezone.now()
            )
            record(actor, survey.product, "invite_to_survey", survey, after={"invited": response.pk}, undoable=False)
    return _address(f"r{response.pk}")


def refuse_if_asked_lately(survey: Survey, key: str) -> None:
    """One rest after anything people were asked, by surveys, for talks, or back about a change; and none who want none."""
    names = ids_of(survey.product, [key])
    if is_left_alone(survey.product, names):
        raise Conflict(f"{key[:60]} wants to be left alone. Ask somebody else.")
    last = last_asked(survey, names)
    if last is not None:
        days = (timezone.now() - last).days
        ago = "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
        raise Conflict(
            f"{key[:60]} was asked {ago}, and {survey.ref} leaves {survey.cooldown_days} days between. Ask later."
        )


def last_asked(survey: Survey, names: Sequence[str]) -> datetime | None:
    """When this person was last asked anything within the cool-down; None: not lately."""
    since = timezone.now() - timedelta(days=survey.cooldown_days)
    times = [at for pk, at in askings(survey.product, names) if pk != survey.pk and at > since]
    return max(times, default=None)


def _address(own: str) -> str:
    return f"{settings.WHYTREE.public_url}{reverse('answer_survey', args=[_LINK.token(own)])}"


def of_token(token: str) -> tuple[Survey, SurveyResponse | None]:
    """The survey behind an address, and whose invitation it is; None for the open link."""
    own = _LINK.said(token)
    if own.startswith("r"):
        response = SurveyResponse.objects.filter(pk=int(own[1:])).select_related("survey__product").first()
        survey = response.survey if response else None
    else:
        response = None
        survey = Survey.objects.filter(pk=int(own[1:])).select_related("product").first()
    if survey is None:
        raise NotFound("This link leads nowhere any more.")
    return survey, response


# ---- checking ------------------------------------------------------------------------------------------------------


def _title(said: str) -> str:
    title = one_line(said, "The title", TITLE_LENGTH)
    if not title:
        raise Invalid("Give it a title. Those who are asked see it, too.")
    return title


def _set(survey: Survey, said: Settings) -> None:
    for name, value in said.items():
        setattr(survey, name, _CHECKS[name](survey, value))
    if survey.variant and not survey.flag:
        raise Invalid("A variant belongs to a flag. Say which.")
    if survey.opens_at and survey.closes_at and survey.opens_at >= survey.closes_at:
        raise Invalid("It ends before it begins.")


def _words(name: str, length: int) -> Any:
    return lambda survey, value: one_line(value, f"“{name}”", length)


def _whole(name: str, low: int, high: int) -> Any:
    def check(survey: Survey, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Invalid(f"{name} is a whole number from {low:,} to {high:,}.")
        return value

    return check


def _hidden(survey: Survey, names: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(str(one).strip() for one in names if str(one).strip()))
    wrong = next((one for one in found if not _HIDDEN.fullmatch(one)), None)
    if wrong is not None or len(found) > MOST_HIDDEN:
        raise Invalid(f"Hidden values are at most {MOST_HIDDEN} names of letters, digits and _, as plan.")
    return found


def _cohort(survey: Survey, key: object) -> str:
    name = one_line(key, "The cohort", 200)
    return find_cohort(survey.product, name).key if name else ""


def _origins(survey: Survey, said: Iterable[str]) -> list[str]:
    return checked_origins(said)


def _moment(survey: Survey, value: object) -> datetime | None:
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
        raise Invalid("A time has a zone, as 2026-03-02T09:00Z.")
    return value


_CHECKS: dict[str, Any] = {
    "intro": _words("intro", WORDS_LENGTH),
    "thanks": _words("thanks", WORDS_LENGTH),
    "hidden": _hidden,
    "in_page": lambda survey, value: bool(value),
    "after_event": _words("after_event", 200),
    "flag": _words("flag", 200),
    "variant": _words("variant", 200),
    "cohort": _cohort,
    "share": _whole("The share, in percent,", 1, 100),
    "cooldown_days": _whole("The cool-down, in days,", 0, MOST_COOLDOWN),
    "stop_at": lambda survey, value: None if value is None else _whole("stop_at", 1, MOST_STOP_AT)(survey, value),
    "opens_at": _moment,
    "closes_at": _moment,
    "origins": _origins,
}

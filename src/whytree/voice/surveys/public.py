"""The page behind a survey's link: no account, no script, nothing but the questions.

What depends on earlier answers is asked one by one; what was answered so far travels in the form and is checked at the end.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from whytree.errors import Conflict, Forbidden, Invalid, WhytreeError
from whytree.events.shaping.rows import CAPTURE, SERVER
from whytree.workspace.entry.pace import keep_pace

from . import services
from .answering import Answerer, answer
from .models import Survey, SurveyResponse, Via
from .questions import LISTS, Answers, Question, answer_to, has_ways, way

OPEN_FOR = 2 * 86_400
"""Seconds a form may lie open before it is drawn anew."""
PER_ADDRESS, WITHIN = 60, 3_600
_NONCE = signing.TimestampSigner(salt="voice.survey.form")


@dataclass(frozen=True)
class Asked:
    """One question as the page draws it."""

    question: Question
    value: Any
    error: str = ""

    @property
    def places(self) -> list[tuple[str, str]]:
        """Each option with the place it was given, for what is put in order."""
        given, options = self.value or [], self.question.options
        if sorted(given) == sorted(options):
            return [(option, str(given.index(option) + 1)) for option in options]
        return list(zip(options, [*given, *[""] * len(options)], strict=False))

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """Each line of a matrix with its field, and the point it was given."""
        given = self.value if isinstance(self.value, dict) else {}
        return [(line, name, str(given.get(line) or "")) for line, name in _lines(self.question)]

    @property
    def chosen(self) -> list[str]:
        return (
            [str(one) for one in self.value]
            if isinstance(self.value, list)
            else []
            if self.value is None
            else [str(self.value)]
        )


def _lines(question: Question) -> list[tuple[str, str]]:
    """Each line of a matrix and the name of its field: an option may hold anything, so they are counted."""
    return [(line, f"{question.id}.{at}") for at, line in enumerate(question.options)]


def _raw(question: Question, form: QueryDict) -> Any:
    """What a form says to this question."""
    if question.grid is not None:
        return {line: form[name] for line, name in _lines(question) if form.get(name)}
    return form.getlist(question.id) if question.kind in LISTS else form.get(question.id)


def _fields(question: Question, value: Any) -> list[tuple[str, Any]]:
    """The other way round: the fields by which an answer travels on in the form."""
    if isinstance(value, dict):
        return [(name, value.get(line)) for line, name in _lines(question)]
    return [(question.id, one) for one in (value if isinstance(value, list) else [value])]


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def answer_survey(request: HttpRequest, token: str) -> HttpResponse:
    """The questions, or what became of the answers. Looking at it answers nothing."""
    survey, invited = services.of_token(token)
    _refuse_other_sites(request)
    cookie = f"whytree_answered_{survey.pk}"
    if invited is not None and invited.answered_at is not None and request.method != "POST":
        return _said(
            request,
            survey,
            f"You answered this on {invited.answered_at:%-d %b %Y}. Your first answer counts; thank you.",
        )
    if invited is None and cookie in request.COOKIES and request.method != "POST":
        return _said(
            request, survey, "This browser has answered already. Each person's first answer counts; thank you."
        )
    closed = survey.closed_because(timezone.now())
    if closed:
        return _said(request, survey, closed, status=200 if request.method != "POST" else 409)
    if request.method != "POST":
        return _form(request, survey, invited, hidden=_hidden_of(survey, request.GET))
    keep_pace(f"survey-{survey.pk}", request.META.get("REMOTE_ADDR", ""), most=PER_ADDRESS, seconds=WITHIN)
    return _posted(request, survey, invited, cookie)


def _posted(request: HttpRequest, survey: Survey, invited: SurveyResponse | None, cookie: str) -> HttpResponse:
    questions, form = survey.asked, request.POST
    raw = {one.id: _raw(one, form) for one in questions}
    hidden, seen = _hidden_of(survey, form), set(form.getlist("seen"))
    given: Answers = {}
    try:
        nonce = _nonce_of(survey, form.get("form", ""))
        for one in questions:
            value = answer_to(one, raw[one.id])
            if value is not None:
                given[one.id] = value
        for one in way(questions, given):
            if one.id not in seen:
                return _form(request, survey, invited, [one], given, hidden=hidden, nonce=nonce, seen=seen)
            if one.required and one.id not in given:
                raise Invalid("This one needs an answer.", details={"question": one.id})
        who = _answerer(request, invited, nonce, hidden)
        # only what is on the way: somebody may have gone back and taken another one
        answer(survey, {one.id: given[one.id] for one in way(questions, given) if one.id in given}, who)
    except Invalid as error:
        at = (error.details or {}).get("question", "")
        shown = [one for one in questions if one.id == at] if has_ways(questions) and at else None
        return _form(request, survey, invited, shown, raw, error, hidden=hidden, seen=seen)
    except Conflict as error:
        return _said(request, survey, error.message, status=error.status)
    response = _said(request, survey, "", status=200)
    if invited is None:
        response.set_cookie(cookie, "yes", max_age=365 * 86_400, httponly=True, samesite="Lax", path=request.path)
    return response


def _answerer(request: HttpRequest, invited: SurveyResponse | None, nonce: str, hidden: Mapping[str, str]) -> Answerer:
    if invited is not None:
        return Answerer(invited.respondent, Via.INVITATION, invited.person_key, hidden, source=SERVER)
    return Answerer(f"browser:{nonce}", Via.LINK, "", hidden, source=CAPTURE)


def _nonce_of(survey: Survey, form: str) -> str:
    """What tells this form from any other: the same form sent twice is one answer. Raises `Invalid` for a stale one."""
    try:
        own, _, nonce = _NONCE.unsign(form, max_age=OPEN_FOR).partition(" ")
    except signing.BadSignature as error:
        raise Invalid("This page lay open too long. Your answers are still here: send them again.") from error
    if own != str(survey.pk):
        raise Invalid("This form belongs to another survey. Here is the right one: send it again.")
    return nonce


def _refuse_other_sites(request: HttpRequest) -> None:
    """A form of another site must not answer in somebody's name. Programs and old browsers say no origin."""
    origin = request.headers.get("Origin", "")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.get_host():
        raise Forbidden("This form came from another site. Open the survey's own page, and answer there.")


def _hidden_of(survey: Survey, said: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(said[name])[:200] for name in survey.hidden if said.get(name)}


def _form(
    request: HttpRequest,
    survey: Survey,
    invited: SurveyResponse | None,
    shown: Sequence[Question] | None = None,
    given: Mapping[str, Any] | None = None,
    error: WhytreeError | None = None,
    *,
    hidden: Mapping[str, str],
    nonce: str = "",
    seen: set[str] | None = None,
) -> HttpResponse:
    questions, given = survey.asked, given or {}
    if shown is None:
        shown = questions[:1] if has_ways(questions) else questions
    at = (error.details or {}).get("question", "") if error is not None else ""
    now = {one.id for one in shown}
    carried = [
        (name, value)
        for one in questions
        if one.id not in now and one.id in given
        for name, value in _fields(one, given[one.id])
        if value not in (None, "")
    ]
    known = [one.id for one in questions if one.id in (seen or ()) or one.id in now]
    context = {
        "survey": survey,
        "subject": survey.product,
        "asked": [Asked(one, given.get(one.id), error.message if error and one.id == at else "") for one in shown],
        "carried": [*carried, *((name, value) for name, value in hidden.items())],
        "seen": known,
        "error": error,
        "form": _NONCE.sign(f"{survey.pk} {nonce or secrets.token_hex(12)}"),
        "is_own": invited is not None,
        "is_first": not carried,
        "goes_on": has_ways(questions) and bool(questions) and shown[-1].id != questions[-1].id,
        "me": None,
    }
    return _sealed(render(request, "voice/survey_public.html", context, status=error.status if error else 200))


def _said(request: HttpRequest, survey: Survey, words: str, status: int = 200) -> HttpResponse:
    context = {"survey": survey, "subject": survey.product, "words": words, "me": None}
    return _sealed(render(request, "voice/survey_said.html", context, status=status))


def _sealed(response: HttpResponse) -> HttpResponse:
    """No search engine lists it, and no other site learns the address: it may be somebody's own."""
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    return response

"""Surveys over REST. An operation is named after the service or query that it calls."""

from typing import Any

from ninja import Router, Status

from whytree.errors import Invalid
from whytree.events.shaping.context import Columns
from whytree.events.shaping.rows import SERVER
from whytree.people.identity import MAX_ID, means_nobody
from whytree.workspace.entry.doors import ApiRequest, api_product
from whytree.workspace.rights.roles import Role

from . import exporting, queries, schemas, services
from .answering import Answerer, answer
from .models import ID_LENGTH, Survey, Via
from .people import respondent_of
from .questions import TEMPLATES
from .results import as_json, results_of

router = Router(tags=["Surveys"])


def _out(request: ApiRequest, survey: Survey) -> schemas.SurveyOut:
    return _as_sent(request, survey, queries.counted(survey))


def _as_sent(request: ApiRequest, survey: Survey, counted: queries.Counted) -> schemas.SurveyOut:
    return schemas.SurveyOut.of(survey, counted, request.build_absolute_uri(services.open_link(survey)))


def _found(request: ApiRequest, product: str, ref: str, role: Role = Role.MEMBER) -> Survey:
    return queries.find_by_ref(api_product(request, product, role), ref)


@router.get("/survey-templates", response=dict[str, dict[str, Any]], operation_id="list_survey_templates")
def list_survey_templates(request: ApiRequest) -> dict[str, dict[str, Any]]:
    """Where to begin: NPS, CSAT, CES, SEQ, one question before code."""
    return {key: {"title": title, "questions": questions} for key, (title, questions) in TEMPLATES.items()}


@router.get("/products/{product}/surveys", response=list[schemas.SurveyOut], operation_id="list_surveys")
def list_surveys(request: ApiRequest, product: str) -> list[schemas.SurveyOut]:
    """All surveys, the newest first, each with how many were asked and answered."""
    found = queries.list_surveys(api_product(request, product, Role.VIEWER))
    return [_as_sent(request, survey, counted) for survey, counted in found]


@router.post("/products/{product}/surveys", response={201: schemas.SurveyOut}, operation_id="create_survey")
def create_survey(request: ApiRequest, product: str, said: schemas.SurveyIn) -> Status[schemas.SurveyOut]:
    """A draft; nobody is asked before it is started."""
    found = api_product(request, product, Role.MEMBER)
    made = services.create_survey(request.actor, found, title=said.title, questions=said.questions, **said.settings())
    return Status(201, _out(request, made))


@router.get("/products/{product}/surveys/{ref}", response=schemas.SurveyOut, operation_id="get_survey")
def get_survey(request: ApiRequest, product: str, ref: str) -> schemas.SurveyOut:
    """Its questions, whom it is put to, and how far it has come."""
    return _out(request, _found(request, product, ref, Role.VIEWER))


@router.patch("/products/{product}/surveys/{ref}", response=schemas.SurveyOut, operation_id="change_survey")
def change_survey(request: ApiRequest, product: str, ref: str, said: schemas.SurveyChangeIn) -> schemas.SurveyOut:
    """Change what is given. Once it ran its questions stay: copy it instead."""
    found = _found(request, product, ref)
    return _out(
        request,
        services.change_survey(request.actor, found, title=said.title, questions=said.questions, **said.settings()),
    )


@router.post("/products/{product}/surveys/{ref}/start", response=schemas.SurveyOut, operation_id="start_survey")
def start_survey(request: ApiRequest, product: str, ref: str) -> schemas.SurveyOut:
    """From now on it can be answered."""
    return _out(request, services.start_survey(request.actor, _found(request, product, ref)))


@router.post("/products/{product}/surveys/{ref}/stop", response=schemas.SurveyOut, operation_id="stop_survey")
def stop_survey(request: ApiRequest, product: str, ref: str) -> schemas.SurveyOut:
    """Nobody is asked any more; answers stay."""
    return _out(request, services.stop_survey(request.actor, _found(request, product, ref)))


@router.post("/products/{product}/surveys/{ref}/copy", response={201: schemas.SurveyOut}, operation_id="copy_survey")
def copy_survey(request: ApiRequest, product: str, ref: str) -> Status[schemas.SurveyOut]:
    """The same as a new draft."""
    return Status(201, _out(request, services.copy_survey(request.actor, _found(request, product, ref))))


@router.post(
    "/products/{product}/surveys/{ref}/metric", response={201: schemas.MetricOut}, operation_id="make_survey_metric"
)
def make_survey_metric(request: ApiRequest, product: str, ref: str) -> Status[schemas.MetricOut]:
    """The share of favourable answers as a metric, for an outcome or a guardrail."""
    made = services.make_metric(request.actor, _found(request, product, ref))
    return Status(201, schemas.MetricOut(key=made.key, name=made.name))


@router.post(
    "/products/{product}/surveys/{ref}/invite", response=schemas.InvitationOut, operation_id="invite_to_survey"
)
def invite_to_survey(request: ApiRequest, product: str, ref: str, said: schemas.PersonIn) -> schemas.InvitationOut:
    """A link for one person, whose answer it will be. Refused for whoever was asked anything lately."""
    link = services.invite(request.actor, _found(request, product, ref), said.person)
    return schemas.InvitationOut(link=request.build_absolute_uri(link))


@router.post(
    "/products/{product}/surveys/{ref}/answers", response={201: schemas.ResponseOut}, operation_id="answer_survey"
)
def answer_survey(request: ApiRequest, product: str, ref: str, said: schemas.AnswersIn) -> Status[schemas.ResponseOut]:
    """What somebody answered elsewhere: in your app, on the phone. A person's first answer counts."""
    found = _found(request, product, ref)
    if means_nobody(said.person) or len(said.person) > min(MAX_ID, ID_LENGTH):
        raise Invalid("Say whose answer it is: the id under which this person's events come in.")
    key = respondent_of(found, [said.person])
    who = Answerer(
        key, Via.API, key, said.hidden, columns=Columns(version=said.app_version), url=said.url, source=SERVER
    )
    made = answer(found, said.answers, who)
    assert made.answered_at is not None  # noqa: S101 - for the type checker
    return Status(201, schemas.ResponseOut(response=made.pk, answered_at=made.answered_at))


@router.get("/products/{product}/surveys/{ref}/results", response=dict[str, Any], operation_id="survey_results")
def survey_results(request: ApiRequest, product: str, ref: str, by: str = "") -> dict[str, Any]:
    """Each question's figures with intervals; `by` is a flag whose variants are shown side by side."""
    return as_json(results_of(_found(request, product, ref, Role.VIEWER), by))


@router.get(
    "/products/{product}/surveys/{ref}/responses", response=schemas.ResponsesOut, operation_id="export_responses"
)
def export_responses(request: ApiRequest, product: str, ref: str) -> schemas.ResponsesOut:
    """Every response as a row. Columns come from the survey, and are the same every time, answered or not."""
    found = _found(request, product, ref, Role.VIEWER)
    return schemas.ResponsesOut(columns=exporting.columns(found), rows=exporting.as_records(found))

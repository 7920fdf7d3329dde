"""What may be asked of surveys: which there are, and how far each has come."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from whytree.errors import Invalid, NotFound
from whytree.workspace.models import Product

from .models import Survey, SurveyResponse, Via
from .questions import Value


@dataclass(frozen=True)
class Counted:
    """How many people a survey reached: `asked` were shown or sent it, of whom `answered_when_asked` did, `came` by the open link.

    What came by the API is neither: who was asked there is not known here.
    """

    asked: int = 0
    answered: int = 0
    answered_when_asked: int = 0
    came: int = 0
    dismissed: int = 0


def find_survey(product: Product, number: int) -> Survey:
    found = Survey.objects.filter(product=product, number=number).select_related("product").first()
    if found is None:
        raise NotFound(f"There is no survey SUR-{number} here.")
    return found


def find_by_ref(product: Product, ref: str) -> Survey:
    kind, _, number = ref.strip().upper().partition("-")
    if kind != "SUR" or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Invalid(f"“{ref[:30]}” is no survey. Write it as SUR-3.")
    return find_survey(product, int(number))


def list_surveys(product: Product) -> list[tuple[Survey, Counted]]:
    """Each with its counts, the newest first."""
    surveys = list(Survey.objects.filter(product=product).select_related("product").order_by("-number"))
    counted = _counted(SurveyResponse.objects.filter(survey__product=product))
    return [(survey, counted.get(survey.pk, Counted())) for survey in surveys]


def counted(survey: Survey) -> Counted:
    return _counted(survey.responses.all()).get(survey.pk, Counted())


def first_answers(
    survey: Survey, question: str, of: int, *, since: datetime, until: datetime, without: Collection[str]
) -> list[Value]:
    """What the first `of` people answered to one question in that time, leaving out these people."""
    responses = survey.responses.filter(answered_at__gte=since, answered_at__lte=until, answers__has_key=question)
    responses = responses.exclude(person_key__in=without).order_by("answered_at", "pk")
    return [answers[question] for answers in responses.values_list("answers", flat=True)[:of]]


def _counted(responses: QuerySet[SurveyResponse]) -> dict[int, Counted]:
    answered = Q(answered_at__isnull=False)
    rows = responses.values("survey_id").annotate(
        asked=Count("pk", filter=Q(asked_at__isnull=False)),
        answered=Count("pk", filter=answered),
        when_asked=Count("pk", filter=answered & Q(asked_at__isnull=False)),
        came=Count("pk", filter=answered & Q(asked_at=None, via=Via.LINK)),
        dismissed=Count("pk", filter=Q(dismissed_at__isnull=False, answered_at=None)),
    )
    return {
        row["survey_id"]: Counted(row["asked"], row["answered"], row["when_asked"], row["came"], row["dismissed"])
        for row in rows.order_by()
    }

"""Who somebody is, as far as surveys need it: people have many ids, and which one is the main one may change."""

from collections.abc import Sequence
from datetime import datetime

from whytree.errors import NotFound
from whytree.people.queries import find_person
from whytree.stores.errors import StoreUnavailable
from whytree.voice.models import Contact, Requester
from whytree.workspace.models import Product

from .models import Survey, SurveyResponse


def ids_of(product: Product, ids: Sequence[str]) -> list[str]:
    """All ids of the person behind the first of these, the main one first; just these while the event store does not answer."""
    try:
        person = find_person(product, ids[0])
    except (NotFound, StoreUnavailable):
        return list(dict.fromkeys(ids))
    return list(dict.fromkeys([person.key, *person.ids, *ids]))


def askings(product: Product, names: Sequence[str]) -> list[tuple[int | None, datetime]]:
    """When they were asked anything: by which survey; None: for a talk, or whether a change they had asked for solved it."""
    surveys = SurveyResponse.objects.filter(survey__product=product, person_key__in=names)
    found: list[tuple[int | None, datetime]] = [
        (one.survey_id, at) for one in surveys if (at := one.asked_at or one.answered_at) is not None
    ]
    loops = Requester.objects.filter(product=product, person_key__in=names, asked_at__isnull=False)
    talks = Contact.objects.filter(product=product, person_key__in=names)
    times = [*loops.values_list("asked_at", flat=True), *talks.values_list("at", flat=True)]
    return found + [(None, at) for at in times if at is not None]


def respondent_of(survey: Survey, ids: Sequence[str]) -> str:
    """Who this person is in this survey: as they were called when they were first asked, else by their main id."""
    names = ids_of(survey.product, ids)
    there = SurveyResponse.objects.filter(survey=survey, respondent__in=names).order_by("pk")
    return there.values_list("respondent", flat=True).first() or names[0]

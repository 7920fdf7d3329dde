"""Who somebody is, as far as surveys need it: people have many ids, and which one is the main one may change."""

from collections.abc import Sequence

from whytree.errors import NotFound
from whytree.people.queries import find_person
from whytree.stores.errors import StoreUnavailable
from whytree.workspace.models import Product

from .models import Survey, SurveyResponse


def ids_of(product: Product, ids: Sequence[str]) -> list[str]:
    """All ids of the person behind the first of these, the main one first; just these while the event store does not answer."""
    try:
        person = find_person(product, ids[0])
    except (NotFound, StoreUnavailable):
        return list(dict.fromkeys(ids))
    return list(dict.fromkeys([person.key, *person.ids, *ids]))


def respondent_of(survey: Survey, ids: Sequence[str]) -> str:
    """Who this person is in this survey: as they were called when they were first asked, else by their main id."""
    names = ids_of(survey.product, ids)
    there = SurveyResponse.objects.filter(survey=survey, respondent__in=names).order_by("pk")
    return there.values_list("respondent", flat=True).first() or names[0]
